#include "server/hooks.hpp"

namespace remedy::server {

namespace {

Hooks ours;

post_parse_analyze_hook_type previous_analysed = nullptr;
planner_hook_type previous_plan = nullptr;
ExecutorStart_hook_type previous_start = nullptr;
ExecutorRun_hook_type previous_run = nullptr;
ExecutorFinish_hook_type previous_finish = nullptr;
ExecutorEnd_hook_type previous_end = nullptr;
ProcessUtility_hook_type previous_utility = nullptr;

void
on_analysed(ParseState *state, Query *query, JumbleState *jumble)
{
	if (previous_analysed != nullptr)
		previous_analysed(state, query, jumble);
	ours.analysed(query);
}

PlannedStmt *
on_plan(Query *query, const char *text, int options, ParamListInfo params)
{
	return ours.plan(Planning{query, text, options, params});
}

void
on_start(QueryDesc *query, int flags)
{
	ours.start(query, flags);
}

#if PG_VERSION_NUM >= 180000
void
on_run(QueryDesc *query, ScanDirection direction, uint64 count)
{
	ours.run(Run{query, direction, count, true});
}
#else
void
on_run(QueryDesc *query, ScanDirection direction, uint64 count, bool once)
{
	ours.run(Run{query, direction, count, once});
}
#endif

void
on_finish(QueryDesc *query)
{
	ours.finish(query);
}

void
on_end(QueryDesc *query)
{
	ours.end(query);
}

void
on_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
		   ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	ours.utility(Utility{statement, text, read_only_tree, context, params, environment, dest, completion});
}

} // namespace

void
install_hooks(const Hooks &hooks) noexcept
{
	ours = hooks;
	previous_analysed = post_parse_analyze_hook;
	post_parse_analyze_hook = on_analysed;
	previous_plan = planner_hook;
	planner_hook = on_plan;
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = on_start;
	previous_run = ExecutorRun_hook;
	ExecutorRun_hook = on_run;
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = on_finish;
	previous_end = ExecutorEnd_hook;
	ExecutorEnd_hook = on_end;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}

PlannedStmt *
Planning::proceed() const noexcept
{
	return (previous_plan != nullptr ? previous_plan : standard_planner)(query, text, options, params);
}

void
proceed_start(QueryDesc *query, int flags) noexcept
{
	(previous_start != nullptr ? previous_start : standard_ExecutorStart)(query, flags);
}

void
Run::proceed() const noexcept
{
#if PG_VERSION_NUM >= 180000
	(previous_run != nullptr ? previous_run : standard_ExecutorRun)(query, direction, count);
#else
	(previous_run != nullptr ? previous_run : standard_ExecutorRun)(query, direction, count, once);
#endif
}

void
proceed_finish(QueryDesc *query) noexcept
{
	(previous_finish != nullptr ? previous_finish : standard_ExecutorFinish)(query);
}

void
proceed_end(QueryDesc *query) noexcept
{
	(previous_end != nullptr ? previous_end : standard_ExecutorEnd)(query);
}

void
Utility::proceed() const noexcept
{
	(previous_utility != nullptr ? previous_utility : standard_ProcessUtility)(statement, text, read_only_tree, context,
																			   params, environment, dest, completion);
}

} // namespace remedy::server

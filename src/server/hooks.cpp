#include "server/hooks.hpp"

namespace remedy::server {

namespace {

post_parse_analyze_hook_type previous_analysed = nullptr;
planner_hook_type previous_plan = standard_planner;
ExecutorStart_hook_type previous_start = standard_ExecutorStart;
ExecutorRun_hook_type previous_run = standard_ExecutorRun;
ExecutorFinish_hook_type previous_finish = standard_ExecutorFinish;
ExecutorEnd_hook_type previous_end = standard_ExecutorEnd;
ProcessUtility_hook_type previous_utility = standard_ProcessUtility;

void
on_analysed(ParseState *state, Query *query, JumbleState *jumble)
{
	if (previous_analysed != nullptr)
		previous_analysed(state, query, jumble);
	hooks.analysed(query);
}

PlannedStmt *
on_plan(Query *query, const char *text, int options, ParamListInfo params)
{
	return hooks.plan(query, text, options, params);
}

void
on_start(QueryDesc *query, int flags)
{
	hooks.start(query, flags);
}

#if PG_VERSION_NUM >= 180000
void
on_run(QueryDesc *query, ScanDirection direction, uint64 count)
{
	hooks.run(query, direction, count, true);
}
#else
void
on_run(QueryDesc *query, ScanDirection direction, uint64 count, bool once)
{
	hooks.run(query, direction, count, once);
}
#endif

void
on_finish(QueryDesc *query)
{
	hooks.finish(query);
}

void
on_end(QueryDesc *query)
{
	hooks.end(query);
}

void
on_utility(PlannedStmt *statement, const char *text, bool read_only_tree, ProcessUtilityContext context,
		   ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	// BEGIN and COMMIT are half of what many applications send.
	if (IsA(statement->utilityStmt, TransactionStmt))
		previous_utility(statement, text, read_only_tree, context, params, environment, dest, completion);
	else
		hooks.utility(Utility{statement, text, read_only_tree, context, params, environment, dest, completion});
}

} // namespace

void
install_hooks() noexcept
{
	previous_analysed = post_parse_analyze_hook;
	post_parse_analyze_hook = on_analysed;
	if (planner_hook != nullptr)
		previous_plan = planner_hook;
	planner_hook = on_plan;
	if (ExecutorStart_hook != nullptr)
		previous_start = ExecutorStart_hook;
	ExecutorStart_hook = on_start;
	if (ExecutorRun_hook != nullptr)
		previous_run = ExecutorRun_hook;
	ExecutorRun_hook = on_run;
	if (ExecutorFinish_hook != nullptr)
		previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = on_finish;
	if (ExecutorEnd_hook != nullptr)
		previous_end = ExecutorEnd_hook;
	ExecutorEnd_hook = on_end;
	if (ProcessUtility_hook != nullptr)
		previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}

PlannedStmt *
proceed_plan(Query *query, const char *text, int options, ParamListInfo params) noexcept
{
	return previous_plan(query, text, options, params);
}

void
proceed_start(QueryDesc *query, int flags) noexcept
{
	previous_start(query, flags);
}

void
proceed_run(QueryDesc *query, ScanDirection direction, uint64 count, [[maybe_unused]] bool once) noexcept
{
#if PG_VERSION_NUM >= 180000
	previous_run(query, direction, count);
#else
	previous_run(query, direction, count, once);
#endif
}

void
proceed_finish(QueryDesc *query) noexcept
{
	previous_finish(query);
}

void
proceed_end(QueryDesc *query) noexcept
{
	previous_end(query);
}

void
Utility::proceed() const noexcept
{
	previous_utility(statement, text, read_only_tree, context, params, environment, dest, completion);
}

} // namespace remedy::server

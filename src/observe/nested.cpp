#include "observe/nested.hpp"

#include "observe/commands.hpp"
#include "observe/execution.hpp"
#include "observe/listeners.hpp"
#include "observe/session.hpp"
#include "observe/settings.hpp"
#include "observe/statement_kinds.hpp"
#include "server/guard.hpp"

namespace remedy::observe {

namespace {

// They are of interest here and in a session's parallel workers.
bool
observing() noexcept
{
	return settings.enabled && (IsParallelWorker() || session() != nullptr);
}

// Statements inside others have statistics of their own only if that is asked for.
bool
tracks_nested() noexcept
{
	return settings.track == track_all && counting();
}

void
count_nested_query(const QueryDesc *query, bool call, Nanoseconds began, bool failed) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;
	const Nanoseconds ended = now();
	const std::uint64_t flags = (call ? 0 : Entry::further) | (failed ? Entry::failed : 0);
	StatementEntry *const entry = entry_for(planned->queryId, planned, query->sourceText, query->params);

	count_nested_run(entry, planned->queryId, flags,
					 {failed ? 0 : query->estate->es_processed, ended - began, ended, 0});
}

} // namespace

void
start_nested(QueryDesc *query, int flags) noexcept
{
	if (observing())
		tell_starting(query, nullptr);
	server::proceed_start(query, flags);
}

void
run_nested(const server::Run &run) noexcept
{
	if (!observing())
	{
		run.proceed();
		return;
	}
	const bool is_own_statement = !is_part_of_command(run.query->dest, explaining());
	const bool call = !run.query->already_executed;
	const bool counted = is_own_statement && tracks_nested();
	const Nanoseconds began = counted ? now() : 0;

	if (call && is_own_statement && counting() && executing())
		count_nested();
	tell_run_begins(run.query, nullptr);
	finally([&run]() noexcept { run.proceed(); },
			[=, &run](bool failed) noexcept {
				tell_run_ended(run.query, nullptr, failed);
				if (counted)
					count_nested_query(run.query, call, began, failed);
			});
}

void
run_nested_command(const server::Utility &utility) noexcept
{
	const PlannedStmt *const statement = utility.statement;
	const std::uint64_t fingerprint = statement->queryId;

	if (!tracks_nested() || kind_of_utility(statement->utilityStmt) != UtilityKind::counted)
	{
		utility.proceed();
		return;
	}
	StatementEntry *const entry = entry_for(fingerprint, statement, utility.text, utility.params);
	const Nanoseconds began = now();
	finally([&utility]() noexcept { utility.proceed(); },
			[=](bool failed) noexcept {
				const Nanoseconds ended = now();
				if (session() != nullptr)
					count_nested_run(entry, fingerprint, failed ? Entry::failed : 0, {0, ended - began, ended, 0});
			});
}

} // namespace remedy::observe

#include "observe/hooks.hpp"

#include "observe/execution.hpp"
#include "observe/listeners.hpp"
#include "observe/open_statements.hpp"
#include "observe/session.hpp"
#include "observe/settings.hpp"
#include "observe/statement_kinds.hpp"
#include "observe/unseen.hpp"
#include "server/guard.hpp"
#include "server/hooks.hpp"

namespace remedy::observe {

namespace {

OpenStatements open_statements;
Statement command; // a utility command at top level

const PlannedStmt *opening_cursor = nullptr; // DECLARE CURSOR, while inside it
bool explaining = false;                     // the command is EXPLAIN
bool fetching = false;                       // inside FETCH or MOVE
bool elsewhere = false;                      // planning, or inside SET CONSTRAINTS: queries are functions'

// Queries that are no client's statements are of interest too, here or in a session's
// parallel workers.
bool
observing() noexcept
{
	return settings.enabled && (IsParallelWorker() || session() != nullptr);
}

void
on_analysed(Query *query)
{
	note_string_style();
	if (!counting() || executing() || elsewhere)
		return;
	const Nanoseconds when = now();

	note_analysis(when);
	tell_analysed(query, when);
}

inline bool
is_statement(const PlannedStmt *planned) noexcept
{
	return !elsewhere && is_run_by_client(planned);
}

// Runs what is no client's statement, whatever queries that runs.
template <class Body>
void
run_elsewhere(Body &&body) noexcept
{
	const bool before = elsewhere;

	elsewhere = true;
	finally(body, [before](bool) noexcept { elsewhere = before; });
}

PlannedStmt *
on_plan(const server::Planning &planning)
{
	PlannedStmt *planned = nullptr;

	if (!counting() || executing())
		return planning.proceed();
	run_elsewhere([&]() noexcept { planned = planning.proceed(); });
	return planned;
}

// Until version 18 a cursor's query has no fingerprint of its own.
std::uint64_t
fingerprint_of(const QueryDesc &query) noexcept
{
	if (query.plannedstmt->queryId == 0 && opening_cursor != nullptr)
		return opening_cursor->queryId;
	return query.plannedstmt->queryId;
}

// A cursor is counted when it is open; the text is that of its DECLARE.
pg_noinline void
start_cursor(QueryDesc *query, int flags, Statement &statement) noexcept
{
	const Nanoseconds began = now();

	enter_statement(statement, query, opening_cursor, fingerprint_of(*query), query->sourceText, query->params);
	// It will call us when it is read, when it is counted already.
	statement.own = reads_own_views(query->plannedstmt);
	note_arrival(statement, began);
	begin(statement, began);
	tell_starting(query, &statement);
	server::proceed_start(query, flags);
	end_counted(statement, false, 0);
}

inline void
start_statement(QueryDesc *query, int flags, Statement &statement) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;

	enter_statement(statement, query, planned, planned->queryId, query->sourceText, query->params);
	begin(statement, 0);
	tell_starting(query, &statement);
	server::proceed_start(query, flags);
	end();
}

pg_noinline void
start_nested(QueryDesc *query, int flags) noexcept
{
	if (observing())
		tell_starting(query, nullptr);
	server::proceed_start(query, flags);
}

void
on_start(QueryDesc *query, int flags)
{
	if (!counting() || executing() || !is_statement(query->plannedstmt))
		start_nested(query, flags);
	else if (unlikely(opening_cursor != nullptr))
		start_cursor(query, flags, open_statements.add(query));
	else
		start_statement(query, flags, open_statements.add(query));
}

// Runs the query with another receiver than its own, which it gets back.
pg_noinline void
run_through(const server::Run &run, DestReceiver *receiver) noexcept
{
	QueryDesc *const query = run.query;
	DestReceiver *const own = query->dest;

	query->dest = receiver;
	finally([&run]() noexcept { run.proceed(); }, [query, own](bool) noexcept { query->dest = own; });
}

// Runs the query, through a listener's receiver if one wants its rows.
inline void
run_query(const server::Run &run, Statement &statement, Nanoseconds began) noexcept
{
	DestReceiver *const receiver = statement.own ? nullptr : receiver_before(statement);

	begin(statement, began);
	tell_run_begins(run.query, &statement);
	if (receiver != nullptr)
		run_through(run, receiver);
	else
		run.proceed();
	tell_run_ended(run.query, &statement, false);
}

// Statements inside others have statistics of their own only if that is asked for.
bool
tracks_nested() noexcept
{
	return settings.track == track_all && counting();
}

pg_noinline void
count_nested_query(const QueryDesc *query, bool call, Nanoseconds began, bool failed) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;
	const Nanoseconds ended = now();

	StatementEntry *const entry = entry_for(planned->queryId, planned, query->sourceText, query->params);
	const std::uint64_t flags = (call ? 0 : Entry::further) | (failed ? Entry::failed : 0);
	count_nested_run(entry, planned->queryId, flags,
					 {failed ? 0 : query->estate->es_processed, ended - began, ended, 0});
}

// A run inside a statement, of a deferred trigger, or of a parallel worker.
pg_noinline void
run_nested(const server::Run &run) noexcept
{
	const bool counted = tracks_nested() && !is_part_of_command(run.query->dest, explaining);
	const bool call = !run.query->already_executed;
	const Nanoseconds began = counted ? now() : 0;

	tell_run_begins(run.query, nullptr);
	finally([&run]() noexcept { run.proceed(); },
			[=, &run](bool failed) noexcept {
				tell_run_ended(run.query, nullptr, failed);
				if (counted)
					count_nested_query(run.query, call, began, failed);
			});
}

inline void
run_statement(const server::Run &run, Statement &statement) noexcept
{
	const bool first_run = !statement.counted;
	const Nanoseconds began = now();

	note_arrival(statement, began);
	run_query(run, statement, began);
	end_counted(statement, false, run.query->estate->es_processed);
	if (statement.own)
		return;
	tell_run(statement, first_run);
	if (statement.execution >= slow_floor)
		tell_slow(statement);
}

// A cursor WITH HOLD is run to its end, perhaps from its beginning, when the
// transaction commits: those rows are fetched later, or have been.
bool
stores_for_later(const Statement &statement) noexcept
{
	return statement.counted && ActivePortal != nullptr && ActivePortal->holdStore != nullptr;
}

pg_noinline void
run_uncounted(const server::Run &run, Statement &statement) noexcept
{
	run_query(run, statement, now());
	end();
	statement.rows = run.query->estate->es_processed;
	statement.ended = now();
	if (!statement.own)
		tell_run(statement, false);
}

// A statement that was forgotten among too many open ones is remembered at its first
// run, but for a cursor, which was counted when it was opened.
pg_noinline Statement *
forgotten_statement(QueryDesc *query) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;

	if (fetching || query->already_executed || !is_statement(planned))
		return nullptr;
	Statement &statement = open_statements.add(query);
	enter_statement(statement, query, planned, fingerprint_of(*query), query->sourceText, query->params);
	return &statement;
}

inline Statement *
statement_of(QueryDesc *query) noexcept
{
	if (goes_to_function(query->dest))
		return nullptr;
	Statement *const known = open_statements.find(query);
	return likely(known != nullptr) ? known : forgotten_statement(query);
}

pg_noinline void
run_inside(const server::Run &run) noexcept
{
	if (!run.query->already_executed && !is_part_of_command(run.query->dest, explaining))
		count_nested();
	run_nested(run);
}

void
on_run(const server::Run &run)
{
	if (unlikely(!counting()))
		observing() ? run_nested(run) : run.proceed();
	else if (executing())
		run_inside(run);
	else if (Statement *const statement = statement_of(run.query); unlikely(statement == nullptr))
		run_nested(run);
	else if (unlikely(stores_for_later(*statement)))
		run_uncounted(run, *statement);
	else
		run_statement(run, *statement);
}

// Triggers run here: their time is the statement's, and so is their failure.  The
// end of a plain SELECT runs nothing of anybody's.
pg_noinline void
finish_statement(QueryDesc *query) noexcept
{
	Statement *const statement = counting() && !executing() ? open_statements.find(query) : nullptr;

	if (statement == nullptr || !statement->counted)
	{
		server::proceed_finish(query);
		return;
	}
	begin(*statement, now());
	server::proceed_finish(query);
	end_counted(*statement, false, 0);
}

void
on_finish(QueryDesc *query)
{
	if (query->operation == CMD_SELECT && !query->plannedstmt->hasModifyingCTE)
		server::proceed_finish(query);
	else
		finish_statement(query);
}

void
on_end(QueryDesc *query)
{
	if (!executing())
		open_statements.remove(query);
	if (observing())
		tell_ending(query);
	server::proceed_end(query);
}

// Unlike a query, a command may end the transaction, or roll it back, and go on.
pg_noinline void
run_command(const server::Utility &utility) noexcept
{
	const Nanoseconds began = now();

	enter_statement(command, nullptr, utility.statement, utility.statement->queryId, utility.text, utility.params);
	note_arrival(command, began);
	begin(command, began);
	explaining = IsA(utility.statement->utilityStmt, ExplainStmt);
	finally([&utility]() noexcept { utility.proceed(); },
			[&utility](bool failed) noexcept {
				explaining = false;
				const bool has_rows = !failed && utility.completion != nullptr;
				end_counted(command, failed, has_rows ? utility.completion->nprocessed : 0);
			});
}

pg_noinline void
run_nested_command(const server::Utility &utility) noexcept
{
	const PlannedStmt *const statement = utility.statement;
	const std::uint64_t fingerprint = statement->queryId;
	StatementEntry *const entry = entry_for(fingerprint, statement, utility.text, utility.params);
	const Nanoseconds began = now();

	finally(
		[&utility]() noexcept { utility.proceed(); },
		[=](bool failed) noexcept {
			const Nanoseconds ended = now();
			const bool is_known = entry != nullptr && entry->fingerprint == fingerprint;
			if (session() != nullptr)
				count_nested_run(is_known ? entry : nullptr, fingerprint, failed ? Entry::failed : 0,
								 {0, ended - began, ended, 0});
		});
}

void
on_utility(const server::Utility &utility)
{
	const bool top = utility.context == PROCESS_UTILITY_TOPLEVEL;

	if (!counting() || executing() || elsewhere || !top)
	{
		if (!top && tracks_nested() && kind_of_utility(utility.statement->utilityStmt) == UtilityKind::counted)
			run_nested_command(utility);
		else
			utility.proceed();
		return;
	}
	switch (kind_of_utility(utility.statement->utilityStmt))
	{
	case UtilityKind::counted:
		run_command(utility);
		break;
	case UtilityKind::cursor:
		opening_cursor = utility.statement;
		finally([&utility]() noexcept { utility.proceed(); }, [](bool) noexcept { opening_cursor = nullptr; });
		break;
	case UtilityKind::runs_triggers:
		run_elsewhere([&utility]() noexcept { utility.proceed(); });
		break;
	case UtilityKind::fetch:
		fetching = true;
		finally([&utility]() noexcept { utility.proceed(); }, [](bool) noexcept { fetching = false; });
		break;
	case UtilityKind::new_session:
		utility.proceed();
		end_watch();
		tell_new_session();
		break;
	case UtilityKind::transparent:
		utility.proceed();
		break;
	}
}

void
on_transaction(XactEvent event, void *)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (event == XACT_EVENT_ABORT)
		transaction_aborted();
	open_statements.clear();
	if (session() != nullptr)
		end_transaction();
}

void
on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		transaction_aborted();
}

} // namespace

void
install_hooks() noexcept
{
	server::install_hooks({on_analysed, on_plan, on_start, on_run, on_finish, on_end, on_utility});
	RegisterXactCallback(on_transaction, nullptr);
	RegisterSubXactCallback(on_subtransaction, nullptr);
}

} // namespace remedy::observe

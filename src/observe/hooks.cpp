#include "observe/hooks.hpp"

#include "observe/commands.hpp"
#include "observe/execution.hpp"
#include "observe/listeners.hpp"
#include "observe/nested.hpp"
#include "observe/open_statements.hpp"
#include "observe/session.hpp"
#include "observe/statement_kinds.hpp"
#include "server/guard.hpp"
#include "server/hooks.hpp"

namespace remedy::observe {

namespace {

using detail::mode;

OpenStatements open_statements;
SubTransactionId planning_in = InvalidSubTransactionId; // where the planner was called, while it runs
bool any_dropped = false; // queries of the transaction's aborted parts may be among the open ones

void
on_analysed(Query *query)
{
	note_string_style();
	if (!counting() || executing() || mode.elsewhere)
		return;
	const Nanoseconds when = now();

	if (query->commandType == CMD_UTILITY)
		note_command(query);
	note_analysis(when);
	tell_analysed(query, when);
}

pg_noinline PlannedStmt *
plan_otherwise(Query *query, const char *text, int options, ParamListInfo params) noexcept
{
	PlannedStmt *planned = nullptr;

	if (!counting() || executing())
		return server::proceed_plan(query, text, options, params);
	forget_route_source();
	run_elsewhere([&]() noexcept { planned = server::proceed_plan(query, text, options, params); });
	return planned;
}

// An error in the planner aborts the part of the transaction that it runs in, which ends
// the mode too.
PlannedStmt *
on_plan(Query *query, const char *text, int options, ParamListInfo params)
{
	if (unlikely(!mode.is_plain()))
		return plan_otherwise(query, text, options, params);
	forget_route_source();
	mode.elsewhere = true;
	planning_in = GetCurrentSubTransactionId();
	PlannedStmt *const planned = server::proceed_plan(query, text, options, params);
	mode.elsewhere = false;
	planning_in = InvalidSubTransactionId;
	return planned;
}

void
planning_failed() noexcept
{
	if (planning_in == InvalidSubTransactionId)
		return;
	mode.elsewhere = false;
	planning_in = InvalidSubTransactionId;
}

// Until version 18 a cursor's query has no fingerprint of its own.
std::uint64_t
fingerprint_of(const QueryDesc &query) noexcept
{
	if (query.plannedstmt->queryId == 0 && mode.opening_cursor)
		return opening_cursor()->queryId;
	return query.plannedstmt->queryId;
}

// A cursor is counted when it is open; the text is that of its DECLARE.
pg_noinline void
start_cursor(QueryDesc *query, int flags, Statement &statement) noexcept
{
	const Nanoseconds began = now();

	enter_statement(statement, query, opening_cursor(), fingerprint_of(*query), query->sourceText, query->params);
	// It will call us when it is read, when it is counted already.
	statement.own = reads_own_views(query->plannedstmt);
	note_arrival(statement, began);
	begin(statement, began);
	tell_starting(query, &statement);
	server::proceed_start(query, flags);
	end_counted(statement, false, 0);
}

pg_attribute_always_inline void
start_statement(QueryDesc *query, int flags, Statement &statement) noexcept
{
	enter_statement(statement, query, query->plannedstmt, query->plannedstmt->queryId, query->sourceText,
					query->params);
	begin(statement, 0);
	tell_starting(query, &statement);
	server::proceed_start(query, flags);
	end();
}

pg_noinline void
start_otherwise(QueryDesc *query, int flags) noexcept
{
	const bool is_statement = counting() && !executing() && !mode.elsewhere && is_run_by_client(query->plannedstmt);

	if (is_statement && mode.opening_cursor)
		start_cursor(query, flags, open_statements.add(query));
	else if (is_statement)
		start_statement(query, flags, open_statements.add(query));
	else
	{
		if (any_dropped)
			open_statements.remove(query);
		start_nested(query, flags);
	}
}

void
on_start(QueryDesc *query, int flags)
{
	if (likely(mode.is_plain() && is_run_by_client(query->plannedstmt)))
		start_statement(query, flags, open_statements.add(query));
	else
		start_otherwise(query, flags);
}

// Runs the query with another receiver than its own, which it gets back.
pg_noinline void
run_through(QueryDesc *query, ScanDirection direction, uint64 count, bool once, DestReceiver *receiver) noexcept
{
	DestReceiver *const own = query->dest;

	query->dest = receiver;
	finally([=]() noexcept { server::proceed_run(query, direction, count, once); },
			[=](bool) noexcept { query->dest = own; });
}

// Runs the query, through a listener's receiver if one wants its rows.
pg_attribute_always_inline void
run_query(server::Run run, Statement &statement, Nanoseconds began) noexcept
{
	DestReceiver *const receiver = receiver_before(statement);

	begin(statement, began);
	tell_run_begins(run.query, &statement);
	if (unlikely(receiver != nullptr))
		run_through(run.query, run.direction, run.count, run.once, receiver);
	else
		run.proceed();
	tell_run_ended(run.query, &statement, false);
}

pg_noinline void
note_slow(const Statement &statement)
{
	tell_slow(statement);
}

// The first run makes the statement a call.
pg_attribute_always_inline void
run_statement(server::Run run, Statement &statement, bool first_run) noexcept
{
	const Nanoseconds began = now();

	note_arrival(statement, began);
	run_query(run, statement, began);
	if (first_run)
	{
		if (unlikely(!end_called(statement, began, run.query->estate->es_processed)))
			return;
	}
	else
	{
		end_counted(statement, false, run.query->estate->es_processed);
		if (statement.own)
			return;
	}
	tell_run(statement, first_run);
	if (unlikely(statement.execution >= slow_floor))
		note_slow(statement);
}

// A cursor WITH HOLD is run to its end, perhaps from its beginning, when the
// transaction commits: those rows are fetched later, or have been.
bool
stores_for_later(const Statement &statement) noexcept
{
	return statement.counted && ActivePortal != nullptr && ActivePortal->holdStore != nullptr;
}

void
run_uncounted(server::Run run, Statement &statement) noexcept
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
Statement *
forgotten_statement(QueryDesc *query) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;

	if (fetching() || query->already_executed || mode.elsewhere || !is_run_by_client(planned))
		return nullptr;
	Statement &statement = open_statements.add(query);
	enter_statement(statement, query, planned, fingerprint_of(*query), query->sourceText, query->params);
	return &statement;
}

Statement *
statement_of(QueryDesc *query) noexcept
{
	if (goes_to_function(query->dest))
		return nullptr;
	Statement *const known = open_statements.find(query);
	return known != nullptr ? known : forgotten_statement(query);
}

pg_noinline void
run_otherwise(server::Run run) noexcept
{
	if (!counting() || executing())
	{
		run_nested(run);
		return;
	}
	Statement *const statement = statement_of(run.query);

	if (statement == nullptr)
		run_nested(run);
	else if (stores_for_later(*statement))
		run_uncounted(run, *statement);
	else if (statement->counted)
		run_statement(run, *statement, false);
	else
		run_statement(run, *statement, true);
}

void
on_run(QueryDesc *query, ScanDirection direction, uint64 count, bool once)
{
	Statement &newest = open_statements.newest();

	if (likely(mode.is_plain() && newest.query == query && !newest.counted))
		run_statement({query, direction, count, once}, newest, true);
	else
		run_otherwise({query, direction, count, once});
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
	if (!statement->own)
		tell_finished(*statement);
}

void
on_finish(QueryDesc *query)
{
	if (query->operation == CMD_SELECT && !query->plannedstmt->hasModifyingCTE)
	{
		server::proceed_finish(query);
		return;
	}
	tell_finishing(query);
	finish_statement(query);
}

void
on_end(QueryDesc *query)
{
	open_statements.remove(query);
	tell_ending(query);
	server::proceed_end(query);
}

// An error of a statement's has left the portal before it aborts anything (execution.hpp).
void
on_abort() noexcept
{
	if (executing() && ActivePortal == nullptr && detail::current->query != nullptr)
		tell_run_failed(*detail::current);
	transaction_aborted();
}

pg_noinline void
transaction_is_aborted() noexcept
{
	planning_failed();
	on_abort();
	if (session() != nullptr && TransactionIdIsValid(GetTopTransactionIdIfAny()))
		tell_writing_undone();
}

void
on_transaction(XactEvent event, void *)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (event == XACT_EVENT_ABORT)
		transaction_is_aborted();
	open_statements.clear();
	any_dropped = false;
	if (session() != nullptr)
		end_transaction();
}

void
on_subtransaction(SubXactEvent event, SubTransactionId aborted, SubTransactionId, void *)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	if (aborted <= planning_in)
		planning_failed();
	any_dropped = true;
	on_abort();
}

} // namespace

void
install_hooks() noexcept
{
	server::install_hooks();
	RegisterXactCallback(on_transaction, nullptr);
	RegisterSubXactCallback(on_subtransaction, nullptr);
}

} // namespace remedy::observe

using namespace remedy::observe;

const remedy::server::Hooks remedy::server::hooks = {on_analysed, on_plan, on_start,  on_run,
													 on_finish,   on_end,  on_utility};

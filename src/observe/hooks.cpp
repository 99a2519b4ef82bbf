#include "observe/hooks.hpp"

#include "observe/open_statements.hpp"
#include "observe/session.hpp"
#include "observe/settings.hpp"
#include "observe/statement_kinds.hpp"
#include "observe/unseen.hpp"
#include "server/guard.hpp"
#include "server/hooks.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

namespace {

OpenStatements open_statements;

// What runs now at top level, for those who ask from inside or after an error.
struct Running
{
	int depth = 0;
	bool own = false;			 // one of our functions ran in the top-level statement
	bool executing = false;		 // inside a statement that is to be counted
	Executed executed = {};		 // that statement
	Nanoseconds began = 0;
	const PlannedStmt *cursor = nullptr; // DECLARE CURSOR, while inside it
	Nanoseconds analysed = 0;	 // when the last analysis at top level ended
};

Running running;

constexpr int listener_limit = 4;
const Listener *listeners[listener_limit];
int listener_count = 0;

bool
counting() noexcept
{
	if (!settings.enabled || IsParallelWorker())
		return false;
	if (ignoring_statement())
		return false;
	return likely(session() != nullptr) || open_session();
}

bool
at_top() noexcept
{
	return running.depth == 0 && ActivePortal != nullptr;
}

// Until version 18 a cursor's query has no fingerprint of its own.
std::uint64_t
fingerprint_of(const QueryDesc &query) noexcept
{
	if (query.plannedstmt->queryId == 0 && running.cursor != nullptr)
		return running.cursor->queryId;
	return query.plannedstmt->queryId;
}

// When the statement's message was understood: after its analysis if it had one
// since the statement before, otherwise now.
void
note_arrival(Statement &statement, Nanoseconds started) noexcept
{
	const Nanoseconds last_end = session()->last_end;

	statement.arrived = running.analysed > last_end ? running.analysed : started;
	statement.waiting = last_end != 0 ? statement.arrived - last_end : 0;
	statement.in_block = IsTransactionBlock();
	statement.transaction = session()->transaction.number;
}

void
begin_executing(const Executed &executed, Nanoseconds began) noexcept
{
	running.executing = true;
	running.executed = executed;
	running.began = began;
}

void
end_executing(bool failed, std::uint64_t rows) noexcept
{
	const Nanoseconds ended = now();

	running.executing = false;
	running.executed.failed = failed;
	running.executed.tally.rows = rows;
	running.executed.tally.execution = ended - running.began;
	session()->last_end = ended;
	if (!running.own)
		count(running.executed);
}

Executed
executed_by(const PlannedStmt *planned, const char *source, const Statement &statement) noexcept
{
	Executed executed = {};

	executed.fingerprint = statement.fingerprint;
	executed.source = source;
	executed.location = planned->stmt_location;
	executed.length = planned->stmt_len;
	executed.waiting = statement.waiting;
	executed.tally.calls = statement.counted ? 0 : 1;
	return executed;
}

// A statement whose start is all that is to be counted.
void
count_start(Statement &statement, const QueryDesc &query, bool failed) noexcept
{
	const Nanoseconds started = now();

	note_arrival(statement, started);
	begin_executing(
		executed_by(running.cursor != nullptr ? running.cursor : query.plannedstmt, query.sourceText, statement), started);
	end_executing(failed, 0);
	statement.counted = true;
	statement.own = running.own;
}

// The receivers of statements that functions run while a plan is being made.
bool
goes_to_function(const DestReceiver *dest) noexcept
{
	return dest != nullptr && (dest->mydest == DestSPI || dest->mydest == DestSQLFunction);
}

// The receivers of the queries of COPY, CREATE TABLE AS and REFRESH MATERIALIZED VIEW.
bool
is_part_of_command(const DestReceiver *dest) noexcept
{
	return dest != nullptr &&
		   (dest->mydest == DestCopyOut || dest->mydest == DestIntoRel || dest->mydest == DestTransientRel);
}

void
on_analysed(Query *query)
{
	if (!counting() || running.depth > 0)
		return;
	running.analysed = now();
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->analysed != nullptr)
			listeners[i]->analysed(query, running.analysed);
}

void
on_start(QueryDesc *query, int flags)
{
	// Of what a rule makes of a statement, only one part answers for it.
	if (!counting() || !at_top() || !query->plannedstmt->canSetTag)
	{
		server::proceed_start(query, flags);
		return;
	}
	Statement &statement = open_statements.add(query);

	statement.fingerprint = fingerprint_of(*query);
	running.own = false;
	++running.depth;
	finally([&]() noexcept { server::proceed_start(query, flags); },
			[&](bool failed) noexcept {
				running.depth = 0;
				if (failed || running.cursor != nullptr)
					count_start(statement, *query, failed);
				if (failed)
					open_statements.remove(statement);
			});
}

void
run_nested(const server::Run &run) noexcept
{
	const int depth = running.depth++;

	if (depth > 0 && !run.query->already_executed && !is_part_of_command(run.query->dest))
		count_nested();
	finally([&]() noexcept { run.proceed(); }, [depth](bool) noexcept { running.depth = depth; });
}

void
run_statement(const server::Run &run, Statement &statement) noexcept
{
	QueryDesc *const query = run.query;
	DestReceiver *const dest = query->dest;
	const bool first_run = !statement.counted;
	const Nanoseconds began = now();

	note_arrival(statement, began);
	running.own = statement.own;
	if (!statement.own)
		for (int i = 0; i < listener_count; ++i)
			if (listeners[i]->running != nullptr)
				if (DestReceiver *const before = listeners[i]->running(statement))
					query->dest = before;
	begin_executing(executed_by(query->plannedstmt, query->sourceText, statement), began);
	++running.depth;
	finally([&]() noexcept { run.proceed(); },
			[&](bool failed) noexcept {
				query->dest = dest;
				running.depth = 0;
				const std::uint64_t rows = failed ? 0 : query->estate->es_processed;
				end_executing(failed, rows);
				statement.own = running.own;
				statement.counted = true;
				statement.rows = rows;
				statement.execution = running.executed.tally.execution;
				statement.ended = began + statement.execution;
			});
	if (statement.own)
		return;
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->ran != nullptr)
			listeners[i]->ran(statement, first_run);
}

void
on_run(const server::Run &run)
{
	if (!counting())
	{
		run.proceed();
		return;
	}
	Statement *const statement = at_top() && !goes_to_function(run.query->dest) ? open_statements.find(run.query)
																			: nullptr;

	if (statement != nullptr)
		run_statement(run, *statement);
	else
		run_nested(run);
}

// Triggers run here: their time is the statement's, and so is their failure.
void
finish_statement(QueryDesc *query, Statement &statement) noexcept
{
	begin_executing(executed_by(query->plannedstmt, query->sourceText, statement), now());
	running.own = statement.own;
	++running.depth;
	finally([query]() noexcept { server::proceed_finish(query); },
			[](bool failed) noexcept {
				running.depth = 0;
				end_executing(failed, 0);
			});
}

void
on_finish(QueryDesc *query)
{
	if (!counting())
	{
		server::proceed_finish(query);
		return;
	}
	// The end of a plain SELECT runs nothing of anybody's.
	if (query->operation == CMD_SELECT && !query->plannedstmt->hasModifyingCTE)
	{
		server::proceed_finish(query);
		return;
	}
	Statement *const statement = at_top() ? open_statements.find(query) : nullptr;
	if (statement != nullptr)
	{
		finish_statement(query, *statement);
		return;
	}
	const int depth = running.depth++;
	finally([query]() noexcept { server::proceed_finish(query); },
			[depth](bool) noexcept { running.depth = depth; });
}

void
on_end(QueryDesc *query)
{
	if (running.depth == 0)
		if (Statement *const statement = open_statements.find(query))
			open_statements.remove(*statement);
	server::proceed_end(query);
}

void
run_utility(const server::Utility &utility) noexcept
{
	const Nanoseconds began = now();
	Statement statement = {};

	statement.fingerprint = utility.statement->queryId;
	note_arrival(statement, began);
	running.own = false;
	begin_executing(executed_by(utility.statement, utility.text, statement), began);
	++running.depth;
	finally([&]() noexcept { utility.proceed(); },
			[&](bool failed) noexcept {
				running.depth = 0;
				const bool has_rows = !failed && utility.completion != nullptr;
				end_executing(failed, has_rows ? utility.completion->nprocessed : 0);
			});
}

void
on_utility(const server::Utility &utility)
{
	if (!counting() || running.depth > 0 || utility.context != PROCESS_UTILITY_TOPLEVEL)
	{
		utility.proceed();
		return;
	}
	switch (kind_of_utility(utility.statement->utilityStmt))
	{
		case UtilityKind::counted:
			run_utility(utility);
			break;
		case UtilityKind::cursor:
			running.cursor = utility.statement;
			finally([&]() noexcept { utility.proceed(); }, [](bool) noexcept { running.cursor = nullptr; });
			break;
		case UtilityKind::new_session:
			utility.proceed();
			end_watch();
			break;
		case UtilityKind::transparent:
			utility.proceed();
			break;
	}
}

void
on_transaction(XactEvent event, void *)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			open_statements.clear();
			if (session() != nullptr)
				end_transaction();
			break;
		default:
			break;
	}
}

} // namespace

void
install_hooks() noexcept
{
	server::install_hooks({on_analysed, on_start, on_run, on_finish, on_end, on_utility});
	RegisterXactCallback(on_transaction, nullptr);
}

void
listen(const Listener &listener) noexcept
{
	Assert(listener_count < listener_limit);
	listeners[listener_count++] = &listener;
}

void
fail_running_statement() noexcept
{
	if (running.executing)
		end_executing(true, 0);
}

void
enter_function() noexcept
{
	server::place_regions();
	if (!IsParallelWorker() && open_session())
		running.own = true;
}

void
tell_reset() noexcept
{
	for (int i = 0; i < listener_count; ++i)
		if (listeners[i]->reset != nullptr)
			listeners[i]->reset();
}

} // namespace remedy::observe

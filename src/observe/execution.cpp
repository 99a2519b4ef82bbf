#include "observe/execution.hpp"

#include "observe/session.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

bool detail::executing = false;

namespace {

Statement *current = nullptr; // meaningful while executing
Nanoseconds current_began = 0;
Nanoseconds last_analysis = 0;

} // namespace

void
note_analysis(Nanoseconds when) noexcept
{
	last_analysis = when;
}

void
enter_statement(Statement &statement, const PlannedStmt *planned, const char *source, ParamListInfo parameters) noexcept
{
	const Session &now_counting = *session();

	statement.user = GetUserId();
	statement.entry = entry_for(statement.fingerprint, planned, source, parameters);
	// A statement that was not analysed since has the text it had then.
	if (now_counting.transaction.statements == 0 &&
		(source != now_counting.route_source || last_analysis > now_counting.last_end))
		look_for_route(source);
}

// After its analysis if it had one since the statement before, otherwise now.
void
note_arrival(Statement &statement, Nanoseconds when) noexcept
{
	const Nanoseconds last_end = session()->last_end;

	statement.arrived = last_analysis > last_end ? last_analysis : when;
	statement.waiting = last_end != 0 ? statement.arrived - last_end : 0;
	statement.in_block = IsTransactionBlock();
	statement.transaction = session()->transaction.number;
}

void
begin(Statement &statement, Nanoseconds began) noexcept
{
	detail::executing = true;
	current = &statement;
	current_began = began;
}

void
end() noexcept
{
	detail::executing = false;
}

void
end_counted(bool failed, std::uint64_t rows) noexcept
{
	Statement &statement = *current;
	const Nanoseconds ended = now();

	detail::executing = false;
	statement.ended = ended;
	statement.execution = current_began == 0 ? 0 : ended - current_began;
	statement.rows = rows;
	session()->last_end = ended;
	if (statement.own)
		return;
	const bool is_known = statement.entry != nullptr && statement.entry->fingerprint == statement.fingerprint;
	const bool call = !statement.counted;
	// The time before the first statement of a transaction was not spent in it.
	const bool waited = call && session()->transaction.statements > 0;
	count(is_known ? statement.entry : nullptr, statement.fingerprint, statement.user,
		  {call, failed, rows, statement.execution, ended, waited ? statement.waiting : 0});
	statement.counted = true;
}

// An error has left the portal before it aborts anything.  What a procedure or an
// exception block rolls back, it rolls back inside the portal.
void
transaction_aborted() noexcept
{
	if (detail::executing && ActivePortal == nullptr)
		end_counted(true, 0);
}

void
backend_ends() noexcept
{
	if (detail::executing)
		end_counted(true, 0);
}

void
enter_function() noexcept
{
	server::place_regions();
	if (!IsParallelWorker() && open_session() && detail::executing)
		current->own = true;
}

} // namespace remedy::observe

// The top-level statement that is being executed now, from one phase of it to the
// next: its start, a run, its finish, or the whole of a utility command.
//
// There is one at most: what runs inside it is nested.  A phase ends with end(), or
// with an error, which aborts the transaction or a savepoint's part of it, and then
// transaction_aborted() ends it.

#pragma once

#include <bit>

#include "observe/observe.hpp"
#include "observe/session.hpp"

namespace remedy::observe {

// What makes a query another than a client's next statement; each has its own byte, so
// that all are asked in one test.
struct Mode
{
	bool not_ready;      // to count
	bool executing;      // a top-level statement is being executed
	bool elsewhere;      // planning, or inside SET CONSTRAINTS: queries are functions'
	bool opening_cursor; // inside DECLARE CURSOR

	bool is_plain() const noexcept { return std::bit_cast<std::uint32_t>(*this) == 0; }
};

namespace detail {

extern Mode mode;
extern Statement *current; // meaningful while executing
extern Nanoseconds began;  // its phase
extern Nanoseconds last_analysis;

pg_noinline void end_failed() noexcept;
pg_noinline bool get_ready() noexcept;

} // namespace detail

// Whether this process counts now.  Asked at every turn, so the answer is kept until
// something says not_ready(): then it is found out anew.
inline bool
counting() noexcept
{
	return likely(!detail::mode.not_ready) || detail::get_ready();
}

inline void
not_ready() noexcept
{
	detail::mode.not_ready = true;
}

// Whether a top-level statement is being executed.
inline bool
executing() noexcept
{
	return detail::mode.executing;
}

// When a statement was analysed at top level.
inline void
note_analysis(Nanoseconds when) noexcept
{
	detail::last_analysis = when;
}

// Makes it a statement that starts: looks up its entry, with the text it has in the
// source if it is new, and notes who runs it.  The statement may have been used before.
// The references are followed only where that is needed.
pg_attribute_always_inline void
enter_statement(Statement &statement, QueryDesc *query, const PlannedStmt *const &planned,
				const std::uint64_t &fingerprint_there, const char *const &source,
				const ParamListInfo &parameters) noexcept
{
	statement.user = GetUserId();
	const std::uint64_t fingerprint = fingerprint_there;
	const StatementEntry *const entry = statement.entry;
	statement.query = query;
	statement.fingerprint = fingerprint;
	statement.counted = false;
	statement.own = false;
	if (entry == nullptr || entry->fingerprint != fingerprint)
		statement.entry = entry_for(fingerprint, planned, source, parameters);
	const Session &counts = *session();
	if (counts.calls == 0 && unlikely(detail::last_analysis > counts.last_end || planned != counts.route_source ||
									  counts.route_changed || !is_group_of(statement.user)))
		begin_transaction(planned, source, statement.user, detail::last_analysis > counts.last_end);
}

// Notes when the statement's message was understood, and in which transaction: after
// its analysis if it had one since the statement before, otherwise now.
pg_attribute_always_inline void
note_arrival(Statement &statement, Nanoseconds when) noexcept
{
	const Nanoseconds last_end = session()->last_end;

	statement.arrived = detail::last_analysis > last_end ? detail::last_analysis : when;
	statement.waiting = last_end != 0 ? statement.arrived - last_end : 0;
	statement.transaction = session()->transaction.number;
}

// A phase of the statement begins; began is 0 when its time does not matter.
inline void
begin(Statement &statement, Nanoseconds began) noexcept
{
	detail::mode.executing = true;
	detail::current = &statement;
	detail::began = began;
}

// The phase is over and adds nothing.
inline void
end() noexcept
{
	detail::mode.executing = false;
}

// A run that began then is over; it makes the statement a call, unless that is our own:
// then the answer is false.  The time before the first statement of a transaction was not
// spent in it.
pg_attribute_always_inline bool
end_called(Statement &statement, Nanoseconds began, std::uint64_t rows) noexcept
{
	const Nanoseconds ended = now();
	const Nanoseconds execution = ended - began;
	Session &counts = *session();

	detail::mode.executing = false;
	statement.counted = true;
	statement.ended = counts.last_end = ended;
	statement.execution = execution;
	statement.rows = rows;
	if (unlikely(statement.own))
		return false;
	count(statement, 0, {rows, execution, ended, counts.calls > 0 ? statement.waiting : 0});
	return true;
}

// The phase is over; what it adds is counted, unless the statement is our own.
// The first phase that is counted makes the statement a call.
pg_noinline void end_counted(Statement &statement, bool failed, std::uint64_t rows) noexcept;

// A transaction or a part of it was aborted: if that was an error of the statement
// that is being executed, that statement has failed.  An error has left the portal
// before it aborts anything; what a procedure or an exception block rolls back, it
// rolls back inside the portal.
inline void
transaction_aborted() noexcept
{
	if (executing() && ActivePortal == nullptr)
		detail::end_failed();
}

// The backend ends in the middle of a statement: it has failed.
void backend_ends() noexcept;

} // namespace remedy::observe

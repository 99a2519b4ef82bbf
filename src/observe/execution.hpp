// The top-level statement that is being executed now, from one phase of it to the
// next: its start, a run, its finish, or the whole of a utility command.
//
// There is one at most: what runs inside it is nested.  A phase ends with end(), or
// with an error, which aborts the transaction or a savepoint's part of it, and then
// transaction_aborted() ends it.

#pragma once

#include "observe/observe.hpp"

namespace remedy::observe {

namespace detail {

extern bool executing;

} // namespace detail

// Whether a top-level statement is being executed.
inline bool
executing() noexcept
{
	return detail::executing;
}

// When a statement was analysed at top level.
void note_analysis(Nanoseconds when) noexcept;

// Looks up the statement's entry, with the text it has in the source if it is new,
// and notes who runs it.
void enter_statement(Statement &statement, const PlannedStmt *planned, const char *source,
					 ParamListInfo parameters) noexcept;

// Notes when the statement's message was understood, and in which transaction.
void note_arrival(Statement &statement, Nanoseconds when) noexcept;

// A phase of the statement begins; began is 0 when its time does not matter.
void begin(Statement &statement, Nanoseconds began) noexcept;

// The phase is over and adds nothing.
void end() noexcept;

// The phase is over; what it adds is counted, unless the statement is our own.
// The first phase that is counted makes the statement a call.
void end_counted(bool failed, std::uint64_t rows) noexcept;

// A transaction or a part of it was aborted: if that was an error of the statement
// that is being executed, that statement has failed.
void transaction_aborted() noexcept;

// The backend ends in the middle of a statement: it has failed.
void backend_ends() noexcept;

} // namespace remedy::observe

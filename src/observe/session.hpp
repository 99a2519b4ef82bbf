// This session's counts: the running transaction, the watched stretch, and the
// statements in both.  Memory of this process alone; made at the first statement.

#pragma once

#include "observe/query_text.hpp"
#include "observe/statement_table.hpp"

namespace remedy::observe {

// What a statement, or a further run of a counted one, adds.
struct Executed
{
	std::uint64_t fingerprint; // 0: none
	const char *source;		   // what the client sent
	int location;			   // the statement's own part of it, as in PlannedStmt
	int length;
	bool failed;
	Nanoseconds waiting; // between the end of the statement before and this one's arrival
	Tally tally;
};

struct Session
{
	Period transaction;
	Period watch; // number 0: nothing is watched
	std::uint32_t transactions;
	std::uint32_t watches;
	Nanoseconds last_end; // of the last counted statement, 0 before the first
	StatementTable statements;
};

namespace detail {

extern Session *current_session;

} // namespace detail

// Null before the first statement of the session.
inline Session *
session() noexcept
{
	return detail::current_session;
}

// Attaches this process to its counts; false where it is none of a client's.
bool open_session() noexcept;

void count(const Executed &executed) noexcept;
void count_nested() noexcept;

// The transaction ended, however it did.
void end_transaction() noexcept;

// Starts a watched stretch, ending the one before.
void start_watch() noexcept;
void end_watch() noexcept;

} // namespace remedy::observe

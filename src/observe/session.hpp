// This session's counts: the running transaction, the watched stretch, and the
// statements in both.  Memory of this process alone; made at the first statement.

#pragma once

#include "observe/query_text.hpp"
#include "observe/statement_table.hpp"

namespace remedy::observe {

// What an execution adds.
struct Executed
{
	Tally tally; // no call for a further run of a counted statement
	bool failed;
	Oid user;
	Nanoseconds waiting; // between the end of the statement before and this one's arrival
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

// The entry of a fingerprint, with the text's own part if it is new; null without a
// fingerprint or without room.  It may be another's when that much later: compare
// its fingerprint.
StatementEntry *entry_for(std::uint64_t fingerprint, const char *source, int location, int length) noexcept;

// The entry may be null: then it is counted among the others.
void count(StatementEntry *entry, const Executed &executed) noexcept;
void count_nested() noexcept;

// The transaction ended, however it did.
void end_transaction() noexcept;

// Starts a watched stretch, ending the one before.
void start_watch() noexcept;
void end_watch() noexcept;

} // namespace remedy::observe

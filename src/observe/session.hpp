// This session's counts: the running transaction, the watched stretch, and the
// statements in both.  Memory of this process alone; made at the first statement.

#pragma once

#include "observe/query_text.hpp"
#include "observe/statement_table.hpp"
#include "observe/statistics.hpp"

namespace remedy::observe {

struct Session
{
	Period transaction;
	Period watch; // number 0: nothing is watched
	std::uint32_t transactions;
	std::uint32_t watches;
	Nanoseconds last_end;     // of the last counted statement, 0 before the first
	const char *route_source; // the text in which a route was looked for last
	bool route_changed;       // since the last transaction began
	char route[route_bytes];  // of the unit of work; empty: none
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

// The entry of a statement's fingerprint, with its own part of the text if it is new;
// null without a fingerprint or without room.  It may be another's when that much
// later: compare its fingerprint.
StatementEntry *entry_for(std::uint64_t fingerprint, const PlannedStmt *planned, const char *source,
						  ParamListInfo parameters) noexcept;

// Finds out which route a transaction is for that begins with this text.
void look_for_route(const char *source) noexcept;

// Counts a run of a client's statement.  The entry may be null.
void count(StatementEntry *entry, std::uint64_t fingerprint, Oid user, const Executed &executed) noexcept;

// Counts a statement inside another one.
void count_nested() noexcept;
void count_nested_run(StatementEntry *entry, std::uint64_t fingerprint, const Executed &executed) noexcept;

// The transaction ended, however it did.
void end_transaction() noexcept;

// Starts a watched stretch, ending the one before.
void start_watch() noexcept;
void end_watch() noexcept;

} // namespace remedy::observe

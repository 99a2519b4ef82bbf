// This session's counts: the running transaction, the watched stretch, and the
// statements in both.  Memory of this process alone; made at the first statement.

#pragma once

#include "observe/query_text.hpp"
#include "observe/statement_table.hpp"
#include "observe/statistics.hpp"

namespace remedy::observe {

struct Session
{
	std::uint64_t calls; // in the running transaction
	Period transaction;
	Period watch; // number 0: nothing is watched
	std::uint32_t transactions;
	std::uint32_t watches;
	std::uint32_t settled;           // entries of the journal that the periods have, or need not have
	Nanoseconds last_end;            // of the last counted statement, 0 before the first
	const PlannedStmt *route_source; // in whose text a route was looked for last
	bool route_changed;              // since the last transaction began
	std::uint64_t client;            // a hash of the user and the application
	std::uint64_t request;           // a hash of the trace, else the route, that was told last; 0: none yet
	char route[route_bytes];         // of the unit of work; empty: none
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
pg_noinline StatementEntry *new_entry_for(std::uint64_t fingerprint, const PlannedStmt *planned, const char *source,
										  ParamListInfo parameters) noexcept;

inline StatementEntry *
entry_for(std::uint64_t fingerprint, const PlannedStmt *planned, const char *source, ParamListInfo parameters) noexcept
{
	StatementEntry *const known = fingerprint == 0 ? nullptr : session()->statements.find(fingerprint);

	return likely(known != nullptr) ? known : new_entry_for(fingerprint, planned, source, parameters);
}

// A plan was made, perhaps in the memory of the one in whose text a route was looked for.
inline void
forget_route_source() noexcept
{
	session()->route_source = nullptr;
}

// A transaction begins, unless this statement is not counted: finds out for which group.
pg_noinline void begin_transaction(const PlannedStmt *planned, const char *source, Oid user, bool is_analysed) noexcept;

namespace detail {

pg_noinline unsigned new_place(StatementEntry *entry, std::uint64_t fingerprint, Oid user, bool nested) noexcept;

} // namespace detail

// The place of the statement's name in the journal, if it has one for this user.
pg_attribute_always_inline bool
has_place(const Statement &statement) noexcept
{
	const StatementEntry *const entry = statement.entry;

	return entry != nullptr && entry->fingerprint == statement.fingerprint &&
		   entry->place_generation == names_generation && entry->place_user == statement.user;
}

// Brings both periods up to date: their counts are derived from the journal's entries,
// when somebody asks.
void settle() noexcept;

namespace detail {

// The place after that, or that of those without one, whose periods are up to date then.
pg_noinline unsigned place_anew(const Statement &statement, std::uint64_t flags, std::uint64_t rows,
								Nanoseconds execution) noexcept;

} // namespace detail

// Counts a run of a client's statement.  The flags are those of a journal's entry.
pg_attribute_always_inline void
count(const Statement &statement, std::uint64_t flags, Executed executed) noexcept
{
	Session &counts = *session();
	std::uint64_t place_and_flags;

	if (likely(has_place(statement)))
		place_and_flags = statement.entry->place | flags;
	else
		place_and_flags = detail::place_anew(statement, flags, executed.rows, executed.execution) | flags;
	if (counts.calls == 0)
		place_and_flags |= Entry::begins;
	counts.calls += (flags & Entry::further) == 0;
	count_entry(place_and_flags, executed);
}

// Counts a statement inside another one; the entry may be null.
void count_nested() noexcept;
void count_nested_run(StatementEntry *entry, std::uint64_t fingerprint, std::uint64_t flags,
					  Executed executed) noexcept;

namespace detail {

pg_noinline void end_other_transaction() noexcept;
pg_noinline void prepare_transaction_end() noexcept;

} // namespace detail

// The transaction ended, however it did.
inline void
end_transaction() noexcept
{
	Session &ended = *session();

	if (ended.calls == 0)
	{
		detail::end_other_transaction();
		return;
	}
	const bool is_tallied = (ended.transaction.nested | ended.transaction.statements | ended.watch.number) != 0;
	if (unlikely(is_tallied))
		detail::prepare_transaction_end();
	ended.settled = end_transaction_counts();
	ended.calls = 0;
	ended.transaction.number = ++ended.transactions;
}

// Starts a watched stretch, ending the one before.
void start_watch() noexcept;
void end_watch() noexcept;

} // namespace remedy::observe

// Statement and transaction statistics in shared memory.
//
// Locking contract.  The region holds the store (statements, texts, groups) and one
// journal per backend (journal.hpp).
//   - A backend appends to its own journal without a lock, at every statement.
//   - A fold moves what journals hold into the store, with the region's lock held
//     exclusively: the backend's own when it is full or ends, everybody's before
//     somebody reads or resets.  Nothing is counted twice, nothing is missed.
//   - A new statement and its text enter the store under the same lock.
//   - Readers hold it shared while they copy the store.
// A statement never waits for the lock: where it is busy, folding is put off.

#pragma once

#include "observe/journal.hpp"
#include "observe/observe.hpp"
#include "observe/statement_store.hpp"
#include "observe/statement_table.hpp"
#include "observe/text_store.hpp"

namespace remedy::observe {

// From _PG_init.
void declare_statistics() noexcept;

// Makes this backend's journal its own; before anything below is called.
void attach() noexcept;

// Moves everything into the store, waiting for the lock; when the backend ends.
void detach() noexcept;

// The session's part: this backend's journal is about to be emptied.
void journal_is_emptied() noexcept;

// The place of a statement's name in this backend's journal.  A new statement's text,
// which may be unknown, is offered to the store.
unsigned name_place(const StatementKey &key, const RawText &text) noexcept;

namespace detail {

extern Journal *mine;
extern std::uint64_t group_bits; // of the running transaction, as entries have them
extern Oid group_user;           // 0: the group is nobody's yet
extern std::uint32_t next_fold;  // entries that are worth a try

pg_noinline void choose_group(Oid user, const char *route) noexcept;
pg_noinline void append_when_full(std::uint64_t place_and_flags, Executed executed) noexcept;

inline const char *
application() noexcept
{
	return application_name == nullptr ? "" : application_name;
}

} // namespace detail

// This backend's journal, to read.
inline const Journal &
own_journal() noexcept
{
	return *detail::mine;
}

// Chooses the group for the transaction that begins with a statement of this user.
// Most sessions work for one group for ever.
pg_attribute_always_inline void
begin_transaction_counts(Oid user, const char *route, bool route_changed) noexcept
{
	const unsigned group = static_cast<unsigned>(detail::group_bits >> Entry::group_shift);

	if (unlikely(route_changed || user != detail::group_user ||
				 strcmp(detail::mine->groups[group].application, detail::application()) != 0))
		detail::choose_group(user, route);
}

// Counts a run.  The flags are those of an entry; begins goes with the first statement
// of a transaction.
pg_attribute_always_inline void
count_entry(std::uint64_t place_and_flags, Executed executed) noexcept
{
	if (likely(detail::mine->written.load(std::memory_order_relaxed) < detail::next_fold))
		detail::mine->append(place_and_flags | detail::group_bits, executed);
	else
		detail::append_when_full(place_and_flags | detail::group_bits, executed);
}

// The running transaction ended.  Returns how many entries there are.
inline std::uint32_t
end_transaction_counts() noexcept
{
	const std::uint32_t written = detail::mine->written.load(std::memory_order_relaxed);

	detail::mine->complete.store(written, std::memory_order_release);
	return written;
}

void reset_statistics(const Scope &scope) noexcept;

} // namespace remedy::observe

// Statement and transaction statistics in shared memory.
//
// Locking contract.  The region holds the store (statements, texts, groups) and one
// journal per backend (journal.hpp).
//   - A backend appends to its own journal without a lock, at every statement.
//   - A fold moves what journals hold into the store, with the region's lock held
//     exclusively: the backend's own when it is full or ends, everybody's before
//     somebody reads or resets.  Nothing is counted twice, nothing is missed.  What
//     found no room in a full journal while the lock was busy waits in the backend's
//     own memory for its own fold.
//   - A new statement's text enters the store in the same way, with the fold or alone.
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

// The session's part: this backend's journal is about to be emptied, or has no room for
// an entry.
void journal_is_emptied() noexcept;
void journal_is_full(const Entry &entry) noexcept;

// The place of a statement's name in this backend's journal.  A new statement's text,
// which may be unknown, comes with it.
unsigned name_place(const StatementKey &key, const RawText &text) noexcept;

namespace detail {

extern Journal *mine;
extern std::uint64_t group_bits; // of the running transaction, as entries have them
extern Oid group_user;           // 0: the group may be another by now
extern const char *group_application;
extern std::uint32_t next_fold; // entries that are worth a try

pg_noinline void append_when_full(Nanoseconds execution, Nanoseconds ended, Nanoseconds waiting,
								  std::uint64_t what) noexcept;

} // namespace detail

// Rises when names that had a place lose it.
extern std::uint32_t names_generation;

// This backend's journal, to read.
inline const Journal &
own_journal() noexcept
{
	return *detail::mine;
}

// Whether transactions of this user are still counted in the group that was chosen
// last.  The application's name is compared as a pointer: what changes it more than once
// between two transactions is a utility command, which doubt_group() is to be told of.
inline bool
is_group_of(Oid user) noexcept
{
	return user == detail::group_user && application_name == detail::group_application;
}

inline void
doubt_group() noexcept
{
	detail::group_user = InvalidOid;
}

// For the transactions that begin from here on.
void choose_group(Oid user, const char *route) noexcept;

// Counts a run.  The flags are those of an entry; begins goes with the first statement
// of a transaction.
pg_attribute_always_inline void
count_entry(std::uint64_t place_and_flags, Executed executed) noexcept
{
	const std::uint64_t what = executed.rows << Entry::row_shift | place_and_flags | detail::group_bits;

	const std::uint32_t number = detail::mine->written.load(std::memory_order_relaxed);

	if (likely(number < detail::next_fold))
		detail::mine->write(number, {executed.execution, executed.ended, executed.waiting, what});
	else
		detail::append_when_full(executed.execution, executed.ended, executed.waiting, what);
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

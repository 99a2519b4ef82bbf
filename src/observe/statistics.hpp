// Statement and transaction statistics in shared memory.
//
// Locking contract.  The region holds the store (statements, texts, groups) and one
// SingleWriter of BackendCounts per backend, its slot.
//   - A backend writes its own slot without a lock, at every statement.
//   - A fold moves counts from the backend's own slot into the store, with the region's
//     lock held exclusively.  A new statement's text enters the store the same way.
//   - Readers hold the lock shared while they copy the store and every slot: they see
//     nothing twice and miss nothing.
//   - A reset holds the lock exclusively and never writes a slot: it takes what the
//     slots hold away from the store, whose numbers wrap.
// A statement never waits for the lock: where it is busy, folding is put off.

#pragma once

#include "observe/backend_counts.hpp"
#include "observe/observe.hpp"
#include "observe/single_writer.hpp"
#include "observe/statement_store.hpp"
#include "observe/statement_table.hpp"
#include "observe/text_store.hpp"

namespace remedy::observe {

// From _PG_init.
void declare_statistics() noexcept;

// Makes this backend's slot its own; before anything below is called.
void attach() noexcept;

// Moves everything into the store, waiting for the lock; when the backend ends.
void detach() noexcept;

// The place of a statement in this backend's slot.  A new statement's text, which
// may be unknown, is offered to the store.
unsigned slot_place(const StatementKey &key, const RawText &text) noexcept;

namespace detail {

extern SingleWriter<BackendCounts> *mine;

} // namespace detail

// Whether the place still is that statement's.
inline bool
is_place_of(unsigned place, std::uint64_t fingerprint, Oid user, bool nested) noexcept
{
	return detail::mine->own().statements.entries[place].is_of(fingerprint, user, nested);
}

namespace detail {

extern unsigned lane_number;
extern Oid lane_user;            // 0: the lane is nobody's yet
extern std::uint32_t next_fold;  // times in the ring that are worth a try
extern const std::atomic<std::uint32_t> *resets;
extern std::uint32_t resets_seen;

extern std::uint64_t statements_forgotten; // of the running transaction, by a reset

// Whether there was a reset since this backend folded last.
inline bool
is_reset() noexcept
{
	return resets_seen != resets->load(std::memory_order_relaxed);
}

pg_noinline void reset_in_transaction(std::uint64_t statements) noexcept;
pg_noinline void choose_lane(Oid user, const char *route) noexcept;
pg_noinline void fold_rings() noexcept;

inline const char *
application() noexcept
{
	return application_name == nullptr ? "" : application_name;
}

} // namespace detail

// Chooses the lane for the transaction that begins with a statement of this user.
// Most sessions work for one group for ever.
pg_attribute_always_inline void
begin_transaction_counts(Oid user, const char *route, bool route_changed) noexcept
{
	const TransactionSlot &transactions = detail::mine->own().transactions;

	if (route_changed || user != detail::lane_user || detail::is_reset() ||
		strcmp(transactions.lanes[detail::lane_number].key.application, detail::application()) != 0)
		detail::choose_lane(user, route);
}

pg_attribute_always_inline void
count_statement(unsigned place, const Executed &executed) noexcept
{
	detail::mine->write([=](BackendCounts &changed) {
		GroupCounts &group = changed.transactions.lanes[detail::lane_number].counts;
		group.statements += executed.call;
		group.failed += executed.failed;
		group.rows += executed.rows;
		group.execution += executed.execution;
		group.waiting += executed.waiting;
		changed.statements.count(place, executed);
	});
	if (unlikely(detail::mine->own().statements.pending >= detail::next_fold))
		detail::fold_rings();
}

// A statement inside another one; it is no part of the transaction's sums.
inline void
count_nested_statement(unsigned place, const Executed &executed) noexcept
{
	detail::mine->write([&](BackendCounts &changed) { changed.statements.count(place, executed); });
	if (unlikely(detail::mine->own().statements.pending >= detail::next_fold))
		detail::fold_rings();
}

// The running transaction ended, after so many statements and those inside them.
inline void
end_transaction_counts(std::uint64_t statements, std::uint64_t nested) noexcept
{
	detail::mine->write([=](BackendCounts &counts) {
		counts.transactions.lanes[detail::lane_number].counts.nested += nested;
		counts.transactions.add_transaction(detail::lane_number, statements - detail::statements_forgotten);
	});
	detail::statements_forgotten = 0;
}

void reset_statistics(const Scope &scope) noexcept;

} // namespace remedy::observe

// Statements per transaction in shared memory.
//
// Locking contract.  The region holds the store (groups) and one SingleWriter of
// BackendCounts per backend.
//   - A backend writes its own counts without a lock, at every statement.
//   - Folding moves counts from the backend's own lanes into the store, with the
//     region's lock held exclusively.
//   - Readers hold the lock shared while they read the store and every backend's
//     counts: they see nothing twice and miss nothing.
//   - A reset holds the lock exclusively, empties the store and raises its
//     generation; each backend empties its own lanes at its next statement, and
//     readers skip lanes of another generation until then.
// A statement never waits for the lock: where it is busy, folding is put off.

#pragma once

#include "observe/transaction_groups.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

// From _PG_init.
void declare_transaction_statistics() noexcept;

// Makes this backend's counts its own; before anything below is called.
void attach() noexcept;

// Moves everything into the store, waiting for the lock; when the backend ends.
void detach() noexcept;

// Chooses the lane for the transaction that begins with a statement of this user.
void begin_transaction_counts(Oid user) noexcept;

// What the running transaction did since the last call, as this user.
void add_to_transaction(const GroupCounts &counts, Oid user) noexcept;

// The running transaction ended, after this many nested statements.
void end_transaction_counts(std::uint64_t nested) noexcept;

void reset_transaction_statistics() noexcept;

struct StoreStatus
{
	int slots_used;
	std::uint64_t sizes_missed;
	int unread; // backends whose counts could not be read in time
};

// Calls visit(context, group) for every group, merged; the store's lock is not
// held meanwhile.  The groups lie in the current memory context.
StoreStatus read_groups(void (*visit)(void *context, const TransactionGroup &group), void *context) noexcept;

} // namespace remedy::observe

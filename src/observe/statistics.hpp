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

// What a run of a statement adds.
struct Executed
{
	bool call; // false for a further run of a counted statement
	bool failed;
	std::uint64_t rows;
	Nanoseconds execution;
	Nanoseconds ended;
	Nanoseconds waiting; // for the client, inside the transaction
};

// The place of a statement in this backend's slot.  A new statement's text, which
// may be unknown, is offered to the store.
unsigned slot_place(const StatementKey &key, const RawText &text) noexcept;

// Whether the place still is that statement's.
bool is_place_of(unsigned place, std::uint64_t fingerprint, Oid user, bool nested) noexcept;

// Chooses the lane for the transaction that begins with a statement of this user.
void begin_transaction_counts(Oid user, const char *route, bool route_changed) noexcept;

void count_statement(unsigned place, const Executed &executed) noexcept;

// A statement inside another one; it is no part of the transaction's sums.
void count_nested_statement(unsigned place, const Executed &executed) noexcept;

// The running transaction ended, after this many nested statements.
void end_transaction_counts(std::uint64_t nested) noexcept;

void reset_statistics(const Scope &scope) noexcept;

} // namespace remedy::observe

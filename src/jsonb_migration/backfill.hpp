// Filling the shadow column, and proving that it is filled rightly, by ranges of blocks.
//
// Each call is to be a transaction of its own.  It runs as the table's owner in a
// security-restricted operation, as the server's own maintenance commands do.

#pragma once

#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

struct Range
{
	BlockNumber next; // the first block that is still to be done
	BlockNumber end;  // one after the last: what is written later has been through the trigger
};

struct Batch
{
	int64 rows;            // filled, or compared
	int64 left;            // not filled: locked by somebody, or refused; not verified
	BlockNumber left_from; // the first block of such a row, if there is one
	int64 refused;         // of those: by jsonb, a check or an index; or that differ
	const char *refusal;   // the first of these: ctid and error
};

BlockNumber blocks_of(Oid table) noexcept;

// Fills from range.next on until budget_ms are over or the range is done, and moves range.next.
// Rows that are locked are left, and told of: their range is to be done again.  No trigger of a
// user fires; checks and indexes are kept.  Repeating a range does no harm.  range.next may stay in a
// block of many long documents; each call fills at least one row, or gets on.
//
// A rewrite of the table by somebody (VACUUM FULL, CLUSTER) may move rows that are not filled
// to where the filling has been: validate_guards() or verify() find them, then all is to be
// gone through again, which passes quickly over what is filled.
Batch fill(const Leaf &leaf, Range &range, double budget_ms) noexcept;

// Compares each row's document, converted, with its shadow, byte by byte.  refused counts rows that differ.
Batch verify(const Leaf &leaf, Range &range, double budget_ms) noexcept;

} // namespace remedy::jsonb_migration

// The log of a rollup: rows of daily_marks.
//
//   kind 'a'  added: s1… is what a statement's rows add to the cell (bucket, k1…), less what it took away; r<i> is the
//             least (greatest) value that it took away, for each state s<i> that is one.  Only of additive rollups.
//   kind 'd'  dirty: the cell is to be recomputed from the source.
//   kind 'r'  range: all cells from `bucket` to `until`, both included, are to be recomputed; null is open to that
//             side, and with both null it is everything, the cells of the null bucket too.
//
// A mark is written by the transaction that changed the source, so it is seen exactly by who sees the change.
// Marks are deleted by the refresh alone, in the transaction that brings the cells in step, under a lock of the
// rollup's row in remedy.rollup, and with everything that it reads in one snapshot.
//
// Columns: kind "char", bucket, until, k1…, and of additive rollups s1…, r<i>….

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

// Inserted by the library, which needs no right on the log; in the running transaction.
void mark_range(const Rollup &rollup, const Datum *from, const Datum *until) noexcept; // null: open
void mark_everything(const Rollup &rollup) noexcept;

// What this transaction remembers of marks that it need not write again; to be called by who deletes marks in a
// transaction that may have written some.
void forget_marks() noexcept;

} // namespace remedy::rollup

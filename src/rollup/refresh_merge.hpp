// Marks, merged with the cells that they are about.

#pragma once

#include "rollup/refresh.hpp"

namespace remedy::rollup {

// Over marks of additive rollups, the extremes that were taken away: ", p.r3, p.r4"; without a prefix as many nulls.
const char *removed(const Rollup &rollup, const char *prefix) noexcept;

// What cells are to be by the marks that meet a condition over "m": the columns of the cells' table, where the cell is
// now (tid), and whether its states are good for nothing (stale).
Result merge(OneSnapshot &snapshot, const Rollup &rollup, const char *slice, const Parameters &parameters) noexcept;

// What was merged, under the name "merged", where it meets a condition over "m"; stale cells are deleted.  The number
// of cells.
int64 write_merged(OneSnapshot &snapshot, const Rollup &rollup, const char *wanted,
				   const Parameters &parameters) noexcept;

} // namespace remedy::rollup

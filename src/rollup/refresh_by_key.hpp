// Cells whose rows are found by an index of the source that begins with keys: cell by cell.

#pragma once

#include "rollup/refresh_stale.hpp"

namespace remedy::rollup {

// Whether there is such an index, and so many cells cost less by it than what was chosen.  What they are like is seen
// from one of what has bucket, k1…, "m", and meets the condition.
bool is_key_cheaper(OneSnapshot &snapshot, const Rollup &rollup, const char *what, const char *condition,
					const Parameters &parameters, double cells, const Choice &choice) noexcept;

Result compute_by_key(OneSnapshot &snapshot, const Rollup &rollup, const Stale &stale) noexcept;

} // namespace remedy::rollup

// How columns are tied to one another, from the catalogs.

#pragma once

#include "repetition/fan_out.hpp"

namespace remedy::repetition {

// From _PG_init.
void start_ties() noexcept;

// The same column, of the same table or of a partition of it; or one references the other, or both the same third, by a
// foreign key; or, for an output that is no column's, by its values alone.  Remembered until a relation's definition
// changes.  Looks at the catalogs alone, and never waits: if somebody has locked the catalog, the answer is "none" for
// now.
Tie find_tie(Column key, Column output) noexcept;

// Whether the shape's keys cover a unique index of the key's table, so that one
// execution finds one row at most.  Does not wait: false if the catalog is locked.
bool key_is_unique(const Shape &shape, unsigned key) noexcept;

} // namespace remedy::repetition

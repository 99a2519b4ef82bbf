// What marks say of cells, as pieces of a statement that begins with with_marked():
//
//   dirty    cells that cannot be put right by adding marks: with a mark without numbers, or with one that takes away
//            what may have been an extreme.  A mark of everything makes one of the null bucket.
//   ranged   times that are marked as a whole, as one multirange; null if there are none.
//
// What is to be computed from the source: dirty cells, ranged buckets, and the null bucket if it has a dirty cell.
// Cells are told by a hash of bucket and keys, since nulls are equal here.  It may be that of others too: these are
// then dirty as well, by every condition here.

#pragma once

#include "rollup/texts.hpp"

namespace remedy::rollup {

constexpr char ranges_text[] = "(SELECT n.ranges FROM ranged AS n)";
constexpr char null_is_dirty[] = "EXISTS (SELECT FROM dirty AS d WHERE d.bucket IS NULL)";

const char *with_marked(const Rollup &rollup) noexcept;

// Over whatever has bucket, k1….
const char *hash_of_cell(const Rollup &rollup, const char *prefix) noexcept;
const char *is_dirty(const Rollup &rollup, const char *prefix) noexcept; // not of the null bucket
const char *is_kept(const Rollup &rollup, const char *prefix) noexcept;  // cells and additive marks make it up

const char *opens(const Rollup &rollup, const char *bucket) noexcept;
const char *closes(const Rollup &rollup, const char *bucket) noexcept;
const char *range_type(const Rollup &rollup) noexcept;

// Whether rows from one time to another can be found without a scan of the source.
bool has_index_on_time(const Rollup &rollup) noexcept;

} // namespace remedy::rollup

// The blocks that are still to be filled or verified.

#pragma once

#include "jsonb_migration/backfill.hpp"

namespace remedy::jsonb_migration {

struct KeptRange
{
	Oid leaf;
	int number; // 0: the whole table; others: stretches to come back to
	Range range;
	int64 refused;       // of a stretch to come back to
	const char *refusal; // the first of these
};

// All leaves from their first block to what is now their last.
void keep_whole_ranges(const Target &target) noexcept;

// The same for leaves that have no ranges, as new partitions; how many these are.
int add_new_leaves(const Target &target) noexcept;

// The triggers were made anew by ourselves.
void note_triggers(const Target &target) noexcept;

List *kept_ranges(int64 migration) noexcept; // of KeptRange *, that are not done; by leaf
void keep_range(int64 migration, const KeptRange &range) noexcept;

// A stretch to come back to.
void add_range(int64 migration, const KeptRange &range) noexcept;
void drop_range(int64 migration, const KeptRange &range) noexcept;
void drop_leaf(int64 migration, Oid leaf) noexcept;

} // namespace remedy::jsonb_migration

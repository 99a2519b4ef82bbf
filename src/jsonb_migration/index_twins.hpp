// Which index is whose twin.
//
// A partitioned index has one on each partition, with names of their own; each of them has a twin.
// Until the swap those of the partitions are found by their names, and attached in it: to attach an
// index locks it in ACCESS EXCLUSIVE, for which everybody who has planned a query on the partition
// would be waited for.

#pragma once

#include "jsonb_migration/carrying.hpp"

namespace remedy::jsonb_migration {

// The index and those of the partitions below it.
List *index_tree(Oid index) noexcept; // OIDs

// 0 if there is none; it may be invalid.
Oid find_index_twin(Oid original) noexcept;

// That of these indexes which is on the table of the other one; 0 if none is.
Oid index_beside(const List *indexes, Oid other) noexcept;

} // namespace remedy::jsonb_migration

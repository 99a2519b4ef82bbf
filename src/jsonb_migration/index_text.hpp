// CREATE INDEX for an index that is there, with its expressions rewritten.

#pragma once

#include "jsonb_migration/carrying.hpp"

namespace remedy::jsonb_migration {

struct IndexWords
{
	const char *name;  // quoted
	bool concurrently; // a command of its own
	bool only;         // on a partitioned table, whose partitions' indexes are attached later
	bool anywhere;     // in whichever tablespace indexes are by default; otherwise in that of the original
};

const char *index_text(Oid index, const Mapping &mapping, const IndexWords &words, Verdict &verdict) noexcept;

// ALTER INDEX ... SET STATISTICS, for those of its expressions that have another target than the new
// index's; new_index: 0 if it is only to be.
List *index_targets(Oid index, const Mapping &mapping, const char *new_name, Oid new_index) noexcept; // of const char *

} // namespace remedy::jsonb_migration

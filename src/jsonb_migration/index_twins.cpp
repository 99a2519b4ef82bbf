#include "jsonb_migration/index_twins.hpp"

extern "C" {
#include "catalog/index.h"
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
}

namespace remedy::jsonb_migration {

List *
index_tree(Oid index) noexcept
{
	return find_all_inheritors(index, NoLock, nullptr);
}

Oid
index_beside(const List *indexes, Oid other) noexcept
{
	const Oid table = IndexGetRelation(other, false);
	ListCell *cell;

	foreach (cell, indexes)
		if (IndexGetRelation(lfirst_oid(cell), false) == table)
			return lfirst_oid(cell);
	return InvalidOid;
}

// A partition that came later got its twin from the parent's, under a name that the server chose.
Oid
find_index_twin(Oid original) noexcept
{
	const Oid named = get_relname_relid(name_of_twin(original), get_rel_namespace(original));

	// In the schema, the name may be of something else.
	if (OidIsValid(named) && IndexGetRelation(named, true) == IndexGetRelation(original, false))
		return named;
	if (!get_rel_relispartition(original))
		return InvalidOid;
	const Oid parent = find_index_twin(get_partition_parent(original, false));
	return OidIsValid(parent) ? index_beside(find_inheritance_children(parent, NoLock), original) : InvalidOid;
}

} // namespace remedy::jsonb_migration

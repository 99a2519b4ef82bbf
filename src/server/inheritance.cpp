#include "server/inheritance.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "utils/fmgroids.h"
}

namespace remedy::server {

List *
parents_of(Oid table) noexcept
{
	const Relation inherits = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	List *parents = NIL;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	const SysScanDesc scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, nullptr, 1, &key);
	while (const HeapTuple tuple = systable_getnext(scan))
		parents = lappend_oid(parents, reinterpret_cast<Form_pg_inherits>(GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
	return parents;
}

} // namespace remedy::server

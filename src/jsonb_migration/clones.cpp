// What partitions and children have because their parents have it.

#include "jsonb_migration/carrying.hpp"

extern "C" {
#include "catalog/pg_trigger.h"
}

namespace remedy::jsonb_migration {

namespace {

bool
is_inherited(Oid constraint) noexcept
{
	const HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));

	if (!HeapTupleIsValid(tuple))
		return false;
	const bool inherited = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple))->coninhcount > 0;
	ReleaseSysCache(tuple);
	return inherited;
}

bool
is_clone(Oid trigger) noexcept
{
	const Relation catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_trigger_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(trigger));
	const SysScanDesc scan = systable_beginscan(catalog, TriggerOidIndexId, true, nullptr, 1, &key);
	const HeapTuple tuple = systable_getnext(scan);
	const bool clone =
		HeapTupleIsValid(tuple) && OidIsValid(reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple))->tgparentid);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return clone;
}

} // namespace

bool
follows_parent(const Dependent &dependent) noexcept
{
	if (dependent.carrier == &check)
		return is_inherited(dependent.object);
	if (dependent.carrier == &index)
		return get_rel_relispartition(dependent.object);
	return dependent.carrier == &trigger && is_clone(dependent.object);
}

} // namespace remedy::jsonb_migration

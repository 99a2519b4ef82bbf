#include "findings/muting.hpp"

#include "server/guard.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
}

namespace remedy::findings {

namespace {

constexpr AttrNumber key_column = 1;

// A table of that name is ours only if it is the extension's: nothing of anybody else's is
// to be read in another user's statement.  Invalid if it cannot be told without waiting.
Oid
muted_table() noexcept
{
	const Oid schema = get_namespace_oid("remedy", true);
	const Oid table = OidIsValid(schema) ? get_relname_relid("muted_findings", schema) : InvalidOid;

	if (!OidIsValid(table) || !ConditionalLockRelationOid(DependRelationId, AccessShareLock))
		return InvalidOid;
	const Oid extension = getExtensionOfObject(RelationRelationId, table);
	UnlockRelationOid(DependRelationId, AccessShareLock);
	if (!OidIsValid(extension) || !ConditionalLockRelationOid(ExtensionRelationId, AccessShareLock))
		return InvalidOid;
	const char *const name = get_extension_name(extension);
	UnlockRelationOid(ExtensionRelationId, AccessShareLock);
	return name != nullptr && strcmp(name, "pg_remedy") == 0 ? table : InvalidOid;
}

// The lock is held.  SnapshotSelf is none of the transaction's: a serializable one, which
// would conflict with whoever mutes meanwhile, does not remember the reading.
bool
holds_key(Oid table, const char *key) noexcept
{
	ScanKeyData condition;
	const Relation relation = table_open(table, NoLock);

	ScanKeyInit(&condition, key_column, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
	const SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, SnapshotSelf, 1, &condition);
	const bool found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(relation, NoLock);
	return found;
}

} // namespace

bool
is_muted(const char *key) noexcept
{
	bool muted = false;

	attempt([key, &muted]() noexcept {
		const Oid table = muted_table();
		if (!OidIsValid(table) || !ConditionalLockRelationOid(table, AccessShareLock))
			return;
		// It may have been dropped before it was locked.
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(table)))
			muted = holds_key(table, key);
		UnlockRelationOid(table, AccessShareLock);
	});
	return muted;
}

} // namespace remedy::findings

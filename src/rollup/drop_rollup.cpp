// remedy.drop_rollup().

#include "observe/observe.hpp"
#include "rollup/following.hpp"
#include "rollup/texts.hpp"
#include "server/commands.hpp"
#include "server/guard.hpp"
#include "server/keeper.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
}

namespace remedy::rollup {

namespace {

// Waits for a refresh that is running.
void
lock_row(const Rollup &rollup, const char *name) noexcept
{
	if (keep("SELECT 1 FROM remedy.rollup WHERE view = $1 FOR UPDATE", {rollup.view}) == 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a rollup any more", name)));
}

void
refuse_with_levels(const Rollup &rollup, const char *name) noexcept
{
	const char *levels = nullptr;

	keep("SELECT pg_catalog.string_agg(view::text, ', ' ORDER BY view::text) FROM remedy.rollup WHERE base = $1",
		 {rollup.view}, [&](const Row &row) noexcept { levels = row.text(1); });
	if (levels != nullptr)
		ereport(ERROR, (errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
						errmsg("cannot drop rollup \"%s\" because others are levels of it", name),
						errdetail("They are: %s.", levels), errhint("Drop them first.")));
}

bool
is_last(const Rollup &rollup) noexcept
{
	return keep("SELECT 1 FROM remedy.rollup WHERE source = $1 AND base IS NULL AND view <> $2 LIMIT 1",
				{rollup.source, rollup.view}) == 0;
}

// As refreshes do, relations before the row, and the source before what its writers go on to.  Writers that know the
// rollup have ended then.  The lock that is given up first would be in the way of another who drops it; triggers that
// go with the last rollup need the stronger one of the source.
List *
lock_relations(const Rollup &rollup) noexcept
{
	UnlockRelationOid(rollup.view, AccessShareLock);
	LockRelationOid(rollup.view, AccessExclusiveLock);
	if (OidIsValid(rollup.base))
		return nullptr;
	List *const tables = lock_tree(rollup.source, is_last(rollup) ? AccessExclusiveLock : ShareRowExclusiveLock);
	for (const Oid relation : {rollup.rows, rollup.cells, rollup.marks})
		LockRelationOid(relation, AccessExclusiveLock);
	return tables;
}

void
drop_relation(const char *kind, Oid relation) noexcept
{
	if (get_rel_name(relation) != nullptr)
		run_sql("DROP %s %s", kind, qualified(relation));
}

void
drop_relations(const Rollup &rollup) noexcept
{
	AsOwner owner(rollup);

	drop_relation("VIEW", rollup.now);
	drop_relation("VIEW", rollup.view);
	if (!OidIsValid(rollup.base))
	{
		drop_relation("TABLE", rollup.marks);
		drop_relation("TABLE", rollup.cells);
		drop_relation("VIEW", rollup.rows);
	}
	owner.end();
}

// Its row goes first: of what is dropped then, nothing is a rollup's any more.
void
drop(const char *name) noexcept
{
	const Rollup &rollup = *find_own_rollup(name);
	const List *const tables = lock_relations(rollup);
	const ListCell *cell;

	lock_row(rollup, name);
	refuse_with_levels(rollup, name);
	keep("DELETE FROM remedy.rollup WHERE view = $1", {rollup.view});
	drop_relations(rollup);
	if (!OidIsValid(rollup.base))
		disarm(rollup.source);
	foreach (cell, tables)
		CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_drop_rollup)
{
	remedy::observe::enter_function();
	remedy::rollup::drop(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

// The event trigger for drops.  A rollup of which a part or the source is dropped goes as a whole: what is left of it
// would not be right any more.  What depends on the rest is dropped too if the command says CASCADE, else it is
// refused.

#include "rollup/following.hpp"
#include "rollup/following_events.hpp"
#include "server/keeper.hpp"

extern "C" {
#include "access/tableam.h"
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_inherits.h"
#include "utils/regproc.h"
}

namespace remedy::rollup {

namespace {

enum Column : AttrNumber
{
	column_view = 1,
	column_source,
	column_base,
	column_rows,
	column_cells,
	column_marks,
	column_now,
};

Oid
read_oid(Relation table, HeapTuple tuple, Column column) noexcept
{
	bool null;
	const Datum value = heap_getattr(tuple, column, RelationGetDescr(table), &null);

	return null ? InvalidOid : DatumGetObjectId(value);
}

template <class Body>
void
each_rollup(LOCKMODE lock, Body &&body) noexcept
{
	const Oid oid = table_of_rollups("rollup");

	if (!OidIsValid(oid))
		return;
	const Relation table = table_open(oid, lock);
	const SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
	while (const HeapTuple tuple = systable_getnext(scan))
		body(table, tuple);
	systable_endscan(scan);
	table_close(table, NoLock);
}

Parts
read_parts(Relation table, HeapTuple tuple) noexcept
{
	const Oid base = read_oid(table, tuple, column_base);

	return {read_oid(table, tuple, column_view),
			read_oid(table, tuple, column_source),
			base,
			read_oid(table, tuple, column_rows),
			read_oid(table, tuple, column_cells),
			read_oid(table, tuple, column_marks),
			read_oid(table, tuple, column_now),
			OidIsValid(base)};
}

bool
exists(Oid relation) noexcept
{
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation));
}

// ---- What was dropped -----------------------------------------------------------

struct Dropped
{
	List *relations; // by oid
	List *disarmed;  // tables that are still there, without one of our triggers
};

Dropped
read_dropped() noexcept
{
	Dropped dropped{};

	keep("SELECT objid, CASE WHEN classid = 'pg_trigger'::regclass AND address_names[3] LIKE 'remedy\\_rollup\\_%' "
		 "THEN coalesce(to_regclass(format('%I.%I', address_names[1], address_names[2]))::oid, 0) ELSE 0 END, "
		 "classid = 'pg_class'::regclass FROM pg_event_trigger_dropped_objects() "
		 "WHERE classid IN ('pg_class'::regclass, 'pg_trigger'::regclass) AND objsubid = 0",
		 {}, [&](const Row &row) noexcept {
			 if (row.boolean(3))
				 dropped.relations = lappend_oid(dropped.relations, row.oid(1));
			 else if (OidIsValid(row.oid(2)))
				 dropped.disarmed = list_append_unique_oid(dropped.disarmed, row.oid(2));
		 });
	return dropped;
}

bool
is_broken(const Parts &parts, const List *gone) noexcept
{
	return list_member_oid(gone, parts.view) || list_member_oid(gone, parts.now) ||
		   list_member_oid(gone, parts.source) || list_member_oid(gone, parts.rows) ||
		   list_member_oid(gone, parts.cells) || list_member_oid(gone, parts.marks);
}

// ---- What goes with it ----------------------------------------------------------

// Without waiting: false if a row has just been changed and must be looked at again.  One that a refresh has locked
// stays: it waits for what is gone, and the row is forgotten another time.
bool
forget_rows(const List *views) noexcept
{
	bool done = true;

	each_rollup(RowExclusiveLock, [&](Relation table, HeapTuple tuple) noexcept {
		const Parts parts = read_parts(table, tuple);
		TM_FailureData failure;
		if (!list_member_oid(views, parts.view) && !list_member_oid(views, parts.base) && exists(parts.view))
			return;
		const TM_Result result = table_tuple_delete(table, &tuple->t_self, GetCurrentCommandId(true), InvalidSnapshot,
													InvalidSnapshot, false, &failure, false);
		done = done && result != TM_Updated;
	});
	CommandCounterIncrement();
	return done;
}

void
drop_rest(const List *broken, DropBehavior behavior) noexcept
{
	ObjectAddresses *const rest = new_object_addresses();
	ListCell *cell;

	foreach (cell, broken)
	{
		const Parts &parts = *static_cast<Parts *>(lfirst(cell));
		const Oid own[] = {parts.view, parts.now, parts.is_level ? InvalidOid : parts.marks,
						   parts.is_level ? InvalidOid : parts.cells, parts.is_level ? InvalidOid : parts.rows};
		for (const Oid part : own)
			if (const ObjectAddress address{RelationRelationId, part, 0}; OidIsValid(part) && exists(part))
				add_exact_object_address(&address, rest);
	}
	performMultipleDeletions(rest, behavior, 0);
	free_object_addresses(rest);
}

DropBehavior
behavior_of(Node *command) noexcept
{
	ListCell *cell;

	if (IsA(command, DropStmt))
		return castNode(DropStmt, command)->behavior;
	if (IsA(command, DropOwnedStmt))
		return castNode(DropOwnedStmt, command)->behavior;
	if (IsA(command, AlterTableStmt))
		foreach (cell, castNode(AlterTableStmt, command)->cmds)
			if (lfirst_node(AlterTableCmd, cell)->behavior == DROP_CASCADE)
				return DROP_CASCADE;
	return DROP_RESTRICT;
}

// Sources first, as writers lock them before they write marks.
void
drop_broken(const List *broken, const List *gone, DropBehavior behavior) noexcept
{
	List *sources = nullptr, *views = nullptr;
	ListCell *cell;

	foreach (cell, broken)
	{
		const Parts *const parts = static_cast<Parts *>(lfirst(cell));
		views = lappend_oid(views, parts->view);
		if (!parts->is_level)
			sources = list_append_unique_oid(sources, parts->source);
	}
	foreach (cell, sources)
		if (!list_member_oid(gone, lfirst_oid(cell)))
			lock_tree(lfirst_oid(cell), AccessExclusiveLock);
	drop_rest(broken, behavior);
	forget_rollups(views);
	foreach (cell, sources)
		disarm(lfirst_oid(cell));
}

void
follow_drop(Node *command) noexcept
{
	const Dropped dropped = read_dropped();
	List *broken = nullptr;
	Member member;
	ListCell *cell;

	foreach (cell, dropped.disarmed)
		if (trouble_with_triggers(lfirst_oid(cell)) != nullptr)
			set_armed(lfirst_oid(cell), false);
	foreach (cell, parts_of_rollups())
		if (is_broken(*static_cast<Parts *>(lfirst(cell)), dropped.relations))
			broken = lappend(broken, lfirst(cell));
	if (broken != nullptr)
		drop_broken(broken, dropped.relations, behavior_of(command));
	foreach (cell, dropped.relations)
		if (find_member(lfirst_oid(cell), member))
			leave(member);
}

} // namespace

void
forget_rollups(const List *views) noexcept
{
	for (int tries = 0; tries < 10 && !forget_rows(views); ++tries)
		;
}

List *
parts_of_rollups() noexcept
{
	List *rollups = nullptr;

	each_rollup(AccessShareLock, [&](Relation table, HeapTuple tuple) noexcept {
		Parts *const parts = static_cast<Parts *>(palloc(sizeof(Parts)));
		*parts = read_parts(table, tuple);
		rollups = lappend(rollups, parts);
	});
	return rollups;
}

Oid
owner_of(Oid relation) noexcept
{
	const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_follow_drop)
{
	using namespace remedy::rollup;
	Node *const command = command_of(fcinfo);

	if (there_are_rollups())
		carefully([command]() noexcept { follow_drop(command); });
	PG_RETURN_NULL();
}

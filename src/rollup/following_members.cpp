#include "rollup/following_members.hpp"

extern "C" {
#include "catalog/indexing.h"
#include "storage/bufmgr.h"
}

namespace remedy::rollup {

namespace {

enum Column : AttrNumber
{
	column_member = 1,
	column_source,
	column_first,
	column_end,
	column_armed,
	columns = column_armed,
};

Datum
value_of(Relation table, HeapTuple tuple, Column column, bool &null) noexcept
{
	return heap_getattr(tuple, column, RelationGetDescr(table), &null);
}

Member
read_member(Relation table, HeapTuple tuple) noexcept
{
	Member member{};
	bool null;

	member.table = DatumGetObjectId(value_of(table, tuple, column_member, null));
	member.source = DatumGetObjectId(value_of(table, tuple, column_source, null));
	member.first = DatumGetTimestampTz(value_of(table, tuple, column_first, null));
	member.has_first = !null;
	member.end = DatumGetTimestampTz(value_of(table, tuple, column_end, null));
	member.has_end = !null;
	member.armed = DatumGetBool(value_of(table, tuple, column_armed, null));
	return member;
}

HeapTuple
form_member(Relation table, const Member &member) noexcept
{
	Datum values[columns] = {ObjectIdGetDatum(member.table), ObjectIdGetDatum(member.source),
							 TimestampTzGetDatum(member.first), TimestampTzGetDatum(member.end),
							 BoolGetDatum(member.armed)};
	bool nulls[columns] = {false, false, !member.has_first, !member.has_end, false};

	return heap_form_tuple(RelationGetDescr(table), values, nulls);
}

// body(table, tuple, member), for those whose column has this value; what it writes is seen by the next look only.
template <class Body>
void
each_member(Column column, Oid value, LOCKMODE lock, Body &&body) noexcept
{
	const Oid oid = table_of_rollups("rollup_member");
	ScanKeyData key;

	if (!OidIsValid(oid))
		return;
	const Relation table = table_open(oid, lock);
	const Oid index = column == column_member ? table_of_rollups("rollup_member_pkey") : InvalidOid;
	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
	const SysScanDesc scan = systable_beginscan(table, index, OidIsValid(index), nullptr, 1, &key);
	while (const HeapTuple tuple = systable_getnext(scan))
		body(table, tuple, read_member(table, tuple));
	systable_endscan(scan);
	table_close(table, NoLock);
}

} // namespace

Oid
table_of_rollups(const char *name) noexcept
{
	const Oid schema = get_namespace_oid("remedy", true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

bool
there_are_rollups() noexcept
{
	const Oid oid = table_of_rollups("rollup");
	bool some = false;

	if (!OidIsValid(oid))
		return false;
	const Relation table = table_open(oid, AccessShareLock);
	if (RelationGetNumberOfBlocks(table) != 0)
	{
		const SysScanDesc scan = systable_beginscan(table, InvalidOid, false, nullptr, 0, nullptr);
		some = HeapTupleIsValid(systable_getnext(scan));
		systable_endscan(scan);
	}
	table_close(table, AccessShareLock);
	return some;
}

bool
find_member(Oid table, Member &member) noexcept
{
	bool found = false;

	each_member(column_member, table, AccessShareLock, [&](Relation, HeapTuple, const Member &row) noexcept {
		member = row;
		found = true;
	});
	return found;
}

List *
members_of(Oid source) noexcept
{
	List *members = nullptr;

	each_member(column_source, source, AccessShareLock, [&](Relation, HeapTuple, const Member &row) noexcept {
		Member *const member = static_cast<Member *>(palloc(sizeof(Member)));
		*member = row;
		members = lappend(members, member);
	});
	return members;
}

void
add_member(const Member &member) noexcept
{
	const Relation table = table_open(table_of_rollups("rollup_member"), RowExclusiveLock);

	CatalogTupleInsert(table, form_member(table, member));
	table_close(table, NoLock);
	CommandCounterIncrement();
}

void
set_armed(Oid member, bool armed) noexcept
{
	each_member(column_member, member, RowExclusiveLock,
				[armed](Relation table, HeapTuple tuple, const Member &row) noexcept {
					Member changed = row;
					changed.armed = armed;
					const HeapTuple next = form_member(table, changed);
					if (row.armed != armed)
						CatalogTupleUpdate(table, &tuple->t_self, next);
				});
	CommandCounterIncrement();
}

void
forget_member(Oid member) noexcept
{
	each_member(column_member, member, RowExclusiveLock, [](Relation table, HeapTuple tuple, const Member &) noexcept {
		CatalogTupleDelete(table, &tuple->t_self);
	});
	CommandCounterIncrement();
}

} // namespace remedy::rollup

#include "rollup/calendar.hpp"
#include "rollup/following_members.hpp"
#include "rollup/marks.hpp"

extern "C" {
#include "access/nbtree.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
#include "partitioning/partbounds.h"
#include "utils/date.h"
#include "utils/partcache.h"
}

namespace remedy::rollup {

namespace {

// The first column of a table's partitioning by ranges of time, or 0.
AttrNumber
time_of_ranges(Oid table) noexcept
{
	AttrNumber column = 0;

	if (get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE)
		return 0;
	const Relation relation = table_open(table, AccessShareLock);
	const PartitionKey key = RelationGetPartitionKey(relation);
	if (key->strategy == PARTITION_STRATEGY_RANGE && key->partattrs[0] > 0)
	{
		const Oid type = key->parttypid[0];
		const bool is_time = type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
		if (is_time && key->partopfamily[0] == get_opclass_family(GetDefaultOpClass(type, BTREE_AM_OID)))
			column = key->partattrs[0];
	}
	table_close(relation, NoLock);
	return column;
}

const PartitionBoundSpec *
bound_of(Oid table) noexcept
{
	const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	const PartitionBoundSpec *bound = nullptr;
	bool null;

	if (!HeapTupleIsValid(tuple))
		return nullptr;
	const Datum printed = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relpartbound, &null);
	if (!null)
		bound = static_cast<PartitionBoundSpec *>(stringToNode(TextDatumGetCString(printed)));
	ReleaseSysCache(tuple);
	return bound;
}

// False if it is open to that side.
bool
read_bound(const List *datums, TimestampTz &time) noexcept
{
	const PartitionRangeDatum *const bound = linitial_node(PartitionRangeDatum, datums);
	int overflow = 0;

	if (bound->kind != PARTITION_RANGE_DATUM_VALUE)
		return false;
	const Const *const value = castNode(Const, bound->value);
	time = value->consttype == DATEOID ? date2timestamp_opt_overflow(DatumGetDateADT(value->constvalue), &overflow)
									   : DatumGetTimestampTz(value->constvalue);
	return overflow == 0;
}

// What comes after the first column may let in rows at the upper bound itself.
void
narrow(Member &member, const PartitionBoundSpec &bound) noexcept
{
	TimestampTz time;

	if (bound.is_default)
		return;
	if (read_bound(bound.lowerdatums, time) && (!member.has_first || time > member.first))
	{
		member.has_first = true;
		member.first = time;
	}
	if (!read_bound(bound.upperdatums, time))
		return;
	if (list_length(bound.upperdatums) > 1 && !TIMESTAMP_NOT_FINITE(time))
		++time;
	if (!member.has_end || time < member.end)
	{
		member.has_end = true;
		member.end = time;
	}
}

Datum
to_time(TimestampTz time, Oid type) noexcept
{
	return type == DATEOID ? DirectFunctionCall1(timestamp_date, TimestampGetDatum(time)) : TimestampTzGetDatum(time);
}

AttrNumber
time_column_of(const Rollup &rollup) noexcept
{
	const TargetEntry *const time = linitial_node(TargetEntry, row_expressions(rollup));

	return IsA(time->expr, Var) ? castNode(Var, time->expr)->varattno : 0;
}

void
mark_rollup(const Rollup &rollup, const Member &member) noexcept
{
	const AttrNumber column = time_of_ranges(member.source);

	if (column == 0 || column != time_column_of(rollup) || (!member.has_first && !member.has_end))
	{
		mark_everything(rollup);
		return;
	}
	Calendar calendar = make_calendar(rollup);
	Datum from = 0, until = 0;
	const TimestampTz first = member.has_first ? member.first : DT_NOBEGIN,
					  end = member.has_end ? member.end : DT_NOEND;
	if (member.has_first)
		from = to_time(first_bucket_between(calendar, first, end), rollup.time_type);
	if (member.has_end)
		until = to_time(last_bucket_between(calendar, first, end), rollup.time_type);
	mark_range(rollup, member.has_first ? &from : nullptr, member.has_end ? &until : nullptr);
}

} // namespace

void
find_bounds(Member &member) noexcept
{
	const AttrNumber column = time_of_ranges(member.source);

	member.has_first = member.has_end = false;
	if (column == 0)
		return;
	const char *const name = get_attname(member.source, column, false);
	for (Oid table = member.table; table != member.source;)
	{
		const PartitionBoundSpec *const bound = bound_of(table);
		if (bound == nullptr)
			return;
		table = get_partition_parent(table, true);
		const AttrNumber parents = time_of_ranges(table);
		if (parents != 0 && strcmp(get_attname(table, parents, false), name) == 0)
			narrow(member, *bound);
	}
}

void
mark_member(const Member &member) noexcept
{
	ListCell *cell;

	foreach (cell, rollups_of(member.source))
		mark_rollup(*static_cast<const Rollup *>(lfirst(cell)), member);
}

} // namespace remedy::rollup

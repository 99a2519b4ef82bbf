#include "repetition/ties.hpp"

#include "repetition/origins.hpp"
#include "server/catalogs.hpp"
#include "server/headers.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
#include "utils/inval.h"
}

namespace remedy::repetition {

namespace {

struct Remembered
{
	Column key; // relation 0: free
	std::uint32_t output_relation;
	std::int16_t output_number;
	Tie tie;
};

constexpr unsigned remembered_limit = 256;
Remembered remembered[remembered_limit];
bool outdated = false;

void
relation_changed(Datum, Oid)
{
	outdated = true;
}

Remembered &
place_of(Column key, Column output) noexcept
{
	const std::uint32_t mixed = (key.relation * 31 + key.number) * 0x9e3779b1u ^ (output.relation * 31 + output.number);

	return remembered[(mixed ^ mixed >> 16) % remembered_limit];
}

// Columns that a column references, by all foreign keys of its table.  A foreign key to
// a partitioned table has one to each partition beside it; all are the topmost table's.
struct References
{
	static constexpr int limit = 8;
	int count = 0;
	Column columns[limit];

	void add(Column column) noexcept
	{
		if (count < limit && !contain(column))
			columns[count++] = column;
	}

	bool contain(Column column) const noexcept
	{
		for (int i = 0; i < count; ++i)
			if (columns[i] == column)
				return true;
		return false;
	}
};

// The arrays of a foreign key have no nulls and one dimension.
const int16 *
column_numbers(HeapTuple tuple, Relation catalog, int attribute, int &count) noexcept
{
	bool is_null;
	const Datum value = heap_getattr(tuple, attribute, RelationGetDescr(catalog), &is_null);

	count = 0;
	if (is_null)
		return nullptr;
	ArrayType *const numbers = DatumGetArrayTypeP(value);
	count = ARR_DIMS(numbers)[0];
	return reinterpret_cast<int16 *>(ARR_DATA_PTR(numbers));
}

// The locks on the catalogs are held.
void
add_references(Column column, References &found) noexcept
{
	ScanKeyData of_relation;
	const Relation catalog = table_open(ConstraintRelationId, NoLock);

	ScanKeyInit(&of_relation, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(column.relation));
	const SysScanDesc scan =
		systable_beginscan(catalog, ConstraintRelidTypidNameIndexId, true, nullptr, 1, &of_relation);
	while (const HeapTuple tuple = systable_getnext(scan))
	{
		const FormData_pg_constraint *const constraint = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
		if (constraint->contype != CONSTRAINT_FOREIGN)
			continue;
		int from_count;
		int to_count;
		const int16 *const from = column_numbers(tuple, catalog, Anum_pg_constraint_conkey, from_count);
		const int16 *const to = column_numbers(tuple, catalog, Anum_pg_constraint_confkey, to_count);
		for (int i = 0; i < from_count && i < to_count; ++i)
			if (from[i] == column.number)
				found.add(topmost({constraint->confrelid, to[i]}));
	}
	systable_endscan(scan);
	table_close(catalog, NoLock);
}

// Those of the table, and those of the one it is a part of.
References
references_of(Column column, Column top) noexcept
{
	References found;

	add_references(column, found);
	if (!(top == column))
		add_references(top, found);
	return found;
}

Tie
look_up_tie(Column key, Column output) noexcept
{
	const Column top_of_key = topmost(key);
	const Column top_of_output = topmost(output);

	if (top_of_key == top_of_output)
		return Tie::same_column;
	const References of_key = references_of(key, top_of_key);
	const References of_output = references_of(output, top_of_output);
	if (of_key.contain(top_of_output) || of_output.contain(top_of_key))
		return Tie::foreign_key;
	for (int i = 0; i < of_key.count; ++i)
		if (of_output.contain(of_key.columns[i]))
			return Tie::sibling;
	return Tie::none;
}

bool
is_key_of(const Shape &shape, Oid relation, AttrNumber number) noexcept
{
	for (unsigned i = 0; i < shape.key_count; ++i)
		if (shape.keys[i].column == Column{relation, number})
			return true;
	return false;
}

} // namespace

void
start_ties() noexcept
{
	CacheRegisterRelcacheCallback(relation_changed, 0);
}

Tie
find_tie(Column key, Column output) noexcept
{
	if (key == output)
		return Tie::same_column;
	if (output.relation == 0)
		return Tie::by_value;
	if (outdated)
	{
		memset(static_cast<void *>(remembered), 0, sizeof(remembered));
		outdated = false;
	}
	Remembered &place = place_of(key, output);
	if (place.key == key && place.output_relation == output.relation && place.output_number == output.number)
		return place.tie;
	if (!server::catalogs_are_free() || !ConditionalLockRelationOid(ConstraintRelationId, AccessShareLock))
		return Tie::none;
	const bool both = ConditionalLockRelationOid(InheritsRelationId, AccessShareLock);
	const Tie tie = both ? look_up_tie(key, output) : Tie::none;

	if (both)
		UnlockRelationOid(InheritsRelationId, AccessShareLock);
	UnlockRelationOid(ConstraintRelationId, AccessShareLock);
	if (!both)
		return Tie::none;
	place = {key, output.relation, output.number, tie};
	return tie;
}

bool
key_is_unique(const Shape &shape, unsigned key) noexcept
{
	const Oid relation = shape.keys[key].column.relation;
	bool found = false;
	ScanKeyData of_relation;

	if (!server::catalogs_are_free() || !ConditionalLockRelationOid(IndexRelationId, AccessShareLock))
		return false;
	const Relation catalog = table_open(IndexRelationId, NoLock);

	ScanKeyInit(&of_relation, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	const SysScanDesc scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, nullptr, 1, &of_relation);
	while (const HeapTuple tuple = systable_getnext(scan))
	{
		const FormData_pg_index *const index = reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple));
		bool covered = index->indisunique && index->indisvalid && heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
		// An expression is column 0, which no key is.
		for (int i = 0; covered && i < index->indnkeyatts; ++i)
			covered = is_key_of(shape, relation, index->indkey.values[i]);
		found |= covered;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

} // namespace remedy::repetition

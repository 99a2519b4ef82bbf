// Cells that are to be computed from the source, as a list that a statement can look into.

#include "rollup/refresh_stale.hpp"

extern "C" {
#include "catalog/pg_operator.h"
#include "utils/datum.h"
#include "utils/typcache.h"
}

namespace remedy::rollup {

namespace {

void
note_column(Stale &stale, int column, TupleTableSlot *row, const FormData_pg_attribute *attribute) noexcept
{
	if (row->tts_isnull[column])
		stale.some_null[column] = true;
	else if (!stale.some_value[column])
	{
		stale.some_value[column] = true;
		stale.value[column] = datumCopy(row->tts_values[column], attribute->attbyval, attribute->attlen);
	}
}

void
note_pattern(Stale &stale, TupleTableSlot *row) noexcept
{
	uint64 pattern = 0;

	if (stale.columns > 64)
		stale.without_patterns = true;
	if (stale.without_patterns)
		return;
	for (int i = 0; i < stale.columns; ++i)
		pattern |= static_cast<uint64>(row->tts_isnull[i]) << i;
	for (int i = 0; i < stale.patterns; ++i)
		if (stale.pattern[i] == pattern)
			return;
	if (stale.patterns == Stale::most_patterns)
		stale.without_patterns = true;
	else
		stale.pattern[stale.patterns++] = pattern;
}

// Only bucket, k1….
void
list_cell(Stale &stale, TupleTableSlot *row, TupleDesc cells) noexcept
{
	bool *const nulls = static_cast<bool *>(palloc(sizeof(bool) * cells->natts));

	for (int i = 0; i < cells->natts; ++i)
		nulls[i] = i >= stale.columns || row->tts_isnull[i];
	const HeapTuple tuple = heap_form_tuple(cells, row->tts_values, nulls);
	const Datum composite = heap_copy_tuple_as_datum(tuple, cells);
	stale.cells = accumArrayResult(stale.cells, composite, false, cells->tdtypeid, CurrentMemoryContext);
	pfree(DatumGetPointer(composite));
	heap_freetuple(tuple);
	pfree(nulls);
}

} // namespace

Stale
find_stale(const Rollup &rollup, const Result &merged) noexcept
{
	const Relation table = table_open(rollup.cells, AccessShareLock);
	const TupleDesc cells = RelationGetDescr(table);
	const int columns = 1 + rollup.keys;
	Stale stale = {.columns = columns,
				   .some_null = static_cast<bool *>(palloc0(sizeof(bool) * columns)),
				   .some_value = static_cast<bool *>(palloc0(sizeof(bool) * columns)),
				   .value = static_cast<Datum *>(palloc0(sizeof(Datum) * columns))};

	merged.each([&](TupleTableSlot *row) {
		slot_getallattrs(row);
		if (!DatumGetBool(row->tts_values[cells->natts + 1]))
			return;
		for (int i = 0; i < columns; ++i)
			note_column(stale, i, row, TupleDescAttr(cells, i));
		note_pattern(stale, row);
		if (++stale.count <= Stale::most_listed)
			list_cell(stale, row, cells);
	});
	table_close(table, NoLock);
	return stale;
}

const char *
equals(Oid type) noexcept
{
	const Oid operation = lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
	const HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operation));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "type %u has no equality", type);
	const Form_pg_operator form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
	const char *const text =
		psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
	ReleaseSysCache(tuple);
	return text;
}

const char *
listed(const Rollup &rollup, const Stale &stale, Parameters &parameters) noexcept
{
	const Oid type = get_array_type(get_rel_type_id(rollup.cells));

	return psprintf("unnest(%s)", parameters.add(type, makeArrayResult(stale.cells, CurrentMemoryContext)));
}

namespace {

// Nulls are alike, and none of this keeps the planner from hashing.  IS NULL would also be true of a row of nulls,
// which is a key of its own.
const char *
same_column(const Stale &stale, int column, const char *name, Oid type, Parameters &parameters) noexcept
{
	if (!stale.some_value[column])
		return psprintf("r.%s IS NOT DISTINCT FROM NULL", name);
	if (!stale.some_null[column])
		return psprintf("l.%s %s r.%s", name, equals(type), name);
	const char *const instead = parameters.add(type, stale.value[column]);
	return psprintf("(l.%s IS NOT DISTINCT FROM NULL) = (r.%s IS NOT DISTINCT FROM NULL) "
					"AND coalesce(l.%s, %s) %s coalesce(r.%s, %s)",
					name, name, name, instead, equals(type), name, instead);
}

} // namespace

const char *
is_stale(const Rollup &rollup, const Stale &stale, Parameters &parameters) noexcept
{
	const Relation table = table_open(rollup.cells, AccessShareLock);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "EXISTS (SELECT FROM %s AS l WHERE true", listed(rollup, stale, parameters));
	for (int i = 0; i < stale.columns; ++i)
	{
		const FormData_pg_attribute *const attribute = TupleDescAttr(RelationGetDescr(table), i);
		appendStringInfo(&text, " AND %s",
						 same_column(stale, i, NameStr(attribute->attname), attribute->atttypid, parameters));
	}
	appendStringInfoChar(&text, ')');
	table_close(table, NoLock);
	return text.data;
}

} // namespace remedy::rollup

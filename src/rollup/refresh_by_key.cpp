// Cells whose rows are found by an index of the source that begins with keys.
//
// The planner does not know how many rows a bucket that it cannot see has, and takes one of a year for as small as one
// of an hour.  So one cell is shown to it, as constants, to tell what each costs.  And a condition on the time is only
// written where the index has the time after the keys, so that no index on the time alone is taken in its place.

#include "rollup/refresh_by_key.hpp"
#include "rollup/marked.hpp"

extern "C" {
#include "catalog/pg_am.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
}

namespace remedy::rollup {

namespace {

// ---- The index -------------------------------------------------------------------------

enum class KeyIndex
{
	none,
	keys,
	keys_and_time,
};

// Of daily_rows, from 0: time, bucket, k1….
bool
is_column(List *rows, int column, const Node *indexed) noexcept
{
	Expr *const expression = linitial_node(TargetEntry, list_copy_tail(rows, column))->expr;

	return equal(expression_planner(static_cast<Expr *>(copyObjectImpl(expression))), indexed);
}

bool
is_key(const Rollup &rollup, List *rows, const Node *indexed) noexcept
{
	for (int i = 1; i <= rollup.keys; ++i)
		if (is_column(rows, i + 1, indexed))
			return true;
	return false;
}

// One column after the other, as expressions over the table (Var number 1).
List *
indexed_columns(Relation table, Relation index) noexcept
{
	List *columns = NIL, *const expressions = RelationGetIndexExpressions(index);
	int used = 0;

	for (int i = 0; i < index->rd_index->indnkeyatts; ++i)
		if (const AttrNumber number = index->rd_index->indkey.values[i]; number == 0)
			columns = lappend(columns, list_nth(expressions, used++));
		else
		{
			const Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), number - 1);
			columns = lappend(
				columns, makeVar(1, number, attribute->atttypid, attribute->atttypmod, attribute->attcollation, 0));
		}
	return columns;
}

KeyIndex
judge_index(const Rollup &rollup, List *rows, Relation table, Relation index) noexcept
{
	ListCell *cell;

	if (!index->rd_index->indisvalid || index->rd_rel->relam != BTREE_AM_OID ||
		!heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr))
		return KeyIndex::none;
	List *const columns = indexed_columns(table, index);
	foreach (cell, columns)
		if (const Node *const column = static_cast<const Node *>(lfirst(cell)); !is_key(rollup, rows, column))
			return foreach_current_index(cell) == 0 ? KeyIndex::none
				   : is_column(rows, 0, column)     ? KeyIndex::keys_and_time
													: KeyIndex::keys;
	return KeyIndex::keys;
}

KeyIndex
find_key_index(const Rollup &rollup) noexcept
{
	List *const rows = row_expressions(rollup);
	const Relation table = table_open(rollup.source, AccessShareLock);
	KeyIndex best = KeyIndex::none;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(table))
	{
		const Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		best = Max(best, judge_index(rollup, rows, table, index));
		index_close(index, AccessShareLock);
	}
	table_close(table, NoLock);
	return best;
}

// ---- The rows --------------------------------------------------------------------------

// Of cells "l" with nulls in some columns: "x (time, k1…) may be of l"; and what else must be true.
void
write_conditions(const Rollup &rollup, KeyIndex index, uint64 nulls, TupleDesc cells, StringInfo of_rows,
				 StringInfo of_cells) noexcept
{
	const bool null_bucket = nulls & 1;

	appendStringInfoString(of_cells, null_bucket ? "l.bucket IS NULL" : "r.bucket = l.bucket");
	appendStringInfoString(of_rows, null_bucket ? "x.time IS NULL" : "true");
	if (index == KeyIndex::keys_and_time && !null_bucket)
		appendStringInfo(of_rows, " AND x.time >= %s AND x.time <= %s", opens(rollup, "l.bucket"),
						 closes(rollup, "l.bucket"));
	for (int i = 1; i <= rollup.keys; ++i)
		if (nulls >> i & 1)
		{
			appendStringInfo(of_rows, " AND x.k%d IS NOT DISTINCT FROM NULL", i);
			appendStringInfo(of_cells, " AND l.k%d IS NOT DISTINCT FROM NULL", i);
		}
		else
		{
			appendStringInfo(of_rows, " AND x.k%d %s l.k%d", i, equals(TupleDescAttr(cells, i)->atttypid), i);
			appendStringInfo(of_cells, " AND l.k%d IS DISTINCT FROM NULL", i);
		}
}

const char *
rows_by_key(const Rollup &rollup, KeyIndex index, uint64 nulls, const char *cells) noexcept
{
	StringInfoData of_rows, of_cells;

	initStringInfo(&of_rows);
	initStringInfo(&of_cells);
	write_conditions(rollup, index, nulls, columns_of_cells(rollup), &of_rows, &of_cells);
	return psprintf("SELECT r.* FROM %s AS l, LATERAL (SELECT %s FROM %s AS x WHERE %s OFFSET '0') AS r WHERE %s",
					cells, columns_of_rows(rollup), qualified(rollup.rows), of_rows.data, of_cells.data);
}

// As constants, "(SELECT $1 AS bucket, $2 AS k1, NULL::text AS k2)".
const char *
one_cell(const Rollup &rollup, const Datum *values, const bool *nulls, Parameters &parameters) noexcept
{
	const TupleDesc cells = columns_of_cells(rollup);
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i <= rollup.keys; ++i)
	{
		const FormData_pg_attribute *const column = TupleDescAttr(cells, i);
		const char *const value = nulls[i] ? psprintf("NULL::%s", format_type_be_qualified(column->atttypid))
										   : parameters.add(column->atttypid, values[i]);
		appendStringInfo(&text, "%s%s AS %s", i == 0 ? "(SELECT " : ", ", value, NameStr(column->attname));
	}
	appendStringInfoChar(&text, ')');
	return text.data;
}

double
cost_of_cell(OneSnapshot &snapshot, const Rollup &rollup, KeyIndex index, const Datum *values,
			 const bool *nulls) noexcept
{
	Parameters parameters;
	uint64 pattern = 0;

	for (int i = 0; i <= rollup.keys; ++i)
		pattern |= static_cast<uint64>(nulls[i]) << i;
	const char *const rows = rows_by_key(rollup, index, pattern, one_cell(rollup, values, nulls, parameters));
	return snapshot.cost_of(cells_of_rows(rollup, rows, "true", "true"), parameters);
}

} // namespace

bool
is_key_cheaper(OneSnapshot &snapshot, const Rollup &rollup, const char *what, const char *condition,
			   const Parameters &parameters, double cells, const Choice &choice) noexcept
{
	const KeyIndex index = choice.is_cheap() ? KeyIndex::none : find_key_index(rollup);
	const int columns = 1 + rollup.keys;
	Datum *const values = static_cast<Datum *>(palloc(sizeof(Datum) * columns));
	bool *const nulls = static_cast<bool *>(palloc(sizeof(bool) * columns));

	return index != KeyIndex::none && columns <= 64 &&
		   snapshot.read_one(
			   psprintf("SELECT m.bucket%s FROM %s AS m WHERE %s LIMIT 1", key_list(rollup, "m"), what, condition),
			   parameters, values, nulls) &&
		   cells * cost_of_cell(snapshot, rollup, index, values, nulls) < choice.cost;
}

Result
compute_by_key(OneSnapshot &snapshot, const Rollup &rollup, const Stale &stale) noexcept
{
	const KeyIndex index = find_key_index(rollup);
	Parameters parameters;
	const char *const cells = listed(rollup, stale, parameters);
	StringInfoData rows;

	initStringInfo(&rows);
	for (int i = 0; i < stale.patterns; ++i)
		appendStringInfo(&rows, "%s%s", i == 0 ? "" : " UNION ALL ",
						 rows_by_key(rollup, index, stale.pattern[i], cells));
	return snapshot.read(cells_of_rows(rollup, rows.data, "true", "true"), parameters, columns_of_cells(rollup));
}

} // namespace remedy::rollup

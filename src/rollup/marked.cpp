#include "rollup/marked.hpp"

extern "C" {
#include "catalog/pg_am.h"
}

namespace remedy::rollup {

namespace {

// ", a.r2, a.r3", or nulls in their place; without a prefix, a condition that any of them is there.
const char *
losses(const Rollup &rollup, const char *prefix, bool of_marks) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < rollup.states; i++)
		if (!is_extreme(rollup.state[i]))
			continue;
		else if (prefix == nullptr)
			appendStringInfo(&text, "%sa.r%d IS NOT NULL", text.len == 0 ? "" : " OR ", i + 1);
		else if (of_marks)
			appendStringInfo(&text, ", %s.r%d", prefix, i + 1);
		else
			appendStringInfoString(&text, ", NULL");
	return text.data;
}

// A cell of which nothing is left needs no extreme.
const char *
touched_cells(const Rollup &rollup, const char *marks) noexcept
{
	const char *const cells = qualified(rollup.cells);
	const char *const removed = removed_extremes(rollup, "u");

	if (removed[0] == '\0')
		return "";
	const char *const columns =
		psprintf("%s, %s%s", key_list(rollup, "c"), state_list(rollup, "c"), losses(rollup, "c", false));
	const char *const losers =
		psprintf("(SELECT DISTINCT a.bucket, %s AS hash FROM %s AS a WHERE a.kind = 'a' AND (%s))",
				 hash_of_cell(rollup, "a"), marks, losses(rollup, nullptr, true));
	return psprintf(" UNION ALL SELECT t.bucket, %s FROM (SELECT u.bucket%s, %s%s FROM ("
					"SELECT a.bucket%s, %s%s FROM %s AS a WHERE a.kind = 'a'"
					" UNION ALL SELECT c.bucket%s FROM %s AS c JOIN %s AS l ON c.bucket = l.bucket AND %s = l.hash"
					" UNION ALL SELECT c.bucket%s FROM %s AS c WHERE c.bucket IS NULL"
					") AS u GROUP BY u.bucket%s) AS t WHERE t.s1 <> 0 AND %s",
					hash_of_cell(rollup, "t"), key_list(rollup, "u"), states_of_states(rollup, "u"), removed,
					key_list(rollup, "a"), state_list(rollup, "a"), losses(rollup, "a", true), marks, columns, cells,
					losers, hash_of_cell(rollup, "c"), columns, cells, key_list(rollup, "u"), touched(rollup, "t"));
}

const char *
bound(const Rollup &rollup, const char *side, const char *bucket) noexcept
{
	return psprintf("remedy.bucket_%s(%s, '%s', %s)", side, bucket, name_of(rollup.unit),
					rollup.time_zone == nullptr ? "NULL" : quote_literal_cstr(rollup.time_zone));
}

// Such as can be read from one time to another.
bool
is_on_time(const Relation index, AttrNumber time) noexcept
{
	const Form_pg_index form = index->rd_index;

	return form->indisvalid && form->indkey.values[0] == time &&
		   (index->rd_rel->relam == BTREE_AM_OID || index->rd_rel->relam == BRIN_AM_OID) &&
		   heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
}

} // namespace

const char *
with_marked(const Rollup &rollup) noexcept
{
	const char *const marks = qualified(rollup.marks);

	return psprintf("WITH dirty AS MATERIALIZED (SELECT d.bucket, %s AS hash FROM %s AS d "
					"WHERE d.kind = 'd' OR d.kind = 'r' AND d.bucket IS NULL AND d.until IS NULL%s), "
					"ranged AS MATERIALIZED (SELECT range_agg(%s(d.bucket, d.until, '[]')) AS ranges FROM %s AS d "
					"WHERE d.kind = 'r' AND (d.bucket <= d.until) IS NOT FALSE) ",
					hash_of_cell(rollup, "d"), marks, touched_cells(rollup, marks), range_type(rollup), marks);
}

const char *
hash_of_cell(const Rollup &rollup, const char *prefix) noexcept
{
	return psprintf("hash_record(ROW(%s.bucket%s))", prefix, key_list(rollup, prefix));
}

const char *
is_dirty(const Rollup &rollup, const char *prefix) noexcept
{
	return psprintf("%s.bucket IN (SELECT d.bucket FROM dirty AS d WHERE d.bucket IS NOT NULL) "
					"AND %s IN (SELECT d.hash FROM dirty AS d)",
					prefix, hash_of_cell(rollup, prefix));
}

const char *
is_kept(const Rollup &rollup, const char *prefix) noexcept
{
	return psprintf("NOT CASE WHEN %s.bucket IS NULL THEN %s ELSE %s END AND (%s.bucket <@ %s) IS NOT TRUE", prefix,
					null_is_dirty, is_dirty(rollup, prefix), prefix, ranges_text);
}

const char *
opens(const Rollup &rollup, const char *bucket) noexcept
{
	return bound(rollup, "opens", bucket);
}

const char *
closes(const Rollup &rollup, const char *bucket) noexcept
{
	return bound(rollup, "closes", bucket);
}

const char *
range_type(const Rollup &rollup) noexcept
{
	return rollup.time_type == TIMESTAMPTZOID ? "tstzrange"
		   : rollup.time_type == TIMESTAMPOID ? "tsrange"
											  : "daterange";
}

bool
has_index_on_time(const Rollup &rollup) noexcept
{
	const Node *const time = reinterpret_cast<const Node *>(linitial_node(TargetEntry, row_expressions(rollup))->expr);
	const Relation source = table_open(rollup.source, AccessShareLock);
	bool found = false;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(source))
	{
		const Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		found = found || (IsA(time, Var) && is_on_time(index, reinterpret_cast<const Var *>(time)->varattno));
		index_close(index, AccessShareLock);
	}
	table_close(source, AccessShareLock);
	return found;
}

} // namespace remedy::rollup

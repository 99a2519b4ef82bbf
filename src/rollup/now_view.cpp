// The groups of the source as any snapshot sees them, in one statement.
//
// A cell without marks is read as it is, one with additive marks is merged with them; what marks do not tell enough of
// is computed from the source, by the times that its rows may have if there is an index on the time.
//
// What the reader asks of bucket and keys reaches every relation: no LIMIT, and no join outside of a group, may be in
// its way.  And what is not needed may not look dear, or the server compiles the whole statement (jit_above_cost).

#include "rollup/marked.hpp"

namespace remedy::rollup {

namespace {

struct Writer
{
	const Rollup &rollup;
	const char *cells = qualified(rollup.cells);
	const char *marks = qualified(rollup.marks);
	const char *rows = qualified(rollup.rows);

	const char *keys(const char *prefix) const noexcept { return key_list(rollup, prefix); }
	const char *states(const char *prefix) const noexcept { return state_list(rollup, prefix); }
	const char *hash(const char *prefix) const noexcept { return hash_of_cell(rollup, prefix); }

	const char *clean() const noexcept;
	const char *merged() const noexcept;
	const char *row_columns() const noexcept;
	const char *recomputed_by_time() const noexcept;
	const char *recomputed() const noexcept;
};

const char *
Writer::clean() const noexcept
{
	const char *const unmerged =
		psprintf(" AND %s NOT IN (SELECT %s FROM %s AS a WHERE a.kind = 'a')", hash("c"), hash("a"), marks);

	return psprintf("SELECT c.bucket%s, %s FROM %s AS c WHERE %s%s", keys("c"), states("c"), cells,
					is_kept(rollup, "c"), rollup.additive ? unmerged : "");
}

const char *
Writer::merged() const noexcept
{
	if (!rollup.additive)
		return "";
	return psprintf(" UNION ALL SELECT g.bucket%s, %s FROM (SELECT u.bucket%s, %s FROM ("
					"SELECT c.bucket%s, %s FROM %s AS c WHERE %s IN (SELECT %s FROM %s AS a WHERE a.kind = 'a')"
					" UNION ALL SELECT a.bucket%s, %s FROM %s AS a WHERE a.kind = 'a') AS u "
					"WHERE %s GROUP BY u.bucket%s) AS g WHERE g.s1 <> 0",
					keys("g"), states("g"), keys("u"), states_of_states(rollup, "u"), keys("c"), states("c"), cells,
					hash("c"), hash("a"), marks, keys("a"), states("a"), marks, is_kept(rollup, "u"), keys("u"));
}

const char *
Writer::row_columns() const noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, keys("r"));
	for (int i = 1; i <= rollup.values; i++)
		appendStringInfo(&text, ", r.v%d", i);
	for (int i = 1; i <= rollup.filters; i++)
		appendStringInfo(&text, ", r.f%d", i);
	return text.data;
}

// Bucket by bucket, as the planner would not of itself, which knows neither how many there are nor how long.  It takes
// an array that it does not know for one of 10 elements.  The hash is asked for first, since it is cheaper than the
// bucket of the row.
const char *
Writer::recomputed_by_time() const noexcept
{
	return psprintf(" UNION ALL SELECT b.bucket%s, %s FROM unnest((SELECT array_agg(DISTINCT d.bucket) FROM dirty AS d "
					"WHERE d.bucket IS NOT NULL AND (d.bucket <@ %s) IS NOT TRUE)) AS b (bucket), "
					"LATERAL (SELECT r.bucket%s, %s FROM %s AS r WHERE r.time >= %s AND r.time <= %s "
					"AND CASE WHEN hash_record(ROW(b.bucket%s)) IN (SELECT d.hash FROM dirty AS d) "
					"THEN r.bucket = b.bucket END GROUP BY r.bucket%s) AS g"
					" UNION ALL SELECT r.bucket%s, %s FROM ("
					"SELECT r.bucket%s FROM %s AS r WHERE r.bucket <@ %s AND r.time >= %s AND r.time <= %s "
					"AND EXISTS (SELECT FROM ranged AS n WHERE n.ranges IS NOT NULL)"
					" UNION ALL SELECT r.bucket%s FROM %s AS r WHERE r.time IS NULL AND %s) AS r GROUP BY r.bucket%s",
					keys("g"), states("g"), ranges_text, keys("r"), states_of_rows(rollup, "r"), rows,
					opens(rollup, "b.bucket"), closes(rollup, "b.bucket"), keys("r"), keys("r"), keys("r"),
					states_of_rows(rollup, "r"), row_columns(), rows, ranges_text,
					opens(rollup, "(SELECT COALESCE(lower(n.ranges), '-infinity') FROM ranged AS n)"),
					closes(rollup, "(SELECT COALESCE(upper(n.ranges), 'infinity') FROM ranged AS n)"), row_columns(),
					rows, null_is_dirty, keys("r"));
}

// In one scan of everything.
const char *
Writer::recomputed() const noexcept
{
	return psprintf(" UNION ALL SELECT r.bucket%s, %s FROM %s AS r WHERE (EXISTS (SELECT FROM dirty AS d) "
					"OR EXISTS (SELECT FROM ranged AS n WHERE n.ranges IS NOT NULL)) AND "
					"(%s OR r.bucket <@ %s OR r.bucket IS NULL AND %s) "
					"GROUP BY r.bucket%s",
					keys("r"), states_of_rows(rollup, "r"), rows, is_dirty(rollup, "r"), ranges_text, null_is_dirty,
					keys("r"));
}

} // namespace

const char *
now_states(const Rollup &rollup) noexcept
{
	const Writer write{rollup};

	return psprintf("%s%s%s%s", with_marked(rollup), write.clean(), write.merged(),
					has_index_on_time(rollup) ? write.recomputed_by_time() : write.recomputed());
}

} // namespace remedy::rollup

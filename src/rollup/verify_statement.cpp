// Where cells and source differ, as one statement.
//
// Cells are merged with their additive marks, as a refresh would; those of which marks say that they are out of step
// are left out on both sides.  A sample is of stretches of time, each from one bucket that has cells to the next such,
// the first and the last being open: so cells that are missing are found as well as those that are wrong.

#include "rollup/verify_statement.hpp"

#include "rollup/marked.hpp"

#include <initializer_list>

namespace remedy::rollup {

namespace {

bool
is_sum_of_floats(const State &state) noexcept
{
	return state.kind == StateKind::spread || (state.kind == StateKind::sum && is_floating(state.type));
}

struct Writer
{
	const Rollup &rollup;
	const bool sampled;

	const char *keys(const char *prefix) const noexcept { return key_list(rollup, prefix); }

	const char *chosen() const noexcept;
	const char *is_chosen(const char *prefix) const noexcept;
	const char *kept() const noexcept;
	const char *chosen_rows() const noexcept;
	const char *greatest_values() const noexcept;
	const char *expected() const noexcept;
	const char *difference(const State &state, int number) const noexcept;
	const char *differences() const noexcept;
	const char *named_keys(const char *prefix) const noexcept;
	const char *statement() const noexcept;
};

// ---- The sample ------------------------------------------------------------------

// With no cells at all it is everything.  The last stretch has the null bucket with it.
const char *
Writer::chosen() const noexcept
{
	if (!sampled)
		return "";
	return psprintf(
		", chosen AS MATERIALIZED (SELECT COALESCE(range_agg(%s(s.first, s.next, '[)')), '{(,)}') AS ranges, "
		"COALESCE(bool_or(s.next IS NULL), true) AS with_null FROM ("
		"SELECT CASE WHEN lag(b.bucket) OVER w IS NOT NULL THEN b.bucket END AS first, lead(b.bucket) OVER w AS next, "
		"row_number() OVER (ORDER BY random()) AS place, count(*) OVER () AS buckets "
		"FROM (SELECT DISTINCT c.bucket FROM %s AS c WHERE c.bucket IS NOT NULL) AS b "
		"WINDOW w AS (ORDER BY b.bucket)) AS s WHERE s.place <= greatest(1, ceil($1 * s.buckets)))",
		range_type(rollup), qualified(rollup.cells));
}

const char *
Writer::is_chosen(const char *prefix) const noexcept
{
	return psprintf("(%s.bucket <@ (SELECT x.ranges FROM chosen AS x) "
					"OR %s.bucket IS NULL AND (SELECT x.with_null FROM chosen AS x))",
					prefix, prefix);
}

// By an index one stretch after the other, which OFFSET makes sure of; else in one scan.
const char *
Writer::chosen_rows() const noexcept
{
	const char *const rows = qualified(rollup.rows);

	if (!sampled)
		return rows;
	if (!has_index_on_time(rollup))
		return psprintf("(SELECT r.* FROM %s AS r WHERE %s)", rows, is_chosen("r"));
	return psprintf("(SELECT l.* FROM chosen AS x, unnest(x.ranges) AS b (stretch), "
					"LATERAL (SELECT r.* FROM %s AS r WHERE r.time >= %s AND r.time <= %s AND r.bucket <@ b.stretch "
					"OFFSET 0) AS l UNION ALL SELECT r.* FROM %s AS r WHERE r.time IS NULL "
					"AND (SELECT x.with_null FROM chosen AS x))",
					rows, opens(rollup, "COALESCE(lower(b.stretch), '-infinity')"),
					closes(rollup, "COALESCE(upper(b.stretch), 'infinity')"), rows);
}

// ---- Both sides ------------------------------------------------------------------

const char *
Writer::kept() const noexcept
{
	const char *const marks = psprintf(" UNION ALL SELECT a.bucket%s, %s FROM %s AS a WHERE a.kind = 'a'", keys("a"),
									   state_list(rollup, "a"), qualified(rollup.marks));

	return psprintf("SELECT u.bucket%s, %s FROM (SELECT c.bucket%s, %s FROM %s AS c%s) AS u WHERE %s%s%s "
					"GROUP BY u.bucket%s",
					keys("u"), states_of_states(rollup, "u"), keys("c"), state_list(rollup, "c"),
					qualified(rollup.cells), rollup.additive ? marks : "", is_kept(rollup, "u"), sampled ? " AND " : "",
					sampled ? is_chosen("u") : "", keys("u"));
}

// Of values that were summed up, for how exact the sum can be: ", x2".
const char *
Writer::greatest_values() const noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < rollup.states; ++i)
		if (const State &state = rollup.state[i]; is_sum_of_floats(state))
		{
			appendStringInfo(&text, ", max(abs(CAST(r.v%d AS double precision)))", state.value);
			if (state.filter != 0)
				appendStringInfo(&text, " FILTER (WHERE r.f%d)", state.filter);
			appendStringInfo(&text, " AS x%d", i + 1);
		}
	return text.data;
}

const char *
Writer::expected() const noexcept
{
	return psprintf("SELECT r.bucket%s, %s%s FROM %s AS r GROUP BY r.bucket%s", keys("r"), states_of_rows(rollup, "r"),
					greatest_values(), chosen_rows(), keys("r"));
}

// ---- What differs ----------------------------------------------------------------

// Sums of floating-point values depend on the order of rows: relative to the greater of the sum and of the values.
// numeric neither overflows nor stops at infinity.  Sketches depend on it too, and are not compared.
const char *
Writer::difference(const State &state, int number) const noexcept
{
	switch (state.kind)
	{
	case StateKind::digest:
	case StateKind::distinct:
		return "false";
	case StateKind::least:
	case StateKind::greatest:
		return psprintf("NOT record_eq(ROW(k.s%d), ROW(e.s%d))", number, number);
	default:
		break;
	}
	const char *const differs = psprintf("k.s%d IS DISTINCT FROM e.s%d", number, number);
	if (is_sum_of_floats(state))
	{
		const char *const kept = psprintf("CAST(k.s%d AS numeric)", number);
		const char *const expected = psprintf("CAST(e.s%d AS numeric)", number);
		const char *const value = psprintf("CAST(e.x%d AS numeric)", number);
		return psprintf("%s AND (abs(%s) < 'Infinity' AND abs(%s) < 'Infinity' AND abs(%s - %s) <= %s * "
						"greatest(abs(%s), abs(%s), %s * %s)) IS NOT TRUE",
						differs, kept, expected, kept, expected, state.type == FLOAT4OID ? "0.001" : "0.000000001",
						kept, expected, value, state.kind == StateKind::spread ? value : "1");
	}
	// Where rows came and went, an exact sum is 0 instead of null.
	return state.additive && state.kind != StateKind::histogram
			   ? psprintf("COALESCE(k.s%d, 0) <> COALESCE(e.s%d, 0)", number, number)
			   : differs;
}

// "s2, s5"
const char *
Writer::differences() const noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "array_to_string(ARRAY[");
	for (int i = 1; i <= rollup.states; ++i)
		appendStringInfo(&text, "%sCASE WHEN %s THEN 's%d' END", i > 1 ? ", " : "", difference(rollup.state[i - 1], i),
						 i);
	appendStringInfoString(&text, "], ', ')");
	return text.data;
}

// Under the names that the view gives them.
const char *
Writer::named_keys(const char *prefix) const noexcept
{
	StringInfoData text;

	if (rollup.keys == 0)
		return "CAST('{}' AS jsonb)";
	initStringInfo(&text);
	appendStringInfoString(&text, "(SELECT to_jsonb(q) FROM (SELECT ");
	for (int i = 1; i <= rollup.keys; ++i)
		appendStringInfo(&text, "%s%s.k%d AS %s", i > 1 ? ", " : "", prefix, i,
						 quote_identifier(get_attname(rollup.view, i + 1, false)));
	appendStringInfoString(&text, ") AS q)");
	return text.data;
}

// Columns: problem (null: none), bucket, keys, kept, expected, detail.
const char *
Writer::statement() const noexcept
{
	StringInfoData same_keys;

	initStringInfo(&same_keys);
	for (const char *const prefix : {"k", "e"})
		appendStringInfo(&same_keys, "%sROW(%s.bucket%s)", prefix[0] == 'k' ? "" : ", ", prefix, keys(prefix));
	return psprintf(
		"%s%s SELECT p.problem, CASE WHEN p.problem IS NOT NULL THEN CAST(p.bucket AS text) END, "
		"CASE p.problem WHEN 'missing' THEN %s WHEN 'extra' THEN %s WHEN 'different' THEN %s END, "
		"CASE WHEN p.problem <> 'missing' THEN (SELECT to_jsonb(q) FROM (SELECT %s) AS q) END, "
		"CASE WHEN p.problem <> 'extra' THEN (SELECT to_jsonb(q) FROM (SELECT %s) AS q) END, "
		"CASE WHEN p.problem = 'different' THEN p.detail END "
		"FROM (SELECT COALESCE(k.bucket, e.bucket) AS bucket, k, e, d.detail, "
		"CASE WHEN k.hash IS NULL THEN 'missing' WHEN e.hash IS NULL THEN 'extra' "
		"WHEN d.detail <> '' THEN 'different' END AS problem "
		"FROM (SELECT g.*, %s AS hash FROM (%s) AS g WHERE g.s1 <> 0) AS k "
		"FULL JOIN (SELECT g.*, %s AS hash FROM (%s) AS g WHERE %s) AS e "
		"ON k.hash = e.hash AND record_eq(%s) "
		"CROSS JOIN LATERAL (SELECT CASE WHEN k.hash IS NOT NULL AND e.hash IS NOT NULL THEN %s END) AS d (detail)"
		") AS p ORDER BY p.bucket",
		with_marked(rollup), chosen(), named_keys("(p.e)"), named_keys("(p.k)"), named_keys("(p.k)"),
		state_list(rollup, "(p.k)"), state_list(rollup, "(p.e)"), hash_of_cell(rollup, "g"), kept(),
		hash_of_cell(rollup, "g"), expected(), is_kept(rollup, "g"), same_keys.data, differences());
}

} // namespace

const char *
differences_statement(const Rollup &rollup, bool sampled) noexcept
{
	return Writer{rollup, sampled}.statement();
}

} // namespace remedy::rollup

// remedy.verify_rollup(): the cells against the source, in one statement and so in one snapshot.
//
// Cells are merged with their additive marks, as a refresh would; those of which marks say that they are out of step
// are left out on both sides.  A sample is of stretches of time, each from one bucket that has cells to the next such,
// the first and the last being open: so cells that are missing are found as well as those that are wrong.

#include "observe/observe.hpp"
#include "rollup/following.hpp"
#include "rollup/marked.hpp"
#include "server/guard.hpp"
#include "server/keeper.hpp"
#include "server/rows.hpp"

namespace remedy::rollup {

namespace {

constexpr int rows_at_a_time = 1000;

bool
is_floating(Oid type) noexcept
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

bool
is_sum_of_floats(const State &state) noexcept
{
	return state.kind == StateKind::spread || (state.kind == StateKind::sum && is_floating(state.type));
}

struct Writer
{
	const Rollup &rollup;
	const Oid view;
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
						 quote_identifier(get_attname(view, i + 1, false)));
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

// ---- The call --------------------------------------------------------------------

struct Found
{
	int64 compared = 0;
	int64 wrong = 0;
};

void
put_row(server::Rows &rows, HeapTuple tuple, TupleDesc columns) noexcept
{
	for (int i = 1; i <= columns->natts; ++i)
	{
		bool null;
		const Datum value = SPI_getbinval(tuple, columns, i, &null);
		null ? rows.put_null() : rows.put(value);
	}
	rows.end_row();
}

// In a snapshot of its own, unless the transaction has only one.
Found
compare(const Rollup &rollup, const char *statement, double sample, server::Rows &rows) noexcept
{
	Oid type = FLOAT8OID;
	Datum value = Float8GetDatum(sample);
	Found found;
	AsOwner owner(rollup);

	SPI_connect();
	const Portal portal = SPI_cursor_open_with_args(nullptr, statement, 1, &type, &value, nullptr, false, 0);
	do
	{
		bool null;
		SPI_cursor_fetch(portal, true, rows_at_a_time);
		for (uint64 i = 0; i < SPI_processed; ++i)
		{
			++found.compared;
			SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &null);
			if (null)
				continue;
			++found.wrong;
			put_row(rows, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		}
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	owner.end();
	return found;
}

// Marks and cells from before the rollup was made are none, and not right.
void
check_snapshot(const Rollup &rollup, const char *name) noexcept
{
	if (keep("SELECT FROM remedy.rollup WHERE view = $1", {rollup.view}) == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("this transaction's snapshot is older than the rollup \"%s\"", name),
						errhint("Verify it in a transaction that begins now.")));
}

// A refresh that is at it may have the row locked; a transaction with one snapshot cannot write it afterwards.
void
note(const Rollup &rollup, const Found &found) noexcept
{
	if (!XactReadOnly)
		attempt([&]() noexcept {
			keep("UPDATE remedy.rollup SET verified_at = pg_catalog.clock_timestamp(), verified_cells = $2, "
				 "wrong_cells = $3 WHERE view = $1",
				 {rollup.view, found.compared, found.wrong});
		});
}

void
verify(const char *name, double sample, server::Rows &rows) noexcept
{
	const Rollup *rollup = find_own_rollup(name);

	if (!(sample > 0 && sample <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the sample must be above 0 and at most 1")));
	if (OidIsValid(rollup->base))
		rollup = load_rollup(rollup->base);
	check_snapshot(*rollup, name);
	if (const char *const reason = uncaptured_reason(*rollup))
	{
		rows.put_text("unarmed");
		for (int i = 0; i < 4; ++i)
			rows.put_null();
		rows.put_text(reason);
		rows.end_row();
	}
	note(*rollup, compare(*rollup, Writer{*rollup, rollup->view, sample < 1}.statement(), sample, rows));
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_verify_rollup)
{
	remedy::observe::enter_function();
	remedy::server::Rows rows(fcinfo);
	remedy::rollup::verify(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_FLOAT8(1), rows);
	return 0;
}

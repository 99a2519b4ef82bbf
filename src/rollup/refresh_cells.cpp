// Cells that marks are about: what was added is added to them, and those that are dirty or of which an extreme was
// taken away are computed from the source.
//
// All marks of a cell are taken together, so what was added to a cell that is computed is simply dropped with them.

#include "rollup/refresh_stale.hpp"
#include "rollup/texts.hpp"

namespace remedy::rollup {

namespace {

// ---- What is taken ---------------------------------------------------------------------

struct Slice
{
	const char *condition; // over "m"
	Parameters parameters;
	double slices; // about so many there are
};

int64
count_marks(OneSnapshot &snapshot, const Rollup &rollup) noexcept
{
	Datum value;
	bool null;

	snapshot.read_one(psprintf("SELECT count(*) FROM %s", qualified(rollup.marks)), {}, &value, &null);
	return DatumGetInt64(value);
}

// About so many marks.
void
choose_slice(OneSnapshot &snapshot, const Rollup &rollup, int64 marks, int64 most_marks, Slice &slice,
			 Refreshed &done) noexcept
{
	Datum value;
	bool null;

	slice.condition = "true";
	slice.slices = 1;
	if (marks <= most_marks)
		return;
	snapshot.read_one(psprintf("SELECT m.bucket FROM %s AS m ORDER BY m.bucket LIMIT 1 OFFSET " INT64_FORMAT,
							   qualified(rollup.marks), most_marks - 1),
					  {}, &value, &null);
	if (null) // which is the last one
		return;
	slice.condition = psprintf("m.bucket <= %s", slice.parameters.add(rollup.time_type, value));
	slice.slices = static_cast<double>(marks) / most_marks;
	done.more = true;
}

const char *
dirty_marks(const Slice &slice) noexcept
{
	return psprintf("%s AND m.kind = 'd'", slice.condition);
}

// ", p.s1, p.s2"; of rollups that are not additive, whose states are of no use to marks, as many nulls.
const char *
mergeable_states(const Rollup &rollup, const char *prefix) noexcept
{
	StringInfoData text;

	if (rollup.additive)
		return psprintf(", %s", state_list(rollup, prefix));
	initStringInfo(&text);
	for (int i = 0; i < rollup.states; ++i)
		appendStringInfo(&text, ", NULL::%s AS s%d", format_type_be_qualified(rollup.state[i].type), i + 1);
	return text.data;
}

bool
is_extreme(const State &state) noexcept
{
	return state.kind == StateKind::least || state.kind == StateKind::greatest;
}

// ", p.r3, p.r4", of additive rollups; without a prefix as many nulls.
const char *
removed(const Rollup &rollup, const char *prefix) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; rollup.additive && i < rollup.states; ++i)
		if (is_extreme(rollup.state[i]))
			prefix == nullptr ? appendStringInfoString(&text, ", NULL")
							  : appendStringInfo(&text, ", %s.r%d", prefix, i + 1);
	return text.data;
}

// Marks with the cells that they may be of.  The null bucket is a branch of its own, for the index's sake.
const char *
marks_and_cells(const Rollup &rollup, const char *slice) noexcept
{
	const char *const marks = qualified(rollup.marks), *const cells = qualified(rollup.cells);
	const char *const of_cells =
		psprintf("SELECT c.ctid, c.bucket%s%s%s, false FROM %s AS c WHERE c.bucket", key_list(rollup, "c"),
				 mergeable_states(rollup, "c"), removed(rollup, nullptr), cells);

	return psprintf("SELECT NULL::tid AS tid, m.bucket%s%s%s, m.kind = 'd' AS dirty FROM %s AS m WHERE %s "
					"UNION ALL %s IN (SELECT m.bucket FROM %s AS m WHERE %s) UNION ALL %s IS NULL",
					key_list(rollup, "m"), mergeable_states(rollup, "m"), removed(rollup, "m"), marks, slice, of_cells,
					marks, slice, of_cells);
}

TupleDesc
columns_of_merged(const Rollup &rollup) noexcept
{
	const TupleDesc cells = columns_of_cells(rollup);
	const TupleDesc columns = CreateTemplateTupleDesc(cells->natts + 2);

	for (AttrNumber i = 1; i <= cells->natts; ++i)
		TupleDescCopyEntry(columns, i, cells, i);
	TupleDescInitEntry(columns, cells->natts + 1, "tid", TIDOID, -1, 0);
	TupleDescInitEntry(columns, cells->natts + 2, "stale", BOOLOID, -1, 0);
	return columns;
}

// What the cells of the slice are to be: where they are now, their states, and whether these are good for nothing.
Result
merge(OneSnapshot &snapshot, const Rollup &rollup, const char *slice, const Parameters &parameters) noexcept
{
	return snapshot.read(
		psprintf("SELECT g.bucket%s, %s, g.tid, g.dirty OR g.s1 < 0 OR %s FROM ("
				 "SELECT max(u.tid) AS tid, bool_or(u.dirty) AS dirty, u.bucket%s, %s%s FROM (%s) AS u "
				 "GROUP BY u.bucket%s HAVING bool_or(u.tid IS NULL)) AS g",
				 key_list(rollup, "g"), state_list(rollup, "g"), touched(rollup, "g"), key_list(rollup, "u"),
				 states_of_states(rollup, "u"), removed_extremes(rollup, "u"), marks_and_cells(rollup, slice),
				 key_list(rollup, "u")),
		parameters, columns_of_merged(rollup));
}

// ---- What is stale ---------------------------------------------------------------------

// Of what has a bucket, "m", and meets a condition; with the null bucket, if it is among them.
Ranges
buckets_of(OneSnapshot &snapshot, const Rollup &rollup, const char *what, const char *condition,
		   const Parameters &parameters) noexcept
{
	Datum value;
	bool null;
	Ranges ranges = read_ranges(snapshot, rollup,
								psprintf("SELECT %s FROM %s AS m WHERE %s AND m.bucket IS NOT NULL "
										 "GROUP BY m.bucket ORDER BY 3",
										 range_of(rollup, "m.bucket", "m.bucket"), what, condition),
								parameters);

	ranges.null_bucket =
		snapshot.read_one(psprintf("SELECT 1 FROM %s AS m WHERE %s AND m.bucket IS NULL LIMIT 1", what, condition),
						  parameters, &value, &null);
	return ranges;
}

// A look into a list of cells, for each row of their buckets, costs as much as the aggregation that it spares for four
// rows of five.
constexpr double most_of_rows = 0.2;

bool
is_worth_listing(OneSnapshot &snapshot, const Rollup &rollup, const Stale &stale) noexcept
{
	Datum rows[2];
	bool nulls[2];

	if (stale.count > Stale::most_listed)
		return false;
	snapshot.read_one(psprintf("SELECT sum(c.s1)::float8, sum(CASE WHEN m.stale THEN c.s1 ELSE 0 END)::float8 "
							   "FROM %s AS c LEFT JOIN merged AS m ON m.tid = c.ctid "
							   "WHERE c.bucket IN (SELECT m.bucket FROM merged AS m WHERE m.stale)",
							   qualified(rollup.cells)),
					  {}, rows, nulls);
	return !nulls[0] && DatumGetFloat8(rows[1]) < most_of_rows * DatumGetFloat8(rows[0]);
}

// Cells whose marks have no numbers are stale: that these are most of the cells of their buckets can be known before
// marks and cells are brought together.
bool
are_few_dirty(OneSnapshot &snapshot, const Rollup &rollup, const Slice &slice, const Ranges &ranges) noexcept
{
	Parameters parameters = slice.parameters;
	Datum few;
	bool null;
	const char *const in_buckets = in_ranges(rollup, ranges, "c", parameters);

	snapshot.read_one(
		psprintf("SELECT (SELECT count(*) FROM (SELECT DISTINCT m.bucket%s FROM %s AS m WHERE %s) AS d) < "
				 "%g * (SELECT count(*) FROM %s AS c WHERE %s)",
				 key_list(rollup, "m"), qualified(rollup.marks), dirty_marks(slice), most_of_rows,
				 qualified(rollup.cells), in_buckets),
		parameters, &few, &null);
	return DatumGetBool(few);
}

// ---- What is written -------------------------------------------------------------------

const char *
assignments(const Rollup &rollup) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 1; i <= rollup.states; ++i)
		appendStringInfo(&text, "%ss%d = m.s%d", i == 1 ? "" : ", ", i, i);
	return text.data;
}

int64
write_merged(OneSnapshot &snapshot, const Rollup &rollup, const char *wanted, const Parameters &parameters) noexcept
{
	const char *const cells = qualified(rollup.cells);
	const int64 gone = snapshot.write(
		psprintf("DELETE FROM %s AS c USING merged AS m WHERE c.ctid = m.tid AND (m.stale OR m.s1 = 0) AND %s", cells,
				 wanted),
		parameters);
	const int64 updated = rollup.additive
							  ? snapshot.write(psprintf("UPDATE %s AS c SET %s FROM merged AS m WHERE c.ctid = m.tid "
														"AND NOT m.stale AND m.s1 > 0 AND %s",
														cells, assignments(rollup), wanted),
											   parameters)
							  : 0;
	const int64 inserted = rollup.additive
							   ? snapshot.write(psprintf("INSERT INTO %s SELECT m.bucket%s, %s FROM merged AS m "
														 "WHERE m.tid IS NULL AND NOT m.stale AND m.s1 > 0 AND %s",
														 cells, key_list(rollup, "m"), state_list(rollup, "m"), wanted),
												parameters)
							   : 0;
	return gone + updated + inserted;
}

// ---- The ways ------------------------------------------------------------------------------

void
refresh_merged(OneSnapshot &snapshot, const Rollup &rollup, const Slice &slice, Refreshed &done) noexcept
{
	Parameters parameters = slice.parameters;
	const Result merged = merge(snapshot, rollup, slice.condition, parameters);
	const Stale stale = find_stale(rollup, merged);
	const char *wanted = "true";
	bool listed = false;

	snapshot.give_name("merged", merged);
	if (stale.count > 0)
	{
		const Ranges ranges =
			cheapest(snapshot, rollup, buckets_of(snapshot, rollup, "merged", "m.stale", {}), slice.slices);
		listed = is_worth_listing(snapshot, rollup, stale);
		if (listed)
		{
			Parameters of_cells;
			const char *const is_listed = is_stale(rollup, stale, of_cells);
			snapshot.give_name("computed", compute(snapshot, rollup, ranges, is_listed, "true", of_cells));
		}
		else
		{
			refresh_ranges(snapshot, rollup, ranges, done);
			wanted = psprintf("(%s) IS NOT TRUE", in_ranges(rollup, ranges, "m", parameters));
		}
	}
	done.marks += snapshot.write(
		psprintf("DELETE FROM %s AS m WHERE %s AND %s", qualified(rollup.marks), slice.condition, wanted), parameters);
	done.cells += write_merged(snapshot, rollup, wanted, parameters);
	if (listed)
		snapshot.write(psprintf("INSERT INTO %s SELECT n.* FROM computed AS n", qualified(rollup.cells)));
	done.method = Max(done.method, stale.count > 0 ? Method::recompute : Method::deltas);
}

void
refresh_slice(OneSnapshot &snapshot, const Rollup &rollup, const Slice &slice, Refreshed &done) noexcept
{
	const char *const marks = qualified(rollup.marks);
	const Ranges dirty = buckets_of(snapshot, rollup, marks, dirty_marks(slice), slice.parameters);

	if ((dirty.count == 0 && !dirty.null_bucket) || are_few_dirty(snapshot, rollup, slice, dirty))
		return refresh_merged(snapshot, rollup, slice, done);
	const Ranges ranges = cheapest(snapshot, rollup, dirty, slice.slices);
	refresh_ranges(snapshot, rollup, ranges, done);
	done.more = done.more || (rollup.additive && !ranges.everything);
}

} // namespace

void
refresh_cells(OneSnapshot &snapshot, const Rollup &rollup, int64 most_marks, Refreshed &done) noexcept
{
	Slice slice;
	const int64 marks = count_marks(snapshot, rollup);

	if (marks == 0)
		return;
	if (is_rebuild_cheaper(snapshot, rollup, marks))
		return refresh_ranges(snapshot, rollup, {.everything = true}, done);
	choose_slice(snapshot, rollup, marks, most_marks, slice, done);
	refresh_slice(snapshot, rollup, slice, done);
}

} // namespace remedy::rollup

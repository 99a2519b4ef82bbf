// Cells that marks are about: what was added is added to them, and those that are dirty or of which an extreme was
// taken away are computed from the source.
//
// All marks of a cell are taken together, so what was added to a cell that is computed is simply dropped with them.

#include "rollup/refresh_by_key.hpp"
#include "rollup/refresh_merge.hpp"
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

// Cells whose marks have no numbers are stale, which can be known before marks and cells are brought together.
struct Dirty
{
	double cells;
	double of_buckets; // cells that their buckets have now
};

Dirty
count_dirty(OneSnapshot &snapshot, const Rollup &rollup, const Slice &slice, const Ranges &ranges) noexcept
{
	Parameters parameters = slice.parameters;
	Datum counts[2];
	bool nulls[2];
	const char *const in_buckets = in_ranges(rollup, ranges, "c", parameters);

	snapshot.read_one(psprintf("SELECT (SELECT count(*) FROM (SELECT DISTINCT m.bucket%s FROM %s AS m WHERE %s) AS d), "
							   "(SELECT count(*) FROM %s AS c WHERE %s)",
							   key_list(rollup, "m"), qualified(rollup.marks), dirty_marks(slice),
							   qualified(rollup.cells), in_buckets),
					  parameters, counts, nulls);
	return {static_cast<double>(DatumGetInt64(counts[0])), static_cast<double>(DatumGetInt64(counts[1]))};
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
		const Choice choice =
			cheapest(snapshot, rollup, buckets_of(snapshot, rollup, "merged", "m.stale", {}), slice.slices);
		const bool by_key = stale.count <= Stale::most_listed && !stale.without_patterns &&
							is_key_cheaper(snapshot, rollup, "merged", "m.stale", {}, stale.count, choice);
		listed = by_key || is_worth_listing(snapshot, rollup, stale);
		if (by_key)
			snapshot.give_name("computed", compute_by_key(snapshot, rollup, stale));
		else if (listed)
		{
			Parameters of_cells;
			const char *const is_listed = is_stale(rollup, stale, of_cells);
			snapshot.give_name("computed", compute(snapshot, rollup, choice.ranges, is_listed, "true", of_cells));
		}
		else
		{
			refresh_ranges(snapshot, rollup, choice.ranges, done);
			wanted = psprintf("(%s) IS NOT TRUE", in_ranges(rollup, choice.ranges, "m", parameters));
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

	if (dirty.count == 0 && !dirty.null_bucket)
		return refresh_merged(snapshot, rollup, slice, done);
	const Choice choice = cheapest(snapshot, rollup, dirty, slice.slices);
	const Dirty count = count_dirty(snapshot, rollup, slice, dirty);
	if (count.cells < most_of_rows * count.of_buckets ||
		is_key_cheaper(snapshot, rollup, marks, dirty_marks(slice), slice.parameters, count.cells, choice))
		return refresh_merged(snapshot, rollup, slice, done);
	refresh_ranges(snapshot, rollup, choice.ranges, done);
	done.more = done.more || (rollup.additive && !choice.ranges.everything);
}

} // namespace

void
refresh_cells(OneSnapshot &snapshot, const Rollup &rollup, int64 most_marks, Refreshed &done) noexcept
{
	Slice slice;
	const int64 marks = snapshot.count(qualified(rollup.marks));

	if (marks == 0)
		return;
	if (is_rebuild_cheaper(snapshot, rollup, marks))
		return refresh_ranges(snapshot, rollup, {.everything = true}, done);
	choose_slice(snapshot, rollup, marks, most_marks, slice, done);
	refresh_slice(snapshot, rollup, slice, done);
}

} // namespace remedy::rollup

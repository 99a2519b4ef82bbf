// Whether some cells are computed from the source, or all of them, by what the planner thinks of it.
//
// Times are of 5,000,000 rows and 20,100 cells, where everything takes 1.2 s and costs 158,000: a unit is 7 µs.

#include "rollup/refresh_merge.hpp"
#include "rollup/refresh_stale.hpp"
#include "rollup/texts.hpp"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace remedy::rollup {

namespace {

// A comparison of each row with a range takes three times what the planner thinks: with one that has all rows it comes
// to 1.07 and was 1.25 of everything.  With one of half of the rows, which is as quick as everything, to 0.90.
constexpr double share_of_all = 0.9;

// Of the cost of a tuple.  To merge and write what one mark adds, beyond deleting it, takes 0.75 µs; to group marks by
// their cells, 0.4 µs.
constexpr double merge_of_mark = 10, grouping_of_mark = 5;

constexpr double small = 0.05; // share of everything that may be spent on looking for something better

// Merging says which cells have lost an extreme, and is for nothing if nearly all have.  It came to 0.12 of everything;
// so a few buckets are merged first.  Cells of which at least as many are stale are not worth being listed.
constexpr int sampled_marks = 10;
constexpr double mostly_stale = 0.5;

Ranges
hull(const Ranges &ranges) noexcept
{
	Ranges one = ranges;

	one.range = static_cast<Range *>(palloc(sizeof(Range)));
	one.range[0] = ranges.range[0];
	one.count = 1;
	for (int i = 1; i < ranges.count; ++i)
		one.range[0].widen(ranges.range[i]);
	return one;
}

// From the first bucket to the last.
Ranges
range_of_marks(OneSnapshot &snapshot, const Rollup &rollup) noexcept
{
	return read_ranges(snapshot, rollup,
					   psprintf("SELECT %s FROM %s AS m HAVING count(m.bucket) > 0",
								range_of(rollup, "min(m.bucket)", "max(m.bucket)"), qualified(rollup.marks)));
}

bool
is_about_everything(OneSnapshot &snapshot, const Rollup &rollup, double all) noexcept
{
	return cost_of_computing(snapshot, rollup, range_of_marks(snapshot, rollup)) > share_of_all * all;
}

bool
is_sample_stale(OneSnapshot &snapshot, const Rollup &rollup, int64 marks) noexcept
{
	const char *const slice =
		psprintf("m.bucket IN (SELECT b.bucket FROM %s AS b TABLESAMPLE pg_catalog.bernoulli (%g) REPEATABLE (0))",
				 qualified(rollup.marks), Min(100, 100.0 * sampled_marks / marks));
	const Result merged = merge(snapshot, rollup, slice, {});

	return find_stale(rollup, merged).count > mostly_stale * merged.count();
}

// Cells of which values were taken away that may have been extremes.
int64
count_diminished(OneSnapshot &snapshot, const Rollup &rollup) noexcept
{
	return snapshot.count(
		psprintf("(SELECT DISTINCT m.bucket%s FROM %s AS m WHERE pg_catalog.num_nonnulls(NULL%s) > 0) AS d",
				 key_list(rollup, "m"), qualified(rollup.marks), removed(rollup, "m")));
}

// Whether it is foreseen that nearly all cells are to be computed when their marks have been merged.
bool
are_most_stale(OneSnapshot &snapshot, const Rollup &rollup, int64 marks, double all) noexcept
{
	const double most_cells = share_of_all * snapshot.count(qualified(rollup.cells));

	return marks >= most_cells && is_about_everything(snapshot, rollup, all) &&
		   count_diminished(snapshot, rollup) >= most_cells && is_sample_stale(snapshot, rollup, marks);
}

} // namespace

Choice
cheapest(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, double times) noexcept
{
	if (ranges.everything)
		return {ranges, 0};
	const double cost = cost_of_computing(snapshot, rollup, ranges);
	if (const Choice choice = {ranges, cost}; choice.is_cheap())
		return choice;
	const Ranges wide = ranges.count > 1 ? hull(ranges) : ranges;
	const double cost_of_wide = ranges.count > 1 ? cost_of_computing(snapshot, rollup, wide) : cost;
	const double all = cost_of_computing(snapshot, rollup, {.everything = true});
	if (Min(cost, cost_of_wide) * times > share_of_all * all)
		return {{.everything = true}, all / times};
	return cost_of_wide < cost ? Choice{wide, cost_of_wide} : Choice{ranges, cost};
}

bool
is_rebuild_cheaper(OneSnapshot &snapshot, const Rollup &rollup, int64 marks) noexcept
{
	const double merge = merge_of_mark * cpu_tuple_cost * marks, grouping = grouping_of_mark * cpu_tuple_cost * marks;

	if (merge < Choice::cheap * small)
		return false;
	const double all = cost_of_computing(snapshot, rollup, {.everything = true});
	if (rollup.additive)
		return merge > all || are_most_stale(snapshot, rollup, marks, all);
	return grouping > small * all && is_about_everything(snapshot, rollup, all);
}

} // namespace remedy::rollup

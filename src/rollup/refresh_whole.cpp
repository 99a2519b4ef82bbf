// Ranges of buckets, refreshed as a whole.

#include "rollup/refresh.hpp"
#include "rollup/texts.hpp"

extern "C" {
#include "utils/typcache.h"
}

namespace remedy::rollup {

namespace {

// Whether states can be told to be the same by grouping them.
bool
is_comparable(const Rollup &rollup) noexcept
{
	for (int i = 0; i < rollup.states; ++i)
		if (!OidIsValid(lookup_type_cache(rollup.state[i].type, TYPECACHE_HASH_PROC)->hash_proc))
			return false;
	return true;
}

bool
has_cells(OneSnapshot &snapshot, const Rollup &rollup) noexcept
{
	Datum value;
	bool null;

	return snapshot.read_one(psprintf("SELECT 1 FROM %s LIMIT 1", qualified(rollup.cells)), {}, &value, &null);
}

// Cells and what was computed, side by side: the place of a cell that stays (of several that are alike, which there
// should not be, one), or null for one that is new.
Result
compare(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, TupleDesc cells) noexcept
{
	Parameters parameters;
	const char *const columns = psprintf("bucket%s, %s", key_list(rollup, "u"), state_list(rollup, "u"));
	const TupleDesc description = CreateTemplateTupleDesc(cells->natts + 1);

	TupleDescInitEntry(description, 1, "tid", TIDOID, -1, 0);
	for (AttrNumber i = 1; i <= cells->natts; ++i)
		TupleDescCopyEntry(description, i + 1, cells, i);
	return snapshot.read(
		psprintf("SELECT max(u.tid), u.%s FROM ("
				 "SELECT c.ctid AS tid, c.* FROM %s AS c WHERE %s UNION ALL SELECT NULL, n.* FROM computed AS n) AS u "
				 "GROUP BY u.%s HAVING count(*) > count(u.tid)",
				 columns, qualified(rollup.cells), in_ranges(rollup, ranges, "c", parameters), columns),
		parameters, description);
}

// Those that are as they should be are left alone.
int64
replace_changed(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, TupleDesc cells) noexcept
{
	Parameters parameters;

	snapshot.give_name("compared", compare(snapshot, rollup, ranges, cells));
	const int64 gone = snapshot.write(
		psprintf("DELETE FROM %s AS c WHERE %s AND NOT EXISTS (SELECT FROM compared AS n WHERE n.tid = c.ctid)",
				 qualified(rollup.cells), in_ranges(rollup, ranges, "c", parameters)),
		parameters);
	const int64 written =
		snapshot.write(psprintf("INSERT INTO %s SELECT n.bucket%s, %s FROM compared AS n "
								"WHERE n.tid IS NULL",
								qualified(rollup.cells), key_list(rollup, "n"), state_list(rollup, "n")));
	return Max(gone, written);
}

int64
replace_all(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges) noexcept
{
	Parameters parameters;
	const int64 gone = snapshot.write(
		psprintf("DELETE FROM %s AS c WHERE %s", qualified(rollup.cells), in_ranges(rollup, ranges, "c", parameters)),
		parameters);
	const int64 written =
		snapshot.write(psprintf("INSERT INTO %s SELECT n.* FROM computed AS n", qualified(rollup.cells)));

	return Max(gone, written);
}

int64
take_marks(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges) noexcept
{
	Parameters parameters;

	return snapshot.write(psprintf("DELETE FROM %s AS m WHERE m.kind = 'r' OR %s", qualified(rollup.marks),
								   in_ranges(rollup, ranges, "m", parameters)),
						  parameters);
}

} // namespace

void
refresh_ranges(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, Refreshed &done) noexcept
{
	Parameters parameters;
	const char *const wanted = in_ranges(rollup, ranges, "g", parameters);
	const Result computed = compute(snapshot, rollup, ranges, "true", wanted, parameters);

	snapshot.give_name("computed", computed);
	done.marks += take_marks(snapshot, rollup, ranges);
	done.cells += is_comparable(rollup) && has_cells(snapshot, rollup)
					  ? replace_changed(snapshot, rollup, ranges, computed.columns)
					  : replace_all(snapshot, rollup, ranges);
	done.method = Max(done.method, ranges.everything ? Method::rebuild : Method::recompute);
	done.more = done.more && !ranges.everything;
}

} // namespace remedy::rollup

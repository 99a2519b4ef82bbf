// Ranges of buckets, computed from the source.
//
// Whether their rows are found by an index, by several or by a scan of the table, and by how many processes, is the
// planner's to say, who sees the times as constants of one condition.

#include "rollup/refresh.hpp"
#include "rollup/texts.hpp"

#include <algorithm>

extern "C" {
#include "utils/date.h"
#include "utils/typcache.h"
}

namespace remedy::rollup {

namespace {

constexpr int most_ranges = 64; // of one condition: planning takes its time, too

int64
number_of(Datum time, Oid type) noexcept
{
	return type == DATEOID ? DatumGetDateADT(time) : DatumGetTimestamp(time);
}

Datum
time_of(int64 number, Oid type) noexcept
{
	return type == DATEOID ? DateADTGetDatum(static_cast<DateADT>(number)) : TimestampGetDatum(number);
}

} // namespace

// ---- Ranges ------------------------------------------------------------------------

const char *
bounds_of(const Rollup &rollup, const char *from, const char *until) noexcept
{
	const char *const unit = quote_literal_cstr(name_of(rollup.unit));
	const char *const zone = rollup.time_zone == nullptr ? "NULL" : quote_literal_cstr(rollup.time_zone);

	return psprintf("remedy.bucket_opens(%s, %s, %s), remedy.bucket_closes(%s, %s, %s)", from, unit, zone, until, unit,
					zone);
}

namespace {

void
add_range(Ranges &ranges, TupleTableSlot *row, Oid type) noexcept
{
	bool null;
	Range range;

	slot_getallattrs(row);
	range.from_open = row->tts_isnull[0];
	range.until_open = row->tts_isnull[1];
	if (range.from_open && range.until_open)
	{
		ranges.everything = true;
		return;
	}
	range.from = number_of(row->tts_values[0], type);
	range.until = number_of(row->tts_values[1], type);
	range.opens = range.from_open ? PG_INT64_MIN : number_of(slot_getattr(row, 3, &null), type);
	range.closes = range.until_open ? PG_INT64_MAX : number_of(slot_getattr(row, 4, &null), type);
	ranges.range[ranges.count++] = range;
}

// Includes another one, that does not open earlier.
void
widen(Range &range, const Range &other) noexcept
{
	range.from = Min(range.from, other.from);
	range.until_open = range.until_open || other.until_open;
	range.until = Max(range.until, other.until);
	range.closes = Max(range.closes, other.closes);
}

// How far it is from what lies before it; 0: they touch.
uint64
gap_before(const Range &range, const Range &before) noexcept
{
	if (range.from_open || before.until_open || range.opens <= before.closes)
		return 0;
	return static_cast<uint64>(range.opens) - static_cast<uint64>(before.closes) - 1;
}

// Ranges that are no farther from each other become one.
void
join(Ranges &ranges, uint64 gap) noexcept
{
	int count = 0;

	for (int i = 1; i < ranges.count; ++i)
		if (gap_before(ranges.range[i], ranges.range[count]) <= gap)
			widen(ranges.range[count], ranges.range[i]);
		else
			ranges.range[++count] = ranges.range[i];
	ranges.count = count + 1;
}

} // namespace

// Few enough for one condition: those with the narrowest gaps between them are taken together.
void
Ranges::join_neighbours() noexcept
{
	if (count == 0)
		return;
	join(*this, 0);
	if (count <= most_ranges)
		return;
	uint64 *const gaps = static_cast<uint64 *>(palloc(sizeof(uint64) * count));
	for (int i = 1; i < count; ++i)
		gaps[i - 1] = gap_before(range[i], range[i - 1]);
	std::nth_element(gaps, gaps + count - most_ranges, gaps + count - 1);
	join(*this, gaps[count - most_ranges]);
}

Ranges
read_ranges(OneSnapshot &snapshot, const Rollup &rollup, const char *statement) noexcept
{
	const TupleDesc columns = CreateTemplateTupleDesc(4);

	for (AttrNumber i = 1; i <= 4; ++i)
		TupleDescInitEntry(columns, i, "time", rollup.time_type, -1, 0);
	const Result result = snapshot.read(statement, {}, columns);
	Ranges ranges = {.range = static_cast<Range *>(palloc(sizeof(Range) * (result.count() + 1)))};
	result.each([&](TupleTableSlot *row) { add_range(ranges, row, rollup.time_type); });
	ranges.join_neighbours();
	return ranges;
}

namespace {

const char *
between(const char *what, bool from_open, int64 from, bool until_open, int64 until, Oid type,
		Parameters &parameters) noexcept
{
	const char *const least =
		from_open ? "true" : psprintf("%s >= %s", what, parameters.add(type, time_of(from, type)));
	const char *const most =
		until_open ? "true" : psprintf("%s <= %s", what, parameters.add(type, time_of(until, type)));
	return psprintf("(%s AND %s)", least, most);
}

// Of the rows that may be in the ranges.
const char *
in_times(const Rollup &rollup, const Ranges &ranges, Parameters &parameters) noexcept
{
	StringInfoData text;

	if (ranges.everything)
		return "true";
	initStringInfo(&text);
	appendStringInfoString(&text, ranges.null_bucket ? "x.time IS NULL" : "false");
	for (int i = 0; i < ranges.count; ++i)
	{
		const Range &range = ranges.range[i];
		appendStringInfo(&text, " OR %s",
						 between("x.time", range.from_open, range.opens, range.until_open, range.closes,
								 rollup.time_type, parameters));
	}
	return text.data;
}

} // namespace

const char *
in_ranges(const Rollup &rollup, const Ranges &ranges, const char *prefix, Parameters &parameters) noexcept
{
	StringInfoData text;
	const char *const bucket = psprintf("%s.bucket", prefix);

	if (ranges.everything)
		return "true";
	initStringInfo(&text);
	appendStringInfo(&text, ranges.null_bucket ? "(%s IS NULL" : "(false", bucket);
	for (int i = 0; i < ranges.count; ++i)
	{
		const Range &range = ranges.range[i];
		appendStringInfo(
			&text, " OR %s",
			between(bucket, range.from_open, range.from, range.until_open, range.until, rollup.time_type, parameters));
	}
	appendStringInfoChar(&text, ')');
	return text.data;
}

// ---- The source ----------------------------------------------------------------------

TupleDesc
columns_of_cells(const Rollup &rollup) noexcept
{
	const Relation cells = table_open(rollup.cells, AccessShareLock);
	const TupleDesc columns = CreateTupleDescCopy(RelationGetDescr(cells));

	for (int i = 0; i < columns->natts; ++i)
		TupleDescAttr(columns, i)->atttypmod = -1;
	table_close(cells, NoLock);
	return columns;
}

namespace {

void
append_columns(StringInfo text, const char *prefix, char kind, int count) noexcept
{
	for (int i = 1; i <= count; ++i)
		appendStringInfo(text, ", %s.%c%d", prefix, kind, i);
}

// What is taken of the rows.  OFFSET keeps the planner from looking into the bucket's expression: of groups by a column
// that is as good as unique it would expect as many as rows, and see no use in several processes.  '0' is a constant
// for it from the beginning, which 0 is not, and does not forbid them.
const char *
rows_of_source(const Rollup &rollup, const Ranges &ranges, Parameters &parameters) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "SELECT remedy.bucket_of(x.time, %s, %s) AS bucket",
					 quote_literal_cstr(name_of(rollup.unit)),
					 rollup.time_zone == nullptr ? "NULL" : quote_literal_cstr(rollup.time_zone));
	append_columns(&text, "x", 'k', rollup.keys);
	append_columns(&text, "x", 'v', rollup.values);
	append_columns(&text, "x", 'f', rollup.filters);
	appendStringInfo(&text, " FROM %s AS x WHERE %s OFFSET '0'", qualified(rollup.rows),
					 in_times(rollup, ranges, parameters));
	return text.data;
}

} // namespace

Result
compute(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, const char *of_rows, const char *of_cells,
		Parameters &parameters) noexcept
{
	const char *const keys = key_list(rollup, "r");

	return snapshot.read(psprintf("SELECT g.* FROM (SELECT r.bucket%s, %s FROM (%s) AS r WHERE %s GROUP BY r.bucket%s "
								  "OFFSET '0') AS g WHERE %s",
								  keys, states_of_rows(rollup, "r"), rows_of_source(rollup, ranges, parameters),
								  of_rows, keys, of_cells),
						 parameters, columns_of_cells(rollup));
}

// ---- Whole ranges ----------------------------------------------------------------------

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
}

} // namespace remedy::rollup

// Ranges of buckets: read, made few enough for one condition, and written as conditions.

#include "rollup/refresh.hpp"
#include "rollup/texts.hpp"

#include <algorithm>

extern "C" {
#include "utils/date.h"
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

const char *
range_of(const Rollup &rollup, const char *from, const char *until) noexcept
{
	const char *const unit = quote_literal_cstr(name_of(rollup.unit));
	const char *const zone = rollup.time_zone == nullptr ? "NULL" : quote_literal_cstr(rollup.time_zone);

	return psprintf("%s, %s, remedy.bucket_opens(%s, %s, %s), remedy.bucket_closes(%s, %s, %s)", from, until, from,
					unit, zone, until, unit, zone);
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
			ranges.range[count].widen(ranges.range[i]);
		else
			ranges.range[++count] = ranges.range[i];
	ranges.count = count + 1;
}

} // namespace

void
Range::widen(const Range &other) noexcept
{
	from = Min(from, other.from);
	until_open = until_open || other.until_open;
	until = Max(until, other.until);
	closes = Max(closes, other.closes);
}

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
read_ranges(OneSnapshot &snapshot, const Rollup &rollup, const char *statement, const Parameters &parameters) noexcept
{
	const TupleDesc columns = CreateTemplateTupleDesc(4);

	for (AttrNumber i = 1; i <= 4; ++i)
		TupleDescInitEntry(columns, i, "time", rollup.time_type, -1, 0);
	const Result result = snapshot.read(statement, parameters, columns);
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

} // namespace

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

} // namespace remedy::rollup

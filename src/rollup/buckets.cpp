// The times that a bucket's rows may have, for index conditions: the bucket of each row is asked for as well.
//
// date_trunc() takes a time's offset off, cuts the local time at the unit, and puts an offset on again.  Minutes and
// hours keep the time's own, so a row is less than the unit after its bucket.  From days on it is the offset of
// the local midnight, of which a clock that is changed may show none or two; rows of that bucket then lie beside it by
// what the two offsets differ, also before it.  So the bounds of days and more are padded by the spread of all offsets
// that the zone has had from some days before the bucket to some days after it: more than two offsets differ.

#include "rollup/definition.hpp"
#include "server/guard.hpp"

extern "C" {
#include "pgtime.h"
#include "utils/date.h"
}

namespace remedy::rollup {

namespace {

constexpr int days_of_offsets = 14; // the longest that the syntax of zones allows is 167 hours, to either side

// The longest one, by the local clock.
int64
length_of(const char *unit) noexcept
{
	static constexpr struct
	{
		const char *name;
		int64 length;
	} units[] = {
		{"minute", USECS_PER_MINUTE},  {"hour", USECS_PER_HOUR},      {"day", USECS_PER_DAY},
		{"week", 7 * USECS_PER_DAY},   {"month", 31 * USECS_PER_DAY}, {"quarter", 92 * USECS_PER_DAY},
		{"year", 366 * USECS_PER_DAY},
	};

	for (const auto &known : units)
		if (strcmp(known.name, unit) == 0)
			return known.length;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("\"%s\" is no unit of buckets", unit)));
	pg_unreachable();
}

struct Spread
{
	long int least = PG_INT32_MAX, greatest = PG_INT32_MIN;

	void add(long int offset) noexcept
	{
		least = Min(least, offset);
		greatest = Max(greatest, offset);
	}
	void add_local(pg_time_t time, const pg_tz *zone) noexcept
	{
		if (const pg_tm *const local = pg_localtime(&time, zone))
			add(local->tm_gmtoff);
	}
};

// Of the offsets that the server may use between two times, in seconds.
int64
spread_of_offsets(pg_time_t from, pg_time_t until, const pg_tz *zone) noexcept
{
	Spread spread;
	long int before, after;
	int before_dst, after_dst, found = 1;
	pg_time_t change;

	spread.add_local(from, zone);
	for (pg_time_t time = from; time <= until && found > 0; time = change)
	{
		found = pg_next_dst_boundary(&time, &before, &before_dst, &change, &after, &after_dst, zone);
		spread.add(found < 0 ? 0 : before); // where it cannot tell, the server goes by UTC
		if (found > 0 && change <= until)
			spread.add_local(change, zone);
	}
	return spread.greatest - spread.least;
}

int64
padding(TimestampTz bucket, int64 length, const char *zone_name) noexcept
{
	const pg_tz *const zone = pg_tzset(zone_name);

	if (zone == nullptr)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" not recognized", zone_name)));
	if (length < USECS_PER_DAY)
		return 0;
	const pg_time_t begin = timestamptz_to_time_t(bucket);
	const pg_time_t around = days_of_offsets * SECS_PER_DAY;
	return spread_of_offsets(begin - around, begin + length / USECS_PER_SEC + around, zone) * USECS_PER_SEC;
}

enum class Side
{
	opens,
	closes
};

Timestamp
bound(Timestamp bucket, int64 length, int64 pad, Side side) noexcept
{
	if (TIMESTAMP_NOT_FINITE(bucket))
		return bucket;
	if (side == Side::opens)
		return bucket - pad < MIN_TIMESTAMP ? DT_NOBEGIN : bucket - pad;
	return bucket >= END_TIMESTAMP - length - pad ? DT_NOEND : bucket + length + pad - 1;
}

DateADT
bound(DateADT bucket, int64 length, Side side) noexcept
{
	if (DATE_NOT_FINITE(bucket) || side == Side::opens)
		return bucket;
	const int64 last = bucket + Max(length / USECS_PER_DAY, 1) - 1;
	return last >= DATE_END_JULIAN - POSTGRES_EPOCH_JDATE ? DATEVAL_NOEND : static_cast<DateADT>(last);
}

Datum
bound_of(FunctionCallInfo fcinfo, Side side) noexcept
{
	const Oid type = get_fn_expr_argtype(fcinfo->flinfo, 0);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	const int64 length = length_of(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (type == DATEOID)
		PG_RETURN_DATEADT(bound(PG_GETARG_DATEADT(0), length, side));
	const Timestamp bucket = PG_GETARG_TIMESTAMP(0);
	if (type == TIMESTAMPOID)
		PG_RETURN_TIMESTAMP(bound(bucket, length, 0, side));
	if (type != TIMESTAMPTZOID || PG_ARGISNULL(2))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a bucket is a timestamptz and has a time zone, or a timestamp or date")));
	const int64 pad = TIMESTAMP_NOT_FINITE(bucket) ? 0 : padding(bucket, length, text_to_cstring(PG_GETARG_TEXT_PP(2)));
	PG_RETURN_TIMESTAMPTZ(bound(bucket, length, pad, side));
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_bucket_opens)
{
	return remedy::rollup::bound_of(fcinfo, remedy::rollup::Side::opens);
}

REMEDY_FUNCTION(remedy_bucket_closes)
{
	return remedy::rollup::bound_of(fcinfo, remedy::rollup::Side::closes);
}

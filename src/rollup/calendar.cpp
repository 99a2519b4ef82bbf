#include "rollup/calendar.hpp"

#include "server/zones.hpp"

extern "C" {
#include "utils/date.h"
#include "utils/datetime.h"
}

namespace remedy::rollup {

namespace {

// Four centuries to either side of 2000: later, where the server repeats a zone's rules, it finds some changes of
// offset at another time than they are.
constexpr int64 plain_days = 146097;                // to each side
constexpr int64 longest_offset = 7 * USECS_PER_DAY; // that the syntax of zones allows
constexpr Stretch plain = {-plain_days * USECS_PER_DAY, plain_days *USECS_PER_DAY};

int64
floor_to(int64 value, int64 unit) noexcept
{
	const int64 rest = value % unit;

	return value - (rest < 0 ? rest + unit : rest);
}

// ---- The server's answers ---------------------------------------------------------

int64
ask_server(const Calendar &calendar, int64 time) noexcept
{
	if (calendar.time_type == TIMESTAMPTZOID)
		return DatumGetInt64(
			DirectFunctionCall3(timestamptz_trunc_zone, calendar.unit_text, Int64GetDatum(time), calendar.zone_text));
	return DatumGetInt64(DirectFunctionCall2(timestamp_trunc, calendar.unit_text, Int64GetDatum(time)));
}

pg_time_t
seconds_of(int64 time) noexcept
{
	return floor_to(time, USECS_PER_SEC) / USECS_PER_SEC +
		   static_cast<pg_time_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;
}

int64
microseconds_of(pg_time_t seconds) noexcept
{
	return (seconds - static_cast<pg_time_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY) * USECS_PER_SEC;
}

struct Change
{
	bool found;
	pg_time_t at;
	long int before, after; // offsets, in seconds; that before also if there is no change
};

Change
next_change(pg_time_t after, const pg_tz *zone) noexcept
{
	Change change = {};
	int before_dst, after_dst;

	const int found =
		pg_next_dst_boundary(&after, &change.before, &before_dst, &change.at, &change.after, &after_dst, zone);
	change.found = found > 0;
	if (found < 0)
		change.before = PG_INT32_MAX; // no offset of anybody's
	return change;
}

// ---- Stretches of one offset -------------------------------------------------------

// The server looks for changes forwards only.
pg_time_t
steady_since(pg_time_t time, const pg_tz *zone) noexcept
{
	constexpr pg_time_t look_back = 400 * SECS_PER_DAY;
	pg_time_t since = time - look_back;

	for (Change change = next_change(since, zone); change.found && change.at <= time; change = next_change(since, zone))
		since = change.at;
	return since;
}

// Null where the server has two opinions on the offset.
const Calendar::Steady *
find_steady(Calendar &calendar, int64 time) noexcept
{
	for (const Calendar::Steady &steady : calendar.steady)
		if (steady.stretch.has(time))
			return &steady;
	const pg_time_t seconds = seconds_of(time);
	const pg_tm *const local = pg_localtime(&seconds, calendar.zone);
	const Change next = next_change(seconds, calendar.zone);
	if (local == nullptr || next.before != local->tm_gmtoff)
		return nullptr;
	Calendar::Steady &steady = calendar.steady[calendar.next_steady];
	calendar.next_steady = (calendar.next_steady + 1) % Calendar::steady_stretches;
	steady.stretch = {microseconds_of(steady_since(seconds, calendar.zone)),
					  next.found ? microseconds_of(next.at) : DT_NOEND};
	steady.offset = next.before * USECS_PER_SEC;
	steady.offset_after = next.found ? next.after * USECS_PER_SEC : steady.offset;
	return &steady;
}

// Whether the server has to find this offset for a local midnight: it looks for the first change after the time
// that lies a day before, as if the midnight were one of Greenwich, and goes by what is before if by both offsets
// the midnight is.
bool
is_beyond_doubt(const Calendar::Steady &steady, int64 midnight) noexcept
{
	return midnight - USECS_PER_DAY >= steady.stretch.from &&
		   midnight - Min(steady.offset, steady.offset_after) < steady.stretch.until;
}

// ---- Arithmetic --------------------------------------------------------------------

Stretch
months_around(int64 local, int months) noexcept
{
	int year, month, day;

	j2date(static_cast<int>(floor_to(local, USECS_PER_DAY) / USECS_PER_DAY) + POSTGRES_EPOCH_JDATE, &year, &month,
		   &day);
	const int first = (month - 1) / months * months + 1;
	const int next = first + months;
	const int from = date2j(year, first, 1) - POSTGRES_EPOCH_JDATE;
	const int until = date2j(next > 12 ? year + 1 : year, next > 12 ? 1 : next, 1) - POSTGRES_EPOCH_JDATE;
	return {from * USECS_PER_DAY, until * USECS_PER_DAY};
}

Stretch
units_around(int64 local, int64 unit, int64 origin = 0) noexcept
{
	const int64 from = floor_to(local - origin, unit) + origin;

	return {from, from + unit};
}

// By the local clock.
Stretch
bucket_around(Unit unit, int64 local) noexcept
{
	constexpr int64 a_monday = 2 * USECS_PER_DAY; // 2000-01-03

	switch (unit)
	{
	case Unit::minute:
		return units_around(local, USECS_PER_MINUTE);
	case Unit::hour:
		return units_around(local, USECS_PER_HOUR);
	case Unit::day:
		return units_around(local, USECS_PER_DAY);
	case Unit::week:
		return units_around(local, 7 * USECS_PER_DAY, a_monday);
	case Unit::month:
		return months_around(local, 1);
	case Unit::quarter:
		return months_around(local, 3);
	case Unit::year:
		return months_around(local, 12);
	}
	pg_unreachable();
}

} // namespace

Calendar
make_calendar(const Rollup &rollup) noexcept
{
	Calendar calendar = {};

	calendar.unit = rollup.unit;
	calendar.time_type = rollup.time_type;
	calendar.unit_text = CStringGetTextDatum(name_of(rollup.unit));
	if (rollup.time_type == TIMESTAMPTZOID)
	{
		calendar.zone = server::zone_named(rollup.time_zone);
		calendar.zone_text = CStringGetTextDatum(rollup.time_zone);
	}
	else
		calendar.steady[0].stretch = {DT_NOBEGIN, DT_NOEND};
	return calendar;
}

int64
find_bucket(Calendar &calendar, int64 time) noexcept
{
	if (TIMESTAMP_NOT_FINITE(time))
		return time;
	const Calendar::Steady *const steady = plain.has(time) ? find_steady(calendar, time) : nullptr;
	if (steady == nullptr)
		return ask_server(calendar, time);
	const int64 offset = steady->offset;
	const Stretch local = bucket_around(calendar.unit, time + offset);
	// Of a minute and an hour it is the time's offset that counts, of what is longer the midnight's.
	calendar.bucket = calendar.unit <= Unit::hour || is_beyond_doubt(*steady, local.from) ? local.from - offset
																						  : ask_server(calendar, time);
	calendar.known = {Max(steady->stretch.from, local.from - offset), Min(steady->stretch.until, local.until - offset)};
	return calendar.bucket;
}

Datum
bucket_of(Calendar &calendar, Datum time) noexcept
{
	if (calendar.time_type != DATEOID)
		return Int64GetDatum(bucket_at(calendar, DatumGetInt64(time)));
	const DateADT date = DatumGetDateADT(time);
	if (DATE_NOT_FINITE(date))
		return time;
	if (date >= -plain_days && date < plain_days)
		return DateADTGetDatum(static_cast<DateADT>(bucket_at(calendar, date * USECS_PER_DAY) / USECS_PER_DAY));
	return DirectFunctionCall1(timestamp_date, DirectFunctionCall2(timestamp_trunc, calendar.unit_text,
																   DirectFunctionCall1(date_timestamp, time)));
}

int64
first_bucket_between(Calendar &calendar, int64 first, int64 end) noexcept
{
	int64 bucket = bucket_at(calendar, first);

	if (calendar.zone == nullptr || !plain.has(first))
		return bucket;
	const int64 last = Min(end - 1, first + longest_offset);
	for (Change change = next_change(seconds_of(first), calendar.zone);
		 change.found && microseconds_of(change.at) <= last; change = next_change(change.at, calendar.zone))
		bucket = Min(bucket, bucket_at(calendar, microseconds_of(change.at)));
	return bucket;
}

int64
last_bucket_between(Calendar &calendar, int64 first, int64 end) noexcept
{
	if (TIMESTAMP_NOT_FINITE(end))
		return end;
	int64 bucket = bucket_at(calendar, end - 1);
	if (calendar.zone == nullptr || !plain.has(end))
		return bucket;
	for (Change change = next_change(seconds_of(Max(first, end - longest_offset)), calendar.zone);
		 change.found && microseconds_of(change.at) < end; change = next_change(change.at, calendar.zone))
		bucket = Max(bucket, bucket_at(calendar, microseconds_of(change.at) - 1));
	return bucket;
}

} // namespace remedy::rollup

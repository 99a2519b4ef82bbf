// Buckets of time, in a zone that the rollup pins.
//
// A bucket is date_trunc(unit, time, zone) of the server, whose rules are the only truth.  While a zone's offset stays
// what it is they are mere arithmetic; near a change of it, and for the times of early and late ages, the server is
// asked.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

// A stretch of time: from <= t < until, in microseconds as the server counts them.
struct Stretch
{
	int64 from, until;

	bool has(int64 time) const noexcept { return time >= from && time < until; }
};

// Plain data.  Remembers the stretch of time around the last bucket asked for within which the answer is the same, so
// that the next row costs two comparisons; and some in which the zone's offset is the same.
struct Calendar
{
	static constexpr int steady_stretches = 4;

	Unit unit;
	Oid time_type;
	pg_tz *zone;     // null: times have none
	Datum unit_text; // for the server's function; in the memory context of make_calendar()
	Datum zone_text;
	Stretch known;
	int64 bucket; // of that
	struct Steady
	{
		Stretch stretch;
		int64 offset;       // in microseconds, east of Greenwich
		int64 offset_after; // then
	} steady[steady_stretches];
	int next_steady; // to be overwritten
};

Calendar make_calendar(const Rollup &rollup) noexcept;
int64 find_bucket(Calendar &calendar, int64 time) noexcept;

// Of timestamp and timestamptz.
inline int64
bucket_at(Calendar &calendar, int64 time) noexcept
{
	return likely(calendar.known.has(time)) ? calendar.bucket : find_bucket(calendar, time);
}

Datum bucket_of(Calendar &calendar, Datum time) noexcept; // of the rollup's type of time

// The first and the last of the buckets that times from `first` on and before `end` can have.  They are not simply
// those of the first and the last time: a clock that is put back at midnight brings the day before back.
int64 first_bucket_between(Calendar &calendar, int64 first, int64 end) noexcept;
int64 last_bucket_between(Calendar &calendar, int64 first, int64 end) noexcept;

} // namespace remedy::rollup

#include "rollup/times.hpp"

#include "server/refusal.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "pgtime.h"
#include "utils/fmgrprotos.h"
}

namespace remedy::rollup {

namespace {

// date_trunc() takes abbreviations for zones first, and which there are depends on a setting of the session.  They are
// words, so no word is safe but those that mean the same everywhere.
bool
may_be_abbreviation(const char *name) noexcept
{
	return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] == '\0' &&
		   pg_strcasecmp(name, "UTC") != 0 && pg_strcasecmp(name, "GMT") != 0;
}

// ---- Units within units ----------------------------------------------------------

TimestampTz
start_of(Unit unit, TimestampTz time, Datum zone) noexcept
{
	return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_trunc_zone, CStringGetTextDatum(name_of(unit)),
												   TimestampTzGetDatum(time), zone));
}

// Buckets shorter than a day begin where the clock's reading says, by the offset of the row's own time.  Where clocks
// were put back in the midst of one, its beginning may be read as one of another day: in America/St_Johns, whose
// clocks went from 0:01 to 23:01.
pg_time_t
first_straddling(Unit finer, Unit unit, const char *zone_name) noexcept
{
	const pg_tz *const zone = pg_tzset(zone_name);
	const Datum zone_text = CStringGetTextDatum(zone_name);
	const pg_time_t last = timestamptz_to_time_t(GetCurrentTimestamp()) + pg_time_t{10} * 366 * SECS_PER_DAY;
	pg_time_t time = 0; // before 1970 zones are kept but for the sake of order
	pg_time_t change;
	long before, after;
	int before_is_summer, after_is_summer;

	while (pg_next_dst_boundary(&time, &before, &before_is_summer, &change, &after, &after_is_summer, zone) > 0 &&
		   change < last)
	{
		const TimestampTz changed = time_t_to_timestamptz(change);
		if (start_of(unit, start_of(finer, changed, zone_text), zone_text) != start_of(unit, changed, zone_text))
			return change;
		time = change;
	}
	return 0;
}

} // namespace

Node *
time_of(Relation source, const char *name) noexcept
{
	const AttrNumber number = get_attnum(RelationGetRelid(source), name);
	if (number == InvalidAttrNumber)
		server::refuse(
			ERRCODE_UNDEFINED_COLUMN,
			psprintf("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(source)),
			nullptr);

	const Form_pg_attribute column = number < 0 ? nullptr : TupleDescAttr(RelationGetDescr(source), number - 1);
	const Oid type = column == nullptr ? InvalidOid : column->atttypid;
	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID)
		server::refuse(ERRCODE_DATATYPE_MISMATCH,
					   psprintf("column \"%s\" of relation \"%s\" is no time", name, RelationGetRelationName(source)),
					   "The time column must be of type timestamp with time zone, timestamp or date.");
	return reinterpret_cast<Node *>(makeVar(1, number, type, column->atttypmod, column->attcollation, 0));
}

Unit
unit_of(const char *bucket, Oid time_type) noexcept
{
	Unit unit;

	if (!find_unit(bucket, unit))
		server::refuse(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("bucket \"%s\" not recognized", bucket),
					   "It is minute, hour, day, week, month, quarter or year.");
	if (time_type == DATEOID && unit < Unit::day)
		server::refuse(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("dates have no buckets of one %s", name_of(unit)),
					   "They have some of a day and longer.");
	return unit;
}

const char *
zone_of(const char *asked, Oid time_type) noexcept
{
	if (time_type != TIMESTAMPTZOID)
	{
		if (asked != nullptr)
			server::refuse(ERRCODE_INVALID_PARAMETER_VALUE,
						   psprintf("a time of type %s has no time zone", format_type_be(time_type)),
						   "Leave time_zone out.");
		return nullptr;
	}

	pg_tz *const zone = asked == nullptr ? session_timezone : pg_tzset(asked);
	if (zone == nullptr || !pg_tz_acceptable(zone))
		server::refuse(ERRCODE_INVALID_PARAMETER_VALUE, psprintf("time zone \"%s\" not recognized", asked),
					   "The view pg_timezone_names lists those that are.");
	const char *const name = pg_get_timezone_name(zone);
	if (may_be_abbreviation(name))
		server::refuse(ERRCODE_INVALID_PARAMETER_VALUE,
					   psprintf("time zone \"%s\" may be an abbreviation of another in some session", name),
					   asked != nullptr
						   ? "Give its full name, such as Europe/Berlin."
						   : "It is the session's: give the full name of one in time_zone, such as Europe/Berlin.");
	return pstrdup(name);
}

void
check_unit_of_level(Unit unit, const Rollup &base) noexcept
{
	const char *const message =
		psprintf("bucket \"%s\" cannot be derived from bucket \"%s\"", name_of(unit), name_of(base.unit));

	if (unit < base.unit || (base.unit == Unit::week && unit != Unit::week))
		server::refuse(ERRCODE_INVALID_PARAMETER_VALUE, message, "Make a rollup of the source itself.");
	if (base.time_zone == nullptr || base.unit >= Unit::day || unit == base.unit)
		return;
	if (const pg_time_t change = first_straddling(base.unit, unit, base.time_zone); change != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg_internal("%s", message),
						errdetail("In time zone %s, when clocks were changed at %s, one %s was in more than one %s.",
								  base.time_zone, timestamptz_to_str(time_t_to_timestamptz(change)), name_of(base.unit),
								  name_of(unit)),
						errhint("Make a rollup of the source itself.")));
}

} // namespace remedy::rollup

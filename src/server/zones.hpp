// Time zones by their names.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "parser/scansup.h"
#include "utils/datetime.h"
}

namespace remedy::server {

// What date_trunc() understands by a name: an abbreviation goes before a zone.
inline pg_tz *
zone_named(const char *name) noexcept
{
#if PG_VERSION_NUM >= 160000
	return DecodeTimezoneNameToTz(name);
#else
	int offset;
	pg_tz *zone;
	const int type = DecodeTimezoneAbbrev(0, downcase_truncate_identifier(name, strlen(name), false), &offset, &zone);

	if (type == TZ || type == DTZ)
		return pg_tzset_offset(-offset);
	if (type != DYNTZ)
		zone = pg_tzset(name);
	if (zone == nullptr)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("time zone \"%s\" not recognized", name)));
	return zone;
#endif
}

} // namespace remedy::server

// Values that have a hash, taken from what the server knows of a column.

#include "scans/constant_hash.hpp"
#include "scans/evidence.hpp"

extern "C" {
#include "catalog/pg_statistic.h"
#include "utils/datum.h"
#include "utils/rls.h"
}

namespace remedy::scans {

namespace {

// As the view pg_stats says it.
bool
may_see_values(Oid relation, AttrNumber column) noexcept
{
	const Oid user = GetUserId();

	return (pg_class_aclcheck(relation, user, ACL_SELECT) == ACLCHECK_OK ||
			pg_attribute_aclcheck(relation, column, user, ACL_SELECT) == ACLCHECK_OK) &&
		   check_enable_rls(relation, user, true) != RLS_ENABLED;
}

bool
find_value(const AttStatsSlot &common, ConstantHash hash, Datum &value) noexcept
{
	for (int i = 0; i < common.nvalues; ++i)
		if (hash_of_constant(common.valuetype, common.values[i]) == hash)
		{
			int16 length;
			bool by_value;
			get_typlenbyval(common.valuetype, &length, &by_value);
			value = datumCopy(common.values[i], by_value, length);
			return true;
		}
	return false;
}

// Of the table alone, or of what inherits from it too.
bool
find_common_value(Oid relation, AttrNumber column, bool inherited, ConstantHash hash, Datum &value, Oid &type) noexcept
{
	const HeapTuple statistics =
		SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relation), Int16GetDatum(column), BoolGetDatum(inherited));
	AttStatsSlot common;
	bool found = false;

	if (!HeapTupleIsValid(statistics))
		return false;
	if (get_attstatsslot(&common, statistics, STATISTIC_KIND_MCV, InvalidOid, ATTSTATSSLOT_VALUES))
	{
		found = find_value(common, hash, value);
		type = common.valuetype;
		free_attstatsslot(&common);
	}
	ReleaseSysCache(statistics);
	return found;
}

} // namespace

bool
recover_constant(Oid relation, AttrNumber column, ConstantHash hash, Datum &value, Oid &type) noexcept
{
	return hash != unknown_constant && hash != varied_constant && may_see_values(relation, column) &&
		   (find_common_value(relation, column, false, hash, value, type) ||
			find_common_value(relation, column, true, hash, value, type));
}

} // namespace remedy::scans

#include "index_advice/storage.hpp"

#include <cmath>

extern "C" {
#include "catalog/pg_statistic.h"
}

namespace remedy::index_advice {

namespace {

constexpr int narrow_bytes = 64;
constexpr BlockNumber large_pages = 1000;
constexpr double in_order = 0.95;

double
correlation_of(Oid relation, AttrNumber column) noexcept
{
	const HeapTuple tuple =
		SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relation), Int16GetDatum(column), BoolGetDatum(false));
	AttStatsSlot slot;
	double correlation = 0;

	if (!HeapTupleIsValid(tuple))
		return 0;
	if (get_attstatsslot(&slot, tuple, STATISTIC_KIND_CORRELATION, InvalidOid, ATTSTATSSLOT_NUMBERS))
	{
		correlation = slot.numbers[0];
		free_attstatsslot(&slot);
	}
	ReleaseSysCache(tuple);
	return correlation;
}

} // namespace

bool
is_narrow(const RelOptInfo &rel, Oid relation, AttrNumber column) noexcept
{
	Oid type, collation;
	int32 modifier;

	get_atttypetypmodcoll(relation, column, &type, &modifier, &collation);
	type = getBaseType(type);
	if (type == JSONOID || type == JSONBOID || type == XMLOID || type == BYTEAOID || type == TSVECTOROID ||
		type_is_array(type))
		return false;
	// The planner knows what the partitions of a parent have.
	const int32 known = rel.attr_widths[column - rel.min_attr];
	const int32 width = known > 0 ? known : get_attavgwidth(relation, column);
	return (width > 0 ? width : get_typavgwidth(type, modifier)) <= narrow_bytes;
}

bool
is_large_and_in_order(const RelOptInfo &rel, Oid relation, AttrNumber column) noexcept
{
	return rel.pages >= large_pages && std::fabs(correlation_of(relation, column)) >= in_order;
}

} // namespace remedy::index_advice

// How the server's own result comes of what is kept for a measure.

#pragma once

#include "rollup/measure_call.hpp"
#include "rollup/measuring.hpp"

namespace remedy::rollup {

// One measure's value and filter among those of the specification.
struct Kept
{
	Specification &specification;
	int value;
	int filter;
	Oid value_type;
	Oid collation;

	int number(StateKind kind, Oid type) const noexcept
	{
		return state_number(specification,
							{kind, value, filter, type, value_type, collation, is_additive(kind, value_type)});
	}
	int count() const noexcept { return number(StateKind::count, INT8OID); }
};

// As an expression over the states.  Adds those that it needs to the specification.
const char *finish(const Kept &kept, const MeasureCall &call, const Aggref *aggregate) noexcept;

} // namespace remedy::rollup

// The call of an aggregate that a measure is written as.

#pragma once

#include "server/headers.hpp"

namespace remedy::rollup {

struct MeasureCall
{
	FuncCall *raw; // to be analysed: of pg_catalog, whatever the search path
	const char *name;
	const Node *argument; // null: of rows
	bool digest;          // a percentile to be told by the extension tdigest
};

// Raises an error for what is no measure, or has clauses that a measure cannot have.
MeasureCall read_call(const Node *raw) noexcept;

// Of a percentile, once it is analysed: as a number is written; an error if it is no constant, or none from 0 to 1.
const char *fraction_of(const Aggref *aggregate) noexcept;

// "avg_cost", "p95_cost", "distinct_cost"; "count" of rows.
const char *usual_measure_name(const MeasureCall &call, const Aggref *aggregate) noexcept;

} // namespace remedy::rollup

// What a rollup is to keep, from what its user wrote.
//
// Keys and measures are expressions of SQL, each with a name if the user gives one ("lower(region) AS region",
// "avg(cost) FILTER (WHERE ok) AS mean_cost").  They are read by the server's own grammar and analysed against the
// source under the caller's search_path.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

struct Named
{
	const char *name;
	Node *expression; // over the source, Var number 1
};

struct Measure
{
	const char *name;
	const char *finish; // SQL over columns s1…: what the view shows
	const char *call;   // what was asked for, over columns v1…, f1…: "avg(v1) FILTER (WHERE f1)"
};

struct Specification
{
	Unit unit;
	const char *time_zone;
	Node *time;     // the time column
	List *keys;     // of Named *
	List *values;   // of Node *, each only once
	List *filters;  // of Node *, each only once
	List *states;   // of State *; the first is count(*), each only once
	List *measures; // of Measure *
};

// Raises an error, with the SQLSTATE of its kind and the text that is wrong, for whatever cannot be kept right: a time
// column of another type, an unknown unit, a zone that is none or an abbreviation, a unit below a day for dates,
// expressions that are not immutable or have sub-queries, aggregates, set-returning functions, system columns,
// parameters; keys that cannot be hashed; measures that are not among those of the documentation; names twice or longer
// than 63 bytes.
const Specification *specify(Relation source, const char *time_column, const char *bucket, ArrayType *keys,
							 ArrayType *measures, const char *time_zone) noexcept;

// The same for a level: its values, filters and states are the base's; measures, which are asked for as the base's
// were, and keys must be derivable from them; the unit must be made of whole ones of the base's, in the base's zone.
// Its time and keys are expressions over the base's cells (Var number 1: bucket, k1…, numbered as in the base's view,
// whose names of them the user writes).
const Specification *specify_level(const Rollup &base, const char *time_column, const char *bucket, ArrayType *keys,
								   ArrayType *measures, const char *time_zone) noexcept;

} // namespace remedy::rollup

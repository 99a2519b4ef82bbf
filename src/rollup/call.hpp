// A rollup as it would be asked for today: columns of its source may have been renamed since it was made.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

struct Call
{
	List *keys;     // of char *: "lower(region) AS region"
	List *measures; // of char *: "avg(cost) FILTER (WHERE ok) AS mean"
	const char *text;
};

// `keys` and `measures` are those of remedy.rollup.  The caller has locked the source and daily_rows.
Call call_of(const Rollup &rollup, ArrayType *keys, ArrayType *measures) noexcept;

} // namespace remedy::rollup

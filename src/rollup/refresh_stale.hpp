// Cells that are to be computed from the source, as a list that a statement can look into.

#pragma once

#include "rollup/refresh.hpp"

namespace remedy::rollup {

struct Stale
{
	ArrayBuildState *cells; // of the row type of the cells' table; not if there are too many
	int count;
	// Of each of bucket, k1…: whether it is null in some of them; some value that it has in others.
	int columns;
	bool *some_null;
	bool *some_value;
	Datum *value;

	static constexpr int most_listed = 50000;
};

// Of what was merged: columns of the cells, then where it is now and whether it is stale.
Stale find_stale(const Rollup &rollup, const Result &merged) noexcept;

// "r (bucket, k1…) is one of them".
const char *is_stale(const Rollup &rollup, const Stale &stale, Parameters &parameters) noexcept;

} // namespace remedy::rollup

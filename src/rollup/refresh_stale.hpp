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

	// Which of bucket, k1… are null together, as bits from the lowest; if there are more of such, or of columns, 0.
	static constexpr int most_patterns = 8;
	uint64 pattern[most_patterns];
	int patterns;
	bool without_patterns;
};

// Of what was merged: columns of the cells, then where it is now and whether it is stale.
Stale find_stale(const Rollup &rollup, const Result &merged) noexcept;

// The operator by which rows are grouped; the name "=" may mean something else, or nothing, under this search_path.
const char *equals(Oid type) noexcept;

// The cells, as a function in FROM.
const char *listed(const Rollup &rollup, const Stale &stale, Parameters &parameters) noexcept;

// "r (bucket, k1…) is one of them".
const char *is_stale(const Rollup &rollup, const Stale &stale, Parameters &parameters) noexcept;

} // namespace remedy::rollup

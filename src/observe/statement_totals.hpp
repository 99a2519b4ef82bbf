// What was counted of this database's statements, by fingerprint: all roles together, those
// of clients and nested ones.

#pragma once

#include "observe/statement_counts.hpp"

namespace remedy::observe {

struct StatementTotals
{
	std::uint64_t fingerprint;
	StatementCounts counts;
};

// In the current memory context, ordered by fingerprint.
struct AllTotals
{
	StatementTotals *totals;
	int count;

	// Null if nothing was counted of it.
	const StatementCounts *of(std::uint64_t fingerprint) const noexcept;
};

AllTotals statement_totals() noexcept;

} // namespace remedy::observe

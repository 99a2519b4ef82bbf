// Corrections of what the server assumes of hypothetical indexes.

#include "what_if/hypothetical.hpp"

#include <algorithm>
#include <cmath>

extern "C" {
#include "access/brin.h"
#include "catalog/pg_am.h"
#include "optimizer/optimizer.h"
}

namespace remedy::what_if {

namespace {

// The server takes a hypothetical BRIN index for one of default ranges.  So it gets to see
// a table that has as many of these as there would be ranges, and the small charge for
// each page of a range is put right.
void
estimate_ranges(PlannerInfo *root, IndexPath *path, double loops, Cost *start, Cost *total, Selectivity *share,
				double *correlation, double *pages)
{
	IndexOptInfo &info = *path->indexinfo;
	const Hypothetical *const index = planned_index(info.indexoid);
	const BlockNumber table_pages = info.rel->pages;
	const double ranges = std::max(1.0, std::ceil(static_cast<double>(table_pages) / index->options.pages_per_range));
	constexpr double assumed = BRIN_DEFAULT_PAGES_PER_RANGE;

	info.rel->pages = static_cast<BlockNumber>(std::min(ranges * assumed, static_cast<double>(MaxBlockNumber)));
	index->routine->amcostestimate(root, path, loops, start, total, share, correlation, pages);
	info.rel->pages = table_pages;
	*total += 0.1 * cpu_operator_cost * *share * ranges * (index->options.pages_per_range - assumed);
}

} // namespace

server::CostEstimator
cost_estimator(const Hypothetical &index) noexcept
{
	const bool other_ranges =
		index.method == BRIN_AM_OID && index.options.pages_per_range != BRIN_DEFAULT_PAGES_PER_RANGE;

	return other_ranges ? estimate_ranges : index.routine->amcostestimate;
}

} // namespace remedy::what_if

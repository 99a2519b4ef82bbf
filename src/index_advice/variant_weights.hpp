// How much each variant of a statement counts, once it is known how many rows it really gave.
// No server headers.

#pragma once

#include <algorithm>

namespace remedy::index_advice {

// Moves the weights, which sum to 1, towards the variant with the fewest or the most expected rows, as far
// as it takes for the expected rows to be the observed ones on average.  Where all variants
// expect the same, as of a count or of a page, the weights stay.
inline void
fit_weights(const double *expected_rows, double observed_rows, double *weights, int count) noexcept
{
	double mean = 0;

	for (int i = 0; i < count; ++i)
		mean += weights[i] * expected_rows[i];
	const bool too_many = mean > observed_rows;
	const auto [least, most] = std::minmax_element(expected_rows, expected_rows + count);
	const double *const towards = too_many ? least : most;
	if (*most <= *least)
		return;
	const double distance = too_many ? mean - *least : *most - mean;
	const double wanted = too_many ? mean - observed_rows : observed_rows - mean;
	const double share = distance <= 0 ? 0 : std::min(wanted / distance, 1.0);
	for (int i = 0; i < count; ++i)
		weights[i] *= 1 - share;
	weights[towards - expected_rows] += share;
}

} // namespace remedy::index_advice

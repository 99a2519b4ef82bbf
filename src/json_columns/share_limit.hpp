// How large a share of all rows can be, of which a random sample showed so many.  No server headers.

#pragma once

#include <cmath>
#include <cstdint>

namespace remedy::json_columns {

// The upper end of Wilson's interval of 95 %.  The share is larger in at most 1 of 20 samples, also
// where the sample shows none: then it is 3.84 / (n + 3.84), somewhat more than the rule of three.
// (For shares above 0.9 the limit is kept less often.)  Fewer than 30 rows tell nothing.
inline double
largest_share(std::int64_t seen, std::int64_t sampled) noexcept
{
	constexpr double z = 1.959964;

	if (sampled < 30)
		return 1;
	const double n = static_cast<double>(sampled);
	const double share = static_cast<double>(seen) / n;
	const double middle = share + z * z / (2 * n);
	const double half = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
	return std::fmin(1, (middle + half) / (1 + z * z / n));
}

} // namespace remedy::json_columns

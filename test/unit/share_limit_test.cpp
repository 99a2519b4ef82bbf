// sources:

#include <cmath>
#include <initializer_list>

#include "check.hpp"
#include "json_columns/share_limit.hpp"

using namespace remedy::json_columns;

// How often a sample of n rows shows a limit below the true share.
static double
misses(double share, int n)
{
	double missed = 0;

	for (int seen = 0; seen <= n; ++seen)
		if (largest_share(seen, n) < share)
			missed += std::exp(std::lgamma(n + 1) - std::lgamma(seen + 1) - std::lgamma(n - seen + 1) +
							   seen * std::log(share) + (n - seen) * std::log1p(-share));
	return missed;
}

TEST(is_kept_in_19_of_20_samples)
{
	for (int n : {1, 5, 30, 77, 1000, 20000})
		for (double share : {1e-5, 1e-4, 0.001, 0.003, 0.01, 0.05, 0.3, 0.5, 0.9})
			CHECK(misses(share, n) <= 0.05);
}

TEST(is_not_much_more_than_what_was_seen)
{
	CHECK(largest_share(0, 1000) < 0.004);
	CHECK(largest_share(100, 1000) > 0.1 && largest_share(100, 1000) < 0.121);
	CHECK(largest_share(1000, 1000) == 1);
	CHECK(largest_share(0, 29) == 1);
}

// sources: src/json_columns/index_growth.cpp
#include "check.hpp"
#include "json_columns/index_growth.hpp"

#include <cmath>

using namespace remedy::json_columns;

namespace {

bool
about(double a, double b, double share)
{
	return std::fabs(a - b) <= share * b;
}

// What a draw of so many out of equally frequent values has.
KeyClass
drawn(double values, double draws)
{
	const double mean = draws / values;
	return {draws, values * (1 - std::exp(-mean)), draws * std::exp(-mean), 4};
}

} // namespace

TEST(new_values_go_on)
{
	CHECK(about(distinct_in({1000, 1000, 1000, 4}, 50), 50000, 0.001));
	CHECK(about(distinct_in({1000, 999, 998, 4}, 50), 50000, 0.1));
}

TEST(few_values_stay)
{
	CHECK(about(distinct_in(drawn(5, 10000), 50), 5, 0.01));
	CHECK(about(distinct_in(drawn(100, 10000), 50), 100, 0.01));
}

TEST(many_values_fill_up)
{
	CHECK(about(distinct_in(drawn(100000, 14000), 10), 100000 * (1 - std::exp(-1.4)), 0.02));
	CHECK(about(distinct_in(drawn(100000, 14000), 50), 100000, 0.02));
	CHECK(about(distinct_in(drawn(1e6, 80000), 50), 1e6 * (1 - std::exp(-4.0)), 0.02));
}

TEST(bytes_grow_with_both)
{
	const KeyClass unique = {1000, 1000, 1000, 4}, few = drawn(5, 1000);
	CHECK(about(gin_bytes(&unique, 1, 1, 100), 28000, 0.01));
	CHECK(about(gin_bytes(&unique, 1, 50, 5000), 50 * 28000, 0.01));
	CHECK(gin_bytes(&few, 1, 1, 100) < 3000);
	CHECK(gin_bytes(&few, 1, 50, 5000) < 50 * 3000);
	CHECK(gin_bytes(&few, 1, 50, 5000) > 40000);
}

TEST(equal_keys_of_a_btree_share_a_tuple)
{
	const KeyClass unique = {1000, 1000, 1000, 8}, twice = {1000, 500, 0, 8};
	CHECK(about(btree_bytes(unique, 0, 1), 20 * 1000, 0.01));
	CHECK(about(btree_bytes(unique, 0, 50), 20 * 50000, 0.01));
	CHECK(about(btree_bytes(unique, 100, 2), 20 * 2000 + 200 * 6, 0.01));
	CHECK(about(btree_bytes(twice, 0, 1), 36 * 500, 0.01));
	// So many draws as there are values, then three times as many.
	CHECK(about(btree_bytes(drawn(20000, 20000), 0, 3) / btree_bytes(drawn(20000, 20000), 0, 1), 2.5, 0.1));
}

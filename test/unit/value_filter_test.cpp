// sources:

#include "check.hpp"

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "repetition/value_filter.hpp"

namespace {

using remedy::repetition::in_column;
using remedy::repetition::ValueFilter;
using remedy::repetition::ValueHash;

std::vector<ValueHash>
hashes(unsigned count, unsigned seed)
{
	std::mt19937_64 random(seed);
	std::vector<ValueHash> values(count);
	for (ValueHash &value : values)
		value = random();
	return values;
}

// Of a million strangers, those that a filter with so many members lets pass; taken over several filters, since
// one alone may be lucky.
double
strangers_passed(unsigned members)
{
	constexpr unsigned filters = 20;
	constexpr unsigned strangers = 50'000;
	unsigned passed = 0;

	for (unsigned round = 0; round < filters; ++round)
	{
		ValueFilter filter = {};
		for (const ValueHash value : hashes(members, round))
			filter.insert(in_column(value, round % 8));
		for (const ValueHash value : hashes(strangers, 1000 + round))
			passed += filter.contains(in_column(value, round % 8));
	}
	return static_cast<double>(passed) / (filters * strangers);
}

bool
is_about(double rate, double promised)
{
	std::printf("strangers: one in %.1f\n", 1 / rate);
	return rate > promised * 0.8 && rate < promised * 1.2;
}

} // namespace

TEST(an_empty_filter_holds_nothing)
{
	const ValueFilter filter = {};
	for (const ValueHash value : hashes(10'000, 1))
		CHECK(!filter.contains(value));
}

TEST(nothing_is_ever_forgotten)
{
	ValueFilter filter = {};
	const std::vector<ValueHash> members = hashes(20'000, 2);
	for (const ValueHash value : members)
	{
		filter.insert(value);
		CHECK(filter.contains(value));
	}
	for (const ValueHash value : members)
		CHECK(filter.contains(value));
}

TEST(a_cleared_filter_holds_nothing)
{
	ValueFilter filter = {};
	const ValueFilter empty = {};
	for (const ValueHash value : hashes(100'000, 3))
		filter.insert(value);
	filter.clear();
	CHECK(std::memcmp(&filter, &empty, sizeof(filter)) == 0);
}

// The numbers of the head comment, which the decision rule relies on.

TEST(of_1000_values_one_stranger_in_6000_passes)
{
	CHECK(is_about(strangers_passed(1000), 1.0 / 6000));
}

TEST(of_4000_values_one_stranger_in_43_passes)
{
	CHECK(is_about(strangers_passed(4000), 1.0 / 43));
}

TEST(of_10000_values_one_stranger_in_4_passes)
{
	CHECK(is_about(strangers_passed(10'000), 1.0 / 4));
}

TEST(each_column_has_its_own_values)
{
	ValueFilter filter = {};
	unsigned mistaken = 0;
	for (const ValueHash value : hashes(500, 4))
		filter.insert(in_column(value, 0));
	for (const ValueHash value : hashes(500, 4))
	{
		CHECK(filter.contains(in_column(value, 0)));
		for (unsigned column = 1; column < 8; ++column)
			mistaken += filter.contains(in_column(value, column));
	}
	CHECK(mistaken <= 2); // of 3,500
}

// Hashes that differ in few bits only must not fall onto one another either.
TEST(similar_values_stay_apart_once_mixed_with_a_column)
{
	ValueFilter filter = {};
	unsigned mistaken = 0;
	for (ValueHash value = 1; value <= 1000; ++value)
		filter.insert(in_column(value, 0));
	for (ValueHash value = 1001; value <= 101'000; ++value)
		mistaken += filter.contains(in_column(value, 0));
	CHECK(mistaken < 40); // 17 expected
}

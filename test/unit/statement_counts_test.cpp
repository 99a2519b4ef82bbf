// sources:

#include "check.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "observe/statement_counts.hpp"

namespace {

using namespace remedy::observe;
using remedy::Nanoseconds;

constexpr Nanoseconds never = std::numeric_limits<Nanoseconds>::max();

} // namespace

TEST(each_part_of_a_key_tells_statements_apart)
{
	const StatementKey key = {1, 2, 3, 0, 0};
	const StatementKey others[] = {{9, 2, 3, 0, 0}, {1, 9, 3, 0, 0}, {1, 2, 9, 0, 0}, {1, 2, 3, 1, 0}};
	for (const StatementKey &other : others)
		CHECK(!(key == other) && key.hash() != other.hash());
	CHECK(key == StatementKey{1, 2, 3, 0, 0});
}

TEST(counts_add_up)
{
	StatementCounts sum;
	sum.clear();
	CHECK(sum.calls == 0 && sum.min == never && sum.max == 0);
	sum.add({2, 1, 10, 300, 100, 200, 50, 60});
	sum.add({3, 2, 20, 400, 90, 150, 40, 55});
	sum.add({0, 0, 0, 0, 95, 120, 45, 45});
	CHECK(sum.calls == 5 && sum.failed == 3 && sum.rows == 30 && sum.total == 700);
	CHECK(sum.min == 90 && sum.max == 200 && sum.first == 40 && sum.last == 60);
}

// The promise of the documentation: within 3.2 % from a microsecond on, within 16 ns below, up to 18 minutes.
TEST(times_are_as_near_as_promised)
{
	std::mt19937_64 random(31);
	const auto is_near = [](Nanoseconds duration) {
		TimeHistogram times = {};
		times.add_to_bucket(time_bucket(duration));
		const Nanoseconds distance = std::abs(time_percentile(times, 0.5) - duration);
		return duration < 1000 ? distance <= 16
							   : static_cast<double>(distance) <= 0.032 * static_cast<double>(duration);
	};
	for (Nanoseconds duration = 0; duration < 20'000; ++duration)
		CHECK(is_near(duration));
	constexpr Nanoseconds longest = 18 * Nanoseconds{60'000'000'000};
	for (int i = 0; i < 100'000; ++i)
		CHECK(is_near(static_cast<Nanoseconds>((random() >> random() % 64) % longest)));
	CHECK(time_bucket(longest) < TimeHistogram::size && time_bucket(never) == TimeHistogram::size - 1);
}

TEST(percentiles_of_nothing_are_zero)
{
	CHECK(time_percentile(TimeHistogram{}, 0.5) == 0);
}

// Against the sorted times themselves: uniform, of two modes, and with a heavy tail.
TEST(percentiles_agree_with_the_exact_ones)
{
	std::mt19937_64 random(77);
	const auto worst_error = [&random](auto &&draw) {
		std::vector<Nanoseconds> exact;
		TimeHistogram times = {};
		for (int i = 0; i < 50'000; ++i)
		{
			exact.push_back(static_cast<Nanoseconds>(draw(random)));
			times.add_to_bucket(time_bucket(exact.back()));
		}
		std::sort(exact.begin(), exact.end());
		double worst = 0;
		for (const unsigned percent : {50u, 95u, 99u})
		{
			const auto value = static_cast<double>(exact[exact.size() * percent / 100 - 1]);
			const auto estimate = static_cast<double>(time_percentile(times, percent / 100.0));
			worst = std::max(worst, std::abs(estimate - value) / value);
		}
		return worst;
	};
	CHECK(worst_error([](auto &from) { return 1'000 + from() % 10'000'000; }) <= 0.032);
	CHECK(worst_error([](auto &from) { return (from() % 10 < 9 ? 2'000 : 50'000'000) + from() % 100; }) <= 0.032);
	CHECK(worst_error([](auto &from) {
			  return 1'000 + std::lognormal_distribution<double>(std::log(100'000.0), 2.0)(from);
		  }) <= 0.032);
}

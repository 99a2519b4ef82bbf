// sources:

#include "check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <random>

#include "rollup/distinct.hpp"

namespace {

using remedy::rollup::distinct_values;
using remedy::rollup::raw_estimate;

constexpr double registers = 1 << remedy::rollup::log2_of_registers;

bool
is_near(double value, double expected, double error)
{
	return std::fabs(value - expected) <= error * expected;
}

// What so many values leave in the registers, and the raw estimate of it.
double
simulated(std::int64_t values, std::mt19937_64 &random)
{
	static unsigned char highest[1 << remedy::rollup::log2_of_registers];
	double sum = 0;

	for (unsigned char &number : highest)
		number = 0;
	for (std::int64_t i = 0; i < values; ++i)
	{
		const std::uint64_t hash = random();
		unsigned char &number = highest[hash % static_cast<std::uint64_t>(registers)];
		number = std::max<unsigned char>(number, 1 + __builtin_ctzll(hash >> remedy::rollup::log2_of_registers));
	}
	for (const unsigned char number : highest)
		sum += std::ldexp(1, -number);
	return 0.7213 / (1 + 1.079 / registers) * registers * registers / sum;
}

} // namespace

TEST(few_values_are_taken_as_told)
{
	for (const double told : {0.0, 1.0, 256.0, 16'384.0, 2.5 * registers})
		CHECK(distinct_values(told) == told);
}

TEST(the_average_of_the_raw_estimate_is_undone)
{
	for (double values = 2.5; values < 50; values *= 1.1)
		CHECK(is_near(distinct_values(raw_estimate(values) * registers), values * registers, 1e-6));
	CHECK(raw_estimate(2.5) > 1.02 * 2.5);
	CHECK(is_near(raw_estimate(20), 20, 1e-3));
	CHECK(is_near(distinct_values(1e9), 1e9, 1e-9));
}

TEST(simulated_registers_are_told_without_bias)
{
	std::mt19937_64 random(3);
	for (const std::int64_t values : {42'000, 50'000, 65'000, 120'000})
	{
		double sum = 0, told = 0;
		for (int i = 0; i < 60; ++i)
		{
			const double raw = simulated(values, random);
			sum += distinct_values(raw);
			told += raw;
		}
		std::printf("%lld values: told %.2f %%, corrected %.2f %% off on average\n", static_cast<long long>(values),
					100 * (told / 60 / static_cast<double>(values) - 1),
					100 * (sum / 60 / static_cast<double>(values) - 1));
		CHECK(is_near(sum / 60, static_cast<double>(values), 0.004));
	}
}

TEST(more_is_never_told_as_less)
{
	double before = 0;
	for (double told = 2.51 * registers; told < 200 * registers; told *= 1.001)
	{
		CHECK(distinct_values(told) > before);
		before = distinct_values(told);
	}
}

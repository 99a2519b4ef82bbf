// sources:

#include "check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "observe/histogram.hpp"

namespace {

using remedy::bucket_middle;
using remedy::bucket_of;
using Full = remedy::Histogram<64>; // has a bucket for every 64-bit value
using Values = std::vector<std::uint64_t>;

constexpr double error_limit = 0.032;
constexpr std::uint64_t highest = UINT64_MAX;

bool
is_near(std::uint64_t estimate, std::uint64_t value)
{
	if (value < 32)
		return estimate == value;
	const std::uint64_t distance = estimate > value ? estimate - value : value - estimate;
	return static_cast<long double>(distance) <= error_limit * static_cast<long double>(value);
}

std::unique_ptr<Full>
histogram_of(const Values &values)
{
	auto histogram = std::make_unique<Full>();
	for (const std::uint64_t value : values)
		histogram->add_to_bucket(Full::bucket(value));
	return histogram;
}

// The value at the nearest rank, which is percent/100 of all, rounded up.
std::uint64_t
nearest_rank(const Values &sorted, unsigned percent)
{
	const std::size_t rank = (sorted.size() * percent + 99) / 100;
	return sorted[std::max<std::size_t>(rank, 1) - 1];
}

// Whether these percentiles are as those of the values themselves, but for the width of a bucket.
bool
agrees(Values values)
{
	const auto histogram = histogram_of(values);
	std::sort(values.begin(), values.end());
	for (const unsigned percent : {0u, 1u, 25u, 50u, 75u, 90u, 95u, 99u, 100u})
		if (!is_near(histogram->percentile(percent / 100.0), nearest_rank(values, percent)))
		{
			std::printf("percentile %u of %zu values is %llu, not %llu\n", percent, values.size(),
						static_cast<unsigned long long>(histogram->percentile(percent / 100.0)),
						static_cast<unsigned long long>(nearest_rank(values, percent)));
			return false;
		}
	return true;
}

template <class Draw>
Values
drawn(unsigned count, Draw &&draw, unsigned seed = 20240917)
{
	std::mt19937_64 random(seed);
	Values values(count);
	for (std::uint64_t &value : values)
		value = static_cast<std::uint64_t>(draw(random));
	return values;
}

// The greatest relative error of p50, p95 and p99 among many loads of this kind.
template <class Draw>
double
worst_error(const char *name, Draw &&draw)
{
	double worst = 0;
	for (unsigned seed = 1; seed <= 100; ++seed)
	{
		Values values = drawn(2'000, draw, seed);
		const auto histogram = histogram_of(values);
		std::sort(values.begin(), values.end());
		for (const unsigned percent : {50u, 95u, 99u})
		{
			const double exact = static_cast<double>(nearest_rank(values, percent));
			const double estimate = static_cast<double>(histogram->percentile(percent / 100.0));
			worst = std::max(worst, std::abs(estimate - exact) / exact);
		}
	}
	std::printf("worst error of p50, p95 and p99, %s: %.2f %%\n", name, 100 * worst);
	return worst;
}

} // namespace

TEST(values_below_32_are_exact)
{
	for (std::uint64_t value = 0; value < 32; ++value)
		CHECK(bucket_middle(bucket_of(value)) == value);
}

TEST(buckets_are_near_their_values_over_the_whole_range)
{
	for (unsigned octave = 5; octave < 64; ++octave)
		for (std::uint64_t step = 0; step < 16; ++step)
		{
			const std::uint64_t lowest = (16 + step) << (octave - 4);
			const std::uint64_t last = lowest + (std::uint64_t{1} << (octave - 4)) - 1;
			CHECK(is_near(bucket_middle(bucket_of(lowest)), lowest));
			CHECK(is_near(bucket_middle(bucket_of(last)), last));
		}
	CHECK(is_near(bucket_middle(bucket_of(highest)), highest));
}

TEST(buckets_follow_each_other_without_gap_or_overlap)
{
	for (unsigned bucket = 0; bucket < Full::size; ++bucket)
		CHECK(bucket_of(bucket_middle(bucket)) == bucket);
	for (std::uint64_t value = 1; value < 100'000; ++value)
	{
		const unsigned step = bucket_of(value) - bucket_of(value - 1);
		CHECK(step <= 1);
	}
	CHECK(bucket_of(highest) == Full::size - 1);
}

TEST(random_values_are_near)
{
	std::mt19937_64 random(7);
	for (int i = 0; i < 200'000; ++i)
	{
		const std::uint64_t value = random() >> random() % 64;
		CHECK(is_near(bucket_middle(bucket_of(value)), value));
	}
}

TEST(percentiles_of_a_uniform_distribution)
{
	CHECK(agrees(drawn(10'000, [](auto &random) { return random() % 1'000'000; })));
}

TEST(percentiles_of_two_far_peaks)
{
	CHECK(agrees(drawn(10'000, [](auto &random) { return random() % 10 < 9 ? 40 + random() % 5 : 5'000'000'000; })));
}

TEST(percentiles_of_a_heavy_tail)
{
	CHECK(agrees(drawn(10'000, [](auto &random) {
		std::exponential_distribution<double> exponent(1.0);
		return 100 * std::exp(2 * exponent(random));
	})));
}

// Nanoseconds: up to 10 ms; 20 microseconds or 50 ms, with some jitter; log-normal around 100 microseconds.
TEST(percentiles_of_execution_times_are_within_5_percent)
{
	CHECK(worst_error("uniform", [](auto &random) { return 1 + random() % 10'000'000; }) <= 0.05);
	CHECK(worst_error("bimodal", [](auto &random) {
			  const std::uint64_t mode = random() % 10 < 9 ? 20'000 : 50'000'000;
			  return mode + random() % (mode / 5);
		  }) <= 0.05);
	CHECK(worst_error("heavy-tailed", [](auto &random) {
			  return std::lognormal_distribution<double>(std::log(100'000.0), 2.0)(random);
		  }) <= 0.05);
}

TEST(percentiles_of_few_values)
{
	for (unsigned count = 1; count <= 210; ++count)
		CHECK(agrees(drawn(count, [](auto &random) { return random() % 32; })));
}

TEST(percentiles_never_fall)
{
	const auto histogram = histogram_of(drawn(1000, [](auto &random) { return random() % 5000; }));
	for (int percent = 1; percent <= 100; ++percent)
		CHECK(histogram->percentile(percent / 100.0) >= histogram->percentile((percent - 1) / 100.0));
}

TEST(an_empty_histogram_has_percentile_0)
{
	const remedy::Histogram<31> histogram = {};
	CHECK(histogram.percentile(0.0) == 0);
	CHECK(histogram.percentile(0.5) == 0);
	CHECK(histogram.percentile(1.0) == 0);
}

TEST(what_is_too_large_falls_into_the_last_bucket)
{
	using Small = remedy::Histogram<10>;
	CHECK(Small::bucket(1023) == Small::size - 1);
	CHECK(Small::bucket(991) == Small::size - 2);
	CHECK(Small::bucket(1024) == Small::size - 1);
	CHECK(Small::bucket(highest) == Small::size - 1);

	Small histogram = {};
	histogram.add_to_bucket(Small::bucket(highest));
	CHECK(is_near(histogram.percentile(1.0), 1023));
}

TEST(a_sum_of_histograms_is_the_histogram_of_all_values)
{
	const Values low = drawn(900, [](auto &random) { return random() % 100; });
	const Values high = drawn(100, [](auto &random) { return 1'000'000 + random() % 1'000'000; });
	Values all = low;
	all.insert(all.end(), high.begin(), high.end());

	const auto sum = histogram_of(low);
	sum->add(*histogram_of(high));
	const auto expected = histogram_of(all);
	CHECK(std::equal(sum->counts, sum->counts + Full::size, expected->counts));
}

TEST(counts_near_the_end_of_their_range_are_halved_together)
{
	using Small = remedy::Histogram<10>;
	Small histogram = {};
	histogram.add_to_bucket(3, Small::most - 1);
	histogram.add_to_bucket(9, 1000);
	CHECK(histogram.counts[3] == Small::most - 1);
	histogram.add_to_bucket(3);
	CHECK(histogram.counts[3] == Small::most / 2 && histogram.counts[9] == 500);

	Small sum = {};
	sum.add_to_bucket(3, Small::most / 2 + 10);
	sum.add(histogram);
	CHECK(sum.counts[3] == Small::most / 2 + 5 && sum.counts[9] == 250);
}

TEST(a_cleared_histogram_is_like_a_new_one)
{
	const auto histogram = histogram_of(drawn(900, [](auto &random) { return random() % 5000; }));
	const auto other = histogram_of({7, 900'000});

	histogram->clear();
	CHECK(histogram->percentile(0.5) == 0);
	histogram->add(*other);
	CHECK(std::equal(other->counts, other->counts + Full::size, histogram->counts));
	CHECK(histogram->percentile(0.5) == 7);
}

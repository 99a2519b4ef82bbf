// sources:

#include "check.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "rollup/histogram.hpp"

namespace {

using namespace remedy::rollup;
using Values = std::vector<double>;

constexpr double error_limit = 1.0 / 128;
constexpr double infinity = std::numeric_limits<double>::infinity();

// What is not given back is found by the sum.
struct Counted
{
	static inline long open = 0;

	void *allocate(std::size_t size) const noexcept
	{
		++open;
		return std::malloc(size);
	}
	void release(void *memory) const noexcept
	{
		--open;
		std::free(memory);
	}
};

using Counts = Histogram<Counted>;

std::string
bytes_of(const Counts &counts)
{
	std::string bytes(counts.encoded_size_limit(), '\0');

	bytes.resize(counts.encode(reinterpret_cast<unsigned char *>(bytes.data())));
	return bytes;
}

const unsigned char *
start(const std::string &bytes)
{
	return reinterpret_cast<const unsigned char *>(bytes.data());
}

void
count(Counts &counts, const Values &values, std::int64_t times = 1)
{
	for (const double value : values)
		CHECK(counts.add(histogram_bucket(value), times));
}

std::string
encoded(const Values &values)
{
	Counts counts{Counted{}};

	count(counts, values);
	return bytes_of(counts);
}

// False if they are no histogram.
bool
merge(Counts &counts, const std::string &bytes)
{
	HistogramReader reader(start(bytes), bytes.size());
	BucketCount pair;

	while (reader.next(pair))
		CHECK(counts.add(pair.bucket, pair.count));
	return !reader.broken();
}

Percentile
tell(const std::string &bytes, double fraction, double &result)
{
	return percentile_of(start(bytes), bytes.size(), fraction, result);
}

double
told(const std::string &bytes, double fraction)
{
	double result = NAN;

	CHECK(tell(bytes, fraction, result) == Percentile::told);
	return result;
}

bool
is_near(double estimate, double value)
{
	return std::fabs(estimate - value) <= error_limit * std::fabs(value);
}

// percentile_cont
double
exact(const Values &sorted, double fraction)
{
	const double rank = fraction * static_cast<double>(sorted.size() - 1);
	const double low = sorted[static_cast<std::size_t>(std::floor(rank))];
	const double high = sorted[static_cast<std::size_t>(std::ceil(rank))];

	return low + (rank - std::floor(rank)) * (high - low);
}

double
worst_error(const char *name, auto &&draw)
{
	double worst = 0;
	for (unsigned seed = 1; seed <= 50; ++seed)
	{
		std::mt19937_64 random(seed);
		Values values(1 + random() % 3000);
		std::generate(values.begin(), values.end(), [&] { return draw(random); });
		const std::string bytes = encoded(values);
		std::sort(values.begin(), values.end());
		for (const double fraction : {0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0})
			worst = std::max(worst, std::fabs(told(bytes, fraction) / exact(values, fraction) - 1));
	}
	std::printf("worst error of percentiles, %s: %.2f %%\n", name, 100 * worst);
	return worst;
}

// Bit patterns over the whole range: of both signs and all sizes.
double
any_number(std::mt19937_64 &random)
{
	for (;;)
		if (const double value = std::bit_cast<double>(random()); std::isfinite(value))
			return value;
}

Values
extremes()
{
	Values values = {0.0, -0.0, 1, -1, DBL_MIN, -DBL_MIN, DBL_MAX, -DBL_MAX, DBL_EPSILON};

	for (int exponent = -1074; exponent < 1024; ++exponent)
	{
		const double power = std::ldexp(1, exponent);
		for (const double value : {power, std::nextafter(power, 0), std::nextafter(power, DBL_MAX)})
		{
			values.push_back(value);
			values.push_back(-value);
		}
	}
	return values;
}

} // namespace

TEST(what_stands_for_a_bucket_is_near_its_values)
{
	std::mt19937_64 random(5);
	for (int i = 0; i < 500'000; ++i)
	{
		const double value = any_number(random);
		CHECK(is_near(middle_of(histogram_bucket(value)), value));
	}
	for (const double value : extremes())
		CHECK(is_near(middle_of(histogram_bucket(value)), value));
}

TEST(numbers_without_an_exponent_are_near_too)
{
	std::mt19937_64 random(6);
	for (int i = 0; i < 200'000; ++i)
	{
		const double value = std::bit_cast<double>(random() >> (12 + random() % 52));
		CHECK(is_near(middle_of(histogram_bucket(value)), value));
	}
}

// But for those of numbers so small that they have not enough bits to lie in each of the buckets.
TEST(each_bucket_stands_for_itself_and_follows_the_one_before)
{
	const std::int32_t least = histogram_bucket(DBL_MIN);
	int wrong = 0;

	for (std::int32_t bucket = least; bucket <= nan_bucket; ++bucket)
	{
		wrong += histogram_bucket(middle_of(bucket)) != bucket;
		wrong += bucket < nan_bucket && histogram_bucket(middle_of(-bucket)) != -bucket;
		wrong += bucket > least && bucket < nan_bucket && !(middle_of(bucket) > middle_of(bucket - 1));
	}
	CHECK(wrong == 0);
}

TEST(buckets_are_ordered_as_values_are)
{
	Values values = extremes();
	values.insert(values.end(), {infinity, -infinity});
	std::sort(values.begin(), values.end());
	for (std::size_t i = 1; i < values.size(); ++i)
		CHECK(histogram_bucket(values[i - 1]) <= histogram_bucket(values[i]));
	CHECK(histogram_bucket(DBL_MAX) == greatest_bucket && histogram_bucket(-DBL_MAX) == -greatest_bucket);
	CHECK(histogram_bucket(std::numeric_limits<double>::denorm_min()) == 1);
	CHECK(histogram_bucket(0.0) == 0 && histogram_bucket(-0.0) == 0);
	CHECK(histogram_bucket(infinity) == infinite_bucket && histogram_bucket(-infinity) == -infinite_bucket);
	CHECK(histogram_bucket(NAN) == nan_bucket && histogram_bucket(-NAN) == nan_bucket);
}

TEST(percentiles_are_within_the_error)
{
	CHECK(worst_error("uniform", [](auto &random) { return 1 + random() % 10'000'000 / 1000.0; }) <= error_limit);
	CHECK(worst_error("lognormal", [](auto &random) { return std::lognormal_distribution<double>(3, 2)(random); }) <=
		  error_limit);
	CHECK(worst_error("bimodal", [](auto &random) {
			  return random() % 10 < 9 ? 20 + random() % 5 : 5e6 + random() % 100'000;
		  }) <= error_limit);
	CHECK(worst_error("negative", [](auto &random) { return -std::exp(std::normal_distribution<double>()(random)); }) <=
		  error_limit);
}

TEST(values_of_both_signs_and_zero)
{
	CHECK(is_near(told(encoded({-3, -2, 0, 2, 3}), 0), -3));
	CHECK(told(encoded({-3, -2, 0, 2, 3}), 0.5) == 0);
	CHECK(is_near(told(encoded({-3, -2, 0, 2, 3}), 1), 3));
	CHECK(told(encoded({-3, -2, 2, 3}), 0.5) == 0); // half way between the buckets of -2 and 2
	CHECK(is_near(told(encoded({10, 20}), 0.25), 12.5));
	CHECK(is_near(told(encoded({7}), 0.3), 7));
}

TEST(infinities_and_nan)
{
	CHECK(told(encoded({-infinity, 1, 2}), 0) == -infinity);
	CHECK(told(encoded({1, 2, infinity}), 1) == infinity);
	CHECK(told(encoded({1, infinity}), 0.5) == infinity);
	CHECK(told(encoded({infinity, infinity}), 0.5) == infinity);
	CHECK(std::isnan(told(encoded({-infinity, infinity}), 0.5)));
	CHECK(std::isnan(told(encoded({1, NAN}), 1)));
	CHECK(is_near(told(encoded({1, NAN}), 0), 1));
	CHECK(is_near(told(encoded({1, 2, NAN}), 0.5), 2));
}

TEST(merging_and_taking_away_give_the_bytes_of_what_is_left)
{
	std::mt19937_64 random(8);
	for (int round = 0; round < 50; ++round)
	{
		Values kept(random() % 500), gone(random() % 500);
		std::generate(kept.begin(), kept.end(), [&] { return std::ldexp(any_number(random), round % 2 ? -1000 : 0); });
		std::generate(gone.begin(), gone.end(), [&] { return any_number(random); });

		Counts parts{Counted{}}, negative{Counted{}};
		count(negative, gone, -1);
		CHECK(merge(parts, bytes_of(negative)));
		CHECK(merge(parts, encoded(gone)));
		CHECK(merge(parts, encoded(kept)));
		CHECK(bytes_of(parts) == encoded(kept));

		std::shuffle(kept.begin(), kept.end(), random);
		CHECK(bytes_of(parts) == encoded(kept));
	}
}

TEST(what_is_only_taken_away_has_no_percentile)
{
	Counts counts{Counted{}};
	double result;

	count(counts, {1, 2}, -1);
	count(counts, {3, 4, 5});
	CHECK(tell(bytes_of(counts), 0.5, result) == Percentile::negative);
}

TEST(nothing_has_no_percentile)
{
	Counts counts{Counted{}};
	double result;

	CHECK(counts.encoded_size_limit() == 1 && tell(bytes_of(counts), 0.5, result) == Percentile::empty);
	count(counts, {1, 2, 3});
	count(counts, {1, 2, 3}, -1);
	CHECK(bytes_of(counts).size() == 1 && tell(bytes_of(counts), 0.5, result) == Percentile::empty);
}

TEST(counts_stay_in_their_range)
{
	Counts counts{Counted{}};

	CHECK(counts.add(7, INT64_MAX));
	CHECK(!counts.add(7, 1));
	CHECK(counts.add(8, INT64_MIN));
	CHECK(!counts.add(8, -1));
	const std::string bytes = bytes_of(counts);
	Counts copy{Counted{}};
	CHECK(merge(copy, bytes) && bytes_of(copy) == bytes);

	double result;
	Counts two{Counted{}};
	CHECK(two.add(7, INT64_MAX) && two.add(8, 1));
	CHECK(tell(bytes_of(two), 0.5, result) == Percentile::broken);
}

TEST(all_buckets_together)
{
	const long open = Counted::open;
	Counts counts{Counted{}};

	for (std::int32_t bucket = -infinite_bucket; bucket <= nan_bucket; ++bucket)
		CHECK(counts.add(bucket, 1));
	const std::string bytes = bytes_of(counts);
	CHECK(bytes.size() < 600'000);
	Counts copy{Counted{}};
	CHECK(merge(copy, bytes) && bytes_of(copy) == bytes);
	CHECK(Counted::open == open + 2); // no more than their tables
}

TEST(what_comes_and_goes_takes_no_room)
{
	Counts counts{Counted{}};

	for (int i = 0; i < 1000; ++i)
	{
		CHECK(counts.add(i, 1));
		CHECK(counts.add(i, -1));
	}
	CHECK(counts.encoded_size_limit() < 1000 * Counts::longest_pair);
	CHECK(bytes_of(counts).size() == 1);
}

TEST(bytes_of_another_layout_or_none_are_broken)
{
	double result;

	for (const std::string &bytes :
		 {std::string(), std::string("\0", 1), std::string("\2"), std::string("\1\2"), std::string("\1\2\0", 3),
		  std::string("\1\2\2\0\2", 5), std::string("\1\x82\0\2", 4), std::string("\1\2\x82\0", 4),
		  "\1\2" + std::string(10, '\xff'), "\1\2" + std::string(9, '\xff') + '\2',
		  std::string("\1\xff\xff\xff\xff\xf\2"), std::string("\1\2\2\xff\xff\xff\xff\xf\2"),
		  std::string("\1\x86\xb2\x10\2"), std::string("\1\x83\xb2\x10\2")})
		CHECK(tell(bytes, 0.5, result) == Percentile::broken);
	CHECK(is_near(told(std::string("\1\2\2"), 0.5), 5e-324));
	CHECK(encoded({NAN}).size() == 5 && encoded({-infinity}).size() == 5 && encoded({1}).size() == 5);
}

// Whatever is read is one multiset's only spelling, or broken.
TEST(random_bytes_are_broken_or_canonical)
{
	std::mt19937_64 random(9);
	int read = 0;
	for (int i = 0; i < 300'000; ++i)
	{
		std::string bytes = i % 2 ? encoded({1, 1, -7, 1e300, 0, NAN}) : std::string(random() % 12, '\1');
		for (unsigned changes = static_cast<unsigned>(random() % 4); changes > 0 && !bytes.empty(); --changes)
			bytes[random() % bytes.size()] = static_cast<char>(random() >> random() % 64);
		if (random() % 8 == 0)
			bytes.resize(random() % (bytes.size() + 3));
		// In a room of exactly their size, so that a byte too many is found.
		const std::vector<unsigned char> room(bytes.begin(), bytes.end());
		Counts counts{Counted{}};
		HistogramReader reader(room.data(), room.size());
		BucketCount pair;
		while (reader.next(pair))
			CHECK(counts.add(pair.bucket, pair.count));
		if (reader.broken())
			continue;
		++read;
		CHECK(bytes_of(counts) == bytes);
		double result;
		tell(bytes, 0.3, result);
	}
	CHECK(read > 1000);
}

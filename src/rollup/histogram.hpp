// Counts of floating-point values in logarithmic buckets, from which percentiles are told.
//
// After the idea of DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
// relative-error guarantees", 2019): the width of a bucket is a fixed share of the values in it.  Here every power of
// two is cut into 64 equal buckets, so that the bucket of a value is in the first 18 of its bits, on every machine the
// same one, and what stands for a bucket (middle_of) is at most 1/128, 0.78 %, away from any value in it.
//
//   - All values have a bucket of their size: there are 134,272 of each sign, and one each for zero, the infinities and
//     NaN.  So what a histogram takes is bounded (some 3 MB), and nothing is ever merged or lost.
//   - Counts are whole numbers that may be added and taken away in any order, also below zero, as long as the histogram
//     is only what is to be added to another.
//   - As bytes: a byte for the layout, then of each bucket with a count, in ascending order of values, the distance
//   from
//     the bucket before (of the first, its number, zigzag) and the count (zigzag), as base-128 varints of the shortest
//     form, low bits first.  So equal counts are equal bytes.

#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace remedy::rollup {

// ---- Buckets, numbered as the server orders values: zero is 0, NaN the last ------------------------------------

constexpr std::int32_t steps_in_octave = 64;
// What the first bits of the least value above zero are, once it is scaled to have an exponent.
constexpr std::int32_t before_least = (64 - 13) * steps_in_octave + 1;
constexpr std::int32_t greatest_bucket = 2047 * steps_in_octave - 1 + before_least;
constexpr std::int32_t infinite_bucket = greatest_bucket + 1;
constexpr std::int32_t nan_bucket = infinite_bucket + 1;

inline std::int32_t
histogram_bucket(double value) noexcept
{
	if (std::isnan(value))
		return nan_bucket;
	const double size = std::fabs(value);
	std::int32_t bucket = 0;
	if (size >= 0x1p-1022)
		bucket = static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(size) >> 46) + before_least;
	else if (size > 0) // it has fewer bits, and would have no exponent
		bucket = static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(size * 0x1p64) >> 46) - 64 * steps_in_octave +
				 before_least;
	return value < 0 ? -bucket : bucket;
}

// The value that stands for a bucket: as far from its lower bound as from its upper one, in shares of these.
inline double
middle_of(std::int32_t bucket) noexcept
{
	const std::int32_t size = std::abs(bucket);

	if (bucket == 0)
		return 0;
	if (size > infinite_bucket)
		return NAN;
	if (size == infinite_bucket)
		return bucket < 0 ? -INFINITY : INFINITY;
	const std::int32_t bits = size - before_least;
	const double from = steps_in_octave + (bits & (steps_in_octave - 1));
	const double middle = std::ldexp(2 * from * (from + 1) / (2 * from + 1), (bits >> 6) - 1023 - 6);
	return bucket < 0 ? -middle : middle;
}

// ---- Counting ---------------------------------------------------------------------------------------------------

struct BucketCount
{
	std::int32_t bucket;
	std::int64_t count;
};

// A hash table.  Plain data: nothing happens at its end.  Memory is two functions, void *allocate(size_t) and
// void release(void *); an allocation fails, if at all, by leaving the function.
template <class Memory>
class Histogram
{
public:
	explicit Histogram(Memory memory) noexcept : memory_(memory) {}

	// False if the count of a bucket would leave the range of 64 bits; then nothing is changed.
	bool add(std::int32_t bucket, std::int64_t count) noexcept
	{
		if (used_ * 4 >= size_ * 3)
			grow();
		BucketCount &place = find(bucket);
		if (place.bucket == nobody)
		{
			place = {bucket, 0};
			++used_;
		}
		return !__builtin_add_overflow(place.count, count, &place.count);
	}

	// Calls visit(const BucketCount &) for each count that is not zero, in no order, as long as it returns true.
	template <class Visit>
	bool visit(Visit &&visit) const noexcept
	{
		return std::all_of(places_, places_ + size_,
						   [&](const BucketCount &place) noexcept { return place.count == 0 || visit(place); });
	}

	// Returns how many bytes were written.
	std::size_t encode(unsigned char *bytes) const noexcept;
	std::size_t encoded_size_limit() const noexcept { return 1 + std::size_t{used_} * longest_pair; }

	static constexpr std::size_t longest_pair = 3 + 10;

private:
	static constexpr std::int32_t nobody = INT32_MIN;
	static constexpr std::uint32_t first_size = 8;

	BucketCount &find(std::int32_t bucket) const noexcept
	{
		const std::uint32_t mask = size_ - 1;
		std::uint32_t at = static_cast<std::uint32_t>(bucket) * 2654435769u;

		at ^= at >> 15;
		while (places_[at & mask].bucket != bucket && places_[at & mask].bucket != nobody)
			++at;
		return places_[at & mask];
	}

	void grow() noexcept
	{
		BucketCount *const before = places_;
		const std::uint32_t size_before = size_;
		const std::uint32_t size = size_ == 0 ? first_size : size_ * 2;

		places_ = static_cast<BucketCount *>(memory_.allocate(size * sizeof(BucketCount)));
		std::fill(places_, places_ + size, BucketCount{nobody, 0});
		size_ = size;
		used_ = 0;
		for (std::uint32_t i = 0; i < size_before; ++i)
			if (before[i].count != 0)
			{
				find(before[i].bucket) = before[i];
				++used_;
			}
		if (before != nullptr)
			memory_.release(before);
	}

	Memory memory_;
	BucketCount *places_ = nullptr;
	std::uint32_t size_ = 0;
	std::uint32_t used_ = 0; // places taken, also those whose count is zero by now
};

// ---- Bytes --------------------------------------------------------------------------------------------------------

constexpr unsigned char histogram_layout = 1; // of buckets and bytes

namespace histogram_detail {

constexpr std::uint64_t
zigzag(std::int64_t number) noexcept
{
	return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}

constexpr std::int64_t
unzigzag(std::uint64_t number) noexcept
{
	return static_cast<std::int64_t>((number >> 1) ^ (~(number & 1) + 1));
}

inline unsigned char *
write(unsigned char *to, std::uint64_t number) noexcept
{
	for (; number >= 128; number >>= 7)
		*to++ = static_cast<unsigned char>(number | 128);
	*to++ = static_cast<unsigned char>(number);
	return to;
}

} // namespace histogram_detail

template <class Memory>
std::size_t
Histogram<Memory>::encode(unsigned char *bytes) const noexcept
{
	using namespace histogram_detail;
	auto *const sorted = static_cast<BucketCount *>(memory_.allocate((used_ + 1) * sizeof(BucketCount)));
	BucketCount *const end =
		std::copy_if(places_, places_ + size_, sorted, [](auto &place) { return place.count != 0; });
	unsigned char *to = bytes;
	std::int32_t before = 0;

	std::sort(sorted, end, [](auto &a, auto &b) { return a.bucket < b.bucket; });
	*to++ = histogram_layout;
	for (const BucketCount *i = sorted; i != end; ++i)
	{
		to = write(to, i == sorted ? zigzag(i->bucket) : static_cast<std::uint64_t>(i->bucket - before));
		to = write(to, zigzag(i->count));
		before = i->bucket;
	}
	memory_.release(sorted);
	return static_cast<std::size_t>(to - bytes);
}

// Reads what encode() wrote; whatever else it is given, it ends, and reads no byte behind the last.
class HistogramReader
{
public:
	HistogramReader(const unsigned char *bytes, std::size_t length) noexcept
		: at_(bytes), end_(bytes + length), broken_(length == 0 || *bytes != histogram_layout)
	{
		at_ += length > 0;
	}

	bool next(BucketCount &pair) noexcept
	{
		std::uint64_t bucket, count;

		if (broken_ || at_ == end_)
			return false;
		broken_ = !read(bucket) || !read(count) || count == 0 || !move_on(bucket);
		pair = {bucket_, histogram_detail::unzigzag(count)};
		first_ = false;
		return !broken_;
	}

	// After the last: whether it was no encoded histogram.
	bool broken() const noexcept { return broken_; }

private:
	bool read(std::uint64_t &number) noexcept
	{
		number = 0;
		for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7)
		{
			const unsigned char byte = *at_++;
			number |= static_cast<std::uint64_t>(byte & 127) << shift;
			if (byte < 128) // the last; none but the only one is zero, and of the tenth only one bit is left
				return (byte != 0 || shift == 0) && (shift < 63 || byte == 1);
		}
		return false;
	}

	bool move_on(std::uint64_t bucket) noexcept
	{
		constexpr std::uint64_t all = 2 * std::uint64_t{nan_bucket};

		if (bucket > all || (!first_ && bucket == 0))
			return false;
		bucket_ = first_ ? static_cast<std::int32_t>(histogram_detail::unzigzag(bucket))
						 : bucket_ + static_cast<std::int32_t>(bucket);
		return bucket_ >= -infinite_bucket && bucket_ <= nan_bucket;
	}

	const unsigned char *at_;
	const unsigned char *end_;
	std::int32_t bucket_ = 0;
	bool first_ = true;
	bool broken_;
};

// ---- Percentiles --------------------------------------------------------------------------------------------------

enum class Percentile
{
	told,
	empty,    // there are no values
	negative, // there are fewer than none of some
	broken,
};

// As percentile_cont(fraction) of the values themselves, each of the (at most two) values that it lies between being
// told by its bucket.  The fraction is within 0 and 1.
inline Percentile
percentile_of(const unsigned char *bytes, std::size_t length, double fraction, double &result) noexcept
{
	HistogramReader counting(bytes, length);
	std::int64_t total = 0;
	bool negative = false, overflow = false;
	BucketCount pair;

	while (counting.next(pair))
	{
		negative |= pair.count < 0;
		overflow |= __builtin_add_overflow(total, pair.count, &total);
	}
	if (counting.broken() || overflow)
		return Percentile::broken;
	if (negative)
		return Percentile::negative;
	if (total == 0)
		return Percentile::empty;

	const double rank = fraction * static_cast<double>(total - 1);
	const std::int64_t low = std::min(static_cast<std::int64_t>(std::floor(rank)), total - 1);
	const std::int64_t high = std::min(static_cast<std::int64_t>(std::ceil(rank)), total - 1);
	HistogramReader reader(bytes, length);
	std::int64_t seen = 0;

	while (seen <= low && reader.next(pair))
		seen += pair.count;
	result = middle_of(pair.bucket);
	if (seen <= high && reader.next(pair))
		result += (rank - static_cast<double>(low)) * (middle_of(pair.bucket) - result);
	return Percentile::told;
}

} // namespace remedy::rollup

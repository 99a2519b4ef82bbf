// Counts of values in logarithmic buckets, for percentiles.
//
// Values below 32 have a bucket each.  From there every power of two is cut into
// 16 equal buckets, so a bucket is at most 1/16 of its lower bound wide and its
// middle is at most 1/32 (3.2 %) away from any value in it.  Values from
// 2^Octaves on fall into the last bucket.

#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace remedy {

constexpr unsigned exact_values = 32;
constexpr unsigned buckets_per_octave = 16;
constexpr unsigned first_octave = 5; // 2^5 = exact_values

constexpr unsigned
bucket_of(std::uint64_t value) noexcept
{
	if (value < exact_values)
		return static_cast<unsigned>(value);
	const unsigned octave = static_cast<unsigned>(std::bit_width(value)) - 1;
	const unsigned step = static_cast<unsigned>(value >> (octave - 4)) & (buckets_per_octave - 1);
	return exact_values + (octave - first_octave) * buckets_per_octave + step;
}

// The value that stands for a bucket: its middle.
constexpr std::uint64_t
bucket_middle(unsigned bucket) noexcept
{
	if (bucket < exact_values)
		return bucket;
	const unsigned octave = first_octave + (bucket - exact_values) / buckets_per_octave;
	const unsigned step = (bucket - exact_values) % buckets_per_octave;
	const std::uint64_t width = std::uint64_t{1} << (octave - 4);
	return (buckets_per_octave + step) * width + (width - 1) / 2;
}

// Plain memory: it may lie in shared memory, and starts as zeroes.  Most histograms
// have few values, which lie together: only the used stretch of buckets is looked at.
//
// A count that comes near the end of its range halves them all, which leaves the
// percentiles as they are.
template <unsigned Octaves>
struct Histogram
{
	static constexpr unsigned size = exact_values + (Octaves - first_octave) * buckets_per_octave;

	std::uint32_t used_from; // the used stretch of buckets:
	std::uint32_t used_to;   // the one after it; 0: all are empty
	std::uint32_t counts[size];

	static constexpr unsigned bucket(std::uint64_t value) noexcept
	{
		const unsigned bucket = bucket_of(value);
		return bucket < size ? bucket : size - 1;
	}

	static constexpr std::uint32_t most = 1u << 31;

	void clear() noexcept
	{
		std::fill(counts + used_from, counts + used_to, 0);
		used_from = used_to = 0;
	}

	void add_to_bucket(unsigned bucket, std::uint32_t times = 1) noexcept
	{
		count(bucket, times);
		use(bucket, bucket + 1);
	}

	// The same in two steps, for many values whose buckets lie from one before another:
	// counting them all, and then noting where.
	void count(unsigned bucket, std::uint32_t times = 1) noexcept
	{
		if ((counts[bucket] += times) >= most)
			halve();
	}

	void use(std::uint32_t from, std::uint32_t before) noexcept
	{
		used_from = used_to == 0 ? from : std::min(used_from, from);
		used_to = std::max(used_to, before);
	}

	void add(const Histogram &other) noexcept
	{
		std::uint32_t large = 0;
		if (other.used_to == 0)
			return;
		use(other.used_from, other.used_to);
		for (unsigned i = other.used_from; i < other.used_to; ++i)
		{
			counts[i] += other.counts[i];
			large |= counts[i];
		}
		if (large >= most)
			halve();
	}

	void halve() noexcept
	{
		for (unsigned i = used_from; i < used_to; ++i)
			counts[i] /= 2;
	}

	// The smallest value such that at least this fraction of all values is not
	// above it (the nearest-rank definition); 0 for an empty histogram.
	std::uint64_t percentile(double fraction) const noexcept
	{
		std::uint64_t total = 0;
		for (unsigned i = used_from; i < used_to; ++i)
			total += counts[i];
		std::uint64_t seen = 0;
		for (unsigned i = used_from; i < used_to; ++i)
		{
			seen += counts[i];
			if (seen > 0 && static_cast<double>(seen) >= fraction * static_cast<double>(total))
				return bucket_middle(i);
		}
		return 0;
	}
};

} // namespace remedy

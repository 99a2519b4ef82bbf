// What is counted of a statement.  No server headers.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "observe/clock.hpp"
#include "observe/histogram.hpp"

namespace remedy::observe {

// Execution times in units of 32 ns, up to 18 minutes: within 3.2 % from a microsecond
// on, within 16 ns below.
using TimeHistogram = Histogram<35>;
constexpr unsigned time_unit_bits = 5;

inline unsigned
time_bucket(Nanoseconds duration) noexcept
{
	return TimeHistogram::bucket(static_cast<std::uint64_t>(duration) >> time_unit_bits);
}

// The middle of the bucket: its value is a unit, or the one just below the middle of
// several.  0 if nothing was counted.
inline Nanoseconds
time_percentile(const TimeHistogram &times, double fraction) noexcept
{
	const std::uint64_t value = times.percentile(fraction);
	const std::uint64_t half_units = 2 * value + (value < exact_values ? 1 : 2);
	const bool nothing = value == 0 && times.counts[0] == 0;

	return nothing ? 0 : static_cast<Nanoseconds>(half_units << (time_unit_bits - 1));
}

struct StatementKey
{
	std::uint64_t fingerprint; // 0: none
	std::uint32_t database;
	std::uint32_t user; // 0: what has lost its key
	std::uint32_t nested;
	std::uint32_t unused; // no padding: keys are saved as bytes

	bool operator==(const StatementKey &other) const noexcept
	{
		return fingerprint == other.fingerprint && database == other.database && user == other.user &&
			   nested == other.nested;
	}

	std::uint64_t hash() const noexcept
	{
		std::uint64_t mixed = fingerprint ^ ((std::uint64_t{user} << 32) + database * 2654435761u + nested);
		mixed = (mixed ^ (mixed >> 32)) * 0x9e3779b97f4a7c15;
		return mixed ^ (mixed >> 29);
	}
};

struct StatementCounts
{
	std::uint64_t calls;
	std::uint64_t failed; // also in calls
	std::uint64_t rows;
	Nanoseconds total;
	Nanoseconds min;
	Nanoseconds max;
	std::int64_t first; // a timestamp, as is last
	std::int64_t last;

	void clear() noexcept
	{
		*this = {};
		min = std::numeric_limits<Nanoseconds>::max();
	}

	void add(const StatementCounts &other) noexcept
	{
		calls += other.calls;
		failed += other.failed;
		rows += other.rows;
		total += other.total;
		min = std::min(min, other.min);
		max = std::max(max, other.max);
		first = first == 0 ? other.first : std::min(first, other.first);
		last = std::max(last, other.last);
	}
};

// What a run of a statement adds.
struct Executed
{
	std::uint64_t rows;
	Nanoseconds execution;
	Nanoseconds ended;
	Nanoseconds waiting; // for the client, inside the transaction
};

} // namespace remedy::observe

// What is counted of a statement, and the table that one backend counts in.  No
// server headers.
//
// A backend's table is small and never searched far: a statement that finds no place
// asks for a fold, which moves all counts to the shared store and empties the table.
// Execution times wait in a ring, as histogram buckets, until then.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
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

// Numbers wrap, on purpose: a reset subtracts what other backends still hold.
struct StatementCounts
{
	std::uint64_t calls;
	std::uint64_t failed; // also in calls
	std::uint64_t rows;
	Nanoseconds total;
	Nanoseconds min;
	Nanoseconds max;
	std::int64_t first; // in a slot by the monotonic clock, in the store a timestamp
	std::int64_t last;

	void clear() noexcept
	{
		*this = {};
		forget_extremes();
	}

	void forget_extremes() noexcept
	{
		min = std::numeric_limits<Nanoseconds>::max();
		max = 0;
	}

	void add_sums(const StatementCounts &other) noexcept
	{
		calls += other.calls;
		failed += other.failed;
		rows += other.rows;
		total += other.total;
	}

	void subtract_sums(const StatementCounts &other) noexcept
	{
		calls -= other.calls;
		failed -= other.failed;
		rows -= other.rows;
		total -= other.total;
	}

	void add_extremes(const StatementCounts &other) noexcept
	{
		min = std::min(min, other.min);
		max = std::max(max, other.max);
	}

	void add_times(std::int64_t other_first, std::int64_t other_last) noexcept
	{
		first = first == 0 ? other_first : std::min(first, other_first);
		last = std::max(last, other_last);
	}

	// A run; a further run of a counted statement is no call.
	void add_run(bool call, bool has_failed, std::uint64_t new_rows, Nanoseconds execution, Nanoseconds ended) noexcept
	{
		rows += new_rows;
		total += execution;
		failed += has_failed;
		last = ended;
		if (first == 0)
			first = ended - execution;
		if (!call)
			return;
		++calls;
		min = std::min(min, execution);
		max = std::max(max, execution);
	}
};

struct SlotEntry
{
	StatementKey key; // user 0: free
	StatementCounts counts;
};

struct StatementSlot
{
	static constexpr unsigned places = 512;
	static constexpr unsigned others = places; // the place of statements that found none
	static constexpr unsigned probes = 8;
	static constexpr unsigned ring_size = 2048;
	static constexpr unsigned worth_folding = ring_size / 2;

	std::uint32_t pending; // in the ring
	std::uint32_t missed;  // calls whose time found no room in the ring
	SlotEntry entries[places + 1];
	std::uint32_t ring[ring_size];

	// Ready to be used for the first time.
	void clear() noexcept
	{
		std::memset(static_cast<void *>(this), 0, sizeof(*this));
		for (SlotEntry &entry : entries)
			entry.counts.forget_extremes();
	}

	// The counts are somewhere else now.  What is in use stays in its place.
	void empty() noexcept
	{
		pending = 0;
		missed = 0;
		for (SlotEntry &entry : entries)
			if (entry.counts.first != 0)
				entry.counts.clear();
	}

	// The place of a key, or the free one it may take; others if there is neither.
	unsigned find(const StatementKey &key) const noexcept
	{
		const unsigned home = static_cast<unsigned>(key.hash());
		for (unsigned i = 0; i < probes; ++i)
		{
			const unsigned place = (home + i) % places;
			if (entries[place].key.user == 0 || entries[place].key == key)
				return place;
		}
		return others;
	}

	bool is_free(unsigned place) const noexcept { return place != others && entries[place].key.user == 0; }

	void count(unsigned place, bool call, bool failed, std::uint64_t rows, Nanoseconds execution, Nanoseconds ended,
			   unsigned bucket) noexcept
	{
		entries[place].counts.add_run(call, failed, rows, execution, ended);
		if (!call)
			return;
		if (pending < ring_size)
			ring[pending++] = place << 16 | bucket;
		else
			++missed;
	}
};

inline unsigned
place_of(std::uint32_t in_ring) noexcept
{
	return in_ring >> 16;
}

inline unsigned
bucket_in(std::uint32_t in_ring) noexcept
{
	return in_ring & 0xffff;
}

static_assert(TimeHistogram::size <= 0xffff);

} // namespace remedy::observe

// What is counted of a statement, and the table that one backend counts in.  No
// server headers.
//
// A backend's table is small and never searched far: a statement that finds no place
// asks for a fold, which moves all counts to the shared store and empties the table.
// Execution times wait in a ring, as histogram buckets, until then.

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

// One cache line.
struct SlotEntry
{
	std::uint64_t fingerprint;
	std::uint32_t user; // 0: free
	std::uint32_t nested;
	std::uint32_t calls;
	std::uint32_t failed;
	std::uint64_t rows;
	Nanoseconds total;
	Nanoseconds min;
	Nanoseconds max;
	Nanoseconds last; // by the monotonic clock; 0: nothing is counted here

	bool is_of(std::uint64_t of_fingerprint, std::uint32_t of_user, bool is_nested) const noexcept
	{
		return fingerprint == of_fingerprint && user == of_user && nested == is_nested;
	}

	void empty() noexcept
	{
		calls = failed = 0;
		rows = 0;
		total = max = last = 0;
		min = std::numeric_limits<Nanoseconds>::max();
	}
};

static_assert(sizeof(SlotEntry) == 64);

// What a run of a statement adds.
struct Executed
{
	bool call; // false for a further run of a counted statement
	bool failed;
	std::uint64_t rows;
	Nanoseconds execution;
	Nanoseconds ended;
	Nanoseconds waiting; // for the client, inside the transaction
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
	std::uint32_t database;
	Nanoseconds since; // the last fold
	SlotEntry entries[places + 1];
	std::uint32_t ring[ring_size];

	// Forgets the places too.
	void clear(Nanoseconds now) noexcept
	{
		pending = missed = 0;
		since = now;
		for (SlotEntry &entry : entries)
		{
			entry = {};
			entry.empty();
		}
	}

	// The counts are somewhere else now.  What is in use stays in its place.
	void empty(Nanoseconds now) noexcept
	{
		pending = missed = 0;
		since = now;
		for (SlotEntry &entry : entries)
			if (entry.last != 0)
				entry.empty();
	}

	StatementKey key(unsigned place) const noexcept
	{
		const SlotEntry &entry = entries[place];
		return {entry.fingerprint, database, entry.user, entry.nested, 0};
	}

	// The place of a key, or the free one it may take; others if there is neither.
	unsigned find(const StatementKey &key) const noexcept
	{
		const unsigned home = static_cast<unsigned>(key.hash());
		for (unsigned i = 0; i < probes; ++i)
		{
			const unsigned place = (home + i) % places;
			if (is_free(place) || entries[place].is_of(key.fingerprint, key.user, key.nested))
				return place;
		}
		return others;
	}

	bool is_free(unsigned place) const noexcept { return place != others && entries[place].user == 0; }

	void count(unsigned place, const Executed &executed) noexcept
	{
		SlotEntry &entry = entries[place];
		entry.rows += executed.rows;
		entry.total += executed.execution;
		entry.failed += executed.failed;
		entry.last = executed.ended;
		if (!executed.call)
			return;
		++entry.calls;
		if (executed.execution < entry.min)
			entry.min = executed.execution;
		if (executed.execution > entry.max)
			entry.max = executed.execution;
		if (pending < ring_size)
			ring[pending++] = place << 16 | time_bucket(executed.execution);
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

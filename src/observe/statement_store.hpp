// The shared store of statement statistics: a fixed number of entries in sets.
//
// A key has two sets, and with them sixteen places.  When all are taken, a new key
// takes the place of the least used, whose counts join the overflow; the others
// there lose a little of their use, so that what was busy once gives way in time.
// Nothing is sorted and nothing beyond the two sets is looked at.
//
// The store is one stretch of memory, of zeroes at first, without pointers into itself:
// a copy of the bytes is a store too.  No server headers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "observe/statement_counts.hpp"

namespace remedy::observe {

struct StoredStatement
{
	StatementCounts counts;
	TimeHistogram times;

	void clear() noexcept
	{
		counts.clear();
		times.clear();
	}
};

class StatementStore
{
public:
	static constexpr unsigned ways = 8;
	static constexpr std::uint32_t none = UINT32_MAX;

	static std::size_t bytes(unsigned capacity) noexcept
	{
		return sizeof(StatementStore) + sets_for(capacity) * ways * (sizeof(Place) + sizeof(StoredStatement));
	}

	void initialise(unsigned capacity) noexcept
	{
		sets_ = sets_for(capacity);
		clear();
	}

	void clear() noexcept
	{
		used_ = 0;
		evicted_ = 0;
		overflow_.clear();
		std::memset(static_cast<void *>(places()), 0, size() * sizeof(Place));
	}

	unsigned size() const noexcept { return sets_ * ways; }
	unsigned used() const noexcept { return used_; }
	std::uint64_t evicted() const noexcept { return evicted_; }
	bool is_used(std::uint32_t index) const noexcept { return places()[index].key.user != 0; }
	const StatementKey &key(std::uint32_t index) const noexcept { return places()[index].key; }
	StoredStatement &operator[](std::uint32_t index) noexcept { return entries()[index]; }
	StoredStatement &overflow() noexcept { return overflow_; }
	void count_evicted(std::uint64_t more) noexcept { evicted_ += more; }

	// May be asked without a lock, by who can live with an answer that is just getting wrong.
	std::uint32_t find(const StatementKey &key) const noexcept
	{
		const std::uint64_t hash = key.hash();
		for (unsigned half = 0; half < 2; ++half)
		{
			const std::uint32_t set = set_of(hash, half);
			for (std::uint32_t index = set; index < set + ways; ++index)
				if (places()[index].key == key)
					return index;
		}
		return none;
	}

	// The entry of a key, made if need be, first seen now.
	std::uint32_t claim(const StatementKey &key, std::int64_t now) noexcept
	{
		std::uint32_t index = find(key);

		if (index != none)
			return index;
		index = room_for(key.hash());
		if (is_used(index))
		{
			++evicted_;
			into_overflow(entries()[index]);
		}
		else
			++used_;
		start(index, key, now);
		return index;
	}

	// The same for an entry that was at this index of another store.  It goes there again
	// if that is possible: a table that was full is refilled without an eviction.
	std::uint32_t claim_again(const StatementKey &key, std::int64_t now, std::uint32_t index) noexcept
	{
		if (index >= size() || is_used(index) || find(key) != none || !is_candidate(key.hash(), index))
			return claim(key, now);
		++used_;
		start(index, key, now);
		return index;
	}

	void used_again(std::uint32_t index, std::uint64_t calls) noexcept
	{
		std::uint32_t &use = places()[index].use;
		use = static_cast<std::uint32_t>(std::min<std::uint64_t>(use + calls * first_use, most_use));
	}

	void remove(std::uint32_t index) noexcept
	{
		places()[index] = {};
		--used_;
	}

private:
	static constexpr std::uint32_t first_use = 64;
	static constexpr std::uint32_t most_use = 1u << 30;
	static constexpr unsigned fading = 5; // 1/32 of the use, each time one is chosen to go

	struct Place
	{
		StatementKey key;
		std::uint32_t use;
	};

	static unsigned sets_for(unsigned capacity) noexcept { return (capacity + ways - 1) / ways; }

	Place *places() noexcept { return reinterpret_cast<Place *>(this + 1); }
	const Place *places() const noexcept { return reinterpret_cast<const Place *>(this + 1); }
	StoredStatement *entries() noexcept { return reinterpret_cast<StoredStatement *>(places() + size()); }

	// The first place of one of the two sets of a hash.
	std::uint32_t set_of(std::uint64_t hash, unsigned half) const noexcept
	{
		return static_cast<std::uint32_t>(hash >> 32 * half) % sets_ * ways;
	}

	bool is_candidate(std::uint64_t hash, std::uint32_t index) const noexcept
	{
		const std::uint32_t set = index / ways * ways;
		return set == set_of(hash, 0) || set == set_of(hash, 1);
	}

	void start(std::uint32_t index, const StatementKey &key, std::int64_t now) noexcept
	{
		StoredStatement &entry = entries()[index];
		places()[index] = {key, first_use};
		entry.clear();
		entry.counts.first = entry.counts.last = now;
	}

	// A free place in the emptier set, or the least used in both.
	std::uint32_t room_for(std::uint64_t hash) noexcept
	{
		const std::uint32_t sets[] = {set_of(hash, 0), set_of(hash, 1)};
		std::uint32_t least = sets[0];
		std::uint32_t free = none;
		unsigned most_free = 0;

		for (const std::uint32_t set : sets)
		{
			unsigned free_here = 0;
			for (std::uint32_t index = set; index < set + ways; ++index)
				if (is_used(index))
					least = places()[index].use < places()[least].use ? index : least;
				else if (++free_here > most_free)
				{
					free = index;
					most_free = free_here;
				}
		}
		if (free != none)
			return free;
		for (const std::uint32_t set : sets)
			for (Place *place = places() + set; place < places() + set + ways; ++place)
				place->use -= (place->use + (1u << fading) - 1) >> fading;
		return least;
	}

	void into_overflow(StoredStatement &entry) noexcept
	{
		overflow_.counts.add(entry.counts);
		overflow_.times.add(entry.times);
	}

	std::uint32_t sets_;
	std::uint32_t used_;
	std::uint64_t evicted_;
	StoredStatement overflow_;
};

} // namespace remedy::observe

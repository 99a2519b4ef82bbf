// Counts of scans by statement, relation and predicate, in a table of fixed size.
//
// The table consists of small sets.  A key that finds its set full takes the place
// of the entry there that was added to longest ago, whose counts are not lost but
// go to the others: totals stay right, and nothing is sorted.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "scans/conditions.hpp"

namespace remedy::scans {

using Time = std::int64_t; // as the server counts, 0: never

enum class Method : std::uint8_t
{
	volume, // all sequential scans of the relation, exactly; no predicate
	sequential,
	index,
	bitmap,
};

// Who scans what, and how.  Without padding, so that equal ones are equal in memory.
struct Subject
{
	std::uint64_t fingerprint;
	std::uint32_t database;
	std::uint32_t user;
	std::uint32_t relation;
	bool toplevel;
	Method method;
	std::uint8_t unused[2];

	// Compared at each run that reads a table: as words, without a call.
	bool operator==(const Subject &other) const noexcept
	{
		using Words = std::array<std::uint64_t, 3>;
		return std::bit_cast<Words>(*this) == std::bit_cast<Words>(other);
	}

	// Of the same statement and relation.
	bool is_akin(const Subject &other) const noexcept
	{
		return fingerprint == other.fingerprint && database == other.database && user == other.user &&
			   relation == other.relation && toplevel == other.toplevel;
	}
};

struct Key
{
	Subject subject;
	Predicate predicate; // none for a volume

	bool operator==(const Key &other) const noexcept
	{
		return subject == other.subject && predicate == other.predicate;
	}
};

static_assert(sizeof(Subject) == 24 && sizeof(Key) == 160, "no byte is left undefined");

// Never 0.
std::uint64_t hash_of(const Key &key) noexcept;

struct Counts
{
	std::uint64_t scans; // of the volume; so are the rows
	std::uint64_t rows;
	std::uint64_t samples; // scan nodes that were looked at; so are all below
	std::uint64_t sampled_rows;
	std::uint64_t kept_rows;
	std::uint64_t loops;

	bool empty() const noexcept { return (scans | rows | samples) == 0; }

	// Not if something is still to come of what was taken away.
	bool are_shown() const noexcept { return !empty() && static_cast<std::int64_t>(scans | rows | samples) > 0; }

	// Modulo 2^64: what is taken away before it has come does no harm.
	void add(const Counts &other) noexcept
	{
		scans += other.scans;
		rows += other.rows;
		samples += other.samples;
		sampled_rows += other.sampled_rows;
		kept_rows += other.kept_rows;
		loops += other.loops;
	}

	void subtract(const Counts &other) noexcept;
};

struct Entry
{
	std::uint64_t hash; // 0: free
	Key key;
	Counts counts;
	Time first_seen;
	Time last_seen;
	Time forgotten;        // what was before does not count
	std::uint64_t touched; // number of the fold that added to it last
	Constants constants;   // of the predicate, in its samples

	// What was counted of the same key elsewhere.  Of constants it is not known when they
	// were seen.
	void add(const Entry &more) noexcept
	{
		add(more.counts, more.first_seen, more.last_seen);
		if (more.first_seen >= forgotten)
			constants.add(more.constants);
	}

	void add(const Counts &more, Time first, Time last) noexcept
	{
		counts.add(more);
		first_seen = std::max(first_seen == 0 ? first : std::min(first_seen, first), forgotten);
		last_seen = std::max({last_seen, last, first_seen});
	}
};

// What found no room, or is not worth any.
struct Others
{
	std::uint64_t scans;
	std::uint64_t rows;
	std::uint64_t missed; // how often something was counted here for want of room

	void add(const Others &other) noexcept
	{
		scans += other.scans;
		rows += other.rows;
		missed += other.missed;
	}

	void miss(const Counts &counts) noexcept { add({counts.scans, counts.rows, 1}); }
};

constexpr unsigned set_size = 8;

// The key's entry among a multiple of set_size; where it is new the counts of the
// entry that gave way are with the others.
Entry &entry_for(Entry *entries, unsigned count, const Key &key, std::uint64_t hash, Others &others) noexcept;

// Splits a volume between entries that have a part each of all sampled rows, in
// turn: the parts add up to the whole.
class Shares
{
public:
	Shares(std::uint64_t whole, std::uint64_t parts) noexcept : whole_(whole), parts_(parts) {}

	std::uint64_t next(std::uint64_t part) noexcept;

private:
	std::uint64_t whole_; // what is left of it
	std::uint64_t parts_;
};

} // namespace remedy::scans

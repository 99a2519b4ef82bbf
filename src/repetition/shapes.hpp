// What this session knows of each statement shape: the columns its equality
// conditions fix, and whether its result is worth keeping as a possible parent.
//
// Fixed in size: 48 sets of 4; a new shape takes the place of the one in its set
// that ran longest ago.  No server headers.

#pragma once

#include <cstdint>

namespace remedy::repetition {

constexpr unsigned keys_per_shape = 3;

struct Column
{
	std::uint32_t relation; // 0: none
	std::int16_t number;

	bool operator==(const Column &other) const noexcept { return relation == other.relation && number == other.number; }
};

// An equality condition: the column, and where its value comes from.
struct KeyColumn
{
	Column column;
	std::uint16_t parameter; // number of the parameter; 0: a constant
	std::uint8_t ordinal;    // the how-manieth equality of the statement, to find the constant again
	std::uint8_t elements;   // class of the elements, where the value is a list: then it counts if it has one; else 0
};

enum class Command : std::uint8_t
{
	select,
	insert,
	update,
	remove, // DELETE
};

enum class Kind : std::uint8_t
{
	select,
	count,
	exists,
};

struct Shape
{
	std::uint64_t fingerprint; // 0: free
	std::uint32_t last_used;   // a count of statements, for replacement
	std::uint32_t settled_for; // the outlook for which nothing is to be found out about it
	std::uint32_t unit;        // the unit of work that calls counts in
	std::uint32_t calls;
	std::uint32_t relations; // hash of the relations it was described for
	std::uint32_t table;     // what it writes to, else that of its first key or the first it reads; 0: none of a user's
	Command command;
	Kind kind;
	bool one_row;        // an INSERT of one row of VALUES
	bool described;      // its analysed tree was seen: keys and kind are known
	bool never_repeated; // nothing to advise: a queue's SKIP LOCKED
	bool barren;         // its output has no column worth keeping
	bool unique_known;
	std::uint8_t unique_keys; // those that with the others cover a unique index, as bits
	std::uint8_t key_count;
	std::uint8_t held_in_vain; // executions kept as a parent since the last suspicious child
	bool disarmed;
	std::uint8_t disarms;
	std::uint16_t suspicions; // since it was disarmed
	KeyColumn keys[keys_per_shape];

	bool has_constant_keys() const noexcept
	{
		for (unsigned i = 0; i < key_count; ++i)
			if (keys[i].parameter == 0)
				return true;
		return false;
	}

	// A parent whose result was kept so often without any child is not kept again ...
	static constexpr std::uint8_t patience = 100;
	static constexpr std::uint8_t most_disarms = 10;

	void held() noexcept
	{
		if (++held_in_vain < patience)
			return;
		disarmed = true;
		suspicions = 0;
		held_in_vain = 0;
		if (disarms < most_disarms)
			++disarms;
	}

	// ... until something after it repeats: once at first, then twice, four times.
	bool suspect() noexcept
	{
		if (!disarmed || ++suspicions < 1u << (disarms - 1))
			return false;
		disarmed = false;
		return true;
	}

	void proved() noexcept
	{
		disarmed = false;
		held_in_vain = 0;
		disarms = 0;
	}
};

class ShapeTable
{
public:
	Shape *find(std::uint64_t fingerprint) noexcept
	{
		Shape *const set = set_of(fingerprint);
		for (unsigned i = 0; i < ways; ++i)
			if (set[i].fingerprint == fingerprint)
			{
				set[i].last_used = ++uses_;
				return &set[i];
			}
		return nullptr;
	}

	// As if it had been found.
	void use(Shape &shape) noexcept { shape.last_used = ++uses_; }

	// A shape as good as new.
	Shape &add(std::uint64_t fingerprint) noexcept
	{
		Shape *const set = set_of(fingerprint);
		Shape *oldest = set;
		for (unsigned i = 1; i < ways; ++i)
			if (uses_ - set[i].last_used > uses_ - oldest->last_used || set[i].fingerprint == 0)
				oldest = &set[i];
		*oldest = {};
		oldest->fingerprint = fingerprint;
		oldest->last_used = ++uses_;
		return *oldest;
	}

private:
	static constexpr unsigned sets = 48;
	static constexpr unsigned ways = 4;

	Shape *set_of(std::uint64_t fingerprint) noexcept { return &shapes_[fingerprint % sets * ways]; }

	std::uint32_t uses_;
	Shape shapes_[sets * ways];
};

} // namespace remedy::repetition

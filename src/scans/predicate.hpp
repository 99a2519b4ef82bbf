// What a scan asks of its rows, without any value: columns, operators and where the
// other side comes from.  Plain bytes, zeroed before they are filled, so that equal
// predicates are equal in memory.

#pragma once

#include <cstdint>
#include <cstring>
#include <tuple>

namespace remedy::scans {

enum class ClauseKind : std::uint8_t
{
	comparison,  // column operator other side
	any_of,      // column operator ANY (array), which IN is too
	all_of,      // column operator ALL (array), which NOT IN is too
	is_null,     // column IS NULL
	is_not_null, // column IS NOT NULL
	is_true,     // a boolean column or expression
	is_false,    // NOT a boolean column or expression
	other,       // something else about the column, if there is one
};

enum class OtherSide : std::uint8_t
{
	none,
	constant,   // written in the statement
	parameter,  // given with the statement, or by the rest of its plan
	computed,   // from constants, parameters and functions
	column,     // another column of the same row
	expression, // of other columns
};

struct Clause
{
	std::uint32_t operation; // oid of the operator, the column on its left; 0: none
	std::uint32_t function;  // oid of a function of the column that stands in its place
	std::int16_t column;     // number of the column; 0: none
	ClauseKind kind;
	OtherSide other_side;
	std::uint8_t group; // 0: must hold; otherwise one arm of the group must
	std::uint8_t arm;   // clauses of one arm must hold together
	bool is_expression; // of the column, not the column itself
	bool indexed;       // met by the index that the scan uses
};

inline bool
comes_before(const Clause &one, const Clause &other) noexcept
{
	const auto rank = [](const Clause &c) {
		return std::make_tuple(c.indexed, c.group, c.arm, c.column, c.operation, c.function, c.kind, c.other_side);
	};
	return rank(one) < rank(other);
}

constexpr int clauses_per_predicate = 8;

struct Predicate
{
	Clause clauses[clauses_per_predicate];
	std::uint8_t count;
	bool cut; // there were more
	std::uint8_t unused[6];

	bool operator==(const Predicate &other) const noexcept
	{
		return count == other.count && cut == other.cut &&
			   (count == 0 || std::memcmp(clauses, other.clauses, count * sizeof(Clause)) == 0);
	}

	void add(const Clause &clause) noexcept
	{
		if (count == clauses_per_predicate)
			cut = true;
		else
			clauses[count++] = clause;
	}
};

static_assert(sizeof(Clause) == 16 && sizeof(Predicate) == 136, "no byte is left undefined");

} // namespace remedy::scans

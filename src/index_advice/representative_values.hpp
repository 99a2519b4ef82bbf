// Values that stand for those that an application would ask with: one that many rows have,
// a middle one, and a rare one.
//
// They are given to the planner, to nobody else, and only costs come of it.  Functions and
// casts of users, which the planner would call with them, do not get to see them: such a
// value is left open.

#pragma once

#include "index_advice/column_values.hpp"
#include "index_advice/value_ties.hpp"

namespace remedy::index_advice {

enum class Frequency : int
{
	common,
	middle,
	rare
};

constexpr int frequency_count = 3;

// What was read last, since the values of a list are of one column.
struct StatisticsReader
{
	const Tie *tie = nullptr;
	ColumnValues values = {};
	bool known = false;
	bool of_expression = false; // itself; else of the one column in it
};

struct Representatives
{
	Const *values[frequency_count]; // null: nothing is known that could stand for it
};

// Constants of the type of the tie's value, in the current memory context.  The other
// bound of the same column, if there is one, gets values that go with them.
Representatives representatives_of(const Tie &tie, StatisticsReader &reader) noexcept;

} // namespace remedy::index_advice

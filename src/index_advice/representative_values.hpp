// Values that stand for those that an application would ask with: one that many rows have,
// a middle one, and a rare one.
//
// They are given to the planner, to nobody else, and only costs come of it.  Functions and
// casts of users, which the planner would call with them, do not get to see them: such a
// value is left open.

#pragma once

#include "index_advice/value_ties.hpp"

namespace remedy::index_advice {

enum class Frequency : int
{
	common,
	middle,
	rare
};

constexpr int frequency_count = 3;

// A constant of the type of the tie's value, in the current memory context; null if
// nothing is known that could stand for it.  The other bound of the same column, if there
// is one, gets a value that goes with it.
Const *representative_of(const Tie &tie, Frequency frequency) noexcept;

} // namespace remedy::index_advice

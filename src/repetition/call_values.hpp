// The values of an execution, as hashes: of its keys, and of all it was given.

#pragma once

#include "observe/observe.hpp"
#include "repetition/shapes.hpp"
#include "repetition/value_filter.hpp"

namespace remedy::repetition {

// The values of the shape's keys, 0 where unknown: parameters from the execution, constants
// as they were found when the statement was analysed, if they were.
void key_values(const Shape &shape, ParamListInfo parameters, const ValueHash *constants, ValueHash *values) noexcept;

// One of several values; 0 if any is unknown.
ValueHash combined(const ValueHash *values, unsigned count) noexcept;

// Of all values that the statement has: its parameters, else the constants in its text.
// Comments at either end, which may tell of each statement's own place, do not count.
ValueHash all_values(const QueryDesc &query) noexcept;

} // namespace remedy::repetition

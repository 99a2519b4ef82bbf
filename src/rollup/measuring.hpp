// Measures: the states that each is kept as, and what finishes it.

#pragma once

#include "rollup/specification.hpp"

namespace remedy::rollup {

// "aggregate(expression) [FILTER (WHERE condition)] [AS name]".  Adds what it needs to the values, filters and states
// unless it is there.
const Measure *read_measure(Relation source, Specification &specification, const char *text) noexcept;

// Number of a state of the specification, counted from 1; added if it is not there.
int state_number(Specification &specification, const State &state) noexcept;

} // namespace remedy::rollup

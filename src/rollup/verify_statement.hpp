// Where cells and source differ, as one statement.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

// A row for each cell, with columns problem (null: none), bucket, keys, kept, expected, detail; $1 is the share of a
// sample.
const char *differences_statement(const Rollup &rollup, bool sampled) noexcept;

} // namespace remedy::rollup

// How a table is stored, as far as rules ask for it.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace remedy::index_advice {

inline constexpr int most_includes = 4;

// Whether the column may be carried along in an index.
bool is_narrow(const RelOptInfo &rel, Oid relation, AttrNumber column) noexcept;

// Whether a block range index would tell the parts of the table apart by the column.
bool is_large_and_in_order(const RelOptInfo &rel, Oid relation, AttrNumber column) noexcept;

} // namespace remedy::index_advice

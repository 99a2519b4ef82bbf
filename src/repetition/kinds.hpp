// What a statement is, from its analysed tree: what it does, and what for.

#pragma once

#include "repetition/shapes.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

// A count is any aggregate over all rows; existence is asked for by EXISTS, or by a
// constant for the first row.
Kind kind_of(const Query *query) noexcept;

Command command_of(const Query *query) noexcept;

// Whether it is an INSERT of one row of VALUES.
bool inserts_one_row(const Query *query) noexcept;

} // namespace remedy::repetition

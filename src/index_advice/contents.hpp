// Whose columns an expression of the planner's holds.

#pragma once

#include "server/headers.hpp"

namespace remedy::index_advice {

struct Contents
{
	Index table;
	bool own;    // columns of the table
	bool others; // of other tables, whole rows, results of subqueries for each row
	bool values; // parameters
};

Contents contents_of(Index table, Node *expression) noexcept;

// A copy with the table as number 1, as an index has it; null if it has no column of the
// table, or something of others.
Node *own_expression(Index table, Node *expression) noexcept;

} // namespace remedy::index_advice

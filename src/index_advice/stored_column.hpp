// The stored column, or the expression of one table's columns, that an expression of a query
// stands for: through joins, subqueries, views and WITH.

#pragma once

#include "server/headers.hpp"

namespace remedy::index_advice {

// A query and those around it.
struct Level
{
	const Query *query;
	const Level *outer;
};

struct StoredColumn
{
	Node *expression; // its variables are of table 1; null: it is not of one table alone
	Oid relation;
	bool inherits; // the relation's children are meant too
};

// A copy; of an expression of the query at this level.  Nothing that is computed from many rows, or
// from a parameter, is one.
StoredColumn stored_column(Node *expression, const Level *level) noexcept;

} // namespace remedy::index_advice

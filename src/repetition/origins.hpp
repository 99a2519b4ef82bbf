// The column of a stored table behind what a query names or returns, and the
// columns that are the same to a foreign key.
//
// Nothing here waits for a lock: what somebody else has locked stands for itself.

#pragma once

#include "repetition/shapes.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

// The column of a stored table that a relation's column stands for: itself, or the
// one behind it where the relation is a view or materialised; no column if it is an
// expression of a view.
Column base_column(Oid relation, AttrNumber number) noexcept;

// The same for a variable of an analysed query.
Column column_of(const Query *query, const Var *variable) noexcept;

// Where an output of a planned query comes from.
struct Origin
{
	Column column;      // of a table or view; relation 0: of none, or of several
	bool is_expression; // what users' tables or functions made, no aggregate and no constant
};

// Asks no catalog.  Outputs of set operations, which the analysis leaves without a
// column, have one if all arms return the same.
Origin origin_of(const PlannedStmt *statement, const TargetEntry *target) noexcept;

// The column of the topmost table that a partition, or a table that inherits, has its
// own from.  The caller holds a lock on the catalog of inheritance.
Column topmost(Column column) noexcept;

} // namespace remedy::repetition

// What a query does with json and jsonb columns, told by its analysed tree.
//
// Columns are those of stored tables: views, subqueries, common table expressions and named
// joins are seen through, a partition's column is that of the topmost table.

#pragma once

#include "server/headers.hpp"

namespace remedy::json_columns {

struct Use
{
	Oid relation;
	AttrNumber column;
	// ->, ->>, #>, #>>, [], @>, ?, … or a function's name; ::text, ::jsonb; "whole" (fetched or
	// passed on as it is), "written".
	const char *operation;
	List *path;             // of char *: keys and positions on the way there; ? if it is no constant
	Oid cast;               // what the value is cast to before it is compared; 0: nothing
	const char *comparison; // =, IN, range, LIKE, IS NULL, ORDER BY, GROUP BY, DISTINCT; null: none
	bool condition;         // it decides which rows are read, joined or kept
	bool as_jsonb;          // a json column that is cast to jsonb first
	bool by_user_function;  // the operation is a function that is none of the server's
	Node *expression;       // what is compared or fetched, of the relation as number 1; null if it reads others too
	Const *value;           // what it is compared with, or searched for; null: no constant
};

// In the current memory context; catalogs are looked up.
List *find_uses(const Query *query) noexcept; // of Use *

} // namespace remedy::json_columns

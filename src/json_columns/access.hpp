// The way from an expression to the json column that it reads.

#pragma once

#include "server/headers.hpp"

namespace remedy::json_columns {

// Queries inside of each other.
struct Level
{
	const Query *query;
	const Level *outer;
};

struct Place
{
	Node *node;
	const Level *level;
};

// From a variable to the stored column, or to the expression that it stands for.  False if
// it stands for neither: an output of a set operation, of a function, a whole row.
bool resolve(Place &place) noexcept;

Oid topmost_table(Oid relation) noexcept;

struct Access
{
	Oid relation;
	AttrNumber column;
	const char *operation; // the last one; null: the column itself
	List *path;            // of char *
	bool ended;            // its result is no json any more
	bool as_jsonb;
	bool by_user_function;
	Node *searched; // in which a value is searched for; null: nothing is
	Node *value;    // for which
};

// Whether the stored column is of json or jsonb, or a domain over one; then it is the topmost
// table's.
bool find_column(Oid relation, AttrNumber number, Access &access) noexcept;

// Whether the expression is such a column, or operators and functions of json on one.
bool find_access(Node *node, const Level *level, Access &access) noexcept;

// A copy over the relation as number 1; null if it reads anything else.
Node *translate(Node *node, const Level *level, Oid relation) noexcept;

} // namespace remedy::json_columns

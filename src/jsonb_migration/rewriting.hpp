// Rewriting analysed trees for a column that becomes jsonb.
//
// The tree is walked from the column's Vars upwards; what was json because of them becomes
// jsonb: operators and json_x functions are replaced by their jsonb twins, casts that have
// become idle fall away, constants beside it become jsonb, and the change goes on through
// subqueries, CTEs, functions in FROM, joins and set operations.  Where a value of type json
// is asked for and there is no twin (a user's function, a column beside it that stays json),
// the value is cast back to json.  What does not come from the column is left alone.

#pragma once

#include "server/headers.hpp"

namespace remedy::jsonb_migration {

// What a tree's relations and columns stand for after the rewriting.
struct MappedRelation
{
	Oid relation;
	Oid twin; // named instead of it; the same OID: itself
};

struct MappedColumn
{
	Oid relation; // as in the tree before the rewriting
	AttrNumber column;
	AttrNumber twin_column; // of the twin; the same number: itself
};

struct Mapping
{
	List *relations; // of MappedRelation *
	List *columns;   // of MappedColumn *: json columns that are jsonb from now on
};

// Null, if the mapping says nothing of it.
const MappedColumn *mapped_column(const Mapping &mapping, Oid relation, AttrNumber column) noexcept;

struct Rewritten
{
	Node *tree;          // a copy: a Query, an expression or a list of these
	bool changed;        // anything at all
	bool becomes_jsonb;  // an expression's own type was json and is jsonb
	Bitmapset *columns;  // of a Query's result, from 1, that were json and are jsonb
	const char *refusal; // why it cannot be rewritten; else null
	const char
		*remark; // what the user should know: text of the document is used, a cast to json was put in, …; else null
};

Rewritten rewrite(Node *tree, const Mapping &mapping) noexcept;

// An expression's Vars with varno 1 are of this relation; of a rule or a trigger 1 is OLD, 2 is NEW.
Rewritten rewrite_expression(Node *expression, Oid relation, const Mapping &mapping) noexcept;
Rewritten rewrite_old_new(Node *expression, Oid relation, const Mapping &mapping) noexcept;

// SQL, every name qualified.
const char *print_query(Query *query) noexcept;
const char *print_expression(Node *expression, Oid relation) noexcept;
const char *print_old_new(Node *expression, Oid relation) noexcept;

} // namespace remedy::jsonb_migration

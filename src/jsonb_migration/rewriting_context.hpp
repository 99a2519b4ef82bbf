// What the parts of the rewriting share.  Plain data; the tree that is read is never altered.

#pragma once

#include "jsonb_migration/rewriting.hpp"

namespace remedy::jsonb_migration {

// One query of those that a Var may refer to.
struct Level
{
	Level *outer;
	const Query *before;
	Bitmapset **tables; // by entry of the range table: its columns that became jsonb
	Bitmapset **ctes;   // by CTE
	Bitmapset *bare;    // joins that lose their alias, so that their columns are named by their tables
	Bitmapset *united;  // columns of the set operation that became jsonb
};

struct Rewriting
{
	const Mapping *mapping;
	Level *level;
	bool changed;
	const char *refusal;
	bool text_used;  // of the document
	bool keys_read;  // one by one, in their order
	bool numbered;   // elements, by their number
	bool cast_back;  // somewhere, to json
	List *functions; // that it is cast back for; OIDs
};

inline Node *
node_of(void *expression) noexcept
{
	return static_cast<Node *>(expression);
}

// ---- Types: json and json[] -------------------------------------------------------

bool is_json(Oid type) noexcept;
bool is_jsonb(Oid type) noexcept;
Oid as_jsonb(Oid type) noexcept; // any other type: itself
bool became_jsonb(Node *before, Node *after) noexcept;

// ---- Values ----------------------------------------------------------------------

Node *rewrite_node(Node *node, void *rewriting);

// The replacement of what the mutator made, once its own children are done.
Node *mend(Rewriting &rewriting, Node *before, Node *after) noexcept;

Node *cast_to_json(Rewriting &rewriting, Node *value) noexcept;

// The same value as jsonb, if that takes no conversion of a user's data; else null.
Node *make_jsonb(Node *value) noexcept;

// Values that are to be of one type, of which some became jsonb: all become it, or all are
// json again.  Whether they are jsonb now.
bool agree(Rewriting &rewriting, List *places) noexcept; // of Node **

Oid twin_of_function(Oid function, const List *arguments) noexcept; // else InvalidOid
Oid twin_of_operator(Oid op) noexcept;

void refuse(Rewriting &rewriting, const char *reason) noexcept; // the first stays

// ---- Calls -----------------------------------------------------------------------

// Where the value of a list's cell is, which may be a target or a named argument.
Node **place_of(ListCell *cell) noexcept;
List *places_of(List *values) noexcept; // of Node **

void cast_if_changed(Rewriting &rewriting, Node *before, Node *&after) noexcept;
void cast_all_changed(Rewriting &rewriting, List *before, List *after) noexcept;
bool is_text(Oid type) noexcept;

void mend_function(Rewriting &rewriting, const FuncExpr *before, FuncExpr *after) noexcept;
void mend_operator(Rewriting &rewriting, const OpExpr *before, OpExpr *after) noexcept;
void mend_aggregate(Rewriting &rewriting, const Aggref *before, Aggref *after) noexcept;
void mend_window_function(Rewriting &rewriting, const WindowFunc *before, WindowFunc *after) noexcept;

// ---- Queries ---------------------------------------------------------------------

Query *rewrite_query(Rewriting &rewriting, Query *query) noexcept;
List *rewrite_tables(Rewriting &rewriting, const Query *query) noexcept;
List *rewrite_ctes(Rewriting &rewriting, const Query *query) noexcept;

Bitmapset *columns_that_became_jsonb(const Query *before, const Query *after) noexcept;
void unite(Rewriting &rewriting, const Query *before, List *tables) noexcept;
void set_united_types(Node *operation, const Bitmapset *columns) noexcept;
void cast_column_to_json(Rewriting &rewriting, Query *query, int column) noexcept;

const MappedRelation *mapped_relation(const Mapping &mapping, Oid relation) noexcept;

} // namespace remedy::jsonb_migration

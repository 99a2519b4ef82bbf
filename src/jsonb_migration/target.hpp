// What is migrated: one json column of a table, with all its partitions or children.
//
// Our names are made of numbers, so that they fit into 63 bytes whatever the user's are.

#pragma once

#include "server/headers.hpp"

namespace remedy::jsonb_migration {

struct Target
{
	int64 migration;         // 0: only a plan
	Oid table;               // the root
	AttrNumber column;       // of the root; partitions may number it otherwise
	const char *column_name; // the same in the whole tree
	const char *shadow;      // remedy_json_<column>: the column that is filled
	const char *old;         // remedy_old_<column>: what the json column is called after the swap
};

// Plain data in the current memory context.  Raises an error if the table has no such column,
// if it is not of type json, or if it is none that can be migrated at all (view, foreign or
// temporary table, catalog, partition or child of another table, no table of the caller's).
Target find_target(Oid table, const char *column_name) noexcept;

// The tables of the tree that have storage, in the order of their OIDs, and the column's
// and the shadow's numbers in each; no locks are taken but ACCESS SHARE, to the transaction's end.
struct Leaf
{
	Oid table;
	AttrNumber column;
	AttrNumber shadow; // InvalidAttrNumber before it is there
};
List *find_leaves(const Target &target) noexcept; // of Leaf *

// All tables of the tree, the root first; OIDs.
List *find_tables(const Target &target) noexcept;

// Runs SQL of ours with the caller's rights: search_path is pg_catalog, pg_temp since the
// transaction's begin.  Raises the statement's error.
void run_sql(const char *format, ...) noexcept pg_attribute_printf(1, 2);

} // namespace remedy::jsonb_migration

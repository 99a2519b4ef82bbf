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
// temporary table, catalog, partition or child of another table, no table of the caller's, row
// security that hides rows from him).  Locks all tables of the tree in ACCESS SHARE.
Target find_target(Oid table, const char *column_name) noexcept;

// The same of a migration that was begun: nothing is looked at, the column may have its new name.
Target known_target(int64 migration, Oid table, AttrNumber column, const char *column_name) noexcept;

// Whether the column's name is the jsonb one's by now.
bool is_swapped(const Target &target) noexcept;

// The tables of the tree that have storage, in the order of their OIDs, and the column's
// and the shadow's numbers in each: the same ones before the swap and after it.  No locks are
// taken but ACCESS SHARE, to the transaction's end.
struct Leaf
{
	Oid table;
	AttrNumber column; // the json one; InvalidAttrNumber once it is dropped
	AttrNumber shadow; // InvalidAttrNumber before it is there
};
List *find_leaves(const Target &target) noexcept; // of Leaf *

const char *qualified_name(Oid relation) noexcept; // for SQL and for people

// All tables of the tree, the root first; OIDs.
List *find_tables(const Target &target) noexcept;

} // namespace remedy::jsonb_migration

// Which indexes on a column's documents the observed statements ask for, by rule.
//
// A btree for what is compared, a GIN for what is contained: never a GIN where paths are only
// compared, which it could not answer.

#pragma once

#include "json_columns/usage.hpp"

namespace remedy::json_columns {

struct WantedIndex
{
	bool gin;
	bool keys_only;       // GIN: also which keys there are is asked, so jsonb_ops
	bool after_migration; // the column is json, the index of jsonb
	const char *keys;     // what stands in its parentheses, as it will be
	const char *today;    // the same on the column as it is
	const char *values;   // btree: the keys without their operator classes, as it will be
	const char *searched; // GIN: the documents, as it will be
	List *usages;         // of Usage *, that ask for it
	double calls;
	double ms;
	const char *refusal; // why it is not advised; null: it is

	double size_bytes; // 0: not known, as are the others
	double build_ms;
	double saving_ms;
};

// The most expensive first; in the current memory context.
List *wanted_indexes(Oid table, const List *usages) noexcept; // of WantedIndex *

} // namespace remedy::json_columns

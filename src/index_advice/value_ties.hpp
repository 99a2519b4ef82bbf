// Where a statement's values stand: each parameter of its conditions, and each constant
// of its text, with the column that it is compared with.
//
// Columns are followed through casts, joins, subqueries, views and WITH to the stored
// table that they come from.  A value that is compared with nothing stored has no tie.

#pragma once

#include <cstdint>

#include "server/headers.hpp"

namespace remedy::index_advice {

// What the value has to do with the column's values.
enum class ValueRole : std::uint8_t
{
	equal,     // or not equal: one of them
	below,     // they are less than it
	above,     // they are greater
	pattern,   // of LIKE
	piece,     // a part of such a pattern, which the statement puts together
	regular,   // a regular expression
	prefix,    // what they begin with
	element,   // one element of arrays
	elements,  // an array of such
	document,  // a part of a jsonb document
	key,       // of one
	words,     // of a text search
	range,     // overlaps, contains or is contained
	row_limit, // LIMIT
	row_offset // OFFSET
};

struct Tie
{
	Node *value;   // a Param, or a Const of the text
	Node *column;  // an expression, whose variables are of the relation, as if of table 1
	Oid relation;  // 0: of none, for LIMIT and OFFSET
	bool inherits; // the relation's children are meant too
	Oid operation; // as written, the column on its left if there is a commutator
	ValueRole role;
	int place;          // among the values that the column is compared with, from 0
	bool is_list;       // the value is an array, of which any element may match
	bool paged;         // rows are asked for in the column's order, with a LIMIT
	const Query *query; // whose condition it is
	int partner;        // the tie of the other bound of the same column; -1: none
};

struct Ties
{
	Tie *ties;
	int count;
	List *exposed; // Params that functions of users get to see: no value of a table is for them
};

// In the current memory context.
Ties find_ties(const Query *query) noexcept;

} // namespace remedy::index_advice

// What the observed statements of this database do with json columns.

#pragma once

#include "json_columns/uses.hpp"
#include "observe/replannable.hpp"

namespace remedy::json_columns {

// A statement, while its trees are at hand; the current memory context is emptied afterwards.
// Fingerprints know no constants, and keys of paths are some: what is seen is the text of
// the first run, or where pg_remedy.keep_values is on, one after the other, those of the sampled
// runs, each with its part of the calls.
struct Seen
{
	const observe::Replannable &form;
	const observe::Analysed &analysed;
	double part; // of the statement's runs
	double calls;
	double ms; // of all of them; inside functions by the rows that it scanned
	MemoryContext kept;
};

// Those that the caller may read the texts of, in the order of their fingerprints.  A
// statement that cannot be analysed any more is left out.
void each_statement(void (*look)(const Seen &, void *), void *context) noexcept;

// One kind of use, by all statements.  A statement counts whole in each of its uses.
struct Usage
{
	Use use;
	const char *expression; // its text; null: it reads other tables too
	double calls;
	double ms;
	double rows_read; // by sequential scans of the table
	int statements;
	const void *counted; // what it counted last: a text counts once
	Datum *queries;      // their fingerprints, the first so many
	List *values;        // what they compare with or search for, of Const *: the first so many
	bool knows_all;      // no other values were seen
};

inline constexpr int most_queries = 100;
inline constexpr int most_values = 10;

// Of one table, or of all; what takes longest comes first.
List *read_usage(Oid relation) noexcept; // of Usage *

} // namespace remedy::json_columns

// what_if: plans under indexes that do not exist, and without some that do.
//
// A hypothetical index is memory of this process and nothing else: no catalog knows it, no
// other session, and no statement but the one that is planned here.  It is seen by that
// planner call alone, not by what functions plan meanwhile, and not after an error.  Its
// size and what its expressions hold are estimated from the table's statistics and, where
// these know nothing, from a sample of its rows.  No plan made here may be run.

#pragma once

#include <cstdint>

#include "server/headers.hpp"

namespace remedy::what_if {

// From _PG_init.
void start() noexcept;

struct Hypothetical;

// What CREATE INDEX would create, in the current memory context.  The current user must be
// allowed to read what is indexed; his are the functions that are called.  Raises an error
// if it is not one CREATE INDEX or could not be created so; its name may be taken, though.
// Locks the table as a query does, to the (sub)transaction's end.
Hypothetical *define(const char *create_index) noexcept;

const char *name_of(const Hypothetical &) noexcept;
Oid relation_of(const Hypothetical &) noexcept;

// Of a partitioned table: of all partitions together, which are locked like the table.
double bytes_of(const Hypothetical &) noexcept;
double tuples_of(const Hypothetical &) noexcept;

// What GIN holds for a row; 0 if that was not counted.
double keys_of(const Hypothetical &) noexcept;

// The table's columns that it has, included ones and those of expressions and of the
// predicate too, as pull_varattnos numbers them.
Bitmapset *columns_of(const Hypothetical &) noexcept;

struct Scenario
{
	const Hypothetical *const *indexes;
	int count;         // at most 64
	const Oid *hidden; // real ones; of a partitioned index its partitions too
	int hidden_count;
};

struct Outcome
{
	double cost;
	double rows;
	std::uint64_t used; // bit i: the plan scans indexes[i]
	PlannedStmt *plan;
};

// Plans a copy of the analysed and rewritten query; values may be null, as for a plan for
// any values.  Planners' errors are raised.
Outcome plan_under(const Query *query, const char *text, ParamListInfo values, const Scenario &) noexcept;

// Whether the plan scans the index: a real one.
bool uses_index(const PlannedStmt *plan, Oid index) noexcept;

// The plan as EXPLAIN shows it.  Raises an error if the current user is not allowed what
// it does.
const char *explain_under(PlannedStmt *plan, const char *text, const Scenario &) noexcept;

} // namespace remedy::what_if

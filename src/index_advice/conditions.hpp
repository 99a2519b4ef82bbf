// The conditions of one scan, each as what an index could do with it.
//
// A condition that no index can serve is refused, with the reason; no refusal tells a
// value that the query compares with.

#pragma once

#include "index_advice/candidates.hpp"
#include "index_advice/keys.hpp"

namespace remedy::index_advice {

inline constexpr int row_parts = 4; // of (a, b) > (1, 2)

enum class Role
{
	equality, // column = value, = ANY (list), IS NULL, a boolean
	range,    // also IS NOT NULL, and a pattern's fixed beginning
	search,   // by another index than a B-tree
	filter,   // nothing but the predicate of a partial index
};

struct Condition
{
	Role role;
	Part parts[row_parts];
	int part_count;
	const char *method;
	Node *clause;   // with the table as number 1; null: of a class of equals
	bool finds_one; // an equality that is not with null: of a unique column it finds one row
	bool is_list;   // for each of several values
	bool recurs;    // it says the same in each run, so it can be a predicate
	bool is_expression;
	double selectivity;
	Relids partners;    // tables whose rows give the value; null: known before the scan
	Bitmapset *columns; // that it reads, as pull_varattnos() numbers them
	int alternatives;   // number of the OR that it is in, 0: none
	int arm;            // of that OR
};

// One table as one scan of a query reads it.
struct Scan
{
	PlannerInfo *root;
	RelOptInfo *rel;
	Table table;
	const Evidence *evidence;
	Condition *conditions;
	int count;
	int capacity;
	int alternatives; // ORs of the query so far
	Proposals *out;
};

// A clause that the planner has for the table alone, or for a join of it.
void read_clause(Scan &scan, Node *clause) noexcept;

// An expression of the table that a row of others must equal.
void read_join_equality(Scan &scan, Node *expression, Oid collation, Relids partners) noexcept;

void refuse(Scan &scan, const char *format, ...) noexcept pg_attribute_printf(2, 3);

} // namespace remedy::index_advice

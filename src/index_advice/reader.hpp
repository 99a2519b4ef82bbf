// A condition that is being read: what the files that read conditions share.

#pragma once

#include "index_advice/conditions.hpp"
#include "index_advice/contents.hpp"
#include "index_advice/operators.hpp"
#include "index_advice/patterns.hpp"

extern "C" {
#include "access/stratnum.h"
}

namespace remedy::index_advice {

inline constexpr Service default_btree = {"btree", nullptr, BTEqualStrategyNumber};

// Where in the clauses of a scan a condition stands.
struct Place
{
	int alternatives; // number of the OR, 0: in none
	int arm;
};

struct Reader
{
	Scan &scan;
	Node *clause; // as the planner has it
	Place place;

	// Whether there may be an index that finds what the condition asks for.
	bool read() const noexcept;

	bool read_or() const noexcept;
	bool read_not(Node *negated) const noexcept;
	bool read_boolean(Node *column) const noexcept;
	bool read_boolean_test(const BooleanTest *test) const noexcept;
	bool read_null_test(const NullTest *test) const noexcept;

	bool read_comparison(Oid operation, Node *key, Node *value, Oid collation, bool any) const noexcept;
	bool read_pattern(Pattern pattern, Oid operation, Node *key, Node *value, Oid collation) const noexcept;
	bool read_any(const ScalarArrayOpExpr *expression) const noexcept;
	bool read_row(const RowCompareExpr *row) const noexcept;
	bool filter(Oid operation, Node *key, Node *value) const noexcept;
	bool changes_for_each_row(Node *key, Node *value, Oid operation) const noexcept;

	Condition &keep(Role role) const noexcept;
	Condition &keep(Role role, Node *key, const Service &service, Oid collation) const noexcept;
	bool recurs(Oid operation, const Node *key, const Node *value) const noexcept;
	bool can_be_predicate() const noexcept;
};

// Whether no index can have the expression as its key; then it has been refused.
bool is_refused(Scan &scan, Node *key) noexcept;

} // namespace remedy::index_advice

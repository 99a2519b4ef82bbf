// The kinds of conditions that are no comparisons, and those that hold others.

#include "index_advice/reader.hpp"

extern "C" {
#include "nodes/makefuncs.h"
}

namespace remedy::index_advice {

bool
Reader::read_boolean(Node *column) const noexcept
{
	Node *const key = own_expression(scan.rel->relid, column);

	if (key == nullptr || !IsA(key, Var))
		return false;
	Condition &condition = keep(Role::equality, key, default_btree, InvalidOid);
	condition.recurs = condition.finds_one = true;
	return true;
}

bool
Reader::read_boolean_test(const BooleanTest *test) const noexcept
{
	if (test->booltesttype == IS_TRUE || test->booltesttype == IS_FALSE)
		return read_boolean(reinterpret_cast<Node *>(test->arg));
	Node *const key = own_expression(scan.rel->relid, reinterpret_cast<Node *>(test->arg));
	if (key != nullptr && IsA(key, Var) && can_be_predicate())
		keep(Role::filter, key, default_btree, InvalidOid).recurs = true;
	return false;
}

bool
Reader::read_null_test(const NullTest *test) const noexcept
{
	Node *const key = own_expression(scan.rel->relid, reinterpret_cast<Node *>(test->arg));

	if (key == nullptr || test->argisrow || contents_of(scan.rel->relid, clause).values)
		return false;
	if (!has_order(exprType(key)))
	{
		if (can_be_predicate())
			keep(Role::filter).recurs = true;
		return false;
	}
	if (is_refused(scan, key))
		return false;
	Condition &condition = keep(test->nulltesttype == IS_NULL ? Role::equality : Role::range, without_relabelling(key),
								default_btree, InvalidOid);
	condition.recurs = can_be_predicate();
	return true;
}

// Of use only if each arm has an index, so that a bitmap of each can be made.
bool
Reader::read_or() const noexcept
{
	const int first = scan.count;
	const Place inner = {++scan.alternatives, 0};
	const ListCell *cell;
	int arm = 0;
	bool all = place.alternatives == 0; // an OR inside of an OR's arm is left to the planner

	foreach (cell, reinterpret_cast<BoolExpr *>(clause)->args)
	{
		Node *const node = static_cast<Node *>(lfirst(cell));
		List *const parts = is_andclause(node) ? reinterpret_cast<BoolExpr *>(node)->args : list_make1(node);
		const ListCell *part;
		bool any = false;
		++arm;
		foreach (part, parts)
			any |= Reader{scan, static_cast<Node *>(lfirst(part)), {inner.alternatives, arm}}.read();
		all = all && any;
	}
	if (!all)
	{
		scan.count = first;
		refuse(scan, "an OR has an arm that no index on this table serves: a UNION of the arms may");
	}
	return all;
}

bool
Reader::read_not(Node *negated) const noexcept
{
	if (IsA(negated, SubPlan) && reinterpret_cast<SubPlan *>(negated)->subLinkType == ANY_SUBLINK)
		refuse(scan, "NOT IN (SELECT ...) cannot use an index: write NOT EXISTS");
	else if (IsA(negated, DistinctExpr))
		refuse(scan, "IS NOT DISTINCT FROM cannot use an index: write = where the value is never null");
	return read_boolean(negated);
}

bool
Reader::read() const noexcept
{
	check_stack_depth();
	switch (nodeTag(clause))
	{
	case T_OpExpr: {
		const OpExpr *const expression = reinterpret_cast<OpExpr *>(clause);
		return list_length(expression->args) == 2 &&
			   read_comparison(expression->opno, static_cast<Node *>(linitial(expression->args)),
							   static_cast<Node *>(lsecond(expression->args)), expression->inputcollid, false);
	}
	case T_ScalarArrayOpExpr:
		return read_any(reinterpret_cast<ScalarArrayOpExpr *>(clause));
	case T_RowCompareExpr:
		return read_row(reinterpret_cast<RowCompareExpr *>(clause));
	case T_NullTest:
		return read_null_test(reinterpret_cast<NullTest *>(clause));
	case T_BooleanTest:
		return read_boolean_test(reinterpret_cast<BooleanTest *>(clause));
	case T_Var:
		return read_boolean(clause);
	case T_FuncExpr:
		if (contents_of(scan.rel->relid, clause).own)
			refuse(scan, "%s(...) is a condition by itself: only operators use an index",
				   get_func_name(reinterpret_cast<FuncExpr *>(clause)->funcid));
		return false;
	case T_BoolExpr:
		return is_orclause(clause) ? read_or()
			   : is_notclause(clause)
				   ? read_not(static_cast<Node *>(linitial(reinterpret_cast<BoolExpr *>(clause)->args)))
				   : false;
	default:
		return false;
	}
}

void
read_clause(Scan &scan, Node *clause) noexcept
{
	Reader{scan, clause, {0, 0}}.read();
}

} // namespace remedy::index_advice

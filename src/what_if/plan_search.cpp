// Which indexes a plan scans.

#include "what_if/what_if.hpp"

namespace remedy::what_if {

namespace {

bool scans(const Plan *plan, Oid index) noexcept;

bool
any_scans(const List *plans, Oid index) noexcept
{
	ListCell *cell;

	foreach (cell, plans)
		if (scans(static_cast<const Plan *>(lfirst(cell)), index))
			return true;
	return false;
}

template <class Node>
const Node &
as(const Plan *plan) noexcept
{
	return *reinterpret_cast<const Node *>(plan);
}

bool
scans(const Plan *plan, Oid index) noexcept
{
	if (plan == nullptr)
		return false;
	check_stack_depth();
	switch (nodeTag(plan))
	{
	case T_IndexScan:
		return as<IndexScan>(plan).indexid == index;
	case T_IndexOnlyScan:
		return as<IndexOnlyScan>(plan).indexid == index;
	case T_BitmapIndexScan:
		return as<BitmapIndexScan>(plan).indexid == index;
	case T_Append:
		return any_scans(as<Append>(plan).appendplans, index);
	case T_MergeAppend:
		return any_scans(as<MergeAppend>(plan).mergeplans, index);
	case T_BitmapAnd:
		return any_scans(as<BitmapAnd>(plan).bitmapplans, index);
	case T_BitmapOr:
		return any_scans(as<BitmapOr>(plan).bitmapplans, index);
	case T_SubqueryScan:
		return scans(as<SubqueryScan>(plan).subplan, index);
	case T_CustomScan:
		return any_scans(as<CustomScan>(plan).custom_plans, index);
	default:
		return scans(plan->lefttree, index) || scans(plan->righttree, index);
	}
}

} // namespace

bool
uses_index(const PlannedStmt *plan, Oid index) noexcept
{
	return scans(plan->planTree, index) || any_scans(plan->subplans, index);
}

} // namespace remedy::what_if

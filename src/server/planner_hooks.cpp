#include "server/planner_hooks.hpp"

extern "C" {
#include "access/tableam.h"
#include "nodes/makefuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
}

namespace remedy::server {

namespace {

get_relation_info_hook_type previous_relation = nullptr;
get_index_stats_hook_type previous_index_statistics = nullptr;
explain_get_index_name_hook_type previous_index_name = nullptr;

void
on_relation(PlannerInfo *root, Oid relation, bool is_parent, RelOptInfo *information)
{
	if (previous_relation != nullptr)
		previous_relation(root, relation, is_parent, information);
	planner_hooks.relation(root, relation, is_parent, information);
}

bool
on_index_statistics(PlannerInfo *root, Oid index, AttrNumber column, VariableStatData *variable)
{
	return planner_hooks.index_statistics(root, index, column, variable) ||
		   (previous_index_statistics != nullptr && previous_index_statistics(root, index, column, variable));
}

const char *
on_index_name(Oid index)
{
	const char *const name = planner_hooks.index_name(index);

	return name != nullptr || previous_index_name == nullptr ? name : previous_index_name(index);
}

} // namespace

void
install_planner_hooks() noexcept
{
	previous_relation = get_relation_info_hook;
	get_relation_info_hook = on_relation;
	previous_index_statistics = get_index_stats_hook;
	get_index_stats_hook = on_index_statistics;
	previous_index_name = explain_get_index_name_hook;
	explain_get_index_name_hook = on_index_name;
}

void
set_cost_estimator(IndexOptInfo &index, CostEstimator estimator) noexcept
{
#if PG_VERSION_NUM >= 160000
	index.amcostestimate = estimator;
#else
	index.amcostestimate = reinterpret_cast<void (*)()>(estimator);
#endif
}

void
set_equal_nulls([[maybe_unused]] IndexOptInfo &index, [[maybe_unused]] bool equal) noexcept
{
#if PG_VERSION_NUM >= 180000
	index.nullsnotdistinct = equal;
#endif
}

bool
has_bitmap_scans(const TableAmRoutine *method) noexcept
{
#if PG_VERSION_NUM >= 180000
	return method->scan_bitmap_next_tuple != nullptr;
#else
	return method->scan_bitmap_next_block != nullptr;
#endif
}

AttrMap *
columns_of_partition(Relation parent, Relation partition) noexcept
{
#if PG_VERSION_NUM >= 160000
	return build_attrmap_by_name(RelationGetDescr(partition), RelationGetDescr(parent), false);
#else
	return build_attrmap_by_name(RelationGetDescr(partition), RelationGetDescr(parent));
#endif
}

Query *
rows_where(Relation relation, Node *condition) noexcept
{
	ParseState *const state = make_parsestate(nullptr);
	Query *const query = makeNode(Query);
	RangeTblRef *const table = makeNode(RangeTblRef);

	addRangeTableEntryForRelation(state, relation, AccessShareLock, nullptr, false, true);
	query->commandType = CMD_SELECT;
	query->canSetTag = true;
	query->rtable = state->p_rtable;
#if PG_VERSION_NUM >= 160000
	query->rteperminfos = state->p_rteperminfos;
#endif
	table->rtindex = 1;
	query->jointree = makeFromExpr(list_make1(table), condition);
	return query;
}

} // namespace remedy::server

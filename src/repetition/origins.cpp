#include "repetition/origins.hpp"

#include "server/versions.hpp"

extern "C" {
#include "access/tupmacs.h"
#include "catalog/pg_inherits.h"
#include "nodes/pathnodes.h"
#include "storage/lmgr.h"
}

namespace remedy::repetition {

namespace {

// The query of a view, or of a materialised view.
const Query *
query_of(Relation view) noexcept
{
	for (int i = 0; view->rd_rules != nullptr && i < view->rd_rules->numLocks; ++i)
		if (view->rd_rules->rules[i]->event == CMD_SELECT)
			return linitial_node(Query, view->rd_rules->rules[i]->actions);
	return nullptr;
}

const Query *
query_of(const Query *query, const RangeTblEntry *common) noexcept
{
	ListCell *cell;

	if (common->ctelevelsup > 0 || common->self_reference)
		return nullptr;
	foreach (cell, query->cteList)
	{
		const CommonTableExpr *const expression = lfirst_node(CommonTableExpr, cell);
		if (strcmp(expression->ctename, common->ctename) == 0 && IsA(expression->ctequery, Query))
			return reinterpret_cast<Query *>(expression->ctequery);
	}
	return nullptr;
}

Column column_of_output(const Query *query, AttrNumber number) noexcept;

// Where all arms of a set operation have it from: the subqueries in its range table.
Column
column_of_arms(const Query *query, AttrNumber number) noexcept
{
	Column common = {};
	ListCell *cell;

	foreach (cell, query->rtable)
	{
		const RangeTblEntry *const arm = lfirst_node(RangeTblEntry, cell);
		if (arm->rtekind != RTE_SUBQUERY) // of a view, what rules call old and new
			continue;
		const Column column = column_of_output(arm->subquery, number);
		if (column.relation == 0 || (common.relation != 0 && !(common == column)))
			return {};
		common = column;
	}
	return common;
}

Column
column_of_output(const Query *query, AttrNumber number) noexcept
{
	const List *const targets = query->commandType == CMD_SELECT ? query->targetList : query->returningList;
	const TargetEntry *const target = get_tle_by_resno(const_cast<List *>(targets), number);

	check_stack_depth();
	if (query->setOperations != nullptr)
		return column_of_arms(query, number);
	return target != nullptr && IsA(target->expr, Var) ? column_of(query, reinterpret_cast<Var *>(target->expr))
													   : Column{};
}

} // namespace

Column
base_column(Oid relation, AttrNumber number) noexcept
{
	const char kind = get_rel_relkind(relation);

	if (kind != RELKIND_VIEW && kind != RELKIND_MATVIEW)
		return {relation, number};
	// The statement has the same lock already, but for what is below a materialised view.
	if (!ConditionalLockRelationOid(relation, AccessShareLock))
		return {relation, number};
	const Relation view = table_open(relation, NoLock);
	const Query *const query = query_of(view);
	const Column column = query == nullptr ? Column{} : column_of_output(query, number);
	table_close(view, AccessShareLock);
	// What a materialised view computed is stored there.
	return column.relation == 0 && kind == RELKIND_MATVIEW ? Column{relation, number} : column;
}

Column
column_of(const Query *query, const Var *variable) noexcept
{
	if (variable->varlevelsup > 0 || variable->varattno <= 0)
		return {};
	const RangeTblEntry *const entry = rt_fetch(variable->varno, query->rtable);
	const Query *const common = entry->rtekind == RTE_CTE ? query_of(query, entry) : nullptr;

	if (entry->rtekind == RTE_RELATION)
		return base_column(entry->relid, variable->varattno);
	if (entry->rtekind == RTE_SUBQUERY || common != nullptr)
		return column_of_output(common == nullptr ? entry->subquery : common, variable->varattno);
	const List *const merged = entry->rtekind == RTE_JOIN ? entry->joinaliasvars : server::grouped_expressions(entry);
	const Node *const source =
		merged == nullptr ? nullptr : static_cast<Node *>(list_nth(merged, variable->varattno - 1));
	return source != nullptr && IsA(source, Var) ? column_of(query, reinterpret_cast<const Var *>(source)) : Column{};
}

namespace {

Origin origin_in(const PlannedStmt *statement, const Plan *plan, AttrNumber number) noexcept;

// Where the table of this place is a partition, or inherits, of one named in the query.
const AppendRelInfo *
parent_of(const PlannedStmt *statement, Index table) noexcept
{
	ListCell *cell;

	foreach (cell, statement->appendRelations)
	{
		const AppendRelInfo *const child = lfirst_node(AppendRelInfo, cell);
		if (child->child_relid == table && OidIsValid(child->parent_reloid))
			return child;
	}
	return nullptr;
}

// The column as the query names it.
Origin
origin_of_column(const PlannedStmt *statement, const Var *variable) noexcept
{
	Index table = variable->varno;
	AttrNumber number = variable->varattno;

	while (const AppendRelInfo *const child = parent_of(statement, table))
	{
		if (number <= 0 || number > child->num_child_cols)
			return {};
		table = child->parent_relid;
		number = child->parent_colnos[number - 1];
	}
	const RangeTblEntry *const entry = rt_fetch(table, statement->rtable);
	return entry->rtekind == RTE_RELATION ? Origin{{entry->relid, number}, false} : Origin{};
}

// What all these plans return in the same place: of several columns, a mere expression.
Origin
origin_in_all(const PlannedStmt *statement, List *plans, AttrNumber number) noexcept
{
	Origin common = {};
	ListCell *cell;

	foreach (cell, plans)
	{
		const Origin origin = origin_in(statement, static_cast<Plan *>(lfirst(cell)), number);
		if (foreach_current_index(cell) == 0)
			common = origin;
		else if (!(common.column == origin.column))
			return {{}, common.is_expression || common.column.relation >= FirstNormalObjectId};
	}
	return common;
}

const Plan *
plan_below(const PlannedStmt *statement, const Plan *plan, const Var *variable) noexcept
{
	if (variable->varno == OUTER_VAR)
		return outerPlan(plan);
	if (variable->varno == INNER_VAR)
		return innerPlan(plan);
	if (IsA(plan, SubqueryScan))
		return reinterpret_cast<const SubqueryScan *>(plan)->subplan;
	if (IsA(plan, CteScan))
		return static_cast<Plan *>(
			list_nth(statement->subplans, reinterpret_cast<const CteScan *>(plan)->ctePlanId - 1));
	return nullptr;
}

bool
is_users_function(const Node *expression) noexcept
{
	return IsA(expression, FuncExpr) && reinterpret_cast<const FuncExpr *>(expression)->funcid >= FirstNormalObjectId;
}

bool
scans_users_function(const FunctionScan *scan) noexcept
{
	return list_length(scan->functions) == 1 &&
		   is_users_function(linitial_node(RangeTblFunction, scan->functions)->funcexpr);
}

bool
reads_users_tables(const PlannedStmt *statement) noexcept
{
	ListCell *cell;

	foreach (cell, statement->relationOids)
		if (lfirst_oid(cell) >= FirstNormalObjectId)
			return true;
	return false;
}

// Made of users' rows, one by one.
bool
is_made_of_rows(const PlannedStmt *statement, const Node *expression) noexcept
{
	return is_users_function(expression) ||
		   (!IsA(expression, Const) && !IsA(expression, Param) && !IsA(expression, Aggref) &&
			!IsA(expression, WindowFunc) && reads_users_tables(statement));
}

Origin
origin_in(const PlannedStmt *statement, const Plan *plan, AttrNumber number) noexcept
{
	check_stack_depth();
	if (IsA(plan, Append))
		return origin_in_all(statement, reinterpret_cast<const Append *>(plan)->appendplans, number);
	if (IsA(plan, MergeAppend))
		return origin_in_all(statement, reinterpret_cast<const MergeAppend *>(plan)->mergeplans, number);
	const TargetEntry *target = get_tle_by_resno(plan->targetlist, number);
	if (target != nullptr && IsA(target->expr, Var) && reinterpret_cast<Var *>(target->expr)->varno == INDEX_VAR &&
		IsA(plan, IndexOnlyScan))
		target = get_tle_by_resno(reinterpret_cast<const IndexOnlyScan *>(plan)->indextlist,
								  reinterpret_cast<Var *>(target->expr)->varattno);
	if (target == nullptr || target->resorigtbl != 0)
		return target == nullptr ? Origin{} : Origin{{target->resorigtbl, target->resorigcol}, false};
	const Var *const variable = reinterpret_cast<Var *>(target->expr);
	if (!IsA(variable, Var))
		return {{}, is_made_of_rows(statement, reinterpret_cast<const Node *>(variable))};
	if (const Plan *const below = plan_below(statement, plan, variable))
		return origin_in(statement, below, variable->varattno);
	if (IsA(plan, FunctionScan))
		return {{}, scans_users_function(reinterpret_cast<const FunctionScan *>(plan))};
	return variable->varno > 0 ? origin_of_column(statement, variable) : Origin{};
}

} // namespace

Origin
origin_of(const PlannedStmt *statement, const TargetEntry *target) noexcept
{
	Origin origin;

	if (target->resorigtbl != 0)
		origin = {{target->resorigtbl, target->resorigcol}, false};
	else
		origin = origin_in(statement, statement->planTree, target->resno);
	if (origin.column.relation < FirstNormalObjectId || origin.column.number <= 0)
		return {{}, origin.is_expression};
	return origin;
}

namespace {

// The table that this one inherits from, if there is exactly one; otherwise 0.
Oid
only_ancestor(Oid relation) noexcept
{
	ScanKeyData of_relation;
	const Relation catalog = table_open(InheritsRelationId, NoLock);
	Oid ancestor = InvalidOid;
	int count = 0;

	ScanKeyInit(&of_relation, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relation));
	const SysScanDesc scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, nullptr, 1, &of_relation);
	while (const HeapTuple tuple = systable_getnext(scan))
	{
		ancestor = reinterpret_cast<Form_pg_inherits>(GETSTRUCT(tuple))->inhparent;
		++count;
	}
	systable_endscan(scan);
	table_close(catalog, NoLock);
	return count == 1 ? ancestor : InvalidOid;
}

} // namespace

Column
topmost(Column column) noexcept
{
	const char *const name = get_attname(column.relation, column.number, true);

	for (Oid relation = column.relation; name != nullptr && OidIsValid(relation = only_ancestor(relation));)
	{
		const AttrNumber number = get_attnum(relation, name);
		if (number <= 0)
			break;
		column = {relation, number};
	}
	return column;
}

} // namespace remedy::repetition

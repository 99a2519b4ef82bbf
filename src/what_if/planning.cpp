// Plans under a scenario.
//
// The scenario is in force for one call of the planner.  What else is planned meanwhile
// (in functions that are evaluated for the plan) is told apart by the parameters: their
// list is handed through to every part of a plan, and nobody else has ours.

#include "what_if/hypothetical.hpp"

#include "server/guard.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "nodes/makefuncs.h"
#include "rewrite/rewriteManip.h"
#include "utils/rls.h"
}

namespace remedy::what_if {

namespace {

struct Planning
{
	const Scenario *scenario;
	ParamListInfo values;
};

const Planning *running = nullptr;
const Scenario *shown = nullptr; // whose plan EXPLAIN prints

// ---- Into the planner's list -----------------------------------------------------

bool
is_hidden(const Scenario &scenario, Oid index) noexcept
{
	ListCell *cell;

	for (int i = 0; i < scenario.hidden_count; ++i)
		if (scenario.hidden[i] == index)
			return true;
	if (scenario.hidden_count == 0 || !get_rel_relispartition(index))
		return false;
	foreach (cell, get_partition_ancestors(index))
		for (int i = 0; i < scenario.hidden_count; ++i)
			if (scenario.hidden[i] == lfirst_oid(cell))
				return true;
	return false;
}

void
hide(const Scenario &scenario, RelOptInfo &information) noexcept
{
	ListCell *cell;

	foreach (cell, information.indexlist)
		if (is_hidden(scenario, static_cast<IndexOptInfo *>(lfirst(cell))->indexoid))
			information.indexlist = foreach_delete_current(information.indexlist, cell);
}

void
describe_columns(const Hypothetical &index, const AttrMap *columns, IndexOptInfo &info) noexcept
{
	info.ncolumns = index.column_count;
	info.nkeycolumns = index.key_count;
	info.indexkeys = static_cast<int *>(palloc(sizeof(int) * index.column_count));
	info.canreturn = static_cast<bool *>(palloc(sizeof(bool) * index.column_count));
	info.indexcollations = static_cast<Oid *>(palloc(sizeof(Oid) * index.key_count));
	info.opfamily = static_cast<Oid *>(palloc(sizeof(Oid) * index.key_count));
	info.opcintype = static_cast<Oid *>(palloc(sizeof(Oid) * index.key_count));
	info.opclassoptions = static_cast<bytea **>(palloc0(sizeof(bytea *) * index.column_count));
	for (int i = 0; i < index.column_count; ++i)
	{
		const Column &column = index.columns[i];
		info.indexkeys[i] = column.number == InvalidAttrNumber || columns == nullptr
								? column.number
								: columns->attnums[column.number - 1];
		info.canreturn[i] = column.returns;
	}
	for (int i = 0; i < index.key_count; ++i)
	{
		info.indexcollations[i] = index.columns[i].collation;
		info.opfamily[i] = index.columns[i].family;
		info.opcintype[i] = index.columns[i].input;
	}
}

void
describe_order(const Hypothetical &index, IndexOptInfo &info) noexcept
{
	if (index.method != BTREE_AM_OID)
		return;
	info.sortopfamily = info.opfamily;
	info.reverse_sort = static_cast<bool *>(palloc(sizeof(bool) * index.key_count));
	info.nulls_first = static_cast<bool *>(palloc(sizeof(bool) * index.key_count));
	for (int i = 0; i < index.key_count; ++i)
	{
		info.reverse_sort[i] = (index.columns[i].order & INDOPTION_DESC) != 0;
		info.nulls_first[i] = (index.columns[i].order & INDOPTION_NULLS_FIRST) != 0;
	}
}

void
describe_method(const Hypothetical &index, Relation relation, IndexOptInfo &info) noexcept
{
	const IndexAmRoutine &method = *index.routine;

	info.relam = index.method;
	info.amcanorderbyop = method.amcanorderbyop;
	info.amoptionalkey = method.amoptionalkey;
	info.amsearcharray = method.amsearcharray;
	info.amsearchnulls = method.amsearchnulls;
	info.amcanparallel = method.amcanparallel;
	info.amhasgettuple = method.amgettuple != nullptr;
	info.amhasgetbitmap = method.amgetbitmap != nullptr && server::has_bitmap_scans(relation->rd_tableam);
	info.amcanmarkpos = method.ammarkpos != nullptr && method.amrestrpos != nullptr;
	server::set_cost_estimator(info, cost_estimator(index));
}

List *
target_list(const IndexOptInfo &info, Relation relation) noexcept
{
	ListCell *expression = list_head(info.indexprs);
	List *targets = NIL;

	for (int i = 0; i < info.ncolumns; ++i)
	{
		const int number = info.indexkeys[i];
		Expr *value;
		if (number == 0)
		{
			value = static_cast<Expr *>(lfirst(expression));
			expression = lnext(info.indexprs, expression);
		}
		else
		{
			const auto *const column = TupleDescAttr(RelationGetDescr(relation), number - 1);
			value = reinterpret_cast<Expr *>(
				makeVar(info.rel->relid, number, column->atttypid, column->atttypmod, column->attcollation, 0));
		}
		targets = lappend(targets, makeTargetEntry(value, i + 1, nullptr, false));
	}
	return targets;
}

// Of the relation as number so-and-so of the query; NIL if it cannot be told.
List *
tree_for(const Hypothetical &index, const List *tree, Relation relation, Index number) noexcept
{
	Node *const copy = translate(index, tree, relation);

	if (copy != nullptr && number != 1)
		ChangeVarNodes(copy, 1, number, 0);
	return reinterpret_cast<List *>(copy);
}

void
describe_extent(const Hypothetical &index, Relation relation, IndexOptInfo &info) noexcept
{
	const Extent &extent = extent_on(index, relation);

	info.pages = extent.pages;
	info.tuples = index.predicate == NIL ? info.rel->tuples : Min(info.rel->tuples, info.rel->tuples * extent.share);
	info.tree_height = extent.height;
}

void
add(const Hypothetical &index, Relation relation, RelOptInfo &information) noexcept
{
	const bool mapped = RelationGetRelid(relation) != index.relation;
	const Relation parent = mapped ? relation_open(index.relation, NoLock) : nullptr;
	IndexOptInfo &info = *makeNode(IndexOptInfo);

	info.indexoid = index.oid;
	info.reltablespace = index.tablespace;
	info.rel = &information;
	info.unique = index.unique;
	info.immediate = true;
	info.hypothetical = true;
	server::set_equal_nulls(info, index.equal_nulls);
	describe_columns(index, mapped ? server::columns_of_partition(parent, relation) : nullptr, info);
	if (mapped)
		relation_close(parent, NoLock);
	describe_order(index, info);
	describe_method(index, relation, info);
	info.indexprs = tree_for(index, index.expressions, relation, information.relid);
	info.indpred = tree_for(index, index.predicate, relation, information.relid);
	if ((info.indexprs == NIL) != (index.expressions == NIL) || (info.indpred == NIL) != (index.predicate == NIL))
		return;
	info.indextlist = target_list(info, relation);
	describe_extent(index, relation, info);
	information.indexlist = lcons(&info, information.indexlist);
}

bool
is_on(const Hypothetical &index, Oid relation) noexcept
{
	return relation == index.relation || (index.partitioned && get_rel_relispartition(relation) &&
										  list_member_oid(get_partition_ancestors(relation), index.relation));
}

pg_noinline void
arrange(const Scenario &scenario, Oid oid, bool is_parent, RelOptInfo &information) noexcept
{
	hide(scenario, information);
	if (is_parent)
		return;
	const Relation relation = relation_open(oid, NoLock);
	for (int i = 0; i < scenario.count && relation->rd_tableam != nullptr; ++i)
		if (is_on(*scenario.indexes[i], oid))
			add(*scenario.indexes[i], relation, information);
	relation_close(relation, NoLock);
}

// ---- The hooks -------------------------------------------------------------------

void
on_relation(PlannerInfo *root, Oid relation, bool is_parent, RelOptInfo *information)
{
	if (unlikely(running != nullptr) && root->glob != nullptr && root->glob->boundParams == running->values)
		arrange(*running->scenario, relation, is_parent, *information);
}

void
keep_statistics(HeapTuple)
{
}

// Who defined the index may read what it holds, but the plan may be somebody else's, whose
// operators are to be told of values only if he may too.
bool
on_index_statistics(PlannerInfo *, Oid oid, AttrNumber column, VariableStatData *variable)
{
	const Hypothetical *const index = planned_index(oid);

	if (index == nullptr || index->sample == nullptr || index->sample->facts[column - 1].statistics == nullptr)
		return false;
	variable->statsTuple = index->sample->facts[column - 1].statistics;
	variable->freefunc = keep_statistics;
	variable->acl_ok = may_read(index->relation, columns_of(*index)) &&
					   check_enable_rls(index->relation, InvalidOid, true) != RLS_ENABLED;
	return true;
}

const char *
on_index_name(Oid index)
{
	for (int i = 0; shown != nullptr && i < shown->count; ++i)
		if (shown->indexes[i]->oid == index)
			return shown->indexes[i]->name;
	return nullptr;
}

PlannedStmt *
plan(const Query *query, const char *text, const Planning &planning) noexcept
{
	Query *const copy = static_cast<Query *>(copyObjectImpl(query));
	const Planning *const before = running;
	PlannedStmt *planned = nullptr;

	copy->queryId = 0; // so that nobody counts it
	running = &planning;
	finally([&]() noexcept { planned = pg_plan_query(copy, text, CURSOR_OPT_PARALLEL_OK, planning.values); },
			[&](bool) noexcept { running = before; });
	return planned;
}

} // namespace

const Hypothetical *
planned_index(Oid oid) noexcept
{
	for (int i = 0; running != nullptr && i < running->scenario->count; ++i)
		if (running->scenario->indexes[i]->oid == oid)
			return running->scenario->indexes[i];
	return nullptr;
}

void
start() noexcept
{
	server::install_planner_hooks();
}

Outcome
plan_under(const Query *query, const char *text, ParamListInfo values, const Scenario &scenario) noexcept
{
	const Planning planning = {&scenario, values != nullptr ? values : makeParamList(0)};
	PlannedStmt *const planned = plan(query, text, planning);
	Outcome outcome = {planned->planTree->total_cost, planned->planTree->plan_rows, 0, planned};

	for (int i = 0; i < scenario.count; ++i)
		if (uses_index(planned, scenario.indexes[i]->oid))
			outcome.used |= UINT64CONST(1) << i;
	return outcome;
}

const char *
explain_under(PlannedStmt *planned, const char *text, const Scenario &scenario) noexcept
{
	QueryDesc *const query =
		CreateQueryDesc(planned, text, GetActiveSnapshot(), InvalidSnapshot, None_Receiver, nullptr, nullptr, 0);
	ExplainState *const explain = NewExplainState();
	const Scenario *const before = shown;

	standard_ExecutorStart(query, EXEC_FLAG_EXPLAIN_ONLY);
	shown = &scenario;
	finally([&]() noexcept { ExplainPrintPlan(explain, query); }, [&](bool) noexcept { shown = before; });
	standard_ExecutorEnd(query);
	FreeQueryDesc(query);
	while (explain->str->len > 0 && explain->str->data[explain->str->len - 1] == '\n')
		explain->str->data[--explain->str->len] = '\0';
	return explain->str->data;
}

} // namespace remedy::what_if

using namespace remedy::what_if;

const remedy::server::PlannerHooks remedy::server::planner_hooks = {on_relation, on_index_statistics, on_index_name};

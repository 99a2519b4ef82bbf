#include "rollup/capture_plan.hpp"

#include "rollup/mark_log.hpp"

#include "server/versions.hpp"

extern "C" {
#include "catalog/partition.h"
#include "catalog/pg_inherits.h"
#include "optimizer/optimizer.h"
#include "utils/typcache.h"
}

namespace remedy::rollup {

namespace {

// ---- What an expression calls ------------------------------------------------------

bool
is_foreign(Oid function, void *) noexcept
{
	return function >= FirstGenbkiObjectId;
}

// Whether something may run that is not the server's own: a function, or what a type brings along.
bool
calls_foreign(Node *node, void *context) noexcept
{
	if (node == nullptr)
		return false;
	switch (nodeTag(node))
	{
	case T_Var:
	case T_Const:
	case T_RelabelType:
	case T_FuncExpr:
	case T_OpExpr:
	case T_DistinctExpr:
	case T_NullIfExpr:
	case T_ScalarArrayOpExpr:
	case T_BoolExpr:
	case T_CoerceViaIO:
	case T_CaseExpr:
	case T_CaseWhen:
	case T_CaseTestExpr:
	case T_CoalesceExpr:
	case T_NullTest:
	case T_BooleanTest:
	case T_List:
		break;
	default:
		return true;
	}
	return check_functions_in_node(node, is_foreign, context) || server::walk_expression(node, calls_foreign, context);
}

// ---- Columns -------------------------------------------------------------------------

Column
make_column(Expr *expression) noexcept
{
	const Var *const var = IsA(expression, Var) ? reinterpret_cast<Var *>(expression) : nullptr;
	Column column = {};

	column.type = exprType(reinterpret_cast<Node *>(expression));
	get_typlenbyval(column.type, &column.length, &column.by_value);
	if (var != nullptr && var->varattno > 0)
		column.attribute = var->varattno;
	else
		column.expression = expression_planner(expression);
	return column;
}

// The view's columns but for the bucket, which the calendar tells.
void
make_columns(CapturePlan &plan, List *expressions, int columns_of_table) noexcept
{
	Bitmapset *attributes = nullptr;
	ListCell *cell;
	int number = -1;

	plan.column = static_cast<Column *>(palloc(sizeof(Column) * list_length(expressions)));
	foreach (cell, expressions)
	{
		TargetEntry *const entry = lfirst_node(TargetEntry, cell);
		if (entry->resjunk || foreach_current_index(cell) == 1)
			continue;
		pull_varattnos(reinterpret_cast<Node *>(entry->expr), 1, &attributes);
		Column &column = plan.column[plan.columns++] = make_column(entry->expr);
		if (column.attribute == 0 && calls_foreign(reinterpret_cast<Node *>(column.expression), nullptr))
			plan.calls = true;
	}
	constexpr int zero = -FirstLowInvalidHeapAttributeNumber;
	if (bms_is_member(zero, attributes)) // the whole row
		attributes = bms_add_range(attributes, zero + 1, zero + columns_of_table);
	plan.attribute = static_cast<AttrNumber *>(palloc(sizeof(AttrNumber) * (columns_of_table + 1)));
	while ((number = bms_next_member(attributes, number)) >= 0)
		if (number > zero)
			plan.attribute[plan.attributes++] = static_cast<AttrNumber>(number - zero);
	plan.last_attribute = plan.attributes == 0 ? 0 : plan.attribute[plan.attributes - 1];
}

// ---- States --------------------------------------------------------------------------

SortSupport
make_order(const State &state) noexcept
{
	const Oid type = getBaseType(state.type);
	const Oid less = lookup_type_cache(type, TYPECACHE_LT_OPR)->lt_opr;

	if (!OidIsValid(less))
		return nullptr;
	const SortSupport order = static_cast<SortSupport>(palloc0(sizeof(SortSupportData)));
	order->ssup_cxt = CurrentMemoryContext;
	order->ssup_collation = state.collation;
	PrepareSortSupportFromOrderingOp(less, order);
	return order;
}

// False if it is of a kind that is added up nowhere but in the server.
bool
make_measured(const State &state, const CapturePlan &plan, Measured &measured) noexcept
{
	const Rollup &rollup = *plan.rollup;

	measured = {};
	measured.value = state.value == 0 ? 0 : rollup.keys + state.value;
	measured.filter = state.filter == 0 ? 0 : rollup.keys + rollup.values + state.filter;
	measured.sums_numeric = state.type == NUMERICOID;
	const Oid type = measured.value == 0 ? InvalidOid : plan.column[measured.value].type;
	switch (state.kind)
	{
	case StateKind::count:
		measured.adding = state.value == 0 ? Adding::rows : Adding::values;
		return true;
	case StateKind::sum:
		measured.adding = is_integer(type) ? Adding::integers : Adding::numerics;
		return is_integer(type) || type == NUMERICOID;
	case StateKind::squares:
		measured.adding = is_integer(type) ? Adding::integer_squares : Adding::numeric_squares;
		return is_integer(type) || type == NUMERICOID;
	case StateKind::least:
	case StateKind::greatest:
		measured.adding = state.kind == StateKind::least ? Adding::least : Adding::greatest;
		measured.order = make_order(state);
		measured.as_integers = is_integer(type) || type == DATEOID || type == TIMESTAMPOID || type == TIMESTAMPTZOID;
		return measured.order != nullptr;
	case StateKind::histogram:
		measured.adding = Adding::histogram;
		return type == FLOAT8OID;
	default:
		return false;
	}
}

void
make_states(CapturePlan &plan) noexcept
{
	const Rollup &rollup = *plan.rollup;

	plan.additive = rollup.additive;
	plan.measured = static_cast<Measured *>(palloc0(sizeof(Measured) * rollup.states));
	for (int i = 0; i < rollup.states && plan.additive; ++i)
		plan.additive = make_measured(rollup.state[i], plan, plan.measured[i]);
	plan.states = plan.additive ? rollup.states : 0;
	for (int i = 0; i < plan.states; ++i)
	{
		Measured &measured = plan.measured[i];
		measured.takes_datum = measured.order != nullptr || measured.adding == Adding::histogram ||
							   measured.adding == Adding::numerics || measured.adding == Adding::numeric_squares;
		measured.length = plan.column[measured.value].length;
	}
}

// ---- Generated columns ---------------------------------------------------------------

bool
has_same_columns(TupleDesc columns, Oid table) noexcept
{
	for (int i = 0; i < columns->natts; ++i)
	{
		const FormData_pg_attribute *const mine = TupleDescAttr(columns, i);
		const HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum(i + 1));
		if (!HeapTupleIsValid(tuple))
			return false;
		const FormData_pg_attribute *const its = reinterpret_cast<FormData_pg_attribute *>(GETSTRUCT(tuple));
		const bool same = strcmp(NameStr(mine->attname), NameStr(its->attname)) == 0 && mine->attlen == its->attlen &&
						  mine->attalign == its->attalign;
		ReleaseSysCache(tuple);
		if (!same)
			return false;
	}
	return !SearchSysCacheExists2(ATTNUM, ObjectIdGetDatum(table), Int16GetDatum(columns->natts + 1));
}

// Statements of a partitioned table whose rows go to a partition with its columns in other places: the server gives
// triggers the row as it was before the partition computed what is stored.
bool
loses_values(const CapturePlan &plan, Relation relation) noexcept
{
	const TupleDesc columns = RelationGetDescr(relation);
	bool generated = false;
	ListCell *cell;

	if (relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	for (int i = 0; i < plan.attributes; ++i)
		generated |= TupleDescAttr(columns, plan.attribute[i] - 1)->attgenerated == ATTRIBUTE_GENERATED_STORED;
	if (generated)
		foreach (cell, find_all_inheritors(RelationGetRelid(relation), NoLock, nullptr))
			if (!has_same_columns(columns, lfirst_oid(cell)))
				return true;
	return false;
}

} // namespace

void
make_plan(CapturePlan &plan, const Rollup *rollup, Relation relation, Relation source) noexcept
{
	plan = {};
	plan.rollup = rollup;
	plan.keys = rollup->keys;
	plan.mark = MarkLog::make_slot(*rollup);
	plan.calendar = static_cast<Calendar *>(palloc(sizeof(Calendar)));
	*plan.calendar = make_calendar(*rollup);
	List *expressions = server::without_virtual_columns(row_expressions(*rollup), source, 1);
	if (relation != source)
		expressions = map_partition_varattnos(expressions, 1, relation, source);
	make_columns(plan, expressions, RelationGetDescr(relation)->natts);
	make_states(plan);
	plan.loses_values = loses_values(plan, relation);
}

} // namespace remedy::rollup

#include "json_columns/uses.hpp"

#include "json_columns/access.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_operator.h"
#include "optimizer/optimizer.h"
}

namespace remedy::json_columns {

namespace {

// What stands around the node that is looked at.
struct Around
{
	const Level *level;
	List **uses;
	bool condition;
	const char *comparison;
	Oid cast;
	Node *compared; // with its casts
	Node *other;    // what it is compared with

	Around inside() const noexcept { return {level, uses, condition, nullptr, 0, nullptr, nullptr}; }
};

void visit(Node *node, const Around &around) noexcept;
void visit_query(const Query *query, const Level *outer, List **uses, bool outputs) noexcept;

bool
visit_below(Node *node, void *around)
{
	visit(node, *static_cast<const Around *>(around));
	return false;
}

void
visit_children(Node *node, const Around &around) noexcept
{
	Around inside = around.inside();

	server::walk_expression(node, visit_below, &inside);
}

// ---- Comparisons -------------------------------------------------------------------------

const char *
comparison_of(Oid operation) noexcept
{
	static constexpr struct
	{
		const char *name, *comparison;
	} all[] = {{"=", "="},    {"<", "range"}, {"<=", "range"}, {">", "range"},  {">=", "range"},
			   {"<>", "<>"},  {"~~", "LIKE"}, {"~~*", "LIKE"}, {"!~~", "LIKE"}, {"!~~*", "LIKE"},
			   {"~", "LIKE"}, {"~*", "LIKE"}, {"!~", "LIKE"},  {"!~*", "LIKE"}, {"^@", "LIKE"}};
	const char *const name = get_opname(operation);

	for (const auto &entry : all)
		if (name != nullptr && strcmp(name, entry.name) == 0)
			return entry.comparison;
	return nullptr;
}

void
visit_compared(Node *node, Node *other, const char *comparison, const Around &around) noexcept
{
	Around inside = around.inside();

	inside.comparison = comparison;
	inside.other = other;
	visit(node, inside);
}

void
visit_operands(List *operands, const char *comparison, const Around &around) noexcept
{
	if (comparison == nullptr || list_length(operands) != 2)
	{
		Around inside = around.inside();
		visit_below(reinterpret_cast<Node *>(operands), &inside);
		return;
	}
	Node *const left = static_cast<Node *>(linitial(operands)), *const right = static_cast<Node *>(lsecond(operands));
	visit_compared(left, right, comparison, around);
	visit_compared(right, left, comparison, around);
}

// ---- What is done with a column ----------------------------------------------------------

Const *
constant_of(Node *node) noexcept
{
	node = node == nullptr ? nullptr : strip_implicit_coercions(node);
	return node != nullptr && IsA(node, Const) && !reinterpret_cast<Const *>(node)->constisnull
			   ? reinterpret_cast<Const *>(node)
			   : nullptr;
}

void
note(Node *node, const Access &access, const Around &around) noexcept
{
	Use *const use = static_cast<Use *>(palloc0(sizeof(Use)));

	use->relation = access.relation;
	use->column = access.column;
	use->operation = access.operation == nullptr ? "whole" : access.operation;
	use->path = access.path;
	use->cast = around.cast;
	use->comparison = around.comparison;
	use->condition = around.condition;
	use->as_jsonb = access.as_jsonb;
	use->by_user_function = access.by_user_function;
	Node *const compared = around.compared == nullptr ? node : around.compared;
	use->expression = translate(access.searched == nullptr ? compared : access.searched, around.level, access.relation);
	use->value = constant_of(access.value == nullptr ? around.other : access.value);
	*around.uses = lappend(*around.uses, use);
}

// The arguments beside the one that leads to the column may read others.
void
visit_others(Node *node, const Around &around) noexcept
{
	List *const arguments = IsA(node, OpExpr)     ? reinterpret_cast<OpExpr *>(node)->args
							: IsA(node, FuncExpr) ? reinterpret_cast<FuncExpr *>(node)->args
												  : NIL;
	const Around inside = around.inside();

	for (int i = 1; i < list_length(arguments); ++i)
		visit(static_cast<Node *>(list_nth(arguments, i)), inside);
}

Node *
cast_argument(Node *node) noexcept
{
	if (IsA(node, CoerceViaIO))
		return reinterpret_cast<Node *>(reinterpret_cast<CoerceViaIO *>(node)->arg);
	if (IsA(node, RelabelType))
		return reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
	if (IsA(node, CoerceToDomain))
		return reinterpret_cast<Node *>(reinterpret_cast<CoerceToDomain *>(node)->arg);
	if (!IsA(node, FuncExpr) || reinterpret_cast<FuncExpr *>(node)->args == NIL)
		return nullptr;
	const CoercionForm form = reinterpret_cast<FuncExpr *>(node)->funcformat;
	return form == COERCE_EXPLICIT_CAST || form == COERCE_IMPLICIT_CAST
			   ? static_cast<Node *>(linitial(reinterpret_cast<FuncExpr *>(node)->args))
			   : nullptr;
}

void
visit_cast(Node *node, Node *argument, const Around &around) noexcept
{
	Around inside = around;

	if (inside.compared == nullptr)
		inside.compared = node;
	if (!OidIsValid(inside.cast) && !IsA(node, RelabelType))
		inside.cast = exprType(node);
	visit(argument, inside);
}

void
visit(Node *node, const Around &around) noexcept
{
	Access access = {};

	if (node == nullptr)
		return;
	check_stack_depth();
	if (find_access(node, around.level, access))
	{
		note(node, access, around);
		visit_others(node, around);
	}
	else if (IsA(node, Var))
	{
		Place place = {node, around.level};
		if (resolve(place) && !IsA(place.node, Var))
		{
			Around inside = around;
			inside.level = place.level;
			if (inside.compared == nullptr)
				inside.compared = place.node;
			visit(place.node, inside);
		}
	}
	else if (IsA(node, OpExpr) || IsA(node, DistinctExpr))
		visit_operands(reinterpret_cast<OpExpr *>(node)->args, comparison_of(reinterpret_cast<OpExpr *>(node)->opno),
					   around);
	else if (IsA(node, ScalarArrayOpExpr))
	{
		const ScalarArrayOpExpr *const any = reinterpret_cast<ScalarArrayOpExpr *>(node);
		const char *const comparison = comparison_of(any->opno);
		visit_operands(any->args, comparison != nullptr && *comparison == '=' ? "IN" : comparison, around);
	}
	else if (IsA(node, NullTest))
		visit_compared(reinterpret_cast<Node *>(reinterpret_cast<NullTest *>(node)->arg), nullptr, "IS NULL", around);
	else if (IsA(node, SubLink))
	{
		const SubLink *const link = reinterpret_cast<SubLink *>(node);
		visit(link->testexpr, around.inside());
		visit_query(reinterpret_cast<Query *>(link->subselect), around.level, around.uses,
					link->subLinkType != EXISTS_SUBLINK);
	}
	else if (Node *const argument = cast_argument(node); argument != nullptr)
		visit_cast(node, argument, around);
	else
		visit_children(node, around);
}

// ---- Queries -----------------------------------------------------------------------------

void
visit_clauses(const List *clauses, const Query *query, const char *comparison, const Around &around) noexcept
{
	const ListCell *cell;

	foreach (cell, clauses)
		visit_compared(get_sortgroupclause_expr(lfirst_node(SortGroupClause, cell), query->targetList), nullptr,
					   comparison, around);
}

// What is sorted or grouped by is one of its clauses.
void
visit_targets(const List *targets, const Around &around) noexcept
{
	const ListCell *cell;

	foreach (cell, targets)
		if (!lfirst_node(TargetEntry, cell)->resjunk && lfirst_node(TargetEntry, cell)->ressortgroupref == 0)
			visit(reinterpret_cast<Node *>(lfirst_node(TargetEntry, cell)->expr), around);
}

void
note_written(const Query *query, const List *targets, const Around &around) noexcept
{
	const Oid relation = rt_fetch(query->resultRelation, query->rtable)->relid;
	const ListCell *cell;

	foreach (cell, targets)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		Access access = {};
		if (!target->resjunk && find_column(relation, target->resno, access))
		{
			access.operation = "written";
			note(reinterpret_cast<Node *>(target->expr), access, around);
			static_cast<Use *>(llast(*around.uses))->expression = nullptr;
		}
	}
}

void
visit_tables(const Query *query, const Around &around) noexcept
{
	const ListCell *cell;

	foreach (cell, query->rtable)
	{
		const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell);
		if (entry->rtekind == RTE_SUBQUERY)
			visit_query(entry->subquery, around.level, around.uses, query->setOperations != nullptr);
		else if (entry->rtekind == RTE_FUNCTION)
			visit(reinterpret_cast<Node *>(entry->functions), around);
		else if (entry->rtekind == RTE_VALUES)
			visit(reinterpret_cast<Node *>(entry->values_lists), around);
	}
	foreach (cell, query->cteList)
	{
		Node *const common = lfirst_node(CommonTableExpr, cell)->ctequery;
		if (IsA(common, Query))
			visit_query(reinterpret_cast<Query *>(common), around.level, around.uses,
						reinterpret_cast<Query *>(common)->commandType != CMD_SELECT);
	}
}

// The outputs of a subquery are looked at where something is done with them.
void
visit_query(const Query *query, const Level *outer, List **uses, bool outputs) noexcept
{
	Level *const level = static_cast<Level *>(palloc(sizeof(Level)));
	*level = {query, outer};
	const Around output = {level, uses, false, nullptr, 0, nullptr, nullptr};
	const Around condition = {level, uses, true, nullptr, 0, nullptr, nullptr};
	const bool writes = query->commandType == CMD_INSERT || query->commandType == CMD_UPDATE;

	check_stack_depth();
	visit_tables(query, output);
	visit(reinterpret_cast<Node *>(query->jointree), condition);
	visit(query->havingQual, condition);
	visit_clauses(query->sortClause, query, "ORDER BY", output);
	visit_clauses(query->groupClause, query, "GROUP BY", output);
	visit_clauses(query->distinctClause, query, "DISTINCT", output);
	if (writes)
		note_written(query, query->targetList, output);
	if (query->onConflict != nullptr)
	{
		note_written(query, query->onConflict->onConflictSet, output);
		visit_targets(query->onConflict->onConflictSet, output);
	}
	visit(reinterpret_cast<Node *>(query->mergeActionList), output);
	if (outputs)
		visit_targets(query->targetList, output);
	visit_targets(query->returningList, output);
}

} // namespace

List *
find_uses(const Query *query) noexcept
{
	List *uses = NIL;

	visit_query(query, nullptr, &uses, true);
	return uses;
}

} // namespace remedy::json_columns

#include "index_advice/stored_column.hpp"

#include "server/versions.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "optimizer/tlist.h"
}

namespace remedy::index_advice {

namespace {

const Level *
level_above(const Level *level, unsigned steps) noexcept
{
	while (level != nullptr && steps-- > 0)
		level = level->outer;
	return level;
}

struct Resolving
{
	const Level *level;
	Oid relation;
	bool inherits;
	bool failed;
};

Node *resolve(Node *node, void *context);

Node *
resolved_at(Node *node, const Level *level, Resolving &resolving) noexcept
{
	const Level *const before = resolving.level;

	check_stack_depth();
	resolving.level = level;
	Node *const resolved = resolve(node, &resolving);
	resolving.level = before;
	return resolved;
}

// A set operation's outputs are those of its first query.
Node *
resolved_output(const Query *query, AttrNumber number, const Level *outer, Resolving &resolving) noexcept
{
	const Level level = {query, outer};
	const List *const targets = query->commandType == CMD_SELECT ? query->targetList : query->returningList;
	Node *first = query->setOperations;

	check_stack_depth();
	while (first != nullptr && IsA(first, SetOperationStmt))
		first = reinterpret_cast<SetOperationStmt *>(first)->larg;
	if (first != nullptr && IsA(first, RangeTblRef))
	{
		const RangeTblEntry *const arm = rt_fetch(reinterpret_cast<RangeTblRef *>(first)->rtindex, query->rtable);
		return resolved_output(arm->subquery, number, &level, resolving);
	}
	const TargetEntry *const target = get_tle_by_resno(const_cast<List *>(targets), number);
	resolving.failed |= target == nullptr;
	return target == nullptr ? nullptr : resolved_at(reinterpret_cast<Node *>(target->expr), &level, resolving);
}

Node *
resolved_common(const RangeTblEntry *entry, AttrNumber number, const Level *level, Resolving &resolving) noexcept
{
	ListCell *cell;

	level = level_above(level, entry->ctelevelsup);
	if (level != nullptr)
		foreach (cell, level->query->cteList)
		{
			const CommonTableExpr *const common = lfirst_node(CommonTableExpr, cell);
			if (strcmp(common->ctename, entry->ctename) == 0 && IsA(common->ctequery, Query))
				return resolved_output(reinterpret_cast<Query *>(common->ctequery), number, level, resolving);
		}
	resolving.failed = true;
	return nullptr;
}

Node *
resolved_stored(const Var *variable, const RangeTblEntry *entry, Resolving &resolving) noexcept
{
	resolving.failed |= OidIsValid(resolving.relation) && resolving.relation != entry->relid;
	resolving.relation = entry->relid;
	resolving.inherits = entry->inh;
	return reinterpret_cast<Node *>(
		makeVar(1, variable->varattno, variable->vartype, variable->vartypmod, variable->varcollid, 0));
}

Node *
resolved_variable(Var *variable, Resolving &resolving) noexcept
{
	const Level *const level = level_above(resolving.level, variable->varlevelsup);

	if (level == nullptr || variable->varattno <= 0 || static_cast<int>(variable->varno) <= 0 ||
		static_cast<int>(variable->varno) > list_length(level->query->rtable))
	{
		resolving.failed = true;
		return nullptr;
	}
	const RangeTblEntry *const entry = rt_fetch(variable->varno, level->query->rtable);
	if (entry->rtekind == RTE_RELATION)
		return resolved_stored(variable, entry, resolving);
	if (entry->rtekind == RTE_SUBQUERY)
		return resolved_output(entry->subquery, variable->varattno, level, resolving);
	if (entry->rtekind == RTE_CTE)
		return resolved_common(entry, variable->varattno, level, resolving);
	const List *const merged = entry->rtekind == RTE_JOIN ? entry->joinaliasvars : server::grouped_expressions(entry);
	resolving.failed |= list_length(merged) < variable->varattno;
	return resolving.failed
			   ? nullptr
			   : resolved_at(static_cast<Node *>(list_nth(merged, variable->varattno - 1)), level, resolving);
}

// A mutator: variables become those of the one stored table.
Node *
resolve(Node *node, void *context)
{
	Resolving &resolving = *static_cast<Resolving *>(context);

	if (node == nullptr || resolving.failed)
		return nullptr;
	if (IsA(node, Var))
		return resolved_variable(reinterpret_cast<Var *>(node), resolving);
	if (IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc) || IsA(node, SubLink) || IsA(node, Param))
	{
		resolving.failed = true;
		return nullptr;
	}
	return server::mutate_expression(node, resolve, context);
}

} // namespace

StoredColumn
stored_column(Node *expression, const Level *level) noexcept
{
	Resolving resolving = {level, InvalidOid, false, false};
	Node *const resolved = resolve(expression, &resolving);

	if (resolving.failed || !OidIsValid(resolving.relation))
		return {};
	return {resolved, resolving.relation, resolving.inherits};
}

} // namespace remedy::index_advice

#include "repetition/kinds.hpp"

#include "server/versions.hpp"

namespace remedy::repetition {

namespace {

bool
find_existence(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	if (IsA(node, SubLink) && reinterpret_cast<SubLink *>(node)->subLinkType == EXISTS_SUBLINK)
		return true;
	return server::walk_expression(node, find_existence, context);
}

// The query whose rows the query only hands on: the one it selects from, or that of its
// only, scalar, output.  Null if there is none.
const Query *
query_handed_on(const Query *query) noexcept
{
	if (list_length(query->targetList) == 1 && query->jointree->fromlist == NIL)
	{
		const Node *const output = reinterpret_cast<Node *>(linitial_node(TargetEntry, query->targetList)->expr);
		if (IsA(output, SubLink) && reinterpret_cast<const SubLink *>(output)->subLinkType == EXPR_SUBLINK)
			return reinterpret_cast<Query *>(reinterpret_cast<const SubLink *>(output)->subselect);
		return nullptr;
	}
	const RangeTblEntry *const only =
		list_length(query->rtable) == 1 ? linitial_node(RangeTblEntry, query->rtable) : nullptr;
	return only != nullptr && only->rtekind == RTE_SUBQUERY && query->setOperations == nullptr ? only->subquery
																							   : nullptr;
}

bool
has_only(const Query *query, NodeTag tag) noexcept
{
	ListCell *cell;

	foreach (cell, query->targetList)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		if (!target->resjunk && nodeTag(target->expr) != tag)
			return false;
	}
	return query->targetList != NIL;
}

} // namespace

Kind
kind_of(const Query *query) noexcept
{
	const bool has_table = query->jointree != nullptr && query->jointree->fromlist != NIL;

	if (query->commandType != CMD_SELECT)
		return Kind::select;
	if (query->hasAggs && query->groupClause == NIL && query->groupingSets == NIL)
		return Kind::count;
	if (has_only(query, T_Const) && query->limitCount != nullptr)
		return Kind::exists;
	// Whether something exists may be said by an output or by there being a row.
	if (!has_table && query->hasSubLinks &&
		(find_existence(reinterpret_cast<Node *>(query->targetList), nullptr) ||
		 find_existence(reinterpret_cast<Node *>(query->jointree), nullptr)))
		return Kind::exists;
	if (const Query *const inner = has_only(query, T_Var) || !has_table ? query_handed_on(query) : nullptr)
		return kind_of(inner);
	return Kind::select;
}

Command
command_of(const Query *query) noexcept
{
	switch (query->commandType)
	{
	case CMD_INSERT:
		return Command::insert;
	case CMD_UPDATE:
		return Command::update;
	case CMD_DELETE:
		return Command::remove;
	default:
		return Command::select;
	}
}

// An INSERT of one row has it in its target list; of several rows, or of a query's, the
// source is an entry of the range table.
bool
inserts_one_row(const Query *query) noexcept
{
	return query->commandType == CMD_INSERT && query->jointree->fromlist == NIL;
}

} // namespace remedy::repetition

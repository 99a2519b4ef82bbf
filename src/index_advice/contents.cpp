#include "index_advice/contents.hpp"

#include "server/versions.hpp"

namespace remedy::index_advice {

namespace {

bool
look_into(Node *node, void *context)
{
	Contents &contents = *static_cast<Contents *>(context);

	if (node == nullptr)
		return false;
	if (IsA(node, Var))
	{
		const Var *const variable = reinterpret_cast<Var *>(node);
		const bool own = static_cast<Index>(variable->varno) == contents.table;
		contents.own |= own;
		contents.others |= !own || variable->varattno <= 0;
	}
	else if (IsA(node, PlaceHolderVar) || IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
		contents.others = true;
	else if (IsA(node, Param))
		contents.values = true;
	return server::walk_expression(node, look_into, context);
}

bool
renumber(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	if (IsA(node, Var))
	{
		Var *const variable = reinterpret_cast<Var *>(node);
		variable->varno = 1;
		variable->varnosyn = 1;
		variable->varattnosyn = variable->varattno;
	}
	return server::walk_expression(node, renumber, context);
}

} // namespace

Contents
contents_of(Index table, Node *expression) noexcept
{
	Contents contents = {table, false, false, false};

	look_into(expression, &contents);
	return contents;
}

Node *
own_expression(Index table, Node *expression) noexcept
{
	const Contents contents = contents_of(table, expression);

	if (!contents.own || contents.others)
		return nullptr;
	Node *const copy = static_cast<Node *>(copyObjectImpl(expression));
	renumber(copy, nullptr);
	return copy;
}

} // namespace remedy::index_advice

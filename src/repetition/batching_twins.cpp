#include "repetition/batching_tree.hpp"

#include "repetition/keys.hpp"
#include "server/versions.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace remedy::repetition {

namespace {

const Node *
value_of_key(const VaryingKey &key) noexcept
{
	return without_casts(static_cast<Node *>(list_nth(key.condition->args, key.side)));
}

// The value that the running execution was given; false if it is not at hand.
bool
value_of_parameter(int number, Oid type, Datum &value) noexcept
{
	const ParamListInfo list = ActivePortal == nullptr ? nullptr : ActivePortal->portalParams;

	if (list == nullptr || list->paramFetch != nullptr || number > list->numParams)
		return false;
	const ParamExternData &parameter = list->params[number - 1];
	value = parameter.value;
	return parameter.ptype == type && !parameter.isnull;
}

bool
are_twins(const Node *one, const Node *other) noexcept
{
	Datum values[2];
	int16 length;
	bool by_value;

	if (IsA(one, Const) || IsA(other, Const))
		return equal(one, other);
	const Param *const first = reinterpret_cast<const Param *>(one);
	const Param *const second = reinterpret_cast<const Param *>(other);
	get_typlenbyval(first->paramtype, &length, &by_value);
	return first->paramid != second->paramid && first->paramtype == second->paramtype &&
		   value_of_parameter(first->paramid, first->paramtype, values[0]) &&
		   value_of_parameter(second->paramid, second->paramtype, values[1]) &&
		   datum_image_eq(values[0], values[1], by_value, length);
}

bool
is_twin(const Original &original, OpExpr *condition) noexcept
{
	ListCell *cell;

	if (list_member_ptr(original.fixed, condition) || get_oprrest(condition->opno) != F_EQSEL)
		return false;
	for (int i = 0; i < original.key_count; ++i)
		if (original.keys[i].condition == condition)
			return false;
	foreach (cell, condition->args)
	{
		const Node *const value = plain_value(static_cast<Expr *>(lfirst(cell)));
		for (int i = 0; value != nullptr && i < original.key_count; ++i)
			if (are_twins(value_of_key(original.keys[i]), value))
				return true;
	}
	return false;
}

bool
find_twin(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	if (IsA(node, Query))
		return server::walk_query(reinterpret_cast<Query *>(node), find_twin, context);
	if (IsA(node, OpExpr) && is_twin(*static_cast<const Original *>(context), reinterpret_cast<OpExpr *>(node)))
		return true;
	return server::walk_expression(node, find_twin, context);
}

} // namespace

bool
has_twin(const Original &original) noexcept
{
	return find_twin(reinterpret_cast<Node *>(original.query), const_cast<Original *>(&original));
}

} // namespace remedy::repetition

#include "json_columns/access.hpp"

#include <initializer_list>

#include "server/versions.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/partition.h"
#include "nodes/makefuncs.h"
}

namespace remedy::json_columns {

// ---- From a variable to a column ---------------------------------------------------------

namespace {

const Level *
level_of(const Query *query, const Level *outer) noexcept
{
	Level *const level = static_cast<Level *>(palloc(sizeof(Level)));

	*level = {query, outer};
	return level;
}

const Level *
common_table(const RangeTblEntry *entry, const Level *level) noexcept
{
	const ListCell *cell;

	for (Index up = 0; up < entry->ctelevelsup && level != nullptr; ++up)
		level = level->outer;
	if (level == nullptr || entry->self_reference)
		return nullptr;
	foreach (cell, level->query->cteList)
	{
		const CommonTableExpr *const common = lfirst_node(CommonTableExpr, cell);
		if (strcmp(common->ctename, entry->ctename) == 0 && IsA(common->ctequery, Query))
			return level_of(reinterpret_cast<Query *>(common->ctequery), level);
	}
	return nullptr;
}

bool
step_into(const Level *query, AttrNumber number, Place &place) noexcept
{
	const List *const targets =
		query->query->commandType == CMD_SELECT ? query->query->targetList : query->query->returningList;
	const TargetEntry *const target = get_tle_by_resno(const_cast<List *>(targets), number);

	if (target == nullptr || query->query->setOperations != nullptr)
		return false;
	place = {reinterpret_cast<Node *>(target->expr), query};
	return true;
}

// One step on the way.
bool
step(const RangeTblEntry *entry, AttrNumber number, Place &place) noexcept
{
	const List *const merged = entry->rtekind == RTE_JOIN ? entry->joinaliasvars : server::grouped_expressions(entry);

	if (entry->rtekind == RTE_SUBQUERY)
		return step_into(level_of(entry->subquery, place.level), number, place);
	if (entry->rtekind == RTE_CTE)
	{
		const Level *const common = common_table(entry, place.level);
		return common != nullptr && step_into(common, number, place);
	}
	place.node = list_length(merged) < number ? nullptr : static_cast<Node *>(list_nth(merged, number - 1));
	return place.node != nullptr;
}

const RangeTblEntry *
entry_of(const Place &place) noexcept
{
	return rt_fetch(reinterpret_cast<const Var *>(place.node)->varno, place.level->query->rtable);
}

} // namespace

bool
resolve(Place &place) noexcept
{
	while (IsA(place.node, Var))
	{
		const Var *const variable = reinterpret_cast<const Var *>(place.node);
		for (Index up = 0; up < variable->varlevelsup && place.level != nullptr; ++up)
			place.level = place.level->outer;
		if (place.level == nullptr || variable->varattno <= 0)
			return false;
		if (variable->varlevelsup > 0)
		{
			Var *const here = static_cast<Var *>(copyObjectImpl(variable));
			here->varlevelsup = 0;
			place.node = reinterpret_cast<Node *>(here);
		}
		const RangeTblEntry *const entry = entry_of(place);
		if (entry->rtekind == RTE_RELATION)
			return true;
		if (!step(entry, variable->varattno, place))
			return false;
	}
	return true;
}

Oid
topmost_table(Oid relation) noexcept
{
	return get_rel_relispartition(relation) ? llast_oid(get_partition_ancestors(relation)) : relation;
}

namespace {

// Of a partition the topmost table's.
void
to_topmost(Oid &relation, AttrNumber &number) noexcept
{
	const Oid top = topmost_table(relation);

	if (top != relation)
		number = get_attnum(top, get_attname(relation, number, false));
	relation = top;
}

// ---- Operators and functions -------------------------------------------------------------

bool
is_one_of(const char *name, std::initializer_list<const char *> names) noexcept
{
	for (const char *const other : names)
		if (strcmp(name, other) == 0)
			return true;
	return false;
}

bool
is_json(Oid type) noexcept
{
	const Oid base = getBaseType(type);

	return base == JSONOID || base == JSONBOID;
}

const char *
text_of(const Const *constant) noexcept
{
	Oid output;
	bool varlena;

	if (constant->constisnull)
		return "?";
	getTypeOutputInfo(constant->consttype, &output, &varlena);
	return OidOutputFunctionCall(output, constant->constvalue);
}

void
add_steps(Node *node, Access &access) noexcept
{
	node = strip_implicit_coercions(node);
	const ArrayExpr *const array = IsA(node, ArrayExpr) ? reinterpret_cast<ArrayExpr *>(node) : nullptr;
	Datum *steps;
	bool *nulls;
	int count;
	const ListCell *cell;

	if (array != nullptr)
		foreach (cell, array->elements)
			add_steps(static_cast<Node *>(lfirst(cell)), access);
	else if (!IsA(node, Const) || reinterpret_cast<Const *>(node)->constisnull)
		access.path = lappend(access.path, pstrdup("?"));
	else if (reinterpret_cast<Const *>(node)->consttype == TEXTARRAYOID)
	{
		deconstruct_array(DatumGetArrayTypeP(reinterpret_cast<Const *>(node)->constvalue), TEXTOID, -1, false,
						  TYPALIGN_INT, &steps, &nulls, &count);
		for (int i = 0; i < count; ++i)
			access.path = lappend(access.path, nulls[i] ? pstrdup("?") : TextDatumGetCString(steps[i]));
	}
	else
		access.path = lappend(access.path, const_cast<char *>(text_of(reinterpret_cast<Const *>(node))));
}

bool
find_in_operator(const OpExpr *expression, const Level *level, Access &access) noexcept
{
	const char *const name = get_opname(expression->opno);

	if (list_length(expression->args) != 2 || expression->opno >= FirstNormalObjectId)
		return false;
	Node *const left = static_cast<Node *>(linitial(expression->args));
	Node *const right = static_cast<Node *>(lsecond(expression->args));
	if (is_one_of(name, {"->", "->>", "#>", "#>>"}) && find_access(left, level, access) && !access.ended)
	{
		access.operation = name;
		access.ended = strcmp(name + 1, ">>") == 0;
		add_steps(right, access);
		return true;
	}
	if (!is_one_of(name, {"@>", "<@", "?", "?|", "?&", "@?", "@@", "||", "-", "#-"}))
		return false;
	const bool on_left = is_json(exprType(left)) && find_access(left, level, access) && !access.ended;
	if (!on_left)
		access = {};
	if (!on_left && (!is_json(exprType(right)) || !find_access(right, level, access) || access.ended))
		return false;
	access.operation = on_left || strcmp(name, "<@") != 0 ? name : "@>"; // the column contains the value
	if (!on_left && strcmp(name, "@>") == 0)
		access.operation = "<@";
	access.searched = on_left ? left : right;
	access.value = on_left ? right : left;
	access.ended = true;
	return true;
}

// Functions of json, and any others that take one.
bool
find_in_function(const FuncExpr *expression, const Level *level, Access &access) noexcept
{
	const char *const name = get_func_name(expression->funcid);

	if (expression->args == NIL || name == nullptr)
		return false;
	Node *const first = static_cast<Node *>(linitial(expression->args));
	if (!is_json(exprType(first)) || !find_access(first, level, access) || access.ended)
		return false;
	access.by_user_function = expression->funcid >= FirstNormalObjectId;
	access.operation = name;
	access.ended = !is_one_of(name, {"json_extract_path", "jsonb_extract_path"}) || access.by_user_function;
	if (strstr(name, "_extract_path") != nullptr && !access.by_user_function)
		for (int i = 1; i < list_length(expression->args); ++i)
			add_steps(static_cast<Node *>(list_nth(expression->args, i)), access);
	else if (is_one_of(name, {"jsonb_path_exists", "jsonb_path_match", "jsonb_contains", "jsonb_exists"}))
	{
		access.searched = first;
		access.value = static_cast<Node *>(lsecond(expression->args));
	}
	return true;
}

bool
find_in_subscript(const SubscriptingRef *expression, const Level *level, Access &access) noexcept
{
	const ListCell *cell;

	if (expression->refassgnexpr != nullptr ||
		!find_access(reinterpret_cast<Node *>(expression->refexpr), level, access) || access.ended)
		return false;
	access.operation = "[]";
	foreach (cell, expression->refupperindexpr)
		add_steps(static_cast<Node *>(lfirst(cell)), access);
	return true;
}

// A cast of json itself.
bool
find_in_cast(Node *argument, Oid type, const Level *level, Access &access) noexcept
{
	if (!find_access(argument, level, access) || access.ended)
		return false;
	if (getBaseType(type) == JSONBOID)
	{
		if (access.operation == nullptr)
			access.operation = "::jsonb";
		access.as_jsonb = true;
		return true;
	}
	if (is_json(type))
		return true;
	access.operation = psprintf("::%s", format_type_be(type));
	access.ended = true;
	return true;
}

} // namespace

bool
find_column(Oid relation, AttrNumber number, Access &access) noexcept
{
	if (number <= 0 || relation < FirstNormalObjectId || !is_json(get_atttype(relation, number)))
		return false;
	to_topmost(relation, number);
	access.relation = relation;
	access.column = number;
	return true;
}

bool
find_access(Node *node, const Level *level, Access &access) noexcept
{
	Place place = {node, level};

	check_stack_depth();
	switch (nodeTag(node))
	{
	case T_Var:
		if (!resolve(place))
			return false;
		if (!IsA(place.node, Var))
			return find_access(place.node, place.level, access);
		return find_column(entry_of(place)->relid, reinterpret_cast<Var *>(place.node)->varattno, access);
	case T_OpExpr:
		return find_in_operator(reinterpret_cast<OpExpr *>(node), level, access);
	case T_FuncExpr:
		return find_in_function(reinterpret_cast<FuncExpr *>(node), level, access);
	case T_SubscriptingRef:
		return find_in_subscript(reinterpret_cast<SubscriptingRef *>(node), level, access);
	case T_CoerceViaIO:
		return find_in_cast(reinterpret_cast<Node *>(reinterpret_cast<CoerceViaIO *>(node)->arg), exprType(node), level,
							access);
	case T_RelabelType:
		return find_in_cast(reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg), exprType(node), level,
							access);
	default:
		return false;
	}
}

// ---- Over one relation -------------------------------------------------------------------

namespace {

struct Translation
{
	const Level *level;
	Oid relation;
	bool failed;
};

Node *
translate_node(Node *node, void *context)
{
	Translation &translation = *static_cast<Translation *>(context);

	if (node == nullptr)
		return nullptr;
	if (IsA(node, SubLink) || IsA(node, Aggref) || IsA(node, WindowFunc) || IsA(node, GroupingFunc))
		translation.failed = true;
	if (!IsA(node, Var))
		return server::mutate_expression(node, translate_node, context);
	Place place = {node, translation.level};
	if (!resolve(place))
	{
		translation.failed = true;
		return node;
	}
	if (!IsA(place.node, Var))
	{
		Translation inner = {place.level, translation.relation, false};
		Node *const translated = translate_node(place.node, &inner);
		translation.failed |= inner.failed;
		return translated;
	}
	Var *const variable = static_cast<Var *>(copyObjectImpl(place.node));
	Oid relation = entry_of(place)->relid;
	to_topmost(relation, variable->varattno);
	translation.failed |= relation != translation.relation;
	return reinterpret_cast<Node *>(
		makeVar(1, variable->varattno, variable->vartype, variable->vartypmod, variable->varcollid, 0));
}

} // namespace

Node *
translate(Node *node, const Level *level, Oid relation) noexcept
{
	Translation translation = {level, relation, false};
	Node *const translated = translate_node(node, &translation);

	return translation.failed ? nullptr : translated;
}

} // namespace remedy::json_columns

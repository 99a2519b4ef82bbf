#include "repetition/keys.hpp"

#include <utility>

#include "repetition/kinds.hpp"
#include "repetition/origins.hpp"
#include "repetition/values.hpp"
#include "server/versions.hpp"

namespace remedy::repetition {

namespace {

// A condition that compares two expressions: an operator's, or = ANY.
struct Walk
{
	void (*visit)(Walk &walk, const Query *query, Node *condition);
	const Shape *shape;
	Shape *described;
	ValueHash *values;
	int ordinal;
	OpExpr *sought;
};

// Visits what compares, in a query and in the queries of its FROM, WITH, target list and
// conditions, in an order that depends on the shape alone.
void walk_query(Walk &walk, const Query *query) noexcept;

bool
walk_sublinks(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	if (IsA(node, SubLink))
	{
		Node *const query = reinterpret_cast<SubLink *>(node)->subselect;
		if (IsA(query, Query))
			walk_query(*static_cast<Walk *>(context), reinterpret_cast<Query *>(query));
	}
	return server::walk_expression(node, walk_sublinks, context);
}

// A negated IS DISTINCT FROM says equality, nulls included.
bool
is_not_distinct(const Node *condition) noexcept
{
	return is_notclause(condition) && IsA(linitial(reinterpret_cast<const BoolExpr *>(condition)->args), DistinctExpr);
}

void
walk_condition(Walk &walk, const Query *query, Node *condition) noexcept
{
	if (condition == nullptr)
		return;
	if (is_andclause(condition))
	{
		ListCell *cell;
		foreach (cell, reinterpret_cast<BoolExpr *>(condition)->args)
			walk_condition(walk, query, static_cast<Node *>(lfirst(cell)));
		return;
	}
	if (is_not_distinct(condition))
		condition = static_cast<Node *>(linitial(reinterpret_cast<BoolExpr *>(condition)->args));
	else if (!IsA(condition, OpExpr) && !IsA(condition, ScalarArrayOpExpr))
		return;
	++walk.ordinal;
	walk.visit(walk, query, condition);
}

void
walk_from(Walk &walk, const Query *query, Node *item) noexcept
{
	if (item == nullptr)
		return;
	if (IsA(item, FromExpr))
	{
		FromExpr *const from = reinterpret_cast<FromExpr *>(item);
		ListCell *cell;
		walk_condition(walk, query, from->quals);
		foreach (cell, from->fromlist)
			walk_from(walk, query, static_cast<Node *>(lfirst(cell)));
	}
	else if (IsA(item, JoinExpr))
	{
		JoinExpr *const join = reinterpret_cast<JoinExpr *>(item);
		walk_from(walk, query, join->larg);
		walk_from(walk, query, join->rarg);
		walk_condition(walk, query, join->quals);
	}
}

bool
skips_locked(const Query *query) noexcept
{
	ListCell *cell;

	foreach (cell, query->rowMarks)
		if (lfirst_node(RowMarkClause, cell)->waitPolicy == LockWaitSkip)
			return true;
	return false;
}

void
walk_query(Walk &walk, const Query *query) noexcept
{
	ListCell *cell;

	check_stack_depth();
	if (walk.described != nullptr)
		walk.described->never_repeated |= skips_locked(query);
	walk_from(walk, query, reinterpret_cast<Node *>(query->jointree));
	foreach (cell, query->rtable)
	{
		const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell);
		if (entry->rtekind == RTE_SUBQUERY && entry->subquery != nullptr)
			walk_query(walk, entry->subquery);
	}
	foreach (cell, query->cteList)
	{
		Node *const common = lfirst_node(CommonTableExpr, cell)->ctequery;
		if (IsA(common, Query))
			walk_query(walk, reinterpret_cast<Query *>(common));
	}
	if (!query->hasSubLinks)
		return;
	walk_sublinks(reinterpret_cast<Node *>(query->targetList), &walk);
	walk_sublinks(reinterpret_cast<Node *>(query->jointree), &walk);
}

// Whether different values stay different, and equal ones equal, in that other type.
bool
keeps_apart(const Node *value, Oid result) noexcept
{
	const HashClass from = hash_class(exprType(value));
	const HashClass to = hash_class(result);

	if (from == to)
		return true;
	return from != HashClass::none && to != HashClass::none && from != HashClass::numeric && from != HashClass::date &&
		   from != HashClass::timestamp;
}

// What the node casts; null if it is no cast, or one that makes different values equal.
Node *
cast_by(const Node *node) noexcept
{
	if (IsA(node, RelabelType))
		return reinterpret_cast<Node *>(reinterpret_cast<const RelabelType *>(node)->arg);
	if (IsA(node, ArrayCoerceExpr))
		return reinterpret_cast<Node *>(reinterpret_cast<const ArrayCoerceExpr *>(node)->arg);
	if (IsA(node, CoerceToDomain))
		return reinterpret_cast<Node *>(reinterpret_cast<const CoerceToDomain *>(node)->arg);
	Node *argument = nullptr;
	bool is_implicit = false;
	if (IsA(node, CoerceViaIO))
		argument = reinterpret_cast<Node *>(reinterpret_cast<const CoerceViaIO *>(node)->arg);
	else if (IsA(node, FuncExpr) && reinterpret_cast<const FuncExpr *>(node)->args != NIL)
	{
		const CoercionForm form = reinterpret_cast<const FuncExpr *>(node)->funcformat;
		is_implicit = form == COERCE_IMPLICIT_CAST;
		if (is_implicit || form == COERCE_EXPLICIT_CAST)
			argument = static_cast<Node *>(linitial(reinterpret_cast<const FuncExpr *>(node)->args));
	}
	return argument != nullptr && (is_implicit || keeps_apart(argument, exprType(node))) ? argument : nullptr;
}

} // namespace

Node *
without_casts(Node *node) noexcept
{
	while (Node *const inner = cast_by(node))
		node = inner;
	return node;
}

namespace {

bool
is_value(const Node *node) noexcept
{
	return IsA(node, Const) || (IsA(node, Param) && reinterpret_cast<const Param *>(node)->paramkind == PARAM_EXTERN);
}

// A condition of the form column = value, in either order, or column = ANY (list).
struct Equality
{
	Oid operation;
	const Var *variable; // null: it has another form
	const Node *value;   // a Const or an external Param
	HashClass elements;  // of a list
};

Equality
equality_of_list(const ScalarArrayOpExpr *condition) noexcept
{
	Node *const left = without_casts(static_cast<Node *>(linitial(condition->args)));
	Node *right = without_casts(static_cast<Node *>(lsecond(condition->args)));
	HashClass elements = HashClass::none;

	if (!condition->useOr || !IsA(left, Var))
		return {};
	if (IsA(right, ArrayExpr) && list_length(reinterpret_cast<ArrayExpr *>(right)->elements) == 1 &&
		!reinterpret_cast<ArrayExpr *>(right)->multidims)
		right = without_casts(static_cast<Node *>(linitial(reinterpret_cast<ArrayExpr *>(right)->elements)));
	else if ((elements = element_class(exprType(right))) == HashClass::none)
		return {};
	if (!is_value(right))
		return {};
	return {condition->opno, reinterpret_cast<Var *>(left), right, elements};
}

Equality
equality_of(Node *condition) noexcept
{
	if (IsA(condition, ScalarArrayOpExpr))
		return equality_of_list(reinterpret_cast<ScalarArrayOpExpr *>(condition));
	// DistinctExpr is the same structure.
	const OpExpr *const comparison = reinterpret_cast<OpExpr *>(condition);
	if (list_length(comparison->args) != 2)
		return {};
	Node *left = without_casts(static_cast<Node *>(linitial(comparison->args)));
	Node *right = without_casts(static_cast<Node *>(lsecond(comparison->args)));

	if (!IsA(left, Var))
		std::swap(left, right);
	if (!IsA(left, Var) || !is_value(right) || hash_class(exprType(right)) == HashClass::none)
		return {};
	return {comparison->opno, reinterpret_cast<Var *>(left), right, HashClass::none};
}

void
describe_condition(Walk &walk, const Query *query, Node *condition)
{
	Shape &shape = *walk.described;

	if (shape.key_count == keys_per_shape)
		return;
	const Equality found = equality_of(condition);
	if (found.variable == nullptr || get_oprrest(found.operation) != F_EQSEL)
		return;
	const Column column = column_of(query, found.variable);
	if (column.relation < FirstNormalObjectId)
		return;
	const int parameter = IsA(found.value, Param) ? reinterpret_cast<const Param *>(found.value)->paramid : 0;
	if (parameter > UINT16_MAX || walk.ordinal > UINT8_MAX)
		return;
	shape.keys[shape.key_count++] = {column, static_cast<std::uint16_t>(parameter),
									 static_cast<std::uint8_t>(walk.ordinal),
									 static_cast<std::uint8_t>(found.elements)};
}

void
take_condition(Walk &walk, const Query *, Node *condition)
{
	if (walk.shape->keys[0].ordinal == walk.ordinal && IsA(condition, OpExpr))
		walk.sought = reinterpret_cast<OpExpr *>(condition);
}

void
take_constant(Walk &walk, const Query *, Node *condition)
{
	for (unsigned key = 0; key < walk.shape->key_count; ++key)
	{
		if (walk.shape->keys[key].ordinal != walk.ordinal)
			continue;
		const Equality found = equality_of(condition);
		if (found.value == nullptr || !IsA(found.value, Const))
			continue;
		const Const *const constant = reinterpret_cast<const Const *>(found.value);
		if (constant->constisnull)
			continue;
		walk.values[key] = found.elements == HashClass::none
							   ? hash_value(hash_class(constant->consttype), constant->constvalue)
							   : hash_only_element(found.elements, constant->constvalue);
	}
}

// The table that the query is about, if it is a user's.
Oid
table_of(const Query *query, const Shape &shape) noexcept
{
	ListCell *cell;

	if (query->resultRelation != 0)
	{
		const Oid written = rt_fetch(query->resultRelation, query->rtable)->relid;
		return written < FirstNormalObjectId ? InvalidOid : written;
	}
	if (shape.key_count > 0)
		return shape.keys[0].column.relation;
	foreach (cell, query->rtable)
	{
		const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell);
		if (entry->rtekind == RTE_RELATION && entry->relid >= FirstNormalObjectId)
			return entry->relid;
	}
	return InvalidOid;
}

} // namespace

std::uint32_t
relations_of(const Query *query) noexcept
{
	std::uint32_t hash = 0;
	ListCell *cell;

	foreach (cell, query->rtable)
	{
		const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell);
		if (entry->rtekind == RTE_RELATION)
			hash = hash * 31 + entry->relid;
		else if (entry->rtekind == RTE_SUBQUERY && entry->subquery != nullptr)
			hash = hash * 31 + relations_of(entry->subquery);
	}
	return hash;
}

void
describe(const Query *query, Shape &shape) noexcept
{
	Walk walk = {describe_condition, nullptr, &shape, nullptr, 0, nullptr};

	shape.described = true;
	shape.relations = relations_of(query);
	shape.key_count = 0;
	shape.unique_known = false;
	shape.barren = false;
	shape.kind = kind_of(query);
	shape.never_repeated = false;
	walk_query(walk, query);
	shape.command = command_of(query);
	shape.table = table_of(query, shape);
	shape.one_row = inserts_one_row(query);
}

const Query *
prepared_query(std::uint64_t fingerprint) noexcept
{
	const char *const name = ActivePortal == nullptr ? nullptr : ActivePortal->prepStmtName;
	const PreparedStatement *const prepared = name == nullptr ? nullptr : FetchPreparedStatement(name, false);
	ListCell *cell;

	if (prepared == nullptr)
		return nullptr;
	foreach (cell, prepared->plansource->query_list)
	{
		const Query *const query = lfirst_node(Query, cell);
		if (static_cast<std::uint64_t>(query->queryId) == fingerprint)
			return query;
	}
	return nullptr;
}

void
constant_values(const Query *query, const Shape &shape, ValueHash *values) noexcept
{
	Walk walk = {take_constant, &shape, nullptr, values, 0, nullptr};

	walk_query(walk, query);
}

OpExpr *
condition_of(const Query *query, unsigned ordinal) noexcept
{
	Shape shape = {};
	Walk walk = {take_condition, &shape, nullptr, nullptr, 0, nullptr};

	shape.keys[0].ordinal = static_cast<std::uint8_t>(ordinal);
	walk_query(walk, query);
	return walk.sought;
}

} // namespace remedy::repetition

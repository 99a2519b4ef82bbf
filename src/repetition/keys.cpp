#include "repetition/keys.hpp"

#include <utility>

#include "server/versions.hpp"

namespace remedy::repetition {

namespace {

// Visits the equality conditions of a query and of the queries in its FROM, WITH
// and target lists, in an order that depends on the shape alone.
struct Walk
{
	void (*visit)(Walk &walk, const Query *query, OpExpr *condition);
	const Shape *shape;
	Shape *described;
	ValueHash *values;
	int ordinal;
	OpExpr *sought;
};

void walk_query(Walk &walk, const Query *query) noexcept;

void
walk_condition(Walk &walk, const Query *query, Node *condition) noexcept
{
	if (condition == nullptr)
		return;
	if (IsA(condition, List))
	{
		ListCell *cell;
		foreach (cell, reinterpret_cast<List *>(condition))
			walk_condition(walk, query, static_cast<Node *>(lfirst(cell)));
	}
	else if (is_andclause(condition))
		walk_condition(walk, query, reinterpret_cast<Node *>(reinterpret_cast<BoolExpr *>(condition)->args));
	else if (IsA(condition, OpExpr) && list_length(reinterpret_cast<OpExpr *>(condition)->args) == 2)
	{
		++walk.ordinal;
		walk.visit(walk, query, reinterpret_cast<OpExpr *>(condition));
	}
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
		foreach (cell, from->fromlist)
			walk_from(walk, query, static_cast<Node *>(lfirst(cell)));
		walk_condition(walk, query, from->quals);
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

void
walk_query(Walk &walk, const Query *query) noexcept
{
	ListCell *cell;

	check_stack_depth();
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
	foreach (cell, query->targetList)
		walk_sublinks(reinterpret_cast<Node *>(lfirst_node(TargetEntry, cell)->expr), &walk);
}

} // namespace

Node *
without_casts(Node *node) noexcept
{
	for (;;)
	{
		if (IsA(node, RelabelType))
			node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
		else if (IsA(node, FuncExpr) && reinterpret_cast<FuncExpr *>(node)->funcformat == COERCE_IMPLICIT_CAST &&
				 reinterpret_cast<FuncExpr *>(node)->args != NIL)
			node = static_cast<Node *>(linitial(reinterpret_cast<FuncExpr *>(node)->args));
		else
			return node;
	}
}

namespace {

Column
column_of(const Query *query, const Var *variable) noexcept
{
	if (variable->varlevelsup > 0 || variable->varattno <= 0)
		return {};
	const RangeTblEntry *const entry = rt_fetch(variable->varno, query->rtable);

	if (entry->rtekind == RTE_RELATION)
		return base_column(entry->relid, variable->varattno);
	const Query *inner = query;
	Node *source = nullptr;
	if (entry->rtekind == RTE_SUBQUERY && entry->subquery != nullptr)
	{
		inner = entry->subquery;
		const TargetEntry *const target = get_tle_by_resno(inner->targetList, variable->varattno);
		source = target == nullptr ? nullptr : reinterpret_cast<Node *>(target->expr);
	}
	else if (entry->rtekind == RTE_JOIN)
		source = static_cast<Node *>(list_nth(entry->joinaliasvars, variable->varattno - 1));
	if (source == nullptr || !IsA(source, Var))
		return {};
	check_stack_depth();
	return column_of(inner, reinterpret_cast<Var *>(source));
}

struct Sides
{
	const Var *variable;
	const Node *value; // a Const or an external Param
};

// Both sides of a condition of the form column = value, in either order.
Sides
sides_of(OpExpr *condition) noexcept
{
	Node *left = without_casts(static_cast<Node *>(linitial(condition->args)));
	Node *right = without_casts(static_cast<Node *>(lsecond(condition->args)));

	if (!IsA(left, Var))
		std::swap(left, right);
	const bool is_value =
		IsA(right, Const) || (IsA(right, Param) && reinterpret_cast<Param *>(right)->paramkind == PARAM_EXTERN);
	if (!IsA(left, Var) || !is_value)
		return {};
	return {reinterpret_cast<Var *>(left), right};
}

void
describe_condition(Walk &walk, const Query *query, OpExpr *condition)
{
	Shape &shape = *walk.described;

	if (shape.key_count == keys_per_shape)
		return;
	const Sides sides = sides_of(condition);
	if (sides.variable == nullptr || !can_be_hashed(exprType(sides.value)) || get_oprrest(condition->opno) != F_EQSEL)
		return;
	const Column column = column_of(query, sides.variable);
	if (column.relation < FirstNormalObjectId)
		return;
	const int parameter = IsA(sides.value, Param) ? reinterpret_cast<const Param *>(sides.value)->paramid : 0;
	if (parameter > UINT16_MAX || walk.ordinal > UINT8_MAX)
		return;
	shape.keys[shape.key_count++] = {column, static_cast<std::uint16_t>(parameter),
									 static_cast<std::uint8_t>(walk.ordinal)};
}

void
take_condition(Walk &walk, const Query *, OpExpr *condition)
{
	if (walk.shape->keys[0].ordinal == walk.ordinal)
		walk.sought = condition;
}

void
take_constant(Walk &walk, const Query *, OpExpr *condition)
{
	for (unsigned key = 0; key < walk.shape->key_count; ++key)
	{
		if (walk.shape->keys[key].ordinal != walk.ordinal)
			continue;
		const Sides sides = sides_of(condition);
		if (sides.value == nullptr || !IsA(sides.value, Const))
			continue;
		const Const *const constant = reinterpret_cast<const Const *>(sides.value);
		if (!constant->constisnull)
			walk.values[key] = hash_value(hash_class(constant->consttype), constant->constvalue);
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

Kind
kind_of(const Query *query) noexcept
{
	bool all_aggregates = query->targetList != NIL;
	bool all_constants = query->targetList != NIL;
	ListCell *cell;

	foreach (cell, query->targetList)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		const Node *const value = reinterpret_cast<Node *>(target->expr);
		if (target->resjunk)
			continue;
		all_aggregates &= IsA(value, Aggref);
		all_constants &= IsA(value, Const);
		if (IsA(value, SubLink) && reinterpret_cast<const SubLink *>(value)->subLinkType == EXISTS_SUBLINK)
			return Kind::exists;
	}
	if (all_aggregates && query->groupClause == NIL)
		return Kind::count;
	return all_constants && query->limitCount != nullptr ? Kind::exists : Kind::select;
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

// An INSERT of one row has it in its target list; of several rows, or of a query's, the
// source is an item of its FROM.
bool
inserts_one_row(const Query *query) noexcept
{
	return query->commandType == CMD_INSERT && query->jointree->fromlist == NIL;
}

} // namespace

Column
base_column(Oid relation, AttrNumber number) noexcept
{
	if (get_rel_relkind(relation) != RELKIND_VIEW)
		return {relation, number};
	// The rewriter takes the same lock to put the view's query in its place.
	const Relation view = table_open(relation, AccessShareLock);
	const Query *const query = get_view_query(view);
	const TargetEntry *const target = get_tle_by_resno(query->targetList, number);
	Column column = {};

	check_stack_depth();
	if (target != nullptr && IsA(target->expr, Var))
		column = column_of(query, reinterpret_cast<Var *>(target->expr));
	table_close(view, AccessShareLock);
	return column;
}

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
	shape.never_repeated = skips_locked(query);
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

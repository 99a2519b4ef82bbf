#include "repetition/batching_tree.hpp"

#include "repetition/keys.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_opfamily.h"
#include "nodes/makefuncs.h"
#include "parser/parse_oper.h"
#include "parser/parse_param.h"
}

namespace remedy::repetition {

// ---- Reading ---------------------------------------------------------------------

Query *
analysed_text(const char *text, const Oid *types, int count) noexcept
{
	List *const statements = raw_parser(text, RAW_PARSE_DEFAULT);
	ParseState *const state = make_parsestate(nullptr);
	Oid *known = static_cast<Oid *>(palloc(Max(count, 1) * sizeof(Oid)));

	if (list_length(statements) != 1)
		return nullptr;
	RawStmt *const raw = linitial_node(RawStmt, statements);
	if (IsA(raw->stmt, PrepareStmt))
		raw->stmt = reinterpret_cast<PrepareStmt *>(raw->stmt)->query;
	if (!IsA(raw->stmt, SelectStmt) && !IsA(raw->stmt, InsertStmt) && !IsA(raw->stmt, UpdateStmt) &&
		!IsA(raw->stmt, DeleteStmt))
		return nullptr;
	for (int i = 0; i < count; ++i)
		known[i] = types[i];
	state->p_sourcetext = text;
	setup_parse_variable_parameters(state, &known, &count);
	Query *const query = transformTopLevelStmt(state, raw);
	check_variable_parameters(state, query);
	free_parsestate(state);
	return query->commandType == CMD_UTILITY ? nullptr : query;
}

Node *
plain_value(Expr *expression) noexcept
{
	Node *value = without_casts(reinterpret_cast<Node *>(expression));

	if (IsA(value, CoerceToDomain))
		value = without_casts(reinterpret_cast<Node *>(reinterpret_cast<CoerceToDomain *>(value)->arg));
	return IsA(value, Const) || IsA(value, Param) ? value : nullptr;
}

namespace {

struct Count
{
	int parameter;
	int found;
};

bool
count_parameter(Node *node, void *context)
{
	Count &count = *static_cast<Count *>(context);

	if (node == nullptr)
		return false;
	if (IsA(node, Query))
		return server::walk_query(reinterpret_cast<Query *>(node), count_parameter, context);
	count.found += IsA(node, Param) && reinterpret_cast<Param *>(node)->paramid == count.parameter;
	return server::walk_expression(node, count_parameter, context);
}

int
width_of_integer(Oid type) noexcept
{
	return type == INT2OID ? 2 : type == INT4OID ? 4 : type == INT8OID ? 8 : 0;
}

// A bigint that is compared with an integer today may be with a bigint tomorrow.
Oid
widened(Oid value, Oid column) noexcept
{
	return width_of_integer(value) > 0 && width_of_integer(column) > width_of_integer(value) ? column : value;
}

bool
read_key(const Query *query, const KeyColumn &shape_key, VaryingKey &key) noexcept
{
	key = {};
	key.condition = condition_of(query, shape_key.ordinal);
	if (key.condition == nullptr)
		return false;
	Node *const left = static_cast<Node *>(linitial(key.condition->args));
	Node *const right = static_cast<Node *>(lsecond(key.condition->args));
	key.side = IsA(without_casts(left), Var) ? 1 : 0;
	Node *const other = key.side == 1 ? left : right;
	const Node *const value = without_casts(key.side == 1 ? right : left);
	if (!IsA(without_casts(other), Var) || !(IsA(value, Const) || IsA(value, Param)))
		return false;
	key.column = reinterpret_cast<Var *>(without_casts(other));
	key.element = widened(exprType(key.side == 1 ? right : left), exprType(other));
	key.alone = true;
	if (IsA(value, Param))
	{
		Count count = {reinterpret_cast<const Param *>(value)->paramid, 0};
		count_parameter(reinterpret_cast<Node *>(const_cast<Query *>(query)), &count);
		key.parameter = count.parameter;
		key.alone = count.found == 1;
		if (!key.alone)
			key.element = reinterpret_cast<const Param *>(value)->paramtype;
	}
	return OidIsValid(get_array_type(key.element));
}

bool
has_key_of(const Original &original, int parameter) noexcept
{
	for (int i = 0; i < original.key_count; ++i)
		if (parameter != 0 && original.keys[i].parameter == parameter)
			return true;
	return false;
}

} // namespace

bool
read_original(const observe::RawText &text, const Shape &shape, unsigned varying, Original &original) noexcept
{
	const bool types_known = text.parameter_types != nullptr;

	original = {};
	original.text = text.bytes;
	original.query = analysed_text(text.bytes, text.parameter_types, types_known ? text.parameter_count : 0);
	if (original.query == nullptr)
		return false;
	for (unsigned i = 0; i < shape.key_count; ++i)
	{
		VaryingKey &key = original.keys[original.key_count];
		if ((varying >> i & 1) == 0)
		{
			original.fixed = lappend(original.fixed, condition_of(original.query, shape.keys[i].ordinal));
			continue;
		}
		if (!read_key(original.query, shape.keys[i], key))
			return false;
		if (!has_key_of(original, key.parameter))
			++original.key_count;
	}
	return original.key_count > 0 || original.query->commandType == CMD_INSERT;
}

namespace {

bool
has_condition(Node *conditions, const OpExpr *condition) noexcept
{
	ListCell *cell;
	List *parts = NIL;

	if (conditions == nullptr || conditions == reinterpret_cast<const Node *>(condition))
		return conditions != nullptr;
	if (IsA(conditions, List))
		parts = reinterpret_cast<List *>(conditions);
	else if (is_andclause(conditions))
		parts = reinterpret_cast<BoolExpr *>(conditions)->args;
	foreach (cell, parts)
		if (has_condition(static_cast<Node *>(lfirst(cell)), condition))
			return true;
	return false;
}

// The side of an outer join that all rows are kept of is filtered like a table alone.
bool
filters(Node *item, const OpExpr *condition) noexcept
{
	ListCell *cell;

	if (IsA(item, FromExpr))
	{
		const FromExpr *const from = reinterpret_cast<FromExpr *>(item);
		foreach (cell, from->fromlist)
			if (filters(static_cast<Node *>(lfirst(cell)), condition))
				return true;
		return has_condition(from->quals, condition);
	}
	if (!IsA(item, JoinExpr))
		return false;
	const JoinExpr *const join = reinterpret_cast<JoinExpr *>(item);
	if (join->jointype == JOIN_INNER && has_condition(join->quals, condition))
		return true;
	return ((join->jointype == JOIN_INNER || join->jointype == JOIN_LEFT) && filters(join->larg, condition)) ||
		   ((join->jointype == JOIN_INNER || join->jointype == JOIN_RIGHT) && filters(join->rarg, condition));
}

bool
is_value(Node *node, void *)
{
	if (node == nullptr)
		return false;
	if (IsA(node, Param) || (IsA(node, Const) && reinterpret_cast<Const *>(node)->location >= 0))
		return true;
	return server::walk_expression(node, is_value, nullptr);
}

} // namespace

bool
is_filter(const Query *query, const OpExpr *condition) noexcept
{
	return filters(reinterpret_cast<Node *>(query->jointree), condition);
}

bool
has_values(Node *node) noexcept
{
	return is_value(node, nullptr);
}

// ---- Outputs ---------------------------------------------------------------------

namespace {

bool
has_output(const List *targets, const char *name) noexcept
{
	ListCell *cell;

	foreach (cell, targets)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		if (!target->resjunk && target->resname != nullptr && strcmp(target->resname, name) == 0)
			return true;
	}
	return false;
}

} // namespace

void
add_output(const Query *query, List *&targets, Var *column) noexcept
{
	const char *name = get_rte_attribute_name(rt_fetch(column->varno, query->rtable), column->varattno);
	ListCell *cell;

	foreach (cell, targets)
		if (!lfirst_node(TargetEntry, cell)->resjunk && equal(lfirst_node(TargetEntry, cell)->expr, column))
			return;
	for (int i = 1; has_output(targets, name); ++i)
		name = psprintf("key_%d", i);
	targets =
		lappend(targets, makeTargetEntry(static_cast<Expr *>(copyObjectImpl(column)),
										 static_cast<AttrNumber>(list_length(targets) + 1), pstrdup(name), false));
}

bool
group_by(Query *query, const VaryingKey &key) noexcept
{
	SortGroupClause *const group = makeNode(SortGroupClause);
	TargetEntry *const target =
		makeTargetEntry(static_cast<Expr *>(copyObjectImpl(key.column)), 1, pstrdup("key"), false);
	ListCell *cell;

	get_sort_group_operators(exprType(reinterpret_cast<Node *>(key.column)), false, true, false, &group->sortop,
							 &group->eqop, nullptr, &group->hashable);
	if (!OidIsValid(group->eqop) || !equality_ops_are_compatible(group->eqop, key.condition->opno))
		return false;
	foreach (cell, query->targetList)
		++lfirst_node(TargetEntry, cell)->resno;
	target->ressortgroupref = group->tleSortGroupRef = 1;
	query->targetList = lcons(target, query->targetList);
	query->groupClause = list_make1(group);
	return true;
}

} // namespace remedy::repetition

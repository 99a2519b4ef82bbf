// Values of the client's become parameters, and keys arrays or their elements.

#include "repetition/batching_tree.hpp"

#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_opfamily.h"
#include "nodes/makefuncs.h"
}

namespace remedy::repetition {

namespace {

Node *
element_parameter(int number, Oid type) noexcept
{
	Param *const parameter = makeNode(Param);

	parameter->paramkind = PARAM_EXTERN;
	parameter->paramid = number;
	parameter->paramtype = type;
	parameter->paramtypmod = -1;
	parameter->paramcollid = get_typcollation(type);
	parameter->location = -1;
	return reinterpret_cast<Node *>(parameter);
}

// With a cast, so that the text can be prepared as it is.
Node *
cast_parameter(int number, Oid type) noexcept
{
	return reinterpret_cast<Node *>(makeRelabelType(reinterpret_cast<Expr *>(element_parameter(number, type)), type, -1,
													get_typcollation(type), COERCE_EXPLICIT_CAST));
}

void
put(Rewriting &rewriting, const Node *from, Node *to) noexcept
{
	rewriting.places[rewriting.place_count].from = from;
	rewriting.places[rewriting.place_count++].to = to;
}

// The condition's operator for a column on the left and a value of the key's type.
Oid
operator_of(const VaryingKey &key) noexcept
{
	Node *const column = static_cast<Node *>(list_nth(key.condition->args, 1 - key.side));
	Node *const value = static_cast<Node *>(list_nth(key.condition->args, key.side));

	if (exprType(value) != key.element)
		return get_opfamily_member(INTEGER_BTREE_FAM_OID, exprType(column), key.element, BTEqualStrategyNumber);
	return key.side == 1 ? key.condition->opno : get_commutator(key.condition->opno);
}

Node *
any_condition(const VaryingKey &key, Oid equality, int number) noexcept
{
	ScalarArrayOpExpr *const any = makeNode(ScalarArrayOpExpr);

	any->opno = equality;
	any->opfuncid = get_opcode(equality);
	any->useOr = true;
	any->inputcollid = key.condition->inputcollid;
	any->args = list_make2(copyObject(list_nth(key.condition->args, 1 - key.side)),
						   cast_parameter(number, get_array_type(key.element)));
	any->location = -1;
	return reinterpret_cast<Node *>(any);
}

Node *
element_condition(const VaryingKey &key, Oid equality, int number) noexcept
{
	OpExpr *const condition = static_cast<OpExpr *>(copyObjectImpl(key.condition));

	condition->opno = equality;
	condition->opfuncid = get_opcode(equality);
	condition->args =
		list_make2(copyObject(list_nth(key.condition->args, 1 - key.side)), element_parameter(number, key.element));
	return reinterpret_cast<Node *>(condition);
}

} // namespace

void
add_keys(Rewriting &rewriting) noexcept
{
	const Original &original = *rewriting.original;

	for (int i = 0; i < original.key_count; ++i)
	{
		const VaryingKey &key = original.keys[i];
		const int number = ++rewriting.array_count;
		BatchArray &array = rewriting.arrays[number - 1];
		array.element = key.element;
		strcpy(array.name, "key");
		if (i > 0)
			snprintf(array.name, sizeof(array.name), "key_%d", i + 1);
		if (!key.alone)
			continue; // wherever it stands, it is found by its number
		const Oid equality = operator_of(key);
		if (!OidIsValid(equality))
			rewriting.refused = true;
		else
			put(rewriting, reinterpret_cast<const Node *>(key.condition),
				rewriting.whole_arrays ? any_condition(key, equality, number)
									   : element_condition(key, equality, number));
	}
}

bool
add_array(Rewriting &rewriting, const Node *value, Oid type, const char *name) noexcept
{
	if (rewriting.array_count == batch_array_limit || !OidIsValid(get_array_type(type)))
		return false;
	BatchArray &array = rewriting.arrays[rewriting.array_count++];
	array.element = type;
	strlcpy(array.name, name, sizeof(array.name));
	put(rewriting, value, element_parameter(rewriting.array_count, type));
	return true;
}

namespace {

// The same value twice is one parameter where expressions must be the same (GROUP BY).
Node *
other_value(Rewriting &rewriting, Node *value, Oid type) noexcept
{
	ListCell *cell;
	int number = rewriting.array_count + 1;

	foreach (cell, rewriting.others)
	{
		if ((rewriting.share || IsA(value, Param)) && equal(lfirst(cell), value))
			break;
		++number;
	}
	if (cell == nullptr)
		rewriting.others = lappend(rewriting.others, value);
	return cast_parameter(number, type == UNKNOWNOID ? TEXTOID : type);
}

Node *
for_parameter(Rewriting &rewriting, Param *parameter) noexcept
{
	const Original &original = *rewriting.original;

	if (parameter->paramkind != PARAM_EXTERN)
		rewriting.refused = true;
	for (int i = 0; i < original.key_count; ++i)
		if (original.keys[i].parameter == parameter->paramid)
			return element_parameter(i + 1, parameter->paramtype);
	return other_value(rewriting, reinterpret_cast<Node *>(parameter), parameter->paramtype);
}

// What is written as a word (true, NULL, the year of EXTRACT) is not a value of anybody's.
bool
is_keyword(const char *at) noexcept
{
	if (!isalpha(static_cast<unsigned char>(*at)))
		return false;
	while (isalpha(static_cast<unsigned char>(*at)))
		++at;
	return *at != '\'' && *at != '&';
}

Node *
for_constant(Rewriting &rewriting, Const *constant) noexcept
{
	if (constant->location < 0 || constant->constisnull || is_keyword(rewriting.original->text + constant->location))
		return static_cast<Node *>(copyObjectImpl(constant));
	return other_value(rewriting, reinterpret_cast<Node *>(constant), constant->consttype);
}

Node *change(Node *node, void *context);

// Some functions have a syntax of their own, in which the deparser expects texts that are constants.
Node *
for_function(FuncExpr *function, void *context) noexcept
{
	FuncExpr *const changed =
		reinterpret_cast<FuncExpr *>(server::mutate_expression(reinterpret_cast<Node *>(function), change, context));
	ListCell *before;
	ListCell *after;

	if (changed->funcformat != COERCE_SQL_SYNTAX)
		return reinterpret_cast<Node *>(changed);
	forboth(before, function->args, after, changed->args)
	{
		if (IsA(lfirst(before), Const) && !IsA(lfirst(after), Const) &&
			exprType(static_cast<Node *>(lfirst(before))) == TEXTOID)
			changed->funcformat = COERCE_EXPLICIT_CALL;
	}
	return reinterpret_cast<Node *>(changed);
}

// The kinds of nodes that the deparser takes with any expression in them.
bool
is_known(const Node *node) noexcept
{
	switch (nodeTag(node))
	{
	case T_List:
	case T_TargetEntry:
	case T_FromExpr:
	case T_JoinExpr:
	case T_RangeTblRef:
	case T_RangeTblFunction:
	case T_TableSampleClause:
	case T_SetOperationStmt:
	case T_CommonTableExpr:
	case T_OnConflictExpr:
	case T_InferenceElem:
	case T_Var:
	case T_OpExpr:
	case T_DistinctExpr:
	case T_NullIfExpr:
	case T_ScalarArrayOpExpr:
	case T_BoolExpr:
	case T_SubLink:
	case T_Aggref:
	case T_GroupingFunc:
	case T_WindowFunc:
	case T_SubscriptingRef:
	case T_FieldSelect:
	case T_NamedArgExpr:
	case T_RelabelType:
	case T_CoerceViaIO:
	case T_ArrayCoerceExpr:
	case T_ConvertRowtypeExpr:
	case T_CoerceToDomain:
	case T_CollateExpr:
	case T_CaseExpr:
	case T_CaseWhen:
	case T_CaseTestExpr:
	case T_ArrayExpr:
	case T_RowExpr:
	case T_RowCompareExpr:
	case T_CoalesceExpr:
	case T_MinMaxExpr:
	case T_SQLValueFunction:
	case T_NullTest:
	case T_BooleanTest:
	case T_SortGroupClause:
	case T_SetToDefault:
		return true;
	default:
		return false;
	}
}

Node *
change(Node *node, void *context)
{
	Rewriting &rewriting = *static_cast<Rewriting *>(context);

	if (node == nullptr)
		return nullptr;
	for (int i = 0; i < rewriting.place_count; ++i)
		if (rewriting.places[i].from == node)
			return rewriting.places[i].to;
	if (IsA(node, Const))
		return for_constant(rewriting, reinterpret_cast<Const *>(node));
	if (IsA(node, Param))
		return for_parameter(rewriting, reinterpret_cast<Param *>(node));
	if (IsA(node, FuncExpr))
		return for_function(reinterpret_cast<FuncExpr *>(node), context);
	if (IsA(node, Query))
		return reinterpret_cast<Node *>(server::mutate_query(reinterpret_cast<Query *>(node), change, context));
	rewriting.refused |= !is_known(node);
	return server::mutate_expression(node, change, context);
}

} // namespace

Query *
rewritten(Rewriting &rewriting) noexcept
{
	Query *const query = server::mutate_query(rewriting.original->query, change, &rewriting);

	return rewriting.refused ? nullptr : query;
}

} // namespace remedy::repetition

// What becomes of an expression whose arguments were json and are jsonb.

#include "jsonb_migration/rewriting_context.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_aggregate.h"
#include "parser/parse_coerce.h"
}

namespace remedy::jsonb_migration {

namespace {

// ---- Arguments -------------------------------------------------------------------

Node **
place_of(ListCell *cell) noexcept
{
	Node *const node = node_of(lfirst(cell));

	if (node != nullptr && IsA(node, TargetEntry))
		return reinterpret_cast<Node **>(&reinterpret_cast<TargetEntry *>(node)->expr);
	if (node != nullptr && IsA(node, NamedArgExpr))
		return reinterpret_cast<Node **>(&reinterpret_cast<NamedArgExpr *>(node)->arg);
	return reinterpret_cast<Node **>(&lfirst(cell));
}

List *
places_of(List *values) noexcept
{
	List *places = NIL;
	ListCell *cell;

	foreach (cell, values)
		places = lappend(places, place_of(cell));
	return places;
}

bool
any_became_jsonb(List *before, List *after) noexcept
{
	ListCell *old, *now;

	forboth(old, before, now, after) if (became_jsonb(*place_of(old), *place_of(now))) return true;
	return false;
}

void
cast_if_changed(Rewriting &rewriting, Node *before, Node *&after) noexcept
{
	if (became_jsonb(before, after))
		after = cast_to_json(rewriting, after);
}

void
cast_all_changed(Rewriting &rewriting, List *before, List *after) noexcept
{
	ListCell *old, *now;

	forboth(old, before, now, after) cast_if_changed(rewriting, *place_of(old), *place_of(now));
}

// ---- Functions, operators, aggregates: what they are declared to take -------------

struct Declared
{
	Oid *types;
	int count;
	Oid result;
	Oid function; // for the remark; InvalidOid: none
};

Declared
declared_by_function(Oid function) noexcept
{
	Declared declared = {.result = get_func_rettype(function), .function = function};

	get_func_signature(function, &declared.types, &declared.count);
	return declared;
}

Declared
declared_by_operator(Oid op) noexcept
{
	Declared declared = {.types = static_cast<Oid *>(palloc(2 * sizeof(Oid))), .function = get_opcode(op)};

	op_input_types(op, &declared.types[0], &declared.types[1]);
	if (OidIsValid(declared.types[0]))
		declared.count = 2;
	else
	{
		declared.types[0] = declared.types[1];
		declared.count = 1;
	}
	declared.result = get_func_rettype(declared.function);
	return declared;
}

// VARIADIC "any" is declared once.
Oid
type_of_argument(const Declared &declared, ListCell *cell, int index) noexcept
{
	const Node *const node = node_of(lfirst(cell));

	if (node != nullptr && IsA(node, NamedArgExpr))
		index = reinterpret_cast<const NamedArgExpr *>(node)->argnumber;
	return declared.count == 0 ? ANYOID : declared.types[Min(index, declared.count - 1)];
}

bool
is_text(Oid type) noexcept
{
	return TypeCategory(type) == TYPCATEGORY_STRING;
}

// The function stays.  Where it takes any type it gets jsonb, else json again.  Its result's type.
Oid
settle(Rewriting &rewriting, const Declared &declared, List *before, List *after, Oid result) noexcept
{
	List *generic = NIL;
	ListCell *old, *now;
	bool cast = false;

	forboth(old, before, now, after)
	{
		const Oid type = type_of_argument(declared, now, foreach_current_index(old));
		Node *&value = *place_of(now);
		if (IsPolymorphicType(type) && (is_json(exprType(value)) || became_jsonb(*place_of(old), value)))
			generic = lappend(generic, &value);
		if (!became_jsonb(*place_of(old), value))
			continue;
		if (type == ANYOID || IsPolymorphicType(type))
		{
			rewriting.text_used |= is_text(result);
			continue;
		}
		value = cast_to_json(rewriting, value);
		cast = true;
	}
	if (cast && OidIsValid(declared.function))
		rewriting.functions = list_append_unique_oid(rewriting.functions, declared.function);
	return agree(rewriting, generic) && IsPolymorphicType(declared.result) ? as_jsonb(result) : result;
}

bool
give_jsonb(Oid function, List *arguments) noexcept
{
	const Declared declared = declared_by_function(function);
	List *twins = NIL;
	ListCell *cell, *twin;

	foreach (cell, arguments)
	{
		Node *const value = *place_of(cell);
		twins = lappend(twins, is_json(declared.types[foreach_current_index(cell)]) ? make_jsonb(value) : value);
		if (llast(twins) == nullptr)
			return false;
	}
	forboth(cell, arguments, twin, twins) lfirst(cell) = lfirst(twin);
	return true;
}

bool
reads_keys(Oid function) noexcept
{
	const char *const name = get_func_name(function);

	return strncmp(name, "json_each", 9) == 0 || strcmp(name, "json_object_keys") == 0;
}

void
mend_function(Rewriting &rewriting, const FuncExpr *before, FuncExpr *after) noexcept
{
	if (!any_became_jsonb(before->args, after->args))
		return;
	const Oid twin = twin_of_function(before->funcid, after->args);
	if (!OidIsValid(twin) || !give_jsonb(before->funcid, after->args))
	{
		after->funcresulttype =
			settle(rewriting, declared_by_function(before->funcid), before->args, after->args, before->funcresulttype);
		return;
	}
	rewriting.keys_read |= reads_keys(before->funcid);
	after->funcid = twin;
	if (!IsPolymorphicType(get_func_rettype(twin)))
		after->funcresulttype = get_func_rettype(twin);
}

void
mend_operator(Rewriting &rewriting, const OpExpr *before, OpExpr *after) noexcept
{
	if (!any_became_jsonb(before->args, after->args))
		return;
	const Oid twin = twin_of_operator(before->opno);
	if (!OidIsValid(twin) || !give_jsonb(get_opcode(before->opno), after->args))
	{
		after->opresulttype =
			settle(rewriting, declared_by_operator(before->opno), before->args, after->args, before->opresulttype);
		return;
	}
	rewriting.numbered |= list_length(after->args) == 2 && exprType(node_of(lsecond(after->args))) == INT4OID;
	after->opno = twin;
	after->opfuncid = get_opcode(twin);
	after->opresulttype = get_func_rettype(after->opfuncid);
}

void
mend_aggregate(Rewriting &rewriting, const Aggref *before, Aggref *after) noexcept
{
	List *types = NIL;
	ListCell *cell;

	cast_all_changed(rewriting, before->aggdirectargs, after->aggdirectargs);
	if (!any_became_jsonb(before->args, after->args))
		return;
	if (after->aggkind != AGGKIND_NORMAL)
	{
		cast_all_changed(rewriting, before->args, after->args);
		return;
	}
	after->aggtype =
		settle(rewriting, declared_by_function(before->aggfnoid), before->args, after->args, before->aggtype);
	foreach (cell, after->args)
		if (!lfirst_node(TargetEntry, cell)->resjunk)
			types = lappend_oid(types, exprType(*place_of(cell)));
	after->aggargtypes = types;
}

// ---- Casts -----------------------------------------------------------------------

// Through its own text: what (document::text)::jsonb wants to be.
Node *
without_text(Node *value) noexcept
{
	const CoerceViaIO *const cast = reinterpret_cast<CoerceViaIO *>(value);

	return IsA(value, CoerceViaIO) && is_text(cast->resulttype) && exprType(node_of(cast->arg)) == JSONBOID
			   ? node_of(cast->arg)
			   : value;
}

Node *
mend_cast(Rewriting &rewriting, const CoerceViaIO *before, CoerceViaIO *after) noexcept
{
	Node *const argument = node_of(after->arg);

	if (before->resulttype == JSONBOID)
	{
		Node *const plain = without_text(argument);
		return exprType(plain) == JSONBOID ? plain : node_of(after);
	}
	if (became_jsonb(node_of(before->arg), argument))
		rewriting.text_used = true;
	return node_of(after);
}

Node *
mend_array_cast(Rewriting &rewriting, const ArrayCoerceExpr *before, ArrayCoerceExpr *after) noexcept
{
	if (became_jsonb(node_of(before->arg), node_of(after->arg)) && before->resulttype == JSONBARRAYOID)
		return node_of(after->arg);
	cast_if_changed(rewriting, node_of(before->arg), reinterpret_cast<Node *&>(after->arg));
	return node_of(after);
}

// ---- Alternatives ----------------------------------------------------------------

void
mend_case(Rewriting &rewriting, CaseExpr *after) noexcept
{
	List *places = NIL;
	ListCell *cell;

	foreach (cell, after->args)
		places = lappend(places, &lfirst_node(CaseWhen, cell)->result);
	if (after->defresult != nullptr)
		places = lappend(places, &after->defresult);
	if (is_json(after->casetype) && agree(rewriting, places))
		after->casetype = as_jsonb(after->casetype);
}

void
mend_array(Rewriting &rewriting, ArrayExpr *after) noexcept
{
	if (!is_json(after->array_typeid) || !agree(rewriting, places_of(after->elements)))
		return;
	after->array_typeid = as_jsonb(after->array_typeid);
	after->element_typeid = as_jsonb(after->element_typeid);
}

// ---- Parts -----------------------------------------------------------------------

void
mend_subscript(const SubscriptingRef *before, SubscriptingRef *after) noexcept
{
	if (!became_jsonb(node_of(before->refexpr), node_of(after->refexpr)))
		return;
	after->refcontainertype = as_jsonb(after->refcontainertype);
	after->refelemtype = as_jsonb(after->refelemtype);
	after->refrestype = as_jsonb(after->refrestype);
}

void
mend_field(Rewriting &rewriting, FieldSelect *after) noexcept
{
	if (!is_json(after->resulttype))
		return;
	const TupleDesc fields = get_expr_result_tupdesc(node_of(after->arg), true);
	if (fields == nullptr)
		refuse(rewriting, "it takes a json field out of a record whose type is not plain");
	else if (after->fieldnum <= fields->natts)
		after->resulttype = TupleDescAttr(fields, after->fieldnum - 1)->atttypid;
}

// A comparison with a subquery's rows, by an operator of a user's own.
void
mend_sublink(Rewriting &rewriting, const SubLink *before, SubLink *after) noexcept
{
	Query *const query = reinterpret_cast<Query *>(after->subselect);
	int column = -1;

	if (after->subLinkType != ANY_SUBLINK && after->subLinkType != ALL_SUBLINK &&
		after->subLinkType != ROWCOMPARE_SUBLINK)
		return;
	const Bitmapset *const columns =
		columns_that_became_jsonb(reinterpret_cast<const Query *>(before->subselect), query);
	while ((column = bms_next_member(columns, column)) >= 0)
		cast_column_to_json(rewriting, query, column);
}

void
mend_row(Rewriting &rewriting, const RowExpr *before, RowExpr *after) noexcept
{
	if (after->row_typeid != RECORDOID)
		cast_all_changed(rewriting, before->args, after->args);
}

void
mend_row_comparison(Rewriting &rewriting, const RowCompareExpr *before, RowCompareExpr *after) noexcept
{
	cast_all_changed(rewriting, before->largs, after->largs);
	cast_all_changed(rewriting, before->rargs, after->rargs);
}

template <class Type>
const Type *
as(const Node *node) noexcept
{
	return reinterpret_cast<const Type *>(node);
}

template <class Type>
Type *
as(Node *node) noexcept
{
	return reinterpret_cast<Type *>(node);
}

template <class Type>
void
cast_argument(Rewriting &rewriting, Node *before, Node *after) noexcept
{
	cast_if_changed(rewriting, node_of(as<Type>(before)->arg), reinterpret_cast<Node *&>(as<Type>(after)->arg));
}

} // namespace

Node *
mend(Rewriting &rewriting, Node *before, Node *after) noexcept
{
	switch (nodeTag(after))
	{
	case T_FuncExpr:
		mend_function(rewriting, as<FuncExpr>(before), as<FuncExpr>(after));
		break;
	case T_OpExpr:
	case T_DistinctExpr:
	case T_NullIfExpr:
		mend_operator(rewriting, as<OpExpr>(before), as<OpExpr>(after));
		break;
	case T_Aggref:
		mend_aggregate(rewriting, as<Aggref>(before), as<Aggref>(after));
		break;
	case T_WindowFunc:
		as<WindowFunc>(after)->wintype =
			settle(rewriting, declared_by_function(as<WindowFunc>(before)->winfnoid), as<WindowFunc>(before)->args,
				   as<WindowFunc>(after)->args, as<WindowFunc>(before)->wintype);
		break;
	case T_ScalarArrayOpExpr:
		cast_all_changed(rewriting, as<ScalarArrayOpExpr>(before)->args, as<ScalarArrayOpExpr>(after)->args);
		break;
	case T_CoerceViaIO:
		return mend_cast(rewriting, as<CoerceViaIO>(before), as<CoerceViaIO>(after));
	case T_ArrayCoerceExpr:
		return mend_array_cast(rewriting, as<ArrayCoerceExpr>(before), as<ArrayCoerceExpr>(after));
	case T_RelabelType:
		cast_argument<RelabelType>(rewriting, before, after);
		break;
	case T_CoerceToDomain:
		cast_argument<CoerceToDomain>(rewriting, before, after);
		break;
	case T_CoalesceExpr:
		if (agree(rewriting, places_of(as<CoalesceExpr>(after)->args)))
			as<CoalesceExpr>(after)->coalescetype = as_jsonb(as<CoalesceExpr>(after)->coalescetype);
		break;
	case T_CaseExpr:
		mend_case(rewriting, as<CaseExpr>(after));
		break;
	case T_ArrayExpr:
		mend_array(rewriting, as<ArrayExpr>(after));
		break;
	case T_SubscriptingRef:
		mend_subscript(as<SubscriptingRef>(before), as<SubscriptingRef>(after));
		break;
	case T_FieldSelect:
		mend_field(rewriting, as<FieldSelect>(after));
		break;
	case T_SubLink:
		mend_sublink(rewriting, as<SubLink>(before), as<SubLink>(after));
		break;
	case T_RowExpr:
		mend_row(rewriting, as<RowExpr>(before), as<RowExpr>(after));
		break;
	case T_RowCompareExpr:
		mend_row_comparison(rewriting, as<RowCompareExpr>(before), as<RowCompareExpr>(after));
		break;
	case T_JoinExpr:
		if (bms_is_member(as<JoinExpr>(after)->rtindex, rewriting.level->bare))
			as<JoinExpr>(after)->alias = nullptr;
		break;
	default:
		if (List *const serialised = server::serialised_json(before); serialised != nullptr)
			cast_all_changed(rewriting, serialised, server::serialised_json(after));
		break;
	}
	return after;
}

} // namespace remedy::jsonb_migration

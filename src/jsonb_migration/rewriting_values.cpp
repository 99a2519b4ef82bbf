// What becomes of an expression whose arguments were json and are jsonb.

#include "jsonb_migration/rewriting_context.hpp"
#include "server/versions.hpp"

namespace remedy::jsonb_migration {

namespace {

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
		mend_window_function(rewriting, as<WindowFunc>(before), as<WindowFunc>(after));
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

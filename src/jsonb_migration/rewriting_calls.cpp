// Functions, operators and aggregates whose arguments were json and are jsonb: their twin is called, or they stay.

#include "jsonb_migration/rewriting_context.hpp"

extern "C" {
#include "catalog/pg_aggregate.h"
#include "parser/parse_coerce.h"
}

namespace remedy::jsonb_migration {

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

bool
is_text(Oid type) noexcept
{
	return TypeCategory(type) == TYPCATEGORY_STRING;
}

// ---- Functions, operators, aggregates: what they are declared to take -------------

namespace {

bool
any_became_jsonb(List *before, List *after) noexcept
{
	ListCell *old, *now;

	forboth(old, before, now, after) if (became_jsonb(*place_of(old), *place_of(now))) return true;
	return false;
}

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

} // namespace

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

void
mend_window_function(Rewriting &rewriting, const WindowFunc *before, WindowFunc *after) noexcept
{
	after->wintype =
		settle(rewriting, declared_by_function(before->winfnoid), before->args, after->args, before->wintype);
}

} // namespace remedy::jsonb_migration

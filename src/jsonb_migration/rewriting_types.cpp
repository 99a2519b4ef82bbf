// Values of type json that are to be jsonb, and the reverse; functions and operators that do
// the same for both.

#include "jsonb_migration/rewriting_context.hpp"
#include "server/guard.hpp"

extern "C" {
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "nodes/makefuncs.h"
}

namespace remedy::jsonb_migration {

bool
is_json(Oid type) noexcept
{
	return type == JSONOID || type == JSONARRAYOID;
}

bool
is_jsonb(Oid type) noexcept
{
	return type == JSONBOID || type == JSONBARRAYOID;
}

Oid
as_jsonb(Oid type) noexcept
{
	return type == JSONOID ? JSONBOID : type == JSONARRAYOID ? JSONBARRAYOID : type;
}

bool
became_jsonb(Node *before, Node *after) noexcept
{
	return before != nullptr && after != nullptr && is_json(exprType(before)) && is_jsonb(exprType(after));
}

// ---- Functions and operators -----------------------------------------------------

namespace {

bool
has_types(const FuncCandidateList candidate, const Oid *types, int count) noexcept
{
	for (int i = 0; i < count; ++i)
		if (candidate->args[i] != types[i])
			return false;
	return true;
}

Oid
find_function(const char *name, const Oid *types, int count) noexcept
{
	List *const names = list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup(name)));
	FuncCandidateList candidate = FuncnameGetCandidates(names, count, NIL, false, true, false, true);

	for (; candidate != nullptr; candidate = candidate->next)
		if (has_types(candidate, types, count))
			return candidate->oid;
	return InvalidOid;
}

Oid
find_jsonb_function(const char *name, const Oid *types, int count) noexcept
{
	if (strcmp(name, "to_json") == 0)
		return find_function("to_jsonb", types, count);
	return strncmp(name, "json_", 5) == 0 ? find_function(psprintf("jsonb_%s", name + 5), types, count) : InvalidOid;
}

} // namespace

// One that takes jsonb where this one is declared to take json: of the same name, or json_x and jsonb_x.
Oid
twin_of_function(Oid function, const List *arguments) noexcept
{
	const int count = list_length(arguments);
	bool takes_json = false;
	ListCell *cell;
	Oid *types;
	int declared;

	if (get_func_namespace(function) != PG_CATALOG_NAMESPACE)
		return InvalidOid;
	get_func_signature(function, &types, &declared);
	if (count > declared)
		return InvalidOid;
	foreach (cell, arguments)
		if (IsA(lfirst(cell), NamedArgExpr))
			return InvalidOid;
	for (int i = 0; i < count; ++i)
	{
		takes_json |= is_json(types[i]);
		types[i] = as_jsonb(types[i]);
	}
	if (!takes_json)
		return InvalidOid;
	const char *const name = get_func_name(function);
	const Oid same = find_function(name, types, count);
	return OidIsValid(same) ? same : find_jsonb_function(name, types, count);
}

Oid
twin_of_operator(Oid op) noexcept
{
	const HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
	Oid twin = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	const Form_pg_operator form = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
	if (form->oprnamespace == PG_CATALOG_NAMESPACE && (is_json(form->oprleft) || is_json(form->oprright)))
		twin =
			OpernameGetOprid(list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup(NameStr(form->oprname)))),
							 as_jsonb(form->oprleft), as_jsonb(form->oprright));
	ReleaseSysCache(tuple);
	return twin;
}

// ---- Values ----------------------------------------------------------------------

namespace {

Node *
jsonb_constant(const Const *value) noexcept
{
	const Oid type = as_jsonb(value->consttype);
	Const *const twin = static_cast<Const *>(copyObjectImpl(value));
	const MemoryContext memory = CurrentMemoryContext;
	Oid out, in, parameter;
	bool varlena;

	twin->consttype = type;
	if (value->constisnull)
		return node_of(twin);
	getTypeOutputInfo(value->consttype, &out, &varlena);
	getTypeInputInfo(type, &in, &parameter);
	char *const text = OidOutputFunctionCall(out, value->constvalue);
	const bool converted = attempt([=]() noexcept {
		MemoryContextSwitchTo(memory);
		twin->constvalue = OidInputFunctionCall(in, text, parameter, -1);
	});
	return converted ? node_of(twin) : nullptr;
}

// What json is built from is the same for both.
Node *
jsonb_builder(const FuncExpr *call) noexcept
{
	Oid *types;
	int declared;

	if (get_func_namespace(call->funcid) != PG_CATALOG_NAMESPACE || call->funcresulttype != JSONOID)
		return nullptr;
	get_func_signature(call->funcid, &types, &declared);
	for (int i = 0; i < declared; ++i)
		if (is_json(types[i]))
			return nullptr;
	const Oid twin = find_jsonb_function(get_func_name(call->funcid), types, declared);
	if (!OidIsValid(twin) || get_func_rettype(twin) != JSONBOID)
		return nullptr;
	FuncExpr *const copy = static_cast<FuncExpr *>(copyObjectImpl(call));
	copy->funcid = twin;
	copy->funcresulttype = JSONBOID;
	return node_of(copy);
}

} // namespace

Node *
make_jsonb(Node *value) noexcept
{
	if (is_jsonb(exprType(value)))
		return value;
	if (IsA(value, Const))
		return jsonb_constant(reinterpret_cast<Const *>(value));
	if (IsA(value, FuncExpr))
		return jsonb_builder(reinterpret_cast<FuncExpr *>(value));
	if (IsA(value, CoerceViaIO))
	{
		Node *const argument = node_of(reinterpret_cast<CoerceViaIO *>(value)->arg);
		return is_jsonb(exprType(argument)) ? argument : nullptr;
	}
	return nullptr;
}

Node *
cast_to_json(Rewriting &rewriting, Node *value) noexcept
{
	const bool array = exprType(value) == JSONBARRAYOID;
	CoerceViaIO *const cast = makeNode(CoerceViaIO);

	rewriting.cast_back = true;
	cast->arg = reinterpret_cast<Expr *>(value);
	cast->resulttype = JSONOID;
	cast->coerceformat = COERCE_EXPLICIT_CAST;
	cast->location = -1;
	if (!array)
		return node_of(cast);
	CaseTestExpr *const element = makeNode(CaseTestExpr);
	element->typeId = JSONBOID;
	element->typeMod = -1;
	cast->arg = reinterpret_cast<Expr *>(element);
	ArrayCoerceExpr *const elements = makeNode(ArrayCoerceExpr);
	elements->arg = reinterpret_cast<Expr *>(value);
	elements->elemexpr = reinterpret_cast<Expr *>(cast);
	elements->resulttype = JSONARRAYOID;
	elements->resulttypmod = -1;
	elements->coerceformat = COERCE_EXPLICIT_CAST;
	elements->location = -1;
	return node_of(elements);
}

bool
agree(Rewriting &rewriting, List *places) noexcept
{
	bool any = false, all = true;
	List *twins = NIL;
	ListCell *cell, *twin;

	foreach (cell, places)
		any |= is_jsonb(exprType(*static_cast<Node **>(lfirst(cell))));
	if (!any)
		return false;
	foreach (cell, places)
	{
		twins = lappend(twins, make_jsonb(*static_cast<Node **>(lfirst(cell))));
		all &= llast(twins) != nullptr;
	}
	forboth(cell, places, twin, twins)
	{
		Node *&value = *static_cast<Node **>(lfirst(cell));
		if (all)
			value = node_of(lfirst(twin));
		else if (is_jsonb(exprType(value)))
			value = cast_to_json(rewriting, value);
	}
	return all;
}

} // namespace remedy::jsonb_migration

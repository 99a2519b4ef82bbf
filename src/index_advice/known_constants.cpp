#include "index_advice/known_constants.hpp"

#include "index_advice/value_ties.hpp"
#include "server/versions.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
}

namespace remedy::index_advice {

namespace {

struct Replacement
{
	int parameter;
	Const *value;
};

// Null if nothing recurs there, or nobody knows what.
Const *
constant_at(const Tie &tie, const KnownConstants &known) noexcept
{
	const Param *const parameter = reinterpret_cast<const Param *>(tie.value);
	Datum value;
	Oid type;
	int16 length;
	bool by_value;

	if (tie.role != ValueRole::equal || tie.is_list || !IsA(tie.column, Var) || tie.relation == InvalidOid)
		return nullptr;
	const AttrNumber column = reinterpret_cast<const Var *>(tie.column)->varattno;
	const scans::ConstantHash hash =
		scans::recurring_constant(known.evidence, known.fingerprint, tie.relation, column, tie.operation);
	if (hash == scans::unknown_constant || !scans::recover_constant(tie.relation, column, hash, value, type) ||
		getBaseType(type) != getBaseType(parameter->paramtype))
		return nullptr;
	get_typlenbyval(type, &length, &by_value);
	return makeConst(parameter->paramtype, parameter->paramtypmod, parameter->paramcollid, length, value, false,
					 by_value);
}

Node *
replace(Node *node, void *context)
{
	const List *const replacements = static_cast<const List *>(context);
	const ListCell *cell;

	if (node == nullptr)
		return nullptr;
	if (IsA(node, Query))
		return reinterpret_cast<Node *>(server::mutate_query(reinterpret_cast<Query *>(node), replace, context));
	if (IsA(node, Param) && reinterpret_cast<Param *>(node)->paramkind == PARAM_EXTERN)
		foreach (cell, replacements)
		{
			const Replacement &replacement = *static_cast<const Replacement *>(lfirst(cell));
			if (replacement.parameter == reinterpret_cast<Param *>(node)->paramid)
				return static_cast<Node *>(copyObjectImpl(replacement.value));
		}
	return server::mutate_expression(node, replace, context);
}

} // namespace

Recurrence
recurrence_of(Oid relation, AttrNumber column, Oid operation, const Const *value, void *context)
{
	const KnownConstants &known = *static_cast<const KnownConstants *>(context);

	return scans::recurrence_of(known.evidence, known.fingerprint, relation, column, operation, value);
}

bool
recurs(Oid relation, AttrNumber column, Oid operation, const Const *value, void *context)
{
	return recurrence_of(relation, column, operation, value, context) == Recurrence::recurs;
}

Query *
with_constants(Query *query, const KnownConstants &known) noexcept
{
	const Ties ties = find_ties(query);
	List *replacements = NIL;

	for (int i = 0; i < ties.count; ++i)
	{
		Const *const value = IsA(ties.ties[i].value, Param) ? constant_at(ties.ties[i], known) : nullptr;
		if (value == nullptr)
			continue;
		Replacement *const replacement = static_cast<Replacement *>(palloc(sizeof(Replacement)));
		*replacement = {reinterpret_cast<const Param *>(ties.ties[i].value)->paramid, value};
		replacements = lappend(replacements, replacement);
	}
	return replacements == NIL ? query
							   : reinterpret_cast<Query *>(replace(reinterpret_cast<Node *>(query), replacements));
}

} // namespace remedy::index_advice

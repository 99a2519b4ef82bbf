#include "index_advice/keys.hpp"

#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "optimizer/optimizer.h"
#include "utils/ruleutils.h"
}

namespace remedy::index_advice {

namespace {

// As in a list of keys, where a call needs no parentheses.
bool
is_call(const Node *expression) noexcept
{
	return IsA(expression, FuncExpr) &&
		   (reinterpret_cast<const FuncExpr *>(expression)->funcformat == COERCE_EXPLICIT_CALL ||
			reinterpret_cast<const FuncExpr *>(expression)->funcformat == COERCE_SQL_SYNTAX);
}

const char *
column_name(const Table &table, AttrNumber column) noexcept
{
	return quote_identifier(get_attname(table.relation, column, false));
}

void
set_here(const char *name, const char *value) noexcept
{
	set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

int
in_order(const ListCell *a, const ListCell *b)
{
	return strcmp(static_cast<const char *>(lfirst(a)), static_cast<const char *>(lfirst(b)));
}

bool
names_variable_function(Oid function, void *context)
{
	if (func_volatile(function) == PROVOLATILE_IMMUTABLE)
		return false;
	*static_cast<Oid *>(context) = function;
	return true;
}

bool
find_variable_function(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	return check_functions_in_node(node, names_variable_function, context) ||
		   server::walk_expression(node, find_variable_function, context);
}

bool
has_zoned_time(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	return (IsA(node, Var) && exprType(node) == TIMESTAMPTZOID) ||
		   server::walk_expression(node, has_zoned_time, context);
}

const char *
hint_for(Oid function, Node *expression) noexcept
{
	if (function == F_TO_TSVECTOR_TEXT || function == F_TO_TSVECTOR_JSONB || function == F_TO_TSVECTOR_JSON)
		return "it depends on default_text_search_config: name the configuration, to_tsvector('english', ...)";
	if (func_volatile(function) == PROVOLATILE_VOLATILE)
		return "it may give another value for each row";
	if (IsA(expression, OpExpr))
		return "it depends on settings of the session: move what is computed to the other side of the comparison";
	if (has_zoned_time(expression, nullptr))
		return "it depends on the setting TimeZone: compare the column itself with a range, or use AT TIME ZONE 'UTC'";
	return "it depends on settings of the session: compare the column itself, or store the value in a column";
}

} // namespace

Table
table_of(Relation relation) noexcept
{
	const char *const name = RelationGetRelationName(relation);

	return {RelationGetRelid(relation),
			quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)), name),
			deparse_context_for(name, RelationGetRelid(relation)),
			relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE};
}

PortableTexts::PortableTexts() noexcept : settings_(NewGUCNestLevel())
{
	set_here("search_path", "pg_catalog");
	set_here("datestyle", "iso");
	set_here("intervalstyle", "postgres");
}

void
PortableTexts::leave() noexcept
{
	AtEOXact_GUC(true, settings_);
}

const char *
condition_text(const Table &table, Node *expression) noexcept
{
	return deparse_expression(expression, table.deparsing, false, false);
}

const char *
predicate_text(const Table &table, const List *conditions) noexcept
{
	List *texts = NIL;
	StringInfoData joined;
	ListCell *cell;
	const ListCell *condition;

	foreach (condition, conditions)
		texts = lappend(texts, const_cast<char *>(condition_text(table, static_cast<Node *>(lfirst(condition)))));
	list_sort(texts, in_order);
	initStringInfo(&joined);
	foreach (cell, texts)
		appendStringInfo(&joined, "%s%s", joined.len > 0 ? " AND " : "", static_cast<char *>(lfirst(cell)));
	return joined.data;
}

Part
part_of(const Table &table, Node *key, const char *opclass, Oid collation) noexcept
{
	Part part = {};

	if (IsA(key, Var))
	{
		part.column = reinterpret_cast<Var *>(key)->varattno;
		part.text = column_name(table, part.column);
	}
	else
	{
		const char *const text = condition_text(table, key);
		part.text = is_call(key) || IsA(key, OpExpr) ? text : psprintf("(%s)", text); // operators have theirs
	}
	if (opclass != nullptr)
		part.opclass = opclass;
	if (OidIsValid(exprCollation(key)) && OidIsValid(collation) && collation != exprCollation(key))
		part.collation = generate_collation_name(collation);
	return part;
}

Include
include_of(const Table &table, AttrNumber column) noexcept
{
	return {column, column_name(table, column)};
}

Node *
without_relabelling(Node *node) noexcept
{
	while (node != nullptr && IsA(node, RelabelType))
		node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
	return node;
}

const char *
reason_against(const Table &table, Node *expression) noexcept
{
	Oid function = InvalidOid;

	if (IsA(expression, Var) || !contain_mutable_functions(expression))
		return nullptr;
	const char *const text = condition_text(table, expression);
	if (!find_variable_function(expression, &function))
		return psprintf("%s is not immutable: it depends on settings of the session", text);
	return psprintf("%s is not immutable (%s is %s): %s", text, get_func_name(function),
					func_volatile(function) == PROVOLATILE_VOLATILE ? "volatile" : "stable",
					hint_for(function, expression));
}

} // namespace remedy::index_advice

#include "json_columns/wanted.hpp"

#include <initializer_list>

#include "index_advice/candidates.hpp"
#include "index_advice/keys.hpp"
#include "server/versions.hpp"

extern "C" {
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "optimizer/optimizer.h"
}

namespace remedy::json_columns {

namespace {

using index_advice::ExistingIndex;
using index_advice::Part;
using index_advice::Table;

constexpr int most_btrees = 5;
constexpr int most_parts = 3;

bool
is_one_of(const char *name, std::initializer_list<const char *> names) noexcept
{
	for (const char *const other : names)
		if (name != nullptr && strcmp(name, other) == 0)
			return true;
	return false;
}

// ---- Expressions -------------------------------------------------------------------------

bool
is_foreign_function(Oid function, void *)
{
	return function >= FirstNormalObjectId;
}

// Parameters, and functions of users, which would run as whoever asks for advice.
bool
is_unfit(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	return IsA(node, Param) || check_functions_in_node(node, is_foreign_function, context) ||
		   server::walk_expression(node, is_unfit, context);
}

bool
can_be_key(Node *expression) noexcept
{
	return expression != nullptr && !is_unfit(expression, nullptr) && !contain_mutable_functions(expression);
}

// The column is jsonb then, so what casts it to jsonb is gone.
Node *
without_casts(Node *node, void *context)
{
	if (node == nullptr)
		return nullptr;
	if (IsA(node, CoerceViaIO) && reinterpret_cast<CoerceViaIO *>(node)->resulttype == JSONBOID)
		return without_casts(reinterpret_cast<Node *>(reinterpret_cast<CoerceViaIO *>(node)->arg), context);
	return server::mutate_expression(node, without_casts, context);
}

const char *
key_text(const Table &table, Node *expression, const char *opclass) noexcept
{
	const Part part = index_advice::part_of(table, expression, nullptr, InvalidOid);

	return psprintf("%s%s%s", part.text.data(), opclass == nullptr ? "" : " ", opclass == nullptr ? "" : opclass);
}

// ---- What is asked -----------------------------------------------------------------------

// Patterns with a fixed beginning, as far as they are known.
bool
are_prefixes(const List *values) noexcept
{
	const ListCell *cell;

	foreach (cell, values)
	{
		const Const &value = *lfirst_node(Const, cell);
		if (value.consttype == TEXTOID && strchr("%_.*([", *TextDatumGetCString(value.constvalue)) == nullptr)
			return true;
	}
	return false;
}

bool
wants_btree(const Usage &usage) noexcept
{
	const Use &use = usage.use;
	const bool compared = is_one_of(use.comparison, {"=", "IN", "range"}) ||
						  (is_one_of(use.comparison, {"LIKE"}) && are_prefixes(usage.values));

	return compared && use.condition && use.path != NIL && !use.by_user_function && can_be_key(use.expression) &&
		   OidIsValid(GetDefaultOpClass(exprType(use.expression), BTREE_AM_OID));
}

bool
asks_for_keys(const Use &use) noexcept
{
	return is_one_of(use.operation, {"?", "?|", "?&", "jsonb_exists"});
}

bool
wants_gin(const Use &use) noexcept
{
	return use.condition && use.comparison == nullptr && can_be_key(use.expression) &&
		   (asks_for_keys(use) || is_one_of(use.operation, {"@>", "@?", "@@"}));
}

// ---- B-trees -----------------------------------------------------------------------------

bool
is_same_work(const Usage &a, const Usage &b) noexcept
{
	return a.statements == b.statements &&
		   memcmp(a.queries, b.queries, Min(a.statements, most_queries) * sizeof(Datum)) == 0;
}

// A statement that compares in several ways counts once.
void
add_usage(WantedIndex &wanted, Usage *usage) noexcept
{
	const ListCell *cell;
	bool counted = false;

	foreach (cell, wanted.usages)
		counted |= is_same_work(*static_cast<Usage *>(lfirst(cell)), *usage);
	wanted.usages = lappend(wanted.usages, usage);
	wanted.calls += counted ? 0 : usage->calls;
	wanted.ms += counted ? 0 : usage->ms;
}

struct Expression
{
	Node *node;
	const char *opclass;
	bool equality;
	List *usages;
};

// The same expression, however it is compared; patterns need an operator class of their own.
List *
compared_expressions(const List *usages) noexcept
{
	List *expressions = NIL;
	const ListCell *cell, *known;

	foreach (cell, usages)
	{
		Usage *const usage = static_cast<Usage *>(lfirst(cell));
		if (!wants_btree(*usage))
			continue;
		const char *const opclass = is_one_of(usage->use.comparison, {"LIKE"}) ? "text_pattern_ops" : nullptr;
		Expression *expression = nullptr;
		foreach (known, expressions)
		{
			Expression *const other = static_cast<Expression *>(lfirst(known));
			if (equal(other->node, usage->use.expression) && (other->opclass == nullptr) == (opclass == nullptr))
				expression = other;
		}
		if (expression == nullptr)
		{
			expression = static_cast<Expression *>(palloc0(sizeof(Expression)));
			expression->node = usage->use.expression;
			expression->opclass = opclass;
			expressions = lappend(expressions, expression);
		}
		expression->equality |= is_one_of(usage->use.comparison, {"=", "IN"});
		expression->usages = lappend(expression->usages, usage);
	}
	return expressions;
}

// Whether exactly the same statements compare both, so that one index serves them better.
bool
come_together(const Expression &a, const Expression &b) noexcept
{
	const ListCell *cell, *other;

	if (list_length(a.usages) != list_length(b.usages) || a.opclass != nullptr || b.opclass != nullptr)
		return false;
	forboth(cell, a.usages, other, b.usages) if (!is_same_work(*static_cast<Usage *>(lfirst(cell)),
															   *static_cast<Usage *>(lfirst(other)))) return false;
	return true;
}

void
add_key(const Table &table, WantedIndex &wanted, const Expression &expression) noexcept
{
	ListCell *cell;
	Node *const then = without_casts(expression.node, nullptr);
	const char *const separator = wanted.keys == nullptr ? "" : ", ";

	wanted.keys = psprintf("%s%s%s", wanted.keys == nullptr ? "" : wanted.keys, separator,
						   key_text(table, then, expression.opclass));
	wanted.today = psprintf("%s%s%s", wanted.today == nullptr ? "" : wanted.today, separator,
							key_text(table, expression.node, expression.opclass));
	wanted.values =
		psprintf("%s%s%s", wanted.values == nullptr ? "" : wanted.values, separator, key_text(table, then, nullptr));
	wanted.after_migration |= !equal(then, expression.node);
	foreach (cell, expression.usages)
		add_usage(wanted, static_cast<Usage *>(lfirst(cell)));
}

List *
wanted_btrees(const Table &table, const List *usages) noexcept
{
	List *expressions = compared_expressions(usages);
	List *indexes = NIL;

	while (expressions != NIL && list_length(indexes) < most_btrees)
	{
		WantedIndex *const wanted = static_cast<WantedIndex *>(palloc0(sizeof(WantedIndex)));
		const Expression &first = *static_cast<Expression *>(linitial(expressions));
		List *together = list_make1(linitial(expressions));
		ListCell *cell;

		expressions = list_delete_first(expressions);
		foreach (cell, expressions)
			if (list_length(together) < most_parts && come_together(first, *static_cast<Expression *>(lfirst(cell))))
			{
				together = lappend(together, lfirst(cell));
				expressions = foreach_delete_current(expressions, cell);
			}
		// What is equal comes first.
		for (const bool equality : {true, false})
			foreach (cell, together)
				if (static_cast<Expression *>(lfirst(cell))->equality == equality)
					add_key(table, *wanted, *static_cast<Expression *>(lfirst(cell)));
		indexes = lappend(indexes, wanted);
	}
	return indexes;
}

// ---- GIN ---------------------------------------------------------------------------------

// One for each expression that is searched in: nearly always the column.
List *
wanted_gins(const Table &table, const List *usages) noexcept
{
	List *indexes = NIL;
	const ListCell *cell, *known;

	foreach (cell, usages)
	{
		Usage *const usage = static_cast<Usage *>(lfirst(cell));
		WantedIndex *wanted = nullptr;
		if (!wants_gin(usage->use))
			continue;
		const char *const today = key_text(table, usage->use.expression, nullptr);
		foreach (known, indexes)
			if (strcmp(static_cast<WantedIndex *>(lfirst(known))->today, today) == 0)
				wanted = static_cast<WantedIndex *>(lfirst(known));
		if (wanted == nullptr)
		{
			wanted = static_cast<WantedIndex *>(palloc0(sizeof(WantedIndex)));
			wanted->gin = true;
			wanted->today = today;
			wanted->after_migration = usage->use.as_jsonb;
			wanted->searched = key_text(table, without_casts(usage->use.expression, nullptr), nullptr);
			indexes = lappend(indexes, wanted);
		}
		wanted->keys_only |= asks_for_keys(usage->use);
		add_usage(*wanted, usage);
	}
	foreach (cell, indexes)
	{
		WantedIndex &wanted = *static_cast<WantedIndex *>(lfirst(cell));
		const char *const opclass = wanted.keys_only ? "jsonb_ops" : "jsonb_path_ops";
		wanted.keys = psprintf("%s %s", wanted.searched, opclass);
		wanted.today = psprintf("%s %s", wanted.today, opclass);
	}
	return indexes;
}

// ---- What there is -----------------------------------------------------------------------

// Whether it begins with these keys; of GIN jsonb_ops, the default, does all that jsonb_path_ops does.
bool
has_keys(const ExistingIndex &index, const WantedIndex &wanted) noexcept
{
	const index_advice::Definition &definition = index.definition;
	StringInfoData keys, without_classes;

	initStringInfo(&keys);
	initStringInfo(&without_classes);
	if (!index.valid || !definition.predicate.empty() || definition.method != (wanted.gin ? "gin" : "btree"))
		return false;
	for (int i = 0; i < definition.part_count; ++i)
	{
		const Part &part = definition.parts[i];
		const auto add = [&](StringInfo text, bool classes) {
			appendStringInfo(text, "%s%.*s%s%.*s", i > 0 ? ", " : "", static_cast<int>(part.text.size()),
							 part.text.data(), classes && !part.opclass.empty() ? " " : "",
							 static_cast<int>(classes ? part.opclass.size() : 0), part.opclass.data());
		};
		add(&keys, true);
		add(&without_classes, false);
		if (wanted.gin && part.opclass.empty())
			appendStringInfoString(&keys, " jsonb_ops");
		if (strcmp(keys.data, wanted.today) == 0)
			return true;
	}
	return wanted.gin && definition.part_count == 1 && definition.parts[0].opclass.empty() &&
		   strncmp(wanted.today, without_classes.data, without_classes.len) == 0 &&
		   wanted.today[without_classes.len] == ' ';
}

int
by_time(const ListCell *a, const ListCell *b)
{
	const WantedIndex &first = *static_cast<WantedIndex *>(lfirst(a)), &second = *static_cast<WantedIndex *>(lfirst(b));

	return first.ms == second.ms ? 0 : first.ms > second.ms ? -1 : 1;
}

} // namespace

List *
wanted_indexes(Oid table, const List *usages) noexcept
{
	const Relation opened = table_open(table, AccessShareLock);
	index_advice::PortableTexts texts;
	const Table described = index_advice::table_of(opened);
	List *const indexes = list_concat(wanted_btrees(described, usages), wanted_gins(described, usages));
	ExistingIndex *existing;
	const int count = index_advice::existing_indexes(table, existing);
	ListCell *cell;

	foreach (cell, indexes)
		for (int i = 0; i < count; ++i)
			if (has_keys(existing[i], *static_cast<WantedIndex *>(lfirst(cell))))
				static_cast<WantedIndex *>(lfirst(cell))->refusal =
					psprintf("there is %s", quote_identifier(get_rel_name(existing[i].index)));
	texts.leave();
	table_close(opened, NoLock);
	list_sort(indexes, by_time);
	return indexes;
}

} // namespace remedy::json_columns

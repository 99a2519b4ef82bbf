#include "repetition/batching_draft.hpp"

#include "repetition/batching_text.hpp"
#include "server/versions.hpp"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace remedy::repetition {

namespace {

bool
is_of_one_table(const Query *query) noexcept
{
	return list_length(query->jointree->fromlist) <= 1 && query->cteList == NIL && !query->hasSubLinks;
}

struct ValueSearch
{
	Rewriting &rewriting;
	bool failed;
};

bool
is_condition_of_key(const Original &original, const Node *node) noexcept
{
	for (int i = 0; i < original.key_count; ++i)
		if (reinterpret_cast<const Node *>(original.keys[i].condition) == node)
			return true;
	return list_member_ptr(original.fixed, node);
}

// Each value inside of an expression has an array of its own type.
bool
add_value(Node *node, void *context)
{
	ValueSearch &search = *static_cast<ValueSearch *>(context);

	if (node == nullptr || is_condition_of_key(*search.rewriting.original, node))
		return false;
	if (IsA(node, Param) || (IsA(node, Const) && reinterpret_cast<Const *>(node)->location >= 0))
	{
		search.failed |= !add_array(search.rewriting, node, exprType(node), "value");
		return false;
	}
	return server::walk_expression(node, add_value, context);
}

// What is not known to be the same in all repeats is taken to vary.
bool
add_conditions(Rewriting &rewriting, const Query *query) noexcept
{
	ValueSearch search = {rewriting, false};

	add_value(query->jointree->quals, &search);
	return !search.failed;
}

// Arrays for all that is written to columns; false where there can be none.
bool
add_written(Rewriting &rewriting, const Query *query) noexcept
{
	const Oid table = rt_fetch(query->resultRelation, query->rtable)->relid;
	ListCell *cell;

	foreach (cell, query->targetList)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		const char *const name = get_attname(table, target->resno, false);
		ValueSearch search = {rewriting, false};
		if (target->resjunk || contain_var_clause(reinterpret_cast<Node *>(target->expr)))
			return false; // what is added to twice is not changed once
		if (plain_value(target->expr) != nullptr)
			search.failed = !add_array(rewriting, reinterpret_cast<Node *>(target->expr),
									   getBaseType(get_atttype(table, target->resno)), name);
		else
			add_value(reinterpret_cast<Node *>(target->expr), &search);
		if (search.failed)
			return false;
	}
	return true;
}

// No column of u may be taken for one of the table's, which are not qualified.
void
rename_arrays(Draft &draft, bool for_insert) noexcept
{
	Rewriting &rewriting = draft.rewriting;

	for (int i = 0; i < rewriting.array_count; ++i)
	{
		char wish[sizeof(BatchArray::name)];
		StringInfoData taken;
		strlcpy(wish, rewriting.arrays[i].name, sizeof(wish));
		initStringInfo(&taken);
		for (int j = 0; j < i; ++j)
			appendStringInfo(&taken, " %s ", rewriting.arrays[j].name);
		const bool is_free =
			for_insert || count_words(draft.tree_text, wish) <= (i < rewriting.original->key_count ? 0 : 1);
		if (!is_free)
		{
			snprintf(wish, sizeof(wish), "new_%s", rewriting.arrays[i].name);
			appendStringInfoString(&taken, draft.tree_text);
		}
		choose_name(taken.data, wish, rewriting.arrays[i].name, sizeof(rewriting.arrays[i].name));
	}
}

// The new tree's text, with the arrays in front of its WHERE.
bool
write_with_arrays(Draft &draft, Query *query, const char *clause) noexcept
{
	if (!write_tree(draft, query))
		return false;
	rename_arrays(draft, false);
	const char *const where = find_clause(draft.tree_text, "WHERE");
	if (where == nullptr)
		return false;
	append_part(draft, draft.tree_text, where);
	appendStringInfo(&draft.out, "%s ", clause);
	append_unnest(draft, false);
	appendStringInfoString(&draft.out, "\n  ");
	append_part(draft, where);
	return true;
}

bool
are_filters(const Original &original) noexcept
{
	for (int i = 0; i < original.key_count; ++i)
		if (!original.keys[i].alone || !is_filter(original.query, original.keys[i].condition))
			return false;
	return original.key_count > 0;
}

// What is returned is told apart by the keys.
void
return_keys(const Original &original, Query *query) noexcept
{
	for (int i = 0; query != nullptr && query->returningList != NIL && i < original.key_count; ++i)
		add_output(query, query->returningList, original.keys[i].column);
}

bool
write_any(const Original &original, Draft &draft) noexcept
{
	begin(draft, original, true);
	Query *const query = rewritten(draft.rewriting);
	return_keys(original, query);
	if (!write_tree(draft, query))
		return false;
	append_part(draft, draft.tree_text);
	return true;
}

} // namespace

bool
write_update(const Original &original, Draft &draft) noexcept
{
	if (!is_of_one_table(original.query) || !are_filters(original))
		return false;
	begin(draft, original, false);
	if (!add_written(draft.rewriting, original.query) || !add_conditions(draft.rewriting, original.query))
		return false;
	if (draft.rewriting.array_count == 1)
		return write_any(original, draft);
	Query *const query = rewritten(draft.rewriting);
	return_keys(original, query);
	return write_with_arrays(draft, query, "FROM");
}

bool
write_delete(const Original &original, Draft &draft) noexcept
{
	if (!is_of_one_table(original.query) || !are_filters(original))
		return false;
	begin(draft, original, false);
	if (!add_conditions(draft.rewriting, original.query))
		return false;
	if (draft.rewriting.array_count == 1)
		return write_any(original, draft);
	Query *const query = rewritten(draft.rewriting);
	return_keys(original, query);
	return write_with_arrays(draft, query, "USING");
}

namespace {

// A column that is given DEFAULT is left out, which is the same.
void
leave_out_defaults(Query *query) noexcept
{
	ListCell *cell;

	foreach (cell, query->targetList)
		if (IsA(lfirst_node(TargetEntry, cell)->expr, SetToDefault))
			query->targetList = foreach_delete_current(query->targetList, cell);
}

} // namespace

bool
write_insert(const Original &original, Draft &draft) noexcept
{
	Query *const source = original.query;

	leave_out_defaults(source);
	if (source->jointree->fromlist != NIL || source->cteList != NIL || source->hasSubLinks ||
		has_values(reinterpret_cast<Node *>(source->onConflict)))
		return false;
	begin(draft, original, false);
	if (!add_written(draft.rewriting, source) || draft.rewriting.array_count == 0 ||
		!write_tree(draft, rewritten(draft.rewriting)))
		return false;
	rename_arrays(draft, true);
	const char *const values = find_clause(draft.tree_text, "VALUES");
	const char *const end = values == nullptr ? nullptr : find_closing(values);
	if (end == nullptr)
		return false;
	append_part(draft, draft.tree_text, values);
	appendStringInfoString(&draft.out, "SELECT ");
	append_part(draft, strchr(values, '(') + 1, end);
	appendStringInfoString(&draft.out, "\n  FROM ");
	append_unnest(draft, false);
	append_part(draft, end + 1);
	return true;
}

} // namespace remedy::repetition

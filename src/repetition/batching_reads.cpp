#include "repetition/batching_draft.hpp"

extern "C" {
#include "catalog/pg_aggregate.h"
}

namespace remedy::repetition {

namespace {

bool
is_simple(const Query *query) noexcept
{
	return query->setOperations == nullptr && query->groupClause == NIL && query->groupingSets == NIL &&
		   query->havingQual == nullptr && !query->hasWindowFuncs && query->distinctClause == NIL &&
		   query->limitCount == nullptr && query->limitOffset == nullptr && query->rowMarks == NIL;
}

// The key is a column by itself, on which alone the rows depend.
bool
is_filtered_by_key(const Original &original) noexcept
{
	const VaryingKey &key = original.keys[0];

	return original.key_count == 1 && key.alone && is_filter(original.query, key.condition);
}

} // namespace

bool
write_select_any(const Original &original, Draft &draft) noexcept
{
	if (!is_simple(original.query) || original.query->hasAggs || !is_filtered_by_key(original))
		return false;
	begin(draft, original, true);
	Query *const query = rewritten(draft.rewriting);
	if (query != nullptr)
		add_output(query, query->targetList, original.keys[0].column);
	if (!write_tree(draft, query))
		return false;
	append_part(draft, draft.tree_text);
	return true;
}

namespace {

// Whether each result is a built-in aggregate, which of no rows is null or, if it counts, 0.
bool
has_only_aggregates(const Query *query) noexcept
{
	ListCell *cell;

	foreach (cell, query->targetList)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		if (target->resjunk || !IsA(target->expr, Aggref))
			return false;
		const Aggref *const aggregate = reinterpret_cast<const Aggref *>(target->expr);
		if (aggregate->aggfnoid >= FirstGenbkiObjectId || aggregate->aggkind != AGGKIND_NORMAL)
			return false;
	}
	return query->targetList != NIL && query->sortClause == NIL;
}

bool
is_count(const TargetEntry *target) noexcept
{
	switch (reinterpret_cast<const Aggref *>(target->expr)->aggfnoid)
	{
	case F_COUNT_:
	case F_COUNT_ANY:
	case F_REGR_COUNT:
		return true;
	default:
		return false;
	}
}

// Names of the aggregates, no two the same.
const char *
name_among(const List *names, const char *wish) noexcept
{
	const char *name = wish;
	ListCell *cell;
	bool taken;
	int i = 0;

	do
	{
		taken = false;
		foreach (cell, names)
			taken |= strcmp(static_cast<const char *>(lfirst(cell)), name) == 0;
		if (taken)
			name = psprintf("%s_%d", wish, ++i);
	} while (taken);
	return name;
}

} // namespace

bool
write_aggregates(const Original &original, Draft &draft) noexcept
{
	List *names = list_make1(pstrdup("key"));
	ListCell *cell;

	if (!is_simple(original.query) || !is_filtered_by_key(original) || !has_only_aggregates(original.query))
		return false;
	begin(draft, original, true);
	Query *const query = rewritten(draft.rewriting);
	if (query == nullptr || !group_by(query, original.keys[0]) || !write_tree(draft, query))
		return false;
	appendStringInfo(&draft.out, "SELECT %s.key", draft.alias);
	foreach (cell, original.query->targetList)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		const char *const unquoted = name_among(names, target->resname);
		const char *const name = quote_identifier(unquoted);
		names = lappend(names, const_cast<char *>(unquoted));
		appendStringInfo(&draft.out, is_count(target) ? ", coalesce(q.%s, 0) AS %s" : ", q.%s", name, name);
	}
	appendStringInfoString(&draft.out, "\nFROM ");
	append_unnest(draft, false);
	appendStringInfoString(&draft.out, "\nLEFT JOIN (\n");
	append_part(draft, draft.tree_text);
	appendStringInfoString(&draft.out, "\n) AS q(");
	foreach (cell, names)
		appendStringInfo(&draft.out, "%s%s", foreach_current_index(cell) == 0 ? "" : ", ",
						 quote_identifier(static_cast<const char *>(lfirst(cell))));
	appendStringInfo(&draft.out, ") ON q.key = %s.key", draft.alias);
	return true;
}

bool
write_lateral(const Original &original, Draft &draft) noexcept
{
	begin(draft, original, false);
	if (!write_tree(draft, rewritten(draft.rewriting)))
		return false;
	appendStringInfo(&draft.out, "SELECT %s.ord, q.*\nFROM ", draft.alias);
	append_unnest(draft, true);
	appendStringInfoString(&draft.out, "\nCROSS JOIN LATERAL (\n");
	append_part(draft, draft.tree_text);
	appendStringInfoString(&draft.out, "\n) AS q");
	return true;
}

} // namespace remedy::repetition

// The entries of a range table and the CTEs, in their order: none refers to a later one but a
// recursive one to itself.

#include "jsonb_migration/rewriting_context.hpp"
#include "server/versions.hpp"

extern "C" {
#include "nodes/makefuncs.h"
}

namespace remedy::jsonb_migration {

namespace {

template <class Type>
Type *
flat_copy(const Type *node) noexcept
{
	Type *const copy = static_cast<Type *>(palloc(sizeof(Type)));

	*copy = *node;
	return copy;
}

List *
list_of(Rewriting &rewriting, List *list) noexcept
{
	return reinterpret_cast<List *>(rewrite_node(node_of(list), &rewriting));
}

List *
types_with_jsonb(const List *types, const Bitmapset *columns) noexcept
{
	List *const copy = list_copy(types);
	ListCell *cell;

	foreach (cell, copy)
		if (bms_is_member(foreach_current_index(cell) + 1, columns))
			lfirst_oid(cell) = as_jsonb(lfirst_oid(cell));
	return copy;
}

Bitmapset *
values_that_became_jsonb(List *before, List *after) noexcept
{
	Bitmapset *columns = nullptr;
	ListCell *old, *now;

	forboth(old, before, now, after) if (became_jsonb(node_of(lfirst(old)), node_of(lfirst(now)))) columns =
		bms_add_member(columns, foreach_current_index(old) + 1);
	return columns;
}

// ---- Relations -------------------------------------------------------------------

// A list of column aliases goes by position, and the column is to have another one.
void
rewrite_relation(Rewriting &rewriting, RangeTblEntry *entry, Bitmapset *&columns) noexcept
{
	const MappedRelation *const mapped = mapped_relation(*rewriting.mapping, entry->relid);
	ListCell *cell;

	foreach (cell, rewriting.mapping->columns)
		if (const auto *column = static_cast<const MappedColumn *>(lfirst(cell)); column->relation == entry->relid)
			columns = bms_add_member(columns, column->column);
	if (columns != nullptr && entry->alias != nullptr && entry->alias->colnames != NIL)
	{
		entry->alias = flat_copy(entry->alias);
		entry->alias->colnames = NIL;
	}
	entry->tablesample = reinterpret_cast<TableSampleClause *>(rewrite_node(node_of(entry->tablesample), &rewriting));
	if (mapped == nullptr)
		return;
	const char kind = get_rel_relkind(mapped->relation);
	rewriting.changed |= mapped->twin != mapped->relation || kind == RELKIND_VIEW || kind == RELKIND_MATVIEW;
	entry->relid = mapped->twin;
}

// ---- Joins -----------------------------------------------------------------------

void
rewrite_join(Rewriting &rewriting, RangeTblEntry *entry, int number) noexcept
{
	Level &level = *rewriting.level;
	List *const before = entry->joinaliasvars;
	ListCell *old, *now;

	entry->joinaliasvars = list_of(rewriting, before);
	level.tables[number - 1] = values_that_became_jsonb(before, entry->joinaliasvars);
	if (entry->alias == nullptr)
		return;
	forboth(old, before, now, entry->joinaliasvars)
	{
		const Node *const var = node_of(lfirst(old));
		if (var != nullptr && IsA(var, Var) &&
			(reinterpret_cast<const Var *>(var)->varattno != lfirst_node(Var, now)->varattno ||
			 reinterpret_cast<const Var *>(var)->vartype != lfirst_node(Var, now)->vartype))
			level.bare = bms_add_member(level.bare, number);
	}
	if (bms_is_member(number, level.bare))
		entry->alias = nullptr;
}

// ---- Functions -------------------------------------------------------------------

void
add_function_columns(const RangeTblFunction *before, const RangeTblFunction *after, int offset,
					 Bitmapset *&columns) noexcept
{
	TupleDesc old, now;
	Oid old_type, type;
	const TypeFuncClass old_class = get_expr_result_type(before->funcexpr, &old_type, &old);
	const TypeFuncClass now_class = get_expr_result_type(after->funcexpr, &type, &now);

	if (old_class == TYPEFUNC_SCALAR && now_class == TYPEFUNC_SCALAR && is_json(old_type) && is_jsonb(type))
		columns = bms_add_member(columns, offset + 1);
	if (old_class != TYPEFUNC_COMPOSITE || now_class != TYPEFUNC_COMPOSITE)
		return;
	for (int i = 0; i < Min(old->natts, now->natts); ++i)
		if (is_json(TupleDescAttr(old, i)->atttypid) && is_jsonb(TupleDescAttr(now, i)->atttypid))
			columns = bms_add_member(columns, offset + i + 1);
}

void
rewrite_functions(Rewriting &rewriting, RangeTblEntry *entry, Bitmapset *&columns) noexcept
{
	List *functions = NIL;
	ListCell *cell;
	int offset = 0;

	foreach (cell, entry->functions)
	{
		const RangeTblFunction *const before = lfirst_node(RangeTblFunction, cell);
		RangeTblFunction *const after = flat_copy(before);
		after->funcexpr = rewrite_node(before->funcexpr, &rewriting);
		add_function_columns(before, after, offset, columns);
		offset += before->funccolcount;
		functions = lappend(functions, after);
	}
	entry->functions = functions;
}

// ---- Values ----------------------------------------------------------------------

void
rewrite_values(Rewriting &rewriting, RangeTblEntry *entry, Bitmapset *&columns) noexcept
{
	entry->values_lists = list_of(rewriting, entry->values_lists);
	for (int i = 0; i < list_length(entry->coltypes); ++i)
	{
		List *places = NIL;
		ListCell *cell;
		if (!is_json(list_nth_oid(entry->coltypes, i)))
			continue;
		foreach (cell, entry->values_lists)
			places = lappend(places, &lfirst(list_nth_cell(lfirst_node(List, cell), i)));
		if (agree(rewriting, places))
			columns = bms_add_member(columns, i + 1);
	}
	entry->coltypes = types_with_jsonb(entry->coltypes, columns);
}

// ---- CTEs ------------------------------------------------------------------------

void
rewrite_reference(const Rewriting &rewriting, RangeTblEntry *entry, Bitmapset *&columns) noexcept
{
	const Level *level = rewriting.level;
	ListCell *cell;

	for (Index up = 0; level != nullptr && up < entry->ctelevelsup; ++up)
		level = level->outer;
	if (level == nullptr)
		return;
	foreach (cell, level->before->cteList)
		if (strcmp(lfirst_node(CommonTableExpr, cell)->ctename, entry->ctename) == 0)
			columns = bms_copy(level->ctes[foreach_current_index(cell)]);
	entry->coltypes = types_with_jsonb(entry->coltypes, columns);
}

// What a recursive query is made of is what it is made from: the first arm says with what to begin.
Bitmapset *
columns_to_begin_with(const Rewriting &rewriting, Query *query) noexcept
{
	Rewriting trial = rewriting;
	Node *arm = query->setOperations;

	while (arm != nullptr && IsA(arm, SetOperationStmt))
		arm = reinterpret_cast<SetOperationStmt *>(arm)->larg;
	if (arm == nullptr)
		return nullptr;
	Level level = {.outer = rewriting.level, .before = query};
	trial.level = &level;
	level.tables = static_cast<Bitmapset **>(palloc0(list_length(query->rtable) * sizeof(Bitmapset *)));
	level.ctes = static_cast<Bitmapset **>(palloc0((list_length(query->cteList) + 1) * sizeof(Bitmapset *)));
	rewrite_ctes(trial, query);
	Query *const first = rt_fetch(reinterpret_cast<RangeTblRef *>(arm)->rtindex, query->rtable)->subquery;
	return columns_that_became_jsonb(first, rewrite_query(trial, first));
}

Query *
rewrite_recursive(Rewriting &rewriting, Query *before, Bitmapset *&columns) noexcept
{
	const Rewriting untouched = rewriting;

	columns = columns_to_begin_with(rewriting, before);
	for (int i = 0; i < 8; ++i)
	{
		rewriting = untouched;
		Query *const after = rewrite_query(rewriting, before);
		Bitmapset *const now = columns_that_became_jsonb(before, after);
		if (bms_equal(now, columns))
			return after;
		columns = now;
	}
	refuse(rewriting, "its recursive query has no type of its own for the column");
	return before;
}

} // namespace

List *
rewrite_ctes(Rewriting &rewriting, const Query *query) noexcept
{
	Level &level = *rewriting.level;
	List *ctes = NIL;
	ListCell *cell;

	foreach (cell, query->cteList)
	{
		CommonTableExpr *const cte = flat_copy(lfirst_node(CommonTableExpr, cell));
		Query *const before = reinterpret_cast<Query *>(cte->ctequery);
		Bitmapset *&columns = level.ctes[foreach_current_index(cell)];
		if (cte->cterecursive)
			cte->ctequery = node_of(rewrite_recursive(rewriting, before, columns));
		else
		{
			cte->ctequery = node_of(rewrite_query(rewriting, before));
			columns = columns_that_became_jsonb(before, reinterpret_cast<Query *>(cte->ctequery));
		}
		cte->ctecoltypes = types_with_jsonb(cte->ctecoltypes, columns);
		ctes = lappend(ctes, cte);
	}
	return ctes;
}

List *
rewrite_tables(Rewriting &rewriting, const Query *query) noexcept
{
	Level &level = *rewriting.level;
	List *tables = NIL;
	ListCell *cell;

	foreach (cell, query->rtable)
	{
		RangeTblEntry *const entry = flat_copy(lfirst_node(RangeTblEntry, cell));
		Bitmapset *&columns = level.tables[foreach_current_index(cell)];
		switch (entry->rtekind)
		{
		case RTE_RELATION:
			rewrite_relation(rewriting, entry, columns);
			break;
		case RTE_SUBQUERY:
			entry->subquery = rewrite_query(rewriting, entry->subquery);
			columns = columns_that_became_jsonb(lfirst_node(RangeTblEntry, cell)->subquery, entry->subquery);
			break;
		case RTE_JOIN:
			rewrite_join(rewriting, entry, foreach_current_index(cell) + 1);
			break;
		case RTE_FUNCTION:
			rewrite_functions(rewriting, entry, columns);
			break;
		case RTE_TABLEFUNC:
			entry->tablefunc = reinterpret_cast<TableFunc *>(rewrite_node(node_of(entry->tablefunc), &rewriting));
			break;
		case RTE_VALUES:
			rewrite_values(rewriting, entry, columns);
			break;
		case RTE_CTE:
			rewrite_reference(rewriting, entry, columns);
			break;
		default:
			if (List *const before = server::grouped_expressions(entry); before != NIL)
			{
				List *const after = list_of(rewriting, before);
				columns = values_that_became_jsonb(before, after);
				server::set_grouped_expressions(entry, after);
			}
			break;
		}
		tables = lappend(tables, entry);
	}
	return tables;
}

} // namespace remedy::jsonb_migration

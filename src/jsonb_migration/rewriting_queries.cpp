// Queries: what a change in one part of them means for the others.

#include "jsonb_migration/rewriting_context.hpp"
#include "server/versions.hpp"

extern "C" {
#include "nodes/makefuncs.h"
}

namespace remedy::jsonb_migration {

namespace {

const List *
output_of(const Query *query) noexcept
{
	return query->commandType == CMD_SELECT ? query->targetList : query->returningList;
}

TargetEntry *
target_of(const Query *query, int column) noexcept
{
	ListCell *cell;

	foreach (cell, output_of(query))
		if (TargetEntry *const target = lfirst_node(TargetEntry, cell); !target->resjunk && target->resno == column)
			return target;
	return nullptr;
}

// ---- Set operations --------------------------------------------------------------

List *
queries_of(Node *operation, List *tables) noexcept
{
	if (IsA(operation, RangeTblRef))
		return list_make1(rt_fetch(reinterpret_cast<RangeTblRef *>(operation)->rtindex, tables)->subquery);
	const SetOperationStmt *const both = reinterpret_cast<SetOperationStmt *>(operation);
	return list_concat(queries_of(both->larg, tables), queries_of(both->rarg, tables));
}

void
forget_column(Level &level, Node *operation, int column) noexcept
{
	if (IsA(operation, RangeTblRef))
	{
		Bitmapset *&columns = level.tables[reinterpret_cast<RangeTblRef *>(operation)->rtindex - 1];
		columns = bms_del_member(columns, column);
		return;
	}
	forget_column(level, reinterpret_cast<SetOperationStmt *>(operation)->larg, column);
	forget_column(level, reinterpret_cast<SetOperationStmt *>(operation)->rarg, column);
}

void
note_column(Level &level, Node *operation, int column) noexcept
{
	if (IsA(operation, RangeTblRef))
	{
		Bitmapset *&columns = level.tables[reinterpret_cast<RangeTblRef *>(operation)->rtindex - 1];
		columns = bms_add_member(columns, column);
		return;
	}
	note_column(level, reinterpret_cast<SetOperationStmt *>(operation)->larg, column);
	note_column(level, reinterpret_cast<SetOperationStmt *>(operation)->rarg, column);
}

// An arm that is a set operation itself has the column in each of its own arms.
bool
can_be_jsonb(const Query *query, int column) noexcept
{
	ListCell *cell;

	if (query->setOperations == nullptr)
		return make_jsonb(node_of(target_of(query, column)->expr)) != nullptr;
	foreach (cell, queries_of(query->setOperations, query->rtable))
		if (!can_be_jsonb(static_cast<Query *>(lfirst(cell)), column))
			return false;
	return true;
}

void
make_column_jsonb(Query *query, int column) noexcept
{
	Expr *&value = target_of(query, column)->expr;
	ListCell *cell;

	if (query->setOperations == nullptr)
	{
		value = reinterpret_cast<Expr *>(make_jsonb(node_of(value)));
		return;
	}
	foreach (cell, queries_of(query->setOperations, query->rtable))
		make_column_jsonb(static_cast<Query *>(lfirst(cell)), column);
	set_united_types(query->setOperations, bms_make_singleton(column));
	if (IsA(value, Var))
		reinterpret_cast<Var *>(value)->vartype = as_jsonb(reinterpret_cast<Var *>(value)->vartype);
}

Oid
as_json(Oid type) noexcept
{
	return type == JSONBOID ? JSONOID : type == JSONBARRAYOID ? JSONARRAYOID : type;
}

template <class Convert>
void
convert_types(Node *operation, const Bitmapset *columns, Convert convert) noexcept
{
	ListCell *cell;

	if (!IsA(operation, SetOperationStmt))
		return;
	SetOperationStmt *const both = reinterpret_cast<SetOperationStmt *>(operation);
	both->colTypes = list_copy(both->colTypes);
	foreach (cell, both->colTypes)
		if (bms_is_member(foreach_current_index(cell) + 1, columns))
			lfirst_oid(cell) = convert(lfirst_oid(cell));
	convert_types(both->larg, columns, convert);
	convert_types(both->rarg, columns, convert);
}

} // namespace

void
set_united_types(Node *operation, const Bitmapset *columns) noexcept
{
	convert_types(operation, columns, as_jsonb);
}

void
cast_column_to_json(Rewriting &rewriting, Query *query, int column) noexcept
{
	Expr *&value = target_of(query, column)->expr;
	ListCell *cell;

	if (query->setOperations == nullptr)
	{
		if (is_jsonb(exprType(node_of(value))))
			value = reinterpret_cast<Expr *>(cast_to_json(rewriting, node_of(value)));
		return;
	}
	foreach (cell, queries_of(query->setOperations, query->rtable))
		cast_column_to_json(rewriting, static_cast<Query *>(lfirst(cell)), column);
	convert_types(query->setOperations, bms_make_singleton(column), as_json);
	if (IsA(value, Var))
		reinterpret_cast<Var *>(value)->vartype = as_json(reinterpret_cast<Var *>(value)->vartype);
}

// The arms' columns are of one type: all jsonb, or all json.
void
unite(Rewriting &rewriting, const Query *before, List *tables) noexcept
{
	Level &level = *rewriting.level;
	List *const arms = queries_of(before->setOperations, tables);
	const List *const types = reinterpret_cast<SetOperationStmt *>(before->setOperations)->colTypes;
	ListCell *cell;

	for (int column = 1; column <= list_length(types); ++column)
	{
		bool any = false, all = true;
		if (!is_json(list_nth_oid(types, column - 1)))
			continue;
		foreach (cell, arms)
		{
			const Query *const arm = static_cast<const Query *>(lfirst(cell));
			any |= is_jsonb(exprType(node_of(target_of(arm, column)->expr)));
			all &= can_be_jsonb(arm, column);
		}
		if (!any)
			continue;
		foreach (cell, arms)
			if (all)
				make_column_jsonb(static_cast<Query *>(lfirst(cell)), column);
			else
				cast_column_to_json(rewriting, static_cast<Query *>(lfirst(cell)), column);
		if (all)
		{
			level.united = bms_add_member(level.united, column);
			note_column(level, before->setOperations, column);
		}
		else
			forget_column(level, before->setOperations, column);
	}
}

Bitmapset *
columns_that_became_jsonb(const Query *before, const Query *after) noexcept
{
	Bitmapset *columns = nullptr;
	ListCell *cell;

	foreach (cell, output_of(before))
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		if (target->resjunk)
			continue;
		if (became_jsonb(node_of(target->expr), node_of(target_of(after, target->resno)->expr)))
			columns = bms_add_member(columns, target->resno);
	}
	return columns;
}

// ---- The columns that are written --------------------------------------------------

namespace {

void
renumber(Rewriting &rewriting, Oid relation, List *targets) noexcept
{
	ListCell *cell;

	foreach (cell, targets)
	{
		TargetEntry *const target = lfirst_node(TargetEntry, cell);
		const MappedColumn *const mapped =
			target->resjunk ? nullptr : mapped_column(*rewriting.mapping, relation, target->resno);
		if (mapped == nullptr)
			continue;
		rewriting.changed = true;
		target->resno = mapped->twin_column;
		const MappedRelation *const twin = mapped_relation(*rewriting.mapping, relation);
		if (target->resname != nullptr)
			target->resname = get_attname(twin == nullptr ? relation : twin->twin, mapped->twin_column, false);
	}
}

void
renumber_written(Rewriting &rewriting, const Query *before, Query *after) noexcept
{
	ListCell *cell;

	if (before->resultRelation == 0)
		return;
	const Oid relation = rt_fetch(before->resultRelation, before->rtable)->relid;
	if (before->commandType == CMD_INSERT || before->commandType == CMD_UPDATE)
		renumber(rewriting, relation, after->targetList);
	if (after->onConflict != nullptr)
		renumber(rewriting, relation, after->onConflict->onConflictSet);
	foreach (cell, after->mergeActionList)
		renumber(rewriting, relation, lfirst_node(MergeAction, cell)->targetList);
}

} // namespace

Query *
rewrite_query(Rewriting &rewriting, Query *before) noexcept
{
	const auto sets = [](int count) noexcept {
		return static_cast<Bitmapset **>(palloc0(Max(count, 1) * sizeof(Bitmapset *)));
	};
	Level level = {.outer = rewriting.level,
				   .before = before,
				   .tables = sets(list_length(before->rtable)),
				   .ctes = sets(list_length(before->cteList))};
	Query rest = *before;

	rewriting.level = &level;
	rest.cteList = rest.rtable = NIL;
	List *const ctes = rewrite_ctes(rewriting, before);
	List *const tables = rewrite_tables(rewriting, before);
	if (before->setOperations != nullptr)
		unite(rewriting, before, tables);
	Query *const after = server::mutate_query(&rest, rewrite_node, &rewriting);
	after->cteList = ctes;
	after->rtable = tables;
	server::set_relations_of_permissions(after);
	if (after->setOperations != nullptr)
		set_united_types(after->setOperations, level.united);
	renumber_written(rewriting, before, after);
	rewriting.level = level.outer;
	return after;
}

} // namespace remedy::jsonb_migration

// The walk over a tree, and what it starts from: the Vars of mapped columns.

#include "jsonb_migration/rewriting.hpp"

#include "jsonb_migration/rewriting_context.hpp"
#include "server/versions.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "utils/regproc.h"
}

namespace remedy::jsonb_migration {

const MappedRelation *
mapped_relation(const Mapping &mapping, Oid relation) noexcept
{
	ListCell *cell;

	foreach (cell, mapping.relations)
		if (const auto *mapped = static_cast<const MappedRelation *>(lfirst(cell)); mapped->relation == relation)
			return mapped;
	return nullptr;
}

const MappedColumn *
mapped_column(const Mapping &mapping, Oid relation, AttrNumber column) noexcept
{
	ListCell *cell;

	foreach (cell, mapping.columns)
		if (const auto *mapped = static_cast<const MappedColumn *>(lfirst(cell));
			mapped->relation == relation && mapped->column == column)
			return mapped;
	return nullptr;
}

void
refuse(Rewriting &rewriting, const char *reason) noexcept
{
	if (rewriting.refusal == nullptr)
		rewriting.refusal = reason;
}

namespace {

bool
has_mapped_columns(const Mapping &mapping, Oid relation) noexcept
{
	ListCell *cell;

	foreach (cell, mapping.columns)
		if (static_cast<const MappedColumn *>(lfirst(cell))->relation == relation)
			return true;
	return false;
}

// ---- Vars ------------------------------------------------------------------------

// The row's type has the json column, or the shadow as well.
void
rewrite_row(Rewriting &rewriting, const Level &level, Var *var) noexcept
{
	const RangeTblEntry *const entry = rt_fetch(var->varno, level.before->rtable);

	if (entry->rtekind == RTE_JOIN && bms_is_member(var->varno, level.bare))
		refuse(rewriting, "it uses whole rows of a join with the column");
	if (entry->rtekind != RTE_RELATION)
		return;
	if (has_mapped_columns(*rewriting.mapping, entry->relid))
		refuse(rewriting, psprintf("it uses whole rows of %s", get_rel_name(entry->relid)));
	else if (const MappedRelation *const mapped = mapped_relation(*rewriting.mapping, entry->relid))
		if (mapped->twin != mapped->relation)
			var->vartype = get_rel_type_id(mapped->twin);
}

void
rewrite_number(Rewriting &rewriting, const Level &level, Var *var) noexcept
{
	const RangeTblEntry *const entry = rt_fetch(var->varno, level.before->rtable);
	const MappedColumn *const mapped =
		entry->rtekind == RTE_RELATION ? mapped_column(*rewriting.mapping, entry->relid, var->varattno) : nullptr;

	if (mapped != nullptr)
	{
		rewriting.changed = true;
		if (var->varnosyn == static_cast<Index>(var->varno))
			var->varattnosyn = mapped->twin_column;
		var->varattno = mapped->twin_column;
	}
	if (bms_is_member(static_cast<int>(var->varnosyn), level.bare))
	{
		var->varnosyn = var->varno;
		var->varattnosyn = var->varattno;
	}
}

Node *
rewrite_var(Rewriting &rewriting, Var *before) noexcept
{
	Var *const var = static_cast<Var *>(copyObjectImpl(before));
	const Level *level = rewriting.level;

	for (Index up = 0; level != nullptr && up < var->varlevelsup; ++up)
		level = level->outer;
	if (level == nullptr || var->varno < 1 || var->varno > list_length(level->before->rtable))
		return node_of(var);
	if (var->varattno == 0)
		rewrite_row(rewriting, *level, var);
	else
	{
		if (bms_is_member(var->varattno, level->tables[var->varno - 1]))
			var->vartype = as_jsonb(var->vartype);
		rewrite_number(rewriting, *level, var);
	}
	return node_of(var);
}

// A relation's row type, elsewhere than in its own rows.
void
check_row_type(Rewriting &rewriting, Node *node) noexcept
{
	if (!IsA(node, Const) && !IsA(node, Param) && !IsA(node, FuncExpr) && !IsA(node, RowExpr))
		return;
	const Oid type = exprType(node);
	const Oid element = get_element_type(type);
	const Oid relation = get_typ_typrelid(OidIsValid(element) ? element : type);
	if (OidIsValid(relation) && has_mapped_columns(*rewriting.mapping, relation))
		refuse(rewriting, psprintf("it uses the row type of %s", get_rel_name(relation)));
}

// DO UPDATE lists all columns of the row that was not inserted, used or not, and so hangs on each of
// the table: the old one could not be dropped in the end.
Node *
rewrite_conflict(Rewriting &rewriting, const OnConflictExpr *before) noexcept
{
	const Query *const query = rewriting.level->before;
	const Oid table = rt_fetch(query->resultRelation, query->rtable)->relid;
	OnConflictExpr used = *before;

	if (before->action == ONCONFLICT_UPDATE && has_mapped_columns(*rewriting.mapping, table))
		refuse(rewriting,
			   psprintf("it has ON CONFLICT DO UPDATE, which hangs on every column of %s", get_rel_name(table)));
	used.exclRelTlist = NIL;
	auto *const after =
		reinterpret_cast<OnConflictExpr *>(server::mutate_expression(node_of(&used), rewrite_node, &rewriting));
	after->exclRelTlist = before->exclRelTlist;
	return node_of(after);
}

} // namespace

Node *
rewrite_node(Node *node, void *context)
{
	Rewriting &rewriting = *static_cast<Rewriting *>(context);

	if (node == nullptr)
		return nullptr;
	if (IsA(node, Var))
		return rewrite_var(rewriting, reinterpret_cast<Var *>(node));
	if (IsA(node, Query))
		return node_of(rewrite_query(rewriting, reinterpret_cast<Query *>(node)));
	if (IsA(node, OnConflictExpr))
		return rewrite_conflict(rewriting, reinterpret_cast<OnConflictExpr *>(node));
	check_row_type(rewriting, node);
	return mend(rewriting, node, server::mutate_expression(node, rewrite_node, context));
}

// ---- What is handed out ----------------------------------------------------------

namespace {

void
add_remark(StringInfo remarks, const char *remark) noexcept
{
	appendStringInfo(remarks, "%s%s", remarks->len > 0 ? "; " : "", remark);
}

const char *
remark_of(const Rewriting &rewriting) noexcept
{
	StringInfoData remarks;
	ListCell *cell;

	initStringInfo(&remarks);
	if (rewriting.text_used)
		add_remark(&remarks, "it uses the document's text, which jsonb prints in its own way");
	if (rewriting.keys_read)
		add_remark(&remarks, "it reads the keys one by one: jsonb has its own order, and each key once");
	if (rewriting.numbered)
		add_remark(&remarks, "it takes elements by number: of a scalar, jsonb gives the scalar itself for 0");
	foreach (cell, rewriting.functions)
		add_remark(&remarks,
				   psprintf("%s takes json: the document is cast back for it", format_procedure(lfirst_oid(cell))));
	if (rewriting.cast_back && rewriting.functions == NIL)
		add_remark(&remarks, "the document is cast back to json beside what stays json");
	return remarks.len > 0 ? remarks.data : nullptr;
}

Rewritten
result_of(const Rewriting &rewriting, Node *before, Node *after) noexcept
{
	Rewritten result = {after, rewriting.changed, false, nullptr, rewriting.refusal, remark_of(rewriting)};

	if (before == nullptr || IsA(before, List))
		return result;
	if (IsA(before, Query))
		result.columns = columns_that_became_jsonb(reinterpret_cast<Query *>(before), reinterpret_cast<Query *>(after));
	else
		result.becomes_jsonb = became_jsonb(before, after);
	return result;
}

// An expression outside of a query has its relation as the only entry, a rule's or trigger's has it twice.
Rewritten
rewrite_within(Node *expression, Oid relation, int entries, const Mapping &mapping) noexcept
{
	Query *const query = makeNode(Query);

	for (int i = 0; i < entries; ++i)
	{
		RangeTblEntry *const entry = makeNode(RangeTblEntry);
		entry->rtekind = RTE_RELATION;
		entry->relid = relation;
		entry->eref = makeAlias(get_rel_name(relation), NIL);
		query->rtable = lappend(query->rtable, entry);
	}
	Level level = {.before = query, .tables = static_cast<Bitmapset **>(palloc0(entries * sizeof(Bitmapset *)))};
	Rewriting rewriting = {.mapping = &mapping, .level = &level};
	rewrite_tables(rewriting, query);
	rewriting.changed = false;
	Node *const after = rewrite_node(expression, &rewriting);
	return result_of(rewriting, expression, after);
}

} // namespace

Rewritten
rewrite(Node *tree, const Mapping &mapping) noexcept
{
	Rewriting rewriting = {.mapping = &mapping};
	Node *const after = rewrite_node(tree, &rewriting);

	return result_of(rewriting, tree, after);
}

Rewritten
rewrite_expression(Node *expression, Oid relation, const Mapping &mapping) noexcept
{
	return rewrite_within(expression, relation, 1, mapping);
}

Rewritten
rewrite_old_new(Node *expression, Oid relation, const Mapping &mapping) noexcept
{
	return rewrite_within(expression, relation, 2, mapping);
}

} // namespace remedy::jsonb_migration

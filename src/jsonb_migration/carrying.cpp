#include "jsonb_migration/carrying.hpp"

#include "server/commands.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "commands/comment.h"
#include "commands/extension.h"
}

namespace remedy::jsonb_migration {

void
swap_in_place(Scope &, const Dependent &dependent) noexcept
{
	run_sql("%s", dependent.new_definition);
}

void
undo_in_place(Scope &, const Dependent &dependent) noexcept
{
	run_sql("%s", dependent.definition);
}

const char *
name_in(const Scope &scope, Oid original) noexcept
{
	return scope.rehearsal ? psprintf("remedy_rehearsal_%u", original) : name_of_twin(original);
}

const char *
twin_table(const Mapping &mapping, Oid relation) noexcept
{
	return qualified_name(twin_of(mapping, relation));
}

const char *
twin_column(const Mapping &mapping, Oid relation, AttrNumber column) noexcept
{
	const MappedColumn *const mapped = mapped_column(mapping, relation, column);

	return quote_identifier(mapped == nullptr ? get_attname(relation, column, false)
											  : get_attname(twin_of(mapping, relation), mapped->twin_column, false));
}

Node *
stored_tree(int cache, HeapTuple tuple, AttrNumber column) noexcept
{
	bool is_null;
	const Datum value = SysCacheGetAttr(cache, tuple, column, &is_null);

	return is_null ? nullptr : static_cast<Node *>(stringToNode(TextDatumGetCString(value)));
}

Node *
stored_default(Oid table, AttrNumber column) noexcept
{
	const Relation relation = table_open(table, AccessShareLock);
	const TupleConstr *const constraints = RelationGetDescr(relation)->constr;
	Node *expression = nullptr;

	for (int i = 0; constraints != nullptr && i < constraints->num_defval; ++i)
		if (constraints->defval[i].adnum == column)
			expression = static_cast<Node *>(stringToNode(constraints->defval[i].adbin));
	table_close(relation, NoLock);
	return expression;
}

void
Verdict::refuse(const char *reason) noexcept
{
	if (refusal == nullptr)
		refusal = reason;
}

void
Verdict::note(const char *text) noexcept
{
	if (remark == nullptr)
		remark = text;
	else if (strstr(remark, text) == nullptr)
		remark = psprintf("%s; %s", remark, text);
}

void
Verdict::note(const Rewritten &rewritten) noexcept
{
	if (rewritten.refusal != nullptr)
		refuse(rewritten.refusal);
	if (rewritten.remark != nullptr)
		note(rewritten.remark);
}

void
Verdict::give(Dependent &dependent, const char *new_definition) const noexcept
{
	dependent.refusal = refusal;
	dependent.remark = remark;
	dependent.new_definition = refusal == nullptr ? new_definition : nullptr;
}

const char *
rewritten_text(Node *expression, Oid relation, const Mapping &mapping, Verdict &verdict) noexcept
{
	const Rewritten rewritten = rewrite_expression(expression, relation, mapping);

	verdict.note(rewritten);
	return rewritten.refusal != nullptr ? "" : print_expression(rewritten.tree, twin_of(mapping, relation));
}

void
add_comment(StringInfo script, const char *object_type, const char *object, Oid catalog, Oid original) noexcept
{
	const char *const comment = GetComment(original, catalog, 0);

	if (comment != nullptr)
		appendStringInfo(script, ";\nCOMMENT ON %s %s IS %s", object_type, object, quote_literal_cstr(comment));
}

void
add_extensions(StringInfo script, const char *object_type, const char *object, Oid catalog, Oid original) noexcept
{
	ListCell *cell;

	foreach (cell, getAutoExtensionsOfObject(catalog, original))
		appendStringInfo(script, ";\nALTER %s %s DEPENDS ON EXTENSION %s", object_type, object,
						 quote_identifier(get_extension_name(lfirst_oid(cell))));
}

void
run_script(const StringInfoData &script) noexcept
{
	if (script.len > 0)
		run_sql("%s", script.data);
}

} // namespace remedy::jsonb_migration

// Defaults: each table of the tree may have its own.
//
// After the swap the old column has none: its trigger fills it, and a default with side effects
// (a sequence's next number) is to be computed once.

#include "jsonb_migration/carrying.hpp"

#include "server/commands.hpp"

namespace remedy::jsonb_migration {

namespace {

const char *
document_text(const Const *document) noexcept
{
	Oid output;
	bool is_varlena;

	getTypeOutputInfo(JSONOID, &output, &is_varlena);
	return OidOutputFunctionCall(output, document->constvalue);
}

// A default refers to no column, so nothing in it becomes jsonb by itself.
const char *
default_text(const Dependent &dependent, const Scope &scope, Verdict &verdict) noexcept
{
	Node *const expression =
		stored_default(dependent.relation, get_attnum(dependent.relation, scope.target->column_name));
	const Rewritten rewritten = rewrite_expression(expression, dependent.relation, scope.final);

	verdict.note(rewritten);
	if (rewritten.refusal != nullptr)
		return "";
	if (IsA(rewritten.tree, Const) && exprType(rewritten.tree) == JSONOID &&
		!castNode(Const, rewritten.tree)->constisnull)
		return psprintf("%s::jsonb", quote_literal_cstr(document_text(castNode(Const, rewritten.tree))));
	const char *const text = print_expression(rewritten.tree, dependent.relation);
	return exprType(rewritten.tree) == JSONBOID ? text : psprintf("(%s)::jsonb", text);
}

const char *
set_default(const char *table, const char *column, const char *text) noexcept
{
	return psprintf("ALTER TABLE ONLY %s ALTER COLUMN %s SET DEFAULT %s", table, column, text);
}

void
drop_default(const Dependent &dependent, const char *column) noexcept
{
	run_sql("ALTER TABLE ONLY %s ALTER COLUMN %s DROP DEFAULT", qualified_name(dependent.relation),
			quote_identifier(column));
}

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	const char *const table = qualified_name(dependent.relation);
	const char *const column = quote_identifier(scope.target->column_name);
	Node *const expression =
		stored_default(dependent.relation, get_attnum(dependent.relation, scope.target->column_name));
	Verdict verdict;

	dependent.definition = set_default(table, column, print_expression(expression, dependent.relation));
	const char *const text = default_text(dependent, scope, verdict);
	verdict.give(dependent, set_default(table, column, text));
}

void
build(Scope &scope, const Dependent &dependent) noexcept
{
	Verdict verdict;

	if (scope.rehearsal)
		run_sql("%s", set_default(twin_table(scope.mapping, dependent.relation), quote_identifier(scope.target->shadow),
								  default_text(dependent, scope, verdict)));
}

void
swap(Scope &scope, const Dependent &dependent) noexcept
{
	drop_default(dependent, scope.target->old);
	swap_in_place(scope, dependent);
}

void
undo(Scope &scope, const Dependent &dependent) noexcept
{
	drop_default(dependent, scope.target->shadow);
	undo_in_place(scope, dependent);
}

} // namespace

extern const Carrier column_default = {"default", describe, build, nullptr, swap, undo, nullptr, nullptr};

} // namespace remedy::jsonb_migration

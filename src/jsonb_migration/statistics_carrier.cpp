// Extended statistics: a twin with the same kinds, target, owner and comment.  Its numbers come
// with the ANALYZE before the swap.

#include "jsonb_migration/carrying.hpp"
#include "server/commands.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_statistic_ext.h"
#include "statistics/statistics.h"
#include "utils/ruleutils.h"
}

namespace remedy::jsonb_migration {

namespace {

Form_pg_statistic_ext
form_of(HeapTuple tuple) noexcept
{
	return reinterpret_cast<Form_pg_statistic_ext>(GETSTRUCT(tuple));
}

HeapTuple
find(const Dependent &dependent) noexcept
{
	const HeapTuple tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(dependent.object));

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("%s does not exist any more", dependent.identity)));
	return tuple;
}

// Somebody else's of that name is not ours: to make the twin fails then.
bool
exists(const Dependent &dependent, const char *name) noexcept
{
	List *const names = list_make2(makeString(pstrdup(dependent.schema)), makeString(pstrdup(name)));
	const HeapTuple tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(get_statistics_object_oid(names, true)));

	if (!HeapTupleIsValid(tuple))
		return false;
	const Oid relation = reinterpret_cast<Form_pg_statistic_ext>(GETSTRUCT(tuple))->stxrelid;
	ReleaseSysCache(tuple);
	return relation == dependent.relation;
}

// Those that are asked for; empty where all of them are, or none may be named.
const char *
kinds_of(HeapTuple tuple, int columns) noexcept
{
	struct Kind
	{
		char letter;
		const char *word;
	};
	static constexpr Kind kinds[] = {
		{STATS_EXT_NDISTINCT, "ndistinct"}, {STATS_EXT_DEPENDENCIES, "dependencies"}, {STATS_EXT_MCV, "mcv"}};
	bool is_null;
	ArrayType *const array =
		DatumGetArrayTypeP(SysCacheGetAttr(STATEXTOID, tuple, Anum_pg_statistic_ext_stxkind, &is_null));
	const char *const letters = ARR_DATA_PTR(array);
	const int letter_count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	StringInfoData words;
	int found = 0;

	initStringInfo(&words);
	for (const Kind &kind : kinds)
		if (memchr(letters, kind.letter, letter_count) != nullptr)
			appendStringInfo(&words, "%s%s", found++ == 0 ? " (" : ", ", kind.word);
	appendStringInfoChar(&words, ')');
	return columns == 1 || found == lengthof(kinds) ? "" : words.data;
}

// A lone expression that has become the column itself would be no statistics of more than ANALYZE makes anyway.
const char *
columns_of(HeapTuple tuple, const List *expressions, const Mapping &mapping, Verdict &verdict) noexcept
{
	const Form_pg_statistic_ext form = form_of(tuple);
	StringInfoData columns;
	ListCell *cell;

	initStringInfo(&columns);
	for (int i = 0; i < form->stxkeys.dim1; ++i)
		appendStringInfo(&columns, "%s%s", columns.len == 0 ? "" : ", ",
						 twin_column(mapping, form->stxrelid, form->stxkeys.values[i]));
	foreach (cell, expressions)
	{
		const Rewritten expression = rewrite_expression(static_cast<Node *>(lfirst(cell)), form->stxrelid, mapping);
		verdict.note(expression);
		if (expression.refusal != nullptr)
			continue;
		if (IsA(expression.tree, Var) && form->stxkeys.dim1 + list_length(expressions) == 1)
			verdict.refuse(
				"they are of the document as jsonb alone, of which ANALYZE makes statistics anyway: drop them");
		appendStringInfo(&columns, "%s(%s)", columns.len == 0 ? "" : ", ",
						 print_expression(expression.tree, twin_of(mapping, form->stxrelid)));
	}
	return columns.data;
}

void
add_settings(StringInfo script, HeapTuple tuple, const char *name) noexcept
{
	bool is_null;
	const Datum value = SysCacheGetAttr(STATEXTOID, tuple, Anum_pg_statistic_ext_stxstattarget, &is_null);
	const int target = server::statistics_target(value, is_null);
	const Form_pg_statistic_ext form = form_of(tuple);

	if (target >= 0)
		appendStringInfo(script, ";\nALTER STATISTICS %s SET STATISTICS %d", name, target);
	add_comment(script, "STATISTICS", name, StatisticExtRelationId, form->oid);
	if (form->stxowner != GetUserId())
		appendStringInfo(script, ";\nALTER STATISTICS %s OWNER TO %s", name,
						 quote_identifier(GetUserNameFromId(form->stxowner, false)));
}

const char *
create_command(HeapTuple tuple, const char *name, const Mapping &mapping, Verdict &verdict) noexcept
{
	const Form_pg_statistic_ext form = form_of(tuple);
	const char *const full_name = quote_qualified_identifier(get_namespace_name(form->stxnamespace), name);
	const List *const expressions = castNode(List, stored_tree(STATEXTOID, tuple, Anum_pg_statistic_ext_stxexprs));
	StringInfoData script;

	initStringInfo(&script);
	appendStringInfo(&script, "CREATE STATISTICS %s%s ON %s FROM %s", full_name,
					 kinds_of(tuple, form->stxkeys.dim1 + list_length(expressions)),
					 columns_of(tuple, expressions, mapping, verdict), twin_table(mapping, form->stxrelid));
	add_settings(&script, tuple, full_name);
	return script.data;
}

void
check_rights(const Form_pg_statistic_ext form, Verdict &verdict) noexcept
{
	if (!has_privs_of_role(GetUserId(), form->stxowner))
		verdict.refuse(psprintf("it is owned by %s", quote_identifier(GetUserNameFromId(form->stxowner, false))));
	if (!server::may_create_in_schema(form->stxnamespace))
		verdict.refuse(psprintf("you may not create anything in schema %s",
								quote_identifier(get_namespace_name(form->stxnamespace))));
}

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	const HeapTuple tuple = find(dependent);
	StringInfoData definition;
	Verdict verdict;

	initStringInfo(&definition);
	appendStringInfoString(&definition, pg_get_statisticsobjdef_string(dependent.object));
	add_settings(&definition, tuple, quote_qualified_identifier(dependent.schema, dependent.name));
	dependent.definition = definition.data;
	check_rights(form_of(tuple), verdict);
	verdict.give(dependent, create_command(tuple, dependent.name, scope.final, verdict));
	ReleaseSysCache(tuple);
}

void
build(Scope &scope, const Dependent &dependent) noexcept
{
	const char *const name = name_in(scope, dependent.object);
	Verdict verdict;

	if (exists(dependent, name))
		return;
	const HeapTuple tuple = find(dependent);
	run_sql("%s", create_command(tuple, name, scope.mapping, verdict));
	ReleaseSysCache(tuple);
}

void
rename(const Dependent &dependent, const char *from, const char *to) noexcept
{
	run_sql("ALTER STATISTICS %s RENAME TO %s", quote_qualified_identifier(dependent.schema, from),
			quote_identifier(to));
}

void
swap(Scope &, const Dependent &dependent) noexcept
{
	rename(dependent, dependent.name, name_of_original(dependent.object));
	rename(dependent, name_of_twin(dependent.object), dependent.name);
}

void
undo(Scope &, const Dependent &dependent) noexcept
{
	rename(dependent, dependent.name, name_of_twin(dependent.object));
	rename(dependent, name_of_original(dependent.object), dependent.name);
}

void
drop(const Dependent &dependent, const char *name) noexcept
{
	if (exists(dependent, name))
		run_sql("DROP STATISTICS %s", quote_qualified_identifier(dependent.schema, name));
}

void
finish(Scope &, const Dependent &dependent) noexcept
{
	drop(dependent, name_of_original(dependent.object));
}

void
abandon(Scope &, const Dependent &dependent) noexcept
{
	drop(dependent, name_of_twin(dependent.object));
}

} // namespace

extern const Carrier statistics = {"statistics", describe, build, nullptr, swap, undo, finish, abandon};

} // namespace remedy::jsonb_migration

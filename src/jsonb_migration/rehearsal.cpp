// The rehearsal: an empty copy of each table that something hangs on, with the shadow, and
// what hangs on it made for the copy.  All of it in a subtransaction that is undone.
//
// The copies have the columns under their numbers, for trees name columns by number; dropped
// ones too.

#include <new>

#include "jsonb_migration/collecting.hpp"
#include "server/commands.hpp"
#include "server/guard.hpp"
#include "server/versions.hpp"

extern "C" {
#include "access/relation.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "utils/ruleutils.h"
}

namespace remedy::jsonb_migration {

namespace {

// ---- Copies ----------------------------------------------------------------------

void
add_column(StringInfo columns, const Form_pg_attribute column) noexcept
{
	if (column->attisdropped)
	{
		appendStringInfo(columns, "remedy_dropped_%d pg_catalog.int4", column->attnum);
		return;
	}
	appendStringInfo(columns, "%s %s", quote_identifier(NameStr(column->attname)),
					 format_type_extended(column->atttypid, column->atttypmod,
										  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
	if (OidIsValid(column->attcollation))
		appendStringInfo(columns, " COLLATE %s", generate_collation_name(column->attcollation));
}

const char *
columns_of(TupleDesc descriptor) noexcept
{
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < descriptor->natts; ++i)
	{
		appendStringInfoString(&columns, i == 0 ? "" : ", ");
		add_column(&columns, TupleDescAttr(descriptor, i));
	}
	return columns.data;
}

void
drop_dropped_columns(TupleDesc descriptor, const char *copy) noexcept
{
	for (int i = 0; i < descriptor->natts; ++i)
		if (TupleDescAttr(descriptor, i)->attisdropped)
			run_sql("ALTER TABLE %s DROP COLUMN remedy_dropped_%d", copy, i + 1);
}

// A query may name columns beside those that it groups by because of it.
void
add_primary_key(Oid relation, const char *copy) noexcept
{
	Oid constraint;

	get_primary_key_attnos(relation, false, &constraint);
	if (OidIsValid(constraint))
		run_sql("ALTER TABLE %s ADD %s", copy,
				TextDatumGetCString(DirectFunctionCall1(pg_get_constraintdef, ObjectIdGetDatum(constraint))));
}

const char *
schema_for_copy_of(Oid relation) noexcept
{
	const Oid schema = get_rel_namespace(relation);

	return server::may_create_in_schema(schema) ? get_namespace_name(schema) : "pg_temp";
}

Oid
make_copy(Oid original) noexcept
{
	const Relation relation = relation_open(original, AccessShareLock);
	const char *const schema = schema_for_copy_of(original);
	const char *const name = psprintf("remedy_copy_%u", original);
	const char *const copy = quote_qualified_identifier(schema, name);

	run_sql("CREATE TABLE %s (%s)", copy, columns_of(RelationGetDescr(relation)));
	drop_dropped_columns(RelationGetDescr(relation), copy);
	add_primary_key(original, copy);
	relation_close(relation, NoLock);
	return RangeVarGetRelid(makeRangeVar(pstrdup(schema), pstrdup(name), -1), NoLock, false);
}

void
map_to(Mapping &mapping, Oid relation, Oid twin) noexcept
{
	ListCell *cell;

	foreach (cell, mapping.relations)
		if (auto *mapped = static_cast<MappedRelation *>(lfirst(cell)); mapped->relation == relation)
		{
			mapped->twin = twin;
			return;
		}
	mapping.relations = lappend(mapping.relations, new (palloc(sizeof(MappedRelation))) MappedRelation{relation, twin});
}

void
copy_table(Scope &scope, Oid table) noexcept
{
	const Target &target = *scope.target;
	const Oid copy = copy_of(scope, table);

	if (table == target.table)
		scope.table = copy;
	if (get_attnum(copy, target.shadow) != InvalidAttrNumber)
		return; // the table has it by now, and the mapping as well
	run_sql("ALTER TABLE %s ADD COLUMN %s pg_catalog.jsonb", qualified_name(copy), target.shadow);
	scope.mapping.columns =
		lappend(scope.mapping.columns,
				new (palloc(sizeof(MappedColumn)))
					MappedColumn{table, get_attnum(table, target.column_name), get_attnum(copy, target.shadow)});
}

// ---- Trying ----------------------------------------------------------------------

// Users want neither to hear of copies, nor to be asked about them.
void
be_quiet() noexcept
{
	set_config_option("client_min_messages", "error", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

Scope
prepare(const Target &target) noexcept
{
	Scope scope = scope_of(target);
	ListCell *cell;

	scope.rehearsal = true;
	foreach (cell, find_tables(target))
		if (get_rel_relkind(lfirst_oid(cell)) != RELKIND_FOREIGN_TABLE)
			copy_table(scope, lfirst_oid(cell));
	return scope;
}

void
rehearse_into(List *&failures, const Target &target, const List *dependents) noexcept
{
	ListCell *cell;

	be_quiet();
	Scope scope = prepare(target);
	foreach (cell, dependents)
	{
		const auto &dependent = *static_cast<const Dependent *>(lfirst(cell));
		if (dependent.refusal != nullptr || dependent.carrier->build == nullptr)
			continue;
		ErrorData *const error = error_of([&]() noexcept { dependent.carrier->build(scope, dependent); });
		if (error != nullptr && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		if (error != nullptr)
			failures = lappend(failures, new (palloc(sizeof(Failure))) Failure{&dependent, error});
	}
}

} // namespace

Oid
copy_of(Scope &scope, Oid relation) noexcept
{
	Oid copy = twin_of(scope.mapping, relation);

	if (copy != relation)
		return copy;
	copy = make_copy(relation);
	map_to(scope.mapping, relation, copy);
	return copy;
}

List *
rehearse_each(const Target &target, const List *dependents) noexcept
{
	List *failures = NIL;
	ErrorData *error = nullptr;

	trial([&]() noexcept { error = error_of([&]() noexcept { rehearse_into(failures, target, dependents); }); });
	if (error != nullptr)
		ReThrowError(error);
	return failures;
}

void
rehearse(const Target &target) noexcept
{
	Scope scope = scope_of(target);
	const List *const failures = rehearse_each(target, find_dependents(scope));

	if (failures == NIL)
		return;
	const auto &failure = *static_cast<const Failure *>(linitial(failures));
	const ErrorData &error = *failure.error;
	ereport(ERROR, (errcode(error.sqlerrcode),
					errmsg("%s cannot be carried over: %s", failure.dependent->identity, error.message),
					error.detail == nullptr ? 0 : errdetail_internal("%s", error.detail),
					error.hint == nullptr ? 0 : errhint("%s", error.hint),
					errcontext("rehearsal on an empty copy of %s", qualified_name(target.table))));
}

} // namespace remedy::jsonb_migration

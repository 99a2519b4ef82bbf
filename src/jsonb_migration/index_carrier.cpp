// Indexes.  The twin is built concurrently (index_commands) on the shadow column, that of a partitioned
// table without its partitions' first; the swap attaches those and renames all of them.

#include <cstdio>

#include "jsonb_migration/index_text.hpp"
#include "jsonb_migration/index_twins.hpp"
#include "server/commands.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/pg_inherits.h"
#include "commands/tablespace.h"
#include "utils/ruleutils.h"
}

namespace remedy::jsonb_migration {

namespace {

bool
is_flagged(Oid index, bool (*flag)(const FormData_pg_index &)) noexcept
{
	const HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));

	if (!HeapTupleIsValid(tuple))
		return false;
	const bool flagged = flag(*reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple)));
	ReleaseSysCache(tuple);
	return flagged;
}

bool
is_clustered(Oid index) noexcept
{
	return is_flagged(index, [](const FormData_pg_index &form) { return form.indisclustered; });
}

bool
is_identity(Oid index) noexcept
{
	return is_flagged(index, [](const FormData_pg_index &form) { return form.indisreplident; });
}

// ---- Describing ------------------------------------------------------------------

void
check_constraints(Oid index, Verdict &verdict) noexcept
{
	if (OidIsValid(get_index_constraint(index)))
		verdict.refuse("it is the index of a constraint, which has no twin; drop the constraint, and add it again "
					   "after the migration");
	if (get_index_ref_constraints(index) != NIL)
		verdict.refuse("a foreign key refers to it");
	if (is_identity(index))
		verdict.refuse("it is the replica identity of the table");
}

void
check_rights(Oid index, Verdict &verdict) noexcept
{
	const Oid schema = get_rel_namespace(index);
	const Oid tablespace = get_rel_tablespace(index);

	if (!server::may_create_in_schema(schema))
		verdict.refuse(
			psprintf("you may not create anything in schema %s", quote_identifier(get_namespace_name(schema))));
	if (OidIsValid(tablespace) && !server::may_create_in_tablespace(tablespace))
		verdict.refuse(psprintf("you may not create anything in tablespace %s",
								quote_identifier(get_tablespace_name(tablespace))));
}

void
add_settings(StringInfo script, Oid index, const char *name) noexcept
{
	add_comment(script, "INDEX", name, RelationRelationId, index);
	add_extensions(script, "INDEX", name, RelationRelationId, index);
}

const char *
definition_with(const char *create, const Dependent &dependent, const Mapping &mapping) noexcept
{
	const char *const name = quote_qualified_identifier(dependent.schema, dependent.name);
	StringInfoData script;
	ListCell *cell;

	initStringInfo(&script);
	appendStringInfoString(&script, create);
	foreach (cell, index_targets(dependent.object, mapping, name, InvalidOid))
		appendStringInfo(&script, ";\n%s", static_cast<const char *>(lfirst(cell)));
	add_settings(&script, dependent.object, name);
	if (is_clustered(dependent.object))
		appendStringInfo(&script, ";\nALTER TABLE %s CLUSTER ON %s", qualified_name(dependent.relation),
						 quote_identifier(dependent.name));
	return script.data;
}

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	const List *const tree = index_tree(dependent.object);
	Verdict verdict;
	ListCell *cell;

	dependent.definition = definition_with(pg_get_indexdef_string(dependent.object), dependent, Mapping{NIL, NIL});
	foreach (cell, tree)
	{
		check_constraints(lfirst_oid(cell), verdict);
		check_rights(lfirst_oid(cell), verdict);
	}
	if (!get_index_isvalid(dependent.object))
		verdict.note("it is invalid, its twin will not be");
	const IndexWords words = {.name = quote_identifier(dependent.name), .anywhere = true};
	const char *const create = index_text(dependent.object, scope.final, words, verdict);
	verdict.give(dependent, verdict.refusal != nullptr ? nullptr : definition_with(create, dependent, scope.final));
}

// ---- The twin --------------------------------------------------------------------

// Those that hold nothing themselves, whose targets are those of later partitions.  SHARE on the partitioned
// tables, for some ms.
void
build_partitioned(Scope &scope, Oid original) noexcept
{
	const char *const name = name_of_twin(original);
	Verdict verdict;
	ListCell *cell;

	if (get_rel_relkind(original) != RELKIND_PARTITIONED_INDEX)
		return;
	if (!OidIsValid(find_index_twin(original)))
	{
		run_sql("SELECT set_config('default_tablespace', '', true)");
		run_sql("%s", index_text(original, scope.mapping, {.name = name, .only = true}, verdict));
	}
	const Oid twin = find_index_twin(original);
	foreach (cell, index_targets(original, scope.mapping, qualified_name(twin), twin))
		run_sql("%s", static_cast<const char *>(lfirst(cell)));
	foreach (cell, find_inheritance_children(original, NoLock))
		build_partitioned(scope, lfirst_oid(cell));
}

void
build(Scope &scope, const Dependent &dependent) noexcept
{
	Verdict verdict;

	if (scope.rehearsal)
		run_sql("%s", index_text(dependent.object, scope.mapping, {.name = name_in(scope, dependent.object)}, verdict));
	else
		build_partitioned(scope, dependent.object);
}

Oid
twin_for_swap(Oid original) noexcept
{
	const Oid twin = find_index_twin(original);

	if (!OidIsValid(twin))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("index %s has no twin yet", qualified_name(original))));
	return twin;
}

void
attach_partitions(Oid original) noexcept
{
	const Oid twin = twin_for_swap(original);
	ListCell *cell;

	foreach (cell, find_inheritance_children(original, NoLock))
	{
		const Oid member = twin_for_swap(lfirst_oid(cell));
		attach_partitions(lfirst_oid(cell));
		if (!get_rel_relispartition(member))
			run_sql("ALTER INDEX %s ATTACH PARTITION %s", qualified_name(twin), qualified_name(member));
	}
	if (get_index_isvalid(original) && !get_index_isvalid(twin))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the twin of index %s is not valid", qualified_name(original))));
}

// The heir gets the name of the one that held it, and is what the table is clustered by.
void
exchange(Oid holder, const char *later_name, Oid heir) noexcept
{
	const char *const name = quote_identifier(get_rel_name(holder));
	const bool clustered = is_clustered(holder);

	run_sql("ALTER INDEX %s RENAME TO %s", qualified_name(holder), later_name);
	run_sql("ALTER INDEX %s RENAME TO %s", qualified_name(heir), name);
	if (clustered)
		run_sql("ALTER TABLE %s CLUSTER ON %s", qualified_name(IndexGetRelation(heir, false)), name);
}

void
swap(Scope &, const Dependent &dependent) noexcept
{
	ListCell *cell;

	attach_partitions(dependent.object);
	const List *const twins = index_tree(find_index_twin(dependent.object));
	foreach (cell, index_tree(dependent.object))
	{
		const Oid original = lfirst_oid(cell);
		const Oid twin = index_beside(twins, original);
		StringInfoData settings;
		exchange(original, name_of_original(original), twin);
		initStringInfo(&settings);
		add_settings(&settings, original, qualified_name(twin));
		run_script(settings);
	}
}

void
undo(Scope &, const Dependent &dependent) noexcept
{
	const Oid twin = get_relname_relid(dependent.name, get_namespace_oid(dependent.schema, false));
	const List *const twins = OidIsValid(twin) ? index_tree(twin) : NIL;
	ListCell *cell;

	foreach (cell, index_tree(dependent.object))
		if (const Oid holder = index_beside(twins, lfirst_oid(cell)); OidIsValid(holder))
			exchange(holder, name_of_twin(lfirst_oid(cell)), lfirst_oid(cell));
}

// ---- The end of one of them ------------------------------------------------------

void
drop(const char *schema, const char *name) noexcept
{
	if (OidIsValid(get_relname_relid(name, get_namespace_oid(schema, true))))
		run_sql("DROP INDEX %s", quote_qualified_identifier(schema, name));
}

// Of partitions whose index is gone, and its name with it, the twin is there all the same.
void
drop_orphans(const Target &target) noexcept
{
	ListCell *table_cell, *index_cell;

	foreach (table_cell, find_tables(target))
	{
		const Relation table = table_open(lfirst_oid(table_cell), NoLock);
		List *const indexes = RelationGetIndexList(table);
		table_close(table, NoLock);
		foreach (index_cell, indexes)
		{
			const char *const name = get_rel_name(lfirst_oid(index_cell));
			Oid original;
			if (name != nullptr && std::sscanf(name, "remedy_json_%u", &original) == 1 &&
				strcmp(name, name_of_twin(original)) == 0 && get_rel_relkind(original) == '\0' &&
				!get_rel_relispartition(lfirst_oid(index_cell)))
				run_sql("DROP INDEX %s", qualified_name(lfirst_oid(index_cell)));
		}
	}
}

void
finish(Scope &, const Dependent &dependent) noexcept
{
	drop(dependent.schema, name_of_original(dependent.object));
}

void
abandon(Scope &scope, const Dependent &dependent) noexcept
{
	ListCell *cell;

	drop(dependent.schema, name_of_twin(dependent.object));
	if (get_rel_relkind(dependent.object) == '\0')
		drop_orphans(*scope.target);
	else
		foreach (cell, index_tree(dependent.object))
			drop(get_namespace_name(get_rel_namespace(lfirst_oid(cell))), name_of_twin(lfirst_oid(cell)));
}

} // namespace

extern const Carrier index = {"index", describe, build, nullptr, swap, undo, finish, abandon};

} // namespace remedy::jsonb_migration

// Views and materialised views.  The twin is made of the same query, rewritten, and gets all that the
// original has; the swap exchanges their names.
//
// A materialised view's twin is filled before the swap, by its owner, as REFRESH does.

#include <new>

#include "jsonb_migration/index_text.hpp"
#include "jsonb_migration/view_settings.hpp"
#include "server/commands.hpp"
#include "server/versions.hpp"

extern "C" {
#include "storage/lmgr.h"
#include "utils/ruleutils.h"
}

namespace remedy::jsonb_migration {

namespace {

bool
is_materialised(const Dependent &dependent) noexcept
{
	return dependent.carrier == &materialised_view;
}

const char *
kind_of(const Dependent &dependent) noexcept
{
	return is_materialised(dependent) ? "MATERIALIZED VIEW" : "VIEW";
}

const char *
quoted(const Dependent &dependent, const char *name) noexcept
{
	return quote_qualified_identifier(dependent.schema, name);
}

Oid
owner_of(Oid view) noexcept
{
	const Relation relation = table_open(view, AccessShareLock);
	const Oid owner = relation->rd_rel->relowner;

	table_close(relation, NoLock);
	return owner;
}

// ---- What it is made of ----------------------------------------------------------

// Its columns may have been renamed since.
const char *
columns_of_view(Oid view) noexcept
{
	const Relation relation = table_open(view, AccessShareLock);
	const TupleDesc descriptor = RelationGetDescr(relation);
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < descriptor->natts; ++i)
		appendStringInfo(&columns, "%s%s", i == 0 ? " (" : ", ",
						 quote_identifier(NameStr(TupleDescAttr(descriptor, i)->attname)));
	if (descriptor->natts > 0)
		appendStringInfoChar(&columns, ')');
	table_close(relation, NoLock);
	return columns.data;
}

List *
indexes_of(Oid view) noexcept
{
	const Relation relation = table_open(view, AccessShareLock);
	List *const indexes = RelationGetIndexList(relation);

	table_close(relation, NoLock);
	return indexes;
}

bool
is_populated(Oid view) noexcept
{
	const Relation relation = table_open(view, AccessShareLock);
	const bool populated = RelationIsPopulated(relation);

	table_close(relation, NoLock);
	return populated;
}

// ---- Making one ------------------------------------------------------------------

const char *
creation(const Dependent &dependent, Query *query, const char *name) noexcept
{
	return psprintf("CREATE %s %s%s%s AS\n%s%s", kind_of(dependent), name, columns_of_view(dependent.object),
					creation_options(dependent.object), print_query(query),
					is_materialised(dependent) ? "\nWITH NO DATA" : "");
}

const char *
new_owner(const Dependent &dependent, const char *name) noexcept
{
	return psprintf("ALTER %s %s OWNER TO %s", kind_of(dependent), name,
					quote_identifier(GetUserNameFromId(owner_of(dependent.object), false)));
}

void
append(StringInfo script, const List *commands) noexcept
{
	ListCell *cell;

	foreach (cell, commands)
		appendStringInfo(script, ";\n%s", static_cast<const char *>(lfirst(cell)));
}

void
append_indexes(StringInfo script, const Dependent &dependent, const Mapping &mapping, const Scope *twin,
			   Verdict &verdict) noexcept
{
	ListCell *cell;

	foreach (cell, indexes_of(dependent.object))
	{
		const Oid original = lfirst_oid(cell);
		const char *const name = twin == nullptr ? get_rel_name(original) : name_in(*twin, original);
		const char *const qualified = quoted(dependent, name);
		appendStringInfo(
			script, ";\n%s",
			index_text(original, mapping, {.name = quote_identifier(name), .anywhere = twin == nullptr}, verdict));
		append(script, index_targets(original, mapping, qualified, InvalidOid));
		add_comment(script, "INDEX", qualified, RelationRelationId, original);
		if (get_index_isclustered(original))
			appendStringInfo(script, ";\nALTER MATERIALIZED VIEW %s CLUSTER ON %s",
							 twin_table(mapping, dependent.object), quote_identifier(name));
	}
}

// As people see it, and as it would be made anew.
const char *
definition_with(const Dependent &dependent, Query *query, const Mapping &mapping, Verdict &verdict) noexcept
{
	const char *const name = quoted(dependent, dependent.name);
	StringInfoData script;

	initStringInfo(&script);
	appendStringInfoString(&script, creation(dependent, query, name));
	appendStringInfo(&script, ";\n%s", new_owner(dependent, name));
	append(&script, settings_of_view(dependent.object, name, name));
	if (is_materialised(dependent))
		append_indexes(&script, dependent, mapping, nullptr, verdict);
	if (is_materialised(dependent) && is_populated(dependent.object))
		appendStringInfo(&script, ";\nREFRESH MATERIALIZED VIEW %s", name);
	return script.data;
}

// From now on the view is the twin, and these columns of it are jsonb.
void
stand_for(Mapping &mapping, Oid original, Oid twin, const Bitmapset *columns) noexcept
{
	int column = -1;
	ListCell *cell;

	foreach (cell, mapping.relations)
		if (static_cast<const MappedRelation *>(lfirst(cell))->relation == original)
			return;
	mapping.relations = lappend(mapping.relations, new (palloc(sizeof(MappedRelation))) MappedRelation{original, twin});
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		const AttrNumber number = static_cast<AttrNumber>(column);
		mapping.columns =
			lappend(mapping.columns, new (palloc(sizeof(MappedColumn))) MappedColumn{original, number, number});
	}
}

// ---- The carrier -----------------------------------------------------------------

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	Query *const query = query_of_view(dependent.object);
	const Rewritten rewritten = rewrite(reinterpret_cast<Node *>(query), scope.final);
	const char *const obstacle = why_not_carried(dependent.object);
	Verdict verdict, of_original;

	if (obstacle != nullptr)
		verdict.refuse(obstacle);
	if (!server::may_become(owner_of(dependent.object)))
		verdict.refuse("you are not a member of the role that owns it");
	if (is_materialised(dependent) && is_populated(dependent.object))
		verdict.note("it is filled anew while the indexes are built: refresh it after the swap if it was refreshed "
					 "since then");
	verdict.note(rewritten);
	dependent.definition = definition_with(dependent, query, Mapping{NIL, NIL}, of_original);
	dependent.lock = psprintf("ACCESS EXCLUSIVE on %s", quoted(dependent, dependent.name));
	stand_for(scope.final, dependent.object, dependent.object, rewritten.columns);
	verdict.give(dependent,
				 verdict.refusal != nullptr
					 ? nullptr
					 : definition_with(dependent, reinterpret_cast<Query *>(rewritten.tree), scope.final, verdict));
}

Oid
find_relation(const Dependent &dependent, const char *name) noexcept
{
	return get_relname_relid(name, get_namespace_oid(dependent.schema, false));
}

// Others may create in the schema, too, and what has the name would take the view's place.
Oid
find_twin(const Dependent &dependent, const char *name) noexcept
{
	const Oid twin = find_relation(dependent, name);

	if (!OidIsValid(twin))
		return twin;
	LockRelationOid(twin, AccessShareLock);
	if (get_rel_relkind(twin) != (is_materialised(dependent) ? RELKIND_MATVIEW : RELKIND_VIEW) ||
		owner_of(twin) != owner_of(dependent.object))
		ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
						errmsg("relation %s is not the one that the migration makes", quoted(dependent, name)),
						errhint("Rename it or drop it, and CALL this again.")));
	return twin;
}

void
fill_and_index(const Scope &scope, const Dependent &dependent, const char *name) noexcept
{
	Verdict verdict;
	StringInfoData script;

	initStringInfo(&script);
	appendStringInfoString(&script, "SELECT pg_catalog.set_config('default_tablespace', '', true)");
	if (is_populated(dependent.object) && !scope.rehearsal)
		appendStringInfo(&script, ";\nREFRESH MATERIALIZED VIEW %s", name);
	append_indexes(&script, dependent, scope.mapping, &scope, verdict);
	if (is_populated(dependent.object) && !scope.rehearsal)
		appendStringInfo(&script, ";\nANALYZE %s", name);
	run_sql("%s", script.data);
}

void
build(Scope &scope, const Dependent &dependent) noexcept
{
	Query *const query = query_of_view(dependent.object);
	const Rewritten rewritten = rewrite(reinterpret_cast<Node *>(query), scope.mapping);
	const char *const plain_name = name_in(scope, dependent.object);
	const char *const name = quoted(dependent, plain_name);
	const Oid before = find_twin(dependent, plain_name);
	StringInfoData script;

	if (OidIsValid(before))
	{
		stand_for(scope.mapping, dependent.object, before, rewritten.columns);
		return;
	}
	if (rewritten.refusal != nullptr)
		elog(ERROR, "%s cannot be rewritten: %s", dependent.identity, rewritten.refusal);
	run_sql("SELECT pg_catalog.set_config('default_tablespace', '', true);\n%s;\n%s",
			creation(dependent, reinterpret_cast<Query *>(rewritten.tree), name), new_owner(dependent, name));
	const Oid twin = find_relation(dependent, plain_name);
	stand_for(scope.mapping, dependent.object, twin, rewritten.columns);
	initStringInfo(&script);
	append(&script, revocations(twin, name));
	append(&script, settings_of_view(dependent.object, quoted(dependent, dependent.name), name));
	run_script(script);
	if (is_materialised(dependent))
		fill_and_index(scope, dependent, name);
}

void
rename(const Dependent &dependent, const char *kind, const char *name, const char *new_name) noexcept
{
	run_sql("ALTER %s %s RENAME TO %s", kind, quoted(dependent, name), quote_identifier(new_name));
}

// Two objects of one kind: the first one's name goes to the second, and the first gets another.
void
exchange(const Dependent &dependent, const char *kind, const char *first, const char *first_later,
		 const char *second) noexcept
{
	rename(dependent, kind, first, first_later);
	rename(dependent, kind, second, first);
}

void
swap(Scope &, const Dependent &dependent) noexcept
{
	const char *const original = name_of_original(dependent.object);
	ListCell *cell;

	if (strcmp(get_rel_name(dependent.object), original) == 0)
		return;
	find_twin(dependent, name_of_twin(dependent.object));
	foreach (cell, indexes_of(dependent.object))
		exchange(dependent, "INDEX", get_rel_name(lfirst_oid(cell)), name_of_original(lfirst_oid(cell)),
				 name_of_twin(lfirst_oid(cell)));
	exchange(dependent, kind_of(dependent), dependent.name, original, name_of_twin(dependent.object));
}

// The twin's indexes were made in the order of the original's, whose names they have.
void
undo_indexes(const Dependent &dependent) noexcept
{
	const List *const twins = indexes_of(find_relation(dependent, dependent.name));
	ListCell *original, *twin;

	forboth(original, indexes_of(dependent.object), twin, twins)
		exchange(dependent, "INDEX", get_rel_name(lfirst_oid(twin)), name_of_twin(lfirst_oid(original)),
				 name_of_original(lfirst_oid(original)));
}

void
undo(Scope &, const Dependent &dependent) noexcept
{
	const char *const original = name_of_original(dependent.object);

	if (strcmp(get_rel_name(dependent.object), original) != 0)
		return;
	undo_indexes(dependent);
	exchange(dependent, kind_of(dependent), dependent.name, name_of_twin(dependent.object), original);
}

void
drop_relation(const Dependent &dependent, const char *name) noexcept
{
	if (OidIsValid(find_relation(dependent, name)))
		run_sql("DROP %s %s RESTRICT", kind_of(dependent), quoted(dependent, name));
}

void
finish(Scope &, const Dependent &dependent) noexcept
{
	drop_relation(dependent, name_of_original(dependent.object));
}

void
abandon(Scope &, const Dependent &dependent) noexcept
{
	drop_relation(dependent, name_of_twin(dependent.object));
}

} // namespace

const Carrier view = {"view", describe, build, nullptr, swap, undo, finish, abandon};
const Carrier materialised_view = {"materialised view", describe, build, nullptr, swap, undo, finish, abandon};

} // namespace remedy::jsonb_migration

// Publications.  One whose list of columns or filter of rows names the column gets the table
// anew in the swap, with the same list and the rewritten filter: its subscribers see one
// change of a column's type, and neither the shadow nor the old column.
//
// One that names no columns publishes all there are.  Its subscribers stop at the first change
// once there are more columns than they have.

#include "jsonb_migration/carrying.hpp"

#include "server/commands.hpp"

extern "C" {
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
}

namespace remedy::jsonb_migration {

namespace {

Oid
owner_of(Oid publication) noexcept
{
	const HeapTuple tuple = SearchSysCache1(PUBLICATIONOID, ObjectIdGetDatum(publication));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for publication %u", publication);
	const Oid owner = reinterpret_cast<Form_pg_publication>(GETSTRUCT(tuple))->pubowner;
	ReleaseSysCache(tuple);
	return owner;
}

// ---- With names of columns -------------------------------------------------------

void
add_columns(StringInfo command, HeapTuple tuple, const Mapping &mapping) noexcept
{
	bool is_null;
	const Datum value = SysCacheGetAttr(PUBLICATIONREL, tuple, Anum_pg_publication_rel_prattrs, &is_null);
	const Oid table = reinterpret_cast<Form_pg_publication_rel>(GETSTRUCT(tuple))->prrelid;

	if (is_null)
		return;
	const auto *const columns = reinterpret_cast<const int2vector *>(DatumGetPointer(value));
	for (int i = 0; i < columns->dim1; ++i)
		appendStringInfo(command, "%s%s", i == 0 ? " (" : ", ", twin_column(mapping, table, columns->values[i]));
	appendStringInfoChar(command, ')');
}

const char *
add_command(HeapTuple tuple, const Mapping &mapping, Verdict &verdict) noexcept
{
	const auto *const form = reinterpret_cast<Form_pg_publication_rel>(GETSTRUCT(tuple));
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "ALTER PUBLICATION %s ADD TABLE ONLY %s",
					 quote_identifier(get_publication_name(form->prpubid, false)), twin_table(mapping, form->prrelid));
	add_columns(&command, tuple, mapping);
	if (Node *const filter = stored_tree(PUBLICATIONREL, tuple, Anum_pg_publication_rel_prqual))
		appendStringInfo(&command, " WHERE (%s)", rewritten_text(filter, form->prrelid, mapping, verdict));
	return command.data;
}

HeapTuple
find(const Dependent &dependent) noexcept
{
	const HeapTuple tuple = SearchSysCache1(PUBLICATIONREL, ObjectIdGetDatum(dependent.object));

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("%s does not exist any more", dependent.identity)));
	return tuple;
}

void
describe_named(Scope &scope, Dependent &dependent) noexcept
{
	const HeapTuple tuple = find(dependent);
	const Oid publication = reinterpret_cast<Form_pg_publication_rel>(GETSTRUCT(tuple))->prpubid;
	Verdict verdict, nothing;

	dependent.definition = add_command(tuple, Mapping{NIL, NIL}, nothing);
	if (!has_privs_of_role(GetUserId(), owner_of(publication)))
		verdict.refuse(psprintf("publication %s is owned by %s, who can put the table into it anew",
								quote_identifier(get_publication_name(publication, false)),
								quote_identifier(GetUserNameFromId(owner_of(publication), false))));
	verdict.note("subscribers get jsonb where they got json; over the protocol's text format both are alike, not in "
				 "the binary one");
	verdict.give(dependent, add_command(tuple, scope.final, verdict));
	ReleaseSysCache(tuple);
}

// ---- Without ---------------------------------------------------------------------

bool
names_columns(Oid publication, Oid table) noexcept
{
	const HeapTuple tuple = SearchSysCache2(PUBLICATIONRELMAP, ObjectIdGetDatum(table), ObjectIdGetDatum(publication));
	bool is_null = true;

	if (!HeapTupleIsValid(tuple))
		return false;
	SysCacheGetAttr(PUBLICATIONRELMAP, tuple, Anum_pg_publication_rel_prattrs, &is_null);
	ReleaseSysCache(tuple);
	return !is_null;
}

List *
publications_of_all_columns(Oid table) noexcept
{
	List *found =
		list_concat_unique_oid(list_copy(GetSchemaPublications(get_rel_namespace(table))), GetAllTablesPublications());
	ListCell *cell;

	foreach (cell, GetRelationPublications(table))
		if (!names_columns(lfirst_oid(cell), table))
			found = list_append_unique_oid(found, lfirst_oid(cell));
	return found;
}

void
describe_unnamed(Scope &scope, Dependent &dependent) noexcept
{
	const char *const columns =
		psprintf("%s and %s", quote_identifier(scope.target->shadow), quote_identifier(scope.target->old));

	dependent.definition = psprintf("publication %s of all columns", quote_identifier(dependent.name));
	if (scope.subscribers_ready)
		dependent.remark = psprintf("subscribers get the columns %s as well", columns);
	else
		dependent.refusal = psprintf("its subscribers would stop for want of the columns %s; name the columns in the "
									 "publication, or add these two (jsonb and json) to the tables of all "
									 "subscribers and say subscribers_ready => true",
									 columns);
	dependent.new_definition = scope.subscribers_ready ? dependent.definition : nullptr;
}

// ---- The carrier -----------------------------------------------------------------

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	OidIsValid(dependent.object) ? describe_named(scope, dependent) : describe_unnamed(scope, dependent);
}

// A copy that is temporary cannot be published.
void
build(Scope &scope, const Dependent &dependent) noexcept
{
	Verdict verdict;

	if (!scope.rehearsal || !OidIsValid(dependent.object) ||
		get_rel_persistence(twin_of(scope.mapping, dependent.relation)) != RELPERSISTENCE_PERMANENT)
		return;
	const HeapTuple tuple = find(dependent);
	run_sql("%s", add_command(tuple, scope.mapping, verdict));
	ReleaseSysCache(tuple);
}

void
publish_again(const Dependent &dependent, const char *definition) noexcept
{
	if (!OidIsValid(dependent.object))
		return;
	run_sql("ALTER PUBLICATION %s DROP TABLE ONLY %s", quote_identifier(dependent.name),
			qualified_name(dependent.relation));
	run_sql("%s", definition);
}

void
swap(Scope &, const Dependent &dependent) noexcept
{
	publish_again(dependent, dependent.new_definition);
}

void
undo(Scope &, const Dependent &dependent) noexcept
{
	publish_again(dependent, dependent.definition);
}

} // namespace

List *
find_publications(const Target &target) noexcept
{
	List *found = NIL;
	List *seen = NIL;
	ListCell *table, *cell;

	foreach (table, find_tables(target))
		foreach (cell, publications_of_all_columns(lfirst_oid(table)))
		{
			if (list_member_oid(seen, lfirst_oid(cell)))
				continue;
			seen = lappend_oid(seen, lfirst_oid(cell));
			auto *const dependent = static_cast<Dependent *>(palloc0(sizeof(Dependent)));
			dependent->carrier = &publication;
			dependent->relation = lfirst_oid(table);
			dependent->name = get_publication_name(lfirst_oid(cell), false);
			dependent->identity = psprintf("publication %s", quote_identifier(dependent->name));
			found = lappend(found, dependent);
		}
	return found;
}

extern const Carrier publication = {"publication", describe, build, nullptr, swap, undo, nullptr, nullptr};

} // namespace remedy::jsonb_migration

// Dependents, as they are kept with their migration.

#include "server/keeper.hpp"
#include "jsonb_migration/state.hpp"

#include <new>

namespace remedy::jsonb_migration {

namespace {

const Carrier *const carriers[] = {
	&column_default,    &check,    &index,  &statistics, &trigger,  &publication, &generated_column, &view,
	&materialised_view, &function, &policy, &rule,       &uncarried};

const Carrier *
carrier_of(const char *kind) noexcept
{
	for (const Carrier *const carrier : carriers)
		if (strcmp(carrier->kind, kind) == 0)
			return carrier;
	elog(ERROR, "unknown kind of dependent \"%s\"", kind);
	pg_unreachable();
}

bool
equal(const char *a, const char *b) noexcept
{
	return a == nullptr || b == nullptr ? a == b : strcmp(a, b) == 0;
}

// Twins are named after the object.  What is altered in place may be another one by now, as a
// default is that was swapped back.
bool
has_twin(const Dependent &dependent) noexcept
{
	return dependent.carrier->finish != nullptr;
}

bool
is_in(const Dependent &dependent, const List *others) noexcept
{
	ListCell *cell;

	foreach (cell, others)
	{
		const Dependent &other = *static_cast<const Dependent *>(lfirst(cell));
		if (other.carrier == dependent.carrier && (other.object == dependent.object || !has_twin(dependent)) &&
			other.relation == dependent.relation && equal(other.identity, dependent.identity) &&
			equal(other.definition, dependent.definition) && equal(other.new_definition, dependent.new_definition))
			return true;
	}
	return false;
}

} // namespace

void
keep_dependents(int64 migration, const List *dependents) noexcept
{
	int64 number = 0;
	ListCell *cell;

	keep("DELETE FROM remedy.json_migration_object WHERE migration = $1", {migration});
	foreach (cell, dependents)
	{
		const Dependent &dependent = *static_cast<const Dependent *>(lfirst(cell));
		keep("INSERT INTO remedy.json_migration_object (migration, number, kind, object, relation, schema, name, "
			 "identity, definition, new_definition, lock, relation_name) "
			 "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			 {migration, ++number, dependent.carrier->kind, dependent.object, dependent.relation, dependent.schema,
			  dependent.name, dependent.identity, dependent.definition, dependent.new_definition, dependent.lock,
			  OidIsValid(dependent.relation) ? qualified_name(dependent.relation) : nullptr});
	}
}

List *
kept_dependents(int64 migration) noexcept
{
	List *dependents = NIL;

	keep("SELECT kind, object, relation, schema, name, identity, definition, new_definition, lock "
		 "FROM remedy.json_migration_object WHERE migration = $1 ORDER BY number",
		 {migration}, [&](const Row &row) noexcept {
			 const Dependent dependent = {carrier_of(row.text(1)),
										  row.oid(2),
										  row.oid(3),
										  row.text(4),
										  row.text(5),
										  row.text(6),
										  row.text(7),
										  row.text(8),
										  row.text(9),
										  nullptr,
										  nullptr};
			 dependents = lappend(dependents, new (palloc(sizeof(Dependent))) Dependent(dependent));
		 });
	return dependents;
}

void
check_names(int64 migration) noexcept
{
	keep("SELECT kind, relation, relation_name, identity FROM remedy.json_migration_object "
		 "WHERE migration = $1 AND relation_name IS NOT NULL",
		 {migration}, [](const Row &row) noexcept {
			 const Oid relation = row.oid(2);
			 if (carrier_of(row.text(1))->finish != nullptr || get_rel_name(relation) == nullptr ||
				 strcmp(row.text(3), qualified_name(relation)) == 0)
				 return;
			 ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
							 errmsg("%s cannot be restored: %s is now called %s", row.text(4), row.text(3),
									qualified_name(relation)),
							 errhint("Rename it back for as long as the call takes.")));
		 });
}

bool
are_same(const List *kept, const List *found) noexcept
{
	ListCell *cell;

	if (list_length(kept) != list_length(found))
		return false;
	foreach (cell, found)
		if (!is_in(*static_cast<const Dependent *>(lfirst(cell)), kept))
			return false;
	return true;
}

} // namespace remedy::jsonb_migration

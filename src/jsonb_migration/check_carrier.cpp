// Checks.  The twin is a check of the shadow, NOT VALID at first; the original goes on checking
// the old column until the migration is finished, so that undo finds nothing that it would refuse.
//
// A parent's check goes to its partitions and children by itself, and so does its new name.

#include "jsonb_migration/carrying.hpp"
#include "server/commands.hpp"
#include "server/versions.hpp"

extern "C" {
#include "utils/ruleutils.h"
}

namespace remedy::jsonb_migration {

namespace {

Form_pg_constraint
form_of(HeapTuple tuple) noexcept
{
	return reinterpret_cast<Form_pg_constraint>(GETSTRUCT(tuple));
}

HeapTuple
find(const Dependent &dependent) noexcept
{
	const HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(dependent.object));

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("%s does not exist any more", dependent.identity)));
	return tuple;
}

const char *
add_command(HeapTuple tuple, const char *name, const Mapping &mapping, bool is_twin, Verdict &verdict) noexcept
{
	const Form_pg_constraint form = form_of(tuple);
	Node *const condition = stored_tree(CONSTROID, tuple, Anum_pg_constraint_conbin);
	const bool enforced = server::is_enforced(form);
	StringInfoData script;

	initStringInfo(&script);
	appendStringInfo(&script, "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s)%s%s", twin_table(mapping, form->conrelid),
					 name, rewritten_text(condition, form->conrelid, mapping, verdict),
					 form->connoinherit ? " NO INHERIT" : "",
					 !enforced                        ? " NOT ENFORCED"
					 : is_twin || !form->convalidated ? " NOT VALID"
													  : "");
	add_comment(&script, "CONSTRAINT", psprintf("%s ON %s", name, twin_table(mapping, form->conrelid)),
				ConstraintRelationId, form->oid);
	return script.data;
}

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	const HeapTuple tuple = find(dependent);
	StringInfoData definition;
	Verdict verdict;

	initStringInfo(&definition);
	appendStringInfoString(&definition, pg_get_constraintdef_command(dependent.object));
	add_comment(&definition, "CONSTRAINT",
				psprintf("%s ON %s", quote_identifier(dependent.name), qualified_name(dependent.relation)),
				ConstraintRelationId, dependent.object);
	dependent.definition = definition.data;
	if (form_of(tuple)->contype == CONSTRAINT_CHECK)
		verdict.give(dependent, add_command(tuple, quote_identifier(dependent.name), scope.final, false, verdict));
	else
		dependent.refusal = "a key or an exclusion constraint has the column in its index; drop it, and add it again "
							"after the migration";
	ReleaseSysCache(tuple);
}

void
build(Scope &scope, const Dependent &dependent) noexcept
{
	const Oid table = twin_of(scope.mapping, dependent.relation);
	Verdict verdict;

	if (OidIsValid(get_relation_constraint_oid(table, name_of_twin(dependent.object), true)))
		return;
	const HeapTuple tuple = find(dependent);
	run_sql("%s", add_command(tuple, name_of_twin(dependent.object), scope.mapping, true, verdict));
	ReleaseSysCache(tuple);
}

Oid
owner_of(Oid table) noexcept
{
	const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", table);
	const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

// The check may call its owner's functions: not with the rights of somebody else, who migrates.
void
validate(Scope &scope, const Dependent &dependent) noexcept
{
	const HeapTuple tuple = find(dependent);
	const bool wanted = form_of(tuple)->convalidated && server::is_enforced(form_of(tuple));

	ReleaseSysCache(tuple);
	if (wanted)
		run_as(owner_of(dependent.relation),
			   psprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", twin_table(scope.mapping, dependent.relation),
						name_of_twin(dependent.object)));
}

void
rename(const Dependent &dependent, const char *from, const char *to) noexcept
{
	run_sql("ALTER TABLE %s RENAME CONSTRAINT %s TO %s", qualified_name(dependent.relation), from, to);
}

void
swap(Scope &, const Dependent &dependent) noexcept
{
	const char *const name = quote_identifier(dependent.name);

	rename(dependent, name, name_of_original(dependent.object));
	rename(dependent, name_of_twin(dependent.object), name);
}

void
undo(Scope &, const Dependent &dependent) noexcept
{
	const char *const name = quote_identifier(dependent.name);

	rename(dependent, name, name_of_twin(dependent.object));
	rename(dependent, name_of_original(dependent.object), name);
}

void
drop(const Dependent &dependent, const char *name) noexcept
{
	if (get_rel_name(dependent.relation) != nullptr &&
		OidIsValid(get_relation_constraint_oid(dependent.relation, name, true)))
		run_sql("ALTER TABLE %s DROP CONSTRAINT %s", qualified_name(dependent.relation), name);
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

extern const Carrier check = {"check", describe, build, validate, swap, undo, finish, abandon};

} // namespace remedy::jsonb_migration

// What forbids a migration though it does not hang on the column itself.

#include "jsonb_migration/collecting.hpp"
#include "server/guard.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_subscription.h"
#include "catalog/pg_subscription_rel.h"
#include "catalog/pg_trigger.h"
}

namespace remedy::jsonb_migration {

namespace {

Dependent *
refused_relation(Oid relation, AttrNumber column, const char *refusal) noexcept
{
	return refused({RelationRelationId, relation, column}, relation, refusal);
}

// ---- Row types -------------------------------------------------------------------

bool
is_parsed(Oid function) noexcept
{
	const HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool no_body = true;

	if (HeapTupleIsValid(tuple))
	{
		SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &no_body);
		ReleaseSysCache(tuple);
	}
	return !no_body;
}

// A view's twin has a row type of its own; a table keeps its one, of which a parsed body knows how many
// columns it returned.
const char *
why_not_with(const ObjectAddress &user, Oid type, bool of_view) noexcept
{
	switch (user.classId)
	{
	case RelationRelationId:
		return get_rel_relkind(user.objectId) == RELKIND_VIEW ? nullptr
			   : user.objectSubId != 0                        ? "it stores rows of this type, with json in them"
															  : "it makes rows of this type column by column";
	case TypeRelationId:
		return get_element_type(user.objectId) == type ? nullptr : "it is made of rows of this type";
	case ProcedureRelationId:
		if (of_view)
			return "it takes or returns rows of this type, which will be the old view's";
		return is_parsed(user.objectId) && get_func_rettype(user.objectId) == type
				   ? "its body returns rows of this type column by column"
				   : nullptr;
	case RewriteRelationId:
	case PolicyRelationId:
	case TriggerRelationId:
	case ConstraintRelationId:
		return "it makes rows of this type column by column";
	default:
		return of_view ? "it depends on rows of this type, which will be the old view's" : nullptr;
	}
}

void
add_users(List *&found, Oid relation, Oid type) noexcept
{
	const bool of_view = get_rel_relkind(relation) == RELKIND_VIEW || get_rel_relkind(relation) == RELKIND_MATVIEW;
	ListCell *cell;

	if (!OidIsValid(type))
		return;
	foreach (cell, referring_to(TypeRelationId, type, 0))
	{
		const auto &user = *static_cast<const ObjectAddress *>(lfirst(cell));
		if (const char *const refusal = why_not_with(user, type, of_view); refusal != nullptr)
			found =
				lappend(found, refused(user, InvalidOid, psprintf("%s: %s", format_type_be_qualified(type), refusal)));
	}
}

// ---- The tables themselves -------------------------------------------------------

void
check_names(List *&found, const Target &target, Oid table) noexcept
{
	for (const char *const name : {target.shadow, target.old})
		if (const AttrNumber taken = get_attnum(table, name); target.migration == 0 && taken != InvalidAttrNumber)
			found = lappend(found, refused_relation(table, taken,
													"the migration needs this name: abort or finish the one that uses "
													"it, or rename the column"));
}

// An update would fail, the application's as well.
void
check_replica_identity(List *&found, Oid table) noexcept
{
	const Relation relation = table_open(table, AccessShareLock);

	if (trial([relation]() noexcept { CheckCmdReplicaIdentity(relation, CMD_UPDATE); }) != 0)
		found = lappend(found, refused_relation(table, 0,
												"its updates are published, but it has no replica identity that allows "
												"it: filling the new column updates each row"));
	table_close(relation, AccessShareLock);
}

// Their publisher sends json in its binary form, which jsonb does not read.
void
check_subscriptions(List *&found, Oid table) noexcept
{
	const Relation states = table_open(SubscriptionRelRelationId, AccessShareLock);
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_subscription_rel_srrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	const SysScanDesc scan = systable_beginscan(states, InvalidOid, false, nullptr, 1, &key);
	while (const HeapTuple tuple = systable_getnext(scan))
	{
		const Oid subscription = reinterpret_cast<Form_pg_subscription_rel>(GETSTRUCT(tuple))->srsubid;
		const HeapTuple row = SearchSysCache1(SUBSCRIPTIONOID, ObjectIdGetDatum(subscription));
		if (!HeapTupleIsValid(row))
			continue;
		if (reinterpret_cast<Form_pg_subscription>(GETSTRUCT(row))->subbinary)
			found = lappend(found, refused({SubscriptionRelationId, subscription, 0}, InvalidOid,
										   "it gets the table's rows in binary form, json other than jsonb: "
										   "ALTER SUBSCRIPTION ... SET (binary = false) first"));
		ReleaseSysCache(row);
	}
	systable_endscan(scan);
	table_close(states, AccessShareLock);
}

bool
is_typed(Oid table) noexcept
{
	const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
	const bool typed = OidIsValid(reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reloftype);

	ReleaseSysCache(tuple);
	return typed;
}

void
check_table(List *&found, const Target &target, Oid table) noexcept
{
	found = list_concat(found, users_of_row_type(table));
	check_names(found, target, table);
	check_subscriptions(found, table);
	if (get_rel_relkind(table) == RELKIND_FOREIGN_TABLE)
		found = lappend(found, refused_relation(table, 0, "it is a foreign table: detach it first"));
	else
		check_replica_identity(found, table);
	if (is_typed(table))
		found = lappend(
			found, refused_relation(table, 0, "a typed table has its type's columns: ALTER TABLE ... NOT OF first"));
}

} // namespace

List *
users_of_row_type(Oid relation) noexcept
{
	const Oid type = get_rel_type_id(relation);
	List *found = NIL;

	add_users(found, relation, type);
	add_users(found, relation, get_array_type(type));
	return found;
}

List *
find_hazards(const Target &target) noexcept
{
	List *found = NIL;
	ListCell *cell;

	foreach (cell, find_tables(target))
		check_table(found, target, lfirst_oid(cell));
	return found;
}

// ---- Rights ----------------------------------------------------------------------

namespace {

Oid
schema_of(const Dependent &dependent) noexcept
{
	return get_namespace_oid(dependent.schema, false);
}

bool
is_owned(const Dependent &dependent) noexcept
{
	if (dependent.carrier == &function)
		return server::owns_function(dependent.object, GetUserId());
	if (dependent.carrier == &statistics)
		return server::owns_statistics(dependent.object, GetUserId());
	return !OidIsValid(dependent.relation) || server::owns_relation(dependent.relation, GetUserId());
}

// Whose twin is an object of its own.
bool
has_twin(const Dependent &dependent) noexcept
{
	return dependent.carrier == &view || dependent.carrier == &materialised_view || dependent.carrier == &index ||
		   dependent.carrier == &statistics;
}

Oid
catalog_of(const Dependent &dependent) noexcept
{
	return dependent.carrier == &statistics ? StatisticExtRelationId : RelationRelationId;
}

} // namespace

const char *
lacking_rights(const Dependent &dependent) noexcept
{
	if (!is_owned(dependent))
		return "you do not own it";
	if (!has_twin(dependent) && dependent.carrier != &function)
		return nullptr;
	if (!server::may_create_in_schema(schema_of(dependent)))
		return psprintf("you may not create in schema %s", quote_identifier(dependent.schema));
	if (has_twin(dependent) && OidIsValid(getExtensionOfObject(catalog_of(dependent), dependent.object)))
		return "it is a member of an extension, which its twin would not be";
	return nullptr;
}

} // namespace remedy::jsonb_migration

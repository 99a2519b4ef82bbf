// From pg_depend to dependents: their kinds and their names.

#include <new>

#include "jsonb_migration/collecting.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
}

namespace remedy::jsonb_migration {

namespace {

int
compare_addresses(const ListCell *a, const ListCell *b) noexcept
{
	const auto *left = static_cast<const ObjectAddress *>(lfirst(a));
	const auto *right = static_cast<const ObjectAddress *>(lfirst(b));

	if (left->objectId != right->objectId)
		return left->objectId < right->objectId ? -1 : 1;
	if (left->classId != right->classId)
		return left->classId < right->classId ? -1 : 1;
	return left->objectSubId - right->objectSubId;
}

bool
same_address(const ObjectAddress &a, const ObjectAddress &b) noexcept
{
	return a.classId == b.classId && a.objectId == b.objectId && a.objectSubId == b.objectSubId;
}

// ---- The row of an object in its catalog -----------------------------------------

// A copy; null if there is none.
template <class Row>
const Row *
read_row(Oid catalog, AttrNumber key_column, Oid index, Oid object) noexcept
{
	const Relation relation = table_open(catalog, AccessShareLock);
	ScanKeyData key;

	ScanKeyInit(&key, key_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	const SysScanDesc scan = systable_beginscan(relation, index, true, nullptr, 1, &key);
	const HeapTuple tuple = systable_getnext(scan);
	const HeapTuple copy = HeapTupleIsValid(tuple) ? heap_copytuple(tuple) : nullptr;
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return copy == nullptr ? nullptr : reinterpret_cast<const Row *>(GETSTRUCT(copy));
}

template <class Row>
const Row *
cached_row(int cache, Oid object) noexcept
{
	const HeapTuple tuple = SearchSysCacheCopy1(cache, ObjectIdGetDatum(object));

	return HeapTupleIsValid(tuple) ? reinterpret_cast<const Row *>(GETSTRUCT(tuple)) : nullptr;
}

Dependent *
make(const Carrier &carrier, Oid object, Oid relation, const char *name) noexcept
{
	return new (palloc(sizeof(Dependent))) Dependent{
		.carrier = &carrier,
		.object = object,
		.relation = relation,
		.schema = OidIsValid(relation) ? get_namespace_name(get_rel_namespace(relation)) : nullptr,
		.name = pstrdup(name),
	};
}

// ---- Each catalog ----------------------------------------------------------------

Dependent *
of_default(const ObjectAddress &address) noexcept
{
	const ObjectAddress column = GetAttrDefaultColumnAddress(address.objectId);
	const HeapTuple tuple =
		SearchSysCacheCopy2(ATTNUM, ObjectIdGetDatum(column.objectId), Int16GetDatum(column.objectSubId));

	if (!HeapTupleIsValid(tuple))
		return nullptr;
	const auto *attribute = reinterpret_cast<const FormData_pg_attribute *>(GETSTRUCT(tuple));
	return make(attribute->attgenerated == '\0' ? column_default : generated_column, address.objectId, column.objectId,
				NameStr(attribute->attname));
}

Dependent *
of_relation(const ObjectAddress &address) noexcept
{
	const char kind = get_rel_relkind(address.objectId);

	if (kind == RELKIND_TOASTVALUE)
		return nullptr;
	if (address.objectSubId != 0 || (kind != RELKIND_INDEX && kind != RELKIND_PARTITIONED_INDEX))
		return refused(address, address.objectId, "it cannot be carried over");
	return make(index, address.objectId, IndexGetRelation(address.objectId, false), get_rel_name(address.objectId));
}

Dependent *
of_constraint(const ObjectAddress &address) noexcept
{
	const auto *row = cached_row<FormData_pg_constraint>(CONSTROID, address.objectId);

	if (row == nullptr)
		return nullptr;
	switch (row->contype)
	{
	case CONSTRAINT_CHECK:
		return make(check, address.objectId, row->conrelid, NameStr(row->conname));
	case CONSTRAINT_PRIMARY:
	case CONSTRAINT_UNIQUE:
	case CONSTRAINT_EXCLUSION:
		return of_relation({RelationRelationId, row->conindid, 0});
	case 'n': // NOT NULL, which goes with the column
		return nullptr;
	default:
		return refused(address, row->conrelid, "a constraint of this kind cannot be carried over");
	}
}

Dependent *
of_rewrite(const ObjectAddress &address) noexcept
{
	const auto *row =
		read_row<FormData_pg_rewrite>(RewriteRelationId, Anum_pg_rewrite_oid, RewriteOidIndexId, address.objectId);

	if (row == nullptr)
		return nullptr;
	if (row->ev_type != '0' + CMD_SELECT)
		return make(rule, address.objectId, row->ev_class, NameStr(row->rulename));
	return make(get_rel_relkind(row->ev_class) == RELKIND_MATVIEW ? materialised_view : view, row->ev_class,
				row->ev_class, get_rel_name(row->ev_class));
}

Dependent *
of_policy(const ObjectAddress &address) noexcept
{
	const auto *row =
		read_row<FormData_pg_policy>(PolicyRelationId, Anum_pg_policy_oid, PolicyOidIndexId, address.objectId);

	return row == nullptr ? nullptr : make(policy, address.objectId, row->polrelid, NameStr(row->polname));
}

Dependent *
of_function(const ObjectAddress &address) noexcept
{
	const HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(address.objectId));
	bool no_body;

	if (!HeapTupleIsValid(tuple))
		return nullptr;
	SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &no_body);
	const auto *row = reinterpret_cast<const FormData_pg_proc *>(GETSTRUCT(tuple));
	Dependent *const dependent = no_body ? refused(address, InvalidOid, "its parameters depend on it")
										 : make(function, address.objectId, InvalidOid, NameStr(row->proname));
	dependent->schema = get_namespace_name(row->pronamespace);
	ReleaseSysCache(tuple);
	return dependent;
}

Dependent *
of_trigger(const ObjectAddress &address) noexcept
{
	const auto *row =
		read_row<FormData_pg_trigger>(TriggerRelationId, Anum_pg_trigger_oid, TriggerOidIndexId, address.objectId);

	return row == nullptr ? nullptr : make(trigger, address.objectId, row->tgrelid, NameStr(row->tgname));
}

Dependent *
of_statistics(const ObjectAddress &address) noexcept
{
	const auto *row = cached_row<FormData_pg_statistic_ext>(STATEXTOID, address.objectId);

	if (row == nullptr)
		return nullptr;
	Dependent *const dependent = make(statistics, address.objectId, row->stxrelid, NameStr(row->stxname));
	dependent->schema = get_namespace_name(row->stxnamespace);
	return dependent;
}

Dependent *
of_publication(const ObjectAddress &address) noexcept
{
	const auto *row = cached_row<FormData_pg_publication_rel>(PUBLICATIONREL, address.objectId);

	return row == nullptr
			   ? nullptr
			   : make(publication, address.objectId, row->prrelid, get_publication_name(row->prpubid, false));
}

Dependent *
unnamed_dependent_of(const ObjectAddress &address) noexcept
{
	switch (address.classId)
	{
	case AttrDefaultRelationId:
		return of_default(address);
	case RelationRelationId:
		return of_relation(address);
	case ConstraintRelationId:
		return of_constraint(address);
	case RewriteRelationId:
		return of_rewrite(address);
	case PolicyRelationId:
		return of_policy(address);
	case ProcedureRelationId:
		return of_function(address);
	case TriggerRelationId:
		return of_trigger(address);
	case StatisticExtRelationId:
		return of_statistics(address);
	case PublicationRelRelationId:
		return of_publication(address);
	case TypeRelationId: // a view's row type, whose users are looked for apart
		return nullptr;
	default:
		return refused(address, InvalidOid, "it cannot be carried over");
	}
}

} // namespace

List *
referring_to(Oid catalog, Oid object, int column) noexcept
{
	const Relation depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[3];
	List *addresses = NIL;

	ScanKeyInit(&keys[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(catalog));
	ScanKeyInit(&keys[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	ScanKeyInit(&keys[2], Anum_pg_depend_refobjsubid, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(column));
	const SysScanDesc scan =
		systable_beginscan(depend, DependReferenceIndexId, true, nullptr, column == any_column ? 2 : 3, keys);
	while (const HeapTuple tuple = systable_getnext(scan))
	{
		const auto *row = reinterpret_cast<const FormData_pg_depend *>(GETSTRUCT(tuple));
		addresses = lappend(addresses,
							new (palloc(sizeof(ObjectAddress))) ObjectAddress{row->classid, row->objid, row->objsubid});
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	list_sort(addresses, compare_addresses);
	for (int i = list_length(addresses) - 1; i > 0; --i)
		if (same_address(*static_cast<ObjectAddress *>(list_nth(addresses, i)),
						 *static_cast<ObjectAddress *>(list_nth(addresses, i - 1))))
			addresses = list_delete_nth_cell(addresses, i);
	return addresses;
}

Dependent *
refused(const ObjectAddress &address, Oid relation, const char *refusal) noexcept
{
	Dependent *const dependent = make(uncarried, address.objectId, relation, "");

	dependent->refusal = refusal;
	dependent->identity =
		psprintf("%s %s", getObjectTypeDescription(&address, false), getObjectIdentity(&address, false));
	return dependent;
}

Dependent *
dependent_of(const ObjectAddress &address) noexcept
{
	Dependent *const dependent = unnamed_dependent_of(address);

	if (dependent != nullptr && dependent->identity == nullptr)
	{
		const bool is_relation = dependent->object == dependent->relation || dependent->carrier == &index;
		const ObjectAddress named = is_relation ? ObjectAddress{RelationRelationId, dependent->object, 0} : address;
		dependent->identity = psprintf("%s %s", dependent->carrier->kind, getObjectIdentity(&named, false));
	}
	return dependent;
}

} // namespace remedy::jsonb_migration

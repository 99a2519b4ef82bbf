// What is migrated, and what cannot be.

#include "jsonb_migration/target.hpp"

#include <new>

#include "server/inheritance.hpp"
#include "server/refusal.hpp"
#include "server/versions.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/catalog.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
#include "utils/rls.h"
}

namespace remedy::jsonb_migration {

namespace {

// ---- The root --------------------------------------------------------------------

void
check_kind(const Relation table) noexcept
{
	const Form_pg_class form = table->rd_rel;
	const char *const name = RelationGetRelationName(table);

	if (form->relkind != RELKIND_RELATION && form->relkind != RELKIND_PARTITIONED_TABLE)
		server::refuse(
			ERRCODE_WRONG_OBJECT_TYPE, psprintf("\"%s\" is not a table", name),
			"A view's column becomes jsonb with the table's; a foreign table's is to be changed on its server first.");
	if (IsSystemRelation(table))
		server::refuse(ERRCODE_WRONG_OBJECT_TYPE, psprintf("\"%s\" is a system catalog", name), nullptr);
	if (form->relpersistence == RELPERSISTENCE_TEMP)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, psprintf("\"%s\" is a temporary table", name),
					   "Nobody else uses it: ALTER TABLE ... ALTER COLUMN ... TYPE jsonb does.");
}

// Its parents know the column too.
void
check_is_root(const Relation table) noexcept
{
	const List *const parents = server::parents_of(RelationGetRelid(table));

	if (parents == NIL)
		return;
	const char *const parent = qualified_name(linitial_oid(parents));
	server::refuse(ERRCODE_WRONG_OBJECT_TYPE,
				   psprintf("\"%s\" is a %s of %s", RelationGetRelationName(table),
							table->rd_rel->relispartition ? "partition" : "child", parent),
				   psprintf("Migrate %s: all below it goes with it.", parent));
}

AttrNumber
find_column(const Relation table, const char *column_name) noexcept
{
	const AttrNumber number = get_attnum(RelationGetRelid(table), column_name);

	if (number == InvalidAttrNumber)
		server::refuse(
			ERRCODE_UNDEFINED_COLUMN,
			psprintf("column \"%s\" of relation \"%s\" does not exist", column_name, RelationGetRelationName(table)),
			nullptr);
	const Form_pg_attribute column = number < 0 ? nullptr : TupleDescAttr(RelationGetDescr(table), number - 1);
	if (column == nullptr || column->atttypid != JSONOID)
		server::refuse(ERRCODE_DATATYPE_MISMATCH,
					   psprintf("column \"%s\" of relation \"%s\" is not of type json", column_name,
								RelationGetRelationName(table)),
					   "Arrays and domains of json, and composite types with it, are not migrated.");
	if (column->attgenerated != '\0')
		server::refuse(
			ERRCODE_FEATURE_NOT_SUPPORTED,
			psprintf("column \"%s\" of relation \"%s\" is generated", column_name, RelationGetRelationName(table)),
			"Drop the column, and add it again with type jsonb.");
	return number;
}

// ---- Each table of the tree ------------------------------------------------------

void
check_rights(const Relation table) noexcept
{
	if (!server::owns_relation(RelationGetRelid(table), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(table));
	if (check_enable_rls(RelationGetRelid(table), InvalidOid, true) == RLS_ENABLED)
		server::refuse(ERRCODE_INSUFFICIENT_PRIVILEGE,
					   psprintf("row security of table \"%s\" hides rows from you", RelationGetRelationName(table)),
					   "Run it as a role with BYPASSRLS, or without FORCE ROW LEVEL SECURITY.");
}

void
check_parents(const Relation table, const List *tree) noexcept
{
	ListCell *cell;

	if (RelationGetRelid(table) != linitial_oid(tree))
		foreach (cell, server::parents_of(RelationGetRelid(table)))
			if (!list_member_oid(tree, lfirst_oid(cell)))
				server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED,
							   psprintf("\"%s\" also inherits from %s, which is not below \"%s\"",
										RelationGetRelationName(table), qualified_name(lfirst_oid(cell)),
										get_rel_name(linitial_oid(tree))),
							   nullptr);
}

// Foreign tables, which have none, are told of among the dependents.
void
check_storage(const Relation table, const char *column_name) noexcept
{
	const AttrNumber number = get_attnum(RelationGetRelid(table), column_name);
	bool in_expression;

	if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE &&
		has_partition_attrs(table, bms_make_singleton(number - FirstLowInvalidHeapAttributeNumber), &in_expression))
		server::refuse(
			ERRCODE_FEATURE_NOT_SUPPORTED,
			psprintf("column \"%s\" is in the partition key of \"%s\"", column_name, RelationGetRelationName(table)),
			nullptr);
	if (table->rd_rel->relkind == RELKIND_RELATION && table->rd_rel->relam != HEAP_TABLE_AM_OID)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED,
					   psprintf("table \"%s\" has another access method than heap", RelationGetRelationName(table)),
					   nullptr);
}

int
compare_leaves(const ListCell *a, const ListCell *b) noexcept
{
	const Oid left = static_cast<const Leaf *>(lfirst(a))->table;
	const Oid right = static_cast<const Leaf *>(lfirst(b))->table;

	return left < right ? -1 : left > right;
}

} // namespace

Target
find_target(Oid table, const char *column_name) noexcept
{
	LockRelationOid(table, AccessShareLock);
	const Relation root = try_relation_open(table, NoLock);
	ListCell *cell;

	if (root == nullptr)
		server::refuse(ERRCODE_UNDEFINED_TABLE, psprintf("relation with OID %u does not exist", table), nullptr);
	check_kind(root);
	check_rights(root);
	const AttrNumber column = find_column(root, column_name);
	check_is_root(root);
	relation_close(root, NoLock);
	const Target target = known_target(0, table, column, column_name);
	const List *const tree = find_tables(target);
	foreach (cell, tree)
	{
		const Relation member = relation_open(lfirst_oid(cell), NoLock);
		check_rights(member);
		check_parents(member, tree);
		check_storage(member, column_name);
		relation_close(member, NoLock);
	}
	return target;
}

Target
known_target(int64 migration, Oid table, AttrNumber column, const char *column_name) noexcept
{
	return {migration,
			table,
			column,
			pstrdup(column_name),
			psprintf("remedy_json_%d", column),
			psprintf("remedy_old_%d", column)};
}

bool
is_swapped(const Target &target) noexcept
{
	const char *const name = get_attname(target.table, target.column, true);

	return name == nullptr || strcmp(name, target.column_name) != 0;
}

const char *
qualified_name(Oid relation) noexcept
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

List *
find_tables(const Target &target) noexcept
{
	return find_all_inheritors(target.table, AccessShareLock, nullptr);
}

List *
find_leaves(const Target &target) noexcept
{
	const bool swapped = is_swapped(target);
	List *leaves = NIL;
	ListCell *cell;

	foreach (cell, find_tables(target))
	{
		const Oid table = lfirst_oid(cell);
		if (get_rel_relkind(table) != RELKIND_RELATION)
			continue;
		leaves = lappend(leaves, new (palloc(sizeof(Leaf)))
									 Leaf{table, get_attnum(table, swapped ? target.old : target.column_name),
										  get_attnum(table, swapped ? target.column_name : target.shadow)});
	}
	list_sort(leaves, compare_leaves);
	return leaves;
}

} // namespace remedy::jsonb_migration

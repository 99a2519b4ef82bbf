// From the text of a CREATE INDEX to what it would create.

#include "what_if/hypothetical.hpp"

extern "C" {
#include "access/brin.h"
#include "access/hash.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "access/reloptions.h"
#include "catalog/catalog.h"
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "commands/tablespace.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_utilcmd.h"
}

namespace remedy::what_if {

namespace {

IndexStmt *
parse(const char *text) noexcept
{
	List *const statements = raw_parser(text, RAW_PARSE_DEFAULT);

	if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, IndexStmt))
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("it is not one CREATE INDEX: %s", text),
						errhint("Each hypothetical index takes one CREATE INDEX, an index to hide one DROP INDEX.")));
	return reinterpret_cast<IndexStmt *>(linitial_node(RawStmt, statements)->stmt);
}

// ---- The table -------------------------------------------------------------------

void
check_table(Relation table, const IndexStmt *statement) noexcept
{
	const char kind = table->rd_rel->relkind;
	const bool partitioned = kind == RELKIND_PARTITIONED_TABLE;

	if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW && !partitioned)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("cannot create index on relation \"%s\"", RelationGetRelationName(table)),
						errdetail_relkind_not_supported(kind)));
	if (IsSystemRelation(table))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("\"%s\" is a system catalog", RelationGetRelationName(table))));
	if (RELATION_IS_OTHER_TEMP(table))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("\"%s\" is a temporary table of another session", RelationGetRelationName(table))));
	if (partitioned && !statement->relation->inh)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("an index on only the partitioned table \"%s\" holds nothing",
							   RelationGetRelationName(table))));
}

// Columns that no index may have.
void
check_columns(Relation table, const Bitmapset *columns) noexcept
{
	int column = -1;

	while ((column = bms_next_member(columns, column)) >= 0)
	{
		const AttrNumber number = static_cast<AttrNumber>(column + FirstLowInvalidHeapAttributeNumber);
		if (number < 0)
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("index creation on system columns is not supported")));
		if (number > 0 && TupleDescAttr(RelationGetDescr(table), number - 1)->attgenerated == 'v')
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("indexes on virtual generated columns are not supported")));
	}
}

// ---- The access method -----------------------------------------------------------

// Others' cost functions may look into the index, which is not there.
void
choose_method(Hypothetical &index, const IndexStmt *statement) noexcept
{
	const char *const name = statement->accessMethod;

	index.method = get_index_am_oid(name, false);
	if (index.method != BTREE_AM_OID && index.method != HASH_AM_OID && index.method != GIN_AM_OID &&
		index.method != GIST_AM_OID && index.method != BRIN_AM_OID)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("hypothetical indexes of access method \"%s\" are not supported", name),
						errhint("Supported are btree, hash, gin, gist and brin.")));
	index.routine = GetIndexAmRoutineByAmId(index.method, false);
	if (statement->unique && !index.routine->amcanunique)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("access method \"%s\" does not support unique indexes", name)));
	if (statement->indexIncludingParams != NIL && !index.routine->amcaninclude)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("access method \"%s\" does not support included columns", name)));
	if (list_length(statement->indexParams) > 1 && !index.routine->amcanmulticol)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("access method \"%s\" does not support multicolumn indexes", name)));
}

void
read_options(Hypothetical &index, const IndexStmt *statement) noexcept
{
	const Datum list = transformRelOptions(0, statement->options, nullptr, nullptr, false, false);
	const bytea *const options = index_reloptions(index.routine->amoptions, list, true);

	index.options = {0, true, BRIN_DEFAULT_PAGES_PER_RANGE};
	if (index.method == BTREE_AM_OID)
	{
		const auto *const given = reinterpret_cast<const BTOptions *>(options);
		index.options.fill_factor = given == nullptr ? BTREE_DEFAULT_FILLFACTOR : given->fillfactor;
		index.options.deduplicates = given == nullptr || given->deduplicate_items;
	}
	else if (index.method == HASH_AM_OID)
		index.options.fill_factor =
			options == nullptr ? HASH_DEFAULT_FILLFACTOR : reinterpret_cast<const HashOptions *>(options)->fillfactor;
	else if (index.method == BRIN_AM_OID && options != nullptr)
		index.options.pages_per_range = reinterpret_cast<const BrinOptions *>(options)->pagesPerRange;
}

// ---- The rest --------------------------------------------------------------------

void
add_predicate(Hypothetical &index, const IndexStmt *statement) noexcept
{
	if (statement->whereClause == nullptr)
		return;
	check_immutable(statement->whereClause, "predicate");
	Node *const folded = eval_const_expressions(nullptr, statement->whereClause);
	index.predicate = make_ands_implicit(canonicalize_qual(reinterpret_cast<Expr *>(folded), false));
	fix_opfuncids(reinterpret_cast<Node *>(index.predicate));
}

// The one that the server would choose.
const char *
choose_name(const IndexStmt *statement, Relation table) noexcept
{
	List *const elements = list_concat_copy(statement->indexParams, statement->indexIncludingParams);
	StringInfoData columns;
	ListCell *cell;

	if (statement->idxname != nullptr)
		return statement->idxname;
	initStringInfo(&columns);
	foreach (cell, elements)
	{
		const IndexElem *const element = lfirst_node(IndexElem, cell);
		const char *const name = element->name != nullptr           ? element->name
								 : element->indexcolname != nullptr ? element->indexcolname
																	: "expr";
		appendStringInfo(&columns, "%s%s", columns.len > 0 ? "_" : "", name);
		if (columns.len >= NAMEDATALEN)
			break;
	}
	columns.data[pg_mbcliplen(columns.data, columns.len, NAMEDATALEN - 1)] = '\0';
	return ChooseRelationName(RelationGetRelationName(table), columns.data, "idx", RelationGetNamespace(table), false);
}

// From above, where no relation has come yet.
Oid
free_oid() noexcept
{
	static Oid last = PG_UINT32_MAX;

	do
		last = last < PG_UINT32_MAX / 2 ? PG_UINT32_MAX - 1 : last - 1;
	while (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(last)));
	return last;
}

} // namespace

bool
may_read(Oid relation, const Bitmapset *columns) noexcept
{
	int column = -1;

	if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return true;
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		const AttrNumber number = static_cast<AttrNumber>(column + FirstLowInvalidHeapAttributeNumber);
		if (number == InvalidAttrNumber ||
			pg_attribute_aclcheck(relation, number, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

Hypothetical *
define(const char *create_index) noexcept
{
	IndexStmt *statement = parse(create_index);
	const Oid relation = RangeVarGetRelid(statement->relation, AccessShareLock, false);
	const Relation table = relation_open(relation, NoLock);
	auto *const index = static_cast<Hypothetical *>(palloc0(sizeof(Hypothetical)));

	check_table(table, statement);
	statement = transformIndexStmt(relation, statement, create_index);
	index->memory = CurrentMemoryContext;
	index->oid = free_oid();
	index->relation = relation;
	index->partitioned = table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	index->unique = statement->unique;
	index->equal_nulls = statement->nulls_not_distinct;
	if (statement->tableSpace != nullptr)
		index->tablespace = get_tablespace_oid(statement->tableSpace, false);
	choose_method(*index, statement);
	read_options(*index, statement);
	add_columns(*index, statement, table);
	add_predicate(*index, statement);
	check_columns(table, columns_of(*index));
	// Estimates tell of what is in the table, so what is indexed must be readable.
	if (!may_read(relation, columns_of(*index)))
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(table->rd_rel->relkind), RelationGetRelationName(table));
	index->name = choose_name(statement, table);
	relation_close(table, NoLock);
	index->sample = take_sample(*index);
	return index;
}

const char *
name_of(const Hypothetical &index) noexcept
{
	return index.name;
}

Oid
relation_of(const Hypothetical &index) noexcept
{
	return index.relation;
}

} // namespace remedy::what_if

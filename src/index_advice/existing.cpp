// The indexes that a table has, in the words that the rules use.

#include "index_advice/candidates.hpp"
#include "index_advice/keys.hpp"
#include "index_advice/operators.hpp"

extern "C" {
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "nodes/makefuncs.h"
#include "utils/relcache.h"
}

namespace remedy::index_advice {

namespace {

// The number-th key of the index; takes its expression off the list where it is one.
Part
part_at(const Table &table, Relation index, int number, List *&expressions, const oidvector *opclasses) noexcept
{
	const AttrNumber column = index->rd_index->indkey.values[number];
	const int options = index->rd_indoption[number];
	Node *key;
	Oid type, collation;
	int32 modifier;

	if (column != 0)
	{
		get_atttypetypmodcoll(table.relation, column, &type, &modifier, &collation);
		key = reinterpret_cast<Node *>(makeVar(1, column, type, modifier, collation, 0));
	}
	else
	{
		key = static_cast<Node *>(linitial(expressions));
		expressions = list_delete_first(expressions);
		type = exprType(key);
	}
	Part part = part_of(table, key, opclass_text(opclasses->values[number], type), index->rd_indcollation[number]);
	part.descending = (options & INDOPTION_DESC) != 0;
	part.nulls_first = (options & INDOPTION_NULLS_FIRST) != 0;
	return part;
}

const oidvector *
opclasses_of(Relation index) noexcept
{
	bool is_null;
	const Datum classes = SysCacheGetAttr(INDEXRELID, index->rd_indextuple, Anum_pg_index_indclass, &is_null);

	return reinterpret_cast<const oidvector *>(DatumGetPointer(classes));
}

void
describe(const Table &table, Relation index, Definition &definition) noexcept
{
	List *expressions = RelationGetIndexExpressions(index);
	const oidvector *const opclasses = opclasses_of(index);
	const int keys = Min(IndexRelationGetNumberOfKeyAttributes(index), parts_of_index);
	const int all = IndexRelationGetNumberOfAttributes(index);

	definition.relation = table.relation;
	definition.table = table.name;
	definition.method = get_am_name(index->rd_rel->relam);
	definition.partitioned = table.partitioned;
	definition.predicate = predicate_text(table, RelationGetIndexPredicate(index));
	for (int i = 0; i < keys; ++i)
		definition.parts[definition.part_count++] = part_at(table, index, i, expressions, opclasses);
	for (int i = IndexRelationGetNumberOfKeyAttributes(index); i < all; ++i)
		if (definition.include_count < includes_of_index)
			definition.includes[definition.include_count++] = include_of(table, index->rd_index->indkey.values[i]);
}

} // namespace

int
existing_indexes(Oid relation, ExistingIndex *&indexes) noexcept
{
	const Relation opened = table_open(relation, AccessShareLock);
	PortableTexts texts;
	const Table table = table_of(opened);
	const List *const numbers = RelationGetIndexList(opened);
	const ListCell *cell;
	int count = 0;

	indexes = static_cast<ExistingIndex *>(palloc0((list_length(numbers) + 1) * sizeof(ExistingIndex)));
	foreach (cell, numbers)
	{
		const Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		const FormData_pg_index &form = *index->rd_index;
		ExistingIndex &existing = indexes[count++];
		existing.index = RelationGetRelid(index);
		existing.unique = form.indisunique;
		existing.immediate = form.indimmediate;
		existing.primary = form.indisprimary;
		existing.constraint = OidIsValid(get_index_constraint(existing.index));
		existing.valid = form.indisvalid && form.indisready && form.indislive;
		describe(table, index, existing.definition);
		index_close(index, NoLock);
	}
	texts.leave();
	table_close(opened, NoLock);
	return count;
}

char *
ddl_of(const Definition &definition, bool concurrently) noexcept
{
	const std::size_t size = write_ddl(definition, concurrently, nullptr, 0) + 1;
	char *const text = static_cast<char *>(palloc(size));

	write_ddl(definition, concurrently, text, size);
	return text;
}

} // namespace remedy::index_advice

#include "repetition/lineage.hpp"

#include <initializer_list>

#include "repetition/origins.hpp"
#include "repetition/values.hpp"

extern "C" {
#include "storage/lmgr.h"
}

namespace remedy::repetition {

namespace {

struct OutputColumn
{
	AttrNumber number; // in the result
	HashClass of;
	bool only_long; // no column's: shorter values are noise
};

struct NotingReceiver
{
	DestReceiver receiver;
	DestReceiver *next;
	Parent *parent;
	int column_count;
	OutputColumn columns[columns_per_parent];
};

NotingReceiver noting;

bool
receive(TupleTableSlot *slot, DestReceiver *)
{
	for (int i = 0; i < noting.column_count; ++i)
	{
		bool is_null;
		const OutputColumn &column = noting.columns[i];
		const Datum value = slot_getattr(slot, column.number, &is_null);
		if (is_null)
			continue;
		if (const ValueHash hash = column.only_long ? hash_long_value(column.of, value) : hash_value(column.of, value))
			noting.parent->values.insert(in_column(hash, i));
	}
	return noting.next->receiveSlot(slot, noting.next);
}

void
start_up(DestReceiver *, int operation, TupleDesc description)
{
	noting.next->rStartup(noting.next, operation, description);
}

void
shut_down(DestReceiver *)
{
	noting.next->rShutdown(noting.next);
}

void
destroy(DestReceiver *)
{
}

enum class InKey
{
	no,
	yes,
	untold, // somebody has locked the catalog that tells
};

// The relation's list of foreign keys is in its cache, or comes from a catalog.
InKey
in_foreign_key(Relation relation, AttrNumber number) noexcept
{
	const Form_pg_class form = relation->rd_rel;
	const bool reads = !relation->rd_fkeyvalid && (form->relhastriggers || form->relkind == RELKIND_PARTITIONED_TABLE);
	InKey found = InKey::no;
	ListCell *cell;

	if (reads && !ConditionalLockRelationOid(ConstraintRelationId, AccessShareLock))
		return InKey::untold;
	foreach (cell, RelationGetFKeyList(relation))
	{
		const ForeignKeyCacheInfo *const key = lfirst_node(ForeignKeyCacheInfo, cell);
		for (int i = 0; i < key->nkeys; ++i)
			if (key->conkey[i] == number)
				found = InKey::yes;
	}
	if (reads)
		UnlockRelationOid(ConstraintRelationId, AccessShareLock);
	return found;
}

// Whether a foreign key could start from or lead to the column.  The query holds the
// same lock on the relation, unless a materialised view is between them, and its planner
// has looked at the indexes already.
InKey
in_key(Column column) noexcept
{
	if (!ConditionalLockRelationOid(column.relation, AccessShareLock))
		return InKey::untold;
	const Relation relation = table_open(column.relation, NoLock);
	Bitmapset *const unique = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_KEY);
	const bool is_unique = bms_is_member(column.number - FirstLowInvalidHeapAttributeNumber, unique);
	const InKey found = is_unique ? InKey::yes : in_foreign_key(relation, column.number);

	bms_free(unique);
	table_close(relation, AccessShareLock);
	return found;
}

bool
is_table(Oid relation) noexcept
{
	const char kind = get_rel_relkind(relation);

	return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_MATVIEW ||
		   kind == RELKIND_FOREIGN_TABLE;
}

// The table's column that an output stands for, if any.
Column
base_of(const Origin &origin) noexcept
{
	return origin.column.relation == 0 ? Column{} : base_column(origin.column.relation, origin.column.number);
}

HashClass
class_of(const TargetEntry *target) noexcept
{
	return target->resjunk ? HashClass::none : hash_class(exprType(reinterpret_cast<Node *>(target->expr)));
}

enum class Taken
{
	of_key,
	of_no_key,
	expressions,
};

// Columns of no key are only kept if something could be found by them all the same:
// texts are long, and amounts and times rarely asked for.
bool
is_identifier(HashClass of) noexcept
{
	return of == HashClass::int2 || of == HashClass::int4 || of == HashClass::int8 || of == HashClass::oid ||
		   of == HashClass::uuid;
}

bool
is_wanted(Taken taken, Column column, HashClass of, bool &untold) noexcept
{
	if (taken == Taken::expressions)
		return column.relation == 0;
	if ((taken == Taken::of_no_key && !is_identifier(of)) || column.relation < FirstNormalObjectId ||
		!is_table(column.relation))
		return false;
	const InKey found = in_key(column);
	untold |= found == InKey::untold;
	return (found == InKey::yes) == (taken == Taken::of_key);
}

// False if a catalog could not be read.
bool
take_columns(const PlannedStmt *statement, Parent &parent, Taken taken) noexcept
{
	bool untold = false;
	ListCell *cell;

	foreach (cell, statement->planTree->targetlist)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		if (parent.column_count == columns_per_parent)
			break;
		const HashClass of = class_of(target);
		if (of == HashClass::none || (taken == Taken::expressions && !may_be_long(of)))
			continue;
		const Origin origin = origin_of(statement, target);
		if (origin.column.relation == 0 && !origin.is_expression)
			continue;
		const Column column = base_of(origin);
		if (!is_wanted(taken, column, of, untold))
			continue;
		parent.outputs[parent.column_count] = target->resno;
		parent.columns[parent.column_count++] = column;
	}
	return !untold;
}

} // namespace

bool
may_have_columns(const QueryDesc *query) noexcept
{
	const PlannedStmt *const statement = query->plannedstmt;
	ListCell *cell;

	foreach (cell, statement->planTree->targetlist)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		const HashClass of = class_of(target);
		const Origin origin = of == HashClass::none ? Origin{} : origin_of(statement, target);
		if (origin.column.relation != 0 || (origin.is_expression && may_be_long(of)))
			return true;
	}
	return false;
}

bool
choose_columns(QueryDesc *query, Parent &parent) noexcept
{
	for (const Taken taken : {Taken::of_key, Taken::of_no_key, Taken::expressions})
		if (!take_columns(query->plannedstmt, parent, taken))
		{
			parent.column_count = 0;
			return false;
		}
	return true;
}

bool
has_columns(const QueryDesc *query, const Parent &parent) noexcept
{
	for (unsigned i = 0; i < parent.column_count; ++i)
	{
		const TargetEntry *const target = get_tle_by_resno(query->plannedstmt->planTree->targetlist, parent.outputs[i]);
		if (target == nullptr || target->resjunk ||
			!(base_of(origin_of(query->plannedstmt, target)) == parent.columns[i]))
			return false;
	}
	return true;
}

DestReceiver *
note_values(QueryDesc *query, Parent &parent) noexcept
{
	noting.receiver = {receive, start_up, shut_down, destroy, query->dest->mydest};
	noting.next = query->dest;
	noting.parent = &parent;
	noting.column_count = parent.column_count;
	for (int i = 0; i < parent.column_count; ++i)
	{
		const AttrNumber number = parent.outputs[i];
		noting.columns[i] = {number, hash_class(TupleDescAttr(query->tupDesc, number - 1)->atttypid),
							 parent.columns[i].relation == 0};
	}
	return &noting.receiver;
}

} // namespace remedy::repetition

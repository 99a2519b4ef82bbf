#include "repetition/lineage.hpp"

#include "repetition/keys.hpp"

extern "C" {
#include "common/hashfn.h"
#include "storage/lmgr.h"
#include "utils/datum.h"
}

namespace remedy::repetition {

namespace {

// Longer texts are no keys.
constexpr int longest_text = 256;

struct OutputColumn
{
	AttrNumber number; // in the result
	HashClass of;
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

ValueHash
hash_integer(int64 value) noexcept
{
	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(&value), sizeof(value), 0);
}

ValueHash
hash_text(const varlena *text) noexcept
{
	if (VARATT_IS_EXTERNAL(text) || VARATT_IS_COMPRESSED(text) || VARSIZE_ANY_EXHDR(text) > longest_text)
		return 0;
	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(VARDATA_ANY(text)), VARSIZE_ANY_EXHDR(text), 1);
}

bool
receive(TupleTableSlot *slot, DestReceiver *)
{
	for (int i = 0; i < noting.column_count; ++i)
	{
		bool is_null;
		const Datum value = slot_getattr(slot, noting.columns[i].number, &is_null);
		if (is_null)
			continue;
		if (const ValueHash hash = hash_value(noting.columns[i].of, value))
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
// same lock on the relation, and its planner has looked at the indexes already.
InKey
in_key(Column column) noexcept
{
	const Relation relation = table_open(column.relation, AccessShareLock);
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

// The class of an output column that comes from a user's table or view.
HashClass
class_of(const TargetEntry *target) noexcept
{
	if (target->resjunk || target->resorigtbl < FirstNormalObjectId || target->resorigcol <= 0)
		return HashClass::none;
	return hash_class(exprType(reinterpret_cast<Node *>(target->expr)));
}

// Takes the columns that are of a key, or the others; of these no texts, which
// are long and rarely asked for.  False if a catalog could not be read.
bool
take_columns(const List *targets, Parent &parent, bool of_key) noexcept
{
	ListCell *cell;

	foreach (cell, targets)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		if (parent.column_count == columns_per_parent)
			return true;
		const HashClass of = class_of(target);
		if (of == HashClass::none || (of == HashClass::text && !of_key))
			continue;
		const Column column = base_column(target->resorigtbl, target->resorigcol);
		if (column.relation < FirstNormalObjectId || !is_table(column.relation))
			continue;
		const InKey found = in_key(column);
		if (found == InKey::untold)
			return false;
		if ((found == InKey::yes) != of_key)
			continue;
		parent.outputs[parent.column_count] = target->resno;
		parent.columns[parent.column_count++] = column;
	}
	return true;
}

} // namespace

HashClass
hash_class(Oid type) noexcept
{
	switch (type)
	{
	case INT2OID:
		return HashClass::int2;
	case INT4OID:
		return HashClass::int4;
	case INT8OID:
		return HashClass::int8;
	case TEXTOID:
	case VARCHAROID:
		return HashClass::text;
	case UUIDOID:
		return HashClass::uuid;
	default:
		break;
	}
	const Oid base = type < FirstNormalObjectId ? type : getBaseType(type);

	return base == type ? HashClass::none : hash_class(base);
}

ValueHash
hash_value(HashClass of, Datum value) noexcept
{
	switch (of)
	{
	case HashClass::int2:
		return hash_integer(DatumGetInt16(value));
	case HashClass::int4:
		return hash_integer(DatumGetInt32(value));
	case HashClass::int8:
		return hash_integer(DatumGetInt64(value));
	case HashClass::text:
		return hash_text(reinterpret_cast<varlena *>(DatumGetPointer(value)));
	case HashClass::uuid:
		return hash_bytes_extended(DatumGetUUIDP(value)->data, UUID_LEN, 2);
	case HashClass::none:
		break;
	}
	return 0;
}

ValueHash
any_hash(const ParamExternData &parameter) noexcept
{
	int16 length;
	bool by_value;

	if (parameter.isnull || !OidIsValid(parameter.ptype))
		return 1;
	get_typlenbyval(parameter.ptype, &length, &by_value);
	if (by_value)
		return hash_integer(static_cast<int64>(parameter.value));
	const unsigned char *const bytes = reinterpret_cast<const unsigned char *>(DatumGetPointer(parameter.value));
	return hash_bytes_extended(bytes, static_cast<int>(datumGetSize(parameter.value, by_value, length)), 3);
}

ValueHash
parameter_value(ParamListInfo parameters, int number) noexcept
{
	// Parameters that are fetched on demand belong to procedural languages.
	if (parameters == nullptr || parameters->paramFetch != nullptr || number > parameters->numParams)
		return 0;
	const ParamExternData &parameter = parameters->params[number - 1];

	return parameter.isnull ? 0 : hash_value(hash_class(parameter.ptype), parameter.value);
}

bool
may_have_columns(const QueryDesc *query) noexcept
{
	ListCell *cell;

	foreach (cell, query->plannedstmt->planTree->targetlist)
		if (class_of(lfirst_node(TargetEntry, cell)) != HashClass::none)
			return true;
	return false;
}

bool
choose_columns(QueryDesc *query, Parent &parent) noexcept
{
	const List *const targets = query->plannedstmt->planTree->targetlist;

	if (take_columns(targets, parent, true) && take_columns(targets, parent, false))
		return true;
	parent.column_count = 0;
	return false;
}

bool
has_columns(const QueryDesc *query, const Parent &parent) noexcept
{
	for (unsigned i = 0; i < parent.column_count; ++i)
	{
		const TargetEntry *const target = get_tle_by_resno(query->plannedstmt->planTree->targetlist, parent.outputs[i]);
		if (target == nullptr || target->resjunk || target->resorigtbl < FirstNormalObjectId ||
			!(base_column(target->resorigtbl, target->resorigcol) == parent.columns[i]))
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
		noting.columns[i] = {number, hash_class(TupleDescAttr(query->tupDesc, number - 1)->atttypid)};
	}
	return &noting.receiver;
}

} // namespace remedy::repetition

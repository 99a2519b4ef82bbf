// The trigger that keeps one column equal to another: json's documents as jsonb before the
// swap, jsonb's as json after it.  Its arguments are the two columns' names and that of
// the guard, a check that ties them together once every row is filled.
//
// A user's statement never fails because of it: what cannot be converted is null on the
// other side, also if somebody renames or drops a column meanwhile.  Only when the guard is
// there, a document that jsonb refuses is refused, in the words that jsonb has for it.

#include <new>

#include "jsonb_migration/conversion.hpp"
#include "server/guard.hpp"

extern "C" {
#include "commands/trigger.h"
#include "optimizer/optimizer.h"
}

namespace remedy::jsonb_migration {

namespace {

// Of the trigger's table, for as long as one statement runs.
struct Columns
{
	AttrNumber from; // InvalidAttrNumber: there is none of that type
	AttrNumber to;
	Oid from_type;
	bool guarded;
};

struct Value
{
	Datum datum;
	bool null;
};

AttrNumber
find_column(TupleDesc columns, const char *name) noexcept
{
	const int number = SPI_fnumber(columns, name);

	return number > 0 ? static_cast<AttrNumber>(number) : InvalidAttrNumber;
}

const char *
find_guard(TupleDesc columns, const char *name) noexcept
{
	const int count = columns->constr == nullptr ? 0 : columns->constr->num_check;

	for (int i = 0; i < count; ++i)
		if (strcmp(columns->constr->check[i].ccname, name) == 0)
			return columns->constr->check[i].ccbin;
	return nullptr;
}

// The column that the guard ties to this one, whatever it is called by now.
AttrNumber
tied_column(const char *guard, AttrNumber to) noexcept
{
	Bitmapset *both = nullptr;

	pull_varattnos(static_cast<Node *>(stringToNode(guard)), 1, &both);
	both = bms_del_member(both, to - FirstLowInvalidHeapAttributeNumber);
	const int other = bms_next_member(both, -FirstLowInvalidHeapAttributeNumber); // no system column
	return other < 0 ? InvalidAttrNumber : static_cast<AttrNumber>(other + FirstLowInvalidHeapAttributeNumber);
}

Columns
find_columns(TupleDesc columns, char **arguments) noexcept
{
	const AttrNumber to = find_column(columns, arguments[1]);
	const Oid to_type = to == InvalidAttrNumber ? InvalidOid : TupleDescAttr(columns, to - 1)->atttypid;
	const Oid from_type = to_type == JSONBOID ? JSONOID : JSONBOID;
	AttrNumber from = find_column(columns, arguments[0]);

	if (to_type != JSONOID && to_type != JSONBOID)
		return {InvalidAttrNumber, InvalidAttrNumber, InvalidOid, false};
	const char *const guard = find_guard(columns, arguments[2]);
	if (from == InvalidAttrNumber && guard != nullptr)
		from = tied_column(guard, to);
	if (from != InvalidAttrNumber && TupleDescAttr(columns, from - 1)->atttypid != from_type)
		from = InvalidAttrNumber;
	return {from, to, from_type, guard != nullptr};
}

const TriggerData &
event_of(FunctionCallInfo call) noexcept
{
	if (!CALLED_AS_TRIGGER(call))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("remedy.keep_json_in_step() is a trigger of the migration to jsonb")));
	const TriggerData &event = *reinterpret_cast<const TriggerData *>(call->context);
	if (!TRIGGER_FIRED_BEFORE(event.tg_event) || !TRIGGER_FIRED_FOR_ROW(event.tg_event) ||
		TRIGGER_FIRED_BY_DELETE(event.tg_event) || event.tg_trigger->tgnargs != 3)
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("trigger \"%s\" is not as the migration to jsonb makes it", event.tg_trigger->tgname)));
	return event;
}

const Columns &
columns_of(FunctionCallInfo call, const TriggerData &event) noexcept
{
	FmgrInfo &function = *call->flinfo;

	if (function.fn_extra == nullptr)
	{
		const Columns found = find_columns(RelationGetDescr(event.tg_relation), event.tg_trigger->tgargs);
		function.fn_extra = new (MemoryContextAlloc(function.fn_mcxt, sizeof(Columns))) Columns(found);
	}
	return *static_cast<const Columns *>(function.fn_extra);
}

Value
read(HeapTuple row, AttrNumber column, TupleDesc columns) noexcept
{
	Value value = {0, true};

	if (column != InvalidAttrNumber)
		value.datum = heap_getattr(row, column, columns, &value.null);
	return value;
}

bool
same(Value left, Value right) noexcept
{
	return left.null || right.null ? left.null && right.null : same_bytes(left.datum, right.datum);
}

Value
converted(Value from, const Columns &columns) noexcept
{
	const MemoryContext memory = CurrentMemoryContext;
	Value to = {0, true};
	const auto body = [&]() noexcept { to.datum = convert(from.datum, columns.from_type, memory); };

	if (columns.guarded)
	{
		body();
		to.null = false;
	}
	// What is stored elsewhere is read through a relation and a buffer.
	else if (VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(from.datum)))
		to.null = !attempt(body);
	else
		to.null = !attempt_in_memory(body);
	return to;
}

// What an update leaves alone is not converted again; who sets the other column to null mends it.
Value
wanted(const TriggerData &event, Value from, const Columns &columns) noexcept
{
	if (from.null)
		return from;
	if (TRIGGER_FIRED_BY_UPDATE(event.tg_event))
	{
		const TupleDesc all = RelationGetDescr(event.tg_relation);
		const Value before = read(event.tg_trigtuple, columns.to, all);
		if (!before.null && !read(event.tg_newtuple, columns.to, all).null &&
			same(read(event.tg_trigtuple, columns.from, all), from))
			return before;
	}
	return converted(from, columns);
}

HeapTuple
with_value(HeapTuple row, TupleDesc all, int column, Value value) noexcept
{
	return heap_modify_tuple_by_cols(row, all, 1, &column, &value.datum, &value.null);
}

// After the swap, a statement without a list of columns inserts the document where the json
// column still is.  It is taken from there, or it would be lost.
HeapTuple
taken_by_position(HeapTuple row, TupleDesc all, const Columns &columns) noexcept
{
	const Value given = read(row, columns.to, all);
	const Value document = read(row, columns.from, all);

	if (given.null || columns.from == InvalidAttrNumber || columns.from_type != JSONBOID)
		return nullptr;
	const Value taken = {convert(given.datum, JSONOID, CurrentMemoryContext), false};
	if (document.null)
		return with_value(row, all, columns.from, taken);
	const Datum whole = PointerGetDatum(PG_DETOAST_DATUM(document.datum));
	if (same_bytes(taken.datum, whole)) // as when an update moves a row to another partition
		return row;
	ereport(ERROR, (errcode(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION),
					errmsg("two documents for column \"%s\"", NameStr(TupleDescAttr(all, columns.from - 1)->attname)),
					errdetail("Column \"%s\" holds its former values, in its former place.",
							  NameStr(TupleDescAttr(all, columns.to - 1)->attname)),
					errhint("Insert with a list of columns.")));
}

HeapTuple
keep_in_step(const TriggerData &event, const Columns &columns) noexcept
{
	const HeapTuple row = TRIGGER_FIRED_BY_UPDATE(event.tg_event) ? event.tg_newtuple : event.tg_trigtuple;
	const TupleDesc all = RelationGetDescr(event.tg_relation);

	if (columns.to == InvalidAttrNumber)
		return row;
	const HeapTuple taken = TRIGGER_FIRED_BY_INSERT(event.tg_event) ? taken_by_position(row, all, columns) : nullptr;
	if (taken != nullptr)
		return taken;
	const Value to = wanted(event, read(row, columns.from, all), columns);
	return same(to, read(row, columns.to, all)) ? row : with_value(row, all, columns.to, to);
}

} // namespace

REMEDY_FUNCTION(remedy_keep_json_in_step)
{
	const TriggerData &event = event_of(fcinfo);

	return PointerGetDatum(keep_in_step(event, columns_of(fcinfo, event)));
}

} // namespace remedy::jsonb_migration

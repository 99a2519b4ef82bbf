// What remedy.rollups tells of each rollup.  It waits for no lock: who changes a rollup's relations, or its source,
// is told of instead.

#include "observe/observe.hpp"
#include "rollup/call.hpp"
#include "rollup/following.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

extern "C" {
#include "access/tableam.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
}

namespace remedy::rollup {

namespace {

// Up to so many rows are counted, and where there may be more, the rest is taken to be as dense.
constexpr int64 counted_rows = 10000;

int64
count_rows(Relation table) noexcept
{
	const BlockNumber blocks = RelationGetNumberOfBlocks(table);
	const TableScanDesc scan = table_beginscan(table, GetActiveSnapshot(), 0, nullptr);
	TupleTableSlot *const slot = table_slot_create(table, nullptr);
	int64 rows = 0;
	bool more;

	while ((more = table_scan_getnextslot(scan, ForwardScanDirection, slot)) && ++rows < counted_rows)
		CHECK_FOR_INTERRUPTS();
	if (more)
		rows = static_cast<int64>(static_cast<double>(rows) * blocks / (ItemPointerGetBlockNumber(&slot->tts_tid) + 1));
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	return rows;
}

// Null only if it is gone.
int64
size_of(Oid table, bool &null) noexcept
{
	LOCAL_FCINFO(call, 1);

	InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
	call->args[0] = {ObjectIdGetDatum(table), false};
	const Datum size = pg_total_relation_size(call);
	null = null || call->isnull;
	return DatumGetInt64(size);
}

// False if somebody has locked one of them exclusively, or it is gone.
bool
lock_relations(const Rollup &rollup) noexcept
{
	for (const Oid relation : {rollup.source, rollup.view, rollup.rows, rollup.cells, rollup.marks,
							   OidIsValid(rollup.base) ? rollup.base : rollup.view})
		if (!ConditionalLockRelationOid(relation, AccessShareLock) ||
			!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relation)))
			return false;
	return true;
}

int64
count_rows(Oid relation) noexcept
{
	const Relation table = table_open(relation, NoLock);
	const int64 rows = count_rows(table);

	table_close(table, NoLock);
	return rows;
}

void
put_array(server::Rows &rows, const List *texts) noexcept
{
	const int count = list_length(texts);
	Datum *const elements = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));
	const ListCell *cell;

	foreach (cell, texts)
		elements[foreach_current_index(cell)] = CStringGetTextDatum(static_cast<const char *>(lfirst(cell)));
	rows.put(PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT)));
}

// Only why nothing can be told.
void
put_trouble(server::Rows &rows, const char *trouble) noexcept
{
	rows.put_text(trouble);
	for (int i = 0; i < 6; ++i)
		rows.put_null();
	rows.end_row();
}

struct Facts
{
	const char *reason; // why changes may be missed; null: they are not
	Call call;
	int64 cells;
	int64 marks;
	int64 size;
	bool no_size;
};

Facts
find_facts(const Rollup &rollup, ArrayType *keys, ArrayType *measures) noexcept
{
	Facts facts = {};

	facts.reason = uncaptured_reason(rollup);
	facts.call = call_of(rollup, keys, measures);
	facts.marks = count_rows(rollup.marks);
	if (!OidIsValid(rollup.base))
	{
		facts.cells = count_rows(rollup.cells);
		facts.size = size_of(rollup.cells, facts.no_size) + size_of(rollup.marks, facts.no_size);
	}
	return facts;
}

void
put_rollup(server::Rows &rows, const Rollup &rollup, const Facts &facts) noexcept
{
	const bool level = OidIsValid(rollup.base);

	rows.put_text(facts.reason == nullptr ? nullptr : psprintf("unarmed: %s", facts.reason));
	put_array(rows, facts.call.keys);
	put_array(rows, facts.call.measures);
	level ? rows.put_null() : rows.put_bigint(facts.cells);
	rows.put_bigint(facts.marks);
	level || facts.no_size ? rows.put_null() : rows.put_bigint(facts.size);
	rows.put_text(facts.call.text);
	rows.end_row();
}

// Who has put something else in the place of one of his relations does not make the view fail for all.
void
tell(server::Rows &rows, Oid view, ArrayType *keys, ArrayType *measures) noexcept
{
	const Rollup *const rollup = load_rollup(view);
	Facts facts;

	if (rollup == nullptr)
		put_trouble(rows, "gone: some of its relations are missing");
	else if (!lock_relations(*rollup))
		put_trouble(rows, "locked: somebody is changing it, or its source");
	else if (!attempt([&]() noexcept { facts = find_facts(*rollup, keys, measures); }))
		put_trouble(rows, "gone: some of its relations are not as they were made");
	else
		put_rollup(rows, *rollup, facts);
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_rollup_facts)
{
	remedy::observe::enter_function();
	remedy::server::Rows rows(fcinfo);
	remedy::rollup::tell(rows, PG_GETARG_OID(0), PG_GETARG_ARRAYTYPE_P(1), PG_GETARG_ARRAYTYPE_P(2));
	return static_cast<Datum>(0);
}

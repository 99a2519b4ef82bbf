#include "jsonb_migration/backfill.hpp"

#include <algorithm>

#include "jsonb_migration/conversion.hpp"
#include "observe/clock.hpp"
#include "server/guard.hpp"
#include "server/range_table.hpp"

extern "C" {
#include "access/tableam.h"
#include "storage/bufmgr.h"
}

namespace remedy::jsonb_migration {

namespace {

// So many blocks are scanned at once.  They are one subtransaction of the filling: few enough to be
// done again when one row is refused, and enough for the transaction to have few of them.
constexpr BlockNumber fill_blocks = 64;
constexpr BlockNumber verify_blocks = 16;

// What a call has of its own, for as long as it runs.
struct Work
{
	const Leaf &leaf;
	Relation table;
	double budget_ms;
	Nanoseconds start;
	MemoryContext caller;
	MemoryContext stretch; // what is needed for some blocks
	MemoryContext row;
	Oid user;
	int security;
	int settings;
	EState *state; // of the filling only
	ResultRelInfo *result;
	Batch batch;
	BlockNumber next; // block to go on with, if there was no time for all
	bool over;        // there was not
};

bool
time_is_over(const Work &work) noexcept
{
	return milliseconds(now() - work.start) >= work.budget_ms;
}

// ---- Around it -------------------------------------------------------------------

// As its owner and restricted, as VACUUM is: checks and indexes may call anybody's functions.
void
begin(Work &work, LOCKMODE lock) noexcept
{
	work.start = now();
	work.caller = CurrentMemoryContext;
	work.stretch = AllocSetContextCreate(work.caller, "pg_remedy backfill", ALLOCSET_DEFAULT_SIZES);
	work.row = AllocSetContextCreate(work.caller, "pg_remedy backfill of a row", ALLOCSET_DEFAULT_SIZES);
	work.table = table_open(work.leaf.table, lock);
	GetUserIdAndSecContext(&work.user, &work.security);
	SetUserIdAndSecContext(work.table->rd_rel->relowner, work.security | SECURITY_RESTRICTED_OPERATION);
	work.settings = NewGUCNestLevel();
	PushActiveSnapshot(GetLatestSnapshot());
}

void
end(Work &work) noexcept
{
	PopActiveSnapshot();
	AtEOXact_GUC(false, work.settings);
	SetUserIdAndSecContext(work.user, work.security);
	table_close(work.table, NoLock);
	MemoryContextDelete(work.row);
	MemoryContextDelete(work.stretch);
}

// Without the triggers.
void
open_result(Work &work) noexcept
{
	RangeTblEntry *const entry = makeNode(RangeTblEntry);

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(work.table);
	entry->relkind = work.table->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	work.state = CreateExecutorState();
	server::set_range_table(work.state, entry);
	work.state->es_output_cid = GetCurrentCommandId(true);
	work.result = makeNode(ResultRelInfo);
	InitResultRelInfo(work.result, work.table, 1, nullptr, 0);
	work.result->ri_TrigDesc = nullptr;
	ExecOpenIndices(work.result, false);
}

void
close_result(Work &work) noexcept
{
	ExecCloseIndices(work.result);
	ExecResetTupleTable(work.state->es_tupleTable, false);
	FreeExecutorState(work.state);
}

// ---- Rows ------------------------------------------------------------------------

Datum
flat(Datum value) noexcept
{
	return PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
}

// Null if jsonb refuses it.
bool
try_convert(const Work &work, Datum flat_document, Datum &shadow) noexcept
{
	return attempt_in_memory([&]() noexcept { shadow = convert(flat_document, JSONOID, work.row); });
}

bool
is_null(TupleTableSlot *row, AttrNumber column, TupleDesc columns) noexcept
{
	bool owned;
	const HeapTuple tuple = ExecFetchSlotHeapTuple(row, false, &owned);

	return heap_attisnull(tuple, column, columns);
}

const char *
describe(const ItemPointerData &row, const char *what, const char *detail) noexcept
{
	return psprintf("row (%u,%u): %s%s%s", ItemPointerGetBlockNumber(&row), ItemPointerGetOffsetNumber(&row), what,
					detail == nullptr ? "" : ": ", detail == nullptr ? "" : detail);
}

void
leave(Batch &batch, const ItemPointerData &row) noexcept
{
	const BlockNumber block = ItemPointerGetBlockNumber(&row);

	batch.left_from = batch.left++ == 0 ? block : std::min(batch.left_from, block);
}

void
refuse(const Work &work, Batch &batch, const ItemPointerData &row, const char *what, const char *detail) noexcept
{
	const MemoryContext before = MemoryContextSwitchTo(work.caller);

	if (batch.refused++ == 0)
		batch.refusal = describe(row, what, detail);
	MemoryContextSwitchTo(before);
	leave(batch, row);
}

void
add(Batch &sum, const Batch &more) noexcept
{
	if (more.left != 0)
		sum.left_from = sum.left == 0 ? more.left_from : std::min(sum.left_from, more.left_from);
	if (sum.refusal == nullptr)
		sum.refusal = more.refusal;
	sum.rows += more.rows;
	sum.left += more.left;
	sum.refused += more.refused;
}

// ---- Filling ---------------------------------------------------------------------

struct Slots
{
	TupleTableSlot *seen;
	TupleTableSlot *locked;
	TupleTableSlot *changed;
};

// jsonb's own words.
void
tell_refusal(const Work &work, Batch &batch, const ItemPointerData &row, Datum flat_document) noexcept
{
	if (batch.refused + work.batch.refused != 0)
		return refuse(work, batch, row, "the same", nullptr); // told is the first
	ErrorData *const error = error_of([&]() noexcept { convert(flat_document, JSONOID, work.row); });
	if (error != nullptr && error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		ReThrowError(error);
	refuse(work, batch, row, error == nullptr ? "cannot be converted to jsonb" : error->message,
		   error == nullptr ? nullptr : error->detail);
}

void
update(const Work &work, const Slots &slots, Datum shadow) noexcept
{
	const TupleDesc columns = RelationGetDescr(work.table);
	TupleTableSlot *const row = slots.changed;

	slot_getallattrs(slots.locked);
	ExecClearTuple(row);
	for (int i = 0; i < columns->natts; ++i)
	{
		// As an UPDATE does: the bytes of dropped columns go.
		row->tts_isnull[i] = slots.locked->tts_isnull[i] || TupleDescAttr(columns, i)->attisdropped;
		row->tts_values[i] = row->tts_isnull[i] ? 0 : slots.locked->tts_values[i];
	}
	row->tts_values[work.leaf.shadow - 1] = shadow;
	row->tts_isnull[work.leaf.shadow - 1] = false;
	ExecStoreVirtualTuple(row);
	ExecSimpleRelationUpdate(work.result, work.state, nullptr, slots.locked, row);
	ResetPerTupleExprContext(work.state);
}

// A row that was changed meanwhile has been through the trigger.
void
fill_row(const Work &work, const Slots &slots, Batch &batch) noexcept
{
	const TupleDesc columns = RelationGetDescr(work.table);
	ItemPointerData row = slots.seen->tts_tid;
	TM_FailureData failure;
	Datum shadow = 0;

	if (is_null(slots.seen, work.leaf.column, columns) || !is_null(slots.seen, work.leaf.shadow, columns))
		return;
	bool null;
	const Datum document = flat(slot_getattr(slots.seen, work.leaf.column, &null));
	if (!try_convert(work, document, shadow))
		return tell_refusal(work, batch, row, document);
	switch (table_tuple_lock(work.table, &row, GetActiveSnapshot(), slots.locked, GetCurrentCommandId(false),
							 LockTupleNoKeyExclusive, LockWaitSkip, 0, &failure))
	{
	case TM_Ok:
		update(work, slots, shadow);
		++batch.rows;
		break;
	case TM_WouldBlock:
		leave(batch, row);
		break;
	default:
		break;
	}
}

// Stops also amid a block, when there are many long documents in it: what is filled is quickly
// passed over the next time.
Batch
fill_between(Work &work, ItemPointerData first, ItemPointerData last) noexcept
{
	const TableScanDesc scan = table_beginscan_tidrange(work.table, GetActiveSnapshot(), &first, &last);
	const Slots slots = {table_slot_create(work.table, nullptr), table_slot_create(work.table, nullptr),
						 MakeSingleTupleTableSlot(RelationGetDescr(work.table), &TTSOpsVirtual)};
	Batch batch = {}, before_block = {};
	BlockNumber block = InvalidBlockNumber;

	while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slots.seen))
	{
		const int64 rows = work.batch.rows + batch.rows;
		if (block != ItemPointerGetBlockNumber(&slots.seen->tts_tid))
		{
			block = ItemPointerGetBlockNumber(&slots.seen->tts_tid);
			before_block = batch;
		}
		if (rows > 0 && time_is_over(work))
		{
			before_block.rows = batch.rows;
			batch = before_block;
			work.over = true;
			work.next = block;
			break;
		}
		const MemoryContext outside = MemoryContextSwitchTo(work.row);
		fill_row(work, slots, batch);
		MemoryContextSwitchTo(outside);
		MemoryContextReset(work.row);
	}
	ExecDropSingleTupleTableSlot(slots.changed);
	ExecDropSingleTupleTableSlot(slots.locked);
	ExecDropSingleTupleTableSlot(slots.seen);
	table_endscan(scan);
	return batch;
}

// No fault of the row's.
bool
is_the_servers(int sqlstate) noexcept
{
	const int category = ERRCODE_TO_CATEGORY(sqlstate);

	return category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION) ||
		   category == ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR);
}

// In a subtransaction: the error, if one row cannot be filled.
ErrorData *
try_between(Work &work, ItemPointerData first, ItemPointerData last) noexcept
{
	Batch batch = {};
	ErrorData *const error = error_of([&]() noexcept {
		const MemoryContext outside = MemoryContextSwitchTo(work.stretch);
		batch = fill_between(work, first, last);
		MemoryContextSwitchTo(outside);
	});

	MemoryContextReset(work.row);
	MemoryContextReset(work.stretch);
	if (error == nullptr)
	{
		add(work.batch, batch);
		return nullptr;
	}
	if (is_the_servers(error->sqlerrcode))
		ReThrowError(error);
	work.start = now(); // what was done in vain does not count
	return error;
}

bool
is_anothers(int sqlstate) noexcept
{
	return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK) ||
		   sqlstate == ERRCODE_LOCK_NOT_AVAILABLE;
}

ItemPointerData
tid(BlockNumber block, OffsetNumber offset) noexcept
{
	ItemPointerData made;

	ItemPointerSet(&made, block, offset);
	return made;
}

void
fill_one(Work &work, ItemPointerData row) noexcept
{
	ErrorData *const error = try_between(work, row, row);

	if (error == nullptr)
		return;
	if (is_anothers(error->sqlerrcode))
		leave(work.batch, row);
	else
		refuse(work, work.batch, row, error->message, error->detail);
	FreeErrorData(error);
}

void
fill_block(Work &work, BlockNumber block) noexcept
{
	ErrorData *const error = try_between(work, tid(block, FirstOffsetNumber), tid(block, MaxOffsetNumber));

	if (error == nullptr)
		return;
	FreeErrorData(error);
	for (OffsetNumber offset = FirstOffsetNumber; offset <= MaxHeapTuplesPerPage && !work.over; ++offset)
		fill_one(work, tid(block, offset));
}

// A row that cannot be filled is found by ever smaller stretches.
void
fill_stretch(Work &work, BlockNumber first, BlockNumber end) noexcept
{
	ErrorData *const error = try_between(work, tid(first, FirstOffsetNumber), tid(end - 1, MaxOffsetNumber));

	if (error == nullptr)
		return;
	FreeErrorData(error);
	for (BlockNumber block = first; block < end && !work.over; ++block)
		fill_block(work, block);
}

// ---- Verifying -------------------------------------------------------------------

// What is wrong; null if nothing is.
const char *
compare(const Work &work, TupleTableSlot *row) noexcept
{
	bool document_null, shadow_null;
	const Datum document = slot_getattr(row, work.leaf.column, &document_null);
	const Datum shadow = slot_getattr(row, work.leaf.shadow, &shadow_null);
	Datum converted = 0;

	if (document_null || shadow_null)
		return document_null == shadow_null ? nullptr
			   : shadow_null                ? "the new column is null"
											: "the new column is not null";
	if (!try_convert(work, flat(document), converted))
		return "the document cannot be converted";
	return same_bytes(converted, PointerGetDatum(PG_DETOAST_DATUM(shadow))) ? nullptr : "the new column differs";
}

void
verify_stretch(Work &work, BlockNumber first, BlockNumber end) noexcept
{
	ItemPointerData low = tid(first, FirstOffsetNumber), high = tid(end - 1, MaxOffsetNumber);
	TupleTableSlot *const row = table_slot_create(work.table, nullptr);
	const TableScanDesc scan = table_beginscan_tidrange(work.table, GetActiveSnapshot(), &low, &high);

	while (table_scan_getnextslot_tidrange(scan, ForwardScanDirection, row))
	{
		const MemoryContext outside = MemoryContextSwitchTo(work.row);
		const char *const wrong = compare(work, row);
		MemoryContextSwitchTo(outside);
		MemoryContextReset(work.row);
		++work.batch.rows;
		if (wrong != nullptr)
			refuse(work, work.batch, row->tts_tid, wrong, nullptr);
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(row);
}

// Goes on from range.next, by stretches, until the time is over.
Batch
go_through(Work &work, Range &range, BlockNumber blocks, void (*stretch)(Work &, BlockNumber, BlockNumber)) noexcept
{
	do
	{
		const BlockNumber end = std::min(range.end, range.next + std::min(blocks, range.end - range.next));
		if (range.next < end)
			stretch(work, range.next, end);
		range.next = work.over ? work.next : end;
		CHECK_FOR_INTERRUPTS();
	} while (!work.over && range.next < range.end && !time_is_over(work));
	return work.batch;
}

} // namespace

BlockNumber
blocks_of(Oid table) noexcept
{
	const Relation relation = table_open(table, AccessShareLock);
	const BlockNumber blocks = RelationGetNumberOfBlocks(relation);

	table_close(relation, NoLock);
	return blocks;
}

Batch
fill(const Leaf &leaf, Range &range, double budget_ms) noexcept
{
	Work work = {.leaf = leaf, .budget_ms = budget_ms};

	begin(work, RowExclusiveLock);
	CheckCmdReplicaIdentity(work.table, CMD_UPDATE);
	open_result(work);
	const Batch batch = go_through(work, range, fill_blocks, fill_stretch);
	close_result(work);
	end(work);
	return batch;
}

Batch
verify(const Leaf &leaf, Range &range, double budget_ms) noexcept
{
	Work work = {.leaf = leaf, .budget_ms = budget_ms};

	begin(work, AccessShareLock);
	const Batch batch = go_through(work, range, verify_blocks, verify_stretch);
	end(work);
	return batch;
}

} // namespace remedy::jsonb_migration

#include <algorithm>

#include "jsonb_migration/conversion.hpp"
#include "jsonb_migration/table_walk.hpp"
#include "server/guard.hpp"
#include "server/range_table.hpp"

namespace remedy::jsonb_migration {

namespace {

// So many blocks are a subtransaction: few enough to be done again when one row is refused,
// and enough for the transaction to have few of them.
constexpr BlockNumber fill_blocks = 64;

// Without the triggers.  Within the subtransaction: some indexes (BRIN's from version 17 on)
// keep pages pinned from the first insertion until they are closed.
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

bool
is_null(TupleTableSlot *row, AttrNumber column, TupleDesc columns) noexcept
{
	bool owned;
	const HeapTuple tuple = ExecFetchSlotHeapTuple(row, false, &owned);

	return heap_attisnull(tuple, column, columns);
}

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
		open_result(work);
		batch = fill_between(work, first, last);
		close_result(work);
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

} // namespace

Batch
fill(const Leaf &leaf, Range &range, double budget_ms) noexcept
{
	Work work = {.leaf = leaf, .budget_ms = budget_ms};

	begin(work, RowExclusiveLock);
	CheckCmdReplicaIdentity(work.table, CMD_UPDATE);
	const Batch batch = go_through(work, range, fill_blocks, fill_stretch);
	end(work);
	return batch;
}

} // namespace remedy::jsonb_migration

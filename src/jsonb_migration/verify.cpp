#include "jsonb_migration/conversion.hpp"
#include "jsonb_migration/table_walk.hpp"

namespace remedy::jsonb_migration {

namespace {

// So many blocks between two looks at the clock.
constexpr BlockNumber verify_blocks = 16;

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

} // namespace

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

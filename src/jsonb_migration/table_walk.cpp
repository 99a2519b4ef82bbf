#include "jsonb_migration/table_walk.hpp"

#include <algorithm>

#include "jsonb_migration/conversion.hpp"
#include "server/guard.hpp"

extern "C" {
#include "storage/bufmgr.h"
}

namespace remedy::jsonb_migration {

bool
time_is_over(const Work &work) noexcept
{
	return milliseconds(now() - work.start) >= work.budget_ms;
}

ItemPointerData
tid(BlockNumber block, OffsetNumber offset) noexcept
{
	ItemPointerData made;

	ItemPointerSet(&made, block, offset);
	return made;
}

// It may have been dropped or altered since its number was looked up.
static void
check_column(const Relation table, AttrNumber number, Oid type) noexcept
{
	const TupleDesc columns = RelationGetDescr(table);

	if (number <= 0 || number > columns->natts || TupleDescAttr(columns, number - 1)->attisdropped ||
		TupleDescAttr(columns, number - 1)->atttypid != type)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a column of table \"%s\" was dropped or altered meanwhile", RelationGetRelationName(table))));
}

// As its owner and restricted, as VACUUM is: checks and indexes may call anybody's functions.
void
begin(Work &work, LOCKMODE lock) noexcept
{
	work.start = now();
	work.caller = CurrentMemoryContext;
	work.stretch = AllocSetContextCreate(work.caller, "pg_remedy backfill", ALLOCSET_DEFAULT_SIZES);
	work.row = AllocSetContextCreate(work.caller, "pg_remedy backfill of a row", ALLOCSET_DEFAULT_SIZES);
	work.table = table_open(work.leaf.table, lock);
	check_column(work.table, work.leaf.column, JSONOID);
	check_column(work.table, work.leaf.shadow, JSONBOID);
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

Batch
go_through(Work &work, Range &range, BlockNumber blocks, Stretch stretch) noexcept
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

Datum
flat(Datum value) noexcept
{
	return PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
}

bool
try_convert(const Work &work, Datum flat_document, Datum &shadow) noexcept
{
	return attempt_in_memory([&]() noexcept { shadow = convert(flat_document, JSONOID, work.row); });
}

static const char *
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

BlockNumber
blocks_of(Oid table) noexcept
{
	const Relation relation = table_open(table, AccessShareLock);
	const BlockNumber blocks = RelationGetNumberOfBlocks(relation);

	table_close(relation, NoLock);
	return blocks;
}

} // namespace remedy::jsonb_migration

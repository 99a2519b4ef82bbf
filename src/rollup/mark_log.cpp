#include "rollup/mark_log.hpp"

#include "server/versions.hpp"

extern "C" {
#include "access/tableam.h"
#include "storage/lmgr.h"
}

namespace remedy::rollup {

namespace {

constexpr AttrNumber kind_column = 1, bucket_column = 2, until_column = 3, leading_columns = 3;

int
columns_of(const Rollup &rollup) noexcept
{
	int count = leading_columns + rollup.keys;

	if (rollup.additive)
		for (int i = 0; i < rollup.states; ++i)
			count += is_extreme(rollup.state[i]) ? 2 : 1;
	return count;
}

// Null if it is gone; without a look into the catalogs as long as it is known.
Relation
open_log(Oid marks) noexcept
{
	LockRelationOid(marks, RowExclusiveLock);
	const Relation relation = RelationIdGetRelation(marks);
	if (relation == nullptr)
		UnlockRelationOid(marks, RowExclusiveLock);
	return relation;
}

// Whether its owner left it as it was made, but for columns behind.
bool
fits(TupleDesc description, const Rollup &rollup) noexcept
{
	if (description->natts < columns_of(rollup) || TupleDescAttr(description, 0)->atttypid != CHAROID ||
		TupleDescAttr(description, bucket_column - 1)->atttypid != rollup.time_type ||
		TupleDescAttr(description, until_column - 1)->atttypid != rollup.time_type)
		return false;
	for (int i = 0; i < columns_of(rollup); ++i)
		if (TupleDescAttr(description, i)->attisdropped)
			return false;
	if (rollup.additive)
		for (int i = 0; i < rollup.states; ++i)
			if (TupleDescAttr(description, leading_columns + rollup.keys + i)->atttypid != rollup.state[i].type)
				return false;
	return true;
}

} // namespace

TupleTableSlot *
MarkLog::make_slot(const Rollup &rollup) noexcept
{
	const Relation relation = open_log(rollup.marks);
	TupleTableSlot *slot = nullptr;

	if (relation == nullptr)
		return nullptr;
	if (fits(RelationGetDescr(relation), rollup))
		slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)), &TTSOpsVirtual);
	table_close(relation, NoLock);
	return slot;
}

MarkLog *
MarkLog::open(const Rollup &rollup, TupleTableSlot *lent) noexcept
{
	const Relation relation = open_log(rollup.marks);

	if (relation == nullptr)
		return nullptr;
	if (lent == nullptr && !fits(RelationGetDescr(relation), rollup))
	{
		table_close(relation, NoLock);
		return nullptr;
	}
	// An index may run statements that write here, too.
	if (unlikely(RelationGetForm(relation)->relhasindex))
		lent = nullptr;
	MarkLog *const log = static_cast<MarkLog *>(palloc(sizeof(MarkLog)));
	log->log_ = relation;
	log->keys_ = rollup.keys;
	log->memory_ = nullptr;
	log->count_ = log->slots_ = 0;
	log->lent_ = lent != nullptr;
	if (lent != nullptr)
		log->slot_[log->slots_++] = lent;
	return log;
}

MarkLog::Columns
MarkLog::add(Mark kind) noexcept
{
	if (count_ == batch)
		flush();
	if (count_ == slots_)
		slot_[slots_++] = MakeSingleTupleTableSlot(RelationGetDescr(log_), &TTSOpsVirtual);
	TupleTableSlot *const slot = slot_[count_++];
	ExecStoreAllNullTuple(slot);
	slot->tts_values[kind_column - 1] = CharGetDatum(static_cast<char>(kind));
	slot->tts_isnull[kind_column - 1] = false;
	Datum *const value = slot->tts_values;
	bool *const null = slot->tts_isnull;
	return {&value[bucket_column - 1], &value[leading_columns], &value[leading_columns + keys_],
			&null[bucket_column - 1],  &null[leading_columns],  &null[leading_columns + keys_],
			&value[until_column - 1],  &null[until_column - 1]};
}

void
MarkLog::flush() noexcept
{
	const CommandId command = GetCurrentCommandId(true);

	if (count_ == 0)
		return;
	if (count_ == 1)
		table_tuple_insert(log_, slot_[0], command, 0, nullptr);
	else
	{
		if (memory_ == nullptr)
			memory_ = AllocSetContextCreate(CurrentMemoryContext, "marks of a rollup", ALLOCSET_DEFAULT_SIZES);
		const MemoryContext before = MemoryContextSwitchTo(memory_);
		table_multi_insert(log_, slot_, count_, command, 0, nullptr);
		MemoryContextSwitchTo(before);
		MemoryContextReset(memory_);
	}
	if (unlikely(RelationGetForm(log_)->relhasindex))
		insert_index_entries();
	for (int i = 0; i < count_; ++i)
		ExecClearTuple(slot_[i]);
	count_ = 0;
}

// Its owner's affair, but a row that an index lacks is a lost mark.
void
MarkLog::insert_index_entries() noexcept
{
	EState *const state = CreateExecutorState();
	ResultRelInfo *const result = makeNode(ResultRelInfo);

	InitResultRelInfo(result, log_, 1, nullptr, 0);
	ExecOpenIndices(result, false);
	for (int i = 0; i < count_; ++i)
		server::insert_index_entries(result, slot_[i], state);
	ExecCloseIndices(result);
	FreeExecutorState(state);
}

void
MarkLog::close() noexcept
{
	flush();
	for (int i = lent_ ? 1 : 0; i < slots_; ++i)
		ExecDropSingleTupleTableSlot(slot_[i]);
	table_close(log_, NoLock);
}

} // namespace remedy::rollup

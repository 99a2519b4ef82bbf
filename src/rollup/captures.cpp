// The plans that a session has made, by table.

#include "rollup/capture_plan.hpp"

#include "server/inheritance.hpp"

extern "C" {
#include "utils/hsearch.h"
#include "utils/inval.h"
}

namespace remedy::rollup {

namespace {

// ---- Tables --------------------------------------------------------------------------

// The table itself, and all that it is a partition or child of.
List *
with_ancestors(Oid relation) noexcept
{
	List *all = list_make1_oid(relation);

	for (int i = 0; i < list_length(all); ++i)
		all = list_concat_unique_oid(all, server::parents_of(list_nth_oid(all, i)));
	return all;
}

// ---- What is remembered --------------------------------------------------------------

constexpr long tables_limit = 4096;

HTAB *captures;        // of Capture, by table
HTAB *watched;         // relations that some of them depends on
uint64 generation = 1; // raised when one of those has changed
int given;             // captures that are at work, or more: an error leaves its own here until the transaction ends

void
note_change(Datum, Oid relation) noexcept
{
	if (!OidIsValid(relation) || hash_search(watched, &relation, HASH_FIND, nullptr) != nullptr)
		++generation;
}

void
note_any_change(Datum, int, uint32) noexcept
{
	++generation;
}

void
forget_given(XactEvent, void *) noexcept
{
	given = 0;
}

void
begin() noexcept
{
	HASHCTL layout = {};

	layout.keysize = sizeof(Oid);
	layout.entrysize = sizeof(Oid);
	layout.hcxt = CacheMemoryContext;
	watched = hash_create("relations of rollups", 64, &layout, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	layout.entrysize = sizeof(Capture);
	captures = hash_create("tables with rollups", 16, &layout, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	RegisterXactCallback(forget_given, nullptr);
	CacheRegisterRelcacheCallback(note_change, 0);
	// What an expression calls may have been written into it.
	CacheRegisterSyscacheCallback(PROCOID, note_any_change, 0);
}

void
watch(Oid relation) noexcept
{
	hash_search(watched, &relation, HASH_ENTER, nullptr);
}

// A trigger further up may still be at work with it.
void
discard(Capture &capture) noexcept
{
	if (capture.memory == nullptr)
		return;
	if (given > 0)
		MemoryContextSetParent(capture.memory, TopTransactionContext);
	else
		MemoryContextDelete(capture.memory);
	capture.memory = nullptr;
}

void
discard_all() noexcept
{
	HASH_SEQ_STATUS scan;

	hash_seq_init(&scan, captures);
	while (auto *const capture = static_cast<Capture *>(hash_seq_search(&scan)))
	{
		discard(*capture);
		hash_search(captures, &capture->relation, HASH_REMOVE, nullptr);
	}
}

// In the current memory context, with what is only needed meanwhile.
void
make_plans(Capture &capture, Relation relation) noexcept
{
	const List *const tables = with_ancestors(capture.relation);
	ListCell *table, *cell;

	foreach (table, tables)
	{
		watch(lfirst_oid(table));
		const List *const rollups = rollups_of(lfirst_oid(table));
		if (rollups == NIL)
			continue;
		const bool own = lfirst_oid(table) == capture.relation;
		const Relation source = own ? relation : table_open(lfirst_oid(table), AccessShareLock);
		const int count = capture.plans + list_length(rollups);
		const Size size = sizeof(CapturePlan) * count;
		capture.plan =
			static_cast<CapturePlan *>(capture.plan == nullptr ? palloc(size) : repalloc(capture.plan, size));
		foreach (cell, rollups)
		{
			const Rollup *const rollup = static_cast<const Rollup *>(lfirst(cell));
			watch(rollup->rows);
			watch(rollup->marks);
			make_plan(capture.plan[capture.plans++], rollup, relation, source);
		}
		if (!own)
			table_close(source, AccessShareLock);
	}
}

} // namespace

Capture
capture_for(Relation relation) noexcept
{
	const Oid oid = RelationGetRelid(relation);

	if (captures == nullptr)
		begin();
	auto *capture = static_cast<Capture *>(hash_search(captures, &oid, HASH_FIND, nullptr));
	if (likely(capture != nullptr && capture->generation == generation))
	{
		++given;
		return *capture;
	}
	if (hash_get_num_entries(captures) >= tables_limit)
		discard_all();

	Capture made = {};
	made.relation = oid;
	made.generation = generation; // of before: what changes meanwhile counts
	made.memory = AllocSetContextCreate(CurrentMemoryContext, "capture for rollups", ALLOCSET_SMALL_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(made.memory);
	make_plans(made, relation);
	MemoryContextSwitchTo(before);
	MemoryContextSetParent(made.memory, CacheMemoryContext);

	bool found;
	capture = static_cast<Capture *>(hash_search(captures, &oid, HASH_ENTER, &found));
	if (found)
		discard(*capture);
	*capture = made;
	++given;
	return made;
}

void
give_back() noexcept
{
	--given;
}

} // namespace remedy::rollup

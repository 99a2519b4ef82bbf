#include "rollup/known_marks.hpp"

#include "rollup/marks.hpp"

extern "C" {
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "utils/datum.h"
}

namespace remedy::rollup {

namespace {

constexpr uint32 first_size = 64;
constexpr Size memory_limit = 4 * 1024 * 1024;

struct Known
{
	uint32 hash;
	int length; // 0: free
	char *bytes;
};

// Open addressing, a power of two.  In the memory of the top transaction, with which it goes.
struct KnownMarks
{
	MemoryContext memory;
	Known *places;
	uint32 size;
	uint32 used;
};

KnownMarks marks;

void
forget_at_end(XactEvent event, void *) noexcept
{
	// At a transaction's end the memory goes by itself, soon.
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE && event != XACT_EVENT_PARALLEL_PRE_COMMIT)
		marks = {};
}

void
forget_at_rollback(SubXactEvent event, SubTransactionId, SubTransactionId, void *) noexcept
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_marks();
}

void
begin() noexcept
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(forget_at_end, nullptr);
		RegisterSubXactCallback(forget_at_rollback, nullptr);
		registered = true;
	}
	const MemoryContext memory =
		AllocSetContextCreate(TopTransactionContext, "known marks of rollups", ALLOCSET_SMALL_SIZES);
	Known *const places = static_cast<Known *>(MemoryContextAllocZero(memory, first_size * sizeof(Known)));
	marks = {memory, places, first_size, 0};
}

Known &
find(const char *bytes, int length, uint32 hash) noexcept
{
	uint32 at = hash & (marks.size - 1);

	while (marks.places[at].length != 0 && (marks.places[at].hash != hash || marks.places[at].length != length ||
											memcmp(marks.places[at].bytes, bytes, length) != 0))
		at = (at + 1) & (marks.size - 1);
	return marks.places[at];
}

void
grow() noexcept
{
	Known *const before = marks.places;
	const uint32 size_before = marks.size;

	marks.places = static_cast<Known *>(
		MemoryContextAllocExtended(marks.memory, 2 * size_before * sizeof(Known), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	marks.size = 2 * size_before;
	for (uint32 i = 0; i < size_before; ++i)
		if (before[i].length != 0)
			find(before[i].bytes, before[i].length, before[i].hash) = before[i];
	pfree(before);
}

} // namespace

void
begin_image(StringInfo image, Oid log) noexcept
{
	resetStringInfo(image);
	appendBinaryStringInfo(image, reinterpret_cast<const char *>(&log), sizeof log);
}

void
add_to_image(StringInfo image, Datum value, bool null, int16 length, bool by_value) noexcept
{
	appendStringInfoChar(image, null ? 1 : 0);
	if (null)
		return;
	if (by_value)
	{
		appendBinaryStringInfo(image, reinterpret_cast<const char *>(&value), sizeof value);
		return;
	}
	const Size size = datumGetSize(value, false, length);
	appendBinaryStringInfo(image, reinterpret_cast<const char *>(&size), sizeof size);
	appendBinaryStringInfo(image, DatumGetPointer(value), static_cast<int>(size));
}

bool
remember_mark(const StringInfoData &image) noexcept
{
	const uint32 hash = hash_bytes(reinterpret_cast<const unsigned char *>(image.data), image.len);

	if (marks.memory != nullptr && MemoryContextMemAllocated(marks.memory, false) > memory_limit)
		forget_marks();
	if (marks.memory == nullptr)
		begin();
	if (find(image.data, image.len, hash).length != 0)
		return false;
	if (marks.used >= marks.size / 2)
		grow();
	char *const bytes = static_cast<char *>(MemoryContextAlloc(marks.memory, image.len));
	memcpy(bytes, image.data, image.len);
	find(image.data, image.len, hash) = {hash, image.len, bytes};
	++marks.used;
	return true;
}

void
forget_marks() noexcept
{
	const MemoryContext memory = marks.memory;

	marks = {};
	if (memory != nullptr)
		MemoryContextDelete(memory);
}

} // namespace remedy::rollup

#include "index_advice/advised_memory.hpp"

#include "index_advice/advised.hpp"
#include "index_advice/canonical.hpp"
#include "observe/persistence.hpp"

extern "C" {
#include "utils/inval.h"
}

namespace remedy::index_advice {

AdvisedMemory *advised_memory = nullptr;

bool detail::look_is_due = false;

namespace {

Size
region_bytes(int)
{
	return sizeof(AdvisedMemory);
}

void
placed(void *memory, int)
{
	advised_memory = static_cast<AdvisedMemory *>(memory);
}

constexpr std::uint64_t
watch_word(Oid database, Oid relation) noexcept
{
	return static_cast<std::uint64_t>(database) << 32 | relation;
}

// Of any transaction, ours or another's; no relation: of all.
void
relation_changed(Datum, Oid relation)
{
	if (detail::look_is_due || advised_memory == nullptr)
		return;
	for (const std::atomic<std::uint64_t> &word : advised_memory->watched)
	{
		const std::uint64_t watched = word.load(std::memory_order_relaxed);
		if (watched == watch_word(MyDatabaseId, relation) ||
			(!OidIsValid(relation) && watched >> 32 == MyDatabaseId && watched != 0))
			detail::look_is_due = true;
	}
}

// The file holds nobody's values; the form is enough to know the index by.
void
save(observe::RecordWriter &writer)
{
	Advised *const entry = static_cast<Advised *>(palloc(sizeof(Advised)));

	for (const Advised &there : advised_memory->table.entries)
	{
		advised_region.acquire(LW_SHARED);
		*entry = there;
		advised_region.release();
		mask_constants(entry->definition);
		if (entry->database != 0)
			writer.put(entry, sizeof(*entry));
	}
}

bool
load(const char *record, Size bytes)
{
	Advised entry;

	if (bytes != sizeof(entry))
		return false;
	memcpy(static_cast<void *>(&entry), record, sizeof(entry));
	if (!entry.makes_sense() || !advised_memory->table.take_back(entry))
		return false;
	update_watched();
	return true;
}

const observe::Section section = {"advised indexes", 1, save, load};

} // namespace

server::Region advised_region = {"pg_remedy advised indexes", region_bytes, placed, nullptr, nullptr};

void
update_watched() noexcept
{
	for (int i = 0; i < advised_limit; ++i)
	{
		const Advised &entry = advised_memory->table.entries[i];
		const bool waits = entry.database != 0 && !entry.confirmed;
		advised_memory->watched[i].store(waits ? watch_word(entry.database, entry.relation) : 0,
										 std::memory_order_relaxed);
	}
}

void
declare_advised_memory() noexcept
{
	observe::declare_section(section);
	server::declare_region(advised_region);
	CacheRegisterRelcacheCallback(relation_changed, 0);
}

} // namespace remedy::index_advice

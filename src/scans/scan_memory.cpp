#include "scans/scan_memory.hpp"

#include "observe/persistence.hpp"
#include "scans/saving.hpp"
#include "scans/scan_table.hpp"

namespace remedy::scans {

namespace {

constexpr int session_limit = 512; // without preloading only this session counts

int shared_limit = 2000; // pg_remedy.max_scans

unsigned
entries_for(int backends) noexcept
{
	return TYPEALIGN_DOWN(set_size, backends > 1 ? shared_limit : session_limit);
}

Size
store_bytes(int backends) noexcept
{
	return CACHELINEALIGN(offsetof(Store, entries) + entries_for(backends) * sizeof(Entry));
}

Size
region_bytes(int backends)
{
	return add_size(store_bytes(backends), observe::Slots<BackendScans>::bytes(backends));
}

void
placed(void *memory, int backends)
{
	store = static_cast<Store *>(memory);
	store->entry_count = entries_for(backends);
	slots.place(static_cast<char *>(memory) + store_bytes(backends));
}

} // namespace

Store *store = nullptr;
observe::Slots<BackendScans> slots;
server::Region region = {"pg_remedy scans", region_bytes, placed, nullptr, nullptr};

Entry &
store_entry(const Key &key, std::uint64_t hash) noexcept
{
	return entry_for(store->entries, store->entry_count, key, hash, store->others);
}

void
declare_scan_table() noexcept
{
	observe::declare_section(section);
	server::declare_region(region);
	if (server::preloaded())
		DefineCustomIntVariable("pg_remedy.max_scans",
								"Number of scans by statement, table and predicate that are kept.", nullptr,
								&shared_limit, 2000, 64, 100000, PGC_POSTMASTER, 0, nullptr, nullptr, nullptr);
}

} // namespace remedy::scans

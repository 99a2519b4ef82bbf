#include "scans/scan_table.hpp"

#include "observe/patience.hpp"
#include "scans/scan_memory.hpp"

namespace remedy::scans {

namespace {

bool
lies_in(const Subject &subject, Oid database, Oid user, std::uint64_t fingerprint) noexcept
{
	return (database == 0 || subject.database == database) && (user == 0 || subject.user == user) &&
		   (fingerprint == 0 || subject.fingerprint == fingerprint);
}

// Calls visit(slot) for each backend's entries of this generation, with the lock held.
template <class Visit>
void
visit_backends(BackendScans *copy, Visit &&visit) noexcept
{
	const std::uint64_t generation = store->generation.load(std::memory_order_relaxed);

	for (int i = 0; i < server::slot_limit(); ++i)
		if (observe::read_patiently(slots[i], *copy) && copy->generation == generation)
			visit(*copy);
}

int
compare(const void *left, const void *right) noexcept
{
	const Key &one = static_cast<const Entry *>(left)->key;
	const Key &other = static_cast<const Entry *>(right)->key;

	if (one.subject.fingerprint != other.subject.fingerprint)
		return one.subject.fingerprint < other.subject.fingerprint ? -1 : 1;
	return std::memcmp(&one, &other, sizeof(Key));
}

} // namespace

void
reset_scans() noexcept
{
	region.acquire(LW_EXCLUSIVE);
	for (unsigned i = 0; i < store->entry_count; ++i)
		store->entries[i].hash = 0;
	store->others = {};
	store->generation.fetch_add(1, std::memory_order_relaxed);
	region.release();
}

void
reset_scans_of(Oid database, Oid user, std::uint64_t fingerprint) noexcept
{
	BackendScans *const copy = static_cast<BackendScans *>(palloc(sizeof(BackendScans)));
	const Time now = GetCurrentTimestamp();

	region.acquire(LW_EXCLUSIVE);
	for (unsigned i = 0; i < store->entry_count; ++i)
		if (lies_in(store->entries[i].key.subject, database, user, fingerprint))
			store->entries[i].hash = 0;
	visit_backends(copy, [=](const BackendScans &scans) {
		for (const Entry &entry : scans.entries)
			if (entry.hash != 0 && lies_in(entry.key.subject, database, user, fingerprint))
			{
				Entry &target = store_entry(entry.key, entry.hash);
				target.counts.subtract(entry.counts);
				target.forgotten = now;
				target.touched = store->folds;
			}
	});
	region.release();
	pfree(copy);
}

TableStatus
table_status() noexcept
{
	TableStatus status = {0, static_cast<int>(store->entry_count), 0};
	const std::uint64_t generation = store->generation.load(std::memory_order_relaxed);

	region.acquire(LW_SHARED);
	for (unsigned i = 0; i < store->entry_count; ++i)
		status.used += store->entries[i].hash != 0 && store->entries[i].counts.are_shown();
	status.missed = store->others.missed;
	for (int i = 0; i < server::slot_limit(); ++i)
		if (slots[i].own().generation == generation)
			status.missed += slots[i].own().others.missed;
	region.release();
	return status;
}

Contents
read_scans() noexcept
{
	const unsigned limit = store->entry_count;
	Entry *const entries = static_cast<Entry *>(MemoryContextAllocHuge(CurrentMemoryContext, limit * sizeof(Entry)));
	BackendScans *const copy = static_cast<BackendScans *>(palloc(sizeof(BackendScans)));
	Contents contents = {entries, 0, {}};

	region.acquire(LW_SHARED);
	memcpy(static_cast<void *>(entries), store->entries, limit * sizeof(Entry));
	contents.others = store->others;
	visit_backends(copy, [&](const BackendScans &scans) {
		contents.others.add(scans.others);
		for (const Entry &entry : scans.entries)
			if (entry.hash != 0)
				entry_for(entries, limit, entry.key, entry.hash, contents.others).add(entry);
	});
	region.release();
	pfree(copy);
	for (unsigned i = 0; i < limit; ++i)
		if (entries[i].hash != 0 && entries[i].counts.are_shown())
			entries[contents.count++] = entries[i];
	qsort(entries, contents.count, sizeof(Entry), compare);
	return contents;
}

} // namespace remedy::scans

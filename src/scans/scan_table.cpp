#include "scans/scan_table.hpp"

#include "observe/patience.hpp"
#include "observe/persistence.hpp"
#include "observe/slots.hpp"
#include "server/shared.hpp"

namespace remedy::scans {

namespace {

constexpr int session_limit = 512;       // without preloading only this session counts
constexpr unsigned backend_entries = 64; // a power of two
constexpr unsigned fold_at = 48;         // beyond, looking for a free one takes long

int shared_limit = 2000; // pg_remedy.max_scans

// Open addressing; emptied as a whole.
struct BackendScans
{
	std::uint64_t generation;
	unsigned used;
	Others others;
	Entry entries[backend_entries];
};

struct Store
{
	std::atomic<std::uint64_t> generation;
	std::uint64_t folds;
	Others others;
	unsigned entry_count;
	Entry entries[FLEXIBLE_ARRAY_MEMBER];
};

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

Store *store = nullptr;
observe::Slots<BackendScans> slots;
observe::SingleWriter<BackendScans> *mine = nullptr;

void
placed(void *memory, int backends)
{
	store = static_cast<Store *>(memory);
	store->entry_count = entries_for(backends);
	slots.place(static_cast<char *>(memory) + store_bytes(backends));
}

server::Region region = {"pg_remedy scans", region_bytes, placed, nullptr, nullptr};

bool
outdated() noexcept
{
	return mine->own().generation != store->generation.load(std::memory_order_relaxed);
}

void
empty_mine() noexcept
{
	const std::uint64_t generation = store->generation.load(std::memory_order_relaxed);

	mine->write([generation](BackendScans &scans) {
		scans.generation = generation;
		scans.used = 0;
		scans.others = {};
		for (Entry &entry : scans.entries)
			entry.hash = 0;
	});
}

// The lock is held exclusively.
void
fold_locked() noexcept
{
	if (!outdated())
	{
		const std::uint64_t number = ++store->folds;
		for (const Entry &entry : mine->own().entries)
			if (entry.hash != 0)
			{
				Entry &target = entry_for(store->entries, store->entry_count, entry.key, entry.hash, store->others);
				target.add(entry.counts, entry.first_seen, entry.last_seen);
				target.touched = number;
			}
		store->others.add(mine->own().others);
	}
	empty_mine();
}

void
fold_at_end(int, Datum) noexcept
{
	region.acquire(LW_EXCLUSIVE);
	fold_locked();
	region.release();
	mine = nullptr;
}

// A parallel worker of a session without preloading has memory that nobody reads.
bool
attach() noexcept
{
	if (likely(mine != nullptr))
		return true;
	if (proc_exit_inprogress || (IsParallelWorker() && !server::preloaded()))
		return false;
	server::place_regions();
	before_shmem_exit(fold_at_end, 0);
	mine = &slots.own();
	empty_mine();
	return true;
}

// The place of what is counted, or a free one, or -1.  A volume has no predicate.
inline int
place_of(const Subject &subject, const Predicate *predicate) noexcept
{
	const Entry *const entries = mine->own().entries;
	const unsigned first = subject.fingerprint + subject.relation + static_cast<unsigned>(subject.method);

	for (unsigned i = 0; i < backend_entries; ++i)
	{
		const int place = (first + i) % backend_entries;
		const Entry &entry = entries[place];
		if (entry.hash == 0 ||
			(entry.key.subject == subject && (predicate == nullptr || entry.key.predicate == *predicate)))
			return place;
	}
	return -1;
}

void
fold_if_free() noexcept
{
	if (region.acquire_if_free(LW_EXCLUSIVE))
	{
		fold_locked();
		region.release();
	}
}

void
start_entry(Entry &entry, const Subject &subject, const Predicate *predicate) noexcept
{
	entry = {};
	entry.key.subject = subject;
	if (predicate != nullptr)
		entry.key.predicate = *predicate;
	entry.hash = hash_of(entry.key);
}

pg_noinline void
add(const Subject &subject, const Predicate *predicate, const Counts &counts) noexcept
{
	if (!attach())
		return;
	if (outdated())
		empty_mine();
	const Time now = GetCurrentStatementStartTimestamp();
	int place = place_of(subject, predicate);
	if (place < 0 || (mine->own().entries[place].hash == 0 && mine->own().used >= fold_at))
	{
		fold_if_free();
		place = place_of(subject, predicate);
	}
	mine->write([&](BackendScans &scans) {
		if (place < 0)
		{
			scans.others.miss(counts);
			return;
		}
		Entry &entry = scans.entries[place];
		if (entry.hash == 0)
		{
			++scans.used;
			start_entry(entry, subject, predicate);
		}
		entry.add(counts, now, now);
	});
}

// Two kinds of records, told apart by their size: entries, and one of the others.
void
save(observe::RecordWriter &writer)
{
	const Contents contents = read_scans();

	for (int i = 0; i < contents.count; ++i)
		writer.put(&contents.entries[i], sizeof(Entry));
	writer.put(&contents.others, sizeof(Others));
}

bool
load_entry(const char *record) noexcept
{
	Entry entry;

	memcpy(static_cast<void *>(&entry), record, sizeof(entry));
	const Key &key = entry.key;
	if (key.subject.method > Method::bitmap || key.predicate.count > clauses_per_predicate ||
		entry.hash != hash_of(key) || !entry.counts.are_shown())
		return false;
	entry_for(store->entries, store->entry_count, key, entry.hash, store->others)
		.add(entry.counts, entry.first_seen, entry.last_seen);
	return true;
}

bool
load(const char *record, Size bytes)
{
	Others others;

	if (bytes == sizeof(Entry))
		return load_entry(record);
	if (bytes != sizeof(others))
		return false;
	memcpy(&others, record, sizeof(others));
	store->others.add(others);
	return true;
}

const observe::Section section = {"scans", 1, save, load};

} // namespace

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

void
add_volume(const Subject &subject, std::uint64_t scans, std::uint64_t rows) noexcept
{
	const int place = likely(mine != nullptr && !outdated()) ? place_of(subject, nullptr) : -1;

	if (unlikely(place < 0 || mine->own().entries[place].hash == 0))
	{
		add(subject, nullptr, {scans, rows});
		return;
	}
	const Time now = GetCurrentStatementStartTimestamp();
	mine->write([=](BackendScans &all) {
		Entry &entry = all.entries[place];
		entry.counts.scans += scans;
		entry.counts.rows += rows;
		entry.last_seen = now;
	});
}

void
add_samples(const Subject &subject, const Predicate &predicate, const Counts &counts) noexcept
{
	add(subject, &predicate, counts);
}

void
add_others(const Others &others) noexcept
{
	if (!attach())
		return;
	if (outdated())
		empty_mine();
	mine->write([&others](BackendScans &scans) { scans.others.add(others); });
}

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
	return std::memcmp(&static_cast<const Entry *>(left)->key, &static_cast<const Entry *>(right)->key, sizeof(Key));
}

} // namespace

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
				Entry &target = entry_for(store->entries, store->entry_count, entry.key, entry.hash, store->others);
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
				entry_for(entries, limit, entry.key, entry.hash, contents.others)
					.add(entry.counts, entry.first_seen, entry.last_seen);
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

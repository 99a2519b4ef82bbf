#include "scans/scan_table.hpp"

#include "observe/patience.hpp"
#include "scans/scan_memory.hpp"
#include "server/versions.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace remedy::scans {

namespace {

constexpr unsigned fold_at = 48; // beyond, looking for a free one takes long

observe::SingleWriter<BackendScans> *mine = nullptr;

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
				Entry &target = store_entry(entry.key, entry.hash);
				target.add(entry);
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

inline unsigned
first_place(std::uint64_t fingerprint, Oid relation, Method method) noexcept
{
	return (static_cast<unsigned>(fingerprint) + relation + static_cast<unsigned>(method)) % backend_entries;
}

// The place of what is counted, or a free one, or -1.  A volume has no predicate.
inline int
place_of(const Subject &subject, const Predicate *predicate) noexcept
{
	const Entry *const entries = mine->own().entries;
	const unsigned first = first_place(subject.fingerprint, subject.relation, subject.method);

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
add(const Subject &subject, const Conditions *conditions, const Counts &counts) noexcept
{
	const Predicate *const predicate = conditions == nullptr ? nullptr : &conditions->predicate;

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
		if (conditions != nullptr)
			entry.constants.add(conditions->constants);
	});
}

pg_noinline void
add_other_volume(Owner owner, Oid relation, std::uint64_t scans, std::uint64_t rows) noexcept
{
	add(subject_of(relation, owner, Method::volume), nullptr, {scans, rows});
}

inline bool
is_volume(const Entry &entry, Owner owner, Oid relation) noexcept
{
	const Subject &subject = entry.key.subject;

	return entry.hash != 0 && subject.fingerprint == owner.fingerprint && subject.relation == relation &&
		   subject.method == Method::volume && subject.toplevel == owner.toplevel && subject.user == GetUserId() &&
		   subject.database == MyDatabaseId;
}

std::uint64_t
hash_of_text(const char *text) noexcept
{
	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(text), static_cast<int>(strlen(text)), 0);
}

ParallelQuery *
find_parallel(ParallelQueries &all, std::uint64_t text) noexcept
{
	for (ParallelQuery &query : all.queries)
		if (query.text == text)
			return &query;
	return nullptr;
}

} // namespace

void
tell_parallel_owner(const char *text, Owner owner) noexcept
{
	const std::uint64_t hash = hash_of_text(text);

	if (!attach())
		return;
	mine->write([=](BackendScans &scans) {
		ParallelQuery *const known = find_parallel(scans.parallel, hash);
		ParallelQuery *const query =
			known != nullptr ? known : &scans.parallel.queries[scans.parallel.next++ % parallel_limit];
		*query = {hash, owner};
	});
}

bool
find_parallel_owner(const char *text, Owner &owner) noexcept
{
	ParallelQueries all;

	if (!server::preloaded() || !observe::read_patiently(slots[server::leader_number()], &BackendScans::parallel, all))
		return false;
	const ParallelQuery *const query = find_parallel(all, hash_of_text(text));
	if (query != nullptr)
		owner = query->owner;
	return query != nullptr;
}

// Most entries are in the first place that is looked at.
void
add_volume(Owner owner, Oid relation, std::uint64_t scans, std::uint64_t rows) noexcept
{
	const unsigned place = first_place(owner.fingerprint, relation, Method::volume);

	if (unlikely(mine == nullptr || !is_volume(mine->own().entries[place], owner, relation) || outdated()))
	{
		add_other_volume(owner, relation, scans, rows);
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
add_samples(const Subject &subject, const Conditions &conditions, const Counts &counts) noexcept
{
	add(subject, &conditions, counts);
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

} // namespace remedy::scans

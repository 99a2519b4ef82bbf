// The memory of the scans' counts; its locking contract is scan_table.hpp's.

#pragma once

#include "observe/slots.hpp"
#include "scans/scan_table.hpp"
#include "server/shared.hpp"

namespace remedy::scans {

constexpr unsigned backend_entries = 64; // a power of two

// A query that parallel workers may be working for.
struct ParallelQuery
{
	std::uint64_t text; // its hash
	Owner owner;
};

// Inside a parallel query others may run that are.
constexpr unsigned parallel_limit = 4;

struct ParallelQueries
{
	ParallelQuery queries[parallel_limit];
	unsigned next;
};

// Open addressing; emptied as a whole.
struct BackendScans
{
	std::uint64_t generation;
	unsigned used;
	ParallelQueries parallel; // the last ones, which outlive a reset
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

// Null until the region is placed.
extern Store *store;
extern observe::Slots<BackendScans> slots;
extern server::Region region;

// What is added to the store, with the lock held exclusively.
Entry &store_entry(const Key &key, std::uint64_t hash) noexcept;

} // namespace remedy::scans

// The layout of the shared statistics, for the files that write, read and save them.

#pragma once

#include "observe/slots.hpp"
#include "observe/statistics.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

constexpr unsigned shared_groups = 256;
constexpr unsigned session_groups = 16; // without preloading only this session counts
constexpr unsigned session_statements = 512;

struct StoreHeader
{
	std::atomic<std::uint32_t> resets;
	unsigned capacity; // of statements and texts
	unsigned group_count;
	std::uint64_t folds;        // how many there were, to tell which group was folded last
	std::uint64_t times_missed; // calls that are missing from the percentiles
	std::uint64_t sizes_missed; // transactions that are
	std::uint64_t texts_missed; // texts that found no room
	TimestampTz reset_at;       // everything
};

// The parts of a store, in shared memory or in a copy of it.
struct Store
{
	StoreHeader *header;
	TransactionGroup *groups;
	StatementStore *statements;
	TextStore *texts;

	static Size bytes(unsigned capacity, unsigned group_count) noexcept;
	static Store at(void *memory, unsigned capacity, unsigned group_count) noexcept;
};

namespace detail {

extern server::Region region;
extern Store store;
extern Slots<BackendCounts> slots;

} // namespace detail

// A moment of the monotonic clock as a timestamp, by the offset of set_clock().
void set_clock() noexcept;
std::int64_t timestamp(Nanoseconds moment) noexcept;

// Adds what a slot holds to a store.
void fold_slot(const Store &store, const BackendCounts &slot) noexcept;

// Forgets what lies in the scope.  The region's lock is held exclusively.
void reset_store(const Scope &scope) noexcept;

struct StoreStatus
{
	int slots_used;
	int unread; // backends whose counts could not be read in time
	unsigned statements_used;
	unsigned statements_max;
	std::uint64_t evicted;
	std::uint64_t times_missed;
	std::uint64_t sizes_missed;
	std::uint64_t texts_missed;
	unsigned texts_used;
	TimestampTz reset_at;
};

// A copy of the store with all slots folded into it, in the current memory context.
Store merged_store(StoreStatus &status) noexcept;

} // namespace remedy::observe

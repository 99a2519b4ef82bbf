// Where findings are: the region of the table, its entries, and each backend's part of it.
// For the files of this room; finding_table.hpp has the locking contract.

#pragma once

#include <atomic>

#include "findings/finding_table.hpp"
#include "findings/units.hpp"
#include "observe/slots.hpp"
#include "server/shared.hpp"

namespace remedy::findings::detail {

constexpr int rows_per_backend = 16;
constexpr int units_per_backend = 33; // as many as repetition has children and loops, and one
constexpr int shared_unit_limit = 64;

struct Row
{
	Handle handle;
	Counts counts;
};

struct BackendRows
{
	Row rows[rows_per_backend];
	Unit units[units_per_backend];
};

struct Entry
{
	std::atomic<std::uint64_t> serial; // 0: free
	std::atomic<std::uint64_t> identity;
	std::atomic<bool> announced;
	Finding finding;
};

struct SharedUnit
{
	std::atomic<std::uint64_t> repeats; // of all sessions; only grows
	std::atomic<Nanoseconds> server;
	std::atomic<Nanoseconds> waiting;
	std::atomic<TimestampTz> last_seen;
	Handle handle; // serial 0: free
	std::uint64_t parent_rows;

	Counts counts() const noexcept
	{
		const std::uint64_t now = repeats.load(std::memory_order_relaxed);
		return {1,
				now,
				now,
				parent_rows,
				server.load(std::memory_order_relaxed),
				waiting.load(std::memory_order_relaxed),
				0,
				last_seen.load(std::memory_order_relaxed)};
	}
};

struct Table
{
	SharedUnit shared_units[shared_unit_limit];
	std::atomic<std::uint64_t> last_serial; // changed under the exclusive lock
	std::atomic<std::uint64_t> missed;
	std::atomic<int> used;
	int limit;
	Entry entries[FLEXIBLE_ARRAY_MEMBER];
};

extern Table *table;
extern observe::Slots<BackendRows> slots;
extern observe::SingleWriter<BackendRows> *mine; // null before attach()
extern const server::Region &region;

// From _PG_init.
void declare_memory() noexcept;

// This backend gets its part, which it keeps until it ends.
void attach() noexcept;

// Moves this backend's rows into the entries; the lock is held exclusively.
void fold_locked() noexcept;

inline bool
holds(Handle handle) noexcept
{
	return handle.serial != 0 && table->entries[handle.index].serial.load(std::memory_order_relaxed) == handle.serial;
}

} // namespace remedy::findings::detail

// The memory of the advice that was given; its locking contract is advised.hpp's.

#pragma once

#include <atomic>

#include "index_advice/advised_table.hpp"
#include "observe/observe.hpp"
#include "server/shared.hpp"

namespace remedy::index_advice {

struct AdvisedMemory
{
	// Database and table of each entry whose index is still to be noticed, else 0.
	std::atomic<std::uint64_t> watched[advised_limit];
	AdvisedTable table;
};

// Null until the region is placed.
extern AdvisedMemory *advised_memory;
extern server::Region advised_region;

// Declares the region, its section of the file, and the watch for changed relations.
void declare_advised_memory() noexcept;

// After entries were changed, with the lock still held.
void update_watched() noexcept;

} // namespace remedy::index_advice

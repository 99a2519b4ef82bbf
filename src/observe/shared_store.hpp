// The layout of the shared statistics, for the files that write, read and save them.

#pragma once

#include "observe/folding.hpp"
#include "observe/statistics.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

constexpr unsigned shared_groups = 256;
constexpr unsigned session_groups = 16; // without preloading only this session counts
constexpr unsigned session_statements = 512;

struct StoreHeader
{
	unsigned capacity; // of statements and texts
	unsigned group_count;
	std::uint64_t folds;                      // how many there were, to tell which group was folded last
	std::uint64_t times_missed;               // calls that are missing from the percentiles
	std::uint64_t sizes_missed;               // transactions that are
	std::uint64_t texts_missed;               // texts that found no room
	std::atomic<std::uint32_t> texts_unsaved; // that the last save left out
	TimestampTz reset_at;                     // everything
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

// One journal for each backend, side by side; no two share a cache line.
class Journals
{
public:
	static Size bytes(int backends) noexcept { return mul_size(stride, backends); }

	void place(void *memory) noexcept { memory_ = static_cast<char *>(memory); }

	Journal &operator[](int number) const noexcept { return *reinterpret_cast<Journal *>(memory_ + number * stride); }

	// The one that this process alone may write.
	Journal &own() const noexcept { return (*this)[server::slot_number()]; }

private:
	static constexpr Size stride = CACHELINEALIGN(sizeof(Journal));

	char *memory_ = nullptr;
};

namespace detail {

extern server::Region region;
extern Store store;
extern Journals journals;

} // namespace detail

// A fold makes timestamps of moments of the monotonic clock, by the offset of
// set_clock().
void set_clock() noexcept;

// The region's lock is held exclusively for these four.
void fold_texts(Journal &journal) noexcept;
void fold_journal(Journal &journal) noexcept;
int fold_all() noexcept; // returns how many backends there are
void reset_store(const Scope &scope) noexcept;

// Folds all journals; takes the lock.
void bring_up_to_date() noexcept;

struct StoreStatus
{
	int slots_used;
	unsigned statements_used;
	unsigned statements_max;
	std::uint64_t evicted;
	std::uint64_t times_missed;
	std::uint64_t sizes_missed;
	std::uint64_t texts_missed;
	unsigned texts_used;
	unsigned texts_unsaved;
	TimestampTz reset_at;
};

// Folds all journals too, but copies nothing.
StoreStatus store_status() noexcept;

// A copy of the store, in the current memory context, after all journals were folded;
// to be freed by its header.
Store merged_store() noexcept;

// A text without its constants, in its own encoding, in the current memory context.
char *normalised_text(const TextStore &texts, const TextStore::Record &record) noexcept;

} // namespace remedy::observe

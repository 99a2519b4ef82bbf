#include "observe/transaction_statistics.hpp"

#include "observe/patience.hpp"
#include "observe/slots.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

namespace {

constexpr unsigned shared_groups = 256;
constexpr unsigned session_groups = 16; // without preloading only this session counts

struct Store
{
	std::atomic<std::uint64_t> generation;
	std::uint64_t sizes_missed;
	std::uint64_t folds; // how many there were, to tell which group was folded last
	unsigned group_count;
	TransactionGroup groups[FLEXIBLE_ARRAY_MEMBER];
};

unsigned
groups_for(int backends) noexcept
{
	return backends > 1 ? shared_groups : session_groups;
}

Size
store_bytes(int backends) noexcept
{
	return CACHELINEALIGN(offsetof(Store, groups) + groups_for(backends) * sizeof(TransactionGroup));
}

Size
region_bytes(int backends)
{
	return add_size(store_bytes(backends), Slots<BackendCounts>::bytes(backends));
}

Store *store = nullptr;
Slots<BackendCounts> slots;
SingleWriter<BackendCounts> *mine = nullptr;
int lane_number = 0;
std::uint64_t statements_in_lane = 0; // of the running transaction; fewer than it has after a reset

void
placed(void *memory, int backends)
{
	store = static_cast<Store *>(memory);
	store->group_count = groups_for(backends);
	slots.place(static_cast<char *>(memory) + store_bytes(backends));
}

server::Region region = {"pg_remedy transactions", region_bytes, placed, nullptr, nullptr};

bool
outdated() noexcept
{
	return mine->own().generation != store->generation.load(std::memory_order_relaxed);
}

// The lock is held exclusively.
void
fold_locked(int number) noexcept
{
	const Lane &lane = mine->own().lanes[number];

	if (lane.used && !outdated())
		group_for(store->groups, store->group_count, lane.key, ++store->folds).fold(lane);
	if (!outdated())
		store->sizes_missed += mine->own().sizes_missed;
	mine->write([number](BackendCounts &counts) {
		counts.lanes[number].used = false;
		counts.lanes[number].pending = 0;
		counts.lanes[number].counts = {};
		counts.sizes_missed = 0;
	});
}

bool
try_fold(int number) noexcept
{
	if (!region.acquire_if_free(LW_EXCLUSIVE))
		return false;
	fold_locked(number);
	region.release();
	return true;
}

void
forget_outdated() noexcept
{
	const std::uint64_t generation = store->generation.load(std::memory_order_relaxed);

	mine->write([generation](BackendCounts &counts) {
		counts = {};
		counts.attached = true;
		counts.generation = generation;
	});
}

// A free lane, or the least busy one, folded.  If the store is busy the lane of
// another group takes the counts: the totals stay right.
int
new_lane(Oid user, const char *application) noexcept
{
	const BackendCounts &counts = mine->own();
	int choice = 0;

	for (int i = 0; i < static_cast<int>(lanes_per_backend); ++i)
	{
		if (counts.lanes[choice].used &&
			(!counts.lanes[i].used || counts.lanes[i].counts.statements < counts.lanes[choice].counts.statements))
			choice = i;
	}
	if (counts.lanes[choice].used && !try_fold(choice))
		return choice;
	mine->write([=](BackendCounts &changed) {
		Lane &lane = changed.lanes[choice];
		lane.used = true;
		lane.key.database = MyDatabaseId;
		lane.key.user = user;
		strlcpy(lane.key.application, application, sizeof(lane.key.application));
	});
	return choice;
}

bool
is_lane_of(const Lane &lane, Oid user, const char *application) noexcept
{
	return lane.used && lane.key.user == user && strcmp(lane.key.application, application) == 0;
}

int
lane_for(Oid user, const char *application) noexcept
{
	const BackendCounts &counts = mine->own();

	// Most sessions work for one group for ever.
	if (is_lane_of(counts.lanes[lane_number], user, application))
		return lane_number;
	for (int i = 0; i < static_cast<int>(lanes_per_backend); ++i)
		if (is_lane_of(counts.lanes[i], user, application))
			return i;
	return new_lane(user, application);
}

} // namespace

void
declare_transaction_statistics() noexcept
{
	server::declare_region(region);
}

void
attach() noexcept
{
	mine = &slots.own();
	forget_outdated();
}

void
detach() noexcept
{
	region.acquire(LW_EXCLUSIVE);
	for (int i = 0; i < static_cast<int>(lanes_per_backend); ++i)
		fold_locked(i);
	mine->write([](BackendCounts &counts) { counts.attached = false; });
	region.release();
	mine = nullptr;
}

void
begin_transaction_counts(Oid user) noexcept
{
	if (outdated())
		forget_outdated();
	lane_number = lane_for(user, application_name == nullptr ? "" : application_name);
	statements_in_lane = 0;
}

void
add_to_transaction(const GroupCounts &counts, Oid user) noexcept
{
	if (outdated())
		begin_transaction_counts(user);
	statements_in_lane += counts.statements;
	mine->write([&counts](BackendCounts &changed) { changed.lanes[lane_number].counts.add(counts); });
}

void
end_transaction_counts(std::uint64_t nested) noexcept
{
	if (outdated() || statements_in_lane == 0)
		return;
	mine->write([=](BackendCounts &counts) {
		counts.lanes[lane_number].counts.nested += nested;
		if (!counts.lanes[lane_number].add_transaction(statements_in_lane))
			++counts.sizes_missed;
	});
	if (mine->own().lanes[lane_number].pending >= sizes_per_lane / 2)
		try_fold(lane_number);
}

void
reset_transaction_statistics() noexcept
{
	region.acquire(LW_EXCLUSIVE);
	memset(store->groups, 0, store->group_count * sizeof(TransactionGroup));
	store->sizes_missed = 0;
	store->generation.fetch_add(1, std::memory_order_relaxed);
	region.release();
}

StoreStatus
read_groups(void (*visit)(void *context, const TransactionGroup &group), void *context) noexcept
{
	TransactionGroup *const merged =
		static_cast<TransactionGroup *>(palloc(store->group_count * sizeof(TransactionGroup)));
	BackendCounts *const copy = static_cast<BackendCounts *>(palloc(sizeof(BackendCounts)));
	StoreStatus status = {};

	region.acquire(LW_SHARED);
	memcpy(static_cast<void *>(merged), store->groups, store->group_count * sizeof(TransactionGroup));
	status.sizes_missed = store->sizes_missed;
	const std::uint64_t generation = store->generation.load(std::memory_order_relaxed);
	for (int i = 0; i < server::slot_limit(); ++i)
	{
		if (!read_patiently(slots[i], *copy))
		{
			++status.unread;
			continue;
		}
		if (!copy->attached || copy->generation != generation)
			continue;
		++status.slots_used;
		status.sizes_missed += copy->sizes_missed;
		for (const Lane &lane : copy->lanes)
			if (lane.used)
				group_for(merged, store->group_count, lane.key, store->folds).fold(lane);
	}
	region.release();
	for (unsigned i = 0; i < store->group_count; ++i)
		if (merged[i].used)
			visit(context, merged[i]);
	return status;
}

} // namespace remedy::observe

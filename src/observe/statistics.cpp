#include "observe/statistics.hpp"

#include "observe/settings.hpp"
#include "observe/shared_store.hpp"

namespace remedy::observe {

Store detail::store;
Slots<BackendCounts> detail::slots;
SingleWriter<BackendCounts> *detail::mine = nullptr;
unsigned detail::lane_number = 0;
Oid detail::lane_user = InvalidOid;
std::uint32_t detail::next_fold = 0;
const std::atomic<std::uint32_t> *detail::resets = nullptr;
std::uint32_t detail::resets_seen = 0;
std::uint64_t detail::statements_forgotten = 0;

namespace {

using detail::lane_number;
using detail::lane_user;
using detail::mine;
using detail::next_fold;
using detail::region;
using detail::resets_seen;
using detail::slots;
using detail::store;

unsigned
capacity_for(int backends) noexcept
{
	return backends > 1 ? static_cast<unsigned>(settings.max_statements) : session_statements;
}

unsigned
groups_for(int backends) noexcept
{
	return backends > 1 ? shared_groups : session_groups;
}

Size
store_bytes(int backends) noexcept
{
	return CACHELINEALIGN(Store::bytes(capacity_for(backends), groups_for(backends)));
}

Size
region_bytes(int backends)
{
	return add_size(store_bytes(backends), Slots<BackendCounts>::bytes(backends));
}

void
placed(void *memory, int backends)
{
	store = Store::at(memory, capacity_for(backends), groups_for(backends));
	detail::resets = &store.header->resets;
	slots.place(static_cast<char *>(memory) + store_bytes(backends));
	if (store.header->capacity != 0)
		return;
	store.header->capacity = capacity_for(backends);
	store.header->group_count = groups_for(backends);
	store.header->reset_at = GetCurrentTimestamp();
	store.statements->initialise(store.header->capacity);
	store.texts->initialise(store.header->capacity);
}

void
offer_text(std::uint64_t fingerprint, const RawText &text) noexcept
{
	if (fingerprint == 0 || text.bytes == nullptr || store.texts->mark(fingerprint))
		return;
	TextTraits traits = {};
	traits.encoding = static_cast<std::uint8_t>(GetDatabaseEncoding());
	traits.standard_strings = text.standard_strings;
	traits.cut = text.cut;
	traits.parameter_count = text.parameter_count;
	if (text.parameter_types != nullptr)
		memcpy(traits.parameter_types, text.parameter_types, text.parameter_count * sizeof(Oid));
	traits.database = MyDatabaseId;
	traits.user = text.user;
	if (!store.texts->add(fingerprint, traits, text.bytes, strlen(text.bytes)))
		++store.header->texts_missed;
}

void
offer_texts(const StatementSlot &statements) noexcept
{
	for (unsigned place = 0; place < StatementSlot::places; ++place)
	{
		const SlotEntry &entry = statements.entries[place];
		if (entry.last != 0)
			offer_text(entry.fingerprint, statement_text(entry.fingerprint));
	}
}

// What a fold makes room for, beside the rings.
enum class Room
{
	none,
	places,
	lanes,
};

// The lock is held exclusively.
void
fold_locked(Room wanted) noexcept
{
	const Nanoseconds when = now();

	set_clock();
	fold_slot(store, mine->own());
	offer_texts(mine->own().statements);
	mine->write([wanted, when](BackendCounts &counts) {
		wanted == Room::places ? counts.statements.clear(when) : counts.statements.empty(when);
		counts.transactions.empty(wanted != Room::lanes, when);
	});
	next_fold = StatementSlot::worth_folding;
	resets_seen = store.header->resets.load(std::memory_order_relaxed);
}

bool
try_fold(Room wanted) noexcept
{
	constexpr std::uint32_t pause = 64; // calls, before the next try

	if (!region.acquire_if_free(LW_EXCLUSIVE))
	{
		next_fold = mine->own().statements.pending + pause;
		return false;
	}
	fold_locked(wanted);
	region.release();
	return true;
}

void
introduce(const StatementKey &key, const RawText &text) noexcept
{
	if (store.statements->find(key) != StatementStore::none || !region.acquire_if_free(LW_EXCLUSIVE))
		return;
	store.statements->claim(key, GetCurrentTimestamp());
	offer_text(key.fingerprint, text);
	region.release();
}

bool
is_lane_of(const Lane &lane, Oid user, const char *application, const char *route) noexcept
{
	return lane.used && lane.key.user == user && strcmp(lane.key.application, application) == 0 &&
		   strcmp(lane.key.route, route) == 0;
}

// A free lane, if need be made so by a fold.  If the store is busy the lane of another
// group takes the counts: the totals stay right.
unsigned
new_lane(Oid user, const char *application, const char *route) noexcept
{
	const TransactionSlot &transactions = mine->own().transactions;
	unsigned choice = 0;

	while (choice < TransactionSlot::lane_count && transactions.lanes[choice].used)
		++choice;
	if (choice == TransactionSlot::lane_count)
	{
		choice = 0;
		if (!try_fold(Room::lanes))
			return choice;
	}
	mine->write([=](BackendCounts &changed) {
		Lane &lane = changed.transactions.lanes[choice];
		lane.used = true;
		lane.since = now();
		lane.key.database = MyDatabaseId;
		lane.key.user = user;
		strlcpy(lane.key.application, application, sizeof(lane.key.application));
		strlcpy(lane.key.route, route, sizeof(lane.key.route));
	});
	return choice;
}

} // namespace

server::Region detail::region = {"pg_remedy statistics", region_bytes, placed, nullptr, nullptr};

void
declare_statistics() noexcept
{
	if (process_shared_preload_libraries_in_progress)
		DefineCustomIntVariable("pg_remedy.max_statements", "Number of statements whose statistics are kept.",
								"The statistics of the least used ones beyond are kept in one sum.",
								&settings.max_statements, 5000, 100, 100000, PGC_POSTMASTER, 0, nullptr, nullptr,
								nullptr);
	server::declare_region(region);
}

void
attach() noexcept
{
	mine = &slots.own();
	mine->write([](BackendCounts &counts) {
		memset(static_cast<void *>(&counts), 0, sizeof(counts));
		counts.statements.clear(now());
		counts.statements.database = MyDatabaseId;
		counts.attached = true;
	});
	lane_user = InvalidOid;
	next_fold = StatementSlot::worth_folding;
	resets_seen = store.header->resets.load(std::memory_order_relaxed);
}

void
detach() noexcept
{
	region.acquire(LW_EXCLUSIVE);
	fold_locked(Room::none);
	mine->write([](BackendCounts &counts) { counts.attached = false; });
	region.release();
	mine = nullptr;
}

unsigned
slot_place(const StatementKey &key, const RawText &text) noexcept
{
	const StatementSlot &statements = mine->own().statements;
	unsigned place = statements.find(key);

	if (place == StatementSlot::others)
	{
		if (!try_fold(Room::places))
			return place;
		place = statements.find(key);
	}
	if (statements.is_free(place))
	{
		mine->write([&](BackendCounts &counts) {
			SlotEntry &entry = counts.statements.entries[place];
			entry.fingerprint = key.fingerprint;
			entry.user = key.user;
			entry.nested = key.nested;
		});
		introduce(key, text);
	}
	return place;
}

void
detail::choose_lane(Oid user, const char *route) noexcept
{
	const TransactionSlot &transactions = mine->own().transactions;

	if (is_reset())
		try_fold(Room::none);
	lane_user = user;
	for (lane_number = 0; lane_number < TransactionSlot::lane_count; ++lane_number)
		if (is_lane_of(transactions.lanes[lane_number], user, application(), route))
			return;
	lane_number = new_lane(user, application(), route);
}

void
detail::reset_in_transaction(std::uint64_t statements) noexcept
{
	if (try_fold(Room::none))
		statements_forgotten = statements;
}

void
detail::fold_rings() noexcept
{
	try_fold(Room::none);
}

void
reset_statistics(const Scope &scope) noexcept
{
	region.acquire(LW_EXCLUSIVE);
	if (mine != nullptr)
		fold_locked(Room::none);
	reset_store(scope);
	resets_seen = store.header->resets.fetch_add(1, std::memory_order_relaxed) + 1;
	region.release();
}

Nanoseconds
median_execution(std::uint64_t fingerprint, Oid user) noexcept
{
	TimeHistogram times = {};
	const StatementKey key = {fingerprint, MyDatabaseId, user, 0, 0};
	const StatementSlot &statements = mine->own().statements;
	const unsigned place = statements.find(key);

	if (region.acquire_if_free(LW_SHARED))
	{
		const std::uint32_t index = store.statements->find(key);
		if (index != StatementStore::none)
			times = (*store.statements)[index].times;
		region.release();
	}
	for (unsigned i = 0; i < statements.pending; ++i)
		if (place_of(statements.ring[i]) == place)
			times.add_to_bucket(bucket_in(statements.ring[i]));
	return static_cast<Nanoseconds>(times.percentile(0.5) << time_unit_bits);
}

} // namespace remedy::observe

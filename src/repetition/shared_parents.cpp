#include "repetition/shared_parents.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "findings/units.hpp"
#include "server/shared.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace remedy::repetition {

namespace {

constexpr int place_limit = 16;
constexpr int child_places = 4;
constexpr int text_bytes = findings::query_bytes;

// A statement that asks for the parent's rows.
struct SharedChild
{
	std::atomic<std::uint64_t> fingerprint; // 0: free
	std::atomic<std::uint32_t> repeats;
	std::atomic<std::uint64_t> sessions; // bits, by their number
	std::atomic<std::uint64_t> values;   // bits, by their hash
	std::atomic<Nanoseconds> server;
	std::atomic<Nanoseconds> waiting;
	std::atomic<int> unit; // number of the shared unit of work + 1; 0: none; -1: it is being reported, or cannot be
};

struct SharedParent
{
	std::atomic<bool> claimed;
	std::atomic<std::uint32_t> changes;
	std::atomic<Nanoseconds> used; // when it was filled, or linked to last; 0: free
	int session;                   // that filled it
	std::uint64_t client;          // a hash of database, user and application
	std::uint64_t fingerprint;
	std::uint64_t rows;
	std::uint8_t column_count;
	Column columns[columns_per_parent];
	ValueFilter values;
	Oid user;
	char text[text_bytes];
	SharedChild children[child_places];
};

struct Table
{
	std::atomic<Nanoseconds> used; // any place, last
	SharedParent parents[place_limit];
};

Table *table = nullptr;

server::Region region = {
	"pg_remedy shared parents", [](int backends) -> Size { return backends > 1 ? sizeof(Table) : 0; },
	[](void *memory, int backends) { table = backends > 1 ? static_cast<Table *>(memory) : nullptr; }, nullptr,
	nullptr};

std::uint64_t
client_hash() noexcept
{
	const std::uint64_t who = static_cast<std::uint64_t>(MyDatabaseId) << 32 | GetUserId();

	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(application_name),
							   static_cast<int>(strlen(application_name)), who);
}

// That of the session's last run of the statement, if nobody asked for its rows; else the
// one that was of no use for the longest time.
SharedParent &
place_for(std::uint64_t fingerprint) noexcept
{
	const int session = server::slot_number();

	for (SharedParent &place : table->parents)
		if (place.fingerprint == fingerprint && place.session == session &&
			place.children[0].fingerprint.load(std::memory_order_relaxed) == 0)
			return place;
	return *std::min_element(table->parents, table->parents + place_limit, [](const auto &one, const auto &other) {
		return one.used.load(std::memory_order_relaxed) < other.used.load(std::memory_order_relaxed);
	});
}

void
end_children(SharedParent &place) noexcept
{
	for (SharedChild &child : place.children)
	{
		const int unit = child.unit.exchange(0);
		if (unit > 0)
			findings::end_shared_unit(unit - 1);
		child.fingerprint.store(0, std::memory_order_relaxed);
		child.repeats.store(0, std::memory_order_relaxed);
		child.sessions.store(0, std::memory_order_relaxed);
		child.values.store(0, std::memory_order_relaxed);
		child.server.store(0, std::memory_order_relaxed);
		child.waiting.store(0, std::memory_order_relaxed);
	}
}

void
fill(SharedParent &place, const Parent &parent, const ParentText &text, Nanoseconds ended) noexcept
{
	place.client = client_hash();
	place.fingerprint = parent.fingerprint;
	place.rows = parent.rows;
	place.column_count = parent.column_count;
	std::copy_n(parent.columns, columns_per_parent, place.columns);
	place.values = parent.values;
	place.user = text.user;
	const int length = pg_mbcliplen(text.bytes, static_cast<int>(strlen(text.bytes)), text_bytes - 1);
	memcpy(place.text, text.bytes, length);
	place.text[length] = '\0';
	place.session = server::slot_number();
	place.used.store(ended, std::memory_order_relaxed);
}

// The child's place with the parent; null if all are taken.
SharedChild *
child_of(SharedParent &place, std::uint64_t fingerprint) noexcept
{
	for (SharedChild &child : place.children)
	{
		std::uint64_t holder = 0;
		if (child.fingerprint.compare_exchange_strong(holder, fingerprint) || holder == fingerprint)
			return &child;
	}
	return nullptr;
}

bool
is_current(const SharedParent &place, std::uint32_t change) noexcept
{
	std::atomic_thread_fence(std::memory_order_acquire);
	return place.changes.load(std::memory_order_relaxed) == change;
}

// The key's link to the place, if it has one; the closest column.
PoolLink
link_to(const SharedParent &place, int number, const Shape &shape, const ValueHash *values, TieFinder tie) noexcept
{
	const std::uint32_t change = place.changes.load(std::memory_order_acquire);
	PoolLink link = {-1, change, 0, 0, 0};
	Tie closest = Tie::none;

	if (change % 2 != 0)
		return link;
	for (std::uint8_t key = 0; key < shape.key_count; ++key)
		for (std::uint8_t column = 0; column < std::min<unsigned>(place.column_count, columns_per_parent); ++column)
		{
			if (values[key] == 0 || !place.values.contains(in_column(values[key], column)))
				continue;
			const Tie found = tie(shape.keys[key].column, place.columns[column]);
			if (found > closest)
				link = {number, change, key, column, values[key]};
			closest = std::max(closest, found);
		}
	if (!is_current(place, change))
		link.place = -1;
	return link;
}

// Calls write(place) in a change of the place, unless somebody else is at it.
template <class Write>
bool
change(SharedParent &place, Write &&write) noexcept
{
	bool free = false;

	if (!place.claimed.compare_exchange_strong(free, true, std::memory_order_acquire))
		return false;
	const std::uint32_t changes = place.changes.load(std::memory_order_relaxed);
	place.changes.store(changes + 1, std::memory_order_relaxed);
	std::atomic_thread_fence(std::memory_order_release);
	end_children(place);
	write(place);
	place.changes.store(changes + 2, std::memory_order_release);
	place.claimed.store(false, std::memory_order_release);
	return true;
}

} // namespace

void
declare_shared_parents() noexcept
{
	server::declare_region(region);
}

void
publish(const Parent &parent, const observe::RawText &raw, std::uint64_t rows, Nanoseconds ended) noexcept
{
	if (table == nullptr || rows < 2)
		return;
	const char *const normalised = observe::normalised(raw); // shared memory holds no constants
	const ParentText text = {normalised == nullptr ? "" : normalised, raw.user};

	if (change(place_for(parent.fingerprint), [&](SharedParent &place) { fill(place, parent, text, ended); }))
		table->used.store(ended, std::memory_order_relaxed);
}

void
withdraw_all() noexcept
{
	if (table == nullptr)
		return;
	for (SharedParent &place : table->parents)
		change(place, [](SharedParent &withdrawn) {
			withdrawn.fingerprint = 0;
			withdrawn.used.store(0, std::memory_order_relaxed);
		});
}

bool
any_published(Nanoseconds now, Nanoseconds parent_life) noexcept
{
	return table != nullptr && now - table->used.load(std::memory_order_relaxed) <= parent_life;
}

PoolLink
find_published(bool own, const Shape &shape, const ValueHash *values, Nanoseconds now, Nanoseconds parent_life,
			   TieFinder tie) noexcept
{
	PoolLink link = {-1, 0, 0, 0, 0};
	Nanoseconds latest = 0;

	if (!any_published(now, parent_life))
		return link;
	const std::uint64_t client = client_hash();
	for (int i = 0; i < place_limit; ++i)
	{
		const SharedParent &place = table->parents[i];
		const Nanoseconds used = place.used.load(std::memory_order_relaxed);
		if (used <= latest || now - used > parent_life || place.client != client ||
			place.fingerprint == shape.fingerprint || own != (place.session == server::slot_number()))
			continue;
		const PoolLink found = link_to(place, i, shape, values, tie);
		if (found.place < 0)
			continue;
		link = found;
		latest = used;
	}
	return link;
}

PoolLoop
note(const PoolLink &link, std::uint64_t fingerprint, Nanoseconds ended, Nanoseconds server, Nanoseconds waiting,
	 unsigned threshold) noexcept
{
	SharedParent &place = table->parents[link.place];
	SharedChild *const child = is_current(place, link.change) ? child_of(place, fingerprint) : nullptr;
	PoolLoop loop = {};

	if (child == nullptr)
		return loop;
	const std::uint64_t sessions = child->sessions.fetch_or(std::uint64_t{1} << server::slot_number() % 64) |
								   std::uint64_t{1} << server::slot_number() % 64;
	const std::uint64_t bit = std::uint64_t{1} << (link.value ^ link.value >> 32) % 64;
	const std::uint64_t values = child->values.fetch_or(bit) | bit;
	loop.repeats = child->repeats.fetch_add(1) + 1;
	loop.server = child->server.fetch_add(server) + server;
	loop.waiting = child->waiting.fetch_add(waiting) + waiting;
	loop.fingerprint = place.fingerprint;
	loop.column = place.columns[link.column];
	loop.rows = place.rows;
	const bool nearly_each_row = loop.repeats * std::uint64_t{5} >= loop.rows * 4;
	loop.found = loop.repeats >= (nearly_each_row ? threshold : 2 * threshold) && std::popcount(sessions) > 1 &&
				 static_cast<unsigned>(std::popcount(values)) >= threshold;
	place.used.store(ended, std::memory_order_relaxed);
	table->used.store(ended, std::memory_order_relaxed);
	const int unit = child->unit.load();
	loop.reported = unit != 0;
	if (!is_current(place, link.change)) // the unit may be another's
		return {};
	if (unit > 0)
		findings::raise_shared_unit(unit - 1, loop.repeats, loop.server, loop.waiting);
	return loop;
}

ParentText
text_of(const PoolLink &link) noexcept
{
	const SharedParent &place = table->parents[link.place];
	const ParentText text = {pnstrdup(place.text, text_bytes - 1), place.user};

	return is_current(place, link.change) ? text : ParentText{"", InvalidOid};
}

bool
claim_report(const PoolLink &link, std::uint64_t fingerprint) noexcept
{
	SharedParent &place = table->parents[link.place];
	SharedChild *const child = is_current(place, link.change) ? child_of(place, fingerprint) : nullptr;
	int none = 0;

	return child != nullptr && child->unit.compare_exchange_strong(none, -1);
}

void
set_unit(const PoolLink &link, std::uint64_t fingerprint, int unit) noexcept
{
	SharedParent &place = table->parents[link.place];
	SharedChild *const child = is_current(place, link.change) ? child_of(place, fingerprint) : nullptr;
	int claimed = -1;

	if (child == nullptr || !child->unit.compare_exchange_strong(claimed, unit + 1))
		findings::drop_shared_unit(unit);
}

} // namespace remedy::repetition

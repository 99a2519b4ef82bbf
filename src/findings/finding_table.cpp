#include "findings/finding_table.hpp"

#include <atomic>

#include "findings/muting.hpp"
#include "observe/patience.hpp"
#include "observe/persistence.hpp"
#include "observe/slots.hpp"
#include "server/shared.hpp"

namespace remedy::findings {

namespace {

constexpr int session_limit = 64; // without preloading only this session finds
constexpr int rows_per_backend = 16;
constexpr int units_per_backend = 32;
constexpr int shared_unit_limit = 64;
constexpr int applications_per_ailment = 16;

int shared_limit = 256; // pg_remedy.max_findings

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

int
limit_for(int backends) noexcept
{
	return backends > 1 ? shared_limit : session_limit;
}

Size
table_bytes(int backends) noexcept
{
	return CACHELINEALIGN(offsetof(Table, entries) + limit_for(backends) * sizeof(Entry));
}

Size
region_bytes(int backends)
{
	return add_size(table_bytes(backends), observe::Slots<BackendRows>::bytes(backends));
}

Table *table = nullptr;
observe::Slots<BackendRows> slots;
observe::SingleWriter<BackendRows> *mine = nullptr;

void
placed(void *memory, int backends)
{
	table = static_cast<Table *>(memory);
	table->limit = limit_for(backends);
	slots.place(static_cast<char *>(memory) + table_bytes(backends));
}

server::Region region = {"pg_remedy findings", region_bytes, placed, nullptr, nullptr};

bool
holds(Handle handle) noexcept
{
	return handle.serial != 0 && table->entries[handle.index].serial.load(std::memory_order_relaxed) == handle.serial;
}

// The lock is held exclusively.
void
fold_locked() noexcept
{
	for (const Row &row : mine->own().rows)
		if (holds(row.handle))
			table->entries[row.handle.index].finding.counts.add(row.counts);
	mine->write([](BackendRows &rows) { memset(static_cast<void *>(rows.rows), 0, sizeof(rows.rows)); });
}

void
fold_at_end(int, Datum) noexcept
{
	const bool undone = IsTransactionState() && TransactionIdIsValid(GetTopTransactionIdIfAny());

	for (int i = 0; i < units_per_backend; ++i)
		undone ? drop_unit(i) : end_unit(i);
	region.acquire(LW_EXCLUSIVE);
	fold_locked();
	region.release();
	mine = nullptr;
}

void
attach() noexcept
{
	if (mine != nullptr)
		return;
	before_shmem_exit(fold_at_end, 0);
	mine = &slots.own();
	mine->write([](BackendRows &rows) { rows = {}; });
}

// Needs no lock: an entry that is emptied meanwhile gives a handle that holds nothing.
Handle
find(std::uint64_t identity) noexcept
{
	for (int i = 0; i < table->limit; ++i)
	{
		const Entry &entry = table->entries[i];
		const std::uint64_t serial = entry.serial.load(std::memory_order_acquire);
		if (serial != 0 && entry.identity.load(std::memory_order_relaxed) == identity)
			return {static_cast<std::uint32_t>(i), serial};
	}
	return {};
}

// The lock is held.
bool
has_too_many_applications(const Finding &finding) noexcept
{
	int applications = 0;

	for (int i = 0; i < table->limit; ++i)
		applications += table->entries[i].serial.load(std::memory_order_relaxed) != 0 &&
						table->entries[i].finding.common_identity == finding.common_identity;
	return applications >= applications_per_ailment;
}

// The lock is held exclusively, and there is room.
Handle
add_entry(const Finding &finding, std::uint64_t identity, bool announced = false) noexcept
{
	int i = 0;

	while (table->entries[i].serial.load(std::memory_order_relaxed) != 0)
		++i;
	Entry &entry = table->entries[i];
	const std::uint64_t serial = table->last_serial.fetch_add(1, std::memory_order_relaxed) + 1;
	entry.announced.store(announced, std::memory_order_relaxed);
	entry.identity.store(identity, std::memory_order_relaxed);
	entry.finding = finding;
	entry.finding.identity = identity;
	entry.finding.counts = {};
	entry.serial.store(serial, std::memory_order_release);
	table->used.fetch_add(1, std::memory_order_relaxed);
	return {static_cast<std::uint32_t>(i), serial};
}

// The row of the handle's finding, else one that counts for no finding any more.
int
row_for(Handle handle) noexcept
{
	const BackendRows &rows = mine->own();
	int spare = -1;

	for (int i = 0; i < rows_per_backend; ++i)
	{
		if (rows.rows[i].handle.serial == handle.serial)
			return i;
		if (spare < 0 && !holds(rows.rows[i].handle))
			spare = i;
	}
	return spare;
}

} // namespace

namespace {

void
save(observe::RecordWriter &writer)
{
	const auto put = [](void *context, const Finding &finding) {
		static_cast<observe::RecordWriter *>(context)->put(&finding, sizeof(finding));
	};
	read_findings(put, &writer);
}

template <std::size_t... sizes>
bool
all_end(const char (&...texts)[sizes]) noexcept
{
	return (... && (memchr(texts, '\0', sizes) != nullptr));
}

// Text is shown as it is, so it must end somewhere.
bool
makes_sense(const Finding &finding) noexcept
{
	return finding.identity != 0 && finding.counts.units != 0 &&
		   all_end(finding.key, finding.database, finding.user_name, finding.application, finding.route, finding.level,
				   finding.kind, finding.direction, finding.client, finding.child_table, finding.child_column,
				   finding.parent_table, finding.parent_column, finding.child_query, finding.parent_query,
				   finding.batched_query);
}

bool
load(const char *record, Size bytes)
{
	Finding finding;

	if (bytes != sizeof(finding))
		return false;
	memcpy(&finding, record, sizeof(finding));
	if (!makes_sense(finding) || table->used.load() == table->limit || find(finding.identity).serial != 0)
		return false;
	table->entries[add_entry(finding, finding.identity).index].finding.counts = finding.counts;
	return true;
}

const observe::Section section = {"findings", 5, save, load};

} // namespace

void
declare_finding_table() noexcept
{
	observe::declare_section(section);
	server::declare_region(region);
	if (server::preloaded())
		DefineCustomIntVariable("pg_remedy.max_findings", "Number of findings that are kept.", nullptr, &shared_limit,
								256, 16, 10000, PGC_POSTMASTER, 0, nullptr, nullptr, nullptr);
}

bool
enter(const Finding &finding, Handle &handle) noexcept
{
	attach();
	handle = find(finding.identity);
	if (handle.serial == 0)
		handle = find(finding.common_identity);
	if (handle.serial != 0)
		return true;
	if (table->used.load(std::memory_order_relaxed) < table->limit)
	{
		const bool muted = is_muted(finding.key);
		region.acquire(LW_EXCLUSIVE);
		const std::uint64_t identity = has_too_many_applications(finding) ? finding.common_identity : finding.identity;
		handle = find(identity);
		if (handle.serial == 0 && table->used.load(std::memory_order_relaxed) < table->limit)
			handle = add_entry(finding, identity, muted);
		region.release();
	}
	if (handle.serial == 0)
		table->missed.fetch_add(1, std::memory_order_relaxed);
	return handle.serial != 0;
}

bool
is_new(const Finding &finding) noexcept
{
	return table->used.load(std::memory_order_relaxed) < table->limit && find(finding.identity).serial == 0 &&
		   find(finding.common_identity).serial == 0;
}

bool
exists(Handle handle) noexcept
{
	return holds(handle);
}

void
copy_batched_query(Handle handle, char (&to)[batched_query_bytes]) noexcept
{
	to[0] = '\0';
	if (!holds(handle))
		return;
	memcpy(to, table->entries[handle.index].finding.batched_query, sizeof(to));
	// The place may have been given to another finding meanwhile.
	std::atomic_thread_fence(std::memory_order_acquire);
	if (!holds(handle))
		to[0] = '\0';
}

namespace {

// Adds to a row, and takes the unit away in the same change: a reader sees it once.
bool
add_unit(Handle handle, const Counts &counts, int place) noexcept
{
	if (!holds(handle))
		return false;
	int row = row_for(handle);
	if (row < 0)
	{
		region.acquire(LW_EXCLUSIVE);
		fold_locked();
		region.release();
		row = 0;
	}
	mine->write([=, &counts](BackendRows &rows) {
		Row &target = rows.rows[row];
		if (target.handle.serial != handle.serial)
			target = {handle, {}};
		target.counts.add(counts);
		rows.units[place].handle = {};
	});
	return true;
}

int
place_for_unit() noexcept
{
	static unsigned next = 0;
	const BackendRows &rows = mine->own();

	for (int i = 0; i < units_per_backend; ++i)
		if (rows.units[i].handle.serial == 0)
			return i;
	const int place = next++ % units_per_backend;
	end_unit(place);
	return place;
}

} // namespace

int
begin_unit(const Unit &unit) noexcept
{
	attach();
	const int place = place_for_unit();
	mine->write([=, &unit](BackendRows &rows) { rows.units[place] = unit; });
	return place;
}

bool
write_unit(int place, const Unit &unit) noexcept
{
	if (!holds(unit.handle))
	{
		drop_unit(place);
		return false;
	}
	mine->write([=, &unit](BackendRows &rows) { rows.units[place] = unit; });
	return true;
}

// What another process reads of it is one word, whole before and after.
std::uint64_t &
repeats_of(int place) noexcept
{
	return const_cast<std::uint64_t &>(mine->own().units[place].repeats);
}

const Unit &
unit_at(int place) noexcept
{
	return mine->own().units[place];
}

void
end_unit(int place) noexcept
{
	const Unit unit = mine->own().units[place];

	if (unit.handle.serial == 0)
		return;
	if (!unit.counts_for_something() || !add_unit(unit.handle, unit.counts(), place))
		drop_unit(place);
}

void
drop_unit(int place) noexcept
{
	mine->write([place](BackendRows &rows) { rows.units[place].handle = {}; });
}

int
begin_shared_unit(Handle handle, std::uint64_t parent_rows) noexcept
{
	int place = shared_unit_limit - 1;

	region.acquire(LW_EXCLUSIVE);
	while (place >= 0 && holds(table->shared_units[place].handle))
		--place;
	if (place >= 0)
	{
		SharedUnit &unit = table->shared_units[place];
		unit.handle = handle;
		unit.parent_rows = parent_rows;
		unit.repeats.store(0, std::memory_order_relaxed);
		unit.server.store(0, std::memory_order_relaxed);
		unit.waiting.store(0, std::memory_order_relaxed);
	}
	region.release();
	return place;
}

void
raise_shared_unit(int place, std::uint64_t repeats, Nanoseconds server, Nanoseconds waiting) noexcept
{
	SharedUnit &unit = table->shared_units[place];
	const auto raise = [](auto &value, auto to) {
		auto before = value.load(std::memory_order_relaxed);
		while (before < to && !value.compare_exchange_weak(before, to, std::memory_order_relaxed))
			;
	};

	raise(unit.repeats, repeats);
	raise(unit.server, server);
	raise(unit.waiting, waiting);
	unit.last_seen.store(GetCurrentTimestamp(), std::memory_order_relaxed);
}

void
end_shared_unit(int place) noexcept
{
	SharedUnit &unit = table->shared_units[place];

	region.acquire(LW_EXCLUSIVE);
	if (holds(unit.handle) && unit.repeats.load(std::memory_order_relaxed) > 0)
		table->entries[unit.handle.index].finding.counts.add(unit.counts());
	unit.handle = {};
	region.release();
}

void
drop_shared_unit(int place) noexcept
{
	region.acquire(LW_EXCLUSIVE);
	table->shared_units[place].handle = {};
	region.release();
}

void
reset_findings() noexcept
{
	region.acquire(LW_EXCLUSIVE);
	for (int i = 0; i < table->limit; ++i)
		table->entries[i].serial.store(0, std::memory_order_relaxed);
	table->used.store(0, std::memory_order_relaxed);
	table->missed.store(0, std::memory_order_relaxed);
	region.release();
}

namespace {

// The lock is held shared: no entry comes or goes.
void
copy_entries(std::uint64_t *serials, Finding *findings) noexcept
{
	for (int i = 0; i < table->limit; ++i)
	{
		serials[i] = table->entries[i].serial.load(std::memory_order_relaxed);
		if (serials[i] != 0)
			findings[i] = table->entries[i].finding;
	}
}

} // namespace

TableStatus
table_status() noexcept
{
	return {table->used.load(std::memory_order_relaxed), table->limit, table->missed.load(std::memory_order_relaxed)};
}

void
read_findings(void (*visit)(void *context, const Finding &finding), void *context) noexcept
{
	std::uint64_t *const serials = static_cast<std::uint64_t *>(palloc(table->limit * sizeof(std::uint64_t)));
	Finding *const findings =
		static_cast<Finding *>(MemoryContextAllocHuge(CurrentMemoryContext, table->limit * sizeof(Finding)));
	BackendRows *const rows = static_cast<BackendRows *>(palloc(sizeof(BackendRows)));

	region.acquire(LW_SHARED);
	copy_entries(serials, findings);
	for (int i = 0; i < server::slot_limit(); ++i)
		if (observe::read_patiently(slots[i], *rows))
		{
			const auto counts_of = [=](Handle handle) -> Counts * {
				const bool current = handle.serial != 0 && serials[handle.index] == handle.serial;
				return current ? &findings[handle.index].counts : nullptr;
			};
			for (const Row &row : rows->rows)
				if (Counts *const counts = counts_of(row.handle))
					counts->add(row.counts);
			for (const Unit &unit : rows->units)
				if (Counts *const counts = counts_of(unit.handle); counts != nullptr && unit.counts_for_something())
					counts->add(unit.counts());
		}
	for (const SharedUnit &unit : table->shared_units)
		if (unit.handle.serial != 0 && serials[unit.handle.index] == unit.handle.serial &&
			unit.repeats.load(std::memory_order_relaxed) > 0)
			findings[unit.handle.index].counts.add(unit.counts());
	region.release();
	for (int i = 0; i < table->limit; ++i)
		// Of one without, the first counts are on their way.
		if (serials[i] != 0 && findings[i].counts.units > 0)
			visit(context, findings[i]);
}

std::uint64_t
newest_finding() noexcept
{
	return table->last_serial.load(std::memory_order_relaxed);
}

namespace {

void
describe(const Finding &finding, Announcement &announcement) noexcept
{
	memcpy(announcement.database, finding.database, sizeof(finding.database));
	memcpy(announcement.key, finding.key, sizeof(finding.key));
	memcpy(announcement.level, finding.level, sizeof(finding.level));
	memcpy(announcement.kind, finding.kind, sizeof(finding.kind));
	memcpy(announcement.direction, finding.direction, sizeof(finding.direction));
	memcpy(announcement.child_table, finding.child_table, sizeof(finding.child_table));
	memcpy(announcement.child_column, finding.child_column, sizeof(finding.child_column));
	memcpy(announcement.parent_table, finding.parent_table, sizeof(finding.parent_table));
	memcpy(announcement.parent_column, finding.parent_column, sizeof(finding.parent_column));
	memcpy(announcement.user_name, finding.user_name, sizeof(finding.user_name));
	memcpy(announcement.application, finding.application, sizeof(finding.application));
	memcpy(announcement.route, finding.route, sizeof(finding.route));
	// Where the entry is the common one, it is of many of them.
	if (finding.identity == finding.common_identity)
		announcement.application[0] = announcement.route[0] = '\0';
}

} // namespace

int
findings_to_announce(TimestampTz since, Announcement *&announcements) noexcept
{
	int count = 0;

	announcements =
		static_cast<Announcement *>(MemoryContextAllocHuge(CurrentMemoryContext, table->limit * sizeof(Announcement)));
	region.acquire(LW_SHARED);
	for (int i = 0; i < table->limit; ++i)
	{
		const Entry &entry = table->entries[i];
		const std::uint64_t serial = entry.serial.load(std::memory_order_relaxed);
		if (serial == 0 || entry.announced.load(std::memory_order_relaxed) || entry.finding.first_seen < since)
			continue;
		Announcement &announcement = announcements[count++];
		announcement.handle = {static_cast<std::uint32_t>(i), serial};
		describe(entry.finding, announcement);
	}
	region.release();
	std::sort(announcements, announcements + count, [](const Announcement &one, const Announcement &other) {
		return strcmp(one.database, other.database) < 0;
	});
	return count;
}

void
mark_announced(const Announcement *announcements, int count) noexcept
{
	region.acquire(LW_SHARED);
	for (int i = 0; i < count; ++i)
		if (holds(announcements[i].handle))
			table->entries[announcements[i].handle.index].announced.store(true, std::memory_order_relaxed);
	region.release();
}

} // namespace remedy::findings

#include "findings/finding_table.hpp"

#include "findings/muting.hpp"
#include "observe/patience.hpp"
#include "observe/persistence.hpp"
#include "findings/finding_memory.hpp"

namespace remedy::findings {

namespace {

using namespace detail;

constexpr int applications_per_ailment = 16;

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
	declare_memory();
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

} // namespace remedy::findings

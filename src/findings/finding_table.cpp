#include "findings/finding_table.hpp"

#include "observe/patience.hpp"
#include "observe/single_writer.hpp"
#include "server/shared.hpp"

namespace remedy::findings {

namespace {

constexpr int session_limit = 64; // without preloading only this session finds
constexpr int rows_per_backend = 16;

int shared_limit = 256; // pg_remedy.max_findings

struct Row
{
	Handle handle;
	Counts counts;
};

struct BackendRows
{
	Row rows[rows_per_backend];
};

using BackendSlot = observe::SingleWriter<BackendRows>;

struct Table
{
	std::uint64_t last_serial;
	std::uint64_t missed;
	int limit;
	Finding findings[FLEXIBLE_ARRAY_MEMBER];
};

// Rows of different backends share no cache line.
constexpr Size slot_bytes = (sizeof(BackendSlot) + PG_CACHE_LINE_SIZE - 1) / PG_CACHE_LINE_SIZE * PG_CACHE_LINE_SIZE;

int
limit_for(int backends) noexcept
{
	return backends > 1 ? shared_limit : session_limit;
}

Size
table_bytes(int backends) noexcept
{
	return CACHELINEALIGN(offsetof(Table, findings) + limit_for(backends) * sizeof(Finding));
}

Size
region_bytes(int backends)
{
	return add_size(table_bytes(backends), mul_size(slot_bytes, backends));
}

Table *table = nullptr;
char *slots = nullptr;
BackendSlot *mine = nullptr;

void
placed(void *memory, int backends)
{
	table = static_cast<Table *>(memory);
	table->limit = limit_for(backends);
	slots = static_cast<char *>(memory) + table_bytes(backends);
}

server::Region region = {"pg_remedy findings", region_bytes, placed, nullptr, nullptr};

BackendSlot &
slot(int number) noexcept
{
	return *reinterpret_cast<BackendSlot *>(slots + number * slot_bytes);
}

bool
holds(Handle handle) noexcept
{
	return handle.serial != 0 && table->findings[handle.index].serial == handle.serial;
}

// The lock is held exclusively.
void
fold_locked() noexcept
{
	for (const Row &row : mine->own().rows)
		if (holds(row.handle))
			table->findings[row.handle.index].counts.add(row.counts);
	mine->write([](BackendRows &rows) { rows = {}; });
}

void
fold_at_end(int, Datum) noexcept
{
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
	mine = &slot(server::slot_number());
	mine->write([](BackendRows &rows) { rows = {}; });
}

// The entry of the same identity, else a free one, else null.
Finding *
place_for(std::uint64_t identity) noexcept
{
	Finding *free = nullptr;

	for (int i = 0; i < table->limit; ++i)
	{
		Finding &finding = table->findings[i];
		if (finding.serial != 0 && finding.identity == identity)
			return &finding;
		if (finding.serial == 0 && free == nullptr)
			free = &finding;
	}
	return free;
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

void
declare_finding_table() noexcept
{
	server::declare_region(region);
	if (server::preloaded())
		DefineCustomIntVariable("pg_remedy.max_findings", "Number of findings that are kept.", nullptr, &shared_limit,
								256, 16, 10000, PGC_POSTMASTER, 0, nullptr, nullptr, nullptr);
}

bool
enter(const Finding &finding, Handle &handle) noexcept
{
	attach();
	handle = {};
	if (!region.acquire_if_free(LW_EXCLUSIVE))
		return true;
	Finding *const place = place_for(finding.identity);
	if (place == nullptr)
		++table->missed;
	else if (place->serial == 0)
	{
		*place = finding;
		place->counts = {};
		place->serial = ++table->last_serial;
	}
	if (place != nullptr)
		handle = {static_cast<std::uint32_t>(place - table->findings), place->serial};
	region.release();
	return place != nullptr;
}

bool
add(Handle handle, const Counts &counts) noexcept
{
	if (!holds(handle))
		return false;
	attach();
	int row = row_for(handle);
	if (row < 0)
	{
		if (!region.acquire_if_free(LW_EXCLUSIVE))
			return false;
		fold_locked();
		region.release();
		row = 0;
	}
	mine->write([row, handle, &counts](BackendRows &rows) {
		Row &target = rows.rows[row];
		if (target.handle.serial != handle.serial)
			target = {handle, {}};
		target.counts.add(counts);
	});
	return true;
}

void
reset_findings() noexcept
{
	region.acquire(LW_EXCLUSIVE);
	for (int i = 0; i < table->limit; ++i)
		table->findings[i].serial = 0;
	table->missed = 0;
	region.release();
}

TableStatus
read_findings(void (*visit)(void *context, const Finding &finding), void *context) noexcept
{
	Finding *const copy = static_cast<Finding *>(
		MemoryContextAllocHuge(CurrentMemoryContext, table->limit * sizeof(Finding)));
	BackendRows *const rows = static_cast<BackendRows *>(palloc(sizeof(BackendRows)));
	TableStatus status = {0, table->limit, 0};

	region.acquire(LW_SHARED);
	memcpy(static_cast<void *>(copy), table->findings, table->limit * sizeof(Finding));
	status.missed = table->missed;
	for (int i = 0; i < server::slot_limit(); ++i)
		if (observe::read_patiently(slot(i), *rows))
			for (const Row &row : rows->rows)
				if (row.handle.serial != 0 && copy[row.handle.index].serial == row.handle.serial)
					copy[row.handle.index].counts.add(row.counts);
	region.release();
	for (int i = 0; i < table->limit; ++i)
	{
		if (copy[i].serial == 0)
			continue;
		++status.used;
		if (visit != nullptr)
			visit(context, copy[i]);
	}
	return status;
}

} // namespace remedy::findings

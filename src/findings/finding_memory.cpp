#include "findings/finding_memory.hpp"

namespace remedy::findings {

detail::Table *detail::table = nullptr;
observe::Slots<detail::BackendRows> detail::slots;
observe::SingleWriter<detail::BackendRows> *detail::mine = nullptr;

namespace {

using namespace detail;

constexpr int session_limit = 64; // without preloading only this session finds

int shared_limit = 256; // pg_remedy.max_findings

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

void
placed(void *memory, int backends)
{
	table = static_cast<Table *>(memory);
	table->limit = limit_for(backends);
	slots.place(static_cast<char *>(memory) + table_bytes(backends));
}

server::Region own_region = {"pg_remedy findings", region_bytes, placed, nullptr, nullptr};

void
fold_at_end(int, Datum) noexcept
{
	for (int i = 0; i < units_per_backend; ++i)
		end_unit(i);
	region.acquire(LW_EXCLUSIVE);
	fold_locked();
	region.release();
	mine = nullptr;
}

} // namespace

const server::Region &detail::region = own_region;

void
detail::fold_locked() noexcept
{
	for (const Row &row : mine->own().rows)
		if (holds(row.handle))
			table->entries[row.handle.index].finding.counts.add(row.counts);
	mine->write([](BackendRows &rows) { memset(static_cast<void *>(rows.rows), 0, sizeof(rows.rows)); });
}

void
detail::attach() noexcept
{
	if (mine != nullptr)
		return;
	before_shmem_exit(fold_at_end, 0);
	mine = &slots.own();
	mine->write([](BackendRows &rows) { rows = {}; });
}

void
detail::declare_memory() noexcept
{
	server::declare_region(own_region);
	if (server::preloaded())
		DefineCustomIntVariable("pg_remedy.max_findings", "Number of findings that are kept.", nullptr, &shared_limit,
								256, 16, 10000, PGC_POSTMASTER, 0, nullptr, nullptr, nullptr);
}

} // namespace remedy::findings

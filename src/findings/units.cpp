#include "findings/units.hpp"

#include "findings/finding_memory.hpp"

namespace remedy::findings {

namespace {

using namespace detail;

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

} // namespace remedy::findings

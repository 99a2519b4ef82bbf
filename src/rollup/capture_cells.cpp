#include "rollup/capture_cells.hpp"

#include "rollup/known_marks.hpp"

extern "C" {
#include "lib/stringinfo.h"
#include "utils/datum.h"
}

namespace remedy::rollup {

namespace {

constexpr uint32 first_places = 32;

// ---- Finding a cell ------------------------------------------------------------------

uint32
hash_of(const Column &column, Datum value) noexcept
{
	if (!column.by_value)
		return datum_image_hash(value, false, column.length);
	uint64 bits = value;
	bits ^= bits >> 33;
	bits *= UINT64CONST(0xff51afd7ed558ccd);
	return static_cast<uint32>(bits ^ (bits >> 33));
}

uint32
hash_of(const Cells &cells, const RowValues &row) noexcept
{
	uint32 hash = 0;

	for (int i = 0; i <= cells.plan->keys; ++i)
		hash = hash * 31 + (row.null[i] ? 1 : hash_of(cells.plan->column[i], row.value[i]));
	return hash;
}

bool
is_of(const Cell &cell, const Cells &cells, const RowValues &row) noexcept
{
	for (int i = 0; i <= cells.plan->keys; ++i)
		if (!same_value(cells.plan->column[i], cell.identity.value[i], cell.identity.null[i], row.value[i],
						row.null[i]))
			return false;
	return true;
}

Cell **
place_of(const Cells &cells, uint32 hash, const RowValues &row) noexcept
{
	uint32 at = hash & (cells.places - 1);

	while (cells.place[at] != nullptr && (cells.place[at]->hash != hash || !is_of(*cells.place[at], cells, row)))
		at = (at + 1) & (cells.places - 1);
	return &cells.place[at];
}

void
grow(Cells &cells) noexcept
{
	cells.places = cells.places == 0 ? first_places : cells.places * 2;
	if (cells.place != nullptr)
		pfree(cells.place);
	cells.place = static_cast<Cell **>(
		MemoryContextAllocExtended(cells.memory, cells.places * sizeof(Cell *), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
	for (Cell *cell = cells.first; cell != nullptr; cell = cell->next)
	{
		uint32 at = cell->hash & (cells.places - 1);
		while (cells.place[at] != nullptr)
			at = (at + 1) & (cells.places - 1);
		cells.place[at] = cell;
	}
}

Cell *
make_cell(Cells &cells, uint32 hash, const RowValues &row) noexcept
{
	const CapturePlan &plan = *cells.plan;
	const MemoryContext before = MemoryContextSwitchTo(cells.memory);
	const int columns = plan.keys + 1;
	const Size amounts = sizeof(Amount) * plan.states, values = sizeof(Datum) * columns;
	char *const memory = static_cast<char *>(palloc0(sizeof(Cell) + amounts + values + columns));
	Cell *const cell = reinterpret_cast<Cell *>(memory);

	cell->hash = hash;
	cell->dirty = !plan.additive;
	cell->amount = reinterpret_cast<Amount *>(memory + sizeof(Cell));
	cell->identity = {reinterpret_cast<Datum *>(memory + sizeof(Cell) + amounts),
					  reinterpret_cast<bool *>(memory + sizeof(Cell) + amounts + values)};
	for (int i = 0; i < columns; ++i)
	{
		cell->identity.null[i] = row.null[i];
		if (!row.null[i])
			cell->identity.value[i] = kept(plan.column[i], row.value[i]);
	}
	(cells.last == nullptr ? cells.first : cells.last->next) = cell;
	cells.last = cell;
	++cells.count;
	MemoryContextSwitchTo(before);
	return cell;
}

Cell &
cell_of(Cells &cells, const RowValues &row) noexcept
{
	if (likely(cells.recent != nullptr && is_of(*cells.recent, cells, row)))
		return *cells.recent;
	if (cells.count >= cells.places / 2)
		grow(cells);
	const uint32 hash = hash_of(cells, row);
	Cell *&place = *place_of(cells, hash, row);
	if (place == nullptr)
		place = make_cell(cells, hash, row);
	cells.recent = place;
	return *place;
}

// ---- Marks ---------------------------------------------------------------------------------

// False if nothing is left of it.
bool
settle(const CapturePlan &plan, Cell &cell) noexcept
{
	bool something = cell.dirty;

	for (int i = 0; i < plan.states && !cell.dirty; ++i)
		something |= settle_amount(plan, plan.measured[i], cell.amount[i]);
	return something;
}

void
put_amounts(const CapturePlan &plan, const Cell &cell, const MarkLog::Columns &to) noexcept
{
	int extremes = plan.states;

	for (int i = 0; i < plan.states; ++i)
	{
		const Measured &measured = plan.measured[i];
		const Amount &amount = cell.amount[i];
		to.states[i] = state_of(measured, amount, to.null_states[i]);
		if (measured.order == nullptr)
			continue;
		to.null_states[extremes] = !amount.has_removed;
		to.states[extremes++] = amount.removed;
	}
}

void
put_identity(const CapturePlan &plan, const Cell &cell, const MarkLog::Columns &to) noexcept
{
	*to.bucket = cell.identity.value[0];
	*to.null_bucket = cell.identity.null[0];
	for (int i = 0; i < plan.keys; ++i)
	{
		to.keys[i] = cell.identity.value[i + 1];
		to.null_keys[i] = cell.identity.null[i + 1];
	}
}

bool
is_new(const CapturePlan &plan, const Cell &cell, StringInfo image) noexcept
{
	if (image->data == nullptr)
		initStringInfo(image);
	begin_image(image, plan.rollup->marks);
	for (int i = 0; i <= plan.keys; ++i)
		add_to_image(image, cell.identity.value[i], cell.identity.null[i], plan.column[i].length,
					 plan.column[i].by_value);
	return remember_mark(*image);
}

} // namespace

Cells
make_cells(const CapturePlan &plan, bool many) noexcept
{
	Cells cells = {};

	cells.plan = &plan;
	cells.own_memory = many;
	cells.memory = many ? AllocSetContextCreate(CurrentMemoryContext, "cells of a rollup", ALLOCSET_DEFAULT_SIZES)
						: CurrentMemoryContext;
	return cells;
}

void
take_row(Cells &cells, const RowValues &row, int sign) noexcept
{
	const CapturePlan &plan = *cells.plan;
	Cell &cell = cell_of(cells, row);

	for (int i = 0; i < plan.states; ++i)
	{
		const Measured &measured = plan.measured[i];
		if (measured.filter != 0 && (row.null[measured.filter] || !DatumGetBool(row.value[measured.filter])))
			continue;
		if (measured.value != 0 && row.null[measured.value])
			continue;
		if (!add_value(plan, cells.memory, measured, cell.amount[i], row.value[measured.value], sign))
			cell.dirty = true;
	}
}

void
write_marks(Cells &cells) noexcept
{
	const CapturePlan &plan = *cells.plan;
	const MemoryContext before = MemoryContextSwitchTo(cells.memory);
	MarkLog *log = nullptr;
	StringInfoData image = {};

	for (Cell *cell = cells.first; cell != nullptr; cell = cell->next)
	{
		if (!settle(plan, *cell) || (cell->dirty && !is_new(plan, *cell, &image)))
			continue;
		if (log == nullptr && (log = MarkLog::open(*plan.rollup, plan.mark)) == nullptr)
			break;
		const MarkLog::Columns to = log->add(cell->dirty ? Mark::dirty : Mark::added);
		put_identity(plan, *cell, to);
		if (!cell->dirty)
			put_amounts(plan, *cell, to);
	}
	if (log != nullptr)
		log->close();
	MemoryContextSwitchTo(before);
	if (cells.own_memory)
		MemoryContextReset(cells.memory);
	cells = {cells.plan, cells.memory, cells.own_memory};
}

} // namespace remedy::rollup

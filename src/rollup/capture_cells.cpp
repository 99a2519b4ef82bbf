#include "rollup/capture_cells.hpp"

#include <utility>

#include "rollup/histogram_state.hpp"
#include "rollup/known_marks.hpp"

extern "C" {
#include "lib/stringinfo.h"
#include "utils/datum.h"
#include "utils/numeric.h"
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

// What lasts, without pointers into other tables.
Datum
kept(const Column &column, Datum value) noexcept
{
	if (column.by_value)
		return value;
	if (column.length == -1)
	{
		struct varlena *const flat = PG_DETOAST_DATUM_PACKED(value);
		return flat == reinterpret_cast<struct varlena *>(DatumGetPointer(value)) ? datumCopy(value, false, -1)
																				  : PointerGetDatum(flat);
	}
	return datumCopy(value, false, column.length);
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

// ---- Adding ----------------------------------------------------------------------------

int64
integer_of(int16 length, Datum value) noexcept
{
	switch (length)
	{
	case sizeof(int16):
		return DatumGetInt16(value);
	case sizeof(int32):
		return DatumGetInt32(value);
	default:
		return DatumGetInt64(value);
	}
}

int128
signed_as(int sign, int128 value) noexcept
{
	return sign > 0 ? value : -value;
}

bool
add_square(Amount &amount, int64 value, int sign) noexcept
{
	int128 sum = amount.integer;

	if (__builtin_add_overflow(sum, signed_as(sign, static_cast<int128>(value) * value), &sum))
		return false;
	amount.integer = sum;
	return true;
}

// Not of NaN and the infinities, which nothing takes away again, nor of numbers whose sums or squares the server may
// not be able to compute: a user's statement must not fail for it.
bool
add_numeric(const Cells &cells, Amount &amount, Datum value, int sign, bool squared) noexcept
{
	const CapturePlan &plan = *cells.plan;

	value = PointerGetDatum(PG_DETOAST_DATUM(value));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, value, plan.numeric_limit)) ||
		DatumGetBool(DirectFunctionCall2(numeric_lt, value, plan.negative_limit)))
		return false;
	if (squared)
		value = DirectFunctionCall2(numeric_mul, value, value);
	const MemoryContext before = MemoryContextSwitchTo(cells.memory);
	const Datum sum = amount.has_datum ? amount.datum : NumericGetDatum(int64_to_numeric(0));
	amount.datum = DirectFunctionCall2(sign > 0 ? numeric_add : numeric_sub, sum, value);
	amount.has_datum = true;
	pfree(DatumGetPointer(sum));
	MemoryContextSwitchTo(before);
	return true;
}

bool
goes_before(const Measured &measured, Datum a, Datum b) noexcept
{
	if (measured.adding == Adding::greatest)
		std::swap(a, b);
	return measured.as_integers ? integer_of(measured.length, a) < integer_of(measured.length, b)
								: measured.order->comparator(a, b, measured.order) < 0;
}

void
add_extreme(const Cells &cells, const Measured &measured, Amount &amount, Datum value, int sign) noexcept
{
	const Column &column = cells.plan->column[measured.value];
	Datum &extreme = sign > 0 ? amount.datum : amount.removed;
	bool &known = sign > 0 ? amount.has_datum : amount.has_removed;

	if (known && !goes_before(measured, value, extreme))
		return;
	const MemoryContext before = MemoryContextSwitchTo(cells.memory);
	if (known && !column.by_value)
		pfree(DatumGetPointer(extreme));
	extreme = kept(column, value);
	known = true;
	MemoryContextSwitchTo(before);
}

void
add_to_histogram(const Cells &cells, Amount &amount, double value, int sign) noexcept
{
	if (!amount.has_datum)
		amount.datum = PointerGetDatum(new_histogram(cells.memory));
	amount.has_datum = true;
	count_value(*reinterpret_cast<HistogramState *>(DatumGetPointer(amount.datum)), value, sign);
}

// False if what comes of it cannot be told.
bool
add_value(const Cells &cells, const Measured &measured, Amount &amount, Datum value, int sign) noexcept
{
	amount.touched = true;
	switch (measured.adding)
	{
	case Adding::rows:
	case Adding::values:
		amount.integer += sign;
		return true;
	case Adding::integers:
		amount.integer += signed_as(sign, integer_of(measured.length, value));
		return true;
	case Adding::integer_squares:
		return add_square(amount, integer_of(measured.length, value), sign);
	case Adding::numerics:
		return add_numeric(cells, amount, value, sign, false);
	case Adding::numeric_squares:
		return add_numeric(cells, amount, value, sign, true);
	case Adding::least:
	case Adding::greatest:
		add_extreme(cells, measured, amount, value, sign);
		return true;
	case Adding::histogram:
		add_to_histogram(cells, amount, DatumGetFloat8(value), sign);
		return true;
	}
	return false;
}

// ---- What is left of it ------------------------------------------------------------------

// What was taken away does not matter if something as extreme was added: this is then a cell's extreme, or what it had
// and has still is more so.  If they are the same, nothing has happened.
void
settle_extreme(const Column &column, const Measured &measured, Amount &amount) noexcept
{
	if (!amount.has_datum || !amount.has_removed || goes_before(measured, amount.removed, amount.datum))
		return;
	amount.has_removed = false;
	amount.has_datum = !same_value(column, amount.datum, false, amount.removed, false);
}

// To its bytes.
void
settle_histogram(Amount &amount) noexcept
{
	if (!amount.has_datum)
		return;
	amount.datum = PointerGetDatum(histogram_bytes(*reinterpret_cast<HistogramState *>(DatumGetPointer(amount.datum))));
	amount.has_datum = DatumGetPointer(amount.datum) != nullptr;
}

bool
is_zero(Datum numeric) noexcept
{
	return DatumGetBool(DirectFunctionCall2(numeric_eq, numeric, NumericGetDatum(int64_to_numeric(0))));
}

bool
is_something(const Measured &measured, const Amount &amount) noexcept
{
	switch (measured.adding)
	{
	case Adding::least:
	case Adding::greatest:
		return amount.has_datum || amount.has_removed;
	case Adding::histogram:
		return amount.has_datum;
	case Adding::numerics:
	case Adding::numeric_squares:
		return amount.has_datum && !is_zero(amount.datum);
	default:
		return amount.integer != 0;
	}
}

bool
settle(const CapturePlan &plan, Cell &cell) noexcept
{
	bool something = cell.dirty;

	for (int i = 0; i < plan.states && !cell.dirty; ++i)
	{
		const Measured &measured = plan.measured[i];
		if (measured.order != nullptr)
			settle_extreme(plan.column[measured.value], measured, cell.amount[i]);
		else if (measured.adding == Adding::histogram)
			settle_histogram(cell.amount[i]);
		something = something || is_something(measured, cell.amount[i]);
	}
	return something;
}

// ---- Marks ---------------------------------------------------------------------------------

Datum
numeric_of(int128 value) noexcept
{
	char digits[48];
	char *at = digits + sizeof digits;
	uint128 rest = value < 0 ? -static_cast<uint128>(value) : static_cast<uint128>(value);

	if (value >= PG_INT64_MIN && value <= PG_INT64_MAX)
		return NumericGetDatum(int64_to_numeric(static_cast<int64>(value)));
	for (*--at = '\0'; rest != 0; rest /= 10)
		*--at = static_cast<char>('0' + static_cast<int>(rest % 10));
	if (value < 0)
		*--at = '-';
	return DirectFunctionCall3(numeric_in, CStringGetDatum(at), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

// A sum of no value is null, as the server's.
void
put_amounts(const CapturePlan &plan, const Cell &cell, const MarkLog::Columns &to) noexcept
{
	int extremes = plan.states;

	for (int i = 0; i < plan.states; ++i)
	{
		const Measured &measured = plan.measured[i];
		const Amount &amount = cell.amount[i];
		const bool counts = measured.adding == Adding::rows || measured.adding == Adding::values;
		to.null_states[i] = counts ? false : measured.takes_datum ? !amount.has_datum : !amount.touched;
		if (!to.null_states[i])
			to.states[i] = measured.takes_datum    ? amount.datum
						   : measured.sums_numeric ? numeric_of(amount.integer)
												   : Int64GetDatum(static_cast<int64>(amount.integer));
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

bool
same_value(const Column &column, Datum a, bool a_null, Datum b, bool b_null) noexcept
{
	if (a_null || b_null)
		return a_null && b_null;
	if (column.by_value)
		return a == b;
	return a == b || datum_image_eq(a, b, false, column.length);
}

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
		if (!add_value(cells, measured, cell.amount[i], row.value[measured.value], sign))
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

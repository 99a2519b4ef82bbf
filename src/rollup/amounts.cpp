#include "rollup/amounts.hpp"

#include <utility>

#include "rollup/histogram_state.hpp"

#include "server/numerics.hpp"

extern "C" {
#include "utils/datum.h"
#include "utils/numeric.h"
}

namespace remedy::rollup {

namespace {

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
add_numeric(MemoryContext memory, Amount &amount, Datum value, int sign, bool squared) noexcept
{
	if (!server::is_short_numeric(value))
		return false;
	if (squared)
		value = DirectFunctionCall2(numeric_mul, value, value);
	if (sign < 0)
		value = DirectFunctionCall1(numeric_uminus, value);
	if (amount.has_datum)
	{
		if (amount.sum == nullptr)
			amount.sum = server::add_to_sum(nullptr, amount.datum, memory);
		server::add_to_sum(amount.sum, value, memory);
		return true;
	}
	const MemoryContext before = MemoryContextSwitchTo(memory);
	amount.datum = datumCopy(value, false, -1);
	amount.has_datum = true;
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
add_extreme(const CapturePlan &plan, MemoryContext memory, const Measured &measured, Amount &amount, Datum value,
			int sign) noexcept
{
	const Column &column = plan.column[measured.value];
	Datum &extreme = sign > 0 ? amount.datum : amount.removed;
	bool &known = sign > 0 ? amount.has_datum : amount.has_removed;

	if (known && !goes_before(measured, value, extreme))
		return;
	const MemoryContext before = MemoryContextSwitchTo(memory);
	if (known && !column.by_value)
		pfree(DatumGetPointer(extreme));
	extreme = kept(column, value);
	known = true;
	MemoryContextSwitchTo(before);
}

void
add_to_histogram(MemoryContext memory, Amount &amount, double value, int sign) noexcept
{
	if (!amount.has_datum)
		amount.datum = PointerGetDatum(new_histogram(memory));
	amount.has_datum = true;
	count_value(*reinterpret_cast<HistogramState *>(DatumGetPointer(amount.datum)), value, sign);
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

// ---- To a mark ---------------------------------------------------------------------------

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

} // namespace

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

bool
same_value(const Column &column, Datum a, bool a_null, Datum b, bool b_null) noexcept
{
	if (a_null || b_null)
		return a_null && b_null;
	if (column.by_value)
		return a == b;
	return a == b || datum_image_eq(a, b, false, column.length);
}

bool
add_value(const CapturePlan &plan, MemoryContext memory, const Measured &measured, Amount &amount, Datum value,
		  int sign) noexcept
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
		return add_numeric(memory, amount, value, sign, false);
	case Adding::numeric_squares:
		return add_numeric(memory, amount, value, sign, true);
	case Adding::least:
	case Adding::greatest:
		add_extreme(plan, memory, measured, amount, value, sign);
		return true;
	case Adding::histogram:
		add_to_histogram(memory, amount, DatumGetFloat8(value), sign);
		return true;
	}
	return false;
}

bool
settle_amount(const CapturePlan &plan, const Measured &measured, Amount &amount) noexcept
{
	if (measured.order != nullptr)
		settle_extreme(plan.column[measured.value], measured, amount);
	else if (measured.adding == Adding::histogram)
		settle_histogram(amount);
	else if (amount.sum != nullptr)
		amount.datum = server::sum_of(amount.sum);
	return is_something(measured, amount);
}

Datum
state_of(const Measured &measured, const Amount &amount, bool &null) noexcept
{
	const bool counts = measured.adding == Adding::rows || measured.adding == Adding::values;

	null = counts ? false : measured.takes_datum ? !amount.has_datum : !amount.touched;
	if (null || measured.takes_datum)
		return amount.datum;
	return measured.sums_numeric ? numeric_of(amount.integer) : Int64GetDatum(static_cast<int64>(amount.integer));
}

} // namespace remedy::rollup

// What one statement adds to a state of a cell, and takes away from it.

#pragma once

#include "rollup/capture_plan.hpp"

namespace remedy::rollup {

// What has become of one state.
struct Amount
{
	int128 integer; // rows, values, and sums of integers
	void *sum;      // of numerics, if there is more than one
	Datum datum;    // sum of numerics; least or greatest value that was added
	Datum removed;  // least or greatest value that was taken away
	bool touched;   // a value that is not null was added or taken away
	bool has_datum;
	bool has_removed;
};

// False if what comes of it cannot be told.  What lasts is put into memory.
bool add_value(const CapturePlan &plan, MemoryContext memory, const Measured &measured, Amount &amount, Datum value,
			   int sign) noexcept;

// After all values.  False if nothing is left of them.
bool settle_amount(const CapturePlan &plan, const Measured &measured, Amount &amount) noexcept;

// As a mark keeps it.  A sum of no value is null, as the server's.
Datum state_of(const Measured &measured, const Amount &amount, bool &null) noexcept;

// What lasts, without pointers into other tables.
Datum kept(const Column &column, Datum value) noexcept;

// By their bytes.
bool same_value(const Column &column, Datum a, bool a_null, Datum b, bool b_null) noexcept;

} // namespace remedy::rollup

// The marks that this transaction has written and need not write again: cells that are dirty already.
//
// Everything is forgotten with the transaction, and when any part of it is rolled back, for the marks of that part are
// gone.  The memory is bounded: when it is full it begins anew, and some marks are written twice.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

// The bytes by which one is known; what is equal to others but not the same only makes for a second mark.
void begin_image(StringInfo image, Oid marks) noexcept;
void add_to_image(StringInfo image, Datum value, bool null, int16 length, bool by_value) noexcept;

// False if it is known already.
bool remember_mark(const StringInfoData &image) noexcept;

} // namespace remedy::rollup

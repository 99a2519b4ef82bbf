// One spelling for the definitions of indexes that do the same.

#pragma once

#include <cstddef>
#include <cstdint>

namespace remedy::index_advice {

// What follows the table's name in a CREATE INDEX command, as far as it decides what the
// index can be used for: without name, uniqueness, storage parameters and tablespace, and
// without the blanks and parentheses that are written in one place and not in another.
// "CREATE INDEX ON t (lower(b) DESC) WHERE c IS NULL" becomes
// "btree:lower b desc where c is null".  False if it does not fit.
bool write_canonical(const char *create_index, char *out, std::size_t size) noexcept;

// Puts a ? for each constant.
void mask_constants(char *create_index) noexcept;

// A hash of the canonical form; 0 of what is longer than any sensible definition.
std::uint64_t form_of(const char *create_index) noexcept;

} // namespace remedy::index_advice

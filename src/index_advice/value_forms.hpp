// Values that are made of a column's value: a pattern that it matches, a part of a
// document, a search for a word, how long ago a time was.

#pragma once

#include "index_advice/representative_values.hpp"

namespace remedy::index_advice {

// What the tie's value is made of this value of its column; null if nothing can be made.
Const *formed(const Tie &tie, Const *value, Frequency frequency) noexcept;

// A search for one word, of the type of the tie's value or text.
Const *search_for(const Tie &tie, Datum word) noexcept;

} // namespace remedy::index_advice

// Predicates in words, as far as their table is in this database and still there.

#pragma once

#include "scans/predicate.hpp"
#include "server/headers.hpp"

namespace remedy::scans {

// Each condition with its column and operator, as text[]: those of the index that the
// scan used, or the others.
Datum conditions_of(Oid relation, const Predicate &predicate, bool indexed) noexcept;

// All but those of the index, as SQL would have them: ? stands for a constant, $ for
// a parameter, ... for what cannot be told.
const char *predicate_text(Oid relation, const Predicate &predicate) noexcept;

} // namespace remedy::scans

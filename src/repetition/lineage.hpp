// The parent's side: which columns of a result are worth keeping, and the receiver
// that notes their values.

#pragma once

#include "repetition/fan_out.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

// Whether any output column of the query may be worth keeping, told without a catalog.
bool may_have_columns(const QueryDesc *query) noexcept;

// Chooses the output columns of the parent's query that are worth keeping, those
// of keys first, what is no column's last: of such, long values alone are noted.  False if
// somebody has locked a catalog that tells: this does not wait.
bool choose_columns(QueryDesc *query, Parent &parent) noexcept;

// Whether the query's result still has the parent's columns where they were.
bool has_columns(const QueryDesc *query, const Parent &parent) noexcept;

// A receiver that notes the parent's values and hands each row on.  There is one:
// it serves until the run it was made for has ended.
DestReceiver *note_values(QueryDesc *query, Parent &parent) noexcept;

} // namespace remedy::repetition

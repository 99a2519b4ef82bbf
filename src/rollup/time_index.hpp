// Whether rows of daily_rows from one time to another can be found without a scan of the source.

#pragma once

#include "server/headers.hpp"

namespace remedy::rollup {

// By the view's definition, so that it can be asked while there is no remedy.rollup, as in a restore: of any view whose
// first column is a table's, else false.
bool has_index_on_time(Oid rows) noexcept;

} // namespace remedy::rollup

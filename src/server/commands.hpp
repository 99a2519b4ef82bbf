// SQL of ours, with the caller's rights and search_path.

#pragma once

#include "server/headers.hpp"

namespace remedy {

// Raises the command's error.
void run_sql(const char *format, ...) noexcept pg_attribute_printf(1, 2);

// As that role, and restricted, as the server's own maintenance commands are.
void run_as(Oid role, const char *command) noexcept;

} // namespace remedy

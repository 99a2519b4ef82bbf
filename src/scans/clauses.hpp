// What a scan asks of its rows, from its plan, and in words.

#pragma once

#include "scans/conditions.hpp"
#include "server/headers.hpp"

namespace remedy::scans {

// The conditions of one scan of the query's plan, those of its index too.
void describe_scan(const Plan *plan, const QueryDesc &query, Conditions &conditions) noexcept;

} // namespace remedy::scans

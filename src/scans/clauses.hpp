// What a scan asks of its rows, from its plan, and in words.

#pragma once

#include "scans/predicate.hpp"
#include "server/headers.hpp"

namespace remedy::scans {

// Fills in the conditions of a plan's scan, those of its index too; params tells
// whether the statement was given values.
void describe_scan(const Plan *plan, ParamListInfo params, Predicate &predicate) noexcept;

} // namespace remedy::scans

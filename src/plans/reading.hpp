// Texts of kept plans, for a reader.

#pragma once

#include "plans/plan_table.hpp"
#include "server/headers.hpp"

namespace remedy::plans {

// A text in the encoding of this database; null where that lacks one of its
// characters.  Raises no error of its own.
const char *in_own_encoding(const char *text, int encoding) noexcept;

// The text, in whichever encoding, of a plan that was kept with its values.
const char *without_values(const PlanText &text, const char *plan) noexcept;

// The plan as this reader may see it.
const char *readable_plan(const KeptPlan &plan) noexcept;

} // namespace remedy::plans

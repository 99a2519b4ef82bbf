// findings: what other rooms may use of it.
//
// A room whose hooks find something enters it into the shared table
// (finding_table.hpp).  A room gives its findings to the view remedy.findings
// through one SQL function without arguments that returns SETOF remedy.finding.

#pragma once

#include "findings/finding_table.hpp"
#include "observe/observe.hpp"

namespace remedy::findings {

// From _PG_init.
void start() noexcept;

void reset(const observe::Scope &scope);

inline constexpr observe::Listener listener = {.reset = reset};

} // namespace remedy::findings

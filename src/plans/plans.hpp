// plans: the plans of slow statements, and which of them changed for the worse.
// Nothing of it is for other rooms.

#pragma once

#include "observe/observe.hpp"

namespace remedy::plans {

// From _PG_init.
void start() noexcept;

void reset(const observe::Scope &scope);
void slow(const observe::Statement &statement);

inline constexpr observe::Listener listener = {.reset = reset, .slow = slow};

} // namespace remedy::plans

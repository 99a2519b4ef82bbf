// plans: the plans of slow statements, and which of them changed for the worse.
// Nothing of it is for other rooms.

#pragma once

#include "observe/observe.hpp"

namespace remedy::plans {

// From _PG_init.
void start() noexcept;

extern const observe::Listener listener;

} // namespace remedy::plans

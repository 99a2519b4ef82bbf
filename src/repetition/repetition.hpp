// repetition: N+1, found from inside the server.
//
// Other rooms use nothing of it but its start.

#pragma once

#include "observe/observe.hpp"

namespace remedy::repetition {

// From _PG_init.
void start() noexcept;

extern const observe::Listener listener;

} // namespace remedy::repetition

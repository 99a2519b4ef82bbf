// Which statements are counted, and when: the hooks of the room.
//
// A statement is top-level when a client's portal runs it and no other statement is
// being executed; what runs inside one is nested.  A query is counted when its first
// run ends or fails; DECLARE CURSOR when the cursor is open, its fetches adding
// rows and time to it; any other utility command when it ends or fails.
// ExecutorStart failing is failing in execution.  A statement in which one of
// pg_remedy's functions ran is not counted.

#pragma once

#include "observe/observe.hpp"

namespace remedy::observe {

// From _PG_init.
void install_hooks() noexcept;

} // namespace remedy::observe

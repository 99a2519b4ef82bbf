// scans: which tables statements read from end to end, and which rows they keep.

#pragma once

#include "observe/observe.hpp"

namespace remedy::scans {

// From _PG_init.
void start() noexcept;

extern const observe::Listener listener;

} // namespace remedy::scans

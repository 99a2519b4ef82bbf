// Background workers that run a function of this library.

#pragma once

#include "server/headers.hpp"

namespace remedy::server {

// One that runs this exported function, may connect to a database, and starts as
// soon as clients may read, on a hot standby too.  The rest is zero.
BackgroundWorker describe_worker(const char *name, const char *function) noexcept;

} // namespace remedy::server

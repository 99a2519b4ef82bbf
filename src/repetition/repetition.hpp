// repetition: N+1, found from inside the server.
//
// Other rooms use nothing of it but its start.

#pragma once

namespace remedy::repetition {

// From _PG_init.
void start() noexcept;

} // namespace remedy::repetition

// plans: the plans of slow statements, and which of them changed for the worse.
// Nothing of it is for other rooms.

#pragma once

namespace remedy::plans {

// From _PG_init.
void start() noexcept;

} // namespace remedy::plans

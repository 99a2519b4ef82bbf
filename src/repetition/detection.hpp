// The detector of this session: what the hooks tell it, and what it remembers.

#pragma once

namespace remedy::repetition {

// From _PG_init.
void start_detection() noexcept;

// A setting or a watched stretch makes more of the statements worth a look, also of those
// that nothing was to be found out about in this unit of work.
void look_again() noexcept;

} // namespace remedy::repetition

// The detector of this session: what the hooks tell it, and what it remembers.

#pragma once

namespace remedy::repetition {

// From _PG_init.
void start_detection() noexcept;

} // namespace remedy::repetition

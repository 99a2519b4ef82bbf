// scans: which tables statements read from end to end, and which rows they keep.

#pragma once

namespace remedy::scans {

// From _PG_init.
void start() noexcept;

} // namespace remedy::scans

// Hints between sessions: shapes whose results are not worth keeping, as somebody
// found out.
//
// 4,096 words of shared memory, each the fingerprint of such a shape or 0, at a place
// that the fingerprint chooses.  They are read and written without lock or order: a
// collision merely overwrites, and a lost hint costs a hundred results noted in vain.

#pragma once

#include <cstdint>

namespace remedy::repetition {

// From _PG_init.
void declare_hints() noexcept;

bool is_hinted(std::uint64_t fingerprint) noexcept;
void hint(std::uint64_t fingerprint) noexcept;
void withdraw_hint(std::uint64_t fingerprint) noexcept;

} // namespace remedy::repetition

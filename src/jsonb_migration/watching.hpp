// Whether what hangs on some relations may have changed, without looking at it again.
//
// The server tells each session of changes to the catalogs: at the latest when the session
// gets a lock that who made the change held.  So under ACCESS EXCLUSIVE the answer is exact.

#pragma once

#include "server/headers.hpp"

namespace remedy::jsonb_migration {

// From now on these relations, instead of others; and all views, rules and functions.
void watch(const List *relations) noexcept;
bool has_changed() noexcept; // since then

} // namespace remedy::jsonb_migration

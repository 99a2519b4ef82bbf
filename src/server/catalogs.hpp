// Looking things up in the catalogs from a user's statement, which is not to wait for it.

#pragma once

#include "server/headers.hpp"

namespace remedy::server {

// Whether nobody has locked one of the catalogs that names, types, keys and indexes are
// looked up in, as a rewrite of it (VACUUM FULL) does.  Who looks a thing up at once does
// not wait, but for a lock that is taken in that moment.
bool catalogs_are_free() noexcept;

} // namespace remedy::server

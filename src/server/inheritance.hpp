// Which tables a table is a partition or child of.

#pragma once

#include "server/headers.hpp"

namespace remedy::server {

// Those directly above it, of a child the first named first.  What the catalog says; no lock is taken of any.
List *parents_of(Oid table) noexcept;

} // namespace remedy::server

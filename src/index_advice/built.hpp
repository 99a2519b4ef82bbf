// Which of a table's indexes is the one that was advised.

#pragma once

#include <cstdint>

#include "server/headers.hpp"

namespace remedy::index_advice {

struct Built
{
	Oid index;      // invalid: there is none
	bool committed; // by a transaction that is over
};

// The valid index of this form (canonical.hpp).  Reads catalogs.
Built find_built(Oid relation, std::uint64_t form) noexcept;

// Has definitions deparsed alike whatever the session's search path is, until the end of
// this transaction's or subtransaction's level: AtEOXact_GUC() with the result.
int begin_deparsing() noexcept;

} // namespace remedy::index_advice

// Which index serves an operator: asked of the catalogs, so that extensions' operators are
// served as well as the server's own.

#pragma once

#include "server/headers.hpp"

namespace remedy::index_advice {

struct Service
{
	const char *method;  // "btree", "gin" or "gist"; null: none
	const char *opclass; // qualified where need be; null: the type's default
	int strategy;        // of a B-tree: BTLessStrategyNumber …
};

// Of the index's column on the left of the operator.  B-trees before GIN before GiST.
Service service_for(Oid operation, Oid type) noexcept;

// How an operator class is written for a column of this type: null for one that does what
// the type's default one does.
const char *opclass_text(Oid opclass, Oid type) noexcept;

// The class that compares character by character, for prefixes; null if the type's default
// one does, or there is none.
const char *pattern_opclass(Oid type, Oid collation) noexcept;

// Whether the type has an order, as a column of a B-tree must.
bool has_order(Oid type) noexcept;

} // namespace remedy::index_advice

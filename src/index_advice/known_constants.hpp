// What was observed of the constants in a statement's text.

#pragma once

#include "index_advice/variants.hpp"
#include "scans/evidence.hpp"

namespace remedy::index_advice {

struct KnownConstants
{
	const scans::EvidenceList &evidence;
	std::uint64_t fingerprint;
};

// The context is a KnownConstants.
Recurrence recurrence_of(Oid relation, AttrNumber column, Oid operation, const Const *value, void *context);
bool recurs(Oid relation, AttrNumber column, Oid operation, const Const *value, void *context);

// A text from the statistics file has $n for its constants.  Those that recur, and are
// common values of their columns, are put back: the query, or a copy with them.
Query *with_constants(Query *query, const KnownConstants &known) noexcept;

} // namespace remedy::index_advice

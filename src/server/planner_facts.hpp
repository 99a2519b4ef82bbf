// What the planner knows of a query, where versions differ in how it keeps it.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "access/stratnum.h"
#include "nodes/pathnodes.h"
}

namespace remedy::server {

inline bool
descends(const PathKey *key) noexcept
{
#if PG_VERSION_NUM >= 180000
	return key->pk_cmptype == COMPARE_GT;
#else
	return key->pk_strategy == BTGreaterStrategyNumber;
#endif
}

// The expressions of a class of equals; of a child table those that stand for its parent's.
inline List *
members_of(const EquivalenceClass *equals, [[maybe_unused]] Index child) noexcept
{
#if PG_VERSION_NUM >= 180000
	return child == 0 ? equals->ec_members : equals->ec_childmembers == nullptr ? NIL : equals->ec_childmembers[child];
#else
	return equals->ec_members;
#endif
}

// Whether an outer join may make it null after the table was read.
inline bool
nulled_later([[maybe_unused]] const EquivalenceMember *member) noexcept
{
#if PG_VERSION_NUM >= 160000
	return false; // then it is of the join, not of the table
#else
	return member->em_nullable_relids != nullptr;
#endif
}

} // namespace remedy::server

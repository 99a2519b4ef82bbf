// An executor that changes rows of one table.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "parser/parse_relation.h"
}

namespace remedy::server {

inline void
set_range_table(EState *state, RangeTblEntry *entry) noexcept
{
#if PG_VERSION_NUM >= 160000
	List *permissions = NIL;

	addRTEPermissionInfo(&permissions, entry);
#endif
#if PG_VERSION_NUM >= 180000
	ExecInitRangeTable(state, list_make1(entry), permissions, bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
	ExecInitRangeTable(state, list_make1(entry), permissions);
#else
	ExecInitRangeTable(state, list_make1(entry));
#endif
}

} // namespace remedy::server

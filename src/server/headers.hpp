// The server's headers, made safe for C++.
//
// Every file that talks to the server includes this one, after its standard
// and Boost headers: the server's headers define macros (snprintf, Min, _)
// that would break headers read after them.  They carry no extern "C" of
// their own, hence the wrapper.

#pragma once

#include <csetjmp>
#include <cstddef>

extern "C" {
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_database.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "commands/explain.h"
#include "common/string.h"
#include "commands/prepare.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqsignal.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "parser/parsetree.h"
#include "parser/scanner.h"
#include "pgstat.h"
#include "port/pg_crc32c.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "rewrite/rewriteHandler.h"
#include "storage/dsm.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "storage/sinval.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_state.h"
#endif
#if PG_VERSION_NUM >= 160000
#include "nodes/queryjumble.h"
#include "varatt.h"
#else
#include "utils/queryjumble.h"
#endif
}

// In a server with assertions this calls abort(), a name that a room may have given to something of its own; and
// castNode() calls a function, which knows no const.
#ifdef USE_ASSERT_CHECKING
#undef pg_unreachable
#define pg_unreachable() ::abort()
inline Node *
castNodeImpl(NodeTag type, const void *node)
{
	return castNodeImpl(type, const_cast<void *>(node));
}
#endif

// Until version 16 the server's declarations do not mark exported symbols,
// so -fvisibility=hidden would hide them from the loader.
#define REMEDY_EXPORT_BEGIN                                                                                            \
	_Pragma("GCC visibility push(default)") extern "C"                                                                 \
	{
#define REMEDY_EXPORT_END                                                                                              \
	}                                                                                                                  \
	_Pragma("GCC visibility pop")

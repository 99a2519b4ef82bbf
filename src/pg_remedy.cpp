// The front door: what the server calls when it loads the library.

#include "server/headers.hpp"

#include "findings/findings.hpp"
#include "index_advice/advised.hpp"
#include "observe/observe.hpp"
#include "plans/plans.hpp"
#include "repetition/repetition.hpp"
#include "rollup/merge_moves.hpp"
#include "scans/scans.hpp"
#include "schedule/schedule.hpp"
#include "what_if/what_if.hpp"

REMEDY_EXPORT_BEGIN
PG_MODULE_MAGIC;
void _PG_init(void);
REMEDY_EXPORT_END

void
_PG_init(void)
{
	remedy::observe::start();
	remedy::findings::start();
	remedy::repetition::start();
	remedy::plans::start();
	remedy::scans::start();
	remedy::schedule::start();
	remedy::what_if::start();

	remedy::index_advice::start_advised();
	remedy::rollup::start();

	MarkGUCPrefixReserved("pg_remedy");
}

#include "findings/findings.hpp"

#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

namespace remedy::findings {

// A finding is of several statements: only a reset of everything forgets it.
void
reset(const observe::Scope &scope)
{
	if (scope.database == 0 && scope.user == 0 && scope.fingerprint == 0)
		reset_findings();
}

void
start() noexcept
{
	declare_finding_table();
}

} // namespace remedy::findings

using namespace remedy;

REMEDY_FUNCTION(remedy_findings_status)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const findings::TableStatus status = findings::table_status();

	rows.put(Int32GetDatum(status.used));
	rows.put(Int32GetDatum(status.limit));
	rows.put_bigint(status.missed);
	rows.end_row();
	return 0;
}

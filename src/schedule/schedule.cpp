// schedule: its SQL functions.

#include "schedule/schedule.hpp"

#include "observe/observe.hpp"
#include "schedule/scheduler.hpp"
#include "schedule/scheduler_state.hpp"
#include "schedule/settings.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

namespace remedy::schedule {

void
start() noexcept
{
	define_settings();
	declare_scheduler_state();
	if (server::preloaded())
		register_scheduler();
}

} // namespace remedy::schedule

using namespace remedy;
using namespace remedy::schedule;

REMEDY_FUNCTION(remedy_run_in_background)
{
	observe::enter_function();
	require_top_level(fcinfo, "remedy.run_in_background()");
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("command must not be null")));
	run_and_wait({MyDatabaseId, GetUserId(), text_to_cstring(PG_GETARG_TEXT_PP(0)), application_name});
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_scheduler)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const SchedulerState state = read_scheduler_state();
	const bool failed = state.last_error_at != 0;

	if (state.worker_pid == 0)
		rows.put_null();
	else
		rows.put(Int32GetDatum(state.worker_pid));
	rows.put_time(state.started_at);
	rows.put_bigint(state.saves);
	rows.put_time(state.last_save);
	rows.put_bigint(state.notifications);
	rows.put_time(state.last_notification);
	rows.put_time(state.last_error_at);
	// An error may name what belongs to others.
	rows.put_text(!failed                                             ? nullptr
				  : observe::may_read_texts_of(BOOTSTRAP_SUPERUSERID) ? state.last_error
																	  : "<insufficient privilege>");
	rows.end_row();
	return 0;
}

#include "schedule/scheduler.hpp"

#include "observe/clock.hpp"
#include "observe/persistence.hpp"
#include "schedule/announcing.hpp"
#include "schedule/scheduler_state.hpp"
#include "schedule/settings.hpp"
#include "server/guard.hpp"
#include "server/versions.hpp"
#include "server/workers.hpp"

namespace remedy::schedule {

namespace {

constexpr Nanoseconds second = 1'000'000'000;
constexpr long round_ms = 1000;

Nanoseconds last_save = 0;
Nanoseconds last_log = 0;
char last_logged[sizeof(SchedulerState::last_error)];

void
note_start() noexcept
{
	change_scheduler_state([](SchedulerState &state) {
		state.worker_pid = MyProcPid;
		state.started_at = GetCurrentTimestamp();
	});
}

void
note_end(int, Datum) noexcept
{
	change_scheduler_state([](SchedulerState &state) { state.worker_pid = 0; });
}

void
save() noexcept
{
	bool saved = false;

	last_save = now();
	if (!settings.save)
		return;
	const ErrorData *const error = in_transaction([&saved]() noexcept { saved = observe::save_statistics(); });
	if (error != nullptr)
		note_error(error->message);
	else if (!saved)
		show_error("the statistics could not be saved; the server's log says why");
	else
		change_scheduler_state([](SchedulerState &state) {
			++state.saves;
			state.last_save = GetCurrentTimestamp();
		});
}

void
do_duties() noexcept
{
	announce_findings();
	if (observe::save_is_asked_for() || now() - last_save >= settings.save_interval_s * second)
		save();
}

// Its own memory, so that nothing that a duty leaves behind adds up.
void
work() noexcept
{
	const MemoryContext memory = AllocSetContextCreate(TopMemoryContext, "pg_remedy scheduler", ALLOCSET_DEFAULT_SIZES);

	last_save = now();
	MemoryContextSwitchTo(memory);
	while (!ShutdownRequestPending)
	{
		do_duties();
		MemoryContextReset(memory);
		nap(round_ms);
	}
}

bool
clients_are_left() noexcept
{
	bool left = false;

	pgstat_clear_backend_activity_snapshot();
	for (int i = pgstat_fetch_stat_numbackends(); i > 0; --i)
		left |= server::backend_status(i).st_backendType == B_BACKEND;
	return left;
}

// A shutdown tells all processes at once to end; the others bring their last counts
// while they do.
void
wait_for_clients() noexcept
{
	constexpr Nanoseconds patience = 5 * second;
	constexpr long short_nap_ms = 20;
	const Nanoseconds end = now() + patience;

	while (clients_are_left() && now() < end)
		nap(short_nap_ms);
}

} // namespace

void
register_scheduler() noexcept
{
	BackgroundWorker worker = server::describe_worker("pg_remedy worker", "remedy_schedule");

	worker.bgw_restart_time = 10;
	RegisterBackgroundWorker(&worker);
}

void
nap(long milliseconds) noexcept
{
	WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, milliseconds, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	if (catchupInterruptPending)
		ProcessCatchupInterrupt();
}

void
show_error(const char *message) noexcept
{
	change_scheduler_state([message](SchedulerState &state) {
		state.last_error_at = GetCurrentTimestamp();
		strlcpy(state.last_error, message, sizeof(state.last_error));
	});
}

void
note_error(const char *message) noexcept
{
	constexpr Nanoseconds hour = 3600 * second;

	show_error(message);
	if (last_log != 0 && now() - last_log < hour && strncmp(message, last_logged, sizeof(last_logged) - 1) == 0)
		return;
	last_log = now();
	strlcpy(last_logged, message, sizeof(last_logged));
	ereport(LOG, (errmsg("pg_remedy worker: %s", message)));
}

} // namespace remedy::schedule

REMEDY_EXPORT_BEGIN
void remedy_schedule(Datum);
REMEDY_EXPORT_END

void
remedy_schedule(Datum)
{
	using namespace remedy::schedule;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGINT, SIG_IGN);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
	before_shmem_exit(note_end, 0);
	note_start();
	work();
	wait_for_clients();
	save();
	// Not 0: that would say it is not to be started again, and this may have been an
	// administrator's pg_terminate_backend().
	proc_exit(1);
}

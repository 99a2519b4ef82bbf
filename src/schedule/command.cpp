// Commands in the background: the caller's side.

#include "schedule/order.hpp"

#include "server/guard.hpp"
#include "server/workers.hpp"

namespace remedy::schedule {

struct Run
{
	dsm_segment *segment;
	BackgroundWorkerHandle *worker;
	Order *order;
};

namespace {

// When the segment is given up, by forget() or because this process ends.
void
stop(dsm_segment *, Datum argument) noexcept
{
	Run *const run = reinterpret_cast<Run *>(DatumGetPointer(argument));
	pid_t pid;

	if (GetBackgroundWorkerPid(run->worker, &pid) != BGWH_STOPPED)
		TerminateBackgroundWorker(run->worker);
	pfree(run->worker);
	pfree(run);
}

Order *
write_order(dsm_segment *segment, const Command &command) noexcept
{
	Order *const order = static_cast<Order *>(dsm_segment_address(segment));

	memset(static_cast<void *>(order), 0, offsetof(Order, text));
	order->layout = current_layout();
	order->database = command.database;
	order->role = command.role;
	strlcpy(order->application_name, command.application_name, sizeof(order->application_name));
	// It stands until a worker has something better to say.
	order->failure.sqlstate = ERRCODE_INTERNAL_ERROR;
	strlcpy(order->failure.message, "background worker ended without saying why", sizeof(order->failure.message));
	strcpy(order->text, command.text);
	strcpy(order->library_path(), Dynamic_library_path);
	order->state.store(State::waiting);
	return order;
}

bool
register_worker(Run &run) noexcept
{
	BackgroundWorker worker = server::describe_worker("pg_remedy command", "remedy_run_command");

	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(run.segment));
	worker.bgw_notify_pid = MyProcPid;
	return RegisterDynamicBackgroundWorker(&worker, &run.worker);
}

[[noreturn]] void
raise(const Failure &failure)
{
	// This session was not shut down, and clients would think so.
	const int sqlstate = failure.sqlstate == ERRCODE_ADMIN_SHUTDOWN ? ERRCODE_QUERY_CANCELED : failure.sqlstate;

	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", failure.message),
					failure.detail[0] != '\0' ? errdetail_internal("%s", failure.detail) : 0,
					failure.hint[0] != '\0' ? errhint("%s", failure.hint) : 0,
					failure.context[0] != '\0' ? errcontext("%s", failure.context) : 0,
					errcontext("command in a background worker")));
	pg_unreachable();
}

void
wait_for(const Run &run) noexcept
{
	// The latch tells of the worker's start and end; the time is for a lost signal.
	constexpr long patience_ms = 1000;

	while (poll(run) < State::done)
	{
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, patience_ms, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

// What the next transaction holds is nothing, as long as it does not read.
void
commit() noexcept
{
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	SPI_commit();
	SPI_finish();
}

} // namespace

Run *
start_command(const Command &command) noexcept
{
	const MemoryContext memory = MemoryContextSwitchTo(TopMemoryContext);
	const Size texts = add_size(strlen(command.text) + 1, strlen(Dynamic_library_path) + 1);
	dsm_segment *const segment = dsm_create(add_size(offsetof(Order, text), texts), DSM_CREATE_NULL_IF_MAXSEGMENTS);
	Run *run = nullptr;

	if (segment != nullptr)
	{
		dsm_pin_mapping(segment);
		run = static_cast<Run *>(palloc(sizeof(Run)));
		*run = {segment, nullptr, write_order(segment, command)};
		if (register_worker(*run))
			on_dsm_detach(segment, stop, PointerGetDatum(run));
		else
		{
			dsm_detach(segment);
			pfree(run);
			run = nullptr;
		}
	}
	MemoryContextSwitchTo(memory);
	return run;
}

State
poll(const Run &run) noexcept
{
	pid_t pid;
	const BgwHandleStatus status = GetBackgroundWorkerPid(run.worker, &pid);
	const State state = run.order->state.load();

	if (status == BGWH_NOT_YET_STARTED)
		return State::waiting;
	if (status == BGWH_STARTED)
		return state == State::waiting ? State::waiting : State::running;
	// The worker may have written its last word after the state was read.
	return run.order->state.load() == State::done ? State::done : State::failed;
}

const Failure &
failure(const Run &run) noexcept
{
	return run.order->failure;
}

void
forget(Run *run) noexcept
{
	dsm_detach(run->segment);
}

void
require_top_level(FunctionCallInfo call, const char *procedure) noexcept
{
	const bool may_commit = call->context != nullptr && IsA(call->context, CallContext) &&
							!reinterpret_cast<CallContext *>(call->context)->atomic;

	if (!may_commit)
		ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
						errmsg("%s cannot run inside a transaction block or function", procedure),
						errhint("CALL it as a statement of its own, outside BEGIN and COMMIT; many client libraries "
								"open a transaction unless autocommit is on.")));
}

void
run_and_wait(const Command &command) noexcept
{
	commit();
	Run *const run = start_command(command);

	if (run == nullptr)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES), errmsg("no background worker is free"),
						errhint("Try again later, or raise max_worker_processes, which takes a restart.")));
	finally(
		[run]() noexcept {
			wait_for(*run);
			if (poll(*run) == State::failed)
				raise(failure(*run));
		},
		[run](bool) noexcept { forget(run); });
}

} // namespace remedy::schedule

#include "server/transactions.hpp"

extern "C" {
#include "common/pg_prng.h"
}

namespace remedy {

void
commit() noexcept
{
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	SPI_commit();
	SPI_finish();
}

void
roll_back() noexcept
{
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	SPI_rollback();
	SPI_finish();
}

void
set_locally(const char *setting, const char *value) noexcept
{
	set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

void
set_lock_timeout(int ms) noexcept
{
	set_locally("lock_timeout", psprintf("%d", ms));
}

// Whatever the session's defaults are: each statement of a step sees what was committed before
// it, for a step may have waited for a lock; and it waits as long as we say.
void
begin_step() noexcept
{
	XactIsoLevel = XACT_READ_COMMITTED;
	set_locally("search_path", "pg_catalog, pg_temp");
	set_locally("lock_timeout", "0");
	EnsurePortalSnapshotExists();
}

void
be_patient(ErrorData *error, const Patience &patience, int tries) noexcept
{
	constexpr double longest_ms = 2000;

	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE && error->sqlerrcode != ERRCODE_T_R_DEADLOCK_DETECTED)
		ReThrowError(error);
	if (tries >= patience.tries)
		ereport(ERROR, (errcode(error->sqlerrcode), errmsg_internal("%s", error->message),
						errdetail("This was try %d of %d, each of %d ms.", tries, patience.tries, patience.timeout_ms),
						errhint("What is done is kept: CALL it again when the table is less busy.")));
	FreeErrorData(error);
	// Whoever queued up behind us is to get through first.
	const double ms = Min(longest_ms, patience.timeout_ms * (1.0 + tries));
	wait_ms(ms * (0.5 + pg_prng_double(&pg_global_prng_state)));
}

void
wait_ms(double ms) noexcept
{
	const instr_time start = clock_now();
	double left = ms;

	while (left > 0)
	{
		WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, static_cast<long>(left) + 1,
				  PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		left = ms - ms_since(start);
	}
}

double
ms_since(instr_time start) noexcept
{
	instr_time elapsed = clock_now();

	INSTR_TIME_SUBTRACT(elapsed, start);
	return INSTR_TIME_GET_MILLISEC(elapsed);
}

} // namespace remedy

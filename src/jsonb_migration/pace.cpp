#include "jsonb_migration/pace.hpp"

#include <dirent.h>

#include "server/versions.hpp"

extern "C" {
#include "access/xlogarchive.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/spin.h"
}

namespace remedy::jsonb_migration {

namespace {

// ---- Standbys --------------------------------------------------------------------

// What those that are connected have not yet replayed; 0 if there are none.
int64
lag_bytes() noexcept
{
	const XLogRecPtr here = GetFlushRecPtr(nullptr);
	XLogRecPtr slowest = here;

	for (int i = 0; i < max_wal_senders; ++i)
	{
		WalSnd &sender = WalSndCtl->walsnds[i];
		SpinLockAcquire(&sender.mutex);
		const bool streams =
			sender.pid != 0 && (sender.state == WALSNDSTATE_CATCHUP || sender.state == WALSNDSTATE_STREAMING);
		const XLogRecPtr applied = sender.apply;
		SpinLockRelease(&sender.mutex);
		// One that never tells what it has replayed, as a backup does, is none.
		if (streams && !XLogRecPtrIsInvalid(applied) && applied < slowest)
			slowest = applied;
	}
	return static_cast<int64>(here - slowest);
}

// ---- Checkpoints -----------------------------------------------------------------

double
checkpoint_share() noexcept
{
	const double written = static_cast<double>(GetXLogInsertRecPtr() - GetRedoRecPtr());

	return written / (static_cast<double>(max_wal_size_mb) * 1024 * 1024);
}

// ---- The archive -----------------------------------------------------------------

// The directory may be large, when archiving fails: no more is read of it than matters.
int
waiting_segments(int enough) noexcept
{
	constexpr const char *folder = "pg_wal/archive_status";
	int waiting = 0;

	if (!XLogArchivingActive())
		return 0;
	DIR *const status = AllocateDir(folder);
	while (const dirent *const entry = status == nullptr ? nullptr : ReadDirExtended(status, folder, DEBUG1))
	{
		const std::size_t length = strlen(entry->d_name);
		if (length > 6 && strcmp(entry->d_name + length - 6, ".ready") == 0 && ++waiting > enough)
			break;
	}
	if (status != nullptr)
		FreeDir(status);
	return waiting;
}

// ---- Sessions --------------------------------------------------------------------

int
active_sessions() noexcept
{
	int active = 0;

	pgstat_clear_snapshot();
	for (int i = 1; i <= pgstat_fetch_stat_numbackends(); ++i)
	{
		const PgBackendStatus &status = server::backend_status(i);
		active += status.st_backendType == B_BACKEND && status.st_procpid != MyProcPid &&
				  (status.st_state == STATE_RUNNING || status.st_state == STATE_FASTPATH);
	}
	return active;
}

// ---- What the user asks ----------------------------------------------------------

bool
answer(const char *query) noexcept
{
	SPI_connect();
	const int result = SPI_execute(query, true, 2);
	if (result != SPI_OK_SELECT || SPI_processed != 1 || SPI_tuptable->tupdesc->natts != 1 ||
		SPI_gettypeid(SPI_tuptable->tupdesc, 1) != BOOLOID)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("throttle_query must give one boolean"),
						errdetail_internal("%s", query)));
	bool null;
	const Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &null);
	const bool yes = !null && DatumGetBool(value);
	SPI_finish();
	return yes;
}

} // namespace

const char *
reason_to_rest(const Limits &limits) noexcept
{
	if (limits.lag_bytes > 0 && lag_bytes() > limits.lag_bytes)
		return psprintf("a standby is " INT64_FORMAT " bytes behind", lag_bytes());
	if (limits.checkpoint_share > 0 && checkpoint_share() > limits.checkpoint_share)
		return psprintf("%.0f %% of max_wal_size was written since the last checkpoint", 100 * checkpoint_share());
	if (limits.archive_segments > 0 && waiting_segments(limits.archive_segments) > limits.archive_segments)
		return psprintf("more than %d segments wait to be archived", limits.archive_segments);
	if (limits.active_sessions > 0 && active_sessions() > limits.active_sessions)
		return psprintf("%d sessions run a statement", active_sessions());
	if (limits.query != nullptr && answer(limits.query))
		return "throttle_query says so";
	return nullptr;
}

} // namespace remedy::jsonb_migration

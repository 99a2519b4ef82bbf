// remedy.refresh_rollup() and remedy.rebuild_rollup().
//
// Why what they write is right.  A slice is a transaction, or a part of the caller's.  It
//
//   1. locks the relations that it is going to read and write: none of them is rewritten or truncated from here on,
//      which a snapshot taken before would not see as it was;
//   2. locks the rollup's row in remedy.rollup, and so waits for other refreshes of it to end;
//   3. takes one snapshot, and goes by it in all that it reads: marks, cells and source.
//
// A mark and the change that it is about are of one transaction, so the snapshot has both or neither: of a cell with
// additive marks it has the state without their changes (the last refresh's), the marks, and the source with them; so
// to add the marks to the cell and to compute the cell from the source give the same.  The slice writes that and
// deletes the very marks that the snapshot has.  What commits later, however long ago it began, has its marks left for
// the next refresh.  A snapshot taken before the lock was got could have marks that another refresh has added
// meanwhile: they would be added twice.  Cells are deleted and inserted, so who has an older snapshot sees cells and
// marks as they were. The marks of a cell are taken all together, or none.  An error, a cancel or a crash undoes a
// slice as a whole.

#include "rollup/refresh.hpp"
#include "observe/observe.hpp"
#include "rollup/following.hpp"
#include "rollup/marks.hpp"
#include "rollup/texts.hpp"
#include "schedule/schedule.hpp"
#include "server/transactions.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_inherits.h"
#include "commands/tablecmds.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
}

namespace remedy::rollup {

namespace {

// ---- A slice ---------------------------------------------------------------------------

[[noreturn]] void
tell_gone(Oid view) noexcept
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("rollup with OID %u was dropped", view)));
	pg_unreachable();
}

void
refuse(const Rollup &rollup, const char *reason) noexcept
{
	if (reason != nullptr)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rollup %s cannot be refreshed", qualified(rollup.view)), errdetail_internal("%s", reason),
				 errhint("If triggers are missing or disabled, remedy.rebuild_rollup() puts them right.")));
}

// In the order of who drops one: relations first.
const Rollup &
lock_rollup(Oid view) noexcept
{
	LockRelationOid(view, AccessShareLock);
	const Rollup *const rollup = load_rollup(view);

	if (rollup == nullptr)
		tell_gone(view);
	lock_tree(rollup->source, AccessShareLock);
	LockRelationOid(rollup->rows, AccessShareLock);
	LockRelationOid(rollup->cells, RowExclusiveLock);
	LockRelationOid(rollup->marks, RowExclusiveLock);
	if (keep("SELECT FROM remedy.rollup WHERE view = $1 FOR UPDATE", {view}) == 0)
		tell_gone(view);
	return *rollup;
}

Ranges
marked_ranges(OneSnapshot &snapshot, const Rollup &rollup) noexcept
{
	return read_ranges(snapshot, rollup,
					   psprintf("SELECT %s FROM %s AS m WHERE m.kind = 'r' "
								"GROUP BY m.bucket, m.until ORDER BY 3 NULLS FIRST",
								range_of(rollup, "m.bucket", "m.until"), qualified(rollup.marks)));
}

void
refresh_marked(OneSnapshot &snapshot, const Rollup &rollup, int64 most_marks, Refreshed &done) noexcept
{
	const Ranges ranges = marked_ranges(snapshot, rollup);

	if (ranges.everything || ranges.count > 0)
	{
		done.more = true;
		refresh_ranges(snapshot, rollup, cheapest(snapshot, rollup, ranges, 1).ranges, done);
	}
	else
		refresh_cells(snapshot, rollup, most_marks, done);
}

// Keys can be hashed, so no plan needs to sort rows to group them; but the planner may expect few rows where it cannot
// know how many there are, and sort them.  Compiling takes its time, and gains nothing here.  Goes with the owner.
void
advise_planner() noexcept
{
	for (const char *const setting : {"enable_sort", "jit"})
		set_config_option(setting, "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// The body is given the snapshot.
template <class Body>
void
do_slice(Oid view, Body &&body) noexcept
{
	const Rollup &rollup = lock_rollup(view);
	OneSnapshot snapshot;

	AsOwner owner(rollup);
	advise_planner();
	snapshot.begin();
	// What the snapshot does not see of a partition that is being detached, its marks must not be taken of.
	refuse(rollup, unarmed_reason(rollup.source));
	body(snapshot, rollup);
	snapshot.end();
	owner.end();
}

// ---- A refresh -------------------------------------------------------------------------

void
record(Oid view, const Refreshed &done, double ms) noexcept
{
	static constexpr const char *methods[] = {nullptr, "deltas", "recompute", "rebuild"};

	keep("UPDATE remedy.rollup SET refreshed_at = clock_timestamp(), refresh_ms = $2, refresh_method = $3, "
		 "refresh_marks = $4, refresh_cells = $5 WHERE view = $1",
		 {view, ms, methods[static_cast<int>(done.method)], done.marks, done.cells});
}

// Without a lock of the rollup, and without writing anything.
bool
has_marks(const Rollup &rollup) noexcept
{
	AsOwner owner(rollup);

	SPI_connect();
	SPI_execute(psprintf("SELECT FROM %s LIMIT 1", qualified(rollup.marks)), true, 1);
	const bool found = SPI_processed > 0;
	SPI_finish();
	owner.end();
	return found;
}

// That the rollup's cells are of.
const Rollup &
find_refreshed(const char *name) noexcept
{
	const Rollup *rollup = find_own_rollup(name);

	if (OidIsValid(rollup->base))
		rollup = load_rollup(rollup->base);
	refuse(*rollup, uncaptured_reason(*rollup));
	refuse(*rollup, subscribed_reason(*rollup));
	return *rollup;
}

void
refresh_by_slices(Oid view, int64 most_marks) noexcept
{
	const instr_time start = clock_now();
	const int lock_timeout = LockTimeout; // the user's
	const MemoryContext outside = CurrentMemoryContext;
	const MemoryContext memory = AllocSetContextCreate(outside, "refresh of a rollup", ALLOCSET_DEFAULT_SIZES);
	Refreshed done;

	commit();
	do
	{
		MemoryContextSwitchTo(memory);
		step([&]() noexcept {
			set_lock_timeout(lock_timeout);
			done.more = false;
			const Method before = done.method;
			const int64 marks = done.marks;
			do_slice(view, [&](OneSnapshot &snapshot, const Rollup &rollup) noexcept {
				refresh_marked(snapshot, rollup, most_marks, done);
			});
			if (done.marks > marks || done.method > before)
				record(view, done, ms_since(start));
		});
		MemoryContextReset(memory);
	} while (done.more);
	MemoryContextSwitchTo(outside);
	MemoryContextDelete(memory);
}

void
refresh_rollup(FunctionCallInfo call) noexcept
{
	schedule::require_top_level(call, "remedy.refresh_rollup()");
	PreventCommandDuringRecovery("remedy.refresh_rollup()");
	PreventCommandIfReadOnly("remedy.refresh_rollup()");
	if (call->args[0].isnull || call->args[1].isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("name and marks_per_transaction must not be null")));
	const int32 most_marks = DatumGetInt32(call->args[1].value);
	if (most_marks < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("marks_per_transaction must be greater than zero")));
	const Rollup &rollup = find_refreshed(text_to_cstring(DatumGetTextPP(call->args[0].value)));
	if (has_marks(rollup))
		refresh_by_slices(rollup.view, most_marks);
}

// ---- A rebuild ---------------------------------------------------------------------------

void
refuse_old_snapshot() noexcept
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("remedy.rebuild_rollup() cannot run in a transaction of isolation level %s",
						XactIsoLevel == XACT_SERIALIZABLE ? "SERIALIZABLE" : "REPEATABLE READ"),
				 errdetail("Its snapshot may be older than the last refresh."), errhint("Call it in READ COMMITTED.")));
}

// A statement that still runs has its changes seen, but not yet its marks written: they would be added a second time.
void
refuse_midst_of_statement(Oid source) noexcept
{
	ListCell *cell;

	foreach (cell, lock_tree(source, AccessShareLock))
	{
		const Relation table = relation_open(lfirst_oid(cell), NoLock);
		CheckTableNotInUse(table, "rebuild a rollup of");
		relation_close(table, NoLock);
	}
}

void
rebuild_rollup(const char *name) noexcept
{
	const instr_time start = clock_now();
	const Rollup *rollup = find_own_rollup(name);
	Refreshed done;

	PreventCommandDuringRecovery("remedy.rebuild_rollup()");
	PreventCommandIfReadOnly("remedy.rebuild_rollup()");
	refuse_old_snapshot();
	if (OidIsValid(rollup->base))
		rollup = load_rollup(rollup->base);
	refuse(*rollup, subscribed_reason(*rollup));
	rearm(rollup->source);
	refuse_midst_of_statement(rollup->source);
	forget_marks();
	do_slice(rollup->view, [&](OneSnapshot &snapshot, const Rollup &locked) noexcept {
		refresh_ranges(snapshot, locked, {.everything = true}, done);
	});
	record(rollup->view, done, ms_since(start));
}

} // namespace

} // namespace remedy::rollup

using namespace remedy;
using namespace remedy::rollup;

REMEDY_FUNCTION(remedy_refresh_rollup)
{
	observe::enter_function();
	refresh_rollup(fcinfo);
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_rebuild_rollup)
{
	observe::enter_function();
	rebuild_rollup(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_VOID();
}

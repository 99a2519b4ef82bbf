// A call that carries a migration on.
//
// What is a file of its own: preparing, filling (and verifying), carrying (what hangs on the
// column), swapping, leaving (undo, finish, abort).  Each phase ends with the next one noted.

#pragma once

#include "jsonb_migration/pace.hpp"
#include "jsonb_migration/state.hpp"
#include "server/transactions.hpp"
#include "schedule/schedule.hpp"

namespace remedy::jsonb_migration {

struct Options
{
	bool swap_now;
	TimestampTz swap_from;  // 0: any time
	TimestampTz swap_until; // 0: for ever
	double batch_ms;
	double rest_share;
	Patience patience;
	Limits limits;
	bool subscribers_ready;
	bool vacuum;
};

// Plain data, in the memory of the call.
struct Runner
{
	Options options;
	Migration migration;
	const char *name;        // of the column, for people
	bool acquired;           // the migration's lock is ours
	bool filled_again;       // all blocks, because the guards did not hold
	schedule::Run *vacuum;   // that runs beside us
	MemoryContext memory;    // lives as long as the call
	MemoryContext of_a_step; // the current one: emptied now and then, between steps

	Target &target() noexcept { return migration.target; }
	int64 number() const noexcept { return migration.target.migration; }
};

// One call of a procedure on a column (its first two parameters): checks what all of them ask
// for, runs the body in steps, keeps others out of its migration, and notes its error there.
using CallBody = void (*)(Runner &runner, Oid table, const char *column_name) noexcept;
void run_call(FunctionCallInfo call, const char *procedure, const Options &options, CallBody body) noexcept;

// The migration that is under way, locked for this session.  False if there is none.
bool take_migration(Runner &runner, Oid table, const char *column_name) noexcept;

// Raises an error unless both columns are what they were when it began.
void check_columns(const Runner &runner) noexcept;

// Raises an error unless the table is the caller's.
void check_owner(Oid table) noexcept;

// One line for people.
void tell(const Runner &runner, const char *format, ...) noexcept pg_attribute_printf(2, 3);

void go_to(Runner &runner, Phase phase) noexcept; // a step

// ACCESS EXCLUSIVE on all tables of the tree and on others, in the order of their OIDs, within
// the time of one try; what is read from then on is what is there then.  Autovacuum is made to
// give way first, which takes longer and holds up nobody.
void lock_exclusively(const Target &target, List *others, const Patience &patience) noexcept;

// ---- The phases, and who comes before the first ----------------------------------

void prepare(Runner &runner, Oid table, const char *column_name) noexcept;
void fill_all(Runner &runner) noexcept;
void guard_all(Runner &runner) noexcept;
void build_twins(Runner &runner) noexcept;
void validate_twins(Runner &runner) noexcept;
void build_indexes(Runner &runner) noexcept;
void verify_all(Runner &runner) noexcept;
bool may_swap(Runner &runner) noexcept; // waits for the window of time
void swap(Runner &runner) noexcept;

// ---- What other procedures do ----------------------------------------------------

void undo(Runner &runner, Oid table, const char *column_name) noexcept;
void finish(Runner &runner, Oid table, const char *column_name) noexcept;
void abort(Runner &runner, Oid table, const char *column_name) noexcept;

// ---- Helpers of several phases ---------------------------------------------------

[[noreturn]] void refuse_second_runner(const Runner &runner, int64 migration) noexcept;

// Raises an error that lists what cannot be carried.
void refuse_uncarried(const Runner &runner, const List *dependents) noexcept;

// With the table and with what else the swap locks, locked exclusively.
List *relations_locked_for(const List *dependents) noexcept;

// Removes the twins of dependents, the last ones first.  In a step that has the locks.
void abandon_twins(const Target &target, const List *dependents) noexcept;

// All blocks once more: some documents were written that jsonb refuses.
void fill_again(Runner &runner) noexcept;

// While others' work goes before, or an operator has said so: returns when the next batch may begin.
void rest(Runner &runner, double last_batch_ms) noexcept;

void start_vacuum(Runner &runner, Oid table) noexcept;
bool vacuum_is_running(Runner &runner) noexcept;
void end_vacuum(Runner &runner) noexcept; // waits for it

} // namespace remedy::jsonb_migration

// The swap, one short transaction, and the ways back and onwards from it.

#include "jsonb_migration/ranges.hpp"
#include "jsonb_migration/runner.hpp"
#include "jsonb_migration/shadow.hpp"
#include "jsonb_migration/watching.hpp"

extern "C" {
#include "access/transam.h"
#include "storage/proc.h"
#include "storage/procarray.h"
}

namespace remedy::jsonb_migration {

namespace {

// Row versions from before the filling have no document in the new column: whoever sees those
// would read null after the swap.  CREATE INDEX CONCURRENTLY waits for the same ones.
bool
are_old_rows_seen(Runner &runner) noexcept
{
	constexpr uint64 comparable = 1u << 30;
	int count = 0;

	step([&]() noexcept {
		const auto filled = static_cast<uint64>(filled_by(runner.number()));
		if (filled == 0 || U64FromFullTransactionId(ReadNextFullTransactionId()) - filled > comparable)
			return;
		GetCurrentVirtualXIDs(static_cast<TransactionId>(filled), true, false, PROC_IS_AUTOVACUUM | PROC_IN_VACUUM,
							  &count);
		if (count > 0)
			note_resting(runner.number(), "transactions run that began before all rows were filled");
	});
	return count > 0;
}

bool
is_over(TimestampTz until) noexcept
{
	return until != 0 && until <= GetCurrentTimestamp();
}

void
await_old_snapshots(Runner &runner) noexcept
{
	constexpr double look_again_ms = 100;

	for (bool told = false; !is_over(runner.options.swap_until) && are_old_rows_seen(runner); told = true)
	{
		if (!told)
			tell(runner, "phase ready: waits for transactions that began before all rows were filled");
		wait_ms(look_again_ms);
		MemoryContextReset(runner.of_a_step);
	}
}

} // namespace

bool
may_swap(Runner &runner) noexcept
{
	const TimestampTz from = runner.options.swap_from;

	if (!runner.options.swap_now)
	{
		tell(runner, "phase ready: CALL it again with swap => 'now'");
		return false;
	}
	if (from > GetCurrentTimestamp())
		tell(runner, "phase ready: waits for the time of the swap");
	while (from > GetCurrentTimestamp())
		wait_ms(Min(1000.0, TimestampDifferenceMilliseconds(GetCurrentTimestamp(), from)));
	rest(runner, 0);
	await_old_snapshots(runner);
	if (!is_over(runner.options.swap_until))
		return true;
	tell(runner, "phase ready: the time of the swap is over");
	return false;
}

// ---- The swap --------------------------------------------------------------------

namespace {

enum class Verdict
{
	may,
	may_have_changed,
	dependents_changed,
	tables_added,
};

struct Swap
{
	Scope scope;
	List *dependents;
	instr_time locked;
	Verdict verdict;
	int looks;
};

void
judge(Runner &runner, Swap &swap) noexcept
{
	swap.scope = scope_of(runner.target());
	swap.scope.subscribers_ready = runner.options.subscribers_ready;
	swap.dependents = find_dependents(swap.scope);
	swap.verdict = !are_same(kept_dependents(runner.number()), swap.dependents) ? Verdict::dependents_changed
				   : add_new_leaves(runner.target()) > 0                        ? Verdict::tables_added
																				: Verdict::may;
	if (const char *const reason = shadow_is_unsafe(runner.target()); reason != nullptr)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the jsonb of %s may not be in step with its documents", runner.name), errdetail("%s", reason),
				 errhint("Mend it, and CALL this again; or CALL remedy.abort_json_migration().")));
}

void
carry(Runner &runner, Swap &swap) noexcept
{
	ListCell *cell;

	swap_columns(runner.target());
	foreach (cell, swap.dependents)
	{
		const Dependent &dependent = *static_cast<const Dependent *>(lfirst(cell));
		CommandCounterIncrement();
		if (dependent.carrier->swap != nullptr)
			dependent.carrier->swap(swap.scope, dependent);
	}
	enter_phase(runner.migration, Phase::swapped);
}

void
go_back(Runner &runner, const Swap &swap) noexcept
{
	enter_phase(runner.migration, swap.verdict == Verdict::tables_added ? Phase::fill : Phase::build);
}

// Tables of the tree, and whatever belongs to one or is one that hangs on it.
List *
relations_of(const Target &target, const List *dependents) noexcept
{
	List *relations = find_tables(target);
	ListCell *cell;

	foreach (cell, dependents)
	{
		const Dependent &dependent = *static_cast<const Dependent *>(lfirst(cell));
		relations = lappend_oid(lappend_oid(relations, dependent.relation), dependent.object);
	}
	return relations;
}

// All is looked at before the locks are asked for: it takes longer than the swap itself.
void
look_ahead(Runner &runner, Swap &swap) noexcept
{
	watch(relations_of(runner.target(), kept_dependents(runner.number())));
	judge(runner, swap);
	++swap.looks;
	if (swap.verdict == Verdict::may)
		keep_dependents(runner.number(), swap.dependents);
	else
		go_back(runner, swap);
}

// Under the locks nothing changes any more; what may have changed since the last look is
// looked at anew, without the locks if that helps.
void
try_swap(Runner &runner, Swap &swap) noexcept
{
	constexpr int enough_looks = 10;

	lock_exclusively(runner.target(), relations_locked_for(swap.dependents), runner.options.patience);
	swap.locked = clock_now();
	if (has_changed() && swap.looks < enough_looks)
	{
		swap.verdict = Verdict::may_have_changed;
		return;
	}
	if (has_changed())
		judge(runner, swap);
	if (swap.verdict == Verdict::may)
		carry(runner, swap);
	else
		go_back(runner, swap);
}

} // namespace

void
swap(Runner &runner) noexcept
{
	Swap swap = {};

	do
	{
		step([&]() noexcept { look_ahead(runner, swap); });
		if (swap.verdict == Verdict::may)
			patient_step(runner.options.patience, [&]() noexcept { try_swap(runner, swap); });
	} while (swap.verdict == Verdict::may_have_changed);
	const double ms = ms_since(swap.locked);
	switch (swap.verdict)
	{
	case Verdict::may:
		step([&]() noexcept { note_swap_ms(runner.number(), ms); });
		tell(runner, "phase swapped: the column is jsonb");
		return;
	case Verdict::may_have_changed:
		return;
	case Verdict::dependents_changed:
		tell(runner, "what hangs on the column was altered: back to phase build");
		return;
	case Verdict::tables_added:
		tell(runner, "the tree has new tables: back to phase fill");
		return;
	}
}

// ---- After it, and instead of it -------------------------------------------------

namespace {

// One transaction under the locks of the swap, with what is kept.
template <class Body>
void
exclusive_step(Runner &runner, Body &&body) noexcept
{
	patient_step(runner.options.patience, [&]() noexcept {
		List *const dependents = kept_dependents(runner.number());
		lock_exclusively(runner.target(), relations_locked_for(dependents), runner.options.patience);
		body(dependents);
	});
}

bool
went_with_its_relation(const Dependent &dependent) noexcept
{
	return OidIsValid(dependent.relation) && get_rel_name(dependent.relation) == nullptr;
}

using Move = void (*Carrier::*)(Scope &scope, const Dependent &dependent) noexcept;

// The last ones first: each before what it hangs on.
void
carry_back(const Target &target, const List *dependents, Move move) noexcept
{
	Scope scope = scope_of(target);

	for (int i = list_length(dependents) - 1; i >= 0; --i)
	{
		const Dependent &dependent = *static_cast<const Dependent *>(list_nth(dependents, i));
		CommandCounterIncrement();
		if (dependent.carrier->*move != nullptr && !went_with_its_relation(dependent))
			(dependent.carrier->*move)(scope, dependent);
	}
}

void
take_or_refuse(Runner &runner, Oid table, const char *column_name) noexcept
{
	if (!take_migration(runner, table, column_name))
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("no migration of %s is under way", runner.name),
						errhint("See remedy.json_migrations.")));
}

void
require_swapped(const Runner &runner) noexcept
{
	if (runner.migration.phase != Phase::swapped)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the columns of %s are not swapped: its migration is in phase %s", runner.name,
							   name_of(runner.migration.phase)),
						errhint("CALL remedy.migrate_json() goes on with it, CALL remedy.abort_json_migration() takes "
								"it back.")));
}

} // namespace

void
undo(Runner &runner, Oid table, const char *column_name) noexcept
{
	take_or_refuse(runner, table, column_name);
	require_swapped(runner);
	check_columns(runner);
	exclusive_step(runner, [&](const List *dependents) noexcept {
		check_names(runner.number());
		swap_columns_back(runner.target());
		carry_back(runner.target(), dependents, &Carrier::undo);
		note_triggers(runner.target());
		enter_phase(runner.migration, Phase::ready);
	});
	tell(runner, "swapped back: the column is json; remedy.migrate_json() or remedy.abort_json_migration() go on");
}

void
finish(Runner &runner, Oid table, const char *column_name) noexcept
{
	take_or_refuse(runner, table, column_name);
	require_swapped(runner);
	check_columns(runner);
	exclusive_step(runner, [&](const List *dependents) noexcept {
		carry_back(runner.target(), dependents, &Carrier::finish);
		drop_old_column(runner.target());
		enter_phase(runner.migration, Phase::finished);
	});
	tell(runner, "finished. The old documents' space is free after a rewrite (VACUUM FULL or pg_repack), or bit by bit "
				 "as rows are updated; remedy.advise_json_indexes() tells of indexes");
}

void
abort(Runner &runner, Oid table, const char *column_name) noexcept
{
	take_or_refuse(runner, table, column_name);
	if (runner.migration.phase == Phase::swapped)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("the columns of %s are swapped already", runner.name),
						errhint("CALL remedy.undo_json_migration() first.")));
	exclusive_step(runner, [&](const List *dependents) noexcept {
		abandon_twins(runner.target(), dependents);
		drop_shadow(runner.target());
		enter_phase(runner.migration, Phase::aborted);
	});
	tell(runner, "aborted: nothing of it is left");
}

} // namespace remedy::jsonb_migration

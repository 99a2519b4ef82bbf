// Before the first phase: what cannot be carried is refused, what can be is rehearsed, and
// the new column is added.

#include "jsonb_migration/runner.hpp"
#include "jsonb_migration/shadow.hpp"

namespace remedy::jsonb_migration {

namespace {

// The column is looked up by its number: it may be under way by another name.
void
refuse_renamed(const Target &target) noexcept
{
	const char *const name = name_under_way(target.table, target.column);

	if (name != nullptr)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("column \"%s\" was renamed from \"%s\" while it is migrated", target.column_name, name),
						errhint("Take that back, or CALL remedy.abort_json_migration() with the name \"%s\".", name)));
}

void
plan(Runner &runner, Oid table, const char *column_name) noexcept
{
	step([&]() noexcept {
		const Target target = find_target(table, column_name);
		refuse_renamed(target);
		Scope scope = scope_of(target);
		scope.subscribers_ready = runner.options.subscribers_ready;
		refuse_uncarried(runner, find_dependents(scope));
	});
	step([&]() noexcept { rehearse(find_target(table, column_name)); });
}

// Who migrates it at the same time has got the lock first.
void
refuse_taken(const Runner &runner, const Target &target) noexcept
{
	Migration other;

	if (find_migration(target.table, target.column_name, other))
		refuse_second_runner(runner, other.target.migration);
}

} // namespace

void
refuse_uncarried(const Runner &runner, const List *dependents) noexcept
{
	StringInfoData refusals;
	ListCell *cell;

	initStringInfo(&refusals);
	foreach (cell, dependents)
		if (const Dependent &dependent = *static_cast<const Dependent *>(lfirst(cell)); dependent.refusal != nullptr)
			appendStringInfo(&refusals, "%s%s: %s", refusals.len == 0 ? "" : "\n", dependent.identity,
							 dependent.refusal);
	if (refusals.len != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("%s cannot be migrated: not all that hangs on it can be carried over", runner.name),
						errdetail_internal("%s", refusals.data),
						errhint("remedy.plan_json_migration() tells of each object.")));
}

void
prepare(Runner &runner, Oid table, const char *column_name) noexcept
{
	instr_time locked;

	plan(runner, table, column_name);
	tell(runner, "rehearsed on an empty copy");
	patient_step(runner.options.patience, [&]() noexcept {
		const Target planned = find_target(table, column_name);
		lock_exclusively(planned, NIL, runner.options.patience);
		locked = clock_now();
		MemoryContext before = MemoryContextSwitchTo(runner.memory);
		runner.migration.target = find_target(table, column_name);
		MemoryContextSwitchTo(before);
		refuse_taken(runner, runner.target());
		add_shadow(runner.target());
		create_migration(runner.migration);
		runner.acquired = acquire_migration(runner.number());
	});
	const double ms = ms_since(locked);
	step([&]() noexcept { note_prepare_ms(runner.number(), ms); });
}

} // namespace remedy::jsonb_migration

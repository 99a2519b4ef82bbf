// What hangs on the column gets its twins beside the column's: guards, views, checks,
// statistics, and at last indexes, in a background worker.

#include "jsonb_migration/ranges.hpp"
#include "jsonb_migration/runner.hpp"
#include "jsonb_migration/shadow.hpp"

namespace remedy::jsonb_migration {

namespace {

// Of a step that proves something: its locks hold up neither readers nor writers.
template <class Body>
void
unhurried_step(const Runner &runner, Body &&body) noexcept
{
	patient_step({0, runner.options.patience.tries}, body);
}

void
add_all_guards(Runner &runner) noexcept
{
	instr_time locked;

	patient_step(runner.options.patience, [&]() noexcept {
		lock_exclusively(runner.target(), NIL, runner.options.patience);
		locked = clock_now();
		add_guards(runner.target());
		note_guarded(runner.number());
	});
	const double ms = ms_since(locked);
	runner.migration.guarded = true;
	step([&]() noexcept { note_guard_ms(runner.number(), ms); });
}

// False if there are documents without jsonb.
bool
guards_hold(Runner &runner) noexcept
{
	for (int tries = 1;; ++tries)
	{
		ErrorData *const error = try_step([&]() noexcept {
			set_lock_timeout(0);
			validate_guards(runner.target());
		});
		if (error == nullptr)
			return true;
		if (error->sqlerrcode == ERRCODE_CHECK_VIOLATION && !runner.filled_again)
			return false;
		be_patient(error, {0, runner.options.patience.tries}, tries);
	}
}

} // namespace

void
guard_all(Runner &runner) noexcept
{
	tell(runner, "phase guard: from now on the table takes no document that jsonb refuses");
	if (!runner.migration.guarded)
		add_all_guards(runner);
	if (guards_hold(runner))
		go_to(runner, Phase::build);
	else
		fill_again(runner);
}

// ---- Twins -----------------------------------------------------------------------

namespace {

// In the memory of the call: the scope grows with each view's twin.
struct Found
{
	Scope scope;
	List *dependents;
};

// Those that are there now are kept; twins of other ones are removed.
void
find_and_keep(Runner &runner, Found &found) noexcept
{
	MemoryContextSwitchTo(runner.memory);
	found.scope = scope_of(runner.target());
	found.scope.subscribers_ready = runner.options.subscribers_ready;
	found.dependents = find_dependents(found.scope);
	refuse_uncarried(runner, found.dependents);
	List *const kept = kept_dependents(runner.number());
	if (are_same(kept, found.dependents))
		return;
	if (kept != NIL)
	{
		lock_exclusively(runner.target(), NIL, runner.options.patience);
		abandon_twins(runner.target(), kept);
	}
	keep_dependents(runner.number(), found.dependents);
}

// A plain index is built later, concurrently.
bool
locks_table(const Dependent &dependent) noexcept
{
	return dependent.carrier == &check ||
		   (dependent.carrier == &index && get_rel_relkind(dependent.object) == RELKIND_PARTITIONED_INDEX);
}

void
build_twin(Runner &runner, Found &found, const Dependent &dependent) noexcept
{
	// A try that fails takes back what it has made.
	const List *const relations = found.scope.mapping.relations;
	const List *const columns = found.scope.mapping.columns;

	if (dependent.carrier->build == nullptr)
		return;
	patient_step(runner.options.patience, [&]() noexcept {
		MemoryContextSwitchTo(runner.memory);
		found.scope.mapping = {list_copy(relations), list_copy(columns)};
		if (locks_table(dependent))
			lock_exclusively(runner.target(), NIL, runner.options.patience);
		dependent.carrier->build(found.scope, dependent);
	});
}

} // namespace

List *
relations_locked_for(const List *dependents) noexcept
{
	List *relations = NIL;
	ListCell *cell;

	foreach (cell, dependents)
		if (const Dependent &dependent = *static_cast<const Dependent *>(lfirst(cell));
			dependent.lock != nullptr && OidIsValid(dependent.relation))
			relations = list_append_unique_oid(relations, dependent.relation);
	return relations;
}

void
abandon_twins(const Target &target, const List *dependents) noexcept
{
	Scope scope = scope_of(target);

	for (int i = list_length(dependents) - 1; i >= 0; --i)
		if (const Dependent &dependent = *static_cast<const Dependent *>(list_nth(dependents, i));
			dependent.carrier->abandon != nullptr)
			dependent.carrier->abandon(scope, dependent);
}

void
build_twins(Runner &runner) noexcept
{
	Found found;
	ListCell *cell;

	tell(runner, "phase build: what hangs on the column gets its twin");
	patient_step(runner.options.patience, [&]() noexcept { find_and_keep(runner, found); });
	foreach (cell, found.dependents)
		build_twin(runner, found, *static_cast<const Dependent *>(lfirst(cell)));
	go_to(runner, Phase::validate);
}

void
validate_twins(Runner &runner) noexcept
{
	List *dependents = NIL;
	ListCell *cell;

	tell(runner, "phase validate: checks are proved");
	step([&]() noexcept {
		MemoryContextSwitchTo(runner.memory);
		dependents = kept_dependents(runner.number());
	});
	foreach (cell, dependents)
		if (const Dependent &dependent = *static_cast<const Dependent *>(lfirst(cell));
			dependent.carrier->validate != nullptr)
			unhurried_step(runner, [&]() noexcept {
				Scope scope = scope_of(runner.target());
				dependent.carrier->validate(scope, dependent);
			});
	go_to(runner, Phase::index);
}

// ---- Indexes ---------------------------------------------------------------------

namespace {

List *
commands_left(Runner &runner) noexcept
{
	List *commands = NIL;

	step([&]() noexcept {
		MemoryContextSwitchTo(runner.memory);
		const Scope scope = scope_of(runner.target());
		commands = index_commands(scope, kept_dependents(runner.number()));
	});
	return commands;
}

[[noreturn]] void
leave_to_operator(const Runner &runner, const List *commands, const char *why) noexcept
{
	StringInfoData text;
	ListCell *cell;

	initStringInfo(&text);
	foreach (cell, commands)
		appendStringInfo(&text, "%s%s;", text.len == 0 ? "" : "\n", static_cast<const char *>(lfirst(cell)));
	ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_RESOURCES),
					errmsg("indexes of %s could not be built in the background: %s", runner.name, why),
					errdetail_internal("%s", text.data),
					errhint("CALL this again later; or run these commands yourself, one by one, and CALL it then.")));
	pg_unreachable();
}

void
run_in_background(const Runner &runner, const char *command, const List *commands) noexcept
{
	const Oid role = GetUserId();

	ErrorData *const error = procedure_error_of([&]() noexcept {
		schedule::run_and_wait({MyDatabaseId, role, command, application_name});
	});
	if (error == nullptr)
		return;
	roll_back();
	if (error->sqlerrcode == ERRCODE_INSUFFICIENT_RESOURCES ||
		error->sqlerrcode == ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION)
		leave_to_operator(runner, commands, error->message);
	ReThrowError(error);
}

} // namespace

void
build_indexes(Runner &runner) noexcept
{
	constexpr int enough = 5; // one round drops what is invalid, another one builds, …
	List *commands;
	ListCell *cell;

	tell(runner, "phase index: indexes are built concurrently");
	for (int round = 0; (commands = commands_left(runner)) != NIL; ++round)
	{
		if (round == enough)
			leave_to_operator(runner, commands, "they are still not valid");
		foreach (cell, commands)
			run_in_background(runner, static_cast<const char *>(lfirst(cell)), commands);
	}
	step([&]() noexcept {
		keep_whole_ranges(runner.target());
		enter_phase(runner.migration, Phase::verify);
	});
}

} // namespace remedy::jsonb_migration

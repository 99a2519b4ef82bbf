#include "jsonb_migration/runner.hpp"

#include "server/versions.hpp"

extern "C" {
#include "storage/lmgr.h"
}

namespace remedy::jsonb_migration {

namespace {

void
check_call(FunctionCallInfo call, const char *procedure) noexcept
{
	schedule::require_top_level(call, procedure);
	PreventCommandDuringRecovery(procedure);
	PreventCommandIfReadOnly(procedure);
	if (call->args[0].isnull || call->args[1].isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("table_name and column_name must not be null")));
}

// What the call leaves behind when it ends, however it ends.
void
leave(Runner &runner, const ErrorData *error) noexcept
{
	if (error != nullptr)
		roll_back();
	if (runner.vacuum != nullptr)
		schedule::forget(runner.vacuum);
	if (!runner.acquired)
		return;
	if (error != nullptr)
		try_step([&]() noexcept { note_error(runner.number(), error->message); });
	release_migration(runner.number());
}

} // namespace

void
run_call(FunctionCallInfo call, const char *procedure, const Options &options, CallBody body) noexcept
{
	check_call(call, procedure);
	const Oid table = DatumGetObjectId(call->args[0].value);
	const char *const column_name = pstrdup(NameStr(*DatumGetName(call->args[1].value)));
	const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "json migration", ALLOCSET_SMALL_SIZES);
	const MemoryContext of_a_step = AllocSetContextCreate(memory, "json migration step", ALLOCSET_DEFAULT_SIZES);
	Runner runner = {.options = options, .memory = memory, .of_a_step = of_a_step};

	commit();
	MemoryContextSwitchTo(of_a_step);
	ErrorData *const error = procedure_error_of([&]() noexcept { body(runner, table, column_name); });
	MemoryContextSwitchTo(memory);
	leave(runner, error);
	if (error != nullptr)
		ReThrowError(error);
	MemoryContextSwitchTo(MemoryContextGetParent(memory));
	MemoryContextDelete(memory);
}

// ---- Taking a migration ----------------------------------------------------------

void
refuse_second_runner(const Runner &runner, int64 migration) noexcept
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("the migration of %s is run by process %d", runner.name, runner_of(migration)),
			 errhint("See remedy.json_migrations. remedy.pause_json_migration() has it rest, pg_cancel_backend() ends "
					 "its CALL.")));
	pg_unreachable();
}

namespace {

void
find(Runner &runner, Oid table, const char *column_name, bool &found) noexcept
{
	step([&]() noexcept {
		MemoryContextSwitchTo(runner.memory);
		check_owner(table);
		forget_gone();
		found = find_migration(table, column_name, runner.migration);
		runner.name = psprintf("%s.%s", qualified_name(table), quote_identifier(column_name));
	});
}

// Before the swap the json column has the name, afterwards the new one.
bool
are_columns_there(const Target &target, Phase phase) noexcept
{
	const bool swapped = phase == Phase::swapped;
	const char *const json_name = get_attname(target.table, target.column, true);
	const AttrNumber jsonb = get_attnum(target.table, swapped ? target.column_name : target.shadow);

	return json_name != nullptr && strcmp(json_name, swapped ? target.old : target.column_name) == 0 &&
		   get_atttype(target.table, target.column) == JSONOID && jsonb != InvalidAttrNumber &&
		   get_atttype(target.table, jsonb) == JSONBOID;
}

} // namespace

void
check_owner(Oid table) noexcept
{
	const char *const name = get_rel_name(table);

	if (name == nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", table)));
	if (!server::owns_relation(table, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, name);
}

void
check_columns(const Runner &runner) noexcept
{
	step([&]() noexcept {
		if (!are_columns_there(runner.migration.target, runner.migration.phase))
			ereport(
				ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("columns of the migration of %s were renamed, dropped or altered since it began", runner.name),
				 errhint("Take that back, or CALL remedy.abort_json_migration() with the name that the column had "
						 "when the migration began.")));
	});
}

bool
take_migration(Runner &runner, Oid table, const char *column_name) noexcept
{
	bool found;

	find(runner, table, column_name, found);
	if (!found)
		return false;
	if (!acquire_migration(runner.number()))
		step([&]() noexcept { refuse_second_runner(runner, runner.number()); });
	runner.acquired = true;
	// Another session may have carried it on until it gave the lock back.
	find(runner, table, column_name, found);
	if (!found)
	{
		release_migration(runner.number());
		runner.acquired = false;
	}
	return found;
}

// ---- Telling ---------------------------------------------------------------------

void
tell(const Runner &runner, const char *format, ...) noexcept
{
	char line[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	ereport(NOTICE, (errmsg_internal("%s: %s", runner.name, line)));
}

void
go_to(Runner &runner, Phase phase) noexcept
{
	step([&]() noexcept { enter_phase(runner.migration, phase); });
}

// ---- Locking ---------------------------------------------------------------------

namespace {

// No table joins or leaves a tree whose tables are locked so.  Who vacuums a table by
// itself is cancelled by this wait, which it is not by one of a fraction of a second.
List *
lock_against_maintenance(const Target &target) noexcept
{
	List *tables = NIL;
	ListCell *cell;

	set_lock_timeout(0);
	LockRelationOid(target.table, ShareUpdateExclusiveLock);
	for (int before = -1; before != list_length(tables);)
	{
		before = list_length(tables);
		tables = find_tables(target);
		foreach (cell, tables)
			LockRelationOid(lfirst_oid(cell), ShareUpdateExclusiveLock);
	}
	return tables;
}

} // namespace

void
lock_exclusively(const Target &target, List *others, const Patience &patience) noexcept
{
	List *const relations = list_concat_unique_oid(lock_against_maintenance(target), others);
	const instr_time start = clock_now();
	ListCell *cell;

	list_sort(relations, list_oid_cmp);
	foreach (cell, relations)
	{
		set_lock_timeout(Max(1, patience.timeout_ms - static_cast<int>(ms_since(start))));
		LockRelationOid(lfirst_oid(cell), AccessExclusiveLock);
	}
	set_lock_timeout(patience.timeout_ms);
	InvalidateCatalogSnapshot();
}

} // namespace remedy::jsonb_migration

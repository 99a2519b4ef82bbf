// The procedures, as SQL calls them.

#include "observe/observe.hpp"
#include "jsonb_migration/runner.hpp"

namespace remedy::jsonb_migration {

namespace {

// ---- Parameters ------------------------------------------------------------------

class Parameters
{
public:
	explicit Parameters(FunctionCallInfo call) noexcept : call_(call) {}

	bool is_null(int number) const noexcept { return call_->args[number].isnull; }
	Datum datum(int number) const noexcept { return call_->args[number].value; }

	// Null where the parameter is not to be looked at.
	int integer_or_0(int number) const noexcept { return is_null(number) ? 0 : DatumGetInt32(datum(number)); }
	int64 bigint_or_0(int number) const noexcept { return is_null(number) ? 0 : DatumGetInt64(datum(number)); }
	double double_or_0(int number) const noexcept { return is_null(number) ? 0 : DatumGetFloat8(datum(number)); }
	TimestampTz time_or_0(int number) const noexcept
	{
		return is_null(number) ? 0 : DatumGetTimestampTz(datum(number));
	}
	bool boolean(int number) const noexcept { return !is_null(number) && DatumGetBool(datum(number)); }
	const char *text_or_null(int number) const noexcept
	{
		return is_null(number) ? nullptr : TextDatumGetCString(datum(number));
	}

private:
	FunctionCallInfo call_;
};

[[noreturn]] void
refuse_parameter(const char *must) noexcept
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg_internal("%s", must)));
	pg_unreachable();
}

void
require(bool right, const char *must) noexcept
{
	if (!right)
		refuse_parameter(must);
}

Patience
patience_of(const Parameters &parameters, int first) noexcept
{
	const Patience patience = {parameters.integer_or_0(first), parameters.integer_or_0(first + 1)};

	require(patience.timeout_ms >= 1, "lock_timeout_ms must be at least 1");
	require(patience.tries >= 1, "lock_tries must be at least 1");
	return patience;
}

bool
swaps_now(const char *swap) noexcept
{
	const bool now = swap != nullptr && strcmp(swap, "now") == 0;

	require(now || (swap != nullptr && strcmp(swap, "wait") == 0), "swap must be \"now\" or \"wait\"");
	return now;
}

Options
options_of(const Parameters &parameters) noexcept
{
	const Options options = {
		.swap_now = swaps_now(parameters.text_or_null(2)),
		.swap_from = parameters.time_or_0(3),
		.swap_until = parameters.time_or_0(4),
		.batch_ms = parameters.double_or_0(5),
		.rest_share = parameters.double_or_0(6),
		.patience = patience_of(parameters, 7),
		.limits = {.lag_bytes = parameters.bigint_or_0(9),
				   .checkpoint_share = parameters.double_or_0(10),
				   .archive_segments = parameters.integer_or_0(11),
				   .active_sessions = parameters.integer_or_0(12),
				   .query = parameters.text_or_null(13)},
		.subscribers_ready = parameters.boolean(14),
		.vacuum = parameters.boolean(15),
	};

	require(options.batch_ms >= 1 && options.batch_ms <= 10000, "batch_ms must be between 1 and 10000");
	require(options.rest_share >= 0 && options.rest_share <= 0.99, "rest_share must be between 0 and 0.99");
	return options;
}

// ---- From phase to phase ---------------------------------------------------------

// False where the call ends.
bool
carry_on(Runner &runner) noexcept
{
	switch (runner.migration.phase)
	{
	case Phase::fill:
		fill_all(runner);
		return true;
	case Phase::guard:
		guard_all(runner);
		return true;
	case Phase::build:
		build_twins(runner);
		return true;
	case Phase::validate:
		validate_twins(runner);
		return true;
	case Phase::index:
		build_indexes(runner);
		return true;
	case Phase::verify:
		verify_all(runner);
		return true;
	case Phase::ready:
		if (!may_swap(runner))
			return false;
		swap(runner);
		return runner.migration.phase != Phase::swapped;
	case Phase::swapped:
		tell(runner,
			 "the column is jsonb already: CALL remedy.finish_json_migration() or remedy.undo_json_migration()");
		return false;
	case Phase::finished:
	case Phase::aborted:
		break;
	}
	return false;
}

void
migrate(Runner &runner, Oid table, const char *column_name) noexcept
{
	if (take_migration(runner, table, column_name))
		check_columns(runner);
	else
		prepare(runner, table, column_name);
	while (carry_on(runner))
		MemoryContextReset(runner.of_a_step);
}

void
pause(FunctionCallInfo call, bool paused) noexcept
{
	const Oid table = DatumGetObjectId(call->args[0].value);
	const char *const column_name = NameStr(*DatumGetName(call->args[1].value));
	Migration migration;

	PreventCommandDuringRecovery("remedy.pause_json_migration()");
	check_owner(table);
	if (!find_migration(table, column_name, migration))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no migration of %s.%s is under way", qualified_name(table), quote_identifier(column_name)),
				 errhint("See remedy.json_migrations.")));
	set_paused(migration.target.migration, paused);
}

} // namespace

} // namespace remedy::jsonb_migration

using namespace remedy;
using namespace remedy::jsonb_migration;

REMEDY_FUNCTION(remedy_migrate_json)
{
	observe::enter_function();
	run_call(fcinfo, "remedy.migrate_json()", options_of(Parameters(fcinfo)), migrate);
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_undo_json_migration)
{
	observe::enter_function();
	run_call(fcinfo, "remedy.undo_json_migration()", {.patience = patience_of(Parameters(fcinfo), 2)}, undo);
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_finish_json_migration)
{
	observe::enter_function();
	run_call(fcinfo, "remedy.finish_json_migration()", {.patience = patience_of(Parameters(fcinfo), 2)}, finish);
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_abort_json_migration)
{
	observe::enter_function();
	run_call(fcinfo, "remedy.abort_json_migration()", {.patience = patience_of(Parameters(fcinfo), 2)},
			 remedy::jsonb_migration::abort);
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_pause_json_migration)
{
	observe::enter_function();
	pause(fcinfo, true);
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_resume_json_migration)
{
	observe::enter_function();
	pause(fcinfo, false);
	PG_RETURN_VOID();
}

// What is done between batches: nothing, or a VACUUM beside them.

#include "jsonb_migration/runner.hpp"

namespace remedy::jsonb_migration {

namespace {

// Null, or in the memory of the call.
const char *
find_reason(Runner &runner) noexcept
{
	const char *reason = nullptr;

	step([&]() noexcept {
		const char *const found = is_paused(runner.number()) ? "paused" : reason_to_rest(runner.options.limits);
		if (found == nullptr)
			return;
		note_resting(runner.number(), found);
		reason = found;
	});
	return reason;
}

} // namespace

// Each batch notes that it does not rest any more.
void
rest(Runner &runner, double last_batch_ms) noexcept
{
	constexpr double look_again_ms = 250;
	const double share = runner.options.rest_share;

	wait_ms(last_batch_ms * share / (1 - share));
	MemoryContextReset(runner.of_a_step);
	while (find_reason(runner) != nullptr)
	{
		wait_ms(look_again_ms);
		MemoryContextReset(runner.of_a_step);
	}
}

// ---- VACUUM ----------------------------------------------------------------------

// Without a worker, or without leave, it is left to autovacuum.
void
start_vacuum(Runner &runner, Oid table) noexcept
{
	const char *text = nullptr;

	if (!runner.options.vacuum)
		return;
	step([&]() noexcept { text = psprintf("VACUUM (TRUNCATE off) %s", qualified_name(table)); });
	runner.vacuum = schedule::start_command({MyDatabaseId, GetUserId(), text, application_name});
	runner.options.vacuum = runner.vacuum != nullptr;
}

bool
vacuum_is_running(Runner &runner) noexcept
{
	if (runner.vacuum == nullptr)
		return false;
	const schedule::State state = schedule::poll(*runner.vacuum);
	if (state < schedule::State::done)
		return true;
	schedule::forget(runner.vacuum);
	runner.vacuum = nullptr;
	runner.options.vacuum = state == schedule::State::done;
	return false;
}

void
end_vacuum(Runner &runner) noexcept
{
	while (vacuum_is_running(runner))
		wait_ms(100);
}

} // namespace remedy::jsonb_migration

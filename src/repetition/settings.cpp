#include "repetition/settings.hpp"

#include "repetition/detection.hpp"

#include "server/headers.hpp"

namespace remedy::repetition {

Settings settings;

namespace {

const config_enum_entry actions[] = {
	{"record", action_record, false}, {"log", action_log, false}, {"warning", action_warning, false},
	{"error", action_error, false},   {nullptr, 0, false},
};

const config_enum_entry levels[] = {
	{"likely", level_likely, false}, {"possible", level_possible, false}, {nullptr, 0, false}};

void
action_assigned(int, void *)
{
	look_again();
}

} // namespace

// They concern the session's own statements alone, so anyone may set them.
void
define_settings() noexcept
{
	DefineCustomIntVariable("pg_remedy.n_plus_one_threshold",
							"Repeats of a statement for the rows of another that make a finding.", nullptr,
							&settings.threshold, 5, 2, 1000000, PGC_USERSET, 0, nullptr, nullptr, nullptr);
	DefineCustomIntVariable(
		"pg_remedy.burst_gap", "Pause between two statements outside explicit transactions that ends a unit of work.",
		"A stretch begun by remedy.watch() is one unit of work whatever the pauses.", &settings.burst_gap_ms, 50, 0,
		3600000, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
	DefineCustomEnumVariable("pg_remedy.n_plus_one_action", "What happens when a finding is made.",
							 "Each finding is recorded; log, warning and error also tell, once in each unit of work. "
							 "With error, the statement that makes it fails.",
							 &settings.action, action_record, actions, PGC_USERSET, 0, nullptr, action_assigned,
							 nullptr);
	DefineCustomEnumVariable("pg_remedy.n_plus_one_action_level", "The least sure findings that are told of.",
							 "All of them are recorded.", &settings.action_level, level_likely, levels, PGC_USERSET, 0,
							 nullptr, nullptr, nullptr);
	DefineCustomStringVariable("pg_remedy.n_plus_one_ignore", "Findings that this session is not told of.",
							   "A comma-separated list of their keys, or of tables as remedy.n_plus_one shows them. "
							   "All of them are recorded.",
							   &settings.ignore, "", PGC_USERSET, 0, nullptr, nullptr, nullptr);
}

} // namespace remedy::repetition

#include "observe/settings.hpp"

#include "observe/execution.hpp"
#include "observe/unseen.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

Settings settings;

namespace {

const config_enum_entry tracks[] = {
	{"top", track_top, false},
	{"all", track_all, false},
	{nullptr, 0, false},
};

// Switched on in the middle of a statement: that one's start was not seen.
void
enabled_assigned(bool enabled, void *)
{
	not_ready();
	if (enabled && !settings.enabled)
		ignore_running_statement();
}

} // namespace

void
define_settings() noexcept
{
	DefineCustomBoolVariable("pg_remedy.enabled", "Counts statements and looks for repetition.",
							 "Off, nothing is counted and every statement costs a few tests of flags more.",
							 &settings.enabled, true, PGC_SUSET, 0, nullptr, enabled_assigned, nullptr);
	DefineCustomEnumVariable("pg_remedy.track", "Which statements have statistics of their own in remedy.statements.",
							 "top: those that clients send; all: also those inside functions, triggers and procedures.",
							 &settings.track, track_top, tracks, PGC_SUSET, 0, nullptr, nullptr, nullptr);
	DefineCustomBoolVariable("pg_remedy.keep_values", "Keeps and shows values that statements were run with.",
							 "Off, every constant in what is kept and shown is masked.", &settings.keep_values, false,
							 PGC_SUSET, 0, nullptr, nullptr, nullptr);
}

} // namespace remedy::observe

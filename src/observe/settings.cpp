#include "observe/settings.hpp"

#include "observe/unseen.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

Settings settings;

namespace {

// Switched on in the middle of a statement: that one's start was not seen.
void
enabled_assigned(bool enabled, void *)
{
	if (enabled && !settings.enabled)
		ignore_running_statement();
}

} // namespace

void
define_settings() noexcept
{
	DefineCustomBoolVariable("pg_remedy.enabled", "Counts statements and looks for repetition.",
							 "Off, nothing is counted and every statement costs one test of a flag more.",
							 &settings.enabled, true, PGC_SUSET, 0, nullptr, enabled_assigned, nullptr);
}

} // namespace remedy::observe

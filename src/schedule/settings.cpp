#include "schedule/settings.hpp"

#include "server/headers.hpp"

namespace remedy::schedule {

Settings settings;

void
define_settings() noexcept
{
	DefineCustomBoolVariable("pg_remedy.save", "Saves the statistics, so that they outlive a restart of the server.",
							 "They are saved when the server shuts down, and each pg_remedy.save_interval.",
							 &settings.save, true, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
	DefineCustomIntVariable("pg_remedy.save_interval", "Time between two savings of the statistics.",
							"A server that crashes starts with what was saved last.", &settings.save_interval_s, 300,
							10, 86400, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
}

} // namespace remedy::schedule

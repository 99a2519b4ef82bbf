#include "plans/settings.hpp"

#include "server/headers.hpp"
#include "server/shared.hpp"

namespace remedy::plans {

Settings settings;

void
define_settings() noexcept
{
	DefineCustomIntVariable(
		"pg_remedy.slow_ms", "Execution time from which a statement's plan is kept.",
		"-1 keeps no plans. A run that takes ten times its statement's median is slow too. What takes "
		"less than 10 ms is never slow.",
		&settings.slow_ms, 1000, -1, INT_MAX, PGC_SUSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
	DefineCustomIntVariable("pg_remedy.plan_interval", "Time for which a statement's plan is not looked at again.",
							nullptr, &settings.interval_s, 60, 0, 86400, PGC_SUSET, GUC_UNIT_S, nullptr, nullptr,
							nullptr);
	if (server::preloaded())
		DefineCustomIntVariable("pg_remedy.max_plans", "Number of plans that are kept.",
								"A plan takes some 5 kB of shared memory.", &settings.shared_limit, 200, 16, 10000,
								PGC_POSTMASTER, 0, nullptr, nullptr, nullptr);
}

} // namespace remedy::plans

// The least that an extension of this kind can be: four executor hooks, each of which only calls the next.

extern "C" {
#include "postgres.h"

#include "executor/executor.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
}

namespace {

// A hook's arguments are its version's affair.
template <auto *hook, auto standard>
void
chain()
{
	static auto *previous = *hook;
	*hook = [](auto... arguments) { previous != nullptr ? previous(arguments...) : standard(arguments...); };
}

} // namespace

void
_PG_init(void)
{
	chain<&ExecutorStart_hook, standard_ExecutorStart>();
	chain<&ExecutorRun_hook, standard_ExecutorRun>();
	chain<&ExecutorFinish_hook, standard_ExecutorFinish>();
	chain<&ExecutorEnd_hook, standard_ExecutorEnd>();
}

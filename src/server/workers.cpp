#include "server/workers.hpp"

#include <dlfcn.h>

namespace remedy::server {

namespace {

// The file this library was loaded from, however the session named it: another
// process may have other settings.  A path that is too long for the server (up
// to version 15, 95 bytes) leaves the name, which dynamic_library_path has to find.
void
name_library(BackgroundWorker &worker) noexcept
{
	Dl_info library;
	const bool known = dladdr(reinterpret_cast<const void *>(&describe_worker), &library) != 0;

	if (!known || strlcpy(worker.bgw_library_name, library.dli_fname, sizeof(worker.bgw_library_name)) >=
					  sizeof(worker.bgw_library_name))
		strlcpy(worker.bgw_library_name, "pg_remedy", sizeof(worker.bgw_library_name));
}

} // namespace

BackgroundWorker
describe_worker(const char *name, const char *function) noexcept
{
	BackgroundWorker worker = {};

	strlcpy(worker.bgw_name, name, sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, name, sizeof(worker.bgw_type));
	strlcpy(worker.bgw_function_name, function, sizeof(worker.bgw_function_name));
	name_library(worker);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_ConsistentState;
	return worker;
}

} // namespace remedy::server

// A command on its way to a worker, in a segment of shared memory of its own.
//
// Locking contract.  The caller writes it before the worker is registered.  From then
// on only the worker writes: first the failure, then the state.  The caller reads the
// failure once the state says failed, or the worker is gone.

#pragma once

#include <atomic>
#include <cstdint>

#include "schedule/schedule.hpp"
#include "version.hpp"

namespace remedy::schedule {

// What each library of this version agrees on: a session that loaded the library
// before it was replaced calls a worker that loads the new one.
struct Layout
{
	std::uint32_t bytes;
	char version[28];
};

struct Order
{
	Layout layout;
	std::atomic<State> state;
	Oid database;
	Oid role;
	char application_name[NAMEDATALEN];
	Failure failure;
	char text[FLEXIBLE_ARRAY_MEMBER]; // the command; behind it, the caller's dynamic_library_path

	char *library_path() noexcept { return text + strlen(text) + 1; }
};

inline Layout
current_layout() noexcept
{
	Layout layout = {sizeof(Order), {}};

	strlcpy(layout.version, version, sizeof(layout.version));
	return layout;
}

} // namespace remedy::schedule

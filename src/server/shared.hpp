// Shared memory where the library is preloaded, and the same layout in the
// process's own memory where it is not, so that the rooms need not care.
//
// A room describes its Region once, from _PG_init.  place() runs at server start
// while preloading, otherwise at the first use in a session; it gives zeroed
// memory and the region's lock.  Without preloading the lock is absent and every
// locking function below does nothing: nobody else sees the memory.

#pragma once

#include "server/headers.hpp"

namespace remedy::server {

struct Region
{
	const char *name;
	Size (*size)(int backends);                 // bytes for this many backends
	void (*placed)(void *memory, int backends); // called once, after place()
	void *memory;
	LWLock *lock;

	bool acquire_if_free(LWLockMode mode) const noexcept;
	void acquire(LWLockMode mode) const noexcept;
	void release() const noexcept;
};

// From _PG_init; regions must live as long as the process.
void declare_region(Region &region) noexcept;

// Gives every declared region its place in this process, unless it has it.
void place_regions() noexcept;

// From _PG_init.  fill() is called each time that the regions have got empty shared
// memory: at the server's start, and when it starts again after a crash.  It runs in
// the postmaster: there is no other process yet, and an error would end the server.
void after_placing(void (*fill)()) noexcept;

bool preloaded() noexcept;

// Bytes of all regions.
Size regions_size() noexcept;

// The row of a per-backend array that this process alone may write.
int slot_number() noexcept;

// How many rows a per-backend array has.
int slot_limit() noexcept;

} // namespace remedy::server

#include "server/shared.hpp"

#include "server/versions.hpp"

namespace remedy::server {

namespace {

constexpr int max_regions = 16;

Region *regions[max_regions];
int region_count = 0;
bool is_preloaded = false;
bool is_placed = false;
void (*fill_regions)() = nullptr;

shmem_request_hook_type previous_request = nullptr;
shmem_startup_hook_type previous_startup = nullptr;

void
request()
{
	if (previous_request != nullptr)
		previous_request();
	for (int i = 0; i < region_count; ++i)
	{
		RequestAddinShmemSpace(regions[i]->size(backend_limit()));
		RequestNamedLWLockTranche(regions[i]->name, 1);
	}
}

void
startup()
{
	if (previous_startup != nullptr)
		previous_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < region_count; ++i)
	{
		Region &region = *regions[i];
		const Size size = region.size(backend_limit());
		bool found;

		region.memory = ShmemInitStruct(region.name, size, &found);
		region.lock = &GetNamedLWLockTranche(region.name)->lock;
		if (!found)
			memset(region.memory, 0, size);
		region.placed(region.memory, backend_limit());
	}
	LWLockRelease(AddinShmemInitLock);
	is_placed = true;
	// A process that was not forked attaches to memory that is in use.
	if (!IsUnderPostmaster && fill_regions != nullptr)
		fill_regions();
}

} // namespace

void
declare_region(Region &region) noexcept
{
	Assert(region_count < max_regions);
	regions[region_count++] = &region;
	if (region_count > 1 || !process_shared_preload_libraries_in_progress)
		return;
	is_preloaded = true;
	previous_request = shmem_request_hook;
	shmem_request_hook = request;
	previous_startup = shmem_startup_hook;
	shmem_startup_hook = startup;
}

void
place_regions() noexcept
{
	if (is_placed)
		return;
	for (int i = 0; i < region_count; ++i)
	{
		Region &region = *regions[i];

		// An error leaves the first regions in place; the next call goes on after them.
		if (region.memory != nullptr)
			continue;
		region.memory = MemoryContextAllocZero(TopMemoryContext, region.size(1));
		region.placed(region.memory, 1);
	}
	is_placed = true;
}

void
after_placing(void (*fill)()) noexcept
{
	fill_regions = fill;
}

bool
preloaded() noexcept
{
	return is_preloaded;
}

Size
regions_size() noexcept
{
	Size size = 0;

	for (int i = 0; i < region_count; ++i)
		size = add_size(size, regions[i]->size(slot_limit()));
	return size;
}

int
slot_number() noexcept
{
	return is_preloaded ? backend_number() : 0;
}

int
slot_limit() noexcept
{
	return is_preloaded ? backend_limit() : 1;
}

bool
Region::acquire_if_free(LWLockMode mode) const noexcept
{
	return lock == nullptr || LWLockConditionalAcquire(lock, mode);
}

void
Region::acquire(LWLockMode mode) const noexcept
{
	if (lock != nullptr)
		LWLockAcquire(lock, mode);
}

void
Region::release() const noexcept
{
	if (lock != nullptr)
		LWLockRelease(lock);
}

} // namespace remedy::server

#include "schedule/scheduler_state.hpp"

namespace remedy::schedule {

namespace {

Size
region_bytes(int)
{
	return sizeof(SchedulerState);
}

void
placed(void *memory, int)
{
	detail::state = static_cast<SchedulerState *>(memory);
}

} // namespace

server::Region detail::state_region = {"pg_remedy scheduler", region_bytes, placed, nullptr, nullptr};
SchedulerState *detail::state = nullptr;

void
declare_scheduler_state() noexcept
{
	server::declare_region(detail::state_region);
}

SchedulerState
read_scheduler_state() noexcept
{
	detail::state_region.acquire(LW_SHARED);
	const SchedulerState copy = *detail::state;
	detail::state_region.release();
	return copy;
}

} // namespace remedy::schedule

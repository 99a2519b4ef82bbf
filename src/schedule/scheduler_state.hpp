// What the scheduler, the static background worker, tells of itself.
//
// Locking contract.  The worker writes with the region's lock held exclusively, a few
// times a minute at most; readers hold it shared.

#pragma once

#include <cstdint>

#include "server/shared.hpp"

namespace remedy::schedule {

struct SchedulerState
{
	int worker_pid; // 0: not running
	TimestampTz started_at;
	std::uint64_t saves;
	TimestampTz last_save;
	std::uint64_t notifications;
	TimestampTz last_notification;
	TimestampTz last_error_at;
	char last_error[512];
};

namespace detail {

extern server::Region state_region;
extern SchedulerState *state;

} // namespace detail

// From _PG_init.
void declare_scheduler_state() noexcept;

SchedulerState read_scheduler_state() noexcept;

// change(state) must not raise an error.
template <class Change>
void
change_scheduler_state(Change &&change) noexcept
{
	detail::state_region.acquire(LW_EXCLUSIVE);
	change(*detail::state);
	detail::state_region.release();
}

} // namespace remedy::schedule

// Whether a statement's plan changed for the worse.
//
// Only slow runs are known, and few of them; a statement may also have two plans for
// two kinds of values, and be slower with one of them because there is more to do.
// So it must be a change (the older plan was not seen again since the newer one
// came), seen several times, and no small one, even without the newer plan's slowest
// run.  The statement's median is no measure of the older plan: it comes from fast runs
// too, with whatever values and plans, and soon from those of the newer one.

#pragma once

#include <algorithm>
#include <cstdint>

#include "observe/clock.hpp"

namespace remedy::plans {

// The runs that were looked at with one plan.  Points of time are microseconds.
struct Runs
{
	std::uint64_t calls;
	Nanoseconds total;
	Nanoseconds min;
	Nanoseconds max;
	std::int64_t first_seen;
	std::int64_t last_seen;

	void add(Nanoseconds execution, std::int64_t when) noexcept
	{
		min = calls == 0 ? execution : std::min(min, execution);
		max = std::max(max, execution);
		if (calls++ == 0)
			first_seen = when;
		total += execution;
		last_seen = when;
	}

	Nanoseconds mean() const noexcept { return calls == 0 ? 0 : total / static_cast<Nanoseconds>(calls); }

	// The mean of all runs but the slowest, which may have waited for a lock or a disk.
	Nanoseconds typical() const noexcept
	{
		return calls < 2 ? mean() : (total - max) / static_cast<Nanoseconds>(calls - 1);
	}
};

enum class Change
{
	none,
	possible,
	likely, // each run with the newer plan was slower than all with the older one
};

inline Change
judge(const Runs &older, const Runs &newer) noexcept
{
	constexpr std::uint64_t enough_calls = 3;
	constexpr Nanoseconds times_slower = 2;

	if (older.calls == 0 || newer.calls < enough_calls || older.last_seen >= newer.first_seen ||
		newer.typical() < times_slower * older.mean())
		return Change::none;
	return older.calls >= enough_calls && newer.min > older.max ? Change::likely : Change::possible;
}

// What the newer plan's runs took more than they would have with the older plan.
inline Nanoseconds
lost(const Runs &older, const Runs &newer) noexcept
{
	return newer.total - static_cast<Nanoseconds>(newer.calls) * older.mean();
}

} // namespace remedy::plans

// How often the log is told: once a minute of the same finding, and so many lines a
// minute in all.  A fixed number of findings is remembered, those told of last.  No
// server headers.

#pragma once

#include <cstdint>

#include "observe/clock.hpp"

namespace remedy::repetition {

class LogPace
{
public:
	static constexpr Nanoseconds minute = 60'000'000'000;
	static constexpr unsigned lines_a_minute = 10;

	// Whether the finding may have a line now.  If not, that is counted, unless it was
	// silenced at its last turn.
	bool may_tell(std::uint64_t finding, Nanoseconds now) noexcept
	{
		if (now - minute_began_ >= minute)
		{
			minute_began_ = now;
			lines_ = 0;
		}
		const Turn *const last = turn_of(finding);
		const bool too_soon = last != nullptr && now - last->when < minute;
		if (!too_soon && lines_ < lines_a_minute)
			return true;
		left_out_ += !too_soon || !last->silenced;
		return false;
	}

	// It is told: how many lines were left out since the last one.
	std::uint64_t told(std::uint64_t finding, Nanoseconds now) noexcept
	{
		const std::uint64_t left_out = left_out_;

		turn(finding, now, false);
		++lines_;
		left_out_ = 0;
		return left_out;
	}

	// It had its turn, and is not to be told of; for a minute nobody asks again.
	void silenced(std::uint64_t finding, Nanoseconds now) noexcept { turn(finding, now, true); }

private:
	static constexpr unsigned remembered = 64;

	struct Turn
	{
		std::uint64_t finding; // 0: none
		Nanoseconds when;
		bool silenced;
	};

	Turn *turn_of(std::uint64_t finding) noexcept
	{
		for (Turn &turn : turns_)
			if (turn.finding == finding)
				return &turn;
		return nullptr;
	}

	void turn(std::uint64_t finding, Nanoseconds now, bool silenced) noexcept
	{
		Turn *place = turn_of(finding);
		if (place == nullptr)
		{
			place = &turns_[next_];
			next_ = (next_ + 1) % remembered;
		}
		*place = {finding, now, silenced};
	}

	Nanoseconds minute_began_ = -minute;
	unsigned lines_ = 0;
	std::uint64_t left_out_ = 0;
	unsigned next_ = 0;
	Turn turns_[remembered] = {};
};

} // namespace remedy::repetition

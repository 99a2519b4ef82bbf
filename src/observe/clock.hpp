// One clock for every duration: monotonic, in nanoseconds.

#pragma once

#include <cstdint>
#include <ctime>

namespace remedy {

using Nanoseconds = std::int64_t;

constexpr double nanoseconds_per_millisecond = 1e6;

inline Nanoseconds
now() noexcept
{
	static timespec time; // not on the stack: that would make the compiler guard the frame of each caller
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * Nanoseconds{1'000'000'000} + time.tv_nsec;
}

inline double
milliseconds(Nanoseconds duration) noexcept
{
	return static_cast<double>(duration) / nanoseconds_per_millisecond;
}

} // namespace remedy

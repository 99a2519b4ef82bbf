// One clock for every duration: monotonic, in nanoseconds.

#pragma once

#include <chrono>
#include <cstdint>

namespace remedy {

using Nanoseconds = std::int64_t;

constexpr double nanoseconds_per_millisecond = 1e6;

inline Nanoseconds
now() noexcept
{
	return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
		.count();
}

inline double
milliseconds(Nanoseconds duration) noexcept
{
	return static_cast<double>(duration) / nanoseconds_per_millisecond;
}

} // namespace remedy

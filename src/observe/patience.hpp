// Reading what another process writes (single_writer.hpp), with patience.

#pragma once

#include "observe/single_writer.hpp"
#include "server/headers.hpp"

namespace remedy::observe {

// A writer may be descheduled in the middle of a change.  It is given a tenth of a
// second, no more, because the reader holds a lock that others want meanwhile.
template <class Attempt>
bool
try_patiently(Attempt &&attempt) noexcept
{
	constexpr int spins = 1000;
	constexpr int naps = 100;
	constexpr long nap_microseconds = 1000;

	for (int nap = 0; nap < naps; ++nap)
	{
		for (int spin = 0; spin < spins; ++spin)
			if (attempt())
				return true;
		pg_usleep(nap_microseconds);
	}
	return false;
}

template <class T>
bool
read_patiently(const SingleWriter<T> &from, T &copy) noexcept
{
	return try_patiently([&]() noexcept { return from.read(copy); });
}

template <class T, class Part>
bool
read_patiently(const SingleWriter<T> &from, Part T::*part, Part &copy) noexcept
{
	return try_patiently([&]() noexcept { return from.read(part, copy); });
}

} // namespace remedy::observe

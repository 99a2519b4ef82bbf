// Memory that one process writes and any process may read, without a lock.
//
// Contract.  Only the owner calls write(), never from within another write(),
// and the change it makes neither allocates nor raises an error: nothing may
// leave it half done.  Readers call read() until it says true; a writer that
// was put to sleep in the middle makes them fail for as long as it sleeps, so
// they wait with patience and an end (patience.hpp).
//
// The change counter is odd while the owner writes.  The fences order it with
// the plain stores: a reader that saw the same even count before and after its
// copy saw no store of a later or unfinished change.

#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace remedy::observe {

template <class T>
class SingleWriter
{
	static_assert(std::is_trivially_copyable_v<T>);
	static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

public:
	// The owner's own view: it needs no protocol to read what it alone writes.
	const T &own() const noexcept { return value_; }

	template <class Change>
	void write(Change &&change) noexcept
	{
		const std::uint32_t count = changes_.load(std::memory_order_relaxed);
		changes_.store(count + 1, std::memory_order_relaxed);
		std::atomic_thread_fence(std::memory_order_release);
		change(value_);
		changes_.store(count + 2, std::memory_order_release);
	}

	bool read(T &copy) const noexcept { return read_bytes(value_, copy); }

	// A part of the value alone.
	template <class Part>
	bool read(Part T::*part, Part &copy) const noexcept
	{
		return read_bytes(value_.*part, copy);
	}

private:
	template <class Part>
	bool read_bytes(const Part &from, Part &copy) const noexcept
	{
		const std::uint32_t before = changes_.load(std::memory_order_acquire);
		if (before & 1)
			return false;
		std::memcpy(static_cast<void *>(&copy), static_cast<const void *>(&from), sizeof(Part));
		std::atomic_thread_fence(std::memory_order_acquire);
		return changes_.load(std::memory_order_relaxed) == before;
	}

	std::atomic<std::uint32_t> changes_;
	T value_;
};

} // namespace remedy::observe

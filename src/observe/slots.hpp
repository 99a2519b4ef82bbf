// One SingleWriter for each backend, side by side in shared memory.  Slots of
// different backends share no cache line.

#pragma once

#include "observe/single_writer.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

template <class T>
class Slots
{
public:
	static Size bytes(int backends) noexcept { return mul_size(stride, backends); }

	void place(void *memory) noexcept { memory_ = static_cast<char *>(memory); }

	SingleWriter<T> &operator[](int number) const noexcept
	{
		return *reinterpret_cast<SingleWriter<T> *>(memory_ + number * stride);
	}

	// The one that this process alone may write.
	SingleWriter<T> &own() const noexcept { return (*this)[server::slot_number()]; }

private:
	static constexpr Size stride =
		(sizeof(SingleWriter<T>) + PG_CACHE_LINE_SIZE - 1) / PG_CACHE_LINE_SIZE * PG_CACHE_LINE_SIZE;

	char *memory_ = nullptr;
};

} // namespace remedy::observe

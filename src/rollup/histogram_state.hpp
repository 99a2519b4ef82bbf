// Histograms in the server's memory: what transition functions and the writers' accumulators count into.
//
//     HistogramState *state = new_histogram(context);
//     count_value(*state, value);          // counted once; or times => -1, taken away
//     Datum bytes = histogram_bytes(*state);   // bytea in the current memory context; null pointer: nothing is left

#pragma once

#include "rollup/histogram.hpp"

#include "server/headers.hpp"

namespace remedy::rollup {

struct HistogramMemory
{
	MemoryContext context;

	void *allocate(std::size_t size) const noexcept { return MemoryContextAlloc(context, size); }
	void release(void *memory) const noexcept { pfree(memory); }
};

using HistogramState = Histogram<HistogramMemory>;

inline HistogramState *
new_histogram(MemoryContext context) noexcept
{
	return new (MemoryContextAlloc(context, sizeof(HistogramState))) HistogramState(HistogramMemory{context});
}

void count_bucket(HistogramState &state, const BucketCount &pair) noexcept;

inline void
count_value(HistogramState &state, double value, int64 times = 1) noexcept
{
	count_bucket(state, {histogram_bucket(value), times});
}

// Raises an error for bytes that are no histogram.
void count_histogram(HistogramState &state, const bytea *histogram) noexcept;

bytea *histogram_bytes(const HistogramState &state) noexcept;

} // namespace remedy::rollup

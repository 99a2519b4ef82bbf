// Adding numerics up in large numbers.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "nodes/execnodes.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
}

namespace remedy::server {

// Whether it is finite, of less than 256 digits before the point and less than 64 after it: what the server stores in
// the short of its two forms.  No product of two such fails, nor any sum of these.
inline bool
is_short_numeric(Datum value) noexcept
{
	constexpr uint16 form = 0xC000, short_form = 0x8000;
	const auto *const stored = reinterpret_cast<const struct varlena *>(DatumGetPointer(value));
	uint16 header;

	if (VARATT_IS_EXTENDED(stored) && !VARATT_IS_SHORT(stored))
		return false;
	memcpy(&header, VARDATA_ANY(stored), sizeof header);
	return (header & form) == short_form;
}

// To the accumulator of the server's own sum(numeric), which it lends to aggregates and windows only; a quarter of the
// price of numeric_add().  Null at first; made, and grown, in memory.
inline void *
add_to_sum(void *sum, Datum value, MemoryContext memory) noexcept
{
	WindowAggState window;
	LOCAL_FCINFO(call, 2);

	window.ss.ps.type = T_WindowAggState;
	window.curaggcontext = memory;
	InitFunctionCallInfoData(*call, nullptr, 2, InvalidOid, reinterpret_cast<fmNodePtr>(&window), nullptr);
	call->args[0] = {PointerGetDatum(sum), sum == nullptr};
	call->args[1] = {value, false};
	return DatumGetPointer(numeric_avg_accum(call));
}

inline Datum
sum_of(void *sum) noexcept
{
	return DirectFunctionCall1(numeric_sum, PointerGetDatum(sum));
}

} // namespace remedy::server

#include "jsonb_migration/conversion.hpp"

extern "C" {
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
}

namespace remedy::jsonb_migration {

// What jsonb prints is json, and need not be parsed again.
Datum
convert(Datum document, Oid from_type, MemoryContext memory) noexcept
{
	const Datum result = from_type == JSONOID
							 ? DirectFunctionCall1(jsonb_in, CStringGetDatum(TextDatumGetCString(document)))
							 : CStringGetTextDatum(DatumGetCString(DirectFunctionCall1(jsonb_out, document)));

	if (memory == CurrentMemoryContext)
		return result;
	const MemoryContext before = MemoryContextSwitchTo(memory);
	const Datum copy = datumCopy(result, false, -1);
	MemoryContextSwitchTo(before);
	return copy;
}

bool
same_bytes(Datum left, Datum right) noexcept
{
	const void *const a = DatumGetPointer(left);
	const void *const b = DatumGetPointer(right);

	return VARSIZE_ANY(a) == VARSIZE_ANY(b) && memcmp(a, b, VARSIZE_ANY(a)) == 0;
}

} // namespace remedy::jsonb_migration

// The least that a trigger can do: what the server takes for firing it is all that it costs.

extern "C" {
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(empty_trigger);
}

Datum
empty_trigger(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(nullptr);
}

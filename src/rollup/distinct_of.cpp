// What a measure count(DISTINCT) is counted and told with, beside the extension hll.

#include "rollup/distinct.hpp"
#include "server/guard.hpp"

extern "C" {
#include "utils/typcache.h"
}

namespace {

[[noreturn]] void
refuse_type(Oid type) noexcept
{
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
					errmsg("could not identify an extended hash function for type %s", format_type_be(type))));
	pg_unreachable();
}

TypeCacheEntry *
entry_of(FunctionCallInfo fcinfo) noexcept
{
	const Oid type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	TypeCacheEntry *entry = static_cast<TypeCacheEntry *>(fcinfo->flinfo->fn_extra);

	if (entry == nullptr || entry->type_id != type)
	{
		entry = lookup_type_cache(type, TYPECACHE_HASH_EXTENDED_PROC_FINFO);
		fcinfo->flinfo->fn_extra = entry;
	}
	return entry;
}

} // namespace

// The server's hash of 64 bits has only 2^32 values for those of eight bytes, and hll hashes the result once more: so
// those are taken as they are.
REMEDY_FUNCTION(remedy_hash_of)
{
	TypeCacheEntry *const entry = entry_of(fcinfo);

	switch (entry->type_id)
	{
	case INT8OID:
	case TIMESTAMPOID:
	case TIMESTAMPTZOID:
		return PG_GETARG_DATUM(0);
	default:
		if (!OidIsValid(entry->hash_extended_proc))
			refuse_type(entry->type_id);
		return FunctionCall2Coll(&entry->hash_extended_proc_finfo, PG_GET_COLLATION(), PG_GETARG_DATUM(0),
								 UInt64GetDatum(0));
	}
}

REMEDY_FUNCTION(remedy_distinct_of)
{
	PG_RETURN_INT64(PG_ARGISNULL(0) ? 0 : std::llrint(remedy::rollup::distinct_values(PG_GETARG_FLOAT8(0))));
}

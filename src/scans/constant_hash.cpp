#include "scans/constant_hash.hpp"

#include <algorithm>

#include "repetition/values.hpp"

extern "C" {
#include "common/hashfn.h"
#include "utils/datum.h"
}

namespace remedy::scans {

namespace {

std::uint64_t
hash_bytes_of(const void *bytes, Size size, std::uint64_t seed) noexcept
{
	return hash_bytes_extended(static_cast<const unsigned char *>(bytes), static_cast<int>(size), seed);
}

std::uint64_t
hash_as_stored(Oid type, Datum value) noexcept
{
	int16 length;
	bool by_value;

	get_typlenbyval(type, &length, &by_value);
	if (by_value)
		return hash_bytes_of(&value, sizeof(value), type);
	if (length != -1)
		return hash_bytes_of(DatumGetPointer(value), datumGetSize(value, by_value, length), type);
	const varlena *const bytes = pg_detoast_datum_packed(reinterpret_cast<varlena *>(DatumGetPointer(value)));
	return hash_bytes_of(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), type);
}

} // namespace

ConstantHash
hash_of_constant(Oid type, Datum value) noexcept
{
	std::uint64_t hash = repetition::hash_value(repetition::hash_class(type), value);

	if (hash == 0)
		hash = hash_as_stored(type, value);
	return std::clamp(static_cast<ConstantHash>(hash ^ hash >> 32), unknown_constant + 1, varied_constant - 1);
}

} // namespace remedy::scans

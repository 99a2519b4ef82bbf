#include "repetition/spelling.hpp"

#include "repetition/values.hpp"

extern "C" {
#include "common/hashfn.h"
#include "port/pg_bswap.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/numeric.h"
}

namespace remedy::repetition {

namespace {

// Longer texts and numerics are no keys.
constexpr int longest_text = 256;
constexpr int longest_numeric = 64;

constexpr int long_text = 8;

ValueHash
hash_bytes_of(const void *bytes, std::size_t size, std::uint64_t seed) noexcept
{
	return hash_bytes_extended(static_cast<const unsigned char *>(bytes), static_cast<int>(size), seed);
}

ValueHash
hash_integer(std::int64_t value) noexcept
{
	return hash_bytes_of(&value, sizeof(value), 0);
}

ValueHash
hash_uuid(const unsigned char *bytes) noexcept
{
	return hash_bytes_of(bytes, uuid_size, 2);
}

ValueHash
hash_characters(const char *text, std::size_t length) noexcept
{
	unsigned char uuid[uuid_size];

	if (const auto integer = integer_of_text(text, length))
		return hash_integer(*integer);
	if (uuid_of_text(text, length, uuid))
		return hash_uuid(uuid);
	return hash_bytes_of(text, length, 1);
}

// Whether the value is at hand and not longer than that.
bool
is_short(const varlena *value, int limit) noexcept
{
	return !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value) &&
		   VARSIZE_ANY_EXHDR(value) <= static_cast<unsigned>(limit);
}

ValueHash
hash_text(const varlena *text, bool padded) noexcept
{
	if (!is_short(text, longest_text))
		return 0;
	const char *const characters = VARDATA_ANY(text);
	int length = VARSIZE_ANY_EXHDR(text);

	while (padded && length > 0 && characters[length - 1] == ' ')
		--length;
	return hash_characters(characters, length);
}

ValueHash
hash_timestamp(Timestamp value) noexcept
{
	return hash_bytes_of(&value, sizeof(value), 3);
}

// The form in which the server sends numerics is documented, their form in memory is not.
ValueHash
hash_numeric(const varlena *numeric) noexcept
{
	enum
	{
		digit_count,
		weight,
		sign,
		scale,
		digits
	};
	constexpr std::uint16_t negative = 0x4000; // larger ones are no numbers
	struct
	{
		int32 header;
		char data[longest_numeric];
	} copy; // with a header of four bytes, or the function makes one and leaves it

	if (!is_short(numeric, longest_numeric))
		return 0;
	SET_VARSIZE(&copy, VARHDRSZ + VARSIZE_ANY_EXHDR(numeric));
	memcpy(copy.data, VARDATA_ANY(numeric), VARSIZE_ANY_EXHDR(numeric));
	bytea *const sent = DatumGetByteaPP(DirectFunctionCall1(numeric_send, PointerGetDatum(&copy)));
	std::uint16_t words[digits + longest_numeric];
	const int word_count = static_cast<int>(VARSIZE_ANY_EXHDR(sent) / sizeof(std::uint16_t));
	memcpy(words, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
	pfree(sent);
	for (int i = 0; i < word_count; ++i)
		words[i] = pg_ntoh16(words[i]);
	if (words[sign] > negative)
		return 0;
	words[scale] = 0; // 1.5 is 1.50
	const auto integer = integer_of_digits(words[digit_count], static_cast<std::int16_t>(words[weight]),
										   words[sign] == negative, [&](int i) { return words[digits + i]; });

	return integer ? hash_integer(*integer) : hash_bytes_of(words, word_count * sizeof(std::uint16_t), 4);
}

HashClass
class_of_others(Oid type) noexcept
{
	const Oid base = getBaseType(type);
	char category;
	bool is_preferred;

	if (base != type)
		return hash_class(base);
	if (get_typtype(type) == TYPTYPE_ENUM)
		return HashClass::oid;
	get_type_category_preferred(type, &category, &is_preferred);
	return category == TYPCATEGORY_STRING && get_typlen(type) == -1 ? HashClass::text : HashClass::none;
}

// An element as a Datum: of fixed size and passed by value, or by reference.
Datum
element_at(HashClass of, char *place) noexcept
{
	switch (of)
	{
	case HashClass::int2:
		return fetch_att(place, true, sizeof(int16));
	case HashClass::int4:
	case HashClass::oid:
	case HashClass::date:
		return fetch_att(place, true, sizeof(int32));
	case HashClass::int8:
	case HashClass::timestamp:
		return fetch_att(place, true, sizeof(int64));
	default:
		return PointerGetDatum(place);
	}
}

} // namespace

HashClass
hash_class(Oid type) noexcept
{
	switch (type)
	{
	case INT2OID:
		return HashClass::int2;
	case INT4OID:
		return HashClass::int4;
	case INT8OID:
		return HashClass::int8;
	case OIDOID:
		return HashClass::oid;
	case NUMERICOID:
		return HashClass::numeric;
	case DATEOID:
		return HashClass::date;
	case TIMESTAMPOID:
	case TIMESTAMPTZOID:
		return HashClass::timestamp;
	case TEXTOID:
	case VARCHAROID:
	case BYTEAOID:
		return HashClass::text;
	case BPCHAROID:
		return HashClass::padded_text;
	case NAMEOID:
		return HashClass::name;
	case UUIDOID:
		return HashClass::uuid;
	default:
		return type < FirstNormalObjectId ? HashClass::none : class_of_others(type);
	}
}

HashClass
element_class(Oid type) noexcept
{
	const Oid element = get_base_element_type(type);

	return OidIsValid(element) ? hash_class(element) : HashClass::none;
}

ValueHash
hash_value(HashClass of, Datum value) noexcept
{
	switch (of)
	{
	case HashClass::int2:
		return hash_integer(DatumGetInt16(value));
	case HashClass::int4:
		return hash_integer(DatumGetInt32(value));
	case HashClass::int8:
		return hash_integer(DatumGetInt64(value));
	case HashClass::oid:
		return hash_integer(DatumGetObjectId(value));
	case HashClass::numeric:
		return hash_numeric(reinterpret_cast<varlena *>(DatumGetPointer(value)));
	case HashClass::date:
		// The largest dates are beyond timestamps: then only dates are equal to it.
		return hash_timestamp(static_cast<Timestamp>(DatumGetDateADT(value) * UINT64CONST(86400000000)));
	case HashClass::timestamp:
		return hash_timestamp(DatumGetTimestamp(value));
	case HashClass::text:
		return hash_text(reinterpret_cast<varlena *>(DatumGetPointer(value)), false);
	case HashClass::padded_text:
		return hash_text(reinterpret_cast<varlena *>(DatumGetPointer(value)), true);
	case HashClass::name:
		return hash_characters(NameStr(*DatumGetName(value)), strlen(NameStr(*DatumGetName(value))));
	case HashClass::uuid:
		return hash_uuid(DatumGetUUIDP(value)->data);
	case HashClass::none:
		break;
	}
	return 0;
}

ValueHash
hash_only_element(HashClass of, Datum array) noexcept
{
	ArrayType *const elements = reinterpret_cast<ArrayType *>(DatumGetPointer(array));

	if (VARATT_IS_EXTENDED(elements) || ARR_NDIM(elements) != 1 || ARR_DIMS(elements)[0] != 1 ||
		array_contains_nulls(elements))
		return 0;
	return hash_value(of, element_at(of, ARR_DATA_PTR(elements)));
}

bool
may_be_long(HashClass of) noexcept
{
	return of == HashClass::uuid || of == HashClass::text || of == HashClass::int8;
}

ValueHash
hash_long_value(HashClass of, Datum value) noexcept
{
	const auto is_long = [](std::int64_t integer) { return integer > PG_INT32_MAX || integer < PG_INT32_MIN; };

	if (of == HashClass::int8 && !is_long(DatumGetInt64(value)))
		return 0;
	if (of == HashClass::text)
	{
		const varlena *const text = reinterpret_cast<varlena *>(DatumGetPointer(value));
		if (!is_short(text, longest_text) || VARSIZE_ANY_EXHDR(text) < static_cast<unsigned>(long_text))
			return 0;
		const auto integer = integer_of_text(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
		if (integer && !is_long(*integer))
			return 0;
	}
	return hash_value(of, value);
}

ValueHash
any_hash(const ParamExternData &parameter) noexcept
{
	int16 length;
	bool by_value;

	if (parameter.isnull || !OidIsValid(parameter.ptype))
		return 1;
	get_typlenbyval(parameter.ptype, &length, &by_value);
	if (by_value)
		return hash_integer(static_cast<int64>(parameter.value));
	return hash_bytes_of(DatumGetPointer(parameter.value), datumGetSize(parameter.value, by_value, length), 3);
}

ValueHash
parameter_value(ParamListInfo parameters, const KeyColumn &key) noexcept
{
	// Parameters that are fetched on demand belong to procedural languages.
	if (parameters == nullptr || parameters->paramFetch != nullptr || key.parameter > parameters->numParams)
		return 0;
	const ParamExternData &parameter = parameters->params[key.parameter - 1];

	if (parameter.isnull)
		return 0;
	if (key.elements != 0)
		return hash_only_element(static_cast<HashClass>(key.elements), parameter.value);
	return hash_value(hash_class(parameter.ptype), parameter.value);
}

} // namespace remedy::repetition

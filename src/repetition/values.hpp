// Values on their way: what a parent's rows hold, and what a child's keys ask for.
//
// Values are compared by a hash of their canonical form: integers of any width,
// integral numerics and texts that spell an integer as eight bytes; other numerics as
// their digits; uuids, and texts that spell one, as sixteen bytes; enums by their
// label's identifier; dates as the timestamp at midnight; char(n) without its padding;
// other texts as their bytes.  Nothing else of them is kept, and nothing is detoasted.

#pragma once

#include "repetition/shapes.hpp"
#include "repetition/value_filter.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

enum class HashClass : std::uint8_t
{
	none,
	int2,
	int4,
	int8,
	oid, // and enums
	numeric,
	date,
	timestamp,
	text, // and what else users have made that the server calls a string
	padded_text,
	name,
	uuid,
};

// By the type or, for a domain, what is below it.
HashClass hash_class(Oid type) noexcept;

inline bool
can_be_hashed(Oid type) noexcept
{
	return hash_class(type) != HashClass::none;
}

// Of an array's elements; none for what is no array.
HashClass element_class(Oid type) noexcept;

// 0 for a value that cannot be compared, such as a toasted one.
ValueHash hash_value(HashClass of, Datum value) noexcept;

// The hash of an array's one element; 0 if it has none, or several.
ValueHash hash_only_element(HashClass of, Datum array) noexcept;

// 0 also for a value that others may hold by coincidence: an integer below 2^31, a text
// of less than eight bytes.
ValueHash hash_long_value(HashClass of, Datum value) noexcept;

// Whether there are such values of the class.
bool may_be_long(HashClass of) noexcept;

// A hash of a parameter's value, whatever its type, as it is stored.
ValueHash any_hash(const ParamExternData &parameter) noexcept;

// The value of a key that is a parameter; 0 if it is null or unknown.
ValueHash parameter_value(ParamListInfo parameters, const KeyColumn &key) noexcept;

} // namespace remedy::repetition

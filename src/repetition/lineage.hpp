// Values on their way: what a parent's rows hold, and what a child's keys ask for.
//
// Values are compared by a hash of their canonical form: integers of any width as
// eight bytes, texts as their bytes, uuids as sixteen.  Nothing else of them is
// kept, and nothing is detoasted.

#pragma once

#include "repetition/fan_out.hpp"
#include "server/headers.hpp"

namespace remedy::repetition {

enum class HashClass : std::uint8_t
{
	none,
	int2,
	int4,
	int8,
	text,
	uuid,
};

// By the type or, for a domain, what is below it.
HashClass hash_class(Oid type) noexcept;

inline bool
can_be_hashed(Oid type) noexcept
{
	return hash_class(type) != HashClass::none;
}

// 0 for a value that cannot be compared, such as a toasted one.
ValueHash hash_value(HashClass of, Datum value) noexcept;

// A hash of a parameter's value, whatever its type, as it is stored.
ValueHash any_hash(const ParamExternData &parameter) noexcept;

// The value of a parameter; 0 if it is null or unknown.
ValueHash parameter_value(ParamListInfo parameters, int number) noexcept;

// Whether any output column of the query may be worth keeping, told without a catalog.
bool may_have_columns(const QueryDesc *query) noexcept;

// Chooses the output columns of the parent's query that are worth keeping, those
// of keys first.  False if somebody has locked a catalog that tells: this does not wait.
bool choose_columns(QueryDesc *query, Parent &parent) noexcept;

// Whether the query's result still has the parent's columns where they were.
bool has_columns(const QueryDesc *query, const Parent &parent) noexcept;

// A receiver that notes the parent's values and hands each row on.  There is one:
// it serves until the run it was made for has ended.
DestReceiver *note_values(QueryDesc *query, Parent &parent) noexcept;

} // namespace remedy::repetition

#include "index_advice/value_forms.hpp"

#include "index_advice/constants.hpp"
#include "index_advice/pattern.hpp"

extern "C" {
#include "utils/jsonb.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"
}

namespace remedy::index_advice {

namespace {

// Which wildcards the text has around its constant; a parameter most likely has the one
// that completes a beginning.
Wildcards
wildcards_for(const Tie &tie) noexcept
{
	if (tie.role != ValueRole::pattern)
		return {};
	const char *const written = IsA(tie.value, Const) ? text_of(reinterpret_cast<Const *>(tie.value)) : nullptr;
	return written == nullptr ? Wildcards{false, true} : wildcards_of(written);
}

Const *
pattern_of(const Tie &tie, Const *value, Frequency frequency) noexcept
{
	const char *const text = text_of(value);

	if (text == nullptr)
		return nullptr;
	const Wildcards wildcards = wildcards_for(tie);
	const bool inside = wildcards.before || tie.role == ValueRole::piece || tie.role == ValueRole::regular;
	const std::string_view piece = piece_for_search(text, inside, static_cast<int>(frequency));
	if (piece.empty())
		return nullptr;
	return text_constant(psprintf("%s%.*s%s", wildcards.before ? "%" : "", static_cast<int>(piece.size()), piece.data(),
								  wildcards.after ? "%" : ""));
}

Const *
document_of(JsonbValue &key, JsonbValue &value) noexcept
{
	JsonbParseState *state = nullptr;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
	pushJsonbValue(&state, WJB_KEY, &key);
	pushJsonbValue(&state, WJB_VALUE, &value);
	return constant_of(JSONBOID, InvalidOid,
					   PointerGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr))));
}

// A scalar of a document's first level, from its middle on, as a document of its own; or
// its key.
Const *
part_of_document(Const *document, bool key_only) noexcept
{
	Jsonb *const whole = DatumGetJsonbP(document->constvalue);
	JsonbValue key, value;
	int before = JB_ROOT_COUNT(whole) / 2;

	if (!JB_ROOT_IS_OBJECT(whole))
		return key_only ? nullptr : document;
	JsonbIterator *at = JsonbIteratorInit(&whole->root);
	JsonbIteratorNext(&at, &key, true);
	while (JsonbIteratorNext(&at, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&at, &value, true);
		if (before-- > 0 || (!key_only && value.type == jbvBinary))
			continue;
		return key_only ? text_constant({key.val.string.val, static_cast<std::size_t>(key.val.string.len)})
						: document_of(key, value);
	}
	return key_only ? nullptr : document;
}

// A range, or where it begins.
Const *
range_or_bound(const Tie &tie, Const *value) noexcept
{
	const Oid type = exprType(tie.value);
	TypeCacheEntry *const range = lookup_type_cache(value->consttype, TYPECACHE_RANGE_INFO);
	RangeBound lower, upper;
	bool empty;

	if (range->rngelemtype == nullptr || type_is_range(type) || type_is_multirange(type))
		return value;
	range_deserialize(range, DatumGetRangeTypeP(value->constvalue), &lower, &upper, &empty);
	if (empty || lower.infinite)
		return nullptr;
	return constant_of(range->rngelemtype->type_id, range->rng_collation, lower.val);
}

// How long before now the value was: what is subtracted from the time of a query.
Const *
age_of(Const *value) noexcept
{
	const Const *const time = cast_to(value, TIMESTAMPTZOID);

	if (time == nullptr)
		return nullptr;
	return constant_of(INTERVALOID, InvalidOid,
					   DirectFunctionCall2(timestamp_mi, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
										   time->constvalue));
}

bool
is_time(Oid type) noexcept
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID;
}

} // namespace

Const *
search_for(const Tie &tie, Datum word) noexcept
{
	const char *const letters = TextDatumGetCString(word);

	// Within quotes no word is an operator.
	return exprType(tie.value) == TSQUERYOID ? cast_to(text_constant(quote_literal_cstr(letters)), TSQUERYOID)
											 : text_constant(letters);
}

Const *
formed(const Tie &tie, Const *value, Frequency frequency) noexcept
{
	if (value == nullptr)
		return nullptr;
	switch (tie.role)
	{
	case ValueRole::pattern:
	case ValueRole::piece:
	case ValueRole::regular:
	case ValueRole::prefix:
		return pattern_of(tie, value, frequency);
	case ValueRole::document:
	case ValueRole::key:
		return value->consttype == JSONBOID ? part_of_document(value, tie.role == ValueRole::key) : nullptr;
	case ValueRole::range:
		return range_or_bound(tie, value);
	case ValueRole::below:
	case ValueRole::above:
		return exprType(tie.value) == INTERVALOID && is_time(value->consttype) ? age_of(value) : value;
	default:
		return value;
	}
}

} // namespace remedy::index_advice

#include "index_advice/representative_values.hpp"

#include "index_advice/column_values.hpp"
#include "index_advice/pattern.hpp"
#include "server/guard.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/datum.h"
#include "utils/jsonb.h"
}

namespace remedy::index_advice {

namespace {

constexpr int list_length_of_parameter = 5;

// ---- Constants -------------------------------------------------------------------

Const *
constant_of(Oid type, Oid collation, Datum value) noexcept
{
	int16 length;
	bool by_value;

	get_typlenbyval(type, &length, &by_value);
	return makeConst(type, -1, collation, length, value, false, by_value);
}

Const *
text_constant(const char *text, std::size_t length) noexcept
{
	return constant_of(TEXTOID, DEFAULT_COLLATION_OID,
					   PointerGetDatum(cstring_to_text_with_len(text, static_cast<int>(length))));
}

// Null if it has no value, or cannot be computed.
Const *
evaluated(Node *expression) noexcept
{
	Node *result = expression;

	if (expression == nullptr || calls_users_functions(expression))
		return nullptr;
	if (!IsA(expression, Const))
	{
		const bool computed = attempt([&]() noexcept {
			result = reinterpret_cast<Node *>(evaluate_expr(reinterpret_cast<Expr *>(expression), exprType(expression),
															exprTypmod(expression), exprCollation(expression)));
		});
		if (!computed)
			return nullptr;
	}
	return IsA(result, Const) && !reinterpret_cast<Const *>(result)->constisnull ? reinterpret_cast<Const *>(result)
																				 : nullptr;
}

// A domain's conditions are its users' functions: a value is one of its base type.
Const *
cast_to(Const *value, Oid type) noexcept
{
	if (value == nullptr || value->consttype == type)
		return value;
	return evaluated(coerce_to_target_type(nullptr, reinterpret_cast<Node *>(value), value->consttype,
										   getBaseType(type), -1, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1));
}

const char *
text_of(Const *value) noexcept
{
	const Const *const cast = cast_to(value, TEXTOID);

	return cast == nullptr ? nullptr : TextDatumGetCString(cast->constvalue);
}

// ---- Of a column's values --------------------------------------------------------

Const *
constant_in(const ColumnValues &values, const Datum *value) noexcept
{
	return value == nullptr ? nullptr : constant_of(values.type, values.collation, *value);
}

// The place-th of those that are as frequent, so that a list has different ones.
const Datum *
one_of(const ColumnValues &values, Frequency frequency, int place) noexcept
{
	const int common = values.common_count;
	const int others = values.bound_count;

	if (common + others == 0)
		return nullptr;
	if (common == 0 || (others > 0 && frequency == Frequency::rare) || (common == 1 && others > 0 && place > 0))
	{
		const int step = Max(others / 7, 1);
		return &values.bounds[(others / 2 + place * step) % others];
	}
	switch (frequency)
	{
	case Frequency::common:
		return &values.common[place % common];
	case Frequency::middle:
		return &values.common[(common / 2 + place) % common];
	default:
		return &values.common[(common - 1 + place * (common - 1)) % common];
	}
}

Datum
element_of(const Elements &elements, Frequency frequency) noexcept
{
	const int last = elements.count - 1;

	return elements.values[frequency == Frequency::common ? 0 : frequency == Frequency::middle ? last / 2 : last];
}

// Which part of the rows lies before a bound.  Two bounds of a column hold a slice in the
// middle; one alone keeps what is left at its end, and a page begins anywhere.
double
part_before(const Tie &tie, Frequency frequency) noexcept
{
	static constexpr double widths[] = {0.20, 0.05, 0.01};
	static constexpr double ends[] = {0.50, 0.90, 0.99};
	const int i = static_cast<int>(frequency);
	const bool above = tie.role == Role::above;

	if (tie.partner >= 0)
		return 0.5 + (above ? -0.5 : 0.5) * widths[i];
	if (tie.paged)
		return 0.5;
	return above ? ends[i] : 1 - ends[i];
}

// ---- Of texts and documents ------------------------------------------------------

Const *
pattern_of(const Tie &tie, Const *value, Frequency frequency) noexcept
{
	static constexpr std::size_t sizes[] = {2, 3, 6};
	const char *const text = text_of(value);
	Wildcards wildcards = {tie.role == Role::regular, tie.role == Role::pattern};

	if (text == nullptr)
		return nullptr;
	if (IsA(tie.value, Const) && tie.role == Role::pattern)
	{
		const char *const written = text_of(reinterpret_cast<Const *>(tie.value));
		if (written != nullptr)
			wildcards = wildcards_of(written);
	}
	const bool inside = wildcards.before || tie.role == Role::piece;
	const std::string_view whole = text;
	std::string_view piece = piece_of(whole, inside ? whole.size() / 4 : 0, sizes[static_cast<int>(frequency)]);
	if (piece.empty())
		piece = piece_of(whole, 0, sizes[static_cast<int>(frequency)]);
	if (tie.role == Role::regular)
		wildcards = {};
	const char *const made = psprintf("%s%.*s%s", wildcards.before ? "%" : "", static_cast<int>(piece.size()),
									  piece.data(), wildcards.after ? "%" : "");
	return piece.empty() ? nullptr : text_constant(made, strlen(made));
}

// A scalar of a document's first level, the middle one, as a document of its own, or its key.
Const *
part_of_document(Const *document, bool key_only) noexcept
{
	Jsonb *const whole = DatumGetJsonbP(document->constvalue);
	JsonbParseState *state = nullptr;
	JsonbValue key, value;
	int wanted = JB_ROOT_COUNT(whole) / 2;

	if (!JB_ROOT_IS_OBJECT(whole))
		return key_only ? nullptr : document;
	JsonbIterator *at = JsonbIteratorInit(&whole->root);
	JsonbIteratorNext(&at, &key, true);
	while (JsonbIteratorNext(&at, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&at, &value, true);
		if (wanted-- > 0)
			continue;
		if (key_only)
			return text_constant(key.val.string.val, key.val.string.len);
		if (value.type == jbvBinary)
			continue;
		pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
		return constant_of(JSONBOID, InvalidOid,
						   PointerGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, nullptr))));
	}
	return key_only ? nullptr : document;
}

// Words stand in quotes, so that no word is an operator.
Const *
search_for(const Tie &tie, Datum word) noexcept
{
	const char *const letters = TextDatumGetCString(word);

	if (exprType(tie.value) != TSQUERYOID)
		return text_constant(letters, strlen(letters));
	const char *const quoted = quote_literal_cstr(letters);
	return cast_to(text_constant(quoted, strlen(quoted)), TSQUERYOID);
}

Const *
array_of_one(const Tie &tie, Oid element, Datum value) noexcept
{
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(element, &length, &by_value, &align);
	return constant_of(get_array_type(element), exprCollation(tie.column),
					   PointerGetDatum(construct_array(&value, 1, element, length, by_value, align)));
}

// ---- All together ----------------------------------------------------------------

Const *
element_for(const Tie &tie, const ColumnValues &values, Frequency frequency) noexcept
{
	const Oid type = get_base_element_type(values.type);

	if (values.elements.count == 0)
		return nullptr;
	const Datum value = element_of(values.elements, frequency);
	if (tie.role == Role::words)
		return search_for(tie, value);
	if (!OidIsValid(type))
		return nullptr;
	return tie.role == Role::element ? constant_of(type, values.collation, value) : array_of_one(tie, type, value);
}

// What the column itself would have, of its own type.
Const *
value_of_column(const Tie &tie, const ColumnValues &values, Frequency frequency, int place) noexcept
{
	switch (tie.role)
	{
	case Role::below:
	case Role::above:
		return constant_in(values, quantile(values, part_before(tie, frequency)));
	case Role::element:
	case Role::elements:
	case Role::words:
		return element_for(tie, values, frequency);
	case Role::range:
		return values.range_count == 0 ? nullptr : constant_in(values, &values.ranges[values.range_count / 2]);
	case Role::pattern:
	case Role::piece:
	case Role::regular:
	case Role::prefix:
		return constant_in(values, one_of(values, Frequency::rare, place));
	default:
		return constant_in(values, one_of(values, frequency, place));
	}
}

struct Substitution
{
	Const *value;
	const Var *variable; // any other one cannot be replaced
	bool failed;
};

Node *
substitute(Node *node, void *context)
{
	Substitution &substitution = *static_cast<Substitution *>(context);

	if (node == nullptr)
		return nullptr;
	if (!IsA(node, Var))
		return server::mutate_expression(node, substitute, context);
	substitution.failed |= substitution.variable != nullptr && !equal(node, substitution.variable);
	substitution.variable = reinterpret_cast<Var *>(node);
	return reinterpret_cast<Node *>(substitution.value);
}

bool
find_variable(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	if (!IsA(node, Var))
		return server::walk_expression(node, find_variable, context);
	*static_cast<Node **>(context) = node;
	return true;
}

// The statistics of the expression itself, else those of the one column in it.
bool
read_values(const Tie &tie, ColumnValues &values, bool &of_expression) noexcept
{
	Node *variable = nullptr;

	of_expression = read_column_values(tie.column, tie.relation, tie.inherits, values);
	if (of_expression)
		return true;
	find_variable(tie.column, &variable);
	return variable != nullptr && variable != tie.column &&
		   read_column_values(variable, tie.relation, tie.inherits, values);
}

// What the expression makes of a value of its column.
Const *
computed(const Tie &tie, Const *value) noexcept
{
	Substitution substitution = {value, nullptr, false};

	if (value == nullptr)
		return nullptr;
	Node *const expression = substitute(tie.column, &substitution);
	return substitution.failed ? nullptr : evaluated(expression);
}

Const *
finished(const Tie &tie, Const *value, Frequency frequency) noexcept
{
	if (value == nullptr)
		return nullptr;
	switch (tie.role)
	{
	case Role::pattern:
	case Role::piece:
	case Role::regular:
	case Role::prefix:
		return pattern_of(tie, value, frequency);
	case Role::document:
	case Role::key:
		return value->consttype == JSONBOID ? part_of_document(value, tie.role == Role::key) : nullptr;
	default:
		return value;
	}
}

// One value of the type that the value has, or the elements of its list have.
Const *
single_value(const Tie &tie, const ColumnValues &values, bool of_expression, Oid type, Frequency frequency,
			 int place) noexcept
{
	Const *const value = value_of_column(tie, values, frequency, place);

	return cast_to(finished(tie, of_expression ? value : computed(tie, value), frequency), type);
}

// A list as long as the one in the text, with no value twice.
Const *
list_of_values(const Tie &tie, const ColumnValues &values, bool of_expression, Frequency frequency) noexcept
{
	const Oid type = exprType(tie.value);
	const Oid element = getBaseType(get_base_element_type(type));
	const int known = Max(values.common_count + values.bound_count, 1);
	int wanted = list_length_of_parameter;
	Datum *const items = static_cast<Datum *>(palloc(known * sizeof(Datum)));
	int count = 0;
	int16 length;
	bool by_value;
	char align;

	if (!OidIsValid(element))
		return nullptr;
	if (IsA(tie.value, Const))
	{
		const ArrayType *const written = DatumGetArrayTypeP(reinterpret_cast<Const *>(tie.value)->constvalue);
		wanted = ArrayGetNItems(ARR_NDIM(written), ARR_DIMS(written));
	}
	get_typlenbyvalalign(element, &length, &by_value, &align);
	for (int place = 0; place < Min(wanted, known); ++place)
	{
		const Const *const item = single_value(tie, values, of_expression, element, frequency, place);
		bool is_new = item != nullptr;
		for (int i = 0; i < count && is_new; ++i)
			is_new = !datumIsEqual(items[i], item->constvalue, by_value, length);
		if (is_new)
			items[count++] = item->constvalue;
	}
	if (count == 0)
		return nullptr;
	return constant_of(type, exprCollation(tie.value),
					   PointerGetDatum(construct_array(items, count, element, length, by_value, align)));
}

} // namespace

Const *
representative_of(const Tie &tie, Frequency frequency) noexcept
{
	const Oid type = exprType(tie.value);
	ColumnValues values;
	bool of_expression;

	if (tie.role == Role::row_limit || tie.role == Role::row_offset)
		return cast_to(constant_of(INT8OID, InvalidOid, Int64GetDatum(tie.role == Role::row_limit ? 20 : 0)), type);
	if (!read_values(tie, values, of_expression))
		return nullptr;
	return tie.is_list ? list_of_values(tie, values, of_expression, frequency)
					   : single_value(tie, values, of_expression, type, frequency, tie.place);
}

} // namespace remedy::index_advice

#include "index_advice/representative_values.hpp"

#include "index_advice/constants.hpp"
#include "index_advice/value_forms.hpp"
#include "server/versions.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace remedy::index_advice {

namespace {

// How many values a list has of which nobody knows; at most half of those there are.
constexpr int usual_list_length = 5;

constexpr int64 usual_limit = 20;

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
	if (others == 0 && values.shares[0] < 2 * values.shares[common - 1])
		frequency = Frequency::common;
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
	const bool above = tie.role == ValueRole::above;

	if (tie.partner >= 0)
		return 0.5 + (above ? -0.5 : 0.5) * widths[i];
	if (tie.paged)
		return 0.5;
	return above ? ends[i] : 1 - ends[i];
}

// ---- All together ----------------------------------------------------------------

Const *
element_for(const Tie &tie, const ColumnValues &values, Frequency frequency) noexcept
{
	const Oid type = get_base_element_type(values.type);

	if (values.elements.count == 0)
		return nullptr;
	Datum value = element_of(values.elements, frequency);
	if (tie.role == ValueRole::words)
		return search_for(tie, value);
	if (!OidIsValid(type))
		return nullptr;
	return tie.role == ValueRole::element ? constant_of(type, values.collation, value)
										  : array_constant(type, values.collation, &value, 1);
}

// What the column itself would have, of its own type.
Const *
value_of_column(const Tie &tie, const ColumnValues &values, Frequency frequency, int place) noexcept
{
	switch (tie.role)
	{
	case ValueRole::below:
	case ValueRole::above:
		return constant_in(values, quantile(values, part_before(tie, frequency)));
	case ValueRole::element:
	case ValueRole::elements:
	case ValueRole::words:
		return element_for(tie, values, frequency);
	case ValueRole::range:
		return values.range_count == 0 ? nullptr : constant_in(values, &values.ranges[values.range_count / 2]);
	case ValueRole::pattern:
	case ValueRole::piece:
	case ValueRole::regular:
	case ValueRole::prefix:
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

void
read(StatisticsReader &reader, const Tie &tie) noexcept
{
	Node *variable = nullptr;

	if (reader.tie != nullptr && reader.tie->relation == tie.relation && equal(reader.tie->column, tie.column))
		return;
	reader.tie = &tie;
	reader.of_expression = read_column_values(tie.column, tie.relation, tie.inherits, reader.values);
	reader.known = reader.of_expression;
	if (reader.known)
		return;
	find_variable(tie.column, &variable);
	reader.known = variable != nullptr && variable != tie.column &&
				   read_column_values(variable, tie.relation, tie.inherits, reader.values);
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

// One value of the type that the value has, or the elements of its list have.
Const *
single_value(const Tie &tie, const StatisticsReader &reader, Oid type, Frequency frequency, int place) noexcept
{
	Const *const value = value_of_column(tie, reader.values, frequency, place);

	return cast_to(formed(tie, reader.of_expression ? value : computed(tie, value), frequency), type);
}

// A list as long as the one in the text, with no value twice.
Const *
list_of_values(const Tie &tie, const StatisticsReader &reader, Frequency frequency) noexcept
{
	const Oid type = exprType(tie.value);
	const Oid element = getBaseType(get_base_element_type(type));
	const ColumnValues &values = reader.values;
	const int known = Max(values.common_count + values.bound_count, 1);
	int wanted = values.bound_count > 0 ? usual_list_length : Min(usual_list_length, Max(known / 2, 1));
	Datum *const items = static_cast<Datum *>(palloc(known * sizeof(Datum)));
	int count = 0;
	int16 length;
	bool by_value;

	if (!OidIsValid(element))
		return nullptr;
	if (IsA(tie.value, Const))
	{
		const ArrayType *const written = DatumGetArrayTypeP(reinterpret_cast<Const *>(tie.value)->constvalue);
		wanted = ArrayGetNItems(ARR_NDIM(written), ARR_DIMS(written));
	}
	get_typlenbyval(element, &length, &by_value);
	for (int place = 0; place < Min(wanted, known); ++place)
	{
		const Const *const item = single_value(tie, reader, element, frequency, place);
		bool is_new = item != nullptr;
		for (int i = 0; i < count && is_new; ++i)
			is_new = !datumIsEqual(items[i], item->constvalue, by_value, length);
		if (is_new)
			items[count++] = item->constvalue;
	}
	return count == 0 ? nullptr : array_constant(element, exprCollation(tie.value), items, count);
}

Const *
representative_of(const Tie &tie, const StatisticsReader &reader, Frequency frequency) noexcept
{
	if (!reader.known)
		return nullptr;
	// The planner cannot tell such values apart.
	if (tie.role == ValueRole::equal && !reader.of_expression)
		frequency = Frequency::middle;
	return tie.is_list ? list_of_values(tie, reader, frequency)
					   : single_value(tie, reader, exprType(tie.value), frequency, tie.place);
}

Const *
usual_count(const Tie &tie) noexcept
{
	const int64 rows = tie.role == ValueRole::row_limit ? usual_limit : 0;

	return cast_to(constant_of(INT8OID, InvalidOid, Int64GetDatum(rows)), exprType(tie.value));
}

} // namespace

Representatives
representatives_of(const Tie &tie, StatisticsReader &reader) noexcept
{
	Representatives all = {};
	const bool is_count = tie.role == ValueRole::row_limit || tie.role == ValueRole::row_offset;

	if (!is_count)
		read(reader, tie);
	for (int i = 0; i < frequency_count; ++i)
		all.values[i] = is_count ? usual_count(tie) : representative_of(tie, reader, static_cast<Frequency>(i));
	return all;
}

} // namespace remedy::index_advice

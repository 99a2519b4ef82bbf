// From sampled values to what ANALYZE would have noted of them.

#include "what_if/hypothetical.hpp"

#include <algorithm>

#include "what_if/index_size.hpp"

extern "C" {
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_statistic.h"
#include "utils/sortsupport.h"
#include "utils/typcache.h"
}

namespace remedy::what_if {

namespace {

constexpr int most_common = 100;
constexpr int most_lexemes = 1000;
constexpr int most_bounds = 101;
constexpr int widest = 1024; // wider values are no common ones and no bounds

struct Sorted
{
	Datum *values;
	int *rows;
	int count;
	Oid less;
	Oid equal;
	SortSupportData order;
};

// Equal values next to each other.
struct Run
{
	int first;
	int count;
};

struct Runs
{
	Run *runs;
	int count;
	int single; // values that are there once
};

double
mean_width(const Column &column, const SampledValues &values) noexcept
{
	const int16 length = get_typlen(column.type);
	double sum = 0;

	if (length > 0 || values.count == 0)
		return length > 0 ? length : 1;
	for (int i = 0; i < values.count; ++i)
	{
		const Pointer value = DatumGetPointer(values.values[i]);
		if (length == -2)
			sum += strlen(value) + 1;
		else
			sum += VARATT_CAN_MAKE_SHORT(value) ? VARATT_CONVERTED_SHORT_SIZE(value) : VARSIZE_ANY(value);
	}
	return sum / values.count;
}

struct Order
{
	const Datum *values;
	SortSupport order;
};

// For the server's sort: unlike the library's it bears types that contradict themselves.
int
compare(const void *first, const void *second, void *context)
{
	const Order &order = *static_cast<const Order *>(context);
	const int a = *static_cast<const int *>(first);
	const int b = *static_cast<const int *>(second);
	const int result = ApplySortComparator(order.values[a], false, order.values[b], false, order.order);

	return result != 0 ? result : a - b;
}

bool
sort(const Column &column, const SampledValues &values, Sorted &sorted) noexcept
{
	const TypeCacheEntry *const type = lookup_type_cache(column.type, TYPECACHE_LT_OPR | TYPECACHE_EQ_OPR);
	int *const places = static_cast<int *>(palloc(sizeof(int) * (values.count + 1)));

	if (!OidIsValid(type->lt_opr) || !OidIsValid(type->eq_opr))
		return false;
	sorted = {};
	sorted.less = type->lt_opr;
	sorted.equal = type->eq_opr;
	sorted.order.ssup_cxt = CurrentMemoryContext;
	sorted.order.ssup_collation = column.collation;
	PrepareSortSupportFromOrderingOp(sorted.less, &sorted.order);
	sorted.values = static_cast<Datum *>(palloc(sizeof(Datum) * (values.count + 1)));
	sorted.rows = static_cast<int *>(palloc(sizeof(int) * (values.count + 1)));
	for (int i = 0; i < values.count; ++i)
		if (type->typlen != -1 || VARSIZE_ANY(DatumGetPointer(values.values[i])) <= widest)
			places[sorted.count++] = i;
	Order order = {values.values, &sorted.order};
	qsort_arg(places, sorted.count, sizeof(int), compare, &order);
	for (int i = 0; i < sorted.count; ++i)
	{
		sorted.values[i] = values.values[places[i]];
		sorted.rows[i] = values.rows[places[i]];
	}
	return sorted.count > 0;
}

Runs
find_runs(Sorted &sorted) noexcept
{
	Runs runs = {static_cast<Run *>(palloc(sizeof(Run) * sorted.count)), 0, 0};

	for (int i = 0; i < sorted.count; ++i)
		if (i > 0 && ApplySortComparator(sorted.values[i - 1], false, sorted.values[i], false, &sorted.order) == 0)
			++runs.runs[runs.count - 1].count;
		else
			runs.runs[runs.count++] = {i, 1};
	for (int i = 0; i < runs.count; ++i)
		runs.single += runs.runs[i].count == 1;
	return runs;
}

// The most common first; those that are clearly more common than the average.
int
choose_common(Runs &runs, int values, double distinct) noexcept
{
	const double average = distinct > runs.count ? values / distinct : values / static_cast<double>(runs.count);
	int count = 0;

	std::sort(runs.runs, runs.runs + runs.count, [](const Run &a, const Run &b) {
		return a.count > b.count || (a.count == b.count && a.first < b.first);
	});
	if (runs.count <= most_common && runs.single == 0)
		return runs.count;
	while (count < runs.count && count < most_common && runs.runs[count].count >= std::max(2.0, 1.25 * average))
		++count;
	return count;
}

double
correlation_of(const Sorted &sorted) noexcept
{
	const double n = sorted.count;
	int *const ranks = static_cast<int *>(palloc(sizeof(int) * sorted.count));
	double products = 0;

	for (int i = 0; i < sorted.count; ++i)
		ranks[i] = i;
	std::sort(ranks, ranks + sorted.count, [&](int a, int b) { return sorted.rows[a] < sorted.rows[b]; });
	for (int i = 0; i < sorted.count; ++i)
		products += static_cast<double>(i) * ranks[i];
	const double sum = n * (n - 1) / 2;
	const double squares = n * (n - 1) * (2 * n - 1) / 6;
	return n < 2 ? 0 : (n * products - sum * sum) / (n * squares - sum * sum);
}

// ---- The tuple -------------------------------------------------------------------

struct Slots
{
	Datum values[Natts_pg_statistic];
	bool nulls[Natts_pg_statistic];
	int used;
};

void
add_slot(Slots &slots, int kind, Oid operation, Oid collation, Datum numbers, Datum values) noexcept
{
	const int slot = slots.used++;

	slots.values[Anum_pg_statistic_stakind1 - 1 + slot] = Int16GetDatum(static_cast<int16>(kind));
	slots.values[Anum_pg_statistic_staop1 - 1 + slot] = ObjectIdGetDatum(operation);
	slots.values[Anum_pg_statistic_stacoll1 - 1 + slot] = ObjectIdGetDatum(collation);
	slots.values[Anum_pg_statistic_stanumbers1 - 1 + slot] = numbers;
	slots.nulls[Anum_pg_statistic_stanumbers1 - 1 + slot] = numbers == 0;
	slots.values[Anum_pg_statistic_stavalues1 - 1 + slot] = values;
	slots.nulls[Anum_pg_statistic_stavalues1 - 1 + slot] = values == 0;
}

Datum
array_of(Oid type, Datum *values, int count) noexcept
{
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	return PointerGetDatum(construct_array(values, count, type, length, by_value, alignment));
}

void
add_common(Slots &slots, const Column &column, const Sorted &sorted, const Runs &runs,
		   const SampledFacts &facts) noexcept
{
	Datum *const numbers = static_cast<Datum *>(palloc(sizeof(Datum) * (facts.common_count + 1)));
	Datum *const values = static_cast<Datum *>(palloc(sizeof(Datum) * (facts.common_count + 1)));

	if (facts.common_count == 0)
		return;
	for (int i = 0; i < facts.common_count; ++i)
	{
		numbers[i] = Float4GetDatum(facts.common[i]);
		values[i] = sorted.values[runs.runs[i].first];
	}
	add_slot(slots, STATISTIC_KIND_MCV, sorted.equal, column.collation,
			 array_of(FLOAT4OID, numbers, facts.common_count), array_of(column.type, values, facts.common_count));
}

void
add_histogram(Slots &slots, const Column &column, const Sorted &sorted, const Runs &runs, int common) noexcept
{
	Datum *const rest = static_cast<Datum *>(palloc(sizeof(Datum) * (sorted.count + 1)));
	Datum bounds[most_bounds];
	bool *const is_common = static_cast<bool *>(palloc0(sizeof(bool) * (sorted.count + 1)));
	int count = 0;

	for (int i = 0; i < common; ++i)
		std::fill_n(is_common + runs.runs[i].first, runs.runs[i].count, true);
	for (int i = 0; i < sorted.count; ++i)
		if (!is_common[i])
			rest[count++] = sorted.values[i];
	const int bound_count = std::min({count, most_bounds, runs.count - common});
	if (bound_count < 2)
		return;
	for (int i = 0; i < bound_count; ++i)
		bounds[i] = rest[static_cast<std::int64_t>(i) * (count - 1) / (bound_count - 1)];
	add_slot(slots, STATISTIC_KIND_HISTOGRAM, sorted.less, column.collation, 0,
			 array_of(column.type, bounds, bound_count));
}

HeapTuple
make_tuple(const Hypothetical &index, int number, const SampledFacts &facts, double tuples, Slots &slots) noexcept
{
	const double distinct = facts.distinct > 0.1 * tuples ? -facts.distinct / std::max(tuples, 1.0) : facts.distinct;

	slots.values[Anum_pg_statistic_starelid - 1] = ObjectIdGetDatum(index.oid);
	slots.values[Anum_pg_statistic_staattnum - 1] = Int16GetDatum(static_cast<int16>(number + 1));
	slots.values[Anum_pg_statistic_stainherit - 1] = BoolGetDatum(false);
	slots.values[Anum_pg_statistic_stanullfrac - 1] = Float4GetDatum(static_cast<float4>(facts.null_fraction));
	slots.values[Anum_pg_statistic_stawidth - 1] = Int32GetDatum(static_cast<int32>(facts.width));
	slots.values[Anum_pg_statistic_stadistinct - 1] = Float4GetDatum(static_cast<float4>(distinct));
	while (slots.used < STATISTIC_NUM_SLOTS)
		add_slot(slots, 0, InvalidOid, InvalidOid, 0, 0);
	const Relation catalog = table_open(StatisticRelationId, AccessShareLock);
	const HeapTuple tuple = heap_form_tuple(RelationGetDescr(catalog), slots.values, slots.nulls);
	table_close(catalog, AccessShareLock);
	return tuple;
}

HeapTuple
value_statistics(const Hypothetical &index, int number, const Sorted &sorted, const Runs &runs,
				 const SampledFacts &facts, double tuples) noexcept
{
	const Column &column = index.columns[number];
	Datum correlation = Float4GetDatum(static_cast<float4>(correlation_of(sorted)));
	Slots slots = {};

	add_common(slots, column, sorted, runs, facts);
	add_histogram(slots, column, sorted, runs, facts.common_count);
	add_slot(slots, STATISTIC_KIND_CORRELATION, sorted.less, column.collation, array_of(FLOAT4OID, &correlation, 1), 0);
	return make_tuple(index, number, facts, tuples, slots);
}

// The order in which the server looks for them.
bool
is_shorter_or_less(const SampledKey &a, const SampledKey &b) noexcept
{
	const Pointer left = DatumGetPointer(a.lexeme);
	const Pointer right = DatumGetPointer(b.lexeme);

	if (VARSIZE_ANY_EXHDR(left) != VARSIZE_ANY_EXHDR(right))
		return VARSIZE_ANY_EXHDR(left) < VARSIZE_ANY_EXHDR(right);
	return memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) < 0;
}

} // namespace

SampledFacts
facts_from(const Hypothetical &index, int number, const SampledValues &values, const Sample &sample) noexcept
{
	const Column &column = index.columns[number];
	const double tuples = sample.tuples * sample.kept / sample.rows;
	SampledFacts facts = {};
	Sorted sorted;

	facts.width = mean_width(column, values);
	facts.null_fraction = 1 - static_cast<double>(values.count) / sample.kept;
	if (!sort(column, values, sorted))
		return facts;
	Runs runs = find_runs(sorted);
	facts.distinct = distinct_in_all(sorted.count, runs.count, runs.single, tuples * (1 - facts.null_fraction));
	const int common = choose_common(runs, sorted.count, facts.distinct);
	auto *const frequencies = static_cast<float4 *>(palloc(sizeof(float4) * (common + 1)));
	for (int i = 0; i < common; ++i)
		frequencies[i] = static_cast<float4>(runs.runs[i].count) / sample.kept;
	facts.common = frequencies;
	facts.common_count = common;
	if (index.predicate == NIL)
		facts.statistics = value_statistics(index, number, sorted, runs, facts, tuples);
	return facts;
}

HeapTuple
lexeme_statistics(const Hypothetical &index, const SampledKeys &keys, const Sample &sample) noexcept
{
	SampledKey lexemes[most_lexemes];
	Datum numbers[most_lexemes + 2];
	Datum values[most_lexemes];
	int count = 0;
	Slots slots = {};

	if (index.key_count != 1 || index.predicate != NIL || index.columns[0].type != TSVECTOROID)
		return nullptr;
	for (int i = 0; i < keys.count && count < most_lexemes; ++i)
		if (keys.keys[i].lexeme != 0)
			lexemes[count++] = keys.keys[i];
	if (count == 0)
		return nullptr;
	const auto share = [&](int i) { return Float4GetDatum(static_cast<float4>(lexemes[i].rows) / sample.kept); };
	numbers[count] = share(count - 1);
	numbers[count + 1] = share(0);
	std::sort(lexemes, lexemes + count, is_shorter_or_less);
	for (int i = 0; i < count; ++i)
	{
		numbers[i] = share(i);
		values[i] = lexemes[i].lexeme;
	}
	add_slot(slots, STATISTIC_KIND_MCELEM, TextEqualOperator, DEFAULT_COLLATION_OID,
			 array_of(FLOAT4OID, numbers, count + 2), array_of(TEXTOID, values, count));
	return make_tuple(index, 0, sample.facts[0], sample.tuples, slots);
}

} // namespace remedy::what_if

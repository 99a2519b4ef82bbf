#include "index_advice/column_values.hpp"

#include <algorithm>

extern "C" {
#include "catalog/pg_inherits.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_statistic_ext_data.h"
#include "optimizer/optimizer.h"
#include "statistics/statistics.h"
#include "utils/typcache.h"
}

namespace remedy::index_advice {

namespace {

// ---- Finding the statistics ------------------------------------------------------

HeapTuple
statistics_of(Oid relation, AttrNumber column, bool inherits) noexcept
{
	HeapTuple found = nullptr;

	if (inherits)
		found =
			SearchSysCacheCopy(STATRELATTINH, ObjectIdGetDatum(relation), Int16GetDatum(column), BoolGetDatum(true), 0);
	return found != nullptr ? found
							: SearchSysCacheCopy(STATRELATTINH, ObjectIdGetDatum(relation), Int16GetDatum(column),
												 BoolGetDatum(false), 0);
}

float4
rows_of(Oid relation) noexcept
{
	const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	float4 rows = 0;

	if (tuple != nullptr)
	{
		rows = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows;
}

Oid
largest_leaf(Oid relation) noexcept
{
	Oid largest = InvalidOid;
	ListCell *cell;

	foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_RELATION &&
			(!OidIsValid(largest) || rows_of(lfirst_oid(cell)) > rows_of(largest)))
			largest = lfirst_oid(cell);
	return largest;
}

HeapTuple
statistics_of_column(Oid relation, AttrNumber column, bool inherits) noexcept
{
	const HeapTuple found = statistics_of(relation, column, inherits);

	if (found != nullptr || get_rel_relkind(relation) != RELKIND_PARTITIONED_TABLE)
		return found;
	const Oid leaf = largest_leaf(relation);
	const char *const name = get_attname(relation, column, true);
	return OidIsValid(leaf) && name != nullptr ? statistics_of(leaf, get_attnum(leaf, name), false) : nullptr;
}

Node *
without_relabelling(Node *node) noexcept
{
	while (IsA(node, RelabelType))
		node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
	return node;
}

// The expression's number among the columns of an index on all rows; 0: it is none.
AttrNumber
place_in(Relation index, Node *expression) noexcept
{
	const List *const expressions = RelationGetIndexExpressions(index); // each call gives another copy
	const ListCell *next = list_head(expressions);

	if (RelationGetIndexPredicate(index) != NIL)
		return 0;
	for (int i = 0; i < index->rd_index->indnatts && next != nullptr; ++i)
	{
		if (index->rd_index->indkey.values[i] != 0)
			continue;
		if (equal(without_relabelling(static_cast<Node *>(lfirst(next))), expression))
			return static_cast<AttrNumber>(i + 1);
		next = lnext(expressions, next);
	}
	return 0;
}

HeapTuple
statistics_of_index(Relation relation, Node *expression) noexcept
{
	HeapTuple found = nullptr;
	ListCell *cell;

	foreach (cell, RelationGetIndexList(relation))
	{
		const Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		const AttrNumber place = place_in(index, expression);
		if (place > 0 && found == nullptr)
			found = statistics_of(RelationGetRelid(index), place, false);
		index_close(index, NoLock);
	}
	return found;
}

// The expressions of CREATE STATISTICS, as the planner has them.
List *
expressions_of(HeapTuple statistics) noexcept
{
	bool is_null;
	const Datum written = SysCacheGetAttr(STATEXTOID, statistics, Anum_pg_statistic_ext_stxexprs, &is_null);

	if (is_null)
		return NIL;
	Node *const read = static_cast<Node *>(stringToNode(TextDatumGetCString(written)));
	return reinterpret_cast<List *>(eval_const_expressions(nullptr, read));
}

HeapTuple
built_statistics(Oid object, bool inherits, int place) noexcept
{
	const HeapTuple data = SearchSysCache2(STATEXTDATASTXOID, ObjectIdGetDatum(object), BoolGetDatum(inherits));

	if (data == nullptr)
		return nullptr;
	const bool built = statext_is_kind_built(data, STATS_EXT_EXPRESSIONS);
	ReleaseSysCache(data);
	return built ? statext_expressions_load(object, inherits, place) : nullptr;
}

HeapTuple
statistics_of_object(Oid object, Node *expression, bool inherits) noexcept
{
	const HeapTuple tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(object));
	HeapTuple found = nullptr;
	ListCell *cell;

	if (tuple == nullptr)
		return nullptr;
	const List *const expressions = expressions_of(tuple);
	foreach (cell, expressions)
		if (found == nullptr && equal(without_relabelling(static_cast<Node *>(lfirst(cell))), expression))
			found = built_statistics(object, inherits, foreach_current_index(cell));
	ReleaseSysCache(tuple);
	return found;
}

HeapTuple
statistics_of_expression(Oid relation, Node *expression, bool inherits) noexcept
{
	const Relation opened = table_open(relation, NoLock);
	HeapTuple found = statistics_of_index(opened, expression);
	ListCell *cell;

	foreach (cell, RelationGetStatExtList(opened))
	{
		if (found == nullptr && inherits)
			found = statistics_of_object(lfirst_oid(cell), expression, true);
		if (found == nullptr)
			found = statistics_of_object(lfirst_oid(cell), expression, false);
	}
	table_close(opened, NoLock);
	return found;
}

// ---- Reading them ----------------------------------------------------------------

constexpr int with_shares = ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS;

AttStatsSlot
slot_of(HeapTuple statistics, int kind, int wanted) noexcept
{
	AttStatsSlot slot = {};

	get_attstatsslot(&slot, statistics, kind, InvalidOid, wanted);
	return slot;
}

// They are kept in the order of their values.
Elements
in_order_of_share(const AttStatsSlot &slot) noexcept
{
	const int count = Min(slot.nvalues, slot.nnumbers);
	int *const order = static_cast<int *>(palloc((count + 1) * sizeof(int)));
	Datum *const values = static_cast<Datum *>(palloc((count + 1) * sizeof(Datum)));

	for (int i = 0; i < count; ++i)
		order[i] = i;
	std::sort(order, order + count, [&](int one, int other) {
		return slot.numbers[one] != slot.numbers[other] ? slot.numbers[one] > slot.numbers[other] : one < other;
	});
	for (int i = 0; i < count; ++i)
		values[i] = slot.values[order[i]];
	return {values, count};
}

} // namespace

bool
read_column_values(Node *column, Oid relation, bool inherits, ColumnValues &values) noexcept
{
	Node *const node = without_relabelling(column);
	const HeapTuple statistics = IsA(node, Var)
									 ? statistics_of_column(relation, reinterpret_cast<Var *>(node)->varattno, inherits)
									 : statistics_of_expression(relation, node, inherits);

	values = {};
	if (statistics == nullptr)
		return false;
	const AttStatsSlot common = slot_of(statistics, STATISTIC_KIND_MCV, with_shares);
	const AttStatsSlot histogram = slot_of(statistics, STATISTIC_KIND_HISTOGRAM, ATTSTATSSLOT_VALUES);
	const AttStatsSlot ranges = slot_of(statistics, STATISTIC_KIND_BOUNDS_HISTOGRAM, ATTSTATSSLOT_VALUES);
	values.type = getBaseType(exprType(node));
	values.collation = exprCollation(node);
	values.others = 1 - reinterpret_cast<Form_pg_statistic>(GETSTRUCT(statistics))->stanullfrac;
	values.common = common.values;
	values.shares = common.numbers;
	values.common_count = Min(common.nvalues, common.nnumbers);
	for (int i = 0; i < values.common_count; ++i)
		values.others -= values.shares[i];
	values.bounds = histogram.values;
	values.bound_count = histogram.nvalues;
	values.elements = in_order_of_share(slot_of(statistics, STATISTIC_KIND_MCELEM, with_shares));
	values.ranges = ranges.values;
	values.range_count = ranges.nvalues;
	return values.known();
}

namespace {

struct Step
{
	const Datum *value;
	double share; // of the rows, up to and with it
};

struct Order
{
	FmgrInfo *compare;
	Oid collation;
};

// For the server's sort: unlike the library's it bears types that contradict themselves.
int
compare(const void *one, const void *other, void *context)
{
	const Order &order = *static_cast<const Order *>(context);

	return DatumGetInt32(FunctionCall2Coll(order.compare, order.collation, *static_cast<const Step *>(one)->value,
										   *static_cast<const Step *>(other)->value));
}

} // namespace

const Datum *
quantile(const ColumnValues &values, double part) noexcept
{
	TypeCacheEntry *const type = lookup_type_cache(values.type, TYPECACHE_CMP_PROC_FINFO);
	const int count = values.common_count + values.bound_count;
	Step *const steps = static_cast<Step *>(palloc((count + 1) * sizeof(Step)));
	double sum = 0, reached = 0;

	if (count == 0 || !OidIsValid(type->cmp_proc_finfo.fn_oid))
		return nullptr;
	for (int i = 0; i < values.common_count; ++i)
		steps[i] = {&values.common[i], values.shares[i]};
	const double part_of_others = Max(values.others, 0) / Max(values.bound_count - 1, 1);
	for (int i = 0; i < values.bound_count; ++i)
		steps[values.common_count + i] = {&values.bounds[i], i == 0 ? 0 : part_of_others};
	Order order = {&type->cmp_proc_finfo, values.collation};
	qsort_arg(steps, count, sizeof(Step), compare, &order);
	for (int i = 0; i < count; ++i)
		sum += steps[i].share;
	for (int i = 0; i < count; ++i)
		if ((reached += steps[i].share) >= part * sum - 1e-6)
			return steps[i].value;
	return steps[count - 1].value;
}

} // namespace remedy::index_advice

// How large a hypothetical index is, on its table or on one of its partitions.

#include <algorithm>
#include <cmath>

#include "what_if/hypothetical.hpp"
#include "what_if/index_size.hpp"

extern "C" {
#include "access/nbtree.h"
#include "access/relation.h"
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_statistic.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
}

namespace remedy::what_if {

namespace {

// ---- What is known of a column ---------------------------------------------------

struct Facts
{
	Value value;
	double distinct; // 0: not known
	const float4 *common;
	int common_count;
};

int
alignment_of(const Column &column) noexcept
{
	int16 length;
	bool by_value;
	char kind;

	get_typlenbyvalalign(column.type, &length, &by_value, &kind);
	if (length < 0)
		return 0;
	return kind == TYPALIGN_DOUBLE ? 8 : kind == TYPALIGN_INT ? 4 : kind == TYPALIGN_SHORT ? 2 : 1;
}

void
read_statistics(HeapTuple tuple, double tuples, Facts &facts) noexcept
{
	const auto *const statistics = reinterpret_cast<Form_pg_statistic>(GETSTRUCT(tuple));
	AttStatsSlot slot;

	facts.value.null_fraction = statistics->stanullfrac;
	if (statistics->stawidth > 0)
		facts.value.width = statistics->stawidth;
	facts.distinct = statistics->stadistinct >= 0 ? statistics->stadistinct : -statistics->stadistinct * tuples;
	if (!get_attstatsslot(&slot, tuple, STATISTIC_KIND_MCV, InvalidOid, ATTSTATSSLOT_NUMBERS))
		return;
	auto *const common = static_cast<float4 *>(palloc(slot.nnumbers * sizeof(float4)));
	memcpy(common, slot.numbers, slot.nnumbers * sizeof(float4));
	facts.common = common;
	facts.common_count = slot.nnumbers;
	free_attstatsslot(&slot);
}

Facts
facts_of(const Column &column, Oid relation, AttrNumber number, double tuples) noexcept
{
	Facts facts = {};
	const HeapTuple tuple = number == InvalidAttrNumber ? nullptr
														: SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(relation),
																		  Int16GetDatum(number), BoolGetDatum(false));

	facts.value.alignment = alignment_of(column);
	facts.value.width = get_typavgwidth(column.type, column.modifier);
	if (HeapTupleIsValid(tuple))
	{
		read_statistics(tuple, tuples, facts);
		ReleaseSysCache(tuple);
	}
	return facts;
}

// A partition has its share of the values, of each as many rows as the others.
void
take_facts(const SampledFacts &sampled, const Sample &sample, double tuples, Facts &facts) noexcept
{
	facts.value.width = sampled.width;
	facts.value.null_fraction = sampled.null_fraction;
	facts.distinct = sampled.distinct > 0.1 * sample.tuples ? sampled.distinct / std::max(sample.tuples, 1.0) * tuples
															: std::min(sampled.distinct, tuples);
	facts.common = sampled.common;
	facts.common_count = sampled.common_count;
}

// ---- Sizes -----------------------------------------------------------------------

// Whether equal keys are the same bytes, so that one may stand for all.
bool
may_share(const Hypothetical &index) noexcept
{
	if (!index.options.deduplicates || index.key_count < index.column_count)
		return false;
	for (int i = 0; i < index.key_count; ++i)
	{
		const Column &column = index.columns[i];
		const Oid check = get_opfamily_proc(column.family, column.input, column.input, BTEQUALIMAGE_PROC);
		if (!OidIsValid(check) ||
			!DatumGetBool(OidFunctionCall1Coll(check, column.collation, ObjectIdGetDatum(column.input))))
			return false;
	}
	return true;
}

// As if the columns had nothing to do with each other.
double
distinct_keys(const Hypothetical &index, const Facts *facts, double tuples) noexcept
{
	double distinct = 1;

	for (int i = 0; i < index.key_count; ++i)
	{
		if (facts[i].distinct <= 0 && facts[i].value.null_fraction < 1)
			return tuples;
		distinct *= std::max(1.0, facts[i].distinct + (facts[i].value.null_fraction > 0));
	}
	return index.unique ? tuples : distinct;
}

Size
tree_size(const Hypothetical &index, const Facts *facts, const Value *values, double tuples, bool partial) noexcept
{
	Tree tree = {};

	tree.tuples = tuples;
	tree.values = values;
	tree.value_count = index.column_count;
	tree.key_count = index.key_count;
	tree.fill_factor = index.options.fill_factor;
	tree.deduplicates = may_share(index);
	tree.distinct = distinct_keys(index, facts, tuples);
	if (index.key_count > 1 || partial)
		tree.distinct = expected_distinct(tree.distinct, tuples);
	else
	{
		tree.common = facts[0].common;
		tree.common_count = facts[0].common_count;
	}
	tree.distinct = std::clamp(tree.distinct, 1.0, std::max(tuples, 1.0));
	return btree_size(tree);
}

// Least and greatest value of each column.
double
summary_bytes(const Value *values, int count) noexcept
{
	double bytes = 8;

	for (int i = 0; i < count; ++i)
		bytes += 2 * values[i].width;
	return std::ceil(bytes / 8) * 8;
}

// As if each partition had keys like all together.
InvertedSize
inverted_size(const Sample &sample, double pages, double all_tuples, double tuples) noexcept
{
	return gin_size({tuples, all_tuples / std::max(pages, 1.0), static_cast<double>(sample.kept), sample.keys.rows,
					 sample.keys.count, sample.keys.entries, sample.keys.bytes});
}

struct Known
{
	Facts facts[INDEX_MAX_KEYS];
	Value values[INDEX_MAX_KEYS];
};

void
learn(const Hypothetical &index, Relation relation, double tuples, Known &known) noexcept
{
	for (int i = 0; i < index.column_count; ++i)
	{
		known.facts[i] = facts_of(index.columns[i], RelationGetRelid(relation), column_on(index, i, relation), tuples);
		if (index.sample != nullptr && index.sample->facts[i].width > 0)
			take_facts(index.sample->facts[i], *index.sample, tuples, known.facts[i]);
		known.values[i] = known.facts[i].value;
	}
}

void
measure_size(const Hypothetical &index, Relation relation, double pages, double all_tuples, Extent &extent) noexcept
{
	const double tuples = extent.tuples;
	Known known;
	Size size;

	learn(index, relation, tuples, known);
	if (index.method == BTREE_AM_OID)
		size = tree_size(index, known.facts, known.values, tuples, index.predicate != NIL);
	else if (index.method == HASH_AM_OID)
		size = hash_size(tuples, known.facts[0].distinct > 0 ? known.facts[0].distinct : tuples,
						 index.options.fill_factor);
	else if (index.method == BRIN_AM_OID)
		size = brin_size({pages, static_cast<double>(index.options.pages_per_range),
						  summary_bytes(known.values, index.column_count)});
	else if (index.method == GIN_AM_OID && index.sample != nullptr)
	{
		extent.inverted = inverted_size(*index.sample, pages, all_tuples, tuples);
		size = {extent.inverted.entry_pages + extent.inverted.data_pages, -1};
	}
	else
		size = gist_size(tuples, known.values, index.column_count);
	extent.pages = static_cast<BlockNumber>(std::min(size.pages, static_cast<double>(MaxBlockNumber)));
	extent.height = size.height;
}

// The share of the relation's rows that the predicate keeps, as the planner sees it.
double
share_of(const Hypothetical &index, Relation relation, double tuples) noexcept
{
	if (index.predicate == NIL || tuples < 1)
		return 1;
	List *const conditions = reinterpret_cast<List *>(translate(index, index.predicate, relation));
	Node *const condition = reinterpret_cast<Node *>(make_ands_explicit(conditions));
	const PlannedStmt *const plan = standard_planner(server::rows_where(relation, condition), "", 0, nullptr);
	return std::min(1.0, plan->planTree->plan_rows / tuples);
}

Extent
measure(const Hypothetical &index, Relation relation) noexcept
{
	Extent extent = {};
	BlockNumber pages;
	double visible;

	extent.relation = RelationGetRelid(relation);
	estimate_rel_size(relation, nullptr, &pages, &extent.tuples, &visible);
	extent.share = share_of(index, relation, extent.tuples);
	const double all_tuples = extent.tuples;
	extent.tuples *= extent.share;
	measure_size(index, relation, pages, all_tuples, extent);
	return extent;
}

// ---- All partitions --------------------------------------------------------------

double
sum_of(const Hypothetical &index, double (*figure)(const Extent &)) noexcept
{
	double sum = 0;
	ListCell *cell;

	foreach (cell, relations_of(index))
	{
		const Relation relation = relation_open(lfirst_oid(cell), NoLock);
		sum += figure(extent_on(index, relation));
		relation_close(relation, NoLock);
	}
	return sum;
}

} // namespace

const Extent &
extent_on(const Hypothetical &index, Relation relation) noexcept
{
	ListCell *cell;

	foreach (cell, index.extents)
		if (static_cast<Extent *>(lfirst(cell))->relation == RelationGetRelid(relation))
			return *static_cast<Extent *>(lfirst(cell));
	const MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy extent", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(scratch);
	const Extent measured = measure(index, relation);
	MemoryContextSwitchTo(index.memory);
	Extent *const extent = static_cast<Extent *>(palloc(sizeof(Extent)));
	*extent = measured;
	index.extents = lappend(index.extents, extent);
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
	return *extent;
}

AttrNumber
column_on(const Hypothetical &index, int column, Relation relation) noexcept
{
	const AttrNumber number = index.columns[column].number;

	if (number == InvalidAttrNumber || RelationGetRelid(relation) == index.relation)
		return number;
	return get_attnum(RelationGetRelid(relation), get_attname(index.relation, number, false));
}

List *
relations_of(const Hypothetical &index) noexcept
{
	List *relations = NIL;
	ListCell *cell;

	if (!index.partitioned)
		return list_make1_oid(index.relation);
	foreach (cell, find_all_inheritors(index.relation, AccessShareLock, nullptr))
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_RELATION)
			relations = lappend_oid(relations, lfirst_oid(cell));
	return relations;
}

Node *
translate(const Hypothetical &index, const void *tree, Relation relation) noexcept
{
	Node *const copy = static_cast<Node *>(copyObjectImpl(tree));
	bool whole_row = false;

	if (RelationGetRelid(relation) == index.relation || copy == nullptr)
		return copy;
	const Relation parent = relation_open(index.relation, NoLock);
	AttrMap *const columns = server::columns_of_partition(parent, relation);
	relation_close(parent, NoLock);
	Node *const translated = map_variable_attnos(copy, 1, 0, columns, InvalidOid, &whole_row);
	return whole_row ? nullptr : translated;
}

double
bytes_of(const Hypothetical &index) noexcept
{
	return sum_of(index, [](const Extent &extent) { return extent.pages * page_bytes; });
}

double
tuples_of(const Hypothetical &index) noexcept
{
	return sum_of(index, [](const Extent &extent) { return extent.tuples; });
}

double
keys_of(const Hypothetical &index) noexcept
{
	return index.sample == nullptr || index.sample->kept == 0 ? 0 : index.sample->keys.entries / index.sample->kept;
}

Bitmapset *
columns_of(const Hypothetical &index) noexcept
{
	Bitmapset *columns = nullptr;

	pull_varattnos(reinterpret_cast<Node *>(index.expressions), 1, &columns);
	pull_varattnos(reinterpret_cast<Node *>(index.predicate), 1, &columns);
	for (int i = 0; i < index.column_count; ++i)
		if (index.columns[i].number != 0)
			columns = bms_add_member(columns, index.columns[i].number - FirstLowInvalidHeapAttributeNumber);
	return columns;
}

} // namespace remedy::what_if

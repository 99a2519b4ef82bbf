#include "what_if/hypothetical.hpp"

#include <algorithm>

extern "C" {
#include "access/gin.h"
#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "optimizer/plancat.h"
#include "storage/bufmgr.h"
#include "utils/datum.h"
#include "utils/rls.h"
}

namespace remedy::what_if {

namespace {

constexpr int most_pages = 300;
constexpr double longest_ms = 300;

// ---- What is wanted --------------------------------------------------------------

bool
is_wanted(const Hypothetical &index, int column) noexcept
{
	return column < index.key_count && index.method != HASH_AM_OID &&
		   (index.method == GIN_AM_OID || index.columns[column].number == InvalidAttrNumber);
}

bool
is_needed(const Hypothetical &index) noexcept
{
	for (int i = 0; i < index.key_count; ++i)
		if (is_wanted(index, i))
			return true;
	return false;
}

// ---- The rows --------------------------------------------------------------------

struct Reading
{
	const Hypothetical &index;
	Sample &sample;
	SampledValues values[INDEX_MAX_KEYS];
	KeyCollector keys;
	instr_time began;

	bool is_enough() const noexcept
	{
		instr_time now;
		INSTR_TIME_SET_CURRENT(now);
		INSTR_TIME_SUBTRACT(now, began);
		return sample.rows >= most_rows || keys.full || INSTR_TIME_GET_MILLISEC(now) > longest_ms;
	}
};

// The expressions over one of the tables.
struct Expressions
{
	EState *state;
	ExprContext *context;
	ExprState *predicate;
	ExprState *columns[INDEX_MAX_KEYS];
	AttrNumber numbers[INDEX_MAX_KEYS];
};

void
prepare(const Hypothetical &index, Relation relation, Expressions &expressions) noexcept
{
	const List *const trees = reinterpret_cast<List *>(translate(index, index.expressions, relation));
	const ListCell *tree = list_head(trees);
	List *const predicate = reinterpret_cast<List *>(translate(index, index.predicate, relation));

	expressions.state = CreateExecutorState();
	expressions.context = GetPerTupleExprContext(expressions.state);
	expressions.predicate = ExecPrepareQual(predicate, expressions.state);
	for (int i = 0; i < index.key_count; ++i)
	{
		expressions.numbers[i] = column_on(index, i, relation);
		if (index.columns[i].number == InvalidAttrNumber)
		{
			expressions.columns[i] = ExecPrepareExpr(static_cast<Expr *>(lfirst(tree)), expressions.state);
			tree = lnext(trees, tree);
		}
	}
}

Datum
value_of(const Expressions &expressions, int column, bool &is_null) noexcept
{
	if (expressions.columns[column] != nullptr)
		return ExecEvalExprSwitchContext(expressions.columns[column], expressions.context, &is_null);
	return slot_getattr(expressions.context->ecxt_scantuple, expressions.numbers[column], &is_null);
}

void
keep_value(const Column &column, Datum value, int row, SampledValues &values) noexcept
{
	const bool by_value = get_typbyval(column.type);
	const int16 length = get_typlen(column.type);

	if (length == -1)
		value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
	values.rows[values.count] = row;
	values.values[values.count++] = datumCopy(value, by_value, length);
}

void
read_row(Reading &reading, const Expressions &expressions) noexcept
{
	const Hypothetical &index = reading.index;
	const int row = reading.sample.rows++;

	ResetExprContext(expressions.context);
	if (!ExecQual(expressions.predicate, expressions.context))
		return;
	++reading.sample.kept;
	for (int i = 0; i < index.key_count; ++i)
	{
		bool is_null;
		if (!is_wanted(index, i))
			continue;
		const Datum value = value_of(expressions, i, is_null);
		if (index.method == GIN_AM_OID)
		{
			const MemoryContext before = MemoryContextSwitchTo(expressions.context->ecxt_per_tuple_memory);
			collect_keys(index, i, value, is_null, reading.keys);
			MemoryContextSwitchTo(before);
		}
		else if (!is_null)
			keep_value(index.columns[i], value, row, reading.values[i]);
	}
}

// ---- The pages -------------------------------------------------------------------

void
read_page(Reading &reading, const Expressions &expressions, TableScanDesc scan, TupleTableSlot *slot, BlockNumber page,
		  int most) noexcept
{
	ItemPointerData first;
	ItemPointerData last;

	CHECK_FOR_INTERRUPTS();
	ItemPointerSet(&first, page, FirstOffsetNumber);
	ItemPointerSet(&last, page, PG_UINT16_MAX);
	table_rescan_tidrange(scan, &first, &last);
	for (int i = 0; i < most && table_scan_getnextslot_tidrange(scan, ForwardScanDirection, slot); ++i)
	{
		expressions.context->ecxt_scantuple = slot;
		read_row(reading, expressions);
	}
	ExecClearTuple(slot);
}

// Pages at equal distances, so many that all relations together have enough.
void
read_relation(Reading &reading, Relation relation, double all_pages) noexcept
{
	const BlockNumber pages = RelationGetNumberOfBlocks(relation);
	const double wanted = std::min(all_pages, static_cast<double>(most_pages));
	const double distance = all_pages / wanted;
	const int most = static_cast<int>(most_rows / wanted) + 1;
	ItemPointerData none;
	Expressions expressions = {};

	if (pages == 0 || relation->rd_tableam->scan_set_tidrange == nullptr)
		return;
	prepare(reading.index, relation, expressions);
	ItemPointerSet(&none, 0, FirstOffsetNumber);
	const TableScanDesc scan = table_beginscan_tidrange(relation, GetActiveSnapshot(), &none, &none);
	TupleTableSlot *const slot = table_slot_create(relation, nullptr);
	for (double page = distance / 2; page < pages && !reading.is_enough(); page += distance)
		read_page(reading, expressions, scan, slot, static_cast<BlockNumber>(page), most);
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	FreeExecutorState(expressions.state);
}

template <class Body>
void
each_relation(const Hypothetical &index, Body body) noexcept
{
	ListCell *cell;

	foreach (cell, relations_of(index))
	{
		const Relation relation = relation_open(lfirst_oid(cell), NoLock);
		body(relation);
		relation_close(relation, NoLock);
	}
}

void
measure_tables(const Hypothetical &index, Sample &sample) noexcept
{
	each_relation(index, [&](Relation relation) noexcept {
		BlockNumber pages;
		double tuples;
		double visible;

		estimate_rel_size(relation, nullptr, &pages, &tuples, &visible);
		sample.pages += pages;
		sample.tuples += tuples;
	});
}

KeyCounts
counts_of(const SampledKeys &keys) noexcept
{
	auto *const rows = static_cast<std::uint32_t *>(
		MemoryContextAllocHuge(CurrentMemoryContext, sizeof(std::uint32_t) * (keys.count + 1)));
	double bytes = 0;

	for (int i = 0; i < keys.count; ++i)
	{
		rows[i] = keys.keys[i].rows;
		bytes += keys.keys[i].width;
	}
	return {rows, keys.count, keys.entries, bytes / std::max(keys.count, 1)};
}

void
conclude(Reading &reading) noexcept
{
	const Hypothetical &index = reading.index;
	Sample &sample = reading.sample;

	if (index.method == GIN_AM_OID)
	{
		const SampledKeys keys = count_keys(reading.keys);
		sample.keys = counts_of(keys);
		sample.facts[0].statistics = lexeme_statistics(index, keys, sample);
	}
	else if (sample.kept > 0)
		for (int i = 0; i < index.key_count; ++i)
			if (is_wanted(index, i))
				sample.facts[i] = facts_from(index, i, reading.values[i], sample);
}

// What is kept, in the index's memory.
Sample *
copy_sample(const Hypothetical &index, const Sample &sample) noexcept
{
	const MemoryContext before = MemoryContextSwitchTo(index.memory);
	Sample *const copy = static_cast<Sample *>(palloc(sizeof(Sample)));

	*copy = sample;
	copy->facts = static_cast<SampledFacts *>(palloc(sizeof(SampledFacts) * index.column_count));
	for (int i = 0; i < index.column_count; ++i)
	{
		SampledFacts &facts = copy->facts[i];
		facts = sample.facts[i];
		auto *const common = static_cast<float4 *>(palloc(sizeof(float4) * (facts.common_count + 1)));
		facts.common = std::copy_n(sample.facts[i].common, facts.common_count, common) - facts.common_count;
		facts.statistics = facts.statistics == nullptr ? nullptr : heap_copytuple(facts.statistics);
	}
	auto *const rows = static_cast<std::uint32_t *>(
		MemoryContextAllocHuge(index.memory, sizeof(std::uint32_t) * (sample.keys.count + 1)));
	copy->keys.rows = std::copy_n(sample.keys.rows, sample.keys.count, rows) - sample.keys.count;
	MemoryContextSwitchTo(before);
	return copy;
}

void
read_all(const Hypothetical &index, Sample &sample) noexcept
{
	Reading reading = {index, sample};

	sample.facts = static_cast<SampledFacts *>(palloc0(sizeof(SampledFacts) * INDEX_MAX_KEYS));
	reading.keys.memory = CurrentMemoryContext;
	for (int i = 0; i < index.key_count; ++i)
	{
		reading.values[i].values = static_cast<Datum *>(palloc(sizeof(Datum) * (most_rows + MaxHeapTuplesPerPage)));
		reading.values[i].rows = static_cast<int *>(palloc(sizeof(int) * (most_rows + MaxHeapTuplesPerPage)));
	}
	INSTR_TIME_SET_CURRENT(reading.began);
	measure_tables(index, sample);
	each_relation(index, [&](Relation relation) noexcept { read_relation(reading, relation, sample.pages); });
	conclude(reading);
}

} // namespace

const Sample *
take_sample(const Hypothetical &index) noexcept
{
	if (!is_needed(index) || check_enable_rls(index.relation, InvalidOid, true) == RLS_ENABLED)
		return nullptr;
	const MemoryContext scratch =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy sample", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(scratch);
	Sample sample = {};

	read_all(index, sample);
	const Sample *const kept = sample.rows > 0 ? copy_sample(index, sample) : nullptr;
	MemoryContextSwitchTo(before);
	MemoryContextDelete(scratch);
	return kept;
}

} // namespace remedy::what_if

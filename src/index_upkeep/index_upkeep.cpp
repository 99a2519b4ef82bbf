// What the observed statements would lose with some indexes.
//
// A statement is planned as it is and, if that plan uses one of the indexes, once more
// without all of them: so two that stand in for each other do not both seem dispensable.
//
// Where one is said to be kept in place of another and the plan then scans it, nothing is
// lost.  The planner would say otherwise: it takes an index of more columns to be less in
// the table's order.  Who says so has compared their sizes.

#include "observe/replannable.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"
#include "what_if/what_if.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "utils/array.h"
}

namespace remedy::index_upkeep {

namespace {

using observe::Analysed;
using observe::Replannable;
using observe::Sample;

constexpr double noticeable = 1.01;

struct Judged
{
	Oid index;
	List *parts; // itself and its partitions
	List *kept;  // likewise, the one that is kept in its place; NIL: none
	int64 statements;
	int64 slower;
	double worst_ratio;
	std::uint64_t worst_fingerprint;
	double ratio; // of the statement that is looked at; 0: it does not use the index
};

struct Judgement
{
	Judged *indexes;
	int count;
	Oid *hidden;
	int hidden_count;
	const Sample *sample; // of the statement that is looked at
};

int
oids_of(ArrayType *array, Datum **oids) noexcept
{
	int count;

	deconstruct_array(array, ARR_ELEMTYPE(array), sizeof(Oid), true, TYPALIGN_INT, oids, nullptr, &count);
	return count;
}

// None of what was dropped meanwhile.
List *
parts_of(Oid index) noexcept
{
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(index)) ? find_all_inheritors(index, NoLock, nullptr) : NIL;
}

Judgement
begin(ArrayType *indexes, ArrayType *kept) noexcept
{
	Datum *oids;
	Datum *kept_oids;
	Judgement judgement = {};
	List *all = NIL;
	ListCell *cell;

	judgement.count = oids_of(indexes, &oids);
	const int kept_count = kept == nullptr ? 0 : oids_of(kept, &kept_oids);
	judgement.indexes = static_cast<Judged *>(palloc0(judgement.count * sizeof(Judged)));
	for (int i = 0; i < judgement.count; ++i)
	{
		Judged &judged = judgement.indexes[i];
		judged.index = DatumGetObjectId(oids[i]);
		judged.parts = parts_of(judged.index);
		judged.kept = i < kept_count ? parts_of(DatumGetObjectId(kept_oids[i])) : NIL;
		all = list_concat(all, judged.parts);
	}
	judgement.hidden = static_cast<Oid *>(palloc((list_length(all) + 1) * sizeof(Oid)));
	foreach (cell, all)
		judgement.hidden[judgement.hidden_count++] = lfirst_oid(cell);
	return judgement;
}

bool
uses(const PlannedStmt *plan, const List *indexes) noexcept
{
	ListCell *cell;

	foreach (cell, indexes)
		if (what_if::uses_index(plan, lfirst_oid(cell)))
			return true;
	return false;
}

void
judge_query(Judgement &judgement, const Query *query, const char *text, ParamListInfo values) noexcept
{
	const what_if::Outcome as_is = what_if::plan_under(query, text, values, {});
	const what_if::Scenario scenario = {.hidden = judgement.hidden, .hidden_count = judgement.hidden_count};
	what_if::Outcome without = {};

	for (int i = 0; i < judgement.count; ++i)
		if (Judged &judged = judgement.indexes[i]; uses(as_is.plan, judged.parts))
		{
			if (without.plan == nullptr)
				without = what_if::plan_under(query, text, values, scenario);
			const double ratio = uses(without.plan, judged.kept) ? 1 : without.cost / as_is.cost;
			judged.ratio = Max(judged.ratio, ratio);
		}
}

void
judge_queries(const Analysed &analysed, void *context)
{
	Judgement &judgement = *static_cast<Judgement *>(context);
	const ParamListInfo values = judgement.sample == nullptr ? nullptr : values_of(*judgement.sample, analysed);
	ListCell *cell;

	foreach (cell, analysed.queries)
		judge_query(judgement, lfirst_node(Query, cell), analysed.text, values);
}

// With the values of its samples, or else for any values.  What cannot be planned does
// not count.
void
judge_statement(Judgement &judgement, const Replannable &form) noexcept
{
	for (int i = 0; i < judgement.count; ++i)
		judgement.indexes[i].ratio = 0;
	for (int i = 0; i < Max(form.sample_count, 1); ++i)
	{
		judgement.sample = form.sample_count == 0 ? nullptr : &form.samples[i];
		trial([&]() noexcept { analyse_again(form, judgement.sample, judge_queries, &judgement); });
	}
	for (int i = 0; i < judgement.count; ++i)
	{
		Judged &judged = judgement.indexes[i];
		judged.statements += judged.ratio > 0;
		judged.slower += judged.ratio > noticeable;
		if (judged.ratio > judged.worst_ratio)
		{
			judged.worst_ratio = judged.ratio;
			judged.worst_fingerprint = form.fingerprint;
		}
	}
}

// False if that would not tell all: where there is nothing to plan, or something of others.
bool
judge_statements(Judgement &judgement) noexcept
{
	const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "pg_remedy plans", ALLOCSET_DEFAULT_SIZES);
	std::uint64_t *fingerprints;
	const int count = observe::replannable_statements(fingerprints);
	bool complete = count > 0;

	for (int i = 0; i < count && complete; ++i)
	{
		const MemoryContext before = MemoryContextSwitchTo(memory);
		Replannable form;
		CHECK_FOR_INTERRUPTS();
		if (find_replannable(fingerprints[i], form))
		{
			complete = observe::may_read_texts_of(form.user);
			if (complete)
				judge_statement(judgement, form);
		}
		MemoryContextSwitchTo(before);
		MemoryContextReset(memory);
	}
	return complete;
}

void
put_index(server::Rows &rows, const Judged &judged) noexcept
{
	rows.put(ObjectIdGetDatum(judged.index));
	rows.put_bigint(judged.statements);
	rows.put_bigint(judged.slower);
	if (judged.statements == 0)
	{
		rows.put_null();
		rows.put_null();
	}
	else
	{
		rows.put_double(judged.worst_ratio);
		rows.put_bigint(static_cast<int64>(judged.worst_fingerprint));
	}
	rows.end_row();
}

} // namespace

} // namespace remedy::index_upkeep

using namespace remedy;
using namespace remedy::index_upkeep;

REMEDY_FUNCTION(remedy_statements_without)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	Judgement judgement = begin(PG_GETARG_ARRAYTYPE_P(0), PG_NARGS() > 1 ? PG_GETARG_ARRAYTYPE_P(1) : nullptr);

	if (judgement.count > 0 && judge_statements(judgement))
		for (int i = 0; i < judgement.count; ++i)
			put_index(rows, judgement.indexes[i]);
	return 0;
}

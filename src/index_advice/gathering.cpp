// What the statements propose and write, from their analysed trees.

#include "index_advice/advised.hpp"
#include "index_advice/advised_table.hpp"
#include "index_advice/known_constants.hpp"
#include "index_advice/workload.hpp"
#include "observe/observe.hpp"
#include "observe/statement_totals.hpp"
#include "server/guard.hpp"

extern "C" {
#include "access/table.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "pgstat.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
}

namespace remedy::index_advice {

namespace {

// A statement that did not run oftener, a table's first load above all, says nothing of what is to come.
constexpr double calls_of_event = 2;

struct Look
{
	Weighing &weighing;
	Observed &statement;
	int number;
};

int
number_of_table(Weighing &weighing, Oid relation) noexcept
{
	const ListCell *cell;

	foreach (cell, weighing.tables)
		if (static_cast<const WeighedTable *>(lfirst(cell))->relation == relation)
			return foreach_current_index(cell);
	WeighedTable *const table = static_cast<WeighedTable *>(palloc0(sizeof(WeighedTable)));
	table->relation = relation;
	weighing.tables = lappend(weighing.tables, table);
	return list_length(weighing.tables) - 1;
}

// ---- What is proposed --------------------------------------------------------------------

std::string_view
copy(std::string_view text) noexcept
{
	return text.empty() ? std::string_view() : std::string_view(pnstrdup(text.data(), text.size()), text.size());
}

Definition
copy(const Definition &definition) noexcept
{
	Definition result = definition;

	result.table = copy(definition.table);
	result.method = copy(definition.method);
	result.predicate = copy(definition.predicate);
	for (int i = 0; i < result.part_count; ++i)
	{
		result.parts[i].text = copy(definition.parts[i].text);
		result.parts[i].opclass = copy(definition.parts[i].opclass);
		result.parts[i].collation = copy(definition.parts[i].collation);
	}
	for (int i = 0; i < result.include_count; ++i)
		result.includes[i].text = copy(definition.includes[i].text);
	return result;
}

} // namespace

void
wait_for_locks(int ms) noexcept
{
	char value[16];

	if (LockTimeout > 0 && LockTimeout <= ms)
		return;
	snprintf(value, sizeof(value), "%d", ms);
	set_config_option("lock_timeout", value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

int
consider(Weighing &weighing, const Definition &definition, int proposer) noexcept
{
	const int number = number_of_table(weighing, definition.relation);
	WeighedTable &table = table_of(weighing, number);
	const ListCell *cell;

	foreach (cell, table.considered)
	{
		Considered &known = considered_of(weighing, lfirst_int(cell));
		if (same(known.definition, definition))
		{
			// An order that is free for one statement may not be for another.
			known.definition.free_parts = Min(known.definition.free_parts, definition.free_parts);
			return lfirst_int(cell);
		}
	}
	Considered *const considered = static_cast<Considered *>(palloc0(sizeof(Considered)));
	considered->definition = copy(definition);
	considered->ddl = ddl_of(considered->definition, false);
	considered->table = number;
	considered->proposer = proposer;
	weighing.considered = lappend(weighing.considered, considered);
	const int added = list_length(weighing.considered) - 1;
	table.considered = lappend_int(table.considered, added);
	return added;
}

namespace {

void
note_refusal(Weighing &weighing, const Refusal &refusal, int statement) noexcept
{
	const int table = number_of_table(weighing, refusal.relation);
	const ListCell *cell;

	foreach (cell, weighing.refusals)
	{
		Reason_not &known = *static_cast<Reason_not *>(lfirst(cell));
		if (known.table == table && strcmp(known.text, refusal.text) == 0)
		{
			known.statements = list_append_unique_int(known.statements, statement);
			return;
		}
	}
	Reason_not *const reason = static_cast<Reason_not *>(palloc0(sizeof(Reason_not)));
	*reason = {table, pstrdup(refusal.text), list_make1_int(statement)};
	weighing.refusals = lappend(weighing.refusals, reason);
}

// ---- What is written ---------------------------------------------------------------------

Bitmapset *
columns_set(const Query *query) noexcept
{
	Bitmapset *columns = nullptr;
	const ListCell *cell;

	foreach (cell, query->targetList)
	{
		const TargetEntry *const target = lfirst_node(TargetEntry, cell);
		if (!target->resjunk)
			columns = bms_add_member(columns, target->resno - FirstLowInvalidHeapAttributeNumber);
	}
	return columns;
}

void
note_updates(WeighedTable &table, Bitmapset *columns, double rows) noexcept
{
	TableWrites &writes = table.writes;

	for (int i = 0; i < writes.kinds; ++i)
		if (bms_equal(table.set[i], columns))
		{
			table.updates_of[i] += rows;
			return;
		}
	const int kind = Min(writes.kinds, update_kinds - 1);
	writes.kinds = kind + 1;
	table.updates_of[kind] += rows;
	table.set[kind] = bms_add_members(table.set[kind], columns);
}

void
note_writes(Weighing &weighing, const Query *query, double rows) noexcept
{
	if (query->resultRelation == 0)
		return;
	WeighedTable &table =
		table_of(weighing, number_of_table(weighing, rt_fetch(query->resultRelation, query->rtable)->relid));
	if (query->commandType == CMD_INSERT)
		table.writes.entered += rows;
	if (query->commandType == CMD_UPDATE)
		note_updates(table, columns_set(query), rows);
}

// ---- Going through all -------------------------------------------------------------------

void
look_at_query(const Look &look, Query *query) noexcept
{
	KnownConstants known = {look.weighing.evidence, look.statement.form.fingerprint};
	const MemoryContext before = MemoryContextSwitchTo(look.weighing.memory);
	if (look.statement.calls > calls_of_event)
		note_writes(look.weighing, query, look.statement.rows);
	MemoryContextSwitchTo(before);

	Proposals proposals = {};
	propose(look.statement.form.has_constants ? query : with_constants(query, known), {recurs, &known}, proposals);
	MemoryContextSwitchTo(look.weighing.memory);
	for (int i = 0; i < proposals.count; ++i)
		look.statement.own = list_append_unique_int(
			look.statement.own, consider(look.weighing, proposals.items[i].definition, look.number));
	for (int i = 0; i < proposals.refusal_count; ++i)
		note_refusal(look.weighing, proposals.refusals[i], look.number);
	MemoryContextSwitchTo(before);
}

void
look_at(const observe::Analysed &analysed, void *context)
{
	const ListCell *cell;

	foreach (cell, analysed.queries)
		look_at_query(*static_cast<const Look *>(context), lfirst_node(Query, cell));
}

// What nobody counted, nested statements without pg_remedy.track = all, has its scans only: a row that is read takes
// about as long everywhere.
double
time_of_scans(const scans::EvidenceList &evidence, double &calls) noexcept
{
	constexpr double ms_per_row = 0.0001;
	double ms = 0;

	for (const scans::Evidence &scan : evidence)
	{
		calls = Max(calls, static_cast<double>(Max(scan.scans, scan.entry->counts.samples)));
		ms += ms_per_row * static_cast<double>(scan.rows_read);
	}
	return ms;
}

// What it took before an index was built on advice is no reason for another one.
void
weigh_anew(Observed &statement, const AdvisedTable &advised) noexcept
{
	const std::uint64_t fingerprint = statement.form.fingerprint;
	const Advised *const latest = advised.latest_built_for(MyDatabaseId, fingerprint);

	if (latest == nullptr || !SearchSysCacheExists1(RELOID, ObjectIdGetDatum(latest->index)))
		return;
	if (!latest->ran_since(fingerprint, statement.calls))
		statement.cost_then = latest->cost_before;
	statement.ms = latest->ms_by_now(fingerprint, statement.calls, statement.ms);
}

void
weigh(Observed &statement, const observe::AllTotals &totals, const scans::EvidenceList &evidence,
	  const AdvisedTable &advised) noexcept
{
	const observe::StatementCounts *const counts = totals.of(statement.form.fingerprint);

	if (counts == nullptr)
	{
		statement.ms = time_of_scans(evidence.of(statement.form.fingerprint), statement.calls);
		return;
	}
	statement.calls = static_cast<double>(counts->calls);
	statement.rows = static_cast<double>(counts->rows);
	statement.ms = milliseconds(counts->total);
	weigh_anew(statement, advised);
}

int
compare(const void *a, const void *b) noexcept
{
	const Observed &first = *static_cast<const Observed *>(a), &second = *static_cast<const Observed *>(b);

	if (first.ms != second.ms)
		return first.ms > second.ms ? -1 : 1;
	return first.form.fingerprint < second.form.fingerprint ? -1 : 1;
}

// Those that the caller may read the texts of, what takes longest first.
void
list_statements(Weighing &weighing) noexcept
{
	const observe::AllTotals totals = observe::statement_totals();
	const AdvisedTable &advised = copy_advised();
	std::uint64_t *fingerprints;
	const int count = observe::replannable_statements(fingerprints);

	weighing.statements = static_cast<Observed *>(
		MemoryContextAllocHuge(CurrentMemoryContext, mul_size(Max(count, 1), sizeof(Observed))));
	for (int i = 0; i < count; ++i)
	{
		Observed &statement = weighing.statements[weighing.statement_count];
		memset(static_cast<void *>(&statement), 0, sizeof(statement));
		CHECK_FOR_INTERRUPTS();
		if (!observe::find_replannable(fingerprints[i], statement.form) ||
			!observe::may_read_texts_of(statement.form.user))
			continue;
		weigh(statement, totals, weighing.evidence, advised);
		if (statement.calls == 0)
			continue; // what was counted of it is forgotten
		weighing.ms += statement.ms;
		++weighing.statement_count;
	}
	qsort(weighing.statements, weighing.statement_count, sizeof(Observed), compare);
}

} // namespace

void
gather(Weighing &weighing) noexcept
{
	const MemoryContext trees = AllocSetContextCreate(CurrentMemoryContext, "pg_remedy trees", ALLOCSET_DEFAULT_SIZES);

	weighing.evidence = scans::read_evidence();
	list_statements(weighing);
	for (int i = 0; i < weighing.statement_count; ++i)
	{
		Look look = {weighing, weighing.statements[i], i};
		MemoryContextSwitchTo(trees);
		CHECK_FOR_INTERRUPTS();
		look.statement.sqlstate = trial_with_locks(
			weighing, [&]() noexcept { observe::analyse_again(look.statement.form, nullptr, look_at, &look); });
		MemoryContextSwitchTo(weighing.memory);
		MemoryContextReset(trees);
	}
}

} // namespace remedy::index_advice

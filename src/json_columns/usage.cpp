#include "json_columns/usage.hpp"

#include "index_advice/keys.hpp"
#include "json_columns/access.hpp"
#include "observe/observe.hpp"
#include "observe/statement_totals.hpp"
#include "scans/evidence.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

extern "C" {
#include "utils/ruleutils.h"
}

namespace remedy::json_columns {

namespace {

struct Look
{
	void (*look)(const Seen &, void *);
	void *context;
	const observe::Replannable &form;
	double calls, ms; // of all runs
	double part;
	MemoryContext kept;
};

// Statements inside functions have no counts without pg_remedy.track = all, but their scans have.
void
weigh(Look &look, const observe::StatementCounts *counts, const scans::EvidenceList &evidence) noexcept
{
	constexpr double ms_per_row = 0.0001;

	if (counts != nullptr)
	{
		look.calls = static_cast<double>(counts->calls);
		look.ms = static_cast<double>(counts->total) / 1e6;
		return;
	}
	for (const scans::Evidence &scan : evidence.of(look.form.fingerprint))
	{
		look.calls = Max(look.calls, static_cast<double>(Max(scan.scans, scan.entry->counts.samples)));
		look.ms += ms_per_row * static_cast<double>(scan.rows_read);
	}
}

void
look_at_analysed(const observe::Analysed &analysed, void *given)
{
	const Look &look = *static_cast<const Look *>(given);

	look.look({look.form, analysed, look.part, look.part * look.calls, look.part * look.ms, look.kept}, look.context);
}

// The sample is one of a text, or null.
void
look_at_text(Look &look, const observe::Sample *sample) noexcept
{
	const MemoryContext before = CurrentMemoryContext;

	trial([&]() noexcept { observe::analyse_again(look.form, sample, look_at_analysed, &look); });
	MemoryContextSwitchTo(before);
}

void
look_at_texts(Look &look) noexcept
{
	int texts = 0;

	for (int i = 0; i < look.form.sample_count; ++i)
		texts += look.form.samples[i].is_text();
	look.part = 1.0 / Max(texts, 1);
	for (int i = 0; i < look.form.sample_count; ++i)
		if (look.form.samples[i].is_text())
			look_at_text(look, &look.form.samples[i]);
	if (texts == 0)
		look_at_text(look, nullptr);
}

} // namespace

void
each_statement(void (*look)(const Seen &, void *), void *context) noexcept
{
	const MemoryContext kept = CurrentMemoryContext;
	const MemoryContext trees = AllocSetContextCreate(kept, "pg_remedy json trees", ALLOCSET_DEFAULT_SIZES);
	const observe::AllTotals totals = observe::statement_totals();
	const scans::EvidenceList evidence = scans::read_evidence();
	std::uint64_t *fingerprints;
	const int count = observe::replannable_statements(fingerprints);

	for (int i = 0; i < count; ++i)
	{
		observe::Replannable form;
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(trees);
		if (observe::find_replannable(fingerprints[i], form) && observe::may_read_texts_of(form.user))
		{
			Look all = {look, context, form, 0, 0, 1, kept};
			weigh(all, totals.of(fingerprints[i]), evidence);
			if (all.calls > 0) // otherwise what was counted of it is forgotten
				look_at_texts(all);
		}
		MemoryContextSwitchTo(kept);
		MemoryContextReset(trees);
	}
	MemoryContextDelete(trees);
}

namespace {

struct Gathering
{
	Oid relation; // 0: all
	scans::EvidenceList evidence;
	List *usages;
};

bool
equal_texts(const char *a, const char *b) noexcept
{
	return a == b || (a != nullptr && b != nullptr && strcmp(a, b) == 0);
}

bool
is_same(const Use &a, const Use &b) noexcept
{
	if (a.relation != b.relation || a.column != b.column || a.cast != b.cast || a.condition != b.condition ||
		a.as_jsonb != b.as_jsonb || strcmp(a.operation, b.operation) != 0 || !equal_texts(a.comparison, b.comparison) ||
		list_length(a.path) != list_length(b.path))
		return false;
	for (int i = 0; i < list_length(a.path); ++i)
		if (strcmp(static_cast<char *>(list_nth(a.path, i)), static_cast<char *>(list_nth(b.path, i))) != 0)
			return false;
	return true;
}

const char *
kept_text(const char *text) noexcept
{
	return text == nullptr ? nullptr : pstrdup(text);
}

Usage &
usage_of(Gathering &gathering, const Use &use) noexcept
{
	ListCell *cell;

	foreach (cell, gathering.usages)
		if (is_same(static_cast<Usage *>(lfirst(cell))->use, use))
			return *static_cast<Usage *>(lfirst(cell));
	Usage *const usage = static_cast<Usage *>(palloc0(sizeof(Usage)));
	usage->use = use;
	usage->use.operation = pstrdup(use.operation);
	usage->use.path = NIL;
	foreach (cell, use.path)
		usage->use.path = lappend(usage->use.path, pstrdup(static_cast<char *>(lfirst(cell))));
	usage->use.comparison = kept_text(use.comparison);
	usage->use.expression = static_cast<Node *>(copyObjectImpl(use.expression));
	usage->use.value = nullptr; // they differ
	usage->knows_all = true;
	usage->queries = static_cast<Datum *>(palloc(most_queries * sizeof(Datum)));
	gathering.usages = lappend(gathering.usages, usage);
	return *usage;
}

double
rows_read(const Gathering &gathering, std::uint64_t fingerprint, Oid relation) noexcept
{
	double rows = 0;

	for (const scans::Evidence &scan : gathering.evidence.of(fingerprint))
		if (topmost_table(scan.entry->key.subject.relation) == relation)
			rows += static_cast<double>(scan.rows_read);
	return rows;
}

void
add_work(const Seen &seen, const Use &use, const Gathering &gathering, Usage &usage) noexcept
{
	const Datum fingerprint = Int64GetDatum(static_cast<int64>(seen.form.fingerprint));
	const int known = Min(usage.statements, most_queries);

	usage.counted = &seen;
	usage.calls += seen.calls;
	usage.ms += seen.ms;
	usage.rows_read += seen.part * rows_read(gathering, seen.form.fingerprint, use.relation);
	if (use.value == nullptr || list_length(usage.values) == most_values)
		usage.knows_all = false;
	else
		usage.values = lappend(usage.values, copyObjectImpl(use.value));
	if (known > 0 && usage.queries[known - 1] == fingerprint)
		return; // by another text
	if (known < most_queries)
		usage.queries[known] = fingerprint;
	++usage.statements;
}

// What one text does twice counts once.
void
add_uses(const Seen &seen, List *uses, Gathering &gathering) noexcept
{
	ListCell *cell;

	foreach (cell, gathering.usages)
		static_cast<Usage *>(lfirst(cell))->counted = nullptr;
	foreach (cell, uses)
	{
		const Use &use = *static_cast<const Use *>(lfirst(cell));
		if (OidIsValid(gathering.relation) && use.relation != gathering.relation)
			continue;
		Usage &usage = usage_of(gathering, use);
		if (usage.counted == nullptr)
			add_work(seen, use, gathering, usage);
	}
}

void
look_at(const Seen &seen, void *context)
{
	List *uses = NIL;
	const ListCell *cell;

	foreach (cell, seen.analysed.queries)
		uses = list_concat(uses, find_uses(lfirst_node(Query, cell)));
	const MemoryContext before = MemoryContextSwitchTo(seen.kept);
	add_uses(seen, uses, *static_cast<Gathering *>(context));
	MemoryContextSwitchTo(before);
}

const char *
text_of(const Use &use) noexcept
{
	if (use.expression == nullptr)
		return nullptr;
	return deparse_expression(use.expression, deparse_context_for(get_rel_name(use.relation), use.relation), false,
							  false);
}

int
by_time(const ListCell *a, const ListCell *b)
{
	const Usage &first = *static_cast<const Usage *>(lfirst(a)), &second = *static_cast<const Usage *>(lfirst(b));

	if (first.ms != second.ms)
		return first.ms > second.ms ? -1 : 1;
	return first.use.relation != second.use.relation ? (first.use.relation < second.use.relation ? -1 : 1) : 0;
}

} // namespace

List *
read_usage(Oid relation) noexcept
{
	Gathering gathering = {relation, scans::read_evidence(), NIL};
	ListCell *cell;

	each_statement(look_at, &gathering);
	index_advice::PortableTexts texts;
	foreach (cell, gathering.usages)
		static_cast<Usage *>(lfirst(cell))->expression = text_of(static_cast<Usage *>(lfirst(cell))->use);
	texts.leave();
	list_sort(gathering.usages, by_time);
	return gathering.usages;
}

namespace {

Datum
array_of_texts(const List *texts) noexcept
{
	Datum *const values = static_cast<Datum *>(palloc((list_length(texts) + 1) * sizeof(Datum)));
	int count = 0;
	const ListCell *cell;

	foreach (cell, texts)
		values[count++] = CStringGetTextDatum(static_cast<const char *>(lfirst(cell)));
	return PointerGetDatum(construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT));
}

void
put_usage(server::Rows &rows, const Usage &usage) noexcept
{
	const Use &use = usage.use;

	rows.put(ObjectIdGetDatum(use.relation));
	rows.put(Int16GetDatum(use.column));
	rows.put_text(use.operation);
	rows.put(array_of_texts(use.path));
	rows.put_text(OidIsValid(use.cast) ? format_type_be(use.cast) : nullptr);
	rows.put_text(use.comparison);
	rows.put_bool(use.condition);
	rows.put_bool(use.as_jsonb);
	rows.put(Int32GetDatum(usage.statements));
	rows.put_bigint(static_cast<int64>(usage.calls));
	rows.put_double(usage.ms);
	rows.put_bigint(static_cast<int64>(usage.rows_read));
	rows.put(PointerGetDatum(construct_array(usage.queries, Min(usage.statements, most_queries), INT8OID, 8,
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	rows.put_text(usage.expression);
	rows.end_row();
}

} // namespace

} // namespace remedy::json_columns

using namespace remedy;
using namespace remedy::json_columns;

REMEDY_FUNCTION(remedy_json_usage)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const ListCell *cell;

	foreach (cell, read_usage(PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0)))
		put_usage(rows, *static_cast<const Usage *>(lfirst(cell)));
	return 0;
}

// What each statement would cost under the sets of indexes that it could use.

#include "index_advice/known_constants.hpp"
#include "index_advice/variant_weights.hpp"
#include "index_advice/workload.hpp"
#include "server/guard.hpp"

namespace remedy::index_advice {

namespace {

// What takes longest comes first, and is asked about most.
constexpr int plannings_per_statement = 48;
constexpr int first_statements = 500;
constexpr int plannings_of_others = 12;
constexpr int plans_per_statement = 96;

struct Question
{
	Weighing &weighing;
	Observed &statement;
	MemoryContext plans; // emptied after each
	int plannings;       // at most
	const char *text;
	const Query *query;
	Variant variants[variant_limit];
	int variant_count;
};

void
plan(Set available, double &cost, Set &used, void *context)
{
	Question &question = *static_cast<Question *>(context);
	const what_if::Hypothetical *indexes[64];
	int local[64];
	int count = 0;

	for (int i = 0; i < question.statement.candidate_count; ++i)
		if ((available & only(i)) != 0)
		{
			local[count] = i;
			indexes[count++] = considered_of(question.weighing, question.statement.candidates[i]).index;
		}
	cost = 0;
	used = 0;
	for (int i = 0; i < question.variant_count; ++i)
	{
		const Variant &variant = question.variants[i];
		const MemoryContext before = MemoryContextSwitchTo(question.plans);
		const what_if::Outcome outcome =
			what_if::plan_under(variant.query, question.text, variant.values, {indexes, count, nullptr, 0});
		MemoryContextSwitchTo(before);
		MemoryContextReset(question.plans);
		cost += variant.weight * outcome.cost;
		for (int j = 0; j < count; ++j)
			if ((outcome.used & only(j)) != 0)
				used |= only(local[j]);
	}
}

// Statements that tell how many rows they gave: which of the variants are theirs.
void
weigh_variants(Question &question) noexcept
{
	const Observed &statement = question.statement;
	double expected[variant_limit], weights[variant_limit];

	if (question.variant_count == 1 || question.query->commandType != CMD_SELECT || statement.calls == 0)
		return;
	for (int i = 0; i < question.variant_count; ++i)
	{
		const Variant &variant = question.variants[i];
		const MemoryContext before = MemoryContextSwitchTo(question.plans);
		expected[i] = what_if::plan_under(variant.query, question.text, variant.values, {}).rows;
		weights[i] = variant.weight;
		MemoryContextSwitchTo(before);
		MemoryContextReset(question.plans);
	}
	fit_weights(expected, statement.rows / statement.calls, weights, question.variant_count);
	for (int i = 0; i < question.variant_count; ++i)
		question.variants[i].weight = weights[i];
}

// A rule may make several queries of a statement; the first one is what it is about.
void
ask(const observe::Analysed &analysed, void *context)
{
	Question &question = *static_cast<Question *>(context);
	Observed &statement = question.statement;
	KnownConstants known = {question.weighing.evidence, statement.form.fingerprint};
	BenefitGraph::Plan plans[plans_per_statement];

	if (analysed.queries == NIL)
		return;
	question.text = analysed.text;
	Query *const query = linitial_node(Query, analysed.queries);
	question.query = statement.form.has_constants ? query : with_constants(query, known);
	question.variant_count =
		make_variants(statement.form, analysed, question.query, {recurrence_of, &known}, question.variants);
	weigh_variants(question);
	const int count = statement.candidate_count;
	statement.graph.build(count == 64 ? ~Set{0} : only(count) - 1, {plan, &question}, question.plannings, plans,
						  plans_per_statement);
	statement.graph = statement.graph.moved_to(static_cast<BenefitGraph::Plan *>(
		MemoryContextAlloc(question.weighing.memory, statement.graph.count() * sizeof(BenefitGraph::Plan))));
	statement.priced = true;
	// How much faster its next call will be nobody has seen yet, so the planner is believed.
	if (statement.cost_then > 0)
		statement.ms *= Min(statement.graph.cost_without() / statement.cost_then, 1.0);
}

bool
starts_like_own(const Weighing &weighing, const Observed &statement, const Considered &considered) noexcept
{
	const ListCell *cell;

	foreach (cell, statement.own)
	{
		const Considered &own = considered_of(weighing, lfirst_int(cell));
		if (own.table == considered.table && own.definition.method == considered.definition.method &&
			own.definition.parts[0].text == considered.definition.parts[0].text)
			return true;
	}
	return false;
}

void
add_candidate(const Weighing &weighing, Observed &statement, int number) noexcept
{
	if (considered_of(weighing, number).index != nullptr &&
		statement.candidate_count < static_cast<int>(lengthof(statement.candidates)))
		statement.candidates[statement.candidate_count++] = number;
}

// Its own, and those of others that begin with the same column.
void
choose_candidates(const Weighing &weighing, Observed &statement) noexcept
{
	List *tables = NIL;
	const ListCell *cell, *other;

	foreach (cell, statement.own)
	{
		tables = list_append_unique_int(tables, considered_of(weighing, lfirst_int(cell)).table);
		add_candidate(weighing, statement, lfirst_int(cell));
	}
	foreach (cell, tables)
		foreach (other, table_of(weighing, lfirst_int(cell)).considered)
			if (!list_member_int(statement.own, lfirst_int(other)) &&
				starts_like_own(weighing, statement, considered_of(weighing, lfirst_int(other))))
				add_candidate(weighing, statement, lfirst_int(other));
}

} // namespace

void
price(Weighing &weighing) noexcept
{
	const MemoryContext trees = AllocSetContextCreate(CurrentMemoryContext, "pg_remedy trees", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext plans = AllocSetContextCreate(CurrentMemoryContext, "pg_remedy plans", ALLOCSET_DEFAULT_SIZES);

	for (int i = 0; i < weighing.statement_count; ++i)
	{
		Observed &statement = weighing.statements[i];
		choose_candidates(weighing, statement);
		if (statement.candidate_count == 0)
			continue;
		Question question = {weighing, statement, plans,
							 i < first_statements ? plannings_per_statement : plannings_of_others};
		MemoryContextSwitchTo(trees);
		CHECK_FOR_INTERRUPTS();
		statement.sqlstate = trial_with_locks(
			weighing, [&]() noexcept { observe::analyse_again(statement.form, nullptr, ask, &question); });
		MemoryContextSwitchTo(weighing.memory);
		MemoryContextReset(trees);
	}
}

} // namespace remedy::index_advice

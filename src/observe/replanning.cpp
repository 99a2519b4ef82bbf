// What can be planned again, shown in SQL.

#include "observe/replannable.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

namespace remedy::observe {

namespace {

struct Outcome
{
	int sqlstate; // 0: planned
	bool has_plan;
	double cost;
};

double
total_cost(const List *plans) noexcept
{
	double cost = 0;
	ListCell *cell;

	foreach (cell, plans)
		cost += lfirst_node(PlannedStmt, cell)->planTree->total_cost;
	return cost;
}

// The locks that planning takes are given back at once.
Outcome
try_to_plan(const Replannable &form, const Sample *sample) noexcept
{
	Outcome *const outcome = static_cast<Outcome *>(palloc0(sizeof(Outcome)));

	outcome->sqlstate = trial([&]() noexcept {
		const List *const plans = plan_again(form, sample);
		outcome->has_plan = plans != NIL;
		outcome->cost = total_cost(plans);
	});
	return *outcome;
}

const char *
reason_for(const Replannable &form, const Outcome &outcome) noexcept
{
	if (form.cut)
		return "its text was cut";
	if (form.ambiguous)
		return "its strings may be meant in two ways";
	if (outcome.sqlstate != 0)
		return psprintf("SQLSTATE %s", unpack_sql_state(outcome.sqlstate));
	return outcome.has_plan ? nullptr : "it is a utility command";
}

// Null where there is no plan.
Datum
costs_with_samples(const Replannable &form) noexcept
{
	Datum costs[samples_per_statement];
	bool nulls[samples_per_statement];
	int size = form.sample_count;
	int lower_bound = 1;

	for (int i = 0; i < size; ++i)
	{
		const Outcome outcome = try_to_plan(form, &form.samples[i]);
		nulls[i] = outcome.sqlstate != 0 || !outcome.has_plan;
		costs[i] = Float8GetDatum(outcome.cost);
	}
	return PointerGetDatum(
		construct_md_array(costs, nulls, 1, &size, &lower_bound, FLOAT8OID, 8, true, TYPALIGN_DOUBLE));
}

void
put_form(server::Rows &rows, const Replannable &form) noexcept
{
	const Outcome outcome = try_to_plan(form, nullptr);
	const bool planned = outcome.sqlstate == 0 && outcome.has_plan;

	rows.put_bigint(static_cast<int64>(form.fingerprint));
	rows.put_text(GetUserNameFromId(form.user, true));
	rows.put_bool(planned);
	rows.put_text(reason_for(form, outcome));
	planned ? rows.put_double(outcome.cost) : rows.put_null();
	planned &&form.sample_count > 0 ? rows.put(costs_with_samples(form)) : rows.put_null();
	rows.put_bool(form.has_constants);
	form.parameter_count < 0 ? rows.put_null() : rows.put(Int32GetDatum(form.parameter_count));
	rows.put_text(form.search_path);
	rows.end_row();
}

} // namespace

} // namespace remedy::observe

using namespace remedy;
using namespace remedy::observe;

REMEDY_FUNCTION(remedy_check_replanning)
{
	enter_function();
	server::Rows rows(fcinfo);
	const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "pg_remedy plans", ALLOCSET_DEFAULT_SIZES);
	std::uint64_t *fingerprints;
	const int count = replannable_statements(fingerprints);

	for (int i = 0; i < count; ++i)
	{
		const MemoryContext before = MemoryContextSwitchTo(memory);
		Replannable form;
		CHECK_FOR_INTERRUPTS();
		if (find_replannable(fingerprints[i], form) && may_read_texts_of(form.user))
			put_form(rows, form);
		MemoryContextSwitchTo(before);
		MemoryContextReset(memory);
	}
	return 0;
}

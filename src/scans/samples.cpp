#include "scans/samples.hpp"

#include "scans/clauses.hpp"
#include "scans/schedule.hpp"
#include "server/versions.hpp"

namespace remedy::scans {

namespace {

constexpr std::uint64_t many_rows = 100;
constexpr std::uint64_t slow_rows = 100'000; // no run that reads as many is a fast one
constexpr int plan_depth = 64;
constexpr Nanoseconds nanoseconds_per_microsecond = 1000;

Schedule schedule;

// What is known of sampled queries that are open.  Pointers are compared, never
// followed: an aborted transaction drops queries without ending them.
struct Sampled
{
	const QueryDesc *query;
	Owner owner;
};

constexpr unsigned sampled_limit = 16;
Sampled open_queries[sampled_limit];
unsigned next_open = 0;

void
remember(const Sampled &query) noexcept
{
	for (Sampled &open : open_queries)
		if (open.query == query.query)
		{
			open = query;
			return;
		}
	open_queries[next_open++ % sampled_limit] = query;
}

const Sampled *
recall(const QueryDesc *query) noexcept
{
	for (const Sampled &open : open_queries)
		if (open.query == query)
			return &open;
	return nullptr;
}

// Until version 18 a cursor's query has none of its own.
std::uint64_t
fingerprint_of(const QueryDesc *query, const observe::Statement *statement) noexcept
{
	return statement != nullptr ? statement->fingerprint : query->plannedstmt->queryId;
}

bool is_promising(const Plan *plan, int depth) noexcept;

bool
are_promising(const List *plans, int depth) noexcept
{
	const ListCell *cell;

	foreach (cell, plans)
		if (is_promising(static_cast<const Plan *>(lfirst(cell)), depth))
			return true;
	return false;
}

// Whether a plan reads a table from end to end, or may drop rows that it has read.
bool
is_promising(const Plan *plan, int depth) noexcept
{
	if (plan == nullptr || depth == plan_depth)
		return false;
	switch (nodeTag(plan))
	{
	case T_SeqScan:
		return true;
	case T_IndexScan:
	case T_IndexOnlyScan:
	case T_BitmapHeapScan:
		return plan->qual != NIL;
	case T_Append:
		return are_promising(reinterpret_cast<const Append *>(plan)->appendplans, depth + 1);
	case T_MergeAppend:
		return are_promising(reinterpret_cast<const MergeAppend *>(plan)->mergeplans, depth + 1);
	case T_SubqueryScan:
		return is_promising(reinterpret_cast<const SubqueryScan *>(plan)->subplan, depth + 1);
	default:
		return is_promising(plan->lefttree, depth + 1) || is_promising(plan->righttree, depth + 1);
	}
}

bool
is_promising(const PlannedStmt &planned) noexcept
{
	return is_promising(planned.planTree, 0) || are_promising(planned.subplans, 0);
}

// The server ends the last loop itself only where it prints the plan.
bool
end_loops(Instrumentation *instrument) noexcept
{
	if (instrument == nullptr || !INSTR_TIME_IS_ZERO(instrument->starttime))
		return false;
	InstrEndLoop(instrument);
	return instrument->nloops > 0;
}

Method
method_of(const PlanState *state) noexcept
{
	switch (nodeTag(state))
	{
	case T_SeqScanState:
		return Method::sequential;
	case T_IndexScanState:
	case T_IndexOnlyScanState:
		return Method::index;
	case T_BitmapHeapScanState:
		return Method::bitmap;
	default:
		return Method::volume;
	}
}

struct Reading
{
	const QueryDesc *query;
	Sampled sampled;
	std::uint64_t rows; // read in vain, or by sequential scans
};

// By now the rows of parallel workers have been added to their leader's.
void
read_scan(PlanState *state, Method method, Reading &reading) noexcept
{
	const Relation relation = reinterpret_cast<ScanState *>(state)->ss_currentRelation;

	if (!is_of_interest(relation) || is_temporary(relation) || !end_loops(state->instrument))
		return;
	const Instrumentation &instrument = *state->instrument;
	const std::uint64_t kept = instrument.ntuples;
	const std::uint64_t dropped = instrument.nfiltered1 + instrument.nfiltered2;
	if (method != Method::sequential && dropped == 0)
		return;
	Conditions conditions;
	describe_scan(state->plan, *reading.query, conditions);
	add_samples(subject_of(relation->rd_id, reading.sampled.owner, method), conditions,
				{0, 0, 1, kept + dropped, kept, static_cast<std::uint64_t>(instrument.nloops)});
	reading.rows += method == Method::sequential ? kept + dropped : dropped;
}

bool
read_node(PlanState *state, void *context)
{
	const Method method = method_of(state);

	if (method != Method::volume)
		read_scan(state, method, *static_cast<Reading *>(context));
	return server::walk_plan(state, read_node, context);
}

// The two below are not inlined: most queries are not sampled.
// Workers get their leader's instrumentation, and their leader reads theirs.
pg_noinline void
sample_if_due(QueryDesc *query, const observe::Statement *statement, std::uint64_t fingerprint) noexcept
{
	if (fingerprint == 0 || IsParallelWorker())
		return;
	if (!schedule.is_due(fingerprint, GetCurrentStatementStartTimestamp()) || (statement != nullptr && statement->own))
		return;
	if (!is_promising(*query->plannedstmt))
		return;
	if (query->instrument_options == 0)
		query->instrument_options = INSTRUMENT_ROWS;
	query->instrument_options |= sampled;
	remember({query, {fingerprint, statement != nullptr}});
}

} // namespace

void
detail::read_sample(const QueryDesc *query) noexcept
{
	const Sampled *const known = recall(query);

	if (known == nullptr || query->planstate == nullptr)
		return;
	Reading reading = {query, *known, 0};
	read_node(query->planstate, &reading);
	note_rows(reading.sampled.owner.fingerprint, reading.rows);
	if (!reading.sampled.owner.toplevel && reading.rows >= many_rows)
		observe::keep_text_of(query);
}

Owner
owner_of_inner(const QueryDesc *query) noexcept
{
	Owner owner = {fingerprint_of(query, nullptr), false};

	// The server gives workers the fingerprint of their leader's client's statement.
	if (is_leaders(query) && !find_parallel_owner(query->sourceText, owner))
		owner.toplevel = true;
	return owner;
}

void
detail::choose(QueryDesc *query, const observe::Statement *statement) noexcept
{
	const std::uint64_t fingerprint = fingerprint_of(query, statement);

	if (likely(fingerprint != 0 && schedule.passes(fingerprint)))
		return;
	sample_if_due(query, statement, fingerprint);
}

void
drop_sample(QueryDesc *query) noexcept
{
	query->instrument_options &= ~sampled;
}

void
note_rows(std::uint64_t fingerprint, std::uint64_t rows) noexcept
{
	if (rows >= slow_rows)
		schedule.note_slow(fingerprint);
	else if (rows >= many_rows)
		schedule.note_rows(fingerprint);
}

void
forget_schedule() noexcept
{
	schedule = {};
}

void
note_slow(const observe::Statement &statement)
{
	if (!schedule.note_slow_again(statement.fingerprint, GetCurrentStatementStartTimestamp(),
								  statement.execution / nanoseconds_per_microsecond) &&
		is_promising(*statement.query->plannedstmt))
		schedule.note_slow(statement.fingerprint);
}

} // namespace remedy::scans

#include "scans/volume.hpp"

#include "scans/samples.hpp"
#include "scans/scan_table.hpp"
#include "server/versions.hpp"

namespace remedy::scans {

namespace {

using server::PendingVolume;

constexpr unsigned frame_limit = 16; // runs inside these count as theirs
constexpr int relation_limit = 64;   // of one run; memory that is not needed is never touched

struct Watched
{
	Relation relation;
	PendingVolume before;
	PendingVolume inside; // of the runs inside
};

// Most runs have none to watch: the numbers lie apart, in one cache line.
int counts[frame_limit]; // of relations that are watched
Watched frames[frame_limit][relation_limit];
unsigned depth = 0;
std::uint64_t cut = 0; // runs with more relations than can be watched

// A plan that is one scan of an index, perhaps below simple nodes, reads no table from
// end to end, and most statements have such a plan.
bool
is_harmless(const PlannedStmt *planned) noexcept
{
	const Plan *plan = planned->planTree;

	if (planned->subplans != NIL)
		return false;
	for (; plan != nullptr; plan = plan->lefttree)
		switch (nodeTag(plan))
		{
		case T_IndexScan:
		case T_IndexOnlyScan:
			return true;
		case T_ModifyTable:
		case T_LockRows:
		case T_Limit:
		case T_Sort:
		case T_Agg:
			break;
		default:
			return false;
		}
	return false;
}

pg_noinline void
watch(unsigned level, const EState *estate) noexcept
{
	int count = 0;

	for (Index i = 0; i < estate->es_range_table_size; ++i)
	{
		const Relation relation = estate->es_relations[i];
		Watched &watched = frames[level][count];

		if (relation == nullptr || !is_of_interest(relation) || !server::begin_pending(relation, watched.before))
			continue;
		watched.relation = relation;
		watched.inside = {};
		if (++count == relation_limit)
		{
			cut += i + 1 < estate->es_range_table_size;
			break;
		}
	}
	counts[level] = count;
}

// The place where a frame watches the relation, the first one if there are several.
Watched *
find(unsigned level, Relation relation) noexcept
{
	for (int i = 0; i < counts[level]; ++i)
		if (frames[level][i].relation == relation)
			return &frames[level][i];
	return nullptr;
}

void
note_inside(Relation relation, const PendingVolume &volume) noexcept
{
	for (unsigned level = depth; level-- > 0;)
		if (Watched *const outer = find(level, relation))
		{
			outer->inside.scans += volume.scans;
			outer->inside.rows += volume.rows;
			return;
		}
}

// Parallel workers bear the fingerprint of their leader's client's statement.
bool
is_toplevel(const observe::Statement *statement) noexcept
{
	return statement != nullptr || IsParallelWorker();
}

void
count(Relation relation, const PendingVolume &volume, std::uint64_t fingerprint, bool toplevel) noexcept
{
	const std::uint64_t scans = volume.scans;
	const std::uint64_t rows = volume.rows;

	if (is_temporary(relation))
		add_others({scans, rows, 0});
	else
		add_volume(subject_of(relation, fingerprint, toplevel, Method::volume), scans, rows);
}

// Not inlined: most runs have nothing to count.
pg_noinline void
count_run(unsigned level, QueryDesc *query, const observe::Statement *statement) noexcept
{
	std::int64_t rows = 0;

	if (statement != nullptr && statement->own)
	{
		drop_sample(query);
		return;
	}
	for (int i = 0; i < counts[level]; ++i)
	{
		const Watched &watched = frames[level][i];
		PendingVolume now;

		if (!server::read_pending(watched.relation, now) ||
			(now.rows == watched.before.rows && now.scans == watched.before.scans))
			continue;
		// The same table twice in one statement has one pair of counters.
		if (find(level, watched.relation) != &watched)
			continue;
		const PendingVolume all = {now.scans - watched.before.scans, now.rows - watched.before.rows};
		const PendingVolume mine = {all.scans - watched.inside.scans, all.rows - watched.inside.rows};
		note_inside(watched.relation, all);
		if (mine.scans < 0 || mine.rows < 0 || (mine.scans | mine.rows) == 0)
			continue;
		rows += mine.rows;
		count(watched.relation, mine, fingerprint_of(query, statement), is_toplevel(statement));
	}
	if (unlikely(cut > 0))
	{
		add_others({0, 0, cut});
		cut = 0;
	}
	if (rows > 0)
		note_rows(fingerprint_of(query, statement), rows);
}

} // namespace

void
run_begins(QueryDesc *query, const observe::Statement *statement) noexcept
{
	if (statement != nullptr)
		depth = 0;
	const unsigned level = depth++;
	if (unlikely(level >= frame_limit))
		return;
	counts[level] = 0;
	if (!is_harmless(query->plannedstmt))
		watch(level, query->estate);
}

void
run_ended(QueryDesc *query, const observe::Statement *statement, bool) noexcept
{
	// Nothing was told of the run's beginning if it is what switched pg_remedy on.
	if (unlikely(depth == 0) || unlikely(--depth >= frame_limit))
		return;
	if (unlikely(counts[depth] > 0))
		count_run(depth, query, statement);
}

} // namespace remedy::scans

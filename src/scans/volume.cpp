#include "scans/volume.hpp"

#include "scans/samples.hpp"
#include "scans/scan_table.hpp"
#include "server/versions.hpp"

namespace remedy::scans {

namespace {

using server::PendingVolume;

constexpr int frame_limit = 16;    // runs inside these count as theirs
constexpr int relation_limit = 64; // of one run; memory that is not needed is never touched

struct Watched
{
	Relation relation;
	PendingVolume before;
	PendingVolume inside; // of the runs inside
};

struct Frame
{
	int count;
	bool cut; // there are more relations
	Watched watched[relation_limit];
};

Frame frames[frame_limit];
int depth = 0;

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
watch(Frame &frame, const EState *estate) noexcept
{
	for (Index i = 0; i < estate->es_range_table_size; ++i)
	{
		const Relation relation = estate->es_relations[i];
		Watched &watched = frame.watched[frame.count];

		if (relation == nullptr || !is_of_interest(relation) || !server::begin_pending(relation, watched.before))
			continue;
		watched.relation = relation;
		watched.inside = {};
		if (++frame.count == relation_limit)
		{
			frame.cut = i + 1 < estate->es_range_table_size;
			break;
		}
	}
}

// The place where a frame watches the relation, the first one if there are several.
Watched *
find(Frame &frame, Relation relation) noexcept
{
	for (int i = 0; i < frame.count; ++i)
		if (frame.watched[i].relation == relation)
			return &frame.watched[i];
	return nullptr;
}

void
note_inside(Relation relation, const PendingVolume &volume) noexcept
{
	for (int i = depth - 1; i >= 0; --i)
		if (Watched *const outer = find(frames[i], relation))
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
		add_scans(subject_of(relation, fingerprint, toplevel, Method::volume), nullptr, {scans, rows});
}

// Not inlined: most runs have nothing to count.
pg_noinline void
count_frame(Frame &frame, QueryDesc *query, const observe::Statement *statement) noexcept
{
	std::int64_t rows = 0;

	for (int i = 0; i < frame.count; ++i)
	{
		Watched &watched = frame.watched[i];
		PendingVolume now;

		if (!server::read_pending(watched.relation, now) ||
			(now.rows == watched.before.rows && now.scans == watched.before.scans))
			continue;
		// The same table twice in one statement has one pair of counters.
		if (find(frame, watched.relation) != &watched)
			continue;
		const PendingVolume all = {now.scans - watched.before.scans, now.rows - watched.before.rows};
		const PendingVolume mine = {all.scans - watched.inside.scans, all.rows - watched.inside.rows};
		note_inside(watched.relation, all);
		if (mine.scans < 0 || mine.rows < 0 || (mine.scans | mine.rows) == 0)
			continue;
		rows += mine.rows;
		count(watched.relation, mine, fingerprint_of(query, statement), is_toplevel(statement));
	}
	if (unlikely(frame.cut))
		add_others({0, 0, 1});
	if (rows > 0)
		note_rows(fingerprint_of(query, statement), rows);
}

} // namespace

void
run_begins(QueryDesc *query, const observe::Statement *statement) noexcept
{
	if (statement != nullptr)
		depth = 0;
	if (unlikely(depth++ >= frame_limit))
		return;
	Frame &frame = frames[depth - 1];
	frame.count = 0;
	frame.cut = false;
	if (!is_harmless(query->plannedstmt))
		watch(frame, query->estate);
}

void
run_ended(QueryDesc *query, const observe::Statement *statement, bool) noexcept
{
	// Nothing was told of the run's beginning if it is what switched pg_remedy on.
	if (depth == 0 || --depth >= frame_limit)
		return;
	if (unlikely(statement != nullptr && statement->own))
		drop_sample(query);
	else if (frames[depth].count > 0)
		count_frame(frames[depth], query, statement);
}

} // namespace remedy::scans

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

struct Frame
{
	Watched relations[relation_limit];
	Owner parallel_owner; // of workers, before the run
};

// Many runs have none to watch: the numbers lie apart, in one cache line.
int counts[frame_limit]; // of relations that are watched
Frame frames[frame_limit];
unsigned depth = 0;
std::uint64_t cut = 0; // runs with more relations than can be watched

// A plan that is one scan of an index below simple nodes reads no table from end to
// end either.
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

inline int
watch(Watched *watched, const EState *estate) noexcept
{
	int count = 0;

	for (Index i = 0; i < estate->es_range_table_size; ++i)
	{
		const Relation relation = estate->es_relations[i];

		if (relation == nullptr || !is_of_interest(relation) || !server::begin_pending(relation, watched[count].before))
			continue;
		watched[count].relation = relation;
		watched[count].inside = {};
		if (++count == relation_limit)
		{
			cut += i + 1 < estate->es_range_table_size;
			break;
		}
	}
	return count;
}

// The place where a frame watches the relation, the first one if there are several.
inline Watched *
find(unsigned level, Relation relation) noexcept
{
	Watched *const end = frames[level].relations + counts[level];

	for (Watched *watched = frames[level].relations; watched < end; ++watched)
		if (watched->relation == relation)
			return watched;
	return nullptr;
}

inline void
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

inline void
count(Relation relation, const PendingVolume &volume, const Owner &owner) noexcept
{
	const std::uint64_t scans = volume.scans;
	const std::uint64_t rows = volume.rows;

	if (is_temporary(relation))
		add_others({scans, rows, 0});
	else
		add_volume(subject_of(relation, owner, Method::volume), scans, rows);
}

// Counts what the run at the depth has read.
void
count_run(const QueryDesc *query, const observe::Statement *statement) noexcept
{
	const Owner owner = owner_of(query, statement);
	const Watched *const end = frames[depth].relations + counts[depth];
	std::int64_t rows = 0;

	for (const Watched *watched = frames[depth].relations; watched < end; ++watched)
	{
		PendingVolume now;

		if (!server::read_pending(watched->relation, now) ||
			(now.rows == watched->before.rows && now.scans == watched->before.scans))
			continue;
		// The same table twice in one statement has one pair of counters.
		if (find(depth, watched->relation) != watched)
			continue;
		const PendingVolume all = {now.scans - watched->before.scans, now.rows - watched->before.rows};
		const PendingVolume mine = {all.scans - watched->inside.scans, all.rows - watched->inside.rows};
		note_inside(watched->relation, all);
		if (mine.scans < 0 || mine.rows < 0 || (mine.scans | mine.rows) == 0)
			continue;
		rows += mine.rows;
		count(watched->relation, mine, owner);
	}
	if (unlikely(cut > 0))
	{
		add_others({0, 0, cut});
		cut = 0;
	}
	if (rows > 0)
		note_rows(owner.fingerprint, rows);
}

// The two below are not inlined: most runs need no frame.
pg_noinline void
open_frame(QueryDesc *query, const observe::Statement *statement) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;
	const bool harmless = is_harmless(planned);

	if (statement != nullptr)
		depth = 0;
	if (depth == 0 && harmless)
		return;
	const unsigned level = depth++;
	if (unlikely(level >= frame_limit))
		return;
	counts[level] = harmless ? 0 : watch(frames[level].relations, query->estate);
	if (unlikely(planned->parallelModeNeeded))
		frames[level].parallel_owner = set_parallel_owner(owner_of(query, statement));
}

pg_noinline void
close_frame(QueryDesc *query, const observe::Statement *statement) noexcept
{
	if (unlikely(--depth >= frame_limit))
		return;
	if (unlikely(query->plannedstmt->parallelModeNeeded))
		set_parallel_owner(frames[depth].parallel_owner);
	if (unlikely(statement != nullptr && statement->own))
		drop_sample(query);
	else if (counts[depth] > 0)
		count_run(query, statement);
}

} // namespace

void
run_begins(QueryDesc *query, const observe::Statement *statement) noexcept
{
	if (likely(depth == 0 && is_index_scan(query->plannedstmt)))
		return;
	open_frame(query, statement);
}

void
run_ended(QueryDesc *query, const observe::Statement *statement, bool) noexcept
{
	if (unlikely(depth > 0))
		close_frame(query, statement);
}

void
run_failed(const observe::Statement &statement) noexcept
{
	const bool ran = depth > 0;

	// The runs inside have ended, and the query's memory may be gone.
	depth = 0;
	if (ran && !statement.own)
		count_run(nullptr, &statement);
}

} // namespace remedy::scans

#include "scans/volume.hpp"

#include "scans/samples.hpp"
#include "scans/scan_table.hpp"
#include "server/versions.hpp"

namespace remedy::scans {

unsigned detail::depth = 0;

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
};

// Many runs have none to watch: the numbers lie apart, in one cache line.
int counts[frame_limit]; // of relations that are watched
Frame frames[frame_limit];
using detail::depth;
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

// What is rare is not inlined, and takes values, so that the rest needs no memory.

// Counts what a run inside has read with the nearest run around it that watches the
// relation, at its first place if there are several.
pg_noinline void
note_inside(Relation relation, std::int64_t scans, std::int64_t rows) noexcept
{
	for (unsigned level = depth; level-- > 0;)
		for (int i = 0; i < counts[level]; ++i)
			if (Watched &outer = frames[level].relations[i]; outer.relation == relation)
			{
				outer.inside.scans += scans;
				outer.inside.rows += rows;
				return;
			}
}

pg_noinline void
count_temporary(std::uint64_t scans, std::uint64_t rows) noexcept
{
	add_others({scans, rows, 0});
}

pg_noinline void
count_cut() noexcept
{
	add_others({0, 0, cut});
	cut = 0;
}

// The same table twice in one statement has one pair of counters.
inline bool
is_repeated(const Watched *relations, const Watched *watched) noexcept
{
	for (; relations < watched; ++relations)
		if (relations->relation == watched->relation)
			return true;
	return false;
}

// Counts what the relation's scans have read, and gives the number of rows.
inline std::int64_t
count_relation(const Frame &frame, const Watched &watched, Owner owner) noexcept
{
	PendingVolume now;

	if (!server::read_pending(watched.relation, now))
		return 0;
	const std::int64_t scans = now.scans - watched.before.scans;
	const std::int64_t rows = now.rows - watched.before.rows;
	if ((scans | rows) == 0 || is_repeated(frame.relations, &watched))
		return 0;
	if (unlikely(depth > 0))
		note_inside(watched.relation, scans, rows);
	const std::int64_t own_scans = scans - watched.inside.scans;
	const std::int64_t own_rows = rows - watched.inside.rows;
	if ((own_scans | own_rows) <= 0)
		return 0;
	if (unlikely(is_temporary(watched.relation)))
		count_temporary(own_scans, own_rows);
	else
		add_volume(owner, watched.relation->rd_id, own_scans, own_rows);
	return own_rows;
}

// Counts what the run at the depth has read.
inline void
count_frame(Owner owner) noexcept
{
	const Frame &frame = frames[depth];
	const Watched *const end = frame.relations + counts[depth];
	std::int64_t rows = 0;

	for (const Watched *watched = frame.relations; watched < end; ++watched)
		rows += count_relation(frame, *watched, owner);
	if (unlikely(cut > 0))
		count_cut();
	if (rows > 0)
		note_rows(owner.fingerprint, rows);
}

// In a leader: its workers are told whose they are.  In a worker: it has begun its
// scans before the run, and nothing else has it read.
pg_noinline void
begin_parallel(Frame &frame, int relations, const QueryDesc *query, const observe::Statement *statement) noexcept
{
	if (!IsParallelWorker())
		tell_parallel_owner(query->sourceText, owner_of(query, statement));
	else if (is_leaders(query))
		for (int i = 0; i < relations; ++i)
			frame.relations[i].before = {};
}

} // namespace

void
detail::open_frame(QueryDesc *query, const observe::Statement *statement) noexcept
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
	Frame &frame = frames[level];
	counts[level] = harmless ? 0 : watch(frame.relations, query->estate);
	if (unlikely(planned->parallelModeNeeded || IsParallelWorker()))
		begin_parallel(frame, counts[level], query, statement);
}

void
detail::close_frame(QueryDesc *query, const observe::Statement *statement) noexcept
{
	if (unlikely(--depth >= frame_limit))
		return;
	if (unlikely(statement != nullptr && statement->own))
		drop_sample(query);
	else if (counts[depth] > 0)
		count_frame(owner_of(query, statement));
}

void
run_failed(const observe::Statement &statement) noexcept
{
	const bool ran = depth > 0;

	// The runs inside have ended, and the query's memory may be gone.
	depth = 0;
	if (ran && !statement.own)
		count_frame(owner_of(nullptr, &statement));
}

} // namespace remedy::scans

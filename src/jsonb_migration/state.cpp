#include "jsonb_migration/state.hpp"

#include <iterator>

#include "server/keeper.hpp"

extern "C" {
#include "optimizer/plancat.h"
#include "storage/lock.h"
}

namespace remedy::jsonb_migration {

namespace {

constexpr const char *phases[] = {"fill",   "guard", "build",   "validate", "index",
								  "verify", "ready", "swapped", "finished", "aborted"};

Phase
phase_of(const char *name) noexcept
{
	for (std::size_t i = 0; i < std::size(phases); ++i)
		if (strcmp(phases[i], name) == 0)
			return static_cast<Phase>(i);
	elog(ERROR, "migration is in unknown phase \"%s\"", name);
	pg_unreachable();
}

// Of all leaves, as the planner does it.
int64
estimate_rows(const Target &target) noexcept
{
	double rows = 0;
	ListCell *cell;

	foreach (cell, find_leaves(target))
	{
		const Relation leaf = table_open(static_cast<const Leaf *>(lfirst(cell))->table, AccessShareLock);
		BlockNumber pages;
		double tuples, visible;
		estimate_rel_size(leaf, nullptr, &pages, &tuples, &visible);
		table_close(leaf, NoLock);
		rows += tuples;
	}
	return static_cast<int64>(rows);
}

void
forget(int64 migration) noexcept
{
	keep("DELETE FROM remedy.json_migration_object WHERE migration = $1", {migration});
	keep("DELETE FROM remedy.json_migration_range WHERE migration = $1", {migration});
	keep("DELETE FROM remedy.json_migration_pause WHERE migration = $1", {migration});
}

LOCKTAG
tag_of(int64 migration) noexcept
{
	constexpr uint32 ours = 1246907757; // the view json_migrations looks for it too
	LOCKTAG tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, ours, static_cast<uint32>(migration), 2);
	return tag;
}

} // namespace

const char *
name_of(Phase phase) noexcept
{
	return phases[static_cast<int>(phase)];
}

bool
find_migration(Oid table, const char *column_name, Migration &migration) noexcept
{
	return keep("SELECT migration, column_number::bigint, phase, guarded, rows_done "
				"FROM remedy.json_migration "
				"WHERE table_oid = $1 AND column_name = $2 AND phase NOT IN ('finished', 'aborted', 'gone')",
				{table, column_name}, [&](const Row &row) noexcept {
					migration.target =
						known_target(row.bigint(1), table, static_cast<AttrNumber>(row.bigint(2)), column_name);
					migration.phase = phase_of(row.text(3));
					migration.guarded = row.boolean(4);
					migration.rows_done = row.bigint(5);
				}) != 0;
}

const char *
name_under_way(Oid table, AttrNumber column) noexcept
{
	const char *name = nullptr;

	keep("SELECT column_name FROM remedy.json_migration "
		 "WHERE table_oid = $1 AND column_number = $2 AND phase NOT IN ('finished', 'aborted', 'gone')",
		 {table, column}, [&](const Row &row) noexcept { name = row.text(1); });
	return name;
}

void
create_migration(Migration &migration) noexcept
{
	Target &target = migration.target;

	migration.phase = Phase::fill;
	migration.guarded = false;
	migration.rows_done = 0;
	keep("INSERT INTO remedy.json_migration "
		 "(table_oid, column_number, table_name, column_name, phase, started_by, rows_total) "
		 "VALUES ($1, $2::smallint, $3, $4, 'fill', $5, $6) RETURNING migration",
		 {target.table, static_cast<int64>(target.column), qualified_name(target.table), target.column_name,
		  GetUserId(), estimate_rows(target)},
		 [&](const Row &row) noexcept { target.migration = row.bigint(1); });
}

void
enter_phase(Migration &migration, Phase phase) noexcept
{
	const int64 number = migration.target.migration;

	if (migration.phase == Phase::guard && phase == Phase::build)
		keep("UPDATE remedy.json_migration SET filled = pg_current_xact_id() WHERE migration = $1", {number});
	migration.phase = phase;
	keep("UPDATE remedy.json_migration SET phase = $2, phase_began = clock_timestamp(), rows_left = 0, rows_refused = "
		 "0, "
		 "rows_per_second = NULL, resting = NULL, last_error = NULL, last_error_at = NULL WHERE migration = $1",
		 {number, name_of(phase)});
	if (phase == Phase::fill || phase == Phase::verify)
	{
		migration.rows_done = 0;
		keep("UPDATE remedy.json_migration SET rows_done = 0, rows_total = $2 WHERE migration = $1",
			 {number, estimate_rows(migration.target)});
	}
	if (phase == Phase::finished || phase == Phase::aborted)
		forget(number);
}

int64
filled_by(int64 migration) noexcept
{
	int64 filled = 0;

	keep("SELECT coalesce(filled::text::bigint, 0) FROM remedy.json_migration WHERE migration = $1", {migration},
		 [&](const Row &row) noexcept { filled = row.bigint(1); });
	return filled;
}

void
note_guarded(int64 migration) noexcept
{
	keep("UPDATE remedy.json_migration SET guarded = true WHERE migration = $1", {migration});
}

// Rows are as many as they will be if all blocks are like those that are done.
void
note_progress(const Migration &migration, int64 left, int64 refused, double rows_per_second) noexcept
{
	keep("UPDATE remedy.json_migration AS m SET rows_done = $2, rows_total = coalesce(ceil($2 / r.share), "
		 "m.rows_total), "
		 "rows_left = $3, rows_refused = $4, rows_per_second = $5, resting = NULL "
		 "FROM (SELECT nullif(sum(next_block)::float8, 0) / sum(end_block) AS share "
		 "FROM remedy.json_migration_range WHERE migration = $1 AND number = 0) AS r WHERE m.migration = $1",
		 {migration.target.migration, migration.rows_done, left, refused, rows_per_second});
}

void
note_resting(int64 migration, const char *reason) noexcept
{
	keep("UPDATE remedy.json_migration SET resting = $2 WHERE migration = $1 AND resting IS DISTINCT FROM $2",
		 {migration, reason});
}

void
note_error(int64 migration, const char *error) noexcept
{
	keep("UPDATE remedy.json_migration SET last_error = $2, last_error_at = clock_timestamp(), resting = NULL "
		 "WHERE migration = $1",
		 {migration, error});
}

void
note_prepare_ms(int64 migration, double ms) noexcept
{
	keep("UPDATE remedy.json_migration SET prepare_ms = $2 WHERE migration = $1", {migration, ms});
}

void
note_guard_ms(int64 migration, double ms) noexcept
{
	keep("UPDATE remedy.json_migration SET guard_ms = $2 WHERE migration = $1", {migration, ms});
}

void
note_swap_ms(int64 migration, double ms) noexcept
{
	keep("UPDATE remedy.json_migration SET swap_ms = $2 WHERE migration = $1", {migration, ms});
}

void
forget_gone() noexcept
{
	keep("UPDATE remedy.json_migration AS m SET phase = 'gone', resting = NULL "
		 "WHERE phase NOT IN ('finished', 'aborted', 'gone') "
		 "AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = m.table_oid) RETURNING migration",
		 {}, [](const Row &row) noexcept { forget(row.bigint(1)); });
}

void
set_paused(int64 migration, bool paused) noexcept
{
	if (paused)
		keep("INSERT INTO remedy.json_migration_pause (migration, paused_by) VALUES ($1, $2) ON CONFLICT DO NOTHING",
			 {migration, GetUserId()});
	else
		keep("DELETE FROM remedy.json_migration_pause WHERE migration = $1", {migration});
}

bool
is_paused(int64 migration) noexcept
{
	return keep("SELECT FROM remedy.json_migration_pause WHERE migration = $1", {migration}) != 0;
}

bool
acquire_migration(int64 migration) noexcept
{
	const LOCKTAG tag = tag_of(migration);

	return LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
release_migration(int64 migration) noexcept
{
	const LOCKTAG tag = tag_of(migration);

	LockRelease(&tag, ExclusiveLock, true);
}

int
runner_of(int64 migration) noexcept
{
	const LOCKTAG tag = tag_of(migration);
	int64 pid = 0;

	keep("SELECT pid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted "
		 "AND database = $1 AND classid = $2 AND objid = $3",
		 {tag.locktag_field1, tag.locktag_field2, tag.locktag_field3},
		 [&](const Row &row) noexcept { pid = row.bigint(1); });
	return static_cast<int>(pid);
}

} // namespace remedy::jsonb_migration

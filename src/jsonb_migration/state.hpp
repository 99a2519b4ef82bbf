// What is known of a migration, in the extension's tables: enough to go on after any crash.
//
// Only the session that has the migration's advisory lock writes, in the transaction of the
// work itself.

#pragma once

#include "jsonb_migration/dependents.hpp"

namespace remedy::jsonb_migration {

enum class Phase
{
	fill,
	guard,
	build,
	validate,
	index,
	verify,
	ready,
	swapped,
	finished,
	aborted,
};

const char *name_of(Phase phase) noexcept;

struct Migration
{
	Target target;
	Phase phase;
	bool guarded; // the guards are there
	int64 rows_done;
};

// The one of this column that is under way, in the current memory context; false if none is.
bool find_migration(Oid table, const char *column_name, Migration &migration) noexcept;

// What the column was called when its migration began that is under way; null if none is.
const char *name_under_way(Oid table, AttrNumber column) noexcept;

// Sets target.migration.
void create_migration(Migration &migration) noexcept;

// Rows are counted anew; of the last two, all is forgotten but what it was.
void enter_phase(Migration &migration, Phase phase) noexcept;

void note_guarded(int64 migration) noexcept;

// The transaction after which every row has both documents; 0: none.
int64 filled_by(int64 migration) noexcept;
void note_progress(const Migration &migration, int64 left, int64 refused, double rows_per_second) noexcept;
void note_resting(int64 migration, const char *reason) noexcept; // null: no more
void note_error(int64 migration, const char *error) noexcept;
void note_prepare_ms(int64 migration, double ms) noexcept;
void note_guard_ms(int64 migration, double ms) noexcept;
void note_swap_ms(int64 migration, double ms) noexcept;

// Migrations whose table was dropped are over.
void forget_gone() noexcept;

void set_paused(int64 migration, bool paused) noexcept;
bool is_paused(int64 migration) noexcept;

// ---- Dependents ------------------------------------------------------------------

void keep_dependents(int64 migration, const List *dependents) noexcept; // instead of those that are kept
List *kept_dependents(int64 migration) noexcept;                        // of Dependent *
// Their definitions name the relations that they belong to: an error if one has another name by now.  Of
// twins it is not asked, which are renamed by their OIDs.
void check_names(int64 migration) noexcept;

// Whether the same objects are defined in the same way; of what has no twin, the number may differ.
bool are_same(const List *kept, const List *found) noexcept;

// ---- One session at a time -------------------------------------------------------

// Until it is released, or the session ends.
bool acquire_migration(int64 migration) noexcept;
void release_migration(int64 migration) noexcept;
int runner_of(int64 migration) noexcept; // process that has it, 0: none

} // namespace remedy::jsonb_migration

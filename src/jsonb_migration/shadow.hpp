// The shadow column: made, kept in step, put in the column's place, and taken away.

#pragma once

#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

// Adds the column with the json column's storage, compression, statistics target and options, and the
// trigger that keeps it in step, which fires always and last of all.  ACCESS EXCLUSIVE for
// some ms; the caller has set lock_timeout.  Called again, it adds what is missing (a child that was
// made meanwhile lacks the trigger, and is to be filled).
//
// A document that jsonb refuses leaves the shadow null: no user's statement fails.
void add_shadow(const Target &target) noexcept;

// From now on a statement fails that writes a document which jsonb refuses, with jsonb's own
// error as after the swap: CHECK ((shadow IS NULL) = (column IS NULL)), and IS NOT NULL for both where the
// column is NOT NULL; not yet validated.  ACCESS EXCLUSIVE for some ms.
void add_guards(const Target &target) noexcept;
void validate_guards(const Target &target) noexcept; // SHARE UPDATE EXCLUSIVE, one scan of each table

// Under ACCESS EXCLUSIVE, in the transaction of the swap: names, NOT NULL, comment, grants, security
// labels; the trigger now keeps the old column in step, as text.  The default is a dependent.
//
// The guards stay until drop_old_column(), so that NOT NULL moves from column to column without a scan,
// and swap_columns_back() leaves a migration that is ready to be swapped again.
void swap_columns(const Target &target) noexcept;
void swap_columns_back(const Target &target) noexcept;

void drop_old_column(const Target &target) noexcept; // and the trigger
void drop_shadow(const Target &target) noexcept;     // and the trigger and guards, whatever of it is there

// Whether the trigger is there, enabled always and the last one to fire on each table; before the
// swap and after it.  Otherwise the reason, for the error's detail.
const char *shadow_is_unsafe(const Target &target) noexcept;

} // namespace remedy::jsonb_migration

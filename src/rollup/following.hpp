// The source and its partitions (or children): armed with triggers, and followed through DDL.
//
// Each table of the tree has four statement triggers that call remedy.mark_rollups(): remedy_rollup_insert, …_update,
// …_delete with transition tables, …_truncate.  remedy.rollup_member keeps, for each table of a source's tree, the
// range of buckets' times that its bounds allow and whether it was armed, for the day when it has left.

#pragma once

#include "rollup/definition.hpp"

namespace remedy::rollup {

// Raises an error for what cannot be a source: no table, a temporary, unlogged, foreign or catalog table, one with
// foreign partitions or with row security, a partition or a child of another table.
void refuse_unfit_source(Oid source) noexcept;

// Locks the tree in SHARE ROW EXCLUSIVE, which waits for writers, so that every later statement knows the rollup;
// and makes the triggers that are missing.
void arm(Oid source) noexcept;

// When the source has no rollup any more: drops the triggers and forgets the members.
void disarm(Oid source) noexcept;

// Null if all changes of the source are captured and its rollups can be refreshed; else why not, for an error's detail
// and remedy.rollups: "trigger remedy_rollup_insert of public.events is disabled", "row level security is enabled on
// …".
const char *unarmed_reason(Oid source) noexcept;

// The same, or that changes come by a subscription: then it can be rebuilt all the same.
const char *uncaptured_reason(const Rollup &rollup) noexcept;

// Null, or that the rollup itself is what a subscription keeps like the publisher's: nobody else may write its cells.
const char *subscribed_reason(const Rollup &rollup) noexcept;

// Puts back the triggers that are missing or disabled, and marks what escaped: for rebuild_rollup().
void rearm(Oid source) noexcept;

} // namespace remedy::rollup

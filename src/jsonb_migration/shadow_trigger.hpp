// The trigger of remedy.keep_json_in_step() on each table of the tree.

#pragma once

#include "jsonb_migration/target.hpp"

namespace remedy::jsonb_migration {

// The check that ties the shadow to the column.
const char *guard_of(const Target &target) noexcept;

// The trigger that keeps column `to` equal to the column of the migration's name: on the root, whose
// partitions get it as well, and on each child; where it is not there yet.
void create_triggers(const Target &target, const char *to) noexcept;
void drop_triggers(const Target &target, const char *to) noexcept;

// Why it does not do that surely; null if it does.
const char *triggers_are_unsafe(const Target &target, const char *to) noexcept;

// The trigger of one table that keeps this column in step; InvalidOid if there is none.  A partition that
// was elsewhere in between has another one.
Oid trigger_of(const Target &target, Oid table, const char *to) noexcept;

} // namespace remedy::jsonb_migration

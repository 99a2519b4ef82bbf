// How the tree of a source changes: tables come and go, and some may not come.

#pragma once

#include "rollup/following_members.hpp"

namespace remedy::rollup {

// Raises an error for a table that cannot be part of this source's tree, since some of its changes would be missed: a
// foreign or temporary one, one with other parents, one that is captured for another source.
void refuse_member(Oid source, Oid table) noexcept;

// A table that was a member is none any more, whether it still exists or not.
void leave(const Member &member) noexcept;

// To be called for what was created with parents, attached or detached, with what is below it: makes members of those
// that have become part of a source's tree, and lets those go that are no more.
void follow(Oid table, bool is_new) noexcept;

} // namespace remedy::rollup

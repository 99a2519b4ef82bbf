// Rows that MERGE moves from one partition to another.
//
// The server gives them to no trigger of UPDATE: they are put into the transition tables of DELETE and INSERT, whose
// triggers fire only if the MERGE has such actions.  So what it has moved is not known, only that it may have.
// Nor is it known what a MERGE that inserts has updated: after an inserted row, triggers are given that row again for
// each that it updates in some partition. A mid-statement load of the library (the first trigger of a session that is
// not preloaded) did not see the query begin: then it is looked for where it can be told.

#pragma once

#include "observe/observe.hpp"

namespace remedy::rollup {

void note_moves(const QueryDesc *query) noexcept;

inline constexpr observe::Listener listener = {.finishing = note_moves};

// For a trigger of UPDATE that is fired now.
bool may_have_moved(Relation relation) noexcept;

// When the library is loaded.
void start() noexcept;

} // namespace remedy::rollup

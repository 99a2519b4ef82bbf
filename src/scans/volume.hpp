// How much each run of the executor reads by sequential scans: the differences of the
// relations' pending counters, less what ran inside.
//
// A frame for each run that is going on, but for an outermost one that reads no table
// from end to end.  A client's statement begins at level 0, whatever an error left
// behind; runs inside are always closed.  Relations are looked at only while their run
// lasts, which keeps them open.

#pragma once

#include "observe/observe.hpp"

namespace remedy::scans {

void run_begins(QueryDesc *query, const observe::Statement *statement) noexcept;

// Counts what the run has read.
void run_ended(QueryDesc *query, const observe::Statement *statement, bool failed) noexcept;

// The same, in the abort that its error causes: its relations are still open.
void run_failed(const observe::Statement &statement) noexcept;

} // namespace remedy::scans

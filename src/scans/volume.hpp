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

namespace detail {

extern unsigned depth; // of open frames

pg_noinline void open_frame(QueryDesc *query, const observe::Statement *statement) noexcept;
pg_noinline void close_frame(QueryDesc *query, const observe::Statement *statement) noexcept;

} // namespace detail

// Whether the plan is one scan of an index and nothing else, as most statements' is.
inline bool
is_index_scan(const PlannedStmt *planned) noexcept
{
	const NodeTag tag = nodeTag(planned->planTree);

	return (tag == T_IndexScan || tag == T_IndexOnlyScan) && planned->subplans == NIL;
}

inline void
run_begins(QueryDesc *query, const observe::Statement *statement) noexcept
{
	if (unlikely(detail::depth > 0 || !is_index_scan(query->plannedstmt)))
		detail::open_frame(query, statement);
}

// Counts what the run has read.
inline void
run_ended(QueryDesc *query, const observe::Statement *statement, bool) noexcept
{
	if (unlikely(detail::depth > 0))
		detail::close_frame(query, statement);
}

// The same, in the abort that its error causes: its relations are still open.
void run_failed(const observe::Statement &statement) noexcept;

} // namespace remedy::scans

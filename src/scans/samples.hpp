// The rows that scans read and keep, and by which conditions, from sampled executions.
//
// The server counts rows of plan nodes when it is asked to; the question costs some
// instructions for each row, so it is put seldom (schedule.hpp), and never for times.
// Where somebody else has asked already we only read.

#pragma once

#include "observe/observe.hpp"
#include "scans/scan_table.hpp"
#include "scans/volume.hpp"

namespace remedy::scans {

// A bit of a query's instrumentation that the server does not use: sampled by us.
constexpr int sampled = 1 << 30;

namespace detail {

pg_noinline void choose(QueryDesc *query, const observe::Statement *statement) noexcept;
pg_noinline void read_sample(const QueryDesc *query) noexcept;

} // namespace detail

// An index scan without further conditions drops no rows.
inline void
starting(QueryDesc *query, const observe::Statement *statement) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;

	if (unlikely(!is_index_scan(planned) || planned->planTree->qual != NIL))
		detail::choose(query, statement);
}

inline void
ending(QueryDesc *query)
{
	if (unlikely((query->instrument_options & sampled) != 0))
		detail::read_sample(query);
}

// Nothing is to be learnt from the query.
void drop_sample(QueryDesc *query) noexcept;

// A run of the statement read this many rows by sequential scans.
void note_rows(std::uint64_t fingerprint, std::uint64_t rows) noexcept;
void note_slow(const observe::Statement &statement);

// To this session each statement is new again.
void forget_schedule() noexcept;

// Whether the query is a parallel worker's part of its leader's.
inline bool
is_leaders(const QueryDesc *query) noexcept
{
	return IsParallelWorker() && query->dest->mydest == DestTupleQueue;
}

// Whose the query is, which is not looked at if there is a statement; for a parallel
// worker's part its leader knows.
Owner owner_of_inner(const QueryDesc *query) noexcept;

inline Owner
owner_of(const QueryDesc *query, const observe::Statement *statement) noexcept
{
	return likely(statement != nullptr) ? Owner{statement->fingerprint, true} : owner_of_inner(query);
}

// Not the server's catalogs.
inline bool
is_of_interest(Relation relation) noexcept
{
	return relation->rd_id >= FirstNormalObjectId;
}

// Temporary tables come and go, and each would want entries of its own.
inline bool
is_temporary(Relation relation) noexcept
{
	return relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP;
}

} // namespace remedy::scans

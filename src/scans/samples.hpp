// The rows that scans read and keep, and by which conditions, from sampled executions.
//
// The server counts rows of plan nodes when it is asked to; the question costs some
// instructions for each row, so it is put seldom (schedule.hpp), and never for times.
// Where somebody else has asked already we only read.

#pragma once

#include "observe/observe.hpp"
#include "scans/entries.hpp"

namespace remedy::scans {

void starting(QueryDesc *query, const observe::Statement *statement) noexcept;
void ending(QueryDesc *query);

// Nothing is to be learnt from the query.
void drop_sample(QueryDesc *query) noexcept;

// A run of the statement read this many rows by sequential scans.
void note_rows(std::uint64_t fingerprint, std::uint64_t rows) noexcept;
void note_slow(const observe::Statement &statement);

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

// Until version 18 a cursor's query has none of its own.
inline std::uint64_t
fingerprint_of(const QueryDesc *query, const observe::Statement *statement) noexcept
{
	return statement != nullptr ? statement->fingerprint : query->plannedstmt->queryId;
}

// For the current user.
inline Subject
subject_of(Relation relation, std::uint64_t fingerprint, bool toplevel, Method method) noexcept
{
	return {fingerprint, MyDatabaseId, GetUserId(), relation->rd_id, toplevel, method, {}};
}

} // namespace remedy::scans

// What a query or a utility command is to the counting.

#pragma once

#include "server/headers.hpp"

namespace remedy::observe {

enum class UtilityKind
{
	counted,       // a statement of its own; what it runs is nested in it
	cursor,        // DECLARE CURSOR: counted through the query it opens
	runs_triggers, // SET CONSTRAINTS: not counted, nor is what its triggers run
	fetch,         // FETCH and MOVE: not counted; they run the cursor's query
	new_session,   // DISCARD ALL: a pool hands the session to somebody else; not counted
	transparent,   // not counted; a query that it runs is the client's, at top level
};

UtilityKind kind_of_utility(const Node *command) noexcept;

namespace detail {

pg_noinline bool is_answer_of(const PlannedStmt *planned, Portal portal) noexcept;

} // namespace detail

// Whether the query is what a client's portal runs.  Of what a rule makes of a
// statement, one query answers for it.  A deferred trigger runs its queries outside of
// any statement's execution.
inline bool
is_run_by_client(const PlannedStmt *planned) noexcept
{
	const Portal portal = ActivePortal;

	if (portal == nullptr || portal->stmts == NIL)
		return false;
	if (likely(portal->name[0] == '\0' && portal->stmts->length == 1))
		return planned == linitial(portal->stmts);
	return detail::is_answer_of(planned, portal);
}

// Whether the receiver is that of a query which a function runs.
inline bool
goes_to_function(const DestReceiver *dest) noexcept
{
	return dest != nullptr && (dest->mydest == DestSPI || dest->mydest == DestSQLFunction);
}

// Whether it is that of the query of COPY, CREATE TABLE AS, REFRESH MATERIALIZED VIEW
// or EXPLAIN, which is not nested in its command.
bool is_part_of_command(const DestReceiver *dest, bool explaining) noexcept;

// Whether the query reads views of pg_remedy.
bool reads_own_views(const PlannedStmt *planned) noexcept;

} // namespace remedy::observe

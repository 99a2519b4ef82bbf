// What a utility command is to the counting.

#pragma once

#include "server/headers.hpp"

namespace remedy::observe {

enum class UtilityKind
{
	counted,	 // a statement of its own; what it runs is nested in it
	cursor,		 // DECLARE CURSOR: counted through the query it opens
	runs_triggers, // SET CONSTRAINTS: not counted, nor is what its triggers run
	fetch,		 // FETCH and MOVE: not counted; they run the cursor's query
	new_session, // DISCARD ALL: a pool hands the session to somebody else; not counted
	transparent, // not counted; a query that it runs is the client's, at top level
};

inline UtilityKind
kind_of_utility(const Node *command) noexcept
{
	switch (nodeTag(command))
	{
		case T_DeclareCursorStmt:
			return UtilityKind::cursor;
		case T_ConstraintsSetStmt:
			return UtilityKind::runs_triggers;
		case T_FetchStmt:
			return UtilityKind::fetch;
		case T_DiscardStmt:
			return reinterpret_cast<const DiscardStmt *>(command)->target == DISCARD_ALL ? UtilityKind::new_session
																						 : UtilityKind::transparent;
		case T_ExecuteStmt:
		case T_ClosePortalStmt:
		case T_PrepareStmt:
		case T_DeallocateStmt:
		case T_TransactionStmt:
		case T_VariableSetStmt:
		case T_VariableShowStmt:
		case T_ListenStmt:
		case T_UnlistenStmt:
		case T_NotifyStmt:
		case T_LoadStmt:
		case T_CheckPointStmt:
			return UtilityKind::transparent;
		default:
			return UtilityKind::counted;
	}
}

} // namespace remedy::observe

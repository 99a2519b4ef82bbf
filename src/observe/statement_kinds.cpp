#include "observe/statement_kinds.hpp"

namespace remedy::observe {

namespace {

// The portals of loops over a query in PL/pgSQL and its like.  That of EXECUTE has such
// a name too, but is not visible.
bool
is_made_by_function(const Portal portal) noexcept
{
	constexpr char given_name[] = "<unnamed portal";

	return portal->name[0] == given_name[0] && portal->visible &&
		   strncmp(portal->name, given_name, sizeof(given_name) - 1) == 0;
}

} // namespace

bool
detail::is_answer_of(const PlannedStmt *planned, Portal portal) noexcept
{
	if (is_made_by_function(portal))
		return false;
	const PlannedStmt *answering = linitial_node(PlannedStmt, portal->stmts);

	if (list_length(portal->stmts) > 1)
		if (const PlannedStmt *const primary = PortalGetPrimaryStmt(portal))
			answering = primary;
	return planned == answering;
}

bool
is_part_of_command(const DestReceiver *dest, bool explaining) noexcept
{
	if (dest == nullptr || explaining)
		return !goes_to_function(dest);
	return dest->mydest == DestCopyOut || dest->mydest == DestIntoRel || dest->mydest == DestTransientRel;
}

bool
reads_own_views(const PlannedStmt *planned) noexcept
{
	const Oid schema = get_namespace_oid("remedy", true);
	ListCell *cell;

	foreach (cell, planned->relationOids)
		if (OidIsValid(schema) && get_rel_namespace(lfirst_oid(cell)) == schema)
			return true;
	return false;
}

UtilityKind
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

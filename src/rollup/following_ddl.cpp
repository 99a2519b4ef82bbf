// The event triggers for what is not a drop.  They look at the command's parse tree, and at nothing at all while there
// is no rollup.

#include "rollup/following_events.hpp"
#include "rollup/marks.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "commands/event_trigger.h"
#include "commands/tablecmds.h"
#include "storage/lmgr.h"
}

namespace remedy::rollup {

namespace {

Oid
find_table(const RangeVar *name) noexcept
{
	return RangeVarGetRelid(name, NoLock, true);
}

// All of the table, and of those below it.
void
mark_tree(Oid tree) noexcept
{
	Member member;
	ListCell *cell;

	foreach (cell, find_all_inheritors(tree, NoLock, nullptr))
		if (find_member(lfirst_oid(cell), member))
			mark_member(member);
}

// Its owner's statements only meet the new triggers when the lock of the command is given up.
void
inspect_triggers(Oid tree) noexcept
{
	Member member;
	ListCell *cell;

	foreach (cell, find_all_inheritors(tree, NoLock, nullptr))
	{
		const Oid table = lfirst_oid(cell);
		if (!find_member(table, member))
			continue;
		const bool armed = trouble_with_triggers(table) == nullptr;
		if (armed != member.armed)
			set_armed(table, armed);
		if (armed && !member.armed)
			mark_member(member);
	}
}

// As indexes follow a table's owner: whoever may change the one is not asked for the other.  (REASSIGN
// OWNED moves them all.)
void
follow_owner(const Parts &parts) noexcept
{
	const Oid owner = owner_of(parts.source);

	if (!OidIsValid(owner))
		return;
	for (const Oid part : {parts.marks, parts.cells, parts.rows, parts.view, parts.now})
		if (const Oid owns = owner_of(part); OidIsValid(owns) && owns != owner)
			ATExecChangeOwner(part, owner, true, AccessExclusiveLock);
	CommandCounterIncrement();
}

void
follow_owners(Oid source) noexcept
{
	ListCell *cell;

	foreach (cell, parts_of_rollups())
		if (const Parts *const parts = static_cast<Parts *>(lfirst(cell)); parts->source == source)
			follow_owner(*parts);
}

// What is taken of each row is now something else.
void
follow_view(Oid view) noexcept
{
	ListCell *cell;

	foreach (cell, parts_of_rollups())
		if (const Parts *const parts = static_cast<Parts *>(lfirst(cell)); parts->rows == view && !parts->is_level)
			if (const Rollup *const rollup = load_rollup(parts->view); rollup != nullptr)
				mark_everything(*rollup);
}

void
follow_created(const CreateStmt *statement) noexcept
{
	const Oid table = find_table(statement->relation);

	if (statement->inhRelations != nullptr && OidIsValid(table))
		follow(table, true);
}

void
follow_altered(Oid table, const AlterTableCmd *command) noexcept
{
	switch (command->subtype)
	{
	case AT_AttachPartition:
	case AT_DetachPartition:
	case AT_DetachPartitionFinalize:
		table = find_table(castNode(PartitionCmd, command->def)->name);
		[[fallthrough]];
	case AT_AddInherit:
	case AT_DropInherit:
		if (OidIsValid(table))
			follow(table, false);
		break;
	case AT_EnableTrig:
	case AT_EnableAlwaysTrig:
	case AT_EnableReplicaTrig:
	case AT_DisableTrig:
		if (is_name_of_ours(command->name))
			inspect_triggers(table);
		break;
	case AT_EnableTrigAll:
	case AT_EnableTrigUser:
	case AT_DisableTrigAll:
	case AT_DisableTrigUser:
		inspect_triggers(table);
		break;
	case AT_ChangeOwner:
		follow_owners(table);
		break;
	default:
		if (server::sets_expression(command->subtype))
			mark_tree(table); // without a statement that a trigger could see
		break;
	}
}

void
follow_alter_table(const AlterTableStmt *statement) noexcept
{
	const Oid table = find_table(statement->relation);
	ListCell *cell;

	if (!OidIsValid(table))
		return;
	foreach (cell, statement->cmds)
		follow_altered(table, lfirst_node(AlterTableCmd, cell));
}

// Most commands do not, and are told so first.
bool
may_matter(const AlterTableCmd *command) noexcept
{
	switch (command->subtype)
	{
	case AT_AttachPartition:
	case AT_DetachPartition:
	case AT_DetachPartitionFinalize:
	case AT_AddInherit:
	case AT_DropInherit:
	case AT_EnableTrig:
	case AT_EnableAlwaysTrig:
	case AT_EnableReplicaTrig:
	case AT_DisableTrig:
	case AT_EnableTrigAll:
	case AT_EnableTrigUser:
	case AT_DisableTrigAll:
	case AT_DisableTrigUser:
	case AT_ChangeOwner:
		return true;
	default:
		return server::sets_expression(command->subtype);
	}
}

bool
may_matter(Node *command) noexcept
{
	ListCell *cell;

	if (IsA(command, CreateStmt) || IsA(command, CreateForeignTableStmt))
		return reinterpret_cast<CreateStmt *>(command)->inhRelations != nullptr;
	if (!IsA(command, AlterTableStmt))
		return true;
	foreach (cell, castNode(AlterTableStmt, command)->cmds)
		if (may_matter(lfirst_node(AlterTableCmd, cell)))
			return true;
	return false;
}

void
follow_command(Node *tree) noexcept
{
	ListCell *cell;

	switch (nodeTag(tree))
	{
	case T_CreateStmt:
	case T_CreateForeignTableStmt: // begins with one
		follow_created(reinterpret_cast<CreateStmt *>(tree));
		break;
	case T_CreateSchemaStmt: // whose tables the server has given the schema's name
		foreach (cell, castNode(CreateSchemaStmt, tree)->schemaElts)
			if (IsA(lfirst(cell), CreateStmt))
				follow_created(lfirst_node(CreateStmt, cell));
		break;
	case T_AlterTableStmt:
		follow_alter_table(castNode(AlterTableStmt, tree));
		break;
	case T_RenameStmt:
		if (const RenameStmt *const statement = castNode(RenameStmt, tree); statement->renameType == OBJECT_TRIGGER)
			inspect_triggers(find_table(statement->relation));
		break;
	case T_ViewStmt:
		if (castNode(ViewStmt, tree)->replace)
			follow_view(find_table(castNode(ViewStmt, tree)->view));
		break;
	default:
		break;
	}
}

// Queries of the parent leave its rows out once the command's first transaction has committed.
void
mark_detached(const AlterTableCmd *command) noexcept
{
	const PartitionCmd *const detach =
		command->subtype == AT_DetachPartition ? castNode(PartitionCmd, command->def) : nullptr;

	if (detach == nullptr || !detach->concurrent)
		return;
	if (const Oid table = find_table(detach->name); OidIsValid(table))
		mark_tree(table);
}

void
precede_detach(const AlterTableStmt *statement) noexcept
{
	ListCell *cell;

	foreach (cell, statement->cmds)
		mark_detached(lfirst_node(AlterTableCmd, cell));
}

} // namespace

Node *
command_of(FunctionCallInfo fcinfo) noexcept
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("this function is called by an event trigger only")));
	return reinterpret_cast<EventTriggerData *>(fcinfo->context)->parsetree;
}

bool
is_for_user(int sqlstate) noexcept
{
	const int category = ERRCODE_TO_CATEGORY(sqlstate);

	return sqlstate == ERRCODE_FEATURE_NOT_SUPPORTED || sqlstate == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST ||
		   sqlstate == ERRCODE_LOCK_NOT_AVAILABLE || category == ERRCODE_TRANSACTION_ROLLBACK ||
		   category == ERRCODE_INSUFFICIENT_RESOURCES || category == ERRCODE_OPERATOR_INTERVENTION;
}

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_follow_ddl)
{
	using namespace remedy::rollup;
	Node *const command = command_of(fcinfo);

	if (may_matter(command) && there_are_rollups())
		carefully([command]() noexcept { follow_command(command); });
	PG_RETURN_NULL();
}

REMEDY_FUNCTION(remedy_precede_detach)
{
	using namespace remedy::rollup;
	Node *const command = command_of(fcinfo);

	if (IsA(command, AlterTableStmt) && may_matter(command) && there_are_rollups())
		carefully([command]() noexcept { precede_detach(castNode(AlterTableStmt, command)); });
	PG_RETURN_NULL();
}

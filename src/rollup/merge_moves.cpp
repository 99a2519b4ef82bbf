#include "rollup/merge_moves.hpp"

#include "server/guard.hpp"

extern "C" {
#include "access/xact.h"
#include "tcop/pquery.h"
}

namespace remedy::rollup {

namespace {

// Transactions of this session, by when they began; that two are taken for one costs a rebuild, no more.
TimestampTz merged_in = 0; // some MERGE, or what may have one inside
TimestampTz moved_in = 0;  // one that sets columns of the partitions' keys, or inserts as well
TimestampTz loaded_in = 0;

// The server gives what it inserted before for what it updates after, in rows of partitions.
bool
inserts_and_updates(const ModifyTable *plan) noexcept
{
	bool inserts = false, updates = false;
	ListCell *table, *action;

	foreach (table, plan->mergeActionLists)
		foreach (action, lfirst_node(List, table))
		{
			const CmdType type = lfirst_node(MergeAction, action)->commandType;
			inserts |= type == CMD_INSERT;
			updates |= type == CMD_UPDATE;
		}
	return inserts && updates;
}

bool
moves(const Plan *plan) noexcept
{
	if (plan == nullptr || !IsA(plan, ModifyTable))
		return false;
	const ModifyTable *const table = reinterpret_cast<const ModifyTable *>(plan);
	return table->operation == CMD_MERGE && (table->partColsUpdated || inserts_and_updates(table));
}

// As tables of partitions are; of one partition's own triggers nobody knows here.
bool
has_row_trigger(Relation relation) noexcept
{
	return relation->trigdesc != nullptr && relation->trigdesc->trig_update_before_row;
}

bool
has_word(const char *text, const char *word) noexcept
{
	const std::size_t length = strlen(word);

	for (; *text != '\0'; ++text)
		if (pg_strncasecmp(text, word, length) == 0)
			return true;
	return false;
}

// Inside of functions the context that an error would have quotes the statement, but for functions of SQL.
bool
may_be_merge() noexcept
{
	const char *const context = error_context_stack == nullptr ? "" : GetErrorContextStack();
	ListCell *cell;

	if (context[0] != '\0')
		return has_word(context, "merge") || !has_word(context, "update");
	if (ActivePortal == nullptr || ActivePortal->stmts == NIL)
		return true;
	foreach (cell, ActivePortal->stmts)
		if (const CmdType type = lfirst_node(PlannedStmt, cell)->commandType;
			type != CMD_UPDATE && type != CMD_INSERT && type != CMD_DELETE)
			return true;
	return false;
}

} // namespace

void
note_moves(const QueryDesc *query) noexcept
{
	const PlannedStmt *const planned = query->plannedstmt;
	ListCell *cell;

	if (likely(planned->commandType != CMD_MERGE && !planned->hasModifyingCTE))
		return;
	merged_in = GetCurrentTransactionStartTimestamp();
	if (moves(planned->planTree))
		moved_in = merged_in;
	foreach (cell, planned->subplans)
		if (moves(static_cast<const Plan *>(lfirst(cell))))
			moved_in = merged_in;
}

bool
may_have_moved(Relation relation) noexcept
{
	const TimestampTz here = GetCurrentTransactionStartTimestamp();

	if (likely(relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE))
		return false;
	return here == moved_in || (here == merged_in && has_row_trigger(relation)) ||
		   (here == loaded_in && may_be_merge());
}

void
start() noexcept
{
	if (IsTransactionState())
		loaded_in = GetCurrentTransactionStartTimestamp();
}

} // namespace remedy::rollup

// remedy.mark_rollups(): what a statement has changed, into the logs of the rollups of its table.
//
// One pass over the transition tables for each rollup.  Nothing is taken of a pair of an updated row's versions that
// are the same in all that counts: what is left is right whichever the pairs are, and a row that has moved to another
// partition makes none.
//
// What the rollup's own expressions raise goes to the user, as of an index; nothing else may fail.

#include "rollup/capture_cells.hpp"
#include "rollup/following_members.hpp"
#include "rollup/merge_moves.hpp"
#include "server/guard.hpp"
#include "server/subtransactions.hpp"

extern "C" {
#include "commands/trigger.h"
#include "utils/datum.h"
#include "utils/tuplestore.h"
}

namespace remedy::rollup {

namespace {

constexpr int64 few_rows = 32;

struct Pass
{
	const CapturePlan *plan;
	ExprContext *context; // of expressions; null without any
	ExprState **state;    // of each column, null if it is none
	Cells cells;
	RowValues before, after;
	MemoryContext row_memory; // null: a few rows, whose garbage may stay
};

// ---- A row -----------------------------------------------------------------------------

RowValues
make_row(const CapturePlan &plan) noexcept
{
	return {static_cast<Datum *>(palloc(sizeof(Datum) * plan.columns)),
			static_cast<bool *>(palloc(sizeof(bool) * plan.columns))};
}

void
read_row(const Pass &pass, TupleTableSlot *slot, const RowValues &row) noexcept
{
	const CapturePlan &plan = *pass.plan;

	for (int i = 0; i < plan.columns; ++i)
	{
		const AttrNumber attribute = plan.column[i].attribute;
		if (likely(attribute != 0))
		{
			row.value[i] = slot->tts_values[attribute - 1];
			row.null[i] = slot->tts_isnull[attribute - 1];
			continue;
		}
		pass.context->ecxt_scantuple = slot;
		row.value[i] = ExecEvalExpr(pass.state[i], pass.context, &row.null[i]);
	}
	if (!row.null[0])
		row.value[0] = bucket_of(*plan.calendar, row.value[0]);
}

// By their bytes as they are stored: what is compressed or out of line is not fetched.
bool
same_attribute(const FormData_pg_attribute &form, Datum a, bool a_null, Datum b, bool b_null) noexcept
{
	if (a_null || b_null)
		return a_null && b_null;
	return datumIsEqual(a, b, form.attbyval, form.attlen);
}

bool
same_attributes(const CapturePlan &plan, const TupleTableSlot *a, const TupleTableSlot *b) noexcept
{
	for (int i = 0; i < plan.attributes; ++i)
	{
		const int at = plan.attribute[i] - 1;
		if (!same_attribute(*TupleDescAttr(a->tts_tupleDescriptor, at), a->tts_values[at], a->tts_isnull[at],
							b->tts_values[at], b->tts_isnull[at]))
			return false;
	}
	return true;
}

bool
same_rows(const CapturePlan &plan, const RowValues &a, const RowValues &b) noexcept
{
	for (int i = 0; i < plan.columns; ++i)
		if (!same_value(plan.column[i], a.value[i], a.null[i], b.value[i], b.null[i]))
			return false;
	return true;
}

// ---- All rows of a statement --------------------------------------------------------------

struct Rows
{
	Tuplestorestate *store; // null: none
	TupleTableSlot *slot;

	bool next(int attributes) noexcept
	{
		if (store == nullptr || !tuplestore_gettupleslot(store, true, false, slot))
		{
			store = nullptr;
			return false;
		}
		slot_getsomeattrs(slot, attributes);
		return true;
	}
	void clear() noexcept
	{
		if (slot != nullptr)
			ExecClearTuple(slot);
	}
};

Rows
rows_of(Tuplestorestate *store, Relation relation) noexcept
{
	if (store == nullptr)
		return {};
	tuplestore_select_read_pointer(store, 0);
	tuplestore_rescan(store);
	return {store, MakeSingleTupleTableSlot(RelationGetDescr(relation), &TTSOpsMinimalTuple)};
}

void
take_rows(Pass &pass, Rows removed, Rows added) noexcept
{
	const CapturePlan &plan = *pass.plan;

	for (;;)
	{
		const bool has_removed = removed.next(plan.last_attribute), has_added = added.next(plan.last_attribute);
		if (!has_removed && !has_added)
			return;
		const bool pair = has_removed && has_added;
		if (pair && same_attributes(plan, removed.slot, added.slot))
			continue;
		if (has_removed)
			read_row(pass, removed.slot, pass.before);
		if (has_added)
			read_row(pass, added.slot, pass.after);
		if (!pair || !same_rows(plan, pass.before, pass.after))
		{
			if (has_removed)
				take_row(pass.cells, pass.before, -1);
			if (has_added)
				take_row(pass.cells, pass.after, 1);
		}
		if (pass.row_memory != nullptr)
		{
			// Of a store that has become a file they have memory there.
			removed.clear();
			added.clear();
			MemoryContextReset(pass.row_memory);
		}
		if (are_full(pass.cells))
			write_marks(pass.cells);
	}
}

void
prepare_expressions(Pass &pass) noexcept
{
	const CapturePlan &plan = *pass.plan;

	for (int i = 0; i < plan.columns; ++i)
		if (plan.column[i].attribute == 0)
		{
			if (pass.context == nullptr)
			{
				pass.context = CreateStandaloneExprContext();
				pass.state = static_cast<ExprState **>(palloc0(sizeof(ExprState *) * plan.columns));
			}
			pass.state[i] = ExecInitExpr(plan.column[i].expression, nullptr);
		}
}

int64
count_rows(const TriggerData &trigger) noexcept
{
	return (trigger.tg_oldtable == nullptr ? 0 : tuplestore_tuple_count(trigger.tg_oldtable)) +
		   (trigger.tg_newtable == nullptr ? 0 : tuplestore_tuple_count(trigger.tg_newtable));
}

void
capture(const CapturePlan &plan, const TriggerData &trigger) noexcept
{
	const MemoryContext memory = CurrentMemoryContext;
	const bool many = count_rows(trigger) > few_rows;
	Pass pass = {};

	pass.plan = &plan;
	pass.before = make_row(plan);
	pass.after = make_row(plan);
	pass.cells = make_cells(plan, many);
	prepare_expressions(pass);
	const Rows removed = rows_of(trigger.tg_oldtable, trigger.tg_relation);
	const Rows added = rows_of(trigger.tg_newtable, trigger.tg_relation);

	if (pass.context != nullptr)
		pass.row_memory = pass.context->ecxt_per_tuple_memory;
	else if (many)
		pass.row_memory = AllocSetContextCreate(memory, "row for rollups", ALLOCSET_SMALL_SIZES);
	if (pass.row_memory != nullptr)
		MemoryContextSwitchTo(pass.row_memory);
	take_rows(pass, removed, added);
	MemoryContextSwitchTo(memory);
	write_marks(pass.cells);
	for (const Rows &rows : {removed, added})
		if (rows.slot != nullptr)
			ExecDropSingleTupleTableSlot(rows.slot);
	if (pass.context != nullptr)
		FreeExprContext(pass.context, true);
}

// ---- The trigger ----------------------------------------------------------------------------

// Those of following.hpp.  Another one, made by whoever may, would count a second time.
bool
is_ours(const TriggerData &trigger) noexcept
{
	const char *const name = trigger.tg_trigger->tgname;
	const TriggerEvent event = trigger.tg_event;

	return strcmp(name, TRIGGER_FIRED_BY_INSERT(event)   ? "remedy_rollup_insert"
						: TRIGGER_FIRED_BY_UPDATE(event) ? "remedy_rollup_update"
						: TRIGGER_FIRED_BY_DELETE(event) ? "remedy_rollup_delete"
														 : "remedy_rollup_truncate") == 0;
}

// Whether it was made with the transition tables that it needs.
bool
has_rows(const TriggerData &trigger) noexcept
{
	const TriggerEvent event = trigger.tg_event;

	return (TRIGGER_FIRED_BY_INSERT(event) || trigger.tg_oldtable != nullptr) &&
		   (TRIGGER_FIRED_BY_DELETE(event) || trigger.tg_newtable != nullptr);
}

// A partition takes no more away than its bounds allow.
void
mark_truncated(const Capture &captured) noexcept
{
	Member member;

	if (find_member(captured.relation, member) && member.source != member.table)
		mark_member(member);
	else
		for (int i = 0; i < captured.plans; ++i)
			mark_everything(*captured.plan[i].rollup);
}

void
capture_all(const Capture &captured, const TriggerData &trigger) noexcept
{
	const bool unknown =
		!has_rows(trigger) || (TRIGGER_FIRED_BY_UPDATE(trigger.tg_event) && may_have_moved(trigger.tg_relation));

	for (int i = 0; i < captured.plans; ++i)
	{
		const CapturePlan &plan = captured.plan[i];
		if (plan.mark == nullptr)
			continue;
		if (unknown || (plan.loses_values && trigger.tg_newtable != nullptr))
			mark_everything(*plan.rollup);
		else if (plan.calls)
		{
			AsOwner owner(*plan.rollup);
			capture(plan, trigger);
			owner.end();
		}
		else
			capture(plan, trigger);
	}
}

void
mark_rollups(const TriggerData &trigger) noexcept
{
	const Capture captured = capture_for(trigger.tg_relation);

	if (!TRIGGER_FIRED_BY_TRUNCATE(trigger.tg_event))
		capture_all(captured, trigger);
	else if (captured.plans != 0)
		mark_truncated(captured);
	give_back();
	if (GetCurrentTransactionNestLevel() > 1)
		server::release_subtransaction();
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_mark_rollups)
{
	using namespace remedy::rollup;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("remedy.mark_rollups() can only be called as a trigger")));
	const auto &trigger = *reinterpret_cast<const TriggerData *>(fcinfo->context);
	if (!TRIGGER_FIRED_AFTER(trigger.tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger.tg_event))
		ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
						errmsg("remedy.mark_rollups() must be fired after a statement")));
	if (is_ours(trigger))
		mark_rollups(trigger);
	return PointerGetDatum(nullptr);
}

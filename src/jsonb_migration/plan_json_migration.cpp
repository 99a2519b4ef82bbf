// remedy.plan_json_migration(): the steps of a migration, its dependents at the step that
// carries them, and whatever speaks against it.

#include "json_columns/readers.hpp"
#include "jsonb_migration/collecting.hpp"
#include "jsonb_migration/estimate.hpp"
#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

extern "C" {
#include "lib/stringinfo.h"
}

namespace remedy::jsonb_migration {

namespace {

struct Telling
{
	server::Rows &rows;
	const Target &target;
	const char *table;
	List *dependents;
	Estimate estimate;
	int step;
};

struct Step
{
	const char *phase;
	const char *object;
	const char *lock;
	const char *refusal;
	const char *remark;
	const char *definition;
	const char *new_definition;
};

void
put(Telling &plan, const Step &step, const Cost *cost = nullptr) noexcept
{
	server::Rows &rows = plan.rows;

	rows.put(Int32GetDatum(++plan.step));
	for (const char *const text : {step.phase, step.object, step.lock, step.refusal, step.remark})
		rows.put_text(text);
	for (const double number : {cost == nullptr ? 0 : cost->seconds * 1000, cost == nullptr ? 0 : cost->wal_bytes,
								cost == nullptr ? 0 : cost->peak_bytes})
		cost == nullptr ? rows.put_null() : rows.put_double(number);
	rows.put_text(step.definition);
	rows.put_text(step.new_definition);
	rows.end_row();
}

const char *
lock_of_table(const Telling &plan, const char *mode, const char *how_long = "") noexcept
{
	return psprintf("%s on %s%s", mode, plan.table, how_long);
}

// ---- Dependents ------------------------------------------------------------------

bool
is_one_of(const Dependent &dependent, std::initializer_list<const Carrier *> carriers) noexcept
{
	for (const Carrier *const carrier : carriers)
		if (dependent.carrier == carrier)
			return true;
	return false;
}

// Where the first of its work is done; what is refused ends it all at its beginning.
const char *
phase_of(const Dependent &dependent) noexcept
{
	if (dependent.refusal != nullptr)
		return "plan";
	if (dependent.carrier == &index)
		return "index";
	if (is_one_of(dependent, {&view, &materialised_view, &check, &statistics}))
		return "build";
	return "swap";
}

const char *
lock_for(const Telling &plan, const Dependent &dependent) noexcept
{
	if (dependent.refusal != nullptr)
		return dependent.lock;
	if (is_one_of(dependent, {&index, &statistics}))
		return lock_of_table(plan, "SHARE UPDATE EXCLUSIVE");
	if (dependent.carrier == &check)
		return lock_of_table(plan, "ACCESS EXCLUSIVE", " for some ms");
	if (is_one_of(dependent, {&view, &materialised_view}))
		return lock_of_table(plan, "ACCESS SHARE");
	return dependent.lock;
}

void
put_dependents(Telling &plan, const char *phase) noexcept
{
	ListCell *cell;

	foreach (cell, plan.dependents)
		if (const auto &dependent = *static_cast<const Dependent *>(lfirst(cell));
			strcmp(phase_of(dependent), phase) == 0)
			put(plan, {phase, dependent.identity, lock_for(plan, dependent), dependent.refusal, dependent.remark,
					   dependent.definition, dependent.new_definition});
}

// What the rehearsal finds is a refusal like others.
void
rehearse_dependents(const Target &target, const List *dependents) noexcept
{
	ListCell *cell;

	foreach (cell, rehearse_each(target, dependents))
	{
		const auto *failure = static_cast<const Failure *>(lfirst(cell));
		const_cast<Dependent *>(failure->dependent)->refusal = psprintf("rehearsal: %s", failure->error->message);
	}
}

// ---- Steps -----------------------------------------------------------------------

// Those that are not validated hold for each row that is written, and filling writes all.
void
put_unproved_checks(Telling &plan, Oid table) noexcept
{
	const Relation relation = table_open(table, AccessShareLock);
	const TupleConstr *const constraints = RelationGetDescr(relation)->constr;

	for (int i = 0; constraints != nullptr && i < constraints->num_check; ++i)
		if (!constraints->check[i].ccvalid)
			put(plan,
				{"notice",
				 psprintf("check %s on %s", quote_identifier(constraints->check[i].ccname), qualified_name(table)),
				 nullptr, nullptr, "it is not validated: rows that violate it cannot be filled"});
	table_close(relation, AccessShareLock);
}

void
put_notices(Telling &plan) noexcept
{
	ListCell *cell;

	foreach (cell, json_columns::find_readers(plan.target.table, plan.target.column_name))
	{
		const auto *reader = static_cast<const json_columns::Reader *>(lfirst(cell));
		put(plan, {"notice", reader->object, nullptr, nullptr, reader->what});
	}
	foreach (cell, find_leaves(plan.target))
		put_unproved_checks(plan, static_cast<const Leaf *>(lfirst(cell))->table);
}

void
put_beginning(Telling &plan) noexcept
{
	put(plan,
		{"plan", psprintf("table %s", plan.table), lock_of_table(plan, "ACCESS SHARE"), nullptr, plan.estimate.remark},
		&plan.estimate.migration);
	put_dependents(plan, "plan");
	put_notices(plan);
}

void
put_filling(Telling &plan) noexcept
{
	const char *const shadow = psprintf("column %s of %s", plan.target.shadow, plan.table);

	put(plan, {"prepare", shadow, lock_of_table(plan, "ACCESS EXCLUSIVE", " for some ms"), nullptr,
			   "the new column is the table's last one; a trigger that fires always and last keeps it in step"});
	put(plan, {"fill", shadow, lock_of_table(plan, "ROW EXCLUSIVE"), nullptr,
			   "each row is updated once, in batches of 50 to 100 ms; no trigger of yours fires"});
	put(plan, {"guard", shadow, lock_of_table(plan, "ACCESS EXCLUSIVE", " for some ms, then SHARE UPDATE EXCLUSIVE"),
			   nullptr, "from now on a statement fails that writes a document which jsonb refuses"});
}

void
put_proving(Telling &plan) noexcept
{
	ListCell *cell;
	bool has_checks = false;

	put_dependents(plan, "build");
	foreach (cell, plan.dependents)
		has_checks = has_checks || static_cast<const Dependent *>(lfirst(cell))->carrier == &check;
	if (has_checks)
		put(plan, {"validate", psprintf("checks of %s", plan.table), lock_of_table(plan, "SHARE UPDATE EXCLUSIVE")});
	put_dependents(plan, "index");
	put(plan, {"verify", psprintf("all rows of %s", plan.table), lock_of_table(plan, "ACCESS SHARE"), nullptr,
			   "each document is compared with its conversion; then ANALYZE, which takes SHARE UPDATE EXCLUSIVE"});
	put(plan, {"ready", psprintf("table %s", plan.table), nullptr, nullptr,
			   "waits here for the go or its time window, if it is told to"});
}

const char *
locks_of_swap(const Telling &plan) noexcept
{
	StringInfoData locks;
	List *seen = NIL;
	ListCell *cell;

	initStringInfo(&locks);
	appendStringInfo(&locks, "ACCESS EXCLUSIVE on %s", plan.table);
	foreach (cell, plan.dependents)
	{
		const char *const lock = static_cast<const Dependent *>(lfirst(cell))->lock;
		if (lock == nullptr || list_member(seen, makeString(pstrdup(lock))))
			continue;
		seen = lappend(seen, makeString(pstrdup(lock)));
		appendStringInfo(&locks, "; %s", lock);
	}
	return locks.data;
}

void
put_swap(Telling &plan) noexcept
{
	put(plan,
		{"swap", psprintf("table %s", plan.table), locks_of_swap(plan), nullptr,
		 psprintf("one transaction, tried until all locks are free at once; the json column is %s from now on and "
				  "kept in step: remedy.undo_json_migration() swaps back",
				  plan.target.old)});
	put_dependents(plan, "swap");
	put(plan, {"finish", psprintf("column %s of %s", plan.target.old, plan.table),
			   lock_of_table(plan, "ACCESS EXCLUSIVE", " for some ms"), nullptr,
			   "remedy.finish_json_migration() drops it and the originals of what was built anew"});
	put(plan,
		{"instead", psprintf("table %s", plan.table), lock_of_table(plan, "ACCESS EXCLUSIVE", " all the time"), nullptr,
		 plan.estimate.offer == nullptr
			 ? "plain ALTER TABLE takes this, and nothing else can be done with the table meanwhile"
			 : "plain ALTER TABLE is quick enough here",
		 nullptr, plan.estimate.offer},
		&plan.estimate.alter);
}

} // namespace

} // namespace remedy::jsonb_migration

using namespace remedy;
using namespace remedy::jsonb_migration;

REMEDY_FUNCTION(remedy_plan_json_migration)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	PreventCommandIfReadOnly("remedy.plan_json_migration()");
	const Target target = find_target(PG_GETARG_OID(0), NameStr(*PG_GETARG_NAME(1)));
	const Intentions intentions = {PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(2), PG_GETARG_BOOL(4)};
	Scope scope = scope_of(target);
	List *const dependents = find_dependents(scope);

	if (!(intentions.rest_share >= 0 && intentions.rest_share < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("rest_share must be at least 0 and less than 1")));
	rehearse_dependents(target, dependents);
	const Estimate foretold = estimate(target, dependents, intentions);
	Telling plan = {rows, target, qualified_name(target.table), dependents, foretold, 0};
	put_beginning(plan);
	put_filling(plan);
	put_proving(plan);
	put_swap(plan);
	return 0;
}

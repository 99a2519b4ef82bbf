#include "rollup/following_members.hpp"

#include "rollup/texts.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "parser/parse_func.h"
#include "storage/lmgr.h"
}

namespace remedy::rollup {

namespace {

struct Kind
{
	const char *name;
	int16 event;
	bool old_rows, new_rows;
};

constexpr Kind kinds[] = {
	{"remedy_rollup_insert", TRIGGER_TYPE_INSERT, false, true},
	{"remedy_rollup_update", TRIGGER_TYPE_UPDATE, true, true},
	{"remedy_rollup_delete", TRIGGER_TYPE_DELETE, true, false},
	{"remedy_rollup_truncate", TRIGGER_TYPE_TRUNCATE, false, false},
};

Oid
marking_function() noexcept
{
	static char schema[] = "remedy", name[] = "mark_rollups";

	return LookupFuncName(list_make2(makeString(schema), makeString(name)), 0, nullptr, false);
}

// As it is in the catalog; "" if all is well.
struct Found
{
	Oid trigger;
	const char *trouble;
};

const char *
trouble_with(HeapTuple tuple, TupleDesc description, int16 event, Oid function) noexcept
{
	const FormData_pg_trigger *const form = reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple));

	if (form->tgfoid != function || form->tgtype != event ||
		!heap_attisnull(tuple, Anum_pg_trigger_tgqual, description))
		return "does something else";
	if (form->tgenabled != TRIGGER_FIRES_ON_ORIGIN && form->tgenabled != TRIGGER_FIRES_ALWAYS)
		return "is disabled";
	return "";
}

// The table need not be locked.
Found
find_trigger(Oid table, const Kind &kind, Oid function) noexcept
{
	const Relation triggers = table_open(TriggerRelationId, AccessShareLock);
	Found found{InvalidOid, "is missing"};
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	ScanKeyInit(&keys[1], Anum_pg_trigger_tgname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(kind.name));
	const SysScanDesc scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, nullptr, 2, keys);
	if (const HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple))
		found = {reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple))->oid,
				 trouble_with(tuple, RelationGetDescr(triggers), kind.event, function)};
	systable_endscan(scan);
	table_close(triggers, AccessShareLock);
	return found;
}

Node *
transition(const char *name, bool is_new) noexcept
{
	TriggerTransition *const rows = makeNode(TriggerTransition);

	rows->name = pstrdup(name);
	rows->isNew = is_new;
	rows->isTable = true;
	return reinterpret_cast<Node *>(rows);
}

void
make_trigger(Oid table, const Kind &kind, Oid function) noexcept
{
	CreateTrigStmt *const statement = makeNode(CreateTrigStmt);

	statement->trigname = pstrdup(kind.name);
	statement->events = kind.event;
	statement->timing = TRIGGER_TYPE_AFTER;
	if (kind.old_rows)
		statement->transitionRels = lappend(statement->transitionRels, transition("old_rows", false));
	if (kind.new_rows)
		statement->transitionRels = lappend(statement->transitionRels, transition("new_rows", true));
	CreateTrigger(statement, nullptr, table, InvalidOid, InvalidOid, InvalidOid, function, InvalidOid, nullptr, false,
				  false);
}

void
drop_trigger(Oid trigger) noexcept
{
	const ObjectAddress address{TriggerRelationId, trigger, 0};

	performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
}

// Whoever owns the table, which for a partition may be another role than its source's owner.  Nothing of a user's runs
// meanwhile.
template <class Body>
void
as_server(Body &&body) noexcept
{
	Oid user;
	int security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, security | SECURITY_LOCAL_USERID_CHANGE);
	body();
	SetUserIdAndSecContext(user, security);
}

} // namespace

const char *
trouble_with_triggers(Oid table) noexcept
{
	const Oid function = marking_function();

	for (const Kind &kind : kinds)
		if (const Found found = find_trigger(table, kind, function); *found.trouble != '\0')
			return psprintf("trigger %s of %s %s", kind.name, qualified(table), found.trouble);
	return nullptr;
}

void
make_triggers(Oid table) noexcept
{
	const Oid function = marking_function();

	LockRelationOid(table, ShareRowExclusiveLock);
	as_server([=]() noexcept {
		for (const Kind &kind : kinds)
		{
			const Found found = find_trigger(table, kind, function);
			if (*found.trouble == '\0')
				continue;
			if (OidIsValid(found.trigger))
				drop_trigger(found.trigger);
			make_trigger(table, kind, function);
		}
	});
	CommandCounterIncrement();
}

void
drop_triggers(Oid table) noexcept
{
	const Oid function = marking_function();

	LockRelationOid(table, AccessExclusiveLock);
	for (const Kind &kind : kinds)
		if (const Found found = find_trigger(table, kind, function); OidIsValid(found.trigger))
			drop_trigger(found.trigger);
	CommandCounterIncrement();
}

bool
is_name_of_ours(const char *trigger) noexcept
{
	for (const Kind &kind : kinds)
		if (strcmp(kind.name, trigger) == 0)
			return true;
	return false;
}

} // namespace remedy::rollup

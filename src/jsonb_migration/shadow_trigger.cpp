#include "jsonb_migration/shadow_trigger.hpp"

#include "server/commands.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "parser/parse_func.h"
}

namespace remedy::jsonb_migration {

namespace {

Oid
keeper() noexcept
{
	static char schema[] = "remedy", name[] = "keep_json_in_step";

	return LookupFuncName(list_make2(makeString(schema), makeString(name)), 0, nullptr, false);
}

// The number of the one that keeps this column equal to that one; -1.
int
find_trigger(const TriggerDesc *triggers, const char *from, const char *to) noexcept
{
	const Oid function = keeper();
	const int count = triggers == nullptr ? 0 : triggers->numtriggers;

	for (int i = 0; i < count; ++i)
	{
		const Trigger &trigger = triggers->triggers[i];
		if (trigger.tgfoid == function && trigger.tgnargs == 3 && strcmp(trigger.tgargs[0], from) == 0 &&
			strcmp(trigger.tgargs[1], to) == 0)
			return i;
	}
	return -1;
}

bool
changes_rows(const Trigger &trigger) noexcept
{
	return TRIGGER_FOR_ROW(trigger.tgtype) && TRIGGER_FOR_BEFORE(trigger.tgtype) &&
		   (TRIGGER_FOR_INSERT(trigger.tgtype) || TRIGGER_FOR_UPDATE(trigger.tgtype));
}

// A tilde sorts after all that is usual; if not, the last of the names is put before it.
const char *
last_name(const List *tables, const char *name) noexcept
{
	const char *last = "";
	ListCell *cell;

	foreach (cell, tables)
	{
		const Relation table = relation_open(lfirst_oid(cell), NoLock);
		const TriggerDesc *const triggers = table->trigdesc;
		for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i)
			if (changes_rows(triggers->triggers[i]) && strcmp(triggers->triggers[i].tgname, last) > 0)
				last = pstrdup(triggers->triggers[i].tgname);
		relation_close(table, NoLock);
	}
	const char *const tilde = psprintf("~%s", name);
	if (strcmp(last, tilde) < 0)
		return tilde;
	const int room = NAMEDATALEN - 1 - static_cast<int>(strlen(tilde));
	return psprintf("%.*s%s", pg_mbcliplen(last, static_cast<int>(strlen(last)), room), last, tilde);
}

const char *
trigger_is_unsafe(const Relation table, const char *from, const char *to) noexcept
{
	const char *const name = qualified_name(RelationGetRelid(table));
	const TriggerDesc *const triggers = table->trigdesc;
	const int number = find_trigger(triggers, from, to);

	if (number < 0)
		return psprintf("Table %s lacks the trigger that keeps column \"%s\" in step.", name, to);
	if (triggers->triggers[number].tgenabled != TRIGGER_FIRES_ALWAYS)
		return psprintf("Trigger \"%s\" of table %s was disabled meanwhile: rows may have been written without it.",
						triggers->triggers[number].tgname, name);
	for (int later = number + 1; later < triggers->numtriggers; ++later)
		if (changes_rows(triggers->triggers[later]))
			return psprintf("Trigger \"%s\" of table %s fires after \"%s\".", triggers->triggers[later].tgname, name,
							triggers->triggers[number].tgname);
	return nullptr;
}

} // namespace

const char *
guard_of(const Target &target) noexcept
{
	return psprintf("%s_in_step", target.shadow);
}

void
create_triggers(const Target &target, const char *to) noexcept
{
	const List *const tables = find_tables(target);
	const char *const name = quote_identifier(last_name(tables, target.shadow));
	ListCell *cell;

	foreach (cell, tables)
	{
		const Relation table = relation_open(lfirst_oid(cell), NoLock);
		const bool missing =
			!table->rd_rel->relispartition && find_trigger(table->trigdesc, target.column_name, to) < 0;
		relation_close(table, NoLock);
		if (!missing)
			continue;
		const char *const relation = qualified_name(lfirst_oid(cell));
		run_sql("CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s FOR EACH ROW "
				"EXECUTE FUNCTION remedy.keep_json_in_step(%s, %s, %s)",
				name, relation, quote_literal_cstr(target.column_name), quote_literal_cstr(to),
				quote_literal_cstr(guard_of(target)));
		run_sql("ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", relation, name);
	}
}

void
drop_triggers(const Target &target, const char *to) noexcept
{
	ListCell *cell;

	foreach (cell, find_tables(target))
	{
		const Relation table = relation_open(lfirst_oid(cell), NoLock);
		const int number = find_trigger(table->trigdesc, target.column_name, to);
		const char *const name =
			number < 0 || table->rd_rel->relispartition ? nullptr : pstrdup(table->trigdesc->triggers[number].tgname);
		relation_close(table, NoLock);
		if (name != nullptr)
			run_sql("DROP TRIGGER %s ON %s", quote_identifier(name), qualified_name(lfirst_oid(cell)));
	}
}

const char *
triggers_are_unsafe(const Target &target, const char *to) noexcept
{
	const char *reason = nullptr;
	ListCell *cell;

	foreach (cell, find_tables(target))
	{
		const Relation table = relation_open(lfirst_oid(cell), AccessShareLock);
		reason = trigger_is_unsafe(table, target.column_name, to);
		relation_close(table, AccessShareLock); // held no longer: who asks may be about to lock it exclusively
		if (reason != nullptr)
			break;
	}
	return reason;
}

Oid
trigger_of(const Target &target, Oid table, const char *to) noexcept
{
	const Relation relation = relation_open(table, AccessShareLock);
	const int number = find_trigger(relation->trigdesc, target.column_name, to);
	const Oid trigger = number < 0 ? InvalidOid : relation->trigdesc->triggers[number].tgoid;

	relation_close(relation, NoLock);
	return trigger;
}

} // namespace remedy::jsonb_migration

// Triggers whose list of columns or condition names the column: dropped and created again in
// the swap, with what ALTER TABLE and COMMENT gave them.
//
// A partition's clone follows its parent's trigger; where it was enabled or disabled by
// itself, or has a comment of its own, it gets that again.

#include "jsonb_migration/carrying.hpp"
#include "server/commands.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_trigger.h"
#include "utils/regproc.h"
}

namespace remedy::jsonb_migration {

namespace {

Form_pg_trigger
form_of(HeapTuple tuple) noexcept
{
	return reinterpret_cast<Form_pg_trigger>(GETSTRUCT(tuple));
}

// A copy; there is no cache of triggers by their OIDs, nor by their parents'.
List *
find(Oid index, AttrNumber column, Oid value) noexcept
{
	const Relation catalog = table_open(TriggerRelationId, AccessShareLock);
	ScanKeyData key;
	List *found = NIL;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
	const SysScanDesc scan = systable_beginscan(catalog, index, OidIsValid(index), nullptr, 1, &key);
	while (const HeapTuple tuple = systable_getnext(scan))
		found = lappend(found, heap_copytuple(tuple));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

struct Words
{
	const char *table;
	const char *name; // quoted
};

Datum
attribute(HeapTuple tuple, AttrNumber number, bool &is_null) noexcept
{
	const Relation catalog = table_open(TriggerRelationId, AccessShareLock);
	const Datum value = heap_getattr(tuple, number, RelationGetDescr(catalog), &is_null);

	table_close(catalog, AccessShareLock);
	return value;
}

// ---- The command -----------------------------------------------------------------

void
add_events(StringInfo command, const Form_pg_trigger form, const Mapping &mapping) noexcept
{
	const char *separator = " ";
	const auto add = [&](const char *event) noexcept {
		appendStringInfo(command, "%s%s", separator, event);
		separator = " OR ";
	};

	if (TRIGGER_FOR_INSERT(form->tgtype))
		add("INSERT");
	if (TRIGGER_FOR_DELETE(form->tgtype))
		add("DELETE");
	if (TRIGGER_FOR_UPDATE(form->tgtype))
	{
		add("UPDATE");
		for (int i = 0; i < form->tgattr.dim1; ++i)
			appendStringInfo(command, "%s%s", i == 0 ? " OF " : ", ",
							 twin_column(mapping, form->tgrelid, form->tgattr.values[i]));
	}
	if (TRIGGER_FOR_TRUNCATE(form->tgtype))
		add("TRUNCATE");
}

void
add_deferral(StringInfo command, const Form_pg_trigger form) noexcept
{
	if (!OidIsValid(form->tgconstraint))
		return;
	if (OidIsValid(form->tgconstrrelid))
		appendStringInfo(command, " FROM %s", qualified_name(form->tgconstrrelid));
	appendStringInfo(command, " %sDEFERRABLE INITIALLY %s", form->tgdeferrable ? "" : "NOT ",
					 form->tginitdeferred ? "DEFERRED" : "IMMEDIATE");
}

void
add_transition_tables(StringInfo command, HeapTuple tuple) noexcept
{
	bool no_old, no_new;
	const Datum old_table = attribute(tuple, Anum_pg_trigger_tgoldtable, no_old);
	const Datum new_table = attribute(tuple, Anum_pg_trigger_tgnewtable, no_new);

	if (!no_old || !no_new)
		appendStringInfoString(command, " REFERENCING");
	if (!no_old)
		appendStringInfo(command, " OLD TABLE AS %s", quote_identifier(NameStr(*DatumGetName(old_table))));
	if (!no_new)
		appendStringInfo(command, " NEW TABLE AS %s", quote_identifier(NameStr(*DatumGetName(new_table))));
}

void
add_condition(StringInfo command, HeapTuple tuple, const Mapping &mapping, Verdict &verdict) noexcept
{
	bool is_null;
	const Datum value = attribute(tuple, Anum_pg_trigger_tgqual, is_null);
	const Oid table = form_of(tuple)->tgrelid;

	if (is_null)
		return;
	const Rewritten condition =
		rewrite_old_new(static_cast<Node *>(stringToNode(TextDatumGetCString(value))), table, mapping);
	verdict.note(condition);
	if (condition.refusal == nullptr)
		appendStringInfo(command, " WHEN (%s)", print_old_new(condition.tree, twin_of(mapping, table)));
}

void
add_call(StringInfo command, HeapTuple tuple) noexcept
{
	const Form_pg_trigger form = form_of(tuple);
	bool is_null;
	const Datum arguments = attribute(tuple, Anum_pg_trigger_tgargs, is_null);
	const char *argument = is_null ? "" : VARDATA_ANY(DatumGetByteaPP(arguments));

	appendStringInfo(
		command, " EXECUTE FUNCTION %s(",
		quote_qualified_identifier(get_namespace_name(get_func_namespace(form->tgfoid)), get_func_name(form->tgfoid)));
	for (int i = 0; i < form->tgnargs; ++i, argument += strlen(argument) + 1)
		appendStringInfo(command, "%s%s", i == 0 ? "" : ", ", quote_literal_cstr(argument));
	appendStringInfoChar(command, ')');
}

void
add_create(StringInfo command, HeapTuple tuple, const Mapping &mapping, Verdict &verdict) noexcept
{
	const Form_pg_trigger form = form_of(tuple);

	appendStringInfo(command, "CREATE %sTRIGGER %s %s", OidIsValid(form->tgconstraint) ? "CONSTRAINT " : "",
					 quote_identifier(NameStr(form->tgname)), TRIGGER_FOR_BEFORE(form->tgtype) ? "BEFORE" : "AFTER");
	add_events(command, form, mapping);
	appendStringInfo(command, " ON %s", twin_table(mapping, form->tgrelid));
	add_deferral(command, form);
	add_transition_tables(command, tuple);
	appendStringInfo(command, " FOR EACH %s", TRIGGER_FOR_ROW(form->tgtype) ? "ROW" : "STATEMENT");
	add_condition(command, tuple, mapping, verdict);
	add_call(command, tuple);
}

// ---- What it has besides ---------------------------------------------------------

const char *
state_word(char state) noexcept
{
	return state == TRIGGER_DISABLED           ? "DISABLE"
		   : state == TRIGGER_FIRES_ALWAYS     ? "ENABLE ALWAYS"
		   : state == TRIGGER_FIRES_ON_REPLICA ? "ENABLE REPLICA"
											   : "ENABLE";
}

// Of itself and its clones; state: what it will be enabled like without a command.
void
add_settings(StringInfo script, HeapTuple tuple, char state) noexcept
{
	const Form_pg_trigger form = form_of(tuple);
	const char *const table = qualified_name(form->tgrelid);
	const char *const name = quote_identifier(NameStr(form->tgname));
	const char *const object = psprintf("%s ON %s", name, table);
	ListCell *cell;

	if (form->tgenabled != state)
		appendStringInfo(script, ";\nALTER TABLE %s %s TRIGGER %s", table, state_word(form->tgenabled), name);
	add_comment(script, "TRIGGER", object, TriggerRelationId, form->oid);
	add_extensions(script, "TRIGGER", object, TriggerRelationId, form->oid);
	if (get_rel_relkind(form->tgrelid) == RELKIND_PARTITIONED_TABLE)
		foreach (cell, find(InvalidOid, Anum_pg_trigger_tgparentid, form->oid))
			add_settings(script, static_cast<HeapTuple>(lfirst(cell)), form->tgenabled);
}

const char *
script_of(HeapTuple tuple, const Mapping &mapping, Verdict &verdict) noexcept
{
	StringInfoData script;

	initStringInfo(&script);
	add_create(&script, tuple, mapping, verdict);
	add_settings(&script, tuple, TRIGGER_FIRES_ON_ORIGIN);
	return script.data;
}

// As it is, read by the server itself.
const char *
definition_of(HeapTuple tuple) noexcept
{
	const Datum value = DirectFunctionCall1(pg_get_triggerdef, ObjectIdGetDatum(form_of(tuple)->oid));
	StringInfoData script;

	initStringInfo(&script);
	appendStringInfoString(&script, TextDatumGetCString(value));
	add_settings(&script, tuple, TRIGGER_FIRES_ON_ORIGIN);
	return script.data;
}

HeapTuple
find_one(const Dependent &dependent) noexcept
{
	const List *const found = find(TriggerOidIndexId, Anum_pg_trigger_oid, dependent.object);

	if (found == NIL)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("%s does not exist any more", dependent.identity)));
	return static_cast<HeapTuple>(linitial(found));
}

// ---- The carrier -----------------------------------------------------------------

void
describe(Scope &scope, Dependent &dependent) noexcept
{
	const HeapTuple tuple = find_one(dependent);
	const Form_pg_trigger form = form_of(tuple);
	Verdict verdict;

	dependent.definition = definition_of(tuple);
	if (OidIsValid(form->tgconstrrelid))
		dependent.lock = psprintf("ACCESS SHARE on %s", qualified_name(form->tgconstrrelid));
	if (!server::may_execute(form->tgfoid))
		verdict.refuse(psprintf("you may not execute its function %s", format_procedure_qualified(form->tgfoid)));
	verdict.give(dependent, script_of(tuple, scope.final, verdict));
}

void
build(Scope &scope, const Dependent &dependent) noexcept
{
	StringInfoData command;
	Verdict verdict;

	if (!scope.rehearsal)
		return;
	initStringInfo(&command);
	add_create(&command, find_one(dependent), scope.mapping, verdict);
	run_script(command);
}

void
make_again(const Dependent &dependent, const char *definition) noexcept
{
	run_sql("DROP TRIGGER %s ON %s", quote_identifier(dependent.name), qualified_name(dependent.relation));
	run_sql("%s", definition);
}

void
swap(Scope &, const Dependent &dependent) noexcept
{
	make_again(dependent, dependent.new_definition);
}

void
undo(Scope &, const Dependent &dependent) noexcept
{
	make_again(dependent, dependent.definition);
}

} // namespace

extern const Carrier trigger = {"trigger", describe, build, nullptr, swap, undo, nullptr, nullptr};

} // namespace remedy::jsonb_migration

#include "json_columns/readers.hpp"

#include "json_columns/body_words.hpp"
#include "json_columns/usage.hpp"
#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

extern "C" {
#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/dependency.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace remedy::json_columns {

namespace {

struct Search
{
	Oid table;
	AttrNumber column;
	const char *table_name, *column_name; // unquoted
	List *readers;
};

void
add_phrase(StringInfo what, const char *phrase) noexcept
{
	appendStringInfo(what, "%s%s", what->len > 0 ? ", " : "it ", phrase);
}

void
add_reader(Search &search, const char *object, StringInfo what) noexcept
{
	Reader *const reader = static_cast<Reader *>(palloc(sizeof(Reader)));

	if (what->len == 0)
		return;
	*reader = {object, what->data};
	search.readers = lappend(search.readers, reader);
}

void
add_position(const Signs &signs, StringInfo what) noexcept
{
	if (signs.insert)
		add_phrase(what, "inserts without a list of columns");
	if (signs.copy)
		add_phrase(what, "copies without a list of columns");
	if (signs.star)
		add_phrase(what, "reads whole rows (*)");
}

// ---- Functions ---------------------------------------------------------------------------

// Whether a parameter or the result is a row of the table.
bool
takes_rows(Form_pg_proc function, Oid row_type) noexcept
{
	for (int i = 0; i < function->pronargs; ++i)
		if (function->proargtypes.values[i] == row_type)
			return true;
	return function->prorettype == row_type;
}

// A body that names neither the table, nor has its rows, may well name another's column.
void
look_at_body(Search &search, Form_pg_proc function, std::string_view body, bool is_trigger) noexcept
{
	const Signs signs = read_signs(body, search.table_name, search.column_name);
	const bool has_rows = is_trigger || takes_rows(function, get_rel_type_id(search.table));
	StringInfoData what;

	initStringInfo(&what);
	if (!signs.table && !has_rows)
		return;
	if (signs.column)
		add_phrase(&what, "names the column");
	if (signs.column && !signs.function.empty())
		add_phrase(&what, psprintf("calls %.*s", static_cast<int>(signs.function.size()), signs.function.data()));
	if (signs.column && signs.declares)
		add_phrase(&what, "names the type json");
	if (signs.column && signs.text)
		add_phrase(&what, "compares or hashes texts");
	if (signs.row && is_trigger)
		add_phrase(&what, "uses whole rows (NEW or OLD)");
	add_position(signs, &what);
	add_reader(search, psprintf("function %s", format_procedure_qualified(function->oid)), &what);
}

bool
is_trigger_of(Relation table, Oid function) noexcept
{
	const TriggerDesc *const triggers = table->trigdesc;

	for (int i = 0; triggers != nullptr && i < triggers->numtriggers; ++i)
		if (triggers->triggers[i].tgfoid == function)
			return true;
	return false;
}

// Bodies that the catalogs know as a tree have dependencies; those in C have no text; an extension's know no
// table of the user's.
void
look_at_function(Search &search, Relation procedures, Relation table, HeapTuple tuple) noexcept
{
	const Form_pg_proc function = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
	bool parsed, no_body;

	CHECK_FOR_INTERRUPTS();
	if (function->oid < FirstNormalObjectId || function->prolang == INTERNALlanguageId ||
		function->prolang == ClanguageId)
		return;
	heap_getattr(tuple, Anum_pg_proc_prosqlbody, RelationGetDescr(procedures), &parsed);
	const Datum body = heap_getattr(tuple, Anum_pg_proc_prosrc, RelationGetDescr(procedures), &no_body);
	if (parsed && !no_body && !OidIsValid(getExtensionOfObject(ProcedureRelationId, function->oid)))
		look_at_body(search, function, TextDatumGetCString(body), is_trigger_of(table, function->oid));
}

void
look_at_functions(Search &search) noexcept
{
	const Relation procedures = table_open(ProcedureRelationId, AccessShareLock);
	const Relation table = table_open(search.table, AccessShareLock);
	const SysScanDesc scan = systable_beginscan(procedures, InvalidOid, false, nullptr, 0, nullptr);

	while (HeapTuple tuple = systable_getnext(scan))
		look_at_function(search, procedures, table, tuple);
	systable_endscan(scan);
	table_close(table, NoLock);
	table_close(procedures, AccessShareLock);
}

// ---- Statements --------------------------------------------------------------------------

bool
compares_text(const Use &use) noexcept
{
	return strncmp(use.operation, "::", 2) == 0 && strcmp(use.operation, "::jsonb") != 0;
}

void
add_use(const Use &use, StringInfo what) noexcept
{
	if (use.by_user_function)
		add_phrase(what, psprintf("calls %s with it", use.operation));
	else if (compares_text(use) && use.comparison != nullptr)
		add_phrase(what, psprintf("compares its text (%s), which jsonb prints anew", use.comparison));
	else if (compares_text(use))
		add_phrase(what, "uses its text, which jsonb prints anew");
	else if (strncmp(use.operation, "json_", 5) == 0)
		add_phrase(what, psprintf("calls %s", use.operation));
}

void
add_uses(Search &search, const List *queries, StringInfo what) noexcept
{
	const ListCell *cell, *inner;

	foreach (cell, queries)
		foreach (inner, find_uses(lfirst_node(Query, cell)))
		{
			const Use &use = *static_cast<const Use *>(lfirst(inner));
			if (use.relation == search.table && use.column == search.column)
				add_use(use, what);
		}
}

void
look_at_statement(const Seen &seen, void *context)
{
	Search &search = *static_cast<Search *>(context);
	const MemoryContext before = MemoryContextSwitchTo(seen.kept);
	const Signs signs = read_signs(seen.form.text, search.table_name, search.column_name);
	StringInfoData what;

	initStringInfo(&what);
	if (signs.table && seen.analysed.queries != NIL)
		add_position(signs, &what);
	else if (signs.copy && pg_strncasecmp(seen.form.text, "copy", 4) == 0)
		add_phrase(&what, "copies without a list of columns");
	MemoryContextSwitchTo(before);
	StringInfoData uses;
	initStringInfo(&uses);
	add_uses(search, seen.analysed.queries, &uses);
	MemoryContextSwitchTo(seen.kept);
	if (uses.len > 0)
		add_phrase(&what, uses.data + strlen("it "));
	add_reader(search, psprintf("statement " INT64_FORMAT, static_cast<int64>(seen.form.fingerprint)), &what);
	MemoryContextSwitchTo(before);
}

} // namespace

List *
find_readers(Oid table, const char *column_name) noexcept
{
	Search search = {table, get_attnum(table, column_name), get_rel_name(table), column_name, NIL};

	if (search.table_name == nullptr || search.column == InvalidAttrNumber)
		return NIL;
	look_at_functions(search);
	each_statement(look_at_statement, &search);
	return search.readers;
}

} // namespace remedy::json_columns

using namespace remedy;
using namespace remedy::json_columns;

REMEDY_FUNCTION(remedy_json_readers)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const Oid table = PG_GETARG_OID(0);
	const char *const column = NameStr(*PG_GETARG_NAME(1));
	const ListCell *cell;

	if (get_rel_name(table) == nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", table)));
	if (get_attnum(table, column) <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", column, get_rel_name(table))));
	const AclResult allowed = pg_attribute_aclcheck(table, get_attnum(table, column), GetUserId(), ACL_SELECT);
	if (allowed != ACLCHECK_OK && pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(allowed, get_relkind_objtype(get_rel_relkind(table)), get_rel_name(table));
	foreach (cell, find_readers(table, column))
	{
		const Reader &reader = *static_cast<const Reader *>(lfirst(cell));
		rows.put_text(reader.object);
		rows.put_text(reader.what);
		rows.end_row();
	}
	return 0;
}

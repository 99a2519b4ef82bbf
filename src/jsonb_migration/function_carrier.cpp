// Functions and procedures whose body was parsed when they were made (BEGIN ATOMIC, RETURN).
// Of others the server knows no dependencies, and their text says what it said before.

#include "jsonb_migration/dependents.hpp"

#include "server/commands.hpp"

extern "C" {
#include "catalog/objectaddress.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
}

namespace remedy::jsonb_migration {

namespace {

const char *
text_of(Datum (*function)(FunctionCallInfo), Oid object) noexcept
{
	return TextDatumGetCString(DirectFunctionCall1(function, ObjectIdGetDatum(object)));
}

// A list of queries, or the query of RETURN.
Node *
read_body(Oid function) noexcept
{
	const HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool missing;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	const Datum body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &missing);
	Node *const tree = missing ? nullptr : static_cast<Node *>(stringToNode(TextDatumGetCString(body)));
	ReleaseSysCache(tuple);
	return tree != nullptr && IsA(tree, List) ? static_cast<Node *>(linitial(castNode(List, tree))) : tree;
}

const char *
print_body(Node *tree) noexcept
{
	StringInfoData body;
	ListCell *cell;

	if (!IsA(tree, List))
		return print_query(castNode(Query, tree));
	initStringInfo(&body);
	appendStringInfoString(&body, "BEGIN ATOMIC\n");
	foreach (cell, castNode(List, tree))
		appendStringInfo(&body, " %s;\n", print_query(lfirst_node(Query, cell)));
	appendStringInfoString(&body, "END");
	return body.data;
}

// All that the server tells of it up to its body.
const char *
head_of(const Dependent &dependent) noexcept
{
	const char *const all = text_of(pg_get_functiondef, dependent.object);
	const char *const body = text_of(pg_get_function_sqlbody, dependent.object);
	const char *const place = strstr(all, body);

	if (place == nullptr)
		elog(ERROR, "definition of %s is not what it was a moment ago", dependent.identity);
	return pnstrdup(all, place - all);
}

// The same head for a function of our own.
const char *
head_of_twin(const Dependent &dependent) noexcept
{
	const char *const head = head_of(dependent);
	const bool is_procedure = get_func_prokind(dependent.object) == PROKIND_PROCEDURE;
	const char *const beginning = psprintf("CREATE OR REPLACE %s %s(", is_procedure ? "PROCEDURE" : "FUNCTION",
										   quote_qualified_identifier(dependent.schema, dependent.name));

	Assert(strncmp(head, beginning, strlen(beginning)) == 0);
	return psprintf("CREATE %s %s(%s", is_procedure ? "PROCEDURE" : "FUNCTION",
					quote_qualified_identifier(dependent.schema, name_of_twin(dependent.object)),
					head + strlen(beginning));
}

void
describe_function(Scope &scope, Dependent &dependent) noexcept
{
	const Rewritten body = rewrite(read_body(dependent.object), scope.final);

	dependent.definition = text_of(pg_get_functiondef, dependent.object);
	dependent.refusal = body.refusal;
	dependent.remark = body.remark;
	if (body.refusal == nullptr)
		dependent.new_definition = psprintf("%s%s\n", head_of(dependent), print_body(body.tree));
}

void
prove_function(Scope &scope, const Dependent &dependent) noexcept
{
	if (!scope.rehearsal)
		return;
	const Rewritten body = rewrite(read_body(dependent.object), scope.mapping);
	run_sql("%s%s", head_of_twin(dependent), print_body(body.tree));
}

// CREATE OR REPLACE must not create: what was dropped or renamed would come back as the caller's
// own, and SECURITY DEFINER with his rights.
void
replace(const Dependent &dependent, const char *definition) noexcept
{
	LockDatabaseObject(ProcedureRelationId, dependent.object, 0, ShareUpdateExclusiveLock);
	const char *const name = get_func_name(dependent.object);

	if (name == nullptr)
		return;
	if (strcmp(name, dependent.name) != 0 ||
		strcmp(get_namespace_name(get_func_namespace(dependent.object)), dependent.schema) != 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("%s was renamed since it was looked at", dependent.identity),
						errhint("Take that back, or drop it, and CALL this again.")));
	run_sql("%s", definition);
}

void
swap_function(Scope &, const Dependent &dependent) noexcept
{
	replace(dependent, dependent.new_definition);
}

void
undo_function(Scope &, const Dependent &dependent) noexcept
{
	replace(dependent, dependent.definition);
}

} // namespace

const Carrier function = {
	.kind = "function",
	.describe = describe_function,
	.build = prove_function,
	.swap = swap_function,
	.undo = undo_function,
};

} // namespace remedy::jsonb_migration

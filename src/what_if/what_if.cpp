// remedy.what_if(): plans of a query with and without indexes that do not exist.

#include "what_if/what_if.hpp"

#include "observe/observe.hpp"
#include "server/guard.hpp"

extern "C" {
#include "parser/parse_param.h"
}

namespace remedy::what_if {

namespace {

constexpr int most_indexes = 64;

// ---- Errors in a text ------------------------------------------------------------

// A place in a text is none in the client's statement.
void
tell_text(void *text)
{
	const int place = geterrposition();

	if (place <= 0)
		return;
	errposition(0);
	internalerrposition(place);
	internalerrquery(static_cast<const char *>(text));
}

class ErrorsOf
{
public:
	explicit ErrorsOf(const char *text) noexcept : callback_{error_context_stack, tell_text, const_cast<char *>(text)}
	{
		error_context_stack = &callback_;
	}

	void leave() const noexcept { error_context_stack = callback_.previous; }

private:
	ErrorContextCallback callback_;
};

// ---- What is asked ---------------------------------------------------------------

// The commands and what they are about.
struct Commands
{
	int count;
	const char **texts;
	Hypothetical **created; // null: it hides
	const Hypothetical **indexes;
	int index_count;
	List *hidden;

	Scenario scenario() const noexcept
	{
		const int hidden_count = list_length(hidden);
		Oid *const oids = static_cast<Oid *>(palloc((hidden_count + 1) * sizeof(Oid)));
		for (int i = 0; i < hidden_count; ++i)
			oids[i] = list_nth_oid(hidden, i);
		return {indexes, index_count, oids, hidden_count};
	}
};

Oid
index_named(const RangeVar *name, bool missing_ok) noexcept
{
	const Oid oid = RangeVarGetRelid(name, AccessShareLock, missing_ok);
	const char kind = OidIsValid(oid) ? get_rel_relkind(oid) : RELKIND_INDEX;

	if (kind != RELKIND_INDEX && kind != RELKIND_PARTITIONED_INDEX)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not an index", name->relname)));
	return oid;
}

// False if it is no DROP INDEX.
bool
hide(const char *command, List *&hidden) noexcept
{
	List *const statements = raw_parser(command, RAW_PARSE_DEFAULT);
	Node *const tree = list_length(statements) == 1 ? linitial_node(RawStmt, statements)->stmt : nullptr;
	ListCell *cell;

	if (tree == nullptr || !IsA(tree, DropStmt) || reinterpret_cast<DropStmt *>(tree)->removeType != OBJECT_INDEX)
		return false;
	const DropStmt *const drop = reinterpret_cast<DropStmt *>(tree);
	foreach (cell, drop->objects)
	{
		const Oid index = index_named(makeRangeVarFromNameList(lfirst_node(List, cell)), drop->missing_ok);
		if (OidIsValid(index))
			hidden = lappend_oid(hidden, index);
	}
	return true;
}

void
read_command(Commands &commands, int number) noexcept
{
	if (hide(commands.texts[number], commands.hidden))
		return;
	if (commands.index_count == most_indexes)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("cannot plan with more than %d hypothetical indexes", most_indexes)));
	commands.created[number] = define(commands.texts[number]);
	commands.indexes[commands.index_count++] = commands.created[number];
}

Commands
read_commands(ArrayType *array) noexcept
{
	Commands commands = {};
	Datum *values;
	bool *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &commands.count);
	commands.texts = static_cast<const char **>(palloc0((commands.count + 1) * sizeof(char *)));
	commands.created = static_cast<Hypothetical **>(palloc0((commands.count + 1) * sizeof(Hypothetical *)));
	commands.indexes = static_cast<const Hypothetical **>(palloc0((commands.count + 1) * sizeof(Hypothetical *)));
	for (int i = 0; i < commands.count; ++i)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("an index command must not be null")));
		commands.texts[i] = TextDatumGetCString(values[i]);
		const ErrorsOf errors(commands.texts[i]);
		read_command(commands, i);
		errors.leave();
	}
	return commands;
}

// The queries of which the statement consists after rewriting, for parameters of any value.
List *
read_query(const char *text) noexcept
{
	const ErrorsOf errors(text);
	List *const statements = raw_parser(text, RAW_PARSE_DEFAULT);
	Oid *types = nullptr;
	int count = 0;

	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the query is not one statement")));
	RawStmt *const raw = linitial_node(RawStmt, statements);
	const bool makes_table =
		IsA(raw->stmt, SelectStmt) && reinterpret_cast<SelectStmt *>(raw->stmt)->intoClause != nullptr;
	if (makes_table || !analyze_requires_snapshot(raw) || IsA(raw->stmt, DeclareCursorStmt) ||
		IsA(raw->stmt, ExplainStmt) || IsA(raw->stmt, CreateTableAsStmt) || IsA(raw->stmt, CallStmt))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("only SELECT, INSERT, UPDATE, DELETE and MERGE can be planned")));
	ParseState *const state = make_parsestate(nullptr);
	state->p_sourcetext = text;
	setup_parse_variable_parameters(state, &types, &count);
	Query *const query = transformTopLevelStmt(state, raw);
	check_variable_parameters(state, query);
	free_parsestate(state);
	errors.leave();
	return pg_rewrite_query(query);
}

// ---- What is answered ------------------------------------------------------------

struct Answer
{
	double cost;
	std::uint64_t used;
	StringInfoData plans;
};

Answer
plan_all(List *queries, const char *text, const Scenario &scenario) noexcept
{
	Answer answer = {};
	ListCell *cell;

	initStringInfo(&answer.plans);
	foreach (cell, queries)
	{
		const Query *const query = lfirst_node(Query, cell);
		if (query->commandType == CMD_UTILITY)
			continue;
		const Outcome outcome = plan_under(query, text, nullptr, scenario);
		answer.cost += outcome.cost;
		answer.used |= outcome.used;
		appendStringInfo(&answer.plans, "%s%s", answer.plans.len > 0 ? "\n\n" : "",
						 explain_under(outcome.plan, text, scenario));
	}
	return answer;
}

Datum
texts_used(const Commands &commands, std::uint64_t used) noexcept
{
	Datum *const texts = static_cast<Datum *>(palloc((commands.count + 1) * sizeof(Datum)));
	int count = 0;
	int index = 0;

	for (int i = 0; i < commands.count; ++i)
		if (commands.created[i] != nullptr && ((used >> index++) & 1) != 0)
			texts[count++] = CStringGetTextDatum(commands.texts[i]);
	return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum
sizes(const Commands &commands) noexcept
{
	Datum *const bytes = static_cast<Datum *>(palloc0((commands.count + 1) * sizeof(Datum)));
	bool *const nulls = static_cast<bool *>(palloc0((commands.count + 1) * sizeof(bool)));
	int count = commands.count;
	int lower_bound = 1;

	for (int i = 0; i < count; ++i)
	{
		nulls[i] = commands.created[i] == nullptr;
		if (!nulls[i])
			bytes[i] = Int64GetDatum(static_cast<int64>(bytes_of(*commands.created[i])));
	}
	return PointerGetDatum(
		construct_md_array(bytes, nulls, 1, &count, &lower_bound, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

} // namespace

} // namespace remedy::what_if

using namespace remedy;
using namespace remedy::what_if;

REMEDY_FUNCTION(remedy_what_if)
{
	observe::enter_function();
	const char *const query_text = text_to_cstring(PG_GETARG_TEXT_PP(0));
	TupleDesc row;
	bool nulls[6] = {};

	if (get_call_result_type(fcinfo, nullptr, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	List *const queries = read_query(query_text);
	const Answer before = plan_all(queries, query_text, {});
	const Commands commands = read_commands(PG_GETARG_ARRAYTYPE_P(1));
	const Answer after = plan_all(queries, query_text, commands.scenario());
	const Datum values[] = {Float8GetDatum(before.cost),
							Float8GetDatum(after.cost),
							texts_used(commands, after.used),
							sizes(commands),
							CStringGetTextDatum(before.plans.data),
							CStringGetTextDatum(after.plans.data)};
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), const_cast<Datum *>(values), nulls));
}

// The rules shown in SQL: what they make of one query's text.

#include "index_advice/candidates.hpp"
#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"
#include "server/versions.hpp"

extern "C" {
#include "parser/parse_param.h"
}

namespace remedy::index_advice {

namespace {

// An error's position is one in the given text, and not in that of the client's statement.
void
tell_text(void *text)
{
	const int position = geterrposition();

	if (position <= 0)
		return;
	errposition(0);
	internalerrposition(position);
	internalerrquery(static_cast<const char *>(text));
}

// Parameters are of any number, and of the types that their use tells.
List *
analysed(const char *text) noexcept
{
	ParseState *const state = make_parsestate(nullptr);
	Oid *types = nullptr;
	int count = 0;
	ErrorContextCallback context = {error_context_stack, tell_text, const_cast<char *>(text)};

	error_context_stack = &context;
	const List *const statements = raw_parser(text, RAW_PARSE_DEFAULT);
	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the text must be one statement")));
	state->p_sourcetext = text;
	setup_parse_variable_parameters(state, &types, &count);
	Query *const query = transformTopLevelStmt(state, linitial_node(RawStmt, statements));
	check_variable_parameters(state, query);
	free_parsestate(state);
	if (query->commandType == CMD_UTILITY)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("only SELECT, INSERT, UPDATE, DELETE and MERGE are planned with indexes"),
						errhint("Give the query itself, without EXPLAIN, PREPARE or CREATE TABLE AS.")));
	error_context_stack = context.previous;
	return pg_rewrite_query(query);
}

// Names and conditions of columns would tell of tables that the caller may not read.
bool
check_tables(Node *node, void *context)
{
	const ListCell *cell;

	if (node == nullptr)
		return false;
	if (!IsA(node, Query))
		return server::walk_expression(node, check_tables, context);
	foreach (cell, reinterpret_cast<Query *>(node)->rtable)
	{
		const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell);
		if (entry->rtekind != RTE_RELATION)
			continue;
		const AclResult result = pg_class_aclcheck(entry->relid, GetUserId(), ACL_SELECT);
		if (result != ACLCHECK_OK)
			aclcheck_error(result, get_relkind_objtype(get_rel_relkind(entry->relid)), get_rel_name(entry->relid));
	}
	return server::walk_query(reinterpret_cast<Query *>(node), check_tables, context);
}

const char *
words_for(unsigned reasons) noexcept
{
	static constexpr struct
	{
		unsigned reason;
		const char *words;
	} all[] = {{by_equality, "equality"},     {by_join, "join"},       {by_range, "range"},
			   {by_order, "order"},           {by_search, "search"},   {by_alternative, "arm of OR"},
			   {on_expression, "expression"}, {is_partial, "partial"}, {is_covering, "covering"}};
	StringInfoData words;

	initStringInfo(&words);
	for (const auto &entry : all)
		if ((reasons & entry.reason) != 0)
			appendStringInfo(&words, "%s%s", words.len > 0 ? ", " : "", entry.words);
	return words.data;
}

void
put_row(server::Rows &rows, Oid table, const char *definition, const char *reason, bool refused) noexcept
{
	rows.put_text(DatumGetCString(DirectFunctionCall1(regclassout, ObjectIdGetDatum(table))));
	rows.put_text(definition);
	rows.put_text(reason);
	rows.put_bool(refused);
	rows.end_row();
}

} // namespace

} // namespace remedy::index_advice

using namespace remedy;
using namespace remedy::index_advice;

REMEDY_FUNCTION(remedy_index_candidates)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const char *const query_text = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const Evidence nothing = {};
	const ListCell *cell;

	foreach (cell, analysed(query_text))
	{
		const Query *const query = lfirst_node(Query, cell);
		Proposals proposals;
		if (query->commandType == CMD_UTILITY)
			continue;
		check_tables(reinterpret_cast<Node *>(const_cast<Query *>(query)), nullptr);
		propose(query, nothing, proposals);
		for (int i = 0; i < proposals.count; ++i)
			put_row(rows, proposals.items[i].definition.relation, ddl_of(proposals.items[i].definition, true),
					words_for(proposals.items[i].reasons), false);
		for (int i = 0; i < proposals.refusal_count; ++i)
			put_row(rows, proposals.refusals[i].relation, nullptr,
					psprintf("no advice because %s", proposals.refusals[i].text), true);
	}
	return 0;
}

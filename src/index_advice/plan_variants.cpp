// What a statement is planned with, shown in SQL: not the values, but what the planner makes
// of them.

#include "index_advice/variants.hpp"
#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"
#include "server/versions.hpp"

extern "C" {
#include "parser/parse_param.h"
}

namespace remedy::index_advice {

namespace {

struct Analysed
{
	const char *text;
	Query *query;
	int parameter_count;
};

Query *
analyse(RawStmt *statement, Analysed &analysed) noexcept
{
	ParseState *const state = make_parsestate(nullptr);
	Oid *types = nullptr;

	if (IsA(statement->stmt, PrepareStmt))
		statement->stmt = reinterpret_cast<PrepareStmt *>(statement->stmt)->query;
	state->p_sourcetext = analysed.text;
	setup_parse_variable_parameters(state, &types, &analysed.parameter_count);
	Query *const query = transformTopLevelStmt(state, statement);
	check_variable_parameters(state, query);
	free_parsestate(state);
	return query;
}

Analysed
analysed(const char *text) noexcept
{
	Analysed result = {text, nullptr, 0};
	List *const statements = raw_parser(text, RAW_PARSE_DEFAULT);

	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("the text is not one statement")));
	List *const queries = pg_rewrite_query(analyse(linitial_node(RawStmt, statements), result));
	if (list_length(queries) != 1 || linitial_node(Query, queries)->commandType == CMD_UTILITY)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("the statement has not exactly one plan"),
						errhint("Give a SELECT, INSERT, UPDATE, DELETE or MERGE.")));
	result.query = linitial_node(Query, queries);
	return result;
}

PlannedStmt *
planned(const Analysed &statement, const Query *query, ParamListInfo values) noexcept
{
	return pg_plan_query(copyObject(const_cast<Query *>(query)), statement.text, CURSOR_OPT_PARALLEL_OK, values);
}

// Nobody learns from the statistics of a table that he may not read: what he may do is
// checked before a value is looked at.
void
put_variants(server::Rows &rows, const Analysed &statement) noexcept
{
	Variant variants[variant_limit];

	server::check_permissions(planned(statement, statement.query, nullptr));
	const int count = make_variants(statement.query, statement.parameter_count, nullptr, 0, {}, variants);
	for (int i = 0; i < count; ++i)
	{
		const Plan *const plan = planned(statement, variants[i].query, variants[i].values)->planTree;
		rows.put(Int32GetDatum(i + 1));
		rows.put_double(variants[i].weight);
		rows.put_double(plan->total_cost);
		rows.put_double(plan->plan_rows);
		rows.end_row();
	}
}

} // namespace

} // namespace remedy::index_advice

using namespace remedy;
using namespace remedy::index_advice;

REMEDY_FUNCTION(remedy_plan_variants)
{
	observe::enter_function();
	server::Rows rows(fcinfo);

	put_variants(rows, analysed(text_to_cstring(PG_GETARG_TEXT_PP(0))));
	return 0;
}

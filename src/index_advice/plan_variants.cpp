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
	Oid *types;
	int parameter_count;
};

Query *
analyse(RawStmt *statement, Analysed &analysed) noexcept
{
	ParseState *const state = make_parsestate(nullptr);

	if (IsA(statement->stmt, PrepareStmt))
		statement->stmt = reinterpret_cast<PrepareStmt *>(statement->stmt)->query;
	state->p_sourcetext = analysed.text;
	setup_parse_variable_parameters(state, &analysed.types, &analysed.parameter_count);
	Query *const query = transformTopLevelStmt(state, statement);
	check_variable_parameters(state, query);
	free_parsestate(state);
	return query;
}

Analysed
analysed(const char *text) noexcept
{
	Analysed result = {text, nullptr, nullptr, 0};
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

// The texts as the values of an observed run; null ones are not known.
ParamListInfo
values_of(const Analysed &statement, ArrayType *texts) noexcept
{
	const ParamListInfo list = makeParamList(statement.parameter_count);
	Datum *items;
	bool *nulls;
	int count;

	memset(list->params, 0, statement.parameter_count * sizeof(ParamExternData));
	deconstruct_array(texts, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &count);
	for (int i = 0; i < Min(count, statement.parameter_count); ++i)
	{
		Oid input, element;
		if (nulls[i])
			continue;
		getTypeInputInfo(statement.types[i], &input, &element);
		list->params[i].value = OidInputFunctionCall(input, TextDatumGetCString(items[i]), element, -1);
		list->params[i].ptype = statement.types[i];
	}
	return list;
}

template <Recurrence answer>
Recurrence
always(Oid, AttrNumber, Oid, const Const *, void *)
{
	return answer;
}

// Nobody learns from the statistics of a table that he may not read: what he may do is
// checked before a value is looked at.
void
put_variants(server::Rows &rows, const Analysed &statement, const ObservedRun &run,
			 const ConstantEvidence &evidence) noexcept
{
	Variant variants[variant_limit];

	server::check_permissions(planned(statement, statement.query, nullptr));
	if (statement.query->hasRowSecurity)
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("statistics of tables with row security are not for those whom it restricts")));
	const int count = make_variants(statement.query, statement.parameter_count, &run, run.values == nullptr ? 0 : 1,
									evidence, variants);
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
	if (PG_ARGISNULL(0))
		throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "query must not be null");
	server::Rows rows(fcinfo);
	const Analysed statement = analysed(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ObservedRun run = {};
	ConstantEvidence evidence = {};

	if (!PG_ARGISNULL(1))
		run.values = values_of(statement, PG_GETARG_ARRAYTYPE_P(1));
	if (!PG_ARGISNULL(2))
		evidence.recurrence = PG_GETARG_BOOL(2) ? always<Recurrence::varies> : always<Recurrence::recurs>;
	put_variants(rows, statement, run, evidence);
	return 0;
}

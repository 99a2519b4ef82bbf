#include "rollup/measure_call.hpp"

#include "rollup/reading.hpp"

#include "server/refusal.hpp"

extern "C" {
#include "catalog/pg_aggregate.h"
#include "common/shortest_dec.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
}

namespace remedy::rollup {

namespace {

constexpr char LISTED[] = "There are count, sum, avg, min, max, stddev, variance and their _pop and _samp forms, "
						  "percentile_cont, tdigest_percentile, and count(DISTINCT), each with FILTER.";

bool
is_listed(const char *name) noexcept
{
	static const char *const names[] = {"count",    "sum",      "avg",         "min",
										"max",      "stddev",   "stddev_samp", "stddev_pop",
										"variance", "var_samp", "var_pop",     "percentile_cont"};

	for (const char *const listed : names)
		if (strcmp(name, listed) == 0)
			return true;
	return false;
}

// percentile(x, p) is short for percentile_cont(p) WITHIN GROUP (ORDER BY x), and so is tdigest_percentile(x, p), which
// is kept in another way.
void
write_out_percentile(FuncCall *call) noexcept
{
	SortBy *const order = makeNode(SortBy);

	if (list_length(call->args) != 2 || call->agg_order != NIL)
		server::refuse(ERRCODE_SYNTAX_ERROR, "percentile needs a value and a fraction",
					   "Write percentile(cost, 0.95).");
	order->node = static_cast<Node *>(linitial(call->args));
	order->location = -1;
	call->funcname = list_make1(makeString(pstrdup("percentile_cont")));
	call->args = list_make1(lsecond(call->args));
	call->agg_order = list_make1(order);
	call->agg_within_group = true;
}

const Node *
ascending(const SortBy *order) noexcept
{
	if (order->sortby_dir != SORTBY_DEFAULT && order->sortby_dir != SORTBY_ASC)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "a percentile can be kept in ascending order only",
					   "Of descending values, the percentile 0.95 is 0.05.");
	return order->node;
}

// 0.95: "p95", 0.999: "p99_9".
char *
name_of_percentile(const Aggref *aggregate) noexcept
{
	char *const name = psprintf("p%g", strtod(fraction_of(aggregate), nullptr) * 100);

	for (char *at = name; *at != '\0'; at++)
		if (*at == '.' || *at == '-' || *at == '+')
			*at = '_';
	return name;
}

} // namespace

MeasureCall
read_call(const Node *raw) noexcept
{
	if (!IsA(raw, FuncCall))
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "a measure must be one aggregate", LISTED);

	FuncCall *const call = static_cast<FuncCall *>(copyObjectImpl(raw));
	const List *const names = call->funcname;
	const char *const schema = list_length(names) == 1 ? "pg_catalog" : strVal(linitial(names));
	const bool digest = list_length(names) == 1 && strcmp(strVal(llast(names)), "tdigest_percentile") == 0;
	if (digest || (list_length(names) == 1 && strcmp(strVal(llast(names)), "percentile") == 0))
		write_out_percentile(call);

	const char *const name = strVal(llast(call->funcname));
	if (list_length(names) > 2 || strcmp(schema, "pg_catalog") != 0 || !is_listed(name))
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED,
					   psprintf("\"%s\" cannot be a measure", NameListToString(call->funcname)), LISTED);
	const bool ordered = call->agg_within_group;
	if (call->over != nullptr || call->func_variadic || (call->agg_order != NIL && !ordered) ||
		(call->agg_distinct && strcmp(name, "count") != 0))
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "a measure cannot have OVER, ORDER BY, VARIADIC or DISTINCT",
					   "count(DISTINCT x) can be kept.");
	call->funcname = list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup(name)));
	if (call->agg_star)
		return {call, name, nullptr, false};
	if (ordered)
		return {call, name, ascending(linitial_node(SortBy, call->agg_order)), digest};
	return {call, name, call->args == NIL ? nullptr : static_cast<const Node *>(linitial(call->args)), false};
}

const char *
fraction_of(const Aggref *aggregate) noexcept
{
	Node *const fraction = eval_const_expressions(nullptr, static_cast<Node *>(linitial(aggregate->aggdirectargs)));

	if (!IsA(fraction, Const) || reinterpret_cast<Const *>(fraction)->constisnull || exprType(fraction) != FLOAT8OID)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "the fraction of a percentile must be one constant",
					   "Write one measure for each percentile.");
	const double value = DatumGetFloat8(reinterpret_cast<Const *>(fraction)->constvalue);
	if (!(value >= 0 && value <= 1))
		server::refuse(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "the fraction of a percentile must be between 0 and 1",
					   "The 95th percentile's is 0.95.");
	// Whatever extra_float_digits is.
	char *const written = static_cast<char *>(palloc(DOUBLE_SHORTEST_DECIMAL_LEN));
	double_to_shortest_decimal_buf(value, written);
	return written;
}

const char *
usual_measure_name(const MeasureCall &call, const Aggref *aggregate) noexcept
{
	const char *name = call.name;

	if (call.argument == nullptr)
		return name;
	if (aggregate->aggkind == AGGKIND_ORDERED_SET)
		name = name_of_percentile(aggregate);
	else if (aggregate->aggdistinct != NIL)
		name = "distinct";
	return psprintf("%s_%s", name, usual_name(call.argument));
}

} // namespace remedy::rollup

// What is kept for a measure.
//
// Aggregates are those of pg_catalog, whatever the search path: the server's parser finds the one that is meant and
// converts its argument.

#include "rollup/measuring.hpp"

#include <new>

#include "rollup/finishing.hpp"
#include "rollup/reading.hpp"

#include "server/refusal.hpp"

extern "C" {
#include "catalog/pg_aggregate.h"
#include "nodes/makefuncs.h"
}

namespace remedy::rollup {

namespace {

// ---- What is kept ----------------------------------------------------------------

int
number_of(List **list, Node *node) noexcept
{
	ListCell *cell;

	foreach (cell, *list)
		if (equal(lfirst(cell), node))
			return foreach_current_index(cell) + 1;
	*list = lappend(*list, node);
	return list_length(*list);
}

// ---- Its text and its name -------------------------------------------------------

// Over the columns of daily_rows.
const char *
call_over_rows(const Kept &kept, const MeasureCall &call, const Aggref *aggregate) noexcept
{
	const char *const value = kept.value == 0 ? "*" : psprintf("v%d", kept.value);
	const char *const filter = kept.filter == 0 ? "" : psprintf(" FILTER (WHERE f%d)", kept.filter);

	if (call.digest)
		return psprintf("tdigest_percentile(%s, %s)%s", value, fraction_of(aggregate), filter);
	if (aggregate->aggkind == AGGKIND_ORDERED_SET)
		return psprintf("pg_catalog.%s(CAST('%s' AS double precision)) WITHIN GROUP (ORDER BY %s)%s", call.name,
						fraction_of(aggregate), value, filter);
	return psprintf("pg_catalog.%s(%s%s)%s", call.name, aggregate->aggdistinct == NIL ? "" : "DISTINCT ", value,
					filter);
}

Node *
value_of(const Aggref *aggregate) noexcept
{
	return aggregate->args == NIL ? nullptr
								  : reinterpret_cast<Node *>(linitial_node(TargetEntry, aggregate->args)->expr);
}

// A filter may be what keeps the value from failing: of rows that it leaves out it must not be computed.
Node *
guarded(Node *value, Node *filter) noexcept
{
	if (value == nullptr || filter == nullptr || IsA(value, Var))
		return value;
	CaseWhen *const when = makeNode(CaseWhen);
	CaseExpr *const guard = makeNode(CaseExpr);

	when->expr = reinterpret_cast<Expr *>(filter);
	when->result = reinterpret_cast<Expr *>(value);
	guard->casetype = exprType(value);
	guard->casecollid = exprCollation(value);
	guard->args = list_make1(when);
	guard->defresult = reinterpret_cast<Expr *>(makeNullConst(guard->casetype, exprTypmod(value), guard->casecollid));
	return reinterpret_cast<Node *>(guard);
}

// A type of the user's may have aggregates of its own, which the server's would be taken for: citext's max().
void
refuse_converted(const Node *value) noexcept
{
	const Node *before = nullptr;

	if (IsA(value, RelabelType) && castNode(RelabelType, value)->relabelformat == COERCE_IMPLICIT_CAST)
		before = reinterpret_cast<const Node *>(castNode(RelabelType, value)->arg);
	else if (IsA(value, FuncExpr) && castNode(FuncExpr, value)->funcformat == COERCE_IMPLICIT_CAST)
		before = static_cast<const Node *>(linitial(castNode(FuncExpr, value)->args));
	else if (IsA(value, CoerceViaIO) && castNode(CoerceViaIO, value)->coerceformat == COERCE_IMPLICIT_CAST)
		before = reinterpret_cast<const Node *>(castNode(CoerceViaIO, value)->arg);
	if (before != nullptr && getBaseType(exprType(before)) >= FirstNormalObjectId)
		server::refuse(
			ERRCODE_FEATURE_NOT_SUPPORTED,
			psprintf("type %s has no such aggregate of the server's", format_type_be(exprType(before))),
			psprintf("Cast it to say what is meant, as with CAST(... AS %s).", format_type_be(exprType(value))));
}

Kept
keep(Specification &specification, const Aggref *aggregate) noexcept
{
	Node *const filter = reinterpret_cast<Node *>(aggregate->aggfilter);
	Node *const value = guarded(value_of(aggregate), filter);
	Kept kept{specification, 0, 0, InvalidOid, InvalidOid};

	if (value != nullptr)
	{
		refuse_converted(value_of(aggregate));
		check_row_expression(value, "value");
		kept.value = number_of(&specification.values, value);
		kept.value_type = getBaseType(exprType(value));
		kept.collation = exprCollation(value);
	}
	if (filter != nullptr)
	{
		check_row_expression(filter, "filter");
		kept.filter = number_of(&specification.filters, filter);
	}
	return kept;
}

} // namespace

int
state_number(Specification &specification, const State &state) noexcept
{
	ListCell *cell;

	foreach (cell, specification.states)
	{
		const State &known = *static_cast<const State *>(lfirst(cell));
		if (known.kind == state.kind && known.value == state.value && known.filter == state.filter &&
			known.type == state.type)
			return foreach_current_index(cell) + 1;
	}
	specification.states = lappend(specification.states, new (palloc(sizeof(State))) State(state));
	return list_length(specification.states);
}

const Measure *
read_measure(Relation source, Specification &specification, const char *text) noexcept
{
	Reading reading("measure", text);

	reading.begin();
	const ResTarget *const item = reading.read();
	const MeasureCall call = read_call(item->val);
	const Node *const analysed = reading.analyse(source, reinterpret_cast<const Node *>(call.raw), true);
	const Aggref *const aggregate = castNode(Aggref, analysed);
	const Kept kept = keep(specification, aggregate);

	Measure *const measure = static_cast<Measure *>(palloc0(sizeof(Measure)));
	measure->name = item->name != nullptr ? item->name : usual_measure_name(call, aggregate);
	measure->finish = finish(kept, call, aggregate);
	measure->call = call_over_rows(kept, call, aggregate);
	reading.end();
	return measure;
}

} // namespace remedy::rollup

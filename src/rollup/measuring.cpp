// What is kept for a measure, and how the server's own result comes of it.
//
// Aggregates are those of pg_catalog, whatever the search path: the server's parser finds the one that is meant and
// converts its argument.

#include "rollup/measuring.hpp"

#include <new>

#include "rollup/measure_call.hpp"
#include "rollup/reading.hpp"
#include "rollup/texts.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/pg_aggregate.h"
#include "commands/extension.h"
#include "nodes/makefuncs.h"
#include "utils/catcache.h"
}

namespace remedy::rollup {

namespace {

[[noreturn]] void
refuse(int sqlstate, const char *message, const char *hint) noexcept
{
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message), errhint("%s", hint)));
	pg_unreachable();
}

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

// One measure's value and filter among those of the specification.
struct Kept
{
	Specification &specification;
	int value;
	int filter;
	Oid value_type;
	Oid collation;

	int number(StateKind kind, Oid type) const noexcept
	{
		return state_number(specification,
							{kind, value, filter, type, value_type, collation, is_additive(kind, value_type)});
	}
	int count() const noexcept { return number(StateKind::count, INT8OID); }
};

bool
is_exact(Oid type) noexcept
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
}

bool
is_floating(Oid type) noexcept
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

Oid
type_of_sum(Oid value) noexcept
{
	if (value == INT2OID || value == INT4OID)
		return INT8OID;
	if (is_floating(value))
		return FLOAT8OID;
	return value == INT8OID ? NUMERICOID : value;
}

const char *
finish_sum(const Kept &kept, Oid type) noexcept
{
	const bool exact = is_exact(kept.value_type);
	const int sum = kept.number(StateKind::sum, type);

	// Rows that came and went leave a zero behind.
	return exact ? psprintf("CASE WHEN s%d OPERATOR(pg_catalog.>) 0 THEN s%d END", kept.count(), sum)
				 : psprintf("s%d", sum);
}

const char *
finish_average(const Kept &kept) noexcept
{
	const bool exact = is_exact(kept.value_type);
	const int count = kept.count();
	const int sum = kept.number(StateKind::sum, type_of_sum(kept.value_type));

	if (!exact)
		return psprintf("s%d OPERATOR(pg_catalog./) CAST(s%d AS double precision)", sum, count);
	return psprintf("CASE WHEN s%d OPERATOR(pg_catalog.>) 0 THEN CAST(s%d AS numeric) OPERATOR(pg_catalog./) "
					"CAST(s%d AS numeric) END",
					count, sum, count);
}

// variance() and stddev() are those of a sample.
const char *
finish_spread(const Kept &kept, const char *name) noexcept
{
	const bool exact = is_exact(kept.value_type);
	const bool root = strncmp(name, "stddev", 6) == 0;
	const bool of_all = strstr(name, "_pop") != nullptr;
	const int count = kept.count();
	const int sum = kept.number(StateKind::sum, type_of_sum(kept.value_type));

	if (!exact)
		return psprintf(
			"pg_catalog.float8_%s_%s(ARRAY[CAST(s%d AS double precision), COALESCE(s%d, 0), COALESCE(s%d, 0)])",
			root ? "stddev" : "var", of_all ? "pop" : "samp", count, sum, kept.number(StateKind::spread, FLOAT8OID));
	const char *const variance =
		psprintf("remedy.variance_of(s%d, s%d, s%d, s%d%s)", count, sum, kept.number(StateKind::squares, NUMERICOID),
				 count, of_all ? "" : " OPERATOR(pg_catalog.-) 1");
	return root ? psprintf("remedy.deviation_of(%s)", variance) : variance;
}

// Of an extension that may be installed: its type of its own name.
Oid
type_of_extension(const char *name) noexcept
{
	const Oid extension = get_extension_oid(name, true);
	const CatCList *const types = SearchSysCacheList1(TYPENAMENSP, CStringGetDatum(name));
	Oid found = InvalidOid;

	for (int i = 0; OidIsValid(extension) && i < types->n_members; i++)
	{
		const Oid type = reinterpret_cast<Form_pg_type>(GETSTRUCT(&types->members[i]->tuple))->oid;
		if (getExtensionOfObject(TypeRelationId, type) == extension)
			found = type;
	}
	ReleaseSysCacheList(const_cast<CatCList *>(types));
	return found;
}

// Not where it was not asked for: a digest does not bound the error, nor can anything be taken away from it.
const char *
finish_digest(const Kept &kept, const char *fraction) noexcept
{
	const Oid digest = type_of_extension("tdigest");

	if (!OidIsValid(digest))
		refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "tdigest_percentile() needs the extension tdigest",
			   "Install it (CREATE EXTENSION tdigest), or write percentile(), which needs none.");
	// There is only an aggregate to ask it.
	return psprintf("(SELECT %s.tdigest_percentile(one.state, CAST('%s' AS double precision)) "
					"FROM (VALUES (s%d)) AS one (state))",
					schema_of_type(digest), fraction, kept.number(StateKind::digest, digest));
}

const char *
finish_percentile(const Kept &kept, const Aggref *aggregate, bool digest) noexcept
{
	const char *const fraction = fraction_of(aggregate);

	if (aggregate->aggtype != FLOAT8OID)
		refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "a percentile can be kept of numbers only",
			   "Of an interval, take extract(epoch FROM ...).");
	if (digest)
		return finish_digest(kept, fraction);
	return psprintf("remedy.percentile_of(s%d, CAST('%s' AS double precision))",
					kept.number(StateKind::histogram, BYTEAOID), fraction);
}

const char *
finish_distinct(const Kept &kept) noexcept
{
	const Oid set = type_of_extension("hll");

	if (!OidIsValid(set))
		refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "count(DISTINCT) needs the extension hll",
			   "Install it (CREATE EXTENSION hll), or make what is counted a key.");
	return psprintf("remedy.distinct_of(%s.hll_cardinality(s%d))", schema_of_type(set),
					kept.number(StateKind::distinct, set));
}

const char *
finish(const Kept &kept, const MeasureCall &call, const Aggref *aggregate) noexcept
{
	const char *const name = call.name;

	if (strcmp(name, "count") == 0)
		return aggregate->aggdistinct != NIL ? finish_distinct(kept) : psprintf("s%d", kept.count());
	if (strcmp(name, "sum") == 0)
		return finish_sum(kept, aggregate->aggtype);
	if (strcmp(name, "avg") == 0)
		return finish_average(kept);
	if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
		return psprintf("s%d",
						kept.number(name[1] == 'i' ? StateKind::least : StateKind::greatest, aggregate->aggtype));
	if (strcmp(name, "percentile_cont") == 0)
		return finish_percentile(kept, aggregate, call.digest);
	return finish_spread(kept, name);
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
		refuse(ERRCODE_FEATURE_NOT_SUPPORTED,
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

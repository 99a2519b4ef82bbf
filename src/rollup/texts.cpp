// Lists of columns and states as SQL.

#include "rollup/texts.hpp"

#include "rollup/distinct.hpp"

namespace remedy::rollup {

namespace {

// "p.s2 AS s2", what is made of each state, with commas between.
template <class Write>
const char *
list_of_states(const Rollup &rollup, Write &&write) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < rollup.states; i++)
	{
		appendStringInfoString(&text, i == 0 ? "" : ", ");
		write(&text, rollup.state[i], i + 1);
	}
	return text.data;
}

const char *
of_rows(const State &state, const char *value) noexcept
{
	switch (state.kind)
	{
	case StateKind::count:
		return psprintf("pg_catalog.count(%s)", state.value == 0 ? "*" : value);
	case StateKind::sum:
		return psprintf(state.value_type == FLOAT4OID && state.type == FLOAT8OID
							? "pg_catalog.sum(CAST(%s AS double precision))"
							: "pg_catalog.sum(%s)",
						value);
	case StateKind::squares:
		return psprintf("pg_catalog.sum(CAST(%s AS numeric) OPERATOR(pg_catalog.*) CAST(%s AS numeric))", value, value);
	case StateKind::least:
		return psprintf("pg_catalog.min(%s)", value);
	case StateKind::greatest:
		return psprintf("pg_catalog.max(%s)", value);
	case StateKind::spread:
		return psprintf("remedy.spread(%s)", value);
	case StateKind::histogram:
		return psprintf("remedy.histogram(%s)", value);
	case StateKind::digest:
		// It would never end for a value that is no number, and cannot be stopped.
		return psprintf("%s.tdigest(CASE WHEN %s OPERATOR(pg_catalog.>) '-Infinity' AND %s OPERATOR(pg_catalog.<) "
						"'Infinity' THEN %s END, 100)",
						schema_of_type(state.type), value, value, value);
	case StateKind::distinct:
		return psprintf("%s.hll_add_agg(%s.hll_hash_bigint(remedy.hash_of(%s)), %d, 5, %d, 1)",
						schema_of_type(state.type), schema_of_type(state.type), value, log2_of_registers, exactly_told);
	}
	pg_unreachable();
}

int
number_of(const Rollup &rollup, const State &beside, StateKind kind) noexcept
{
	for (int i = 0; i < rollup.states; i++)
		if (const State &state = rollup.state[i]; state.kind == kind && state.value == beside.value &&
												  state.filter == beside.filter &&
												  (kind != StateKind::sum || state.type == FLOAT8OID))
			return i + 1;
	elog(ERROR, "state of kind \"%c\" is missing", static_cast<char>(kind));
}

// A mark that only says that its cell is dirty has no count.
const char *
merged_spread(const Rollup &rollup, const State &state, const char *prefix, int number) noexcept
{
	const int count = number_of(rollup, state, StateKind::count);

	return psprintf("remedy.merge_spreads(ARRAY[CAST(%s.s%d AS double precision), %s.s%d, %s.s%d]) "
					"FILTER (WHERE %s.s%d OPERATOR(pg_catalog.>) 0)",
					prefix, count, prefix, number_of(rollup, state, StateKind::sum), prefix, number, prefix, count);
}

const char *
of_states(const Rollup &rollup, const State &state, const char *prefix, int number) noexcept
{
	const char *const own = psprintf("%s.s%d", prefix, number);

	switch (state.kind)
	{
	case StateKind::count:
		return psprintf("CAST(pg_catalog.sum(%s) AS bigint)", own);
	case StateKind::sum:
		return psprintf(state.type == INT8OID ? "CAST(pg_catalog.sum(%s) AS bigint)" : "pg_catalog.sum(%s)", own);
	case StateKind::squares:
		return psprintf("pg_catalog.sum(%s)", own);
	case StateKind::least:
		return psprintf("pg_catalog.min(%s)", own);
	case StateKind::greatest:
		return psprintf("pg_catalog.max(%s)", own);
	case StateKind::spread:
		return merged_spread(rollup, state, prefix, number);
	case StateKind::histogram:
		return psprintf("remedy.merge_histograms(%s)", own);
	case StateKind::digest:
		return psprintf("%s.tdigest(%s)", schema_of_type(state.type), own);
	case StateKind::distinct:
		return psprintf("%s.hll_union_agg(%s)", schema_of_type(state.type), own);
	}
	pg_unreachable();
}

} // namespace

const char *
key_list(const Rollup &rollup, const char *prefix, bool lead_in) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 1; i <= rollup.keys; i++)
		appendStringInfo(&text, "%s%s.k%d", i > 1 || lead_in ? ", " : "", prefix, i);
	return text.data;
}

const char *
state_list(const Rollup &rollup, const char *prefix) noexcept
{
	return list_of_states(
		rollup, [&](StringInfo text, const State &, int number) { appendStringInfo(text, "%s.s%d", prefix, number); });
}

const char *
states_of_rows(const Rollup &rollup, const char *prefix) noexcept
{
	return list_of_states(rollup, [&](StringInfo text, const State &state, int number) {
		appendStringInfoString(text, of_rows(state, psprintf("%s.v%d", prefix, state.value)));
		if (state.filter != 0)
			appendStringInfo(text, " FILTER (WHERE %s.f%d)", prefix, state.filter);
		appendStringInfo(text, " AS s%d", number);
	});
}

const char *
states_of_states(const Rollup &rollup, const char *prefix) noexcept
{
	return list_of_states(rollup, [&](StringInfo text, const State &state, int number) {
		appendStringInfo(text, "%s AS s%d", of_states(rollup, state, prefix, number), number);
	});
}

const char *
removed_extremes(const Rollup &rollup, const char *prefix) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; rollup.additive && i < rollup.states; i++)
		if (is_extreme(rollup.state[i]))
			appendStringInfo(&text, ", pg_catalog.%s(%s.r%d) AS r%d",
							 rollup.state[i].kind == StateKind::least ? "min" : "max", prefix, i + 1, i + 1);
	return text.data;
}

const char *
touched(const Rollup &rollup, const char *prefix) noexcept
{
	StringInfoData text;

	// Nothing taken away is null, and so is the extreme of no value: neither is true.
	initStringInfo(&text);
	for (int i = 0; rollup.additive && i < rollup.states; i++)
		if (is_extreme(rollup.state[i]))
			appendStringInfo(&text, "%s%s.r%d OPERATOR(pg_catalog.%s) %s.s%d", text.len == 0 ? "(" : " OR ", prefix,
							 i + 1, rollup.state[i].kind == StateKind::least ? "<=" : ">=", prefix, i + 1);
	if (text.len == 0)
		return "false";
	appendStringInfoString(&text, ") IS TRUE");
	return text.data;
}

const char *
schema_of_type(Oid type) noexcept
{
	const HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	const Oid schema = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace;
	ReleaseSysCache(tuple);
	return quote_identifier(get_namespace_name(schema));
}

const char *
qualified(Oid relation) noexcept
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation));
}

} // namespace remedy::rollup

// index_advice: the advice in SQL.

#include "index_advice/advised.hpp"
#include "index_advice/advising.hpp"
#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

extern "C" {
#include "utils/builtins.h"
#include "utils/lsyscache.h"
}

namespace remedy::index_advice {

namespace {

// Below these an index is not worth anybody's while.
constexpr double least_share = 0.0005;
constexpr double least_improvement = 0.2;

Datum
text_of(std::string_view text) noexcept
{
	return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size())));
}

void
put_array(server::Rows &rows, Datum *values, int count, Oid type) noexcept
{
	int16 length;
	bool by_value;
	char alignment;

	get_typlenbyvalalign(type, &length, &by_value, &alignment);
	rows.put(PointerGetDatum(construct_array(values, count, type, length, by_value, alignment)));
}

void
put_columns(server::Rows &rows, const Definition &definition) noexcept
{
	Datum columns[parts_of_index];

	for (int i = 0; i < definition.part_count; ++i)
		columns[i] = text_of(definition.parts[i].text);
	put_array(rows, columns, definition.part_count, TEXTOID);
}

void
put_queries(server::Rows &rows, const Weighing &weighing, const List *statements) noexcept
{
	Datum *const queries = static_cast<Datum *>(palloc(Max(list_length(statements), 1) * sizeof(Datum)));
	const ListCell *cell;

	foreach (cell, statements)
		queries[foreach_current_index(cell)] =
			Int64GetDatum(static_cast<int64>(weighing.statements[lfirst_int(cell)].form.fingerprint));
	put_array(rows, queries, list_length(statements), INT8OID);
}

void
put_nulls(server::Rows &rows, int count) noexcept
{
	for (int i = 0; i < count; ++i)
		rows.put_null();
}

const char *
evidence_for(const AdvisedIndex &advised, double share) noexcept
{
	const int statements = list_length(advised.queries);

	return psprintf(
		"%d %s, %.0f calls, %.0f ms, %.1f %% of the observed time; planned cost of a call %.0f, with the index %.0f",
		statements, statements == 1 ? "statement" : "statements", advised.calls, advised.served_ms, 100 * share,
		advised.cost_before, advised.cost_after);
}

const char *
after_on(const Considered &considered) noexcept
{
	return strstr(considered.ddl, "ON ");
}

void
put_advised(server::Rows &rows, const Weighing &weighing, const AdvisedIndex &advised, int rank) noexcept
{
	const Considered &considered = *advised.considered;
	const char *const concurrently = advised.table->partitioned ? "" : "CONCURRENTLY ";
	const double share = weighing.ms > 0 ? advised.served_ms / weighing.ms : 0;
	const char *const schema = get_namespace_name(advised.table->schema);

	rows.put(Int32GetDatum(rank));
	rows.put_text(advised.table->name);
	rows.put_text(advised.index_name);
	put_columns(rows, considered.definition);
	rows.put(text_of(considered.definition.method));
	rows.put_double(advised.saving_ms);
	rows.put_double(advised.cost_before);
	rows.put_double(advised.cost_after);
	rows.put_bigint(static_cast<int64>(considered.bytes));
	rows.put_double(advised.build_ms);
	rows.put_double(advised.write_ms);
	advised.break_even > 0 ? rows.put_double(advised.break_even) : rows.put_null();
	rows.put_bigint(static_cast<int64>(advised.calls));
	rows.put_double(share);
	put_queries(rows, weighing, advised.queries);
	rows.put_text(advised.table->partitioned ? "SHARE: writes to the table wait"
											 : "SHARE UPDATE EXCLUSIVE: reads and writes go on");
	rows.put_null();
	rows.put_text(evidence_for(advised, share));
	rows.put_text(considered.ddl);
	rows.put_text(
		psprintf("CREATE INDEX %s%s %s", concurrently, quote_identifier(advised.index_name), after_on(considered)));
	rows.put_text(
		psprintf("DROP INDEX %sIF EXISTS %s", concurrently, quote_qualified_identifier(schema, advised.index_name)));
	rows.end_row();
}

void
put_declined(server::Rows &rows, const Weighing &weighing, const Declined &declined) noexcept
{
	rows.put_null();
	rows.put_text(declined.table == nullptr ? nullptr : declined.table->name);
	rows.put_null();
	declined.considered == nullptr ? rows.put_null() : put_columns(rows, declined.considered->definition);
	declined.considered == nullptr ? rows.put_null() : rows.put(text_of(declined.considered->definition.method));
	declined.saving_ms > 0 ? rows.put_double(declined.saving_ms) : rows.put_null();
	put_nulls(rows, 8);
	put_queries(rows, weighing, declined.statements);
	rows.put_null();
	rows.put_text(psprintf("no advice because %s", declined.reason));
	rows.put_null();
	rows.put_text(declined.considered == nullptr ? nullptr : declined.considered->ddl);
	put_nulls(rows, 2);
	rows.end_row();
}

// Outcomes are told of what was advised without a budget; advice that is not given any more is
// forgotten by who sees all statements.
void
remember_all(const Recommendation &recommendation) noexcept
{
	const TimestampTz now = GetCurrentTimestamp();

	for (int i = 0; i < recommendation.advised_count; ++i)
	{
		const AdvisedIndex &advised = recommendation.advised[i];
		std::uint64_t *const fingerprints =
			static_cast<std::uint64_t *>(palloc(Max(list_length(advised.queries), 1) * sizeof(std::uint64_t)));
		const ListCell *cell;
		foreach (cell, advised.queries)
			fingerprints[foreach_current_index(cell)] =
				recommendation.weighing.statements[lfirst_int(cell)].form.fingerprint;
		remember({advised.table->relation, advised.considered->ddl, advised.saving_ms, advised.cost_before,
				  advised.cost_after, fingerprints, list_length(advised.queries)});
	}
	if (observe::may_read_texts_of(InvalidOid))
		forget_unrepeated(now);
}

} // namespace

} // namespace remedy::index_advice

using namespace remedy;
using namespace remedy::index_advice;

REMEDY_FUNCTION(remedy_advise_indexes)
{
	observe::enter_function();
	Limits limits = {};
	limits.least_share = least_share;
	limits.least_improvement = least_improvement;
	if (!PG_ARGISNULL(0))
		limits.max_bytes = static_cast<double>(PG_GETARG_INT64(0));
	if (!PG_ARGISNULL(1))
		limits.max_indexes = PG_GETARG_INT32(1);
	if ((!PG_ARGISNULL(0) && limits.max_bytes <= 0) || (!PG_ARGISNULL(1) && limits.max_indexes <= 0))
		throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "limits of size and number must be positive");
	server::Rows rows(fcinfo);
	const Recommendation &recommendation = *advise(limits);
	for (int i = 0; i < recommendation.advised_count; ++i)
		put_advised(rows, recommendation.weighing, recommendation.advised[i], i + 1);
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		remember_all(recommendation);
	const ListCell *cell;
	foreach (cell, recommendation.declined)
		put_declined(rows, recommendation.weighing, *static_cast<const Declined *>(lfirst(cell)));
	return 0;
}

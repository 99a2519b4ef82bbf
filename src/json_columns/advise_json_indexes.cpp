// remedy.advise_json_indexes(): what the planner says of the indexes that a column's uses ask for.

#include <algorithm>

#include "json_columns/access.hpp"
#include "json_columns/measured.hpp"
#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"
#include "what_if/what_if.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "storage/bufmgr.h"
}

namespace remedy::json_columns {

namespace {

struct Question
{
	Oid table;
	AttrNumber column;
	const char *table_name; // qualified, quoted
	bool is_json;
	bool partitioned;
	List *indexes;                       // of WantedIndex *
	const what_if::Hypothetical **tried; // of each of them; null: refused
};

// ---- What is asked for -------------------------------------------------------------------

Question
read_question(Oid table, const char *column) noexcept
{
	if (get_rel_name(table) == nullptr)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", table)));
	table = topmost_table(table);
	const char kind = get_rel_relkind(table);
	const AttrNumber number = get_attnum(table, column);
	if (number <= 0)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
						errmsg("column \"%s\" of relation \"%s\" does not exist", column, get_rel_name(table))));
	const Oid type = getBaseType(get_atttype(table, number));
	if ((type != JSONOID && type != JSONBOID) || strchr("rpm", kind) == nullptr)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("column \"%s\" of relation \"%s\" is not a table's column of type json or jsonb", column,
							   get_rel_name(table))));
	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(pg_attribute_aclcheck(table, number, GetUserId(), ACL_SELECT), get_relkind_objtype(kind),
					   get_rel_name(table));
	const char *const name =
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
	return {table, number, name, type == JSONOID, kind == RELKIND_PARTITIONED_TABLE, NIL, nullptr};
}

List *
usages_of(const Question &question) noexcept
{
	List *usages = NIL;
	ListCell *cell;

	foreach (cell, read_usage(question.table))
		if (static_cast<Usage *>(lfirst(cell))->use.column == question.column)
			usages = lappend(usages, lfirst(cell));
	return usages;
}

const char *
command(const Question &question, const WantedIndex &wanted, const char *keys, bool concurrently) noexcept
{
	return psprintf("CREATE INDEX %sON %s USING %s (%s)", concurrently && !question.partitioned ? "CONCURRENTLY " : "",
					question.table_name, wanted.gin ? "gin" : "btree", keys);
}

// ---- What the planner says ---------------------------------------------------------------

void
define_all(Question &question) noexcept
{
	ListCell *cell;

	question.tried = static_cast<const what_if::Hypothetical **>(
		palloc0((list_length(question.indexes) + 1) * sizeof(what_if::Hypothetical *)));
	foreach (cell, question.indexes)
	{
		WantedIndex &wanted = *static_cast<WantedIndex *>(lfirst(cell));
		const what_if::Hypothetical *&index = question.tried[foreach_current_index(cell)];
		const MemoryContext kept = CurrentMemoryContext;
		const auto define = [&]() noexcept {
			const MemoryContext before = MemoryContextSwitchTo(kept);
			index = what_if::define(command(question, wanted, wanted.today, false));
			wanted.size_bytes = wanted.gin ? 0 : what_if::bytes_of(*index);
			MemoryContextSwitchTo(before);
		};
		if (wanted.refusal == nullptr && !attempt(define))
		{
			index = nullptr;
			wanted.refusal = "it could not be created on what the column holds";
		}
	}
}

bool
serves(const WantedIndex &wanted, std::uint64_t fingerprint) noexcept
{
	const ListCell *cell;

	foreach (cell, wanted.usages)
	{
		const Usage &usage = *static_cast<const Usage *>(lfirst(cell));
		for (int i = 0; i < Min(usage.statements, most_queries); ++i)
			if (DatumGetInt64(usage.queries[i]) == static_cast<int64>(fingerprint))
				return true;
	}
	return false;
}

// The statement's time by the share that its planned cost falls.
void
plan_with(const Seen &seen, WantedIndex &wanted, const what_if::Hypothetical *index) noexcept
{
	const ListCell *cell;

	foreach (cell, seen.analysed.queries)
	{
		const Query *const query = lfirst_node(Query, cell);
		const what_if::Outcome before = what_if::plan_under(query, seen.analysed.text, nullptr, {});
		const what_if::Outcome after = what_if::plan_under(query, seen.analysed.text, nullptr, {&index, 1, nullptr, 0});
		if (after.used != 0 && after.cost < before.cost)
			wanted.saving_ms += seen.ms * (1 - after.cost / before.cost);
	}
}

void
look_at(const Seen &seen, void *context)
{
	const Question &question = *static_cast<Question *>(context);
	const ListCell *cell;

	foreach (cell, question.indexes)
	{
		WantedIndex &wanted = *static_cast<WantedIndex *>(lfirst(cell));
		if (wanted.refusal == nullptr && serves(wanted, seen.form.fingerprint))
			plan_with(seen, wanted, question.tried[foreach_current_index(cell)]);
	}
}

void
refuse_unused(const Question &question) noexcept
{
	ListCell *cell;

	foreach (cell, question.indexes)
	{
		WantedIndex &wanted = *static_cast<WantedIndex *>(lfirst(cell));
		if (wanted.refusal == nullptr && wanted.saving_ms <= 0)
			wanted.refusal = "the planner would not use it: the table is small, or too many rows are found";
	}
}

// ---- How large the table is --------------------------------------------------------------

double
table_pages(Oid table) noexcept
{
	double pages = 0;
	const ListCell *cell;

	foreach (cell, find_all_inheritors(table, AccessShareLock, nullptr))
	{
		const Relation part = table_open(lfirst_oid(cell), NoLock);
		if (RELKIND_HAS_STORAGE(part->rd_rel->relkind))
			pages += RelationGetNumberOfBlocks(part);
		table_close(part, NoLock);
	}
	return pages;
}

const char *
measure_all(const Question &question, const char *column) noexcept
{
	double tuples = 0;

	for (int i = 0; i < list_length(question.indexes); ++i)
		if (question.tried[i] != nullptr)
			tuples = Max(tuples, what_if::tuples_of(*question.tried[i]));
	if (tuples == 0)
		return nullptr;
	const int sqlstate =
		measure(question.table, column, question.is_json, {tuples, table_pages(question.table)}, question.indexes);
	return sqlstate == 0 ? nullptr : unpack_sql_state(sqlstate);
}

// ---- What is answered --------------------------------------------------------------------

Datum
queries_of(const WantedIndex &wanted) noexcept
{
	Datum *const all = static_cast<Datum *>(palloc((list_length(wanted.usages) * most_queries + 1) * sizeof(Datum)));
	int count = 0;
	const ListCell *cell;

	foreach (cell, wanted.usages)
	{
		const Usage &usage = *static_cast<const Usage *>(lfirst(cell));
		for (int i = 0; i < Min(usage.statements, most_queries); ++i)
			if (std::find(all, all + count, usage.queries[i]) == all + count)
				all[count++] = usage.queries[i];
	}
	return PointerGetDatum(construct_array(all, count, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

// The ways in which it is asked for, each once.
const char *
ways_of(const WantedIndex &wanted) noexcept
{
	StringInfoData ways;
	const ListCell *cell;

	initStringInfo(&ways);
	foreach (cell, wanted.usages)
	{
		const Use &use = static_cast<const Usage *>(lfirst(cell))->use;
		const char *const way = use.comparison == nullptr ? use.operation : use.comparison;
		if (strstr(ways.data, way) == nullptr)
			appendStringInfo(&ways, "%s%s", ways.len > 0 ? ", " : "", way);
	}
	return ways.data;
}

const char *
reason_for(const WantedIndex &wanted, const char *sqlstate) noexcept
{
	StringInfoData reason;

	initStringInfo(&reason);
	appendStringInfo(&reason, "%.0f observed call%s (%.0f ms) ", wanted.calls, wanted.calls == 1 ? "" : "s", wanted.ms);
	if (!wanted.gin)
		appendStringInfo(&reason, "compare it (%s): a btree finds the rows, a GIN index would not be used",
						 ways_of(wanted));
	else if (wanted.keys_only)
		appendStringInfo(&reason, "search with %s: that asks for keys, which jsonb_path_ops does not have",
						 ways_of(wanted));
	else
		appendStringInfo(&reason,
						 "search with %s, and none asks for keys: jsonb_path_ops is the smaller and faster class",
						 ways_of(wanted));
	if (wanted.after_migration)
		appendStringInfoString(&reason, "; once the column is jsonb");
	if (wanted.refusal != nullptr)
		appendStringInfo(&reason, "; not advised: %s", wanted.refusal);
	else if (sqlstate != nullptr)
		appendStringInfo(&reason, "; its size and time could not be tried out (SQLSTATE %s)", sqlstate);
	return reason.data;
}

void
put_or_null(server::Rows &rows, double value) noexcept
{
	value > 0 ? rows.put_double(value) : rows.put_null();
}

void
put_index(server::Rows &rows, const Question &question, const WantedIndex &wanted, int rank,
		  const char *sqlstate) noexcept
{
	const bool advised = wanted.refusal == nullptr;

	advised ? rows.put(Int32GetDatum(rank)) : rows.put_null();
	rows.put_text(advised ? (wanted.gin ? "gin" : "btree") : "none");
	rows.put_bigint(static_cast<int64>(wanted.calls));
	advised ? rows.put_double(wanted.saving_ms) : rows.put_null();
	advised &&wanted.size_bytes > 0 ? rows.put_bigint(static_cast<int64>(wanted.size_bytes)) : rows.put_null();
	put_or_null(rows, advised ? wanted.build_ms : 0);
	rows.put(queries_of(wanted));
	rows.put_bool(wanted.after_migration);
	rows.put_text(reason_for(wanted, sqlstate));
	rows.put_text(command(question, wanted, wanted.keys, false));
	rows.put_text(advised ? command(question, wanted, wanted.keys, true) : nullptr);
	rows.end_row();
}

void
put_nothing(server::Rows &rows, const char *reason) noexcept
{
	rows.put_null();
	rows.put_text("none");
	for (int i = 0; i < 5; ++i)
		rows.put_null();
	rows.put_bool(false);
	rows.put_text(reason);
	rows.put_null();
	rows.put_null();
	rows.end_row();
}

int
by_saving(const ListCell *a, const ListCell *b)
{
	const WantedIndex &first = *static_cast<WantedIndex *>(lfirst(a)), &second = *static_cast<WantedIndex *>(lfirst(b));

	if ((first.refusal == nullptr) != (second.refusal == nullptr))
		return first.refusal == nullptr ? -1 : 1;
	return first.saving_ms == second.saving_ms ? 0 : first.saving_ms > second.saving_ms ? -1 : 1;
}

} // namespace

} // namespace remedy::json_columns

using namespace remedy;
using namespace remedy::json_columns;

REMEDY_FUNCTION(remedy_advise_json_indexes)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const char *const column = NameStr(*PG_GETARG_NAME(1));
	Question question = read_question(PG_GETARG_OID(0), column);
	List *const usages = usages_of(question);
	ListCell *cell;

	question.indexes = wanted_indexes(question.table, usages);
	define_all(question);
	each_statement(look_at, &question);
	refuse_unused(question);
	const char *const sqlstate = measure_all(question, column);
	list_sort(question.indexes, by_saving);
	foreach (cell, question.indexes)
		put_index(rows, question, *static_cast<WantedIndex *>(lfirst(cell)), foreach_current_index(cell) + 1, sqlstate);
	if (usages == NIL)
		put_nothing(rows, "no observed statement uses the column");
	else if (question.indexes == NIL)
		put_nothing(rows,
					"no observed statement has a condition on what is in the documents that an index could answer");
	return 0;
}

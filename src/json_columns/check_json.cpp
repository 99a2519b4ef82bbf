// remedy.check_json(): judges the documents of a column, through a query of the caller's.
//
// So the caller's rights and row security apply, and the documents may be judged by
// parallel workers.  Frames hold plain data only.

#include <cmath>

#include "json_columns/judging.hpp"
#include "json_columns/share_limit.hpp"
#include "observe/observe.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

extern "C" {
#include "utils/rls.h"
}

namespace remedy::json_columns {

namespace {

// ---- Judging one document ----------------------------------------------------------

Faults
judge_argument(FunctionCallInfo call) noexcept
{
	if (call->flinfo->fn_extra == nullptr)
	{
		const MemoryContext before = MemoryContextSwitchTo(call->flinfo->fn_mcxt);
		call->flinfo->fn_extra = make_judge_memory();
		MemoryContextSwitchTo(before);
	}
	const text *const document = DatumGetTextPP(call->args[0].value);
	return judge(VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document),
				 *static_cast<JudgeMemory *>(call->flinfo->fn_extra));
}

ArrayType *
text_array(const char *const *texts, int count) noexcept
{
	Datum *const items = static_cast<Datum *>(palloc(sizeof(Datum) * (count + 1)));

	for (int i = 0; i < count; ++i)
		items[i] = CStringGetTextDatum(texts[i]);
	return construct_array(items, count, TEXTOID, -1, false, TYPALIGN_INT);
}

Datum
describe(FunctionCallInfo call, Faults faults) noexcept
{
	const char *reasons[fault_count];
	bool nulls[2] = {};
	TupleDesc columns;
	int count = 0;

	if (get_call_result_type(call, nullptr, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (int i = 0; i < fault_count; ++i)
		if (faults & bit(static_cast<Fault>(i)))
			reasons[count++] = name_of(static_cast<Fault>(i));
	Datum values[] = {CStringGetTextDatum(name_of(verdict_of(faults))), PointerGetDatum(text_array(reasons, count))};
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls));
}

// ---- What is asked -----------------------------------------------------------------

constexpr int most_examples = 5;
constexpr int longest_example = 100;

struct Question
{
	Oid table;
	const char *column;
	double percent; // 100: all rows
	bool has_parts; // a ctid alone does not tell the row
	char *query;    // gives faults; then, if rows can be told apart, what tells them apart
	List *tellers;  // names of the latter
	bool by_ctid;   // they are ctid and tableoid, not the primary key
};

bool
may_select(Oid table, AttrNumber column) noexcept
{
	return pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		   pg_attribute_aclcheck(table, column, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

[[noreturn]] void
refuse_type(const Question &question, Oid type) noexcept
{
	ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
					errmsg("column \"%s\" of table \"%s\" is of type %s, not json", question.column,
						   get_rel_name(question.table), format_type_be(type)),
					type == JSONBOID ? errhint("It is jsonb already.") : 0));
	pg_unreachable();
}

void
check_column(const Question &question) noexcept
{
	const char kind = get_rel_relkind(question.table);
	const AttrNumber column = get_attnum(question.table, question.column);

	if (kind == '\0')
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("there is no table with OID %u", question.table)));
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_MATVIEW)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is not a table or materialized view", get_rel_name(question.table))));
	if (column == InvalidAttrNumber)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("column \"%s\" of table \"%s\" does not exist",
																  question.column, get_rel_name(question.table))));
	if (getBaseType(get_atttype(question.table, column)) != JSONOID)
		refuse_type(question, get_atttype(question.table, column));
	if (!may_select(question.table, column))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(question.table));
	if (check_enable_rls(question.table, InvalidOid, false) == RLS_ENABLED)
		ereport(NOTICE, (errmsg("row security applies: only rows that you may see are checked")));
}

// The columns of the primary key, if the caller may read all of them; else ctid, likewise.
List *
columns_that_tell(Relation table, bool &by_ctid) noexcept
{
	List *columns = NIL;

	RelationGetIndexList(table); // which finds the primary key
	if (OidIsValid(table->rd_pkindex))
	{
		const Relation key = index_open(table->rd_pkindex, AccessShareLock);
		for (int i = 0; i < key->rd_index->indnkeyatts; ++i)
			columns = lappend_int(columns, key->rd_index->indkey.values[i]);
		index_close(key, NoLock);
	}
	by_ctid = columns == NIL;
	if (by_ctid)
		columns = list_make2_int(SelfItemPointerAttributeNumber, TableOidAttributeNumber);
	ListCell *cell;
	foreach (cell, columns)
		if (!may_select(RelationGetRelid(table), static_cast<AttrNumber>(lfirst_int(cell))))
			return NIL;
	return columns;
}

const char *
name_of_column(Relation table, int number) noexcept
{
	if (number == SelfItemPointerAttributeNumber)
		return "ctid";
	if (number == TableOidAttributeNumber)
		return "tableoid";
	return NameStr(TupleDescAttr(RelationGetDescr(table), number - 1)->attname);
}

void
write_query(Question &question) noexcept
{
	const Relation table = table_open(question.table, AccessShareLock);
	List *const columns = columns_that_tell(table, question.by_ctid);
	StringInfoData query;
	ListCell *cell;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT remedy.read_json_faults(t.%s::pg_catalog.json)",
					 quote_identifier(question.column));
	foreach (cell, columns)
	{
		char *const name = pstrdup(name_of_column(table, lfirst_int(cell)));
		question.tellers = lappend(question.tellers, name);
		appendStringInfo(&query, ", t.%s", quote_identifier(name));
	}
	appendStringInfo(
		&query, " FROM %s AS t",
		quote_qualified_identifier(get_namespace_name(RelationGetNamespace(table)), RelationGetRelationName(table)));
	if (question.percent < 100)
		appendStringInfo(&query, " TABLESAMPLE pg_catalog.bernoulli (%.17g)", question.percent);
	question.query = query.data;
	question.has_parts = table->rd_rel->relhassubclass;
	table_close(table, NoLock);
}

Question
read_question(FunctionCallInfo call) noexcept
{
	Question question = {};

	if (call->args[0].isnull || call->args[1].isnull)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a table and a column are needed")));
	question.table = DatumGetObjectId(call->args[0].value);
	question.column = pstrdup(NameStr(*DatumGetName(call->args[1].value)));
	question.percent = call->args[2].isnull ? 100 : DatumGetFloat8(call->args[2].value);
	if (!(question.percent > 0 && question.percent <= 100))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a sample is more than 0 and at most 100 percent of the rows")));
	check_column(question);
	write_query(question);
	return question;
}

// ---- Counting ----------------------------------------------------------------------

struct Tally
{
	int64 rows;
	int example_count;
	const char *examples[most_examples];
};

struct Counter
{
	DestReceiver receiver; // first: the server knows no more of it
	const Question *question;
	MemoryContext memory; // of examples
	int64 rows;
	int64 nulls;
	Tally verdicts[verdict_count];
	Tally faults[fault_count];
};

void
append_value(StringInfo text, Oid type, Datum value) noexcept
{
	Oid output;
	bool by_reference;

	getTypeOutputInfo(type, &output, &by_reference);
	char *const shown = OidOutputFunctionCall(output, value);
	const int length = static_cast<int>(strlen(shown));
	appendBinaryStringInfo(text, shown, pg_mbcliplen(shown, length, longest_example));
	if (length > longest_example)
		appendStringInfoString(text, "...");
}

// id=1, or a=1, b=2, or ctid=(0,1), or events_2025 ctid=(0,1).
const char *
tell_row(const Question &question, TupleTableSlot *slot) noexcept
{
	const int shown = question.by_ctid ? 1 : list_length(question.tellers);
	StringInfoData text;

	initStringInfo(&text);
	slot_getallattrs(slot);
	if (question.by_ctid && question.has_parts)
	{
		const char *const part = get_rel_name(DatumGetObjectId(slot->tts_values[2]));
		appendStringInfo(&text, "%s ", part == nullptr ? "?" : part);
	}
	for (int i = 0; i < shown; ++i)
	{
		const char *const name = static_cast<const char *>(list_nth(question.tellers, i));
		appendStringInfo(&text, "%s%s=", i == 0 ? "" : ", ", name);
		append_value(&text, TupleDescAttr(slot->tts_tupleDescriptor, i + 1)->atttypid, slot->tts_values[i + 1]);
	}
	return text.data;
}

void
count(Counter &counter, Tally &tally, TupleTableSlot *slot) noexcept
{
	++tally.rows;
	if (tally.example_count == most_examples || counter.question->tellers == NIL)
		return;
	const MemoryContext before = MemoryContextSwitchTo(counter.memory);
	tally.examples[tally.example_count++] = tell_row(*counter.question, slot);
	MemoryContextSwitchTo(before);
}

bool
receive_row(TupleTableSlot *slot, DestReceiver *receiver) noexcept
{
	Counter &counter = *reinterpret_cast<Counter *>(receiver);
	bool is_null;
	const Faults faults = DatumGetInt32(slot_getattr(slot, 1, &is_null));

	++counter.rows;
	if (is_null || faults == 0)
	{
		counter.nulls += is_null;
		++counter.verdicts[static_cast<int>(Verdict::unchanged)].rows;
		return true;
	}
	count(counter, counter.verdicts[static_cast<int>(verdict_of(faults))], slot);
	for (int i = 0; i < fault_count; ++i)
		if (faults & bit(static_cast<Fault>(i)))
			count(counter, counter.faults[i], slot);
	return true;
}

void
ask(const Question &question, Counter &counter) noexcept
{
	SPIExecuteOptions options = {};

	counter.receiver.receiveSlot = receive_row;
	counter.receiver.rStartup = [](DestReceiver *, int, TupleDesc) {};
	counter.receiver.rShutdown = [](DestReceiver *) {};
	counter.receiver.rDestroy = [](DestReceiver *) {};
	counter.receiver.mydest = DestNone;
	counter.question = &question;
	counter.memory = CurrentMemoryContext;
	options.read_only = true;
	options.dest = &counter.receiver;
	SPI_connect();
	if (SPI_execute_extended(question.query, &options) < 0)
		elog(ERROR, "could not read documents");
	SPI_finish();
}

// ---- Telling -----------------------------------------------------------------------

// Of the whole table, with 95 % confidence.
int64
at_most(const Counter &counter, int64 rows) noexcept
{
	if (counter.question->percent >= 100)
		return rows;
	const double all_rows = static_cast<double>(counter.rows) * 100 / counter.question->percent;
	return static_cast<int64>(std::ceil(largest_share(rows, counter.rows) * all_rows));
}

void
put_tally(server::Rows &rows, const Counter &counter, Verdict verdict, const char *reason, const Tally &tally) noexcept
{
	rows.put_text(name_of(verdict));
	rows.put_text(reason);
	rows.put_bigint(tally.rows);
	counter.rows == 0 ? rows.put_null() : rows.put_double(static_cast<double>(tally.rows) / counter.rows);
	counter.rows == 0 && counter.question->percent < 100 ? rows.put_null()
														 : rows.put_bigint(at_most(counter, tally.rows));
	tally.example_count == 0 ? rows.put_null()
							 : rows.put(PointerGetDatum(text_array(tally.examples, tally.example_count)));
	rows.end_row();
}

void
put_verdict(server::Rows &rows, const Counter &counter, Verdict verdict) noexcept
{
	put_tally(rows, counter, verdict, nullptr, counter.verdicts[static_cast<int>(verdict)]);
	for (int i = 0; i < fault_count; ++i)
		if (verdict_of(static_cast<Fault>(i)) == verdict && counter.faults[i].rows > 0)
			put_tally(rows, counter, verdict, name_of(static_cast<Fault>(i)), counter.faults[i]);
	if (verdict == Verdict::unchanged && counter.nulls > 0)
		put_tally(rows, counter, verdict, "NULL", {counter.nulls, 0, {}});
}

} // namespace

} // namespace remedy::json_columns

using namespace remedy::json_columns;

// (document json) -> faults, as bits.
REMEDY_FUNCTION(remedy_read_json_faults)
{
	return Int32GetDatum(judge_argument(fcinfo));
}

// (document json) -> (verdict, reasons)
REMEDY_FUNCTION(remedy_judge_json)
{
	return describe(fcinfo, judge_argument(fcinfo));
}

// (table_name regclass, column_name name, sample float8) -> rows of (verdict, reason, rows, share, at_most, examples)
REMEDY_FUNCTION(remedy_check_json)
{
	remedy::observe::enter_function();
	Counter *const counter = static_cast<Counter *>(palloc0(sizeof(Counter)));
	const Question question = read_question(fcinfo);

	ask(question, *counter);
	remedy::server::Rows rows(fcinfo);
	for (int i = 0; i < verdict_count; ++i)
		put_verdict(rows, *counter, static_cast<Verdict>(i));
	return Datum{0};
}

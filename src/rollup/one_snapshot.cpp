#include "rollup/one_snapshot.hpp"

extern "C" {
#include "executor/tstoreReceiver.h"
#include "parser/parse_param.h"
#include "tcop/tcopprot.h"
#include "utils/datum.h"
#include "utils/tuplestore.h"
}

namespace remedy::rollup {

const char *
Parameters::add(Oid type, Datum value) noexcept
{
	if (count_ == limit)
		elog(ERROR, "a statement has more than %d parameters", limit);
	types_[count_] = type;
	values_[count_] = value;
	return psprintf("$%d", ++count_);
}

// The planner takes them for constants.
ParamListInfo
Parameters::list() const noexcept
{
	if (count_ == 0)
		return nullptr;
	const ParamListInfo list = makeParamList(count_);

	for (int i = 0; i < count_; ++i)
		list->params[i] = {values_[i], false, PARAM_FLAG_CONST, types_[i]};
	list->parserSetupArg = const_cast<Parameters *>(this);
	list->parserSetup = [](ParseState *state, void *parameters) {
		const Parameters *const self = static_cast<const Parameters *>(parameters);
		setup_parse_fixed_parameters(state, self->types_, self->count_);
	};
	return list;
}

int64
Result::count() const noexcept
{
	return tuplestore_tuple_count(rows);
}

void
OneSnapshot::begin() noexcept
{
	CommandCounterIncrement();
	snapshot_ = RegisterSnapshot(GetTransactionSnapshot());
	stores_ = NIL;
	SPI_connect();
}

void
OneSnapshot::end() noexcept
{
	ListCell *cell;

	foreach (cell, stores_) // they may have files
		tuplestore_end(static_cast<Tuplestorestate *>(lfirst(cell)));
	SPI_finish();
	UnregisterSnapshot(snapshot_);
}

// SPI runs a read-only statement under the snapshot that it finds active, and changes nothing of it.
void
OneSnapshot::run(const char *statement, const Parameters &parameters, DestReceiver *receiver) noexcept
{
	const SPIExecuteOptions options = {
		.params = parameters.list(), .read_only = true, .must_return_tuples = true, .dest = receiver};

	PushActiveSnapshot(snapshot_);
	const int result = SPI_execute_extended(statement, &options);
	PopActiveSnapshot();
	if (result < 0)
		elog(ERROR, "could not run: %s: %s", statement, SPI_result_code_string(result));
}

double
OneSnapshot::cost_of(const char *statement, const Parameters &parameters) const noexcept
{
	RawStmt *const parsed = linitial_node(RawStmt, pg_parse_query(statement));

	PushActiveSnapshot(snapshot_);
	List *const queries =
		pg_analyze_and_rewrite_fixedparams(parsed, statement, parameters.types(), parameters.count(), nullptr);
	const PlannedStmt *const plan =
		pg_plan_query(linitial_node(Query, queries), statement, CURSOR_OPT_PARALLEL_OK, parameters.list());
	PopActiveSnapshot();
	return plan->planTree->total_cost;
}

Result
OneSnapshot::read(const char *statement, const Parameters &parameters, TupleDesc columns) noexcept
{
	DestReceiver *const receiver = CreateTuplestoreDestReceiver();
	const Result result = {tuplestore_begin_heap(true, false, work_mem), columns};

	SetTuplestoreDestReceiverParams(receiver, result.rows, CurrentMemoryContext, false, columns,
									"a rollup's statement gives other columns than its cells have");
	stores_ = lappend(stores_, result.rows);
	run(statement, parameters, receiver);
	receiver->rDestroy(receiver);
	return result;
}

bool
OneSnapshot::read_one(const char *statement, const Parameters &parameters, Datum *values, bool *nulls) noexcept
{
	run(statement, parameters, nullptr);
	if (SPI_processed == 0)
		return false;
	heap_deform_tuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, values, nulls);
	return true;
}

int64
OneSnapshot::count(const char *what) noexcept
{
	Datum value;
	bool null;

	read_one(psprintf("SELECT count(*) FROM %s", what), {}, &value, &null);
	return DatumGetInt64(value);
}

void
OneSnapshot::give_name(const char *name, const Result &result) noexcept
{
	const EphemeralNamedRelation relation =
		static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData)));

	relation->md = {.name = pstrdup(name),
					.tupdesc = result.columns,
					.enrtype = ENR_NAMED_TUPLESTORE,
					.enrtuples = static_cast<double>(result.count())};
	relation->reldata = result.rows;
	if (const int code = SPI_register_relation(relation); code < 0)
		elog(ERROR, "could not name \"%s\": %s", name, SPI_result_code_string(code));
}

// The command is after all that was done, the snapshot is the same one.
int64
OneSnapshot::write(const char *statement, const Parameters &parameters) noexcept
{
	const SPIPlanPtr plan = SPI_prepare(statement, parameters.count(), const_cast<Oid *>(parameters.types()));

	if (plan == nullptr)
		elog(ERROR, "could not prepare: %s: %s", statement, SPI_result_code_string(SPI_result));
	const int result = SPI_execute_snapshot(plan, const_cast<Datum *>(parameters.values()), nullptr, snapshot_,
											InvalidSnapshot, false, true, 0);
	if (result < 0)
		elog(ERROR, "could not run: %s: %s", statement, SPI_result_code_string(result));
	SPI_freeplan(plan);
	return SPI_processed;
}

} // namespace remedy::rollup

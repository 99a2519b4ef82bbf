// Commands in the background: the worker's side.

#include "schedule/order.hpp"

#include "server/guard.hpp"
#include "server/versions.hpp"

namespace remedy::schedule {

namespace {

Order *order = nullptr; // null once it is finished
emit_log_hook_type previous_log = nullptr;

template <Size size>
void
copy(char (&target)[size], const char *text) noexcept
{
	if (text == nullptr)
		return;
	const int length = pg_mbcliplen(text, strlen(text), size - 1);
	memcpy(target, text, length);
	target[length] = '\0';
}

void
fail(const ErrorData &error) noexcept
{
	Failure &failure = order->failure;

	failure.sqlstate = error.sqlerrcode;
	copy(failure.message, error.message);
	copy(failure.detail, error.detail);
	copy(failure.hint, error.hint);
	copy(failure.context, error.context);
	order->state.store(State::failed);
	order = nullptr;
}

void
succeed() noexcept
{
	order->state.store(State::done);
	order = nullptr;
}

// A fatal error ends the process with no other chance to tell of it: the database
// is gone, the role may not connect, an administrator ends the worker.
void
on_log(ErrorData *error)
{
	if (previous_log != nullptr)
		previous_log(error);
	if (order != nullptr && error->elevel >= FATAL)
		fail(*error);
}

// Null if the caller has gone.  The segment stays until the process ends.
Order *
take_order(dsm_handle handle) noexcept
{
	dsm_segment *const segment = dsm_attach(handle);

	return segment == nullptr ? nullptr : static_cast<Order *>(dsm_segment_address(segment));
}

void
check_layout() noexcept
{
	const Layout layout = current_layout();

	// Nothing behind the layout can be trusted: the caller sees a worker that says nothing.
	if (memcmp(&order->layout, &layout, sizeof(Layout)) == 0)
		return;
	order = nullptr;
	ereport(FATAL,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the library pg_remedy was replaced since the session loaded it"), errhint("Connect anew.")));
}

// Under the names that the role's own objects could not take.  Functions in C, of event triggers for one, are in the
// libraries that the caller finds.
void
connect() noexcept
{
	BackgroundWorkerInitializeConnectionByOid(order->database, order->role, 0);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("dynamic_library_path", order->library_path(), PGC_SUSET, PGC_S_SESSION);
	SetConfigOption("application_name", order->application_name, PGC_USERSET, PGC_S_SESSION);
}

// A worker has no client: such a COPY would use the server's own files.
bool
needs_client(const Node *statement) noexcept
{
	return IsA(statement, CopyStmt) && reinterpret_cast<const CopyStmt *>(statement)->filename == nullptr;
}

RawStmt *
parse(const char *text) noexcept
{
	List *const statements = pg_parse_query(text);

	if (list_length(statements) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("one command can be run in the background, not %d", list_length(statements))));
	RawStmt *const statement = linitial_node(RawStmt, statements);
	if (IsA(statement->stmt, TransactionStmt) || needs_client(statement->stmt))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("%s cannot be run in the background", CreateCommandName(statement->stmt))));
	return statement;
}

List *
plan(RawStmt *statement, const char *text) noexcept
{
	const bool needs_snapshot = analyze_requires_snapshot(statement);

	if (needs_snapshot)
		PushActiveSnapshot(GetTransactionSnapshot());
	List *const queries = pg_analyze_and_rewrite_fixedparams(statement, text, nullptr, 0, nullptr);
	List *const plans = pg_plan_queries(queries, text, CURSOR_OPT_PARALLEL_OK, nullptr);
	if (needs_snapshot)
		PopActiveSnapshot();
	return plans;
}

// As a client's session would run it.  What is parsed and planned must outlive the
// commits that some commands make.
void
run(const char *text) noexcept
{
	MemoryContextSwitchTo(MessageContext);
	RawStmt *const statement = parse(text);
	const CommandTag tag = CreateCommandTag(statement->stmt);
	List *const plans = plan(statement, text);
	const Portal portal = CreatePortal("", true, true);

	portal->visible = false;
	PortalDefineQuery(portal, nullptr, text, tag, plans, nullptr);
	PortalStart(portal, nullptr, 0, InvalidSnapshot);
	server::run_portal(portal);
	PortalDrop(portal, false);
}

void
run_order() noexcept
{
	const char *const text = order->text;

	order->state.store(State::running);
	MessageContext = AllocSetContextCreate(TopMemoryContext, "MessageContext", ALLOCSET_DEFAULT_SIZES);
	debug_query_string = text;
	pgstat_report_activity(STATE_RUNNING, text);
	const ErrorData *const error = in_transaction([text]() noexcept { run(text); });
	if (error != nullptr)
		fail(*error);
	else
		succeed();
}

} // namespace

} // namespace remedy::schedule

REMEDY_EXPORT_BEGIN
void remedy_run_command(Datum handle);
REMEDY_EXPORT_END

void
remedy_run_command(Datum handle)
{
	using namespace remedy::schedule;

	// The server's own reaction would end the process in the middle of anything.
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	order = take_order(DatumGetUInt32(handle));
	if (order == nullptr)
		proc_exit(0);
	check_layout();
	previous_log = emit_log_hook;
	emit_log_hook = on_log;
	connect();
	run_order();
	proc_exit(0);
}

#include "repetition/server_loops.hpp"

#include <string_view>

#include "repetition/reporting.hpp"
#include "repetition/settings.hpp"
#include "server/guard.hpp"

namespace remedy::repetition {

bool detail::server_loops_found = false;

namespace {

constexpr unsigned limit = 16;

// A query of the statement that is being executed, or was.
struct ServerLoop
{
	std::uint64_t fingerprint;
	Nanoseconds statement; // the arrival of the client's statement it runs in
	std::uint64_t runs;
	Oid table;
	bool writes;
	observe::RawText text; // once it is a loop
};

ServerLoop loops[limit];
MemoryContext texts = nullptr;

Oid
table_of(const PlannedStmt &planned) noexcept
{
	ListCell *cell;

	foreach (cell, planned.rtable)
	{
		const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell);
		if (entry->rtekind == RTE_RELATION && entry->relid >= FirstNormalObjectId)
			return entry->relid;
	}
	return InvalidOid;
}

// The queries of referential checks are the only ones that write and skip triggers; those
// that read lock what they find under a name that is always the same.
bool
checks_reference(const QueryDesc *query) noexcept
{
	constexpr std::string_view start = "SELECT 1 FROM ", end = " FOR KEY SHARE OF x";
	const std::string_view text = query->sourceText;

	if (query->operation != CMD_SELECT)
		return (query->estate->es_top_eflags & EXEC_FLAG_SKIP_TRIGGERS) != 0;
	return text.starts_with(start) && text.ends_with(end);
}

// Statements that failed have left what was found in them.
void
forget_earlier(Nanoseconds statement) noexcept
{
	for (const ServerLoop &loop : loops)
		if (loop.statement == statement && loop.table != InvalidOid)
			return;
	for (ServerLoop &loop : loops)
		if (loop.table != InvalidOid)
			loop = {};
	if (texts == nullptr)
		texts = AllocSetContextCreate(TopMemoryContext, "pg_remedy nested texts", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(texts);
}

pg_noinline void
become_loop(ServerLoop &loop, const QueryDesc *query) noexcept
{
	const PlannedStmt &planned = *query->plannedstmt;
	const bool is_ours = query->sourceText == nullptr || checks_reference(query);
	const Oid table = is_ours ? InvalidOid : table_of(planned);

	if (table == InvalidOid)
		return;
	forget_earlier(loop.statement);
	loop.table = table;
	loop.writes = planned.commandType != CMD_SELECT;
	loop.text = observe::copy_text(observe::own_part(query->sourceText, planned.stmt_location, planned.stmt_len),
								   query->params, texts);
	detail::server_loops_found = true;
}

// Its own; else that of an earlier statement's query, or of the one that ran least.
ServerLoop &
place_for(std::uint64_t fingerprint, Nanoseconds statement) noexcept
{
	ServerLoop *place = loops;

	for (ServerLoop &loop : loops)
	{
		if (loop.fingerprint == fingerprint && loop.statement == statement)
			return loop;
		const std::uint64_t runs = loop.statement == statement ? loop.runs : 0;
		const std::uint64_t least = place->statement == statement ? place->runs : 0;
		if (runs < least)
			place = &loop;
	}
	*place = {fingerprint, statement, 0, InvalidOid, false, {}};
	return *place;
}

std::uint64_t
least_runs() noexcept
{
	return 2 * static_cast<unsigned>(settings.threshold);
}

} // namespace

void
note_nested_run(const QueryDesc *query) noexcept
{
	const observe::Statement *const statement = observe::executing_statement();
	const std::uint64_t fingerprint = query->plannedstmt->queryId;

	if (statement == nullptr || fingerprint == 0 || query->already_executed)
		return;
	ServerLoop &loop = place_for(fingerprint, statement->arrived);
	if (++loop.runs == least_runs())
		become_loop(loop, query);
}

void
report_server_loops(const observe::Statement &statement) noexcept
{
	detail::server_loops_found = false;
	for (ServerLoop &loop : loops)
		if (loop.statement == statement.arrived && loop.table != InvalidOid)
		{
			report({statement.fingerprint, loop.fingerprint, loop.table, loop.writes, loop.text, loop.runs});
			loop = {};
		}
	MemoryContextReset(texts);
}

} // namespace remedy::repetition

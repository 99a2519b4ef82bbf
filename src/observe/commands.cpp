#include "observe/commands.hpp"

#include "observe/listeners.hpp"
#include "observe/nested.hpp"
#include "observe/session.hpp"
#include "observe/statement_kinds.hpp"

namespace remedy::observe {

namespace {

using detail::mode;

Statement command; // the one at top level
const PlannedStmt *cursor = nullptr;
bool is_explain = false;
bool is_fetch = false;

// The command that was analysed last.  pg_stat_statements takes a command's fingerprint
// off when it meets the command before we do; a command of the simple protocol is the
// very one that was analysed.
struct Analysed
{
	const Node *command; // compared, never followed
	NodeTag tag;
	int location;
	std::uint64_t fingerprint;
} analysed;

std::uint64_t
fingerprint_of(const PlannedStmt &statement) noexcept
{
	const bool is_analysed = statement.utilityStmt == analysed.command &&
							 nodeTag(statement.utilityStmt) == analysed.tag &&
							 statement.stmt_location == analysed.location;

	return statement.queryId == 0 && is_analysed ? analysed.fingerprint : statement.queryId;
}

// Unlike a query, a command may end the transaction, or roll it back, and go on.
void
run_command(const server::Utility &utility) noexcept
{
	const Nanoseconds began = now();

	enter_statement(command, nullptr, utility.statement, fingerprint_of(*utility.statement), utility.text,
					utility.params);
	note_arrival(command, began);
	begin(command, began);
	is_explain = IsA(utility.statement->utilityStmt, ExplainStmt);
	finally([&utility]() noexcept { utility.proceed(); },
			[&utility](bool failed) noexcept {
				is_explain = false;
				const bool has_rows = !failed && utility.completion != nullptr;
				end_counted(command, failed, has_rows ? utility.completion->nprocessed : 0);
			});
	if (!command.own)
		tell_finished(command);
}

void
open_cursor(const server::Utility &utility) noexcept
{
	cursor = utility.statement;
	mode.opening_cursor = true;
	finally([&utility]() noexcept { utility.proceed(); }, [](bool) noexcept { mode.opening_cursor = false; });
}

void
fetch(const server::Utility &utility) noexcept
{
	is_fetch = true;
	finally([&utility]() noexcept { utility.proceed(); }, [](bool) noexcept { is_fetch = false; });
}

} // namespace

void
on_utility(const server::Utility &utility)
{
	const bool is_top = utility.context == PROCESS_UTILITY_TOPLEVEL;

	doubt_group();
	if (!is_top)
	{
		run_nested_command(utility);
		return;
	}
	if (!counting() || executing() || mode.elsewhere)
	{
		utility.proceed();
		return;
	}
	switch (kind_of_utility(utility.statement->utilityStmt))
	{
	case UtilityKind::counted:
		run_command(utility);
		break;
	case UtilityKind::cursor:
		open_cursor(utility);
		break;
	case UtilityKind::runs_triggers:
		run_elsewhere([&utility]() noexcept { utility.proceed(); });
		break;
	case UtilityKind::fetch:
		fetch(utility);
		break;
	case UtilityKind::new_session:
		utility.proceed();
		end_watch();
		tell_new_session();
		break;
	case UtilityKind::transparent:
		utility.proceed();
		break;
	}
}

void
note_command(const Query *query) noexcept
{
	analysed = {query->utilityStmt, nodeTag(query->utilityStmt), query->stmt_location,
				static_cast<std::uint64_t>(query->queryId)};
}

const PlannedStmt *
opening_cursor() noexcept
{
	return cursor;
}

bool
explaining() noexcept
{
	return is_explain;
}

bool
fetching() noexcept
{
	return is_fetch;
}

} // namespace remedy::observe

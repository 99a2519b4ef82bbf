#include "observe/execution.hpp"

#include "server/shared.hpp"

namespace remedy::observe {

Mode detail::mode = {true, false, false, false};
Statement *detail::current = nullptr;
Nanoseconds detail::began = 0;
Nanoseconds detail::last_analysis = 0;

void
detail::end_failed() noexcept
{
	end_counted(*current, true, 0);
}

void
end_counted(Statement &statement, bool failed, std::uint64_t rows) noexcept
{
	const bool is_call = !statement.counted;
	const std::uint64_t flags = (is_call ? 0 : Entry::further) | (failed ? Entry::failed : 0);
	const Nanoseconds ended = now();

	detail::note_end(statement, detail::began, ended, rows);
	statement.counted = true;
	if (!statement.own)
		count(statement, flags,
			  {rows, statement.execution, ended, is_call ? detail::waiting_in_transaction(statement) : 0});
}

// A statement that was not analysed since the last one has the text it had then.
void
begin_transaction(const PlannedStmt *planned, const char *source, Oid user) noexcept
{
	Session &counts = *session();

	if (planned != counts.route_source || detail::last_analysis > counts.last_end)
		look_for_route(planned, source);
	begin_transaction_counts(user, counts.route, counts.route_changed);
	counts.route_changed = false;
}

void
backend_ends() noexcept
{
	if (executing())
		detail::end_failed();
}

void
enter_function() noexcept
{
	server::place_regions();
	if (!IsParallelWorker() && open_session() && executing())
		detail::current->own = true;
}

} // namespace remedy::observe

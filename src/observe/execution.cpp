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
	Session &counts = *session();

	detail::mode.executing = false;
	statement.counted = true;
	statement.ended = counts.last_end = ended;
	statement.execution = detail::began == 0 ? 0 : ended - detail::began;
	statement.rows = rows;
	if (!statement.own)
		count(statement, flags,
			  {rows, statement.execution, ended, is_call && counts.calls > 0 ? statement.waiting : 0});
}

const Statement *
executing_statement() noexcept
{
	return executing() ? detail::current : nullptr;
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

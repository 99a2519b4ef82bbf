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

// A failure, or a further run.
void
detail::count_rest(const Statement &statement, bool failed, Nanoseconds waiting) noexcept
{
	const bool is_call = !statement.counted;
	const std::uint64_t flags = (is_call ? 0 : Entry::further) | (failed ? Entry::failed : 0);

	count(statement, flags, {statement.rows, statement.execution, statement.ended, is_call ? waiting : 0});
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

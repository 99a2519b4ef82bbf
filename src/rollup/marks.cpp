#include "rollup/marks.hpp"

#include "rollup/known_marks.hpp"
#include "rollup/mark_log.hpp"

namespace remedy::rollup {

void
mark_range(const Rollup &rollup, const Datum *from, const Datum *until) noexcept
{
	MarkLog *const log = MarkLog::open(rollup);

	if (log == nullptr)
		return;
	const MarkLog::Columns columns = log->add(Mark::range);
	if (from != nullptr)
	{
		*columns.bucket = *from;
		*columns.null_bucket = false;
	}
	if (until != nullptr)
	{
		*columns.until = *until;
		*columns.null_until = false;
	}
	log->close();
}

void
mark_everything(const Rollup &rollup) noexcept
{
	mark_range(rollup, nullptr, nullptr);
}

} // namespace remedy::rollup

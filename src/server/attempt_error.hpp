// attempt(), for a caller who tells of the error himself.

#pragma once

#include "server/guard.hpp"

namespace remedy {

// The error is in the caller's memory context; null if there was none.
template <class Body>
ErrorData *
attempt_or_error(Body &&body)
{
	static_assert(noexcept(body()), "server code raises errors, not exceptions: mark the body noexcept");
	detail::Subtransaction subtransaction;
	ErrorData *volatile error = nullptr;

	subtransaction.begin();
	PG_TRY();
	{
		body();
		subtransaction.commit();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(subtransaction.memory);
		error = CopyErrorData();
		subtransaction.roll_back(nullptr);
	}
	PG_END_TRY();
	return error;
}

} // namespace remedy

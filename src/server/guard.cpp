#include "server/guard.hpp"

namespace remedy::detail {

void
Failure::set(int code, const char *text) noexcept
{
	sqlstate = code;
	strlcpy(message, text, sizeof(message));
}

void
Failure::raise() const
{
	if (pending)
		PG_RE_THROW();
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", message)));
	pg_unreachable();
}

void
Subtransaction::begin() noexcept
{
	memory = CurrentMemoryContext;
	owner = CurrentResourceOwner;
	BeginInternalSubTransaction(nullptr);
	MemoryContextSwitchTo(memory);
}

void
Subtransaction::commit() noexcept
{
	ReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;
}

void
Subtransaction::roll_back() noexcept
{
	MemoryContextSwitchTo(memory);
	const int sqlstate = geterrcode();

	// A cancel is the user's own wish: it goes on, whatever we were doing.
	if (sqlstate == ERRCODE_QUERY_CANCELED)
		PG_RE_THROW();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;
}

} // namespace remedy::detail

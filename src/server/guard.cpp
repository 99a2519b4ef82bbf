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

ErrorData *
abort_transaction(MemoryContext memory) noexcept
{
	MemoryContextSwitchTo(memory);
	ErrorData *const error = CopyErrorData();
	FlushErrorState();
	AbortOutOfAnyTransaction();
	return error;
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
Subtransaction::roll_back(const char *what) noexcept
{
	MemoryContextSwitchTo(memory);
	const int sqlstate = geterrcode();

	// A cancel is the user's own wish: it goes on, whatever we were doing.
	if (sqlstate == ERRCODE_QUERY_CANCELED)
		PG_RE_THROW();
	ErrorData *const error = what == nullptr ? nullptr : CopyErrorData();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;
	if (error == nullptr)
		return;
	ereport(LOG, (errcode(error->sqlerrcode), errmsg("pg_remedy could not %s: %s", what, error->message)));
	FreeErrorData(error);
}

MemoryAttempt::MemoryAttempt() noexcept
{
	client_min_messages = ERROR;
	log_min_messages = ERROR;
}

void
MemoryAttempt::begin() noexcept
{
	own_ = AllocSetContextCreate(before_, "pg_remedy attempt", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(own_);
}

void
MemoryAttempt::forget_error() noexcept
{
	MemoryContextSwitchTo(before_);
	if (geterrcode() == ERRCODE_QUERY_CANCELED)
	{
		end();
		PG_RE_THROW();
	}
	FlushErrorState();
	// An error drops these, since it is expected to end what asked for them.
	InterruptHoldoffCount = interrupts_held_;
	QueryCancelHoldoffCount = cancels_held_;
}

void
MemoryAttempt::end() noexcept
{
	client_min_messages = client_level_;
	log_min_messages = log_level_;
	MemoryContextSwitchTo(before_);
	if (own_ != nullptr)
		MemoryContextDelete(own_);
}

} // namespace remedy::detail

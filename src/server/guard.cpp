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
	sigset_t conflicts;

	memory = CurrentMemoryContext;
	owner = CurrentResourceOwner;
	sigemptyset(&conflicts);
	conflicts_wait = RecoveryInProgress();
	if (conflicts_wait)
		sigaddset(&conflicts, SIGUSR1);
	sigprocmask(SIG_BLOCK, &conflicts, &signals);
	// What came before is the user's, and is seen to outside of the subtransaction.
	if (InterruptPending)
	{
		sigprocmask(SIG_SETMASK, &signals, nullptr);
		CHECK_FOR_INTERRUPTS();
		sigprocmask(SIG_BLOCK, &conflicts, nullptr);
	}
	BeginInternalSubTransaction(nullptr);
	MemoryContextSwitchTo(memory);
}

void
Subtransaction::commit() noexcept
{
	ReleaseCurrentSubTransaction();
	end();
}

void
Subtransaction::end() noexcept
{
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;
	sigprocmask(SIG_SETMASK, &signals, nullptr);
}

void
Subtransaction::abandon() noexcept
{
	// The roll-back itself lets through all signals that the server ever does.
	const sigset_t let_through = UnBlockSig;

	if (conflicts_wait)
		sigaddset(&UnBlockSig, SIGUSR1);
	RollbackAndReleaseCurrentSubTransaction();
	UnBlockSig = let_through;
	end();
}

void
Subtransaction::undo() noexcept
{
	abandon();
	if (conflicts_wait)
		CHECK_FOR_INTERRUPTS();
}

void
Subtransaction::roll_back(const char *what) noexcept
{
	MemoryContextSwitchTo(memory);
	// A cancel is the user's own wish: it goes on, whatever we were doing.
	const bool goes_on = geterrcode() == ERRCODE_QUERY_CANCELED;
	ErrorData *const error = goes_on || what != nullptr ? CopyErrorData() : nullptr;

	FlushErrorState();
	abandon();
	if (goes_on)
	{
		// A conflict that waited is the better reason, and would end the session later.
		CHECK_FOR_INTERRUPTS();
		ReThrowError(error);
	}
	if (error == nullptr)
		return;
	ereport(LOG, (errcode(error->sqlerrcode), errmsg("pg_remedy could not %s: %s", what, error->message)));
	FreeErrorData(error);
}

ErrorData *
Subtransaction::roll_back() noexcept
{
	MemoryContextSwitchTo(memory);
	ErrorData *const error = CopyErrorData();

	FlushErrorState();
	abandon();
	return error;
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

int
MemoryAttempt::forget_error(bool (*expected)(int)) noexcept
{
	const int sqlstate = geterrcode();

	MemoryContextSwitchTo(before_);
	if (sqlstate == ERRCODE_QUERY_CANCELED || (expected != nullptr && !expected(sqlstate)))
	{
		end();
		PG_RE_THROW();
	}
	FlushErrorState();
	// An error drops these, since it is expected to end what asked for them.
	InterruptHoldoffCount = interrupts_held_;
	QueryCancelHoldoffCount = cancels_held_;
	return sqlstate;
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

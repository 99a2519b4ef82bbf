#include "observe/session.hpp"

#include "observe/execution.hpp"
#include "observe/transaction_statistics.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

Session *detail::current_session = nullptr;

namespace {

MemoryContext texts = nullptr;

// A backend that is terminated in the middle of a statement runs no clean-up of
// the statement or the transaction before this.
void
close_session(int, Datum) noexcept
{
	backend_ends();
	end_transaction();
	detach();
	detail::current_session = nullptr;
}

PeriodTally *
entry_in(StatementEntry *entry, PeriodTally StatementEntry::*period) noexcept
{
	return entry == nullptr ? nullptr : &(entry->*period);
}

} // namespace

bool
open_session() noexcept
{
	if (session() != nullptr)
		return true;
	if (MyBackendType != B_BACKEND)
		return false;
	server::place_regions();
	texts = AllocSetContextCreate(TopMemoryContext, "pg_remedy statement texts", ALLOCSET_DEFAULT_SIZES);
	void *const memory = MemoryContextAllocZero(TopMemoryContext, sizeof(Session));
	before_shmem_exit(close_session, 0);
	attach();
	Session *const opened = static_cast<Session *>(memory);
	opened->transaction.restart(++opened->transactions);
	detail::current_session = opened;
	return true;
}

StatementEntry *
entry_for(std::uint64_t fingerprint, const char *source, int location, int length) noexcept
{
	Session &session = *detail::current_session;

	if (fingerprint == 0)
		return nullptr;
	const Claim claim = session.statements.claim(fingerprint, session.transaction.number, session.watch.number);
	if (claim.fresh)
	{
		char *const stale = claim.entry->text.bytes;
		claim.entry->text = {};
		if (stale != nullptr)
			pfree(stale);
		if (source != nullptr)
			claim.entry->text = copy_text(own_part(source, location, length), texts);
	}
	return claim.entry;
}

void
count(StatementEntry *entry, const Executed &executed) noexcept
{
	Session &session = *detail::current_session;
	Period &transaction = session.transaction;
	GroupCounts counts = {};

	if (transaction.statements == 0)
		begin_transaction_counts(executed.user);
	// The time before the first statement of a transaction was not spent in it.
	else if (executed.tally.calls > 0)
		counts.waiting = executed.waiting;
	transaction.count(entry_in(entry, &StatementEntry::transaction), executed.tally);
	if (session.watch.number != 0)
		session.watch.count(entry_in(entry, &StatementEntry::watch), executed.tally);
	counts.statements = executed.tally.calls;
	counts.failed = executed.failed;
	counts.rows = executed.tally.rows;
	counts.execution = executed.tally.execution;
	add_to_transaction(counts, executed.user);
}

void
count_nested() noexcept
{
	++session()->transaction.nested;
}

void
end_transaction() noexcept
{
	Session &session = *detail::current_session;
	const std::uint64_t statements = session.transaction.statements;

	if (statements > 0)
		end_transaction_counts(session.transaction.nested);
	// What ran in the transactions of a procedure is nested in its CALL, which is
	// counted in the last of them.
	else if (executing())
		return;
	if (statements > 0 || session.transaction.nested > 0)
		session.transaction.restart(++session.transactions);
}

void
start_watch() noexcept
{
	session()->watch.restart(++session()->watches);
}

void
end_watch() noexcept
{
	session()->watch.restart(0);
}

} // namespace remedy::observe

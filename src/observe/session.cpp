#include "observe/session.hpp"

#include "observe/hooks.hpp"
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
	fail_running_statement();
	end_transaction();
	detach();
	detail::current_session = nullptr;
}

PeriodTally *
entry_in(StatementEntry *entry, PeriodTally StatementEntry::*period) noexcept
{
	return entry == nullptr ? nullptr : &(entry->*period);
}

StatementEntry *
entry_for(const Executed &executed) noexcept
{
	if (executed.fingerprint == 0)
		return nullptr;
	const Claim claim =
		session()->statements.claim(executed.fingerprint, session()->transaction.number, session()->watch.number);
	if (claim.fresh)
	{
		char *const stale = claim.entry->text;
		claim.entry->text = nullptr;
		if (stale != nullptr)
			pfree(stale);
		if (executed.source != nullptr)
			claim.entry->text = copy_text(own_part(executed.source, executed.location, executed.length), texts);
	}
	return claim.entry;
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

void
count(const Executed &executed) noexcept
{
	Session &session = *detail::current_session;
	StatementEntry *const entry = entry_for(executed);
	const bool calls = executed.tally.calls > 0;
	GroupCounts counts = {};

	if (session.transaction.statements == 0)
		begin_transaction_counts();
	session.transaction.count(entry_in(entry, &StatementEntry::transaction), executed.tally);
	if (session.watch.number != 0)
		session.watch.count(entry_in(entry, &StatementEntry::watch), executed.tally);
	// The time before the first statement of a transaction was not spent in it.
	if (calls && session.transaction.statements > executed.tally.calls)
	{
		session.transaction.waiting += executed.waiting;
		counts.waiting = executed.waiting;
	}
	session.transaction.failed += executed.failed;
	counts.statements = executed.tally.calls;
	counts.failed = executed.failed;
	counts.rows = executed.tally.rows;
	counts.execution = executed.tally.execution;
	add_to_transaction(counts);
}

void
count_nested() noexcept
{
	++session()->transaction.nested;
	if (session()->watch.number != 0)
		++session()->watch.nested;
}

void
end_transaction() noexcept
{
	Session &session = *detail::current_session;
	const std::uint64_t statements = session.transaction.statements;

	if (statements > 0)
		end_transaction_counts(statements, session.transaction.nested);
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

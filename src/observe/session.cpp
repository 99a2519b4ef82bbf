#include "observe/session.hpp"

#include "observe/hooks.hpp"
#include "observe/transaction_statistics.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

namespace {

Session *current = nullptr;
MemoryContext texts = nullptr;

// A backend that is terminated in the middle of a statement runs no clean-up of
// the statement or the transaction before this.
void
close_session(int, Datum) noexcept
{
	fail_running_statement();
	end_transaction();
	detach();
	current = nullptr;
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
		current->statements.claim(executed.fingerprint, current->transaction.number, current->watch.number);
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

Session *
session() noexcept
{
	return current;
}

bool
open_session() noexcept
{
	if (current != nullptr)
		return true;
	if (MyBackendType != B_BACKEND)
		return false;
	server::place_regions();
	texts = AllocSetContextCreate(TopMemoryContext, "pg_remedy statement texts", ALLOCSET_DEFAULT_SIZES);
	void *const memory = MemoryContextAllocZero(TopMemoryContext, sizeof(Session));
	before_shmem_exit(close_session, 0);
	attach();
	current = static_cast<Session *>(memory);
	current->transaction.restart(++current->transactions);
	return true;
}

void
count(const Executed &executed) noexcept
{
	Session &session = *current;
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
	++current->transaction.nested;
	if (current->watch.number != 0)
		++current->watch.nested;
}

void
end_transaction() noexcept
{
	Session &session = *current;
	const std::uint64_t statements = session.transaction.statements;

	if (statements > 0)
	{
		GroupCounts counts = {};
		counts.nested = session.transaction.nested;
		add_to_transaction(counts);
		end_transaction_counts(statements);
	}
	if (statements > 0 || session.transaction.nested > 0)
		session.transaction.restart(++session.transactions);
}

void
start_watch() noexcept
{
	current->watch.restart(++current->watches);
}

void
end_watch() noexcept
{
	current->watch.restart(0);
}

} // namespace remedy::observe

#include "observe/session.hpp"

#include "observe/execution.hpp"
#include "observe/route.hpp"
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

void
replace_text(StatementEntry &entry, const PlannedStmt *planned, const char *source, ParamListInfo parameters) noexcept
{
	char *const stale = entry.text.bytes;

	entry.text = {};
	if (stale != nullptr)
		pfree(stale);
	if (source != nullptr)
		entry.text = copy_text(own_part(source, planned->stmt_location, planned->stmt_len), parameters, texts);
}

unsigned
place_for(StatementEntry *entry, std::uint64_t fingerprint, Oid user, bool nested) noexcept
{
	const StatementKey key = {fingerprint, MyDatabaseId, user, nested, 0};

	if (entry == nullptr)
		return slot_place(key, {});
	if (unlikely(!is_place_of(entry->place, fingerprint, user, nested)))
		entry->place = slot_place(key, entry->text);
	return entry->place;
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
entry_for(std::uint64_t fingerprint, const PlannedStmt *planned, const char *source, ParamListInfo parameters) noexcept
{
	Session &session = *detail::current_session;

	if (fingerprint == 0)
		return nullptr;
	const Claim claim = session.statements.claim(fingerprint, session.transaction.number, session.watch.number);
	if (claim.fresh)
		replace_text(*claim.entry, planned, source, parameters);
	return claim.entry;
}

void
look_for_route(const char *source) noexcept
{
	Session &session = *detail::current_session;
	char found[route_bytes] = "";

	session.route_source = source;
	if (source != nullptr)
	{
		const std::size_t length = strlen(source);
		if (may_have_route(source, length))
			route_of(source, length, found, sizeof(found));
	}
	if (strcmp(found, session.route) == 0)
		return;
	strlcpy(session.route, found, sizeof(session.route));
	session.route_changed = true;
}

void
count(StatementEntry *entry, std::uint64_t fingerprint, Oid user, const Executed &executed) noexcept
{
	Session &session = *detail::current_session;
	Period &transaction = session.transaction;
	const Tally tally = {executed.call, executed.rows, executed.execution};
	const unsigned place = place_for(entry, fingerprint, user, false);

	if (transaction.statements == 0)
	{
		begin_transaction_counts(user, session.route, session.route_changed);
		session.route_changed = false;
	}
	transaction.count(entry_in(entry, &StatementEntry::transaction), tally);
	if (unlikely(session.watch.number != 0))
		session.watch.count(entry_in(entry, &StatementEntry::watch), tally);
	count_statement(place, executed);
}

void
count_nested_run(StatementEntry *entry, std::uint64_t fingerprint, const Executed &executed) noexcept
{
	count_nested_statement(place_for(entry, fingerprint, GetUserId(), true), executed);
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

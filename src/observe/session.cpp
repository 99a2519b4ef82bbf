#include "observe/session.hpp"

#include "observe/execution.hpp"
#include "observe/route.hpp"
#include "observe/settings.hpp"
#include "observe/unseen.hpp"
#include "server/shared.hpp"

namespace remedy::observe {

Session *detail::current_session = nullptr;
bool detail::ready = false;

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
	not_ready();
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

} // namespace

bool
detail::get_ready() noexcept
{
	ready = settings.enabled && !IsParallelWorker() && !ignoring_statement() && open_session();
	return ready;
}

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
new_entry_for(std::uint64_t fingerprint, const PlannedStmt *planned, const char *source, ParamListInfo parameters) noexcept
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
look_for_route(const PlannedStmt *planned, const char *source) noexcept
{
	Session &session = *detail::current_session;
	char found[route_bytes] = "";

	session.route_source = planned;
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

unsigned
detail::new_place(StatementEntry *entry, std::uint64_t fingerprint, Oid user, bool nested) noexcept
{
	const unsigned place = slot_place({fingerprint, MyDatabaseId, user, nested, 0}, entry == nullptr ? RawText{} : entry->text);

	if (entry != nullptr)
		entry->place = place;
	return place;
}

void
count_nested_run(StatementEntry *entry, std::uint64_t fingerprint, const Executed &executed) noexcept
{
	count_nested_statement(detail::place_for(entry, fingerprint, GetUserId(), true), executed);
}

void
count_nested() noexcept
{
	++session()->transaction.nested;
}

// What ran in the transactions of a procedure is nested in its CALL, which is counted
// in the last of them.
void
detail::end_other_transaction() noexcept
{
	Period &transaction = session()->transaction;

	if (transaction.nested > 0 && !observe::executing())
		transaction.restart(++session()->transactions);
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

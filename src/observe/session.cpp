#include "observe/session.hpp"

#include "observe/execution.hpp"
#include "observe/listeners.hpp"
#include "observe/route.hpp"
#include "observe/settings.hpp"
#include "observe/unseen.hpp"
#include "server/shared.hpp"

#include <string_view>

extern "C" {
#include "common/hashfn.h"
}

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
	mode.not_ready = !settings.enabled || IsParallelWorker() || ignoring_statement() || !open_session();
	return !mode.not_ready;
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
new_entry_for(std::uint64_t fingerprint, const PlannedStmt *planned, const char *source,
			  ParamListInfo parameters) noexcept
{
	Session &session = *detail::current_session;

	if (fingerprint == 0)
		return nullptr;
	settle(); // it may take the place of an entry that nothing in the transaction needs
	const Claim claim = session.statements.claim(fingerprint, session.transaction.number, session.watch.number);
	if (claim.fresh)
		replace_text(*claim.entry, planned, source, parameters);
	return claim.entry;
}

namespace {

std::uint64_t
hash_of(std::string_view text, std::uint64_t seed) noexcept
{
	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(text.data()), static_cast<int>(text.size()),
							   seed);
}

// Whether the text tells of another request than the one before it did.
bool
tells_other_request(std::string_view text, const char *found) noexcept
{
	Session &session = *detail::current_session;
	const std::string_view trace = trace_of(text.data(), text.size());
	const std::uint64_t request = trace.empty() ? hash_of(found, 1) : hash_of(trace, 2);
	const bool other = session.request != 0 && request != session.request;

	if (trace.empty() && found[0] == '\0')
		return false;
	session.request = request;
	return other;
}

// Finds out which route a transaction is for that begins with this statement.  True if it
// is surely another request's: a statement that was prepared for another may have its comment.
bool
look_for_route(const PlannedStmt *planned, const char *source, bool is_analysed) noexcept
{
	Session &session = *detail::current_session;
	const std::string_view text = source == nullptr ? std::string_view() : source;
	char found[route_bytes];
	bool other = false;

	found[0] = '\0';
	session.route_source = planned;
	if (may_have_route(text.data(), text.size()))
	{
		route_of(text.data(), text.size(), found, sizeof(found));
		other = is_analysed && tells_other_request(text, found);
	}
	if (found[0] == session.route[0] && (found[0] == '\0' || strcmp(found, session.route) == 0))
		return other;
	strlcpy(session.route, found, sizeof(session.route));
	session.route_changed = true;
	return other;
}

bool
is_other_client(Oid user) noexcept
{
	Session &session = *detail::current_session;
	const std::uint64_t client = hash_of(application_name, user);
	const bool other = session.client != 0 && session.client != client;

	session.client = client;
	return other;
}

} // namespace

// A statement that was not analysed since the last one has the text it had then.
void
begin_transaction(const PlannedStmt *planned, const char *source, Oid user, bool is_analysed) noexcept
{
	Session &counts = *session();
	bool other_request = false;

	if (planned != counts.route_source || is_analysed)
		other_request = look_for_route(planned, source, is_analysed);
	if (counts.route_changed || !is_group_of(user))
	{
		counts.route_changed = false;
		choose_group(user, counts.route);
		other_request |= is_other_client(user);
	}
	if (other_request)
		tell_new_request();
}

unsigned
detail::new_place(StatementEntry *entry, std::uint64_t fingerprint, Oid user, bool nested) noexcept
{
	const bool is_known = entry != nullptr && entry->fingerprint == fingerprint;
	const unsigned place = name_place({fingerprint, MyDatabaseId, user, nested, 0}, is_known ? entry->text : RawText{});

	if (is_known && !nested && place < Journal::names_limit)
	{
		entry->place = place;
		entry->place_user = user;
		entry->place_generation = names_generation;
	}
	return place;
}

namespace {

void
count_in_periods(StatementEntry *entry, const Tally &tally) noexcept
{
	Session &counts = *session();

	counts.transaction.count(entry == nullptr ? nullptr : &entry->transaction, tally);
	if (counts.watch.number != 0)
		counts.watch.count(entry == nullptr ? nullptr : &entry->watch, tally);
}

} // namespace

// The periods cannot know from the journal which statement has no name there.
unsigned
detail::place_anew(const Statement &statement, std::uint64_t flags, std::uint64_t rows, Nanoseconds execution) noexcept
{
	StatementEntry *const entry = statement.entry;
	const unsigned place = new_place(entry, statement.fingerprint, statement.user, false);

	if (place != Journal::others)
		return place;
	const bool is_known = entry != nullptr && entry->fingerprint == statement.fingerprint;
	settle();
	count_in_periods(is_known ? entry : nullptr, {(flags & Entry::further) == 0, rows, execution});
	return place;
}

namespace {

// Those without a name are in the periods already.
void
settle_entry(const Entry &entry) noexcept
{
	const unsigned place = entry.place();

	if (place >= Journal::names_limit || entry.is(Entry::nested))
		return;
	const std::uint64_t fingerprint = own_journal().names[place].fingerprint;
	count_in_periods(fingerprint == 0 ? nullptr : session()->statements.find(fingerprint),
					 {!entry.is(Entry::further), entry.rows(), entry.execution});
}

} // namespace

void
settle() noexcept
{
	Session &counts = *session();
	const Journal &journal = own_journal();
	const std::uint32_t written = journal.written.load(std::memory_order_relaxed);

	for (; counts.settled < written; ++counts.settled)
		settle_entry(journal.entries[counts.settled]);
}

void
journal_is_emptied() noexcept
{
	settle();
	session()->settled = 0;
}

void
journal_is_full(const Entry &entry) noexcept
{
	settle();
	settle_entry(entry);
}

void
count_nested_run(StatementEntry *entry, std::uint64_t fingerprint, std::uint64_t flags, Executed executed) noexcept
{
	count_entry(detail::new_place(entry, fingerprint, GetUserId(), true) | flags | Entry::nested, executed);
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

// A watched stretch goes on after the transaction, whose own counts end.
void
detail::prepare_transaction_end() noexcept
{
	const std::uint64_t nested = session()->transaction.nested;

	if (nested > 0)
		count_entry(Journal::inside, {nested, 0, 0, 0});
	settle();
	session()->transaction.restart(0);
}

void
start_watch() noexcept
{
	settle();
	session()->watch.restart(++session()->watches);
}

void
end_watch() noexcept
{
	settle();
	session()->watch.restart(0);
}

} // namespace remedy::observe

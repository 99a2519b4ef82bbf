#include "observe/statistics.hpp"

#include "observe/session.hpp"
#include "observe/settings.hpp"
#include "observe/shared_store.hpp"

namespace remedy::observe {

Store detail::store;
Journals detail::journals;
Journal *detail::mine = nullptr;
std::uint64_t detail::group_bits = 0;
Oid detail::group_user = InvalidOid;
const char *detail::group_application = nullptr;
std::uint32_t detail::next_fold = 0;
std::uint32_t names_generation = 1;

namespace {

using detail::group_application;
using detail::group_bits;
using detail::group_user;
using detail::journals;
using detail::mine;
using detail::next_fold;
using detail::region;
using detail::store;

// What found no room while the journal was full and the store was busy.
struct Beyond
{
	bool any;
	GroupCounts clients; // statements of clients
	GroupCounts inside;  // and those inside others

	// Of them, of the transaction with this number:
	std::uint32_t transaction;
	bool begun; // its first statement
	std::uint64_t statements;
};

Beyond beyond;

unsigned
capacity_for(int backends) noexcept
{
	return backends > 1 ? static_cast<unsigned>(settings.max_statements) : session_statements;
}

unsigned
groups_for(int backends) noexcept
{
	return backends > 1 ? shared_groups : session_groups;
}

Size
store_bytes(int backends) noexcept
{
	return CACHELINEALIGN(Store::bytes(capacity_for(backends), groups_for(backends)));
}

Size
region_bytes(int backends)
{
	return add_size(store_bytes(backends), Journals::bytes(backends));
}

void
placed(void *memory, int backends)
{
	store = Store::at(memory, capacity_for(backends), groups_for(backends));
	journals.place(static_cast<char *>(memory) + store_bytes(backends));
	if (store.header->capacity != 0)
		return;
	store.header->capacity = capacity_for(backends);
	store.header->group_count = groups_for(backends);
	store.header->reset_at = GetCurrentTimestamp();
	store.statements->initialise(store.header->capacity);
	store.texts->initialise(store.header->capacity);
}

// Once more, for a text may have given way to others, or found no room in the journal.
void
offer_text(std::uint64_t fingerprint) noexcept
{
	if (fingerprint == 0 || store.texts->holds(fingerprint))
		return;
	const RawText text = statement_text(fingerprint);
	if (text.bytes != nullptr && !store.texts->offer(fingerprint, traits_of(text), text.bytes, length_of(text)))
		++store.header->texts_missed;
}

void
offer_texts(const Journal &journal) noexcept
{
	for (unsigned place = 0; place < Journal::names_limit; ++place)
		if (journal.seen[place])
			offer_text(journal.names[place].fingerprint);
}

// The store's row of what found no room takes them.  The transaction that still runs goes
// on in the journal.
void
fold_beyond() noexcept
{
	StatementCounts &counts = store.statements->overflow().counts;

	if (beyond.transaction == session()->transaction.number)
	{
		mine->group = static_cast<std::uint8_t>(group_bits >> Entry::group_shift);
		mine->statements += beyond.statements;
		beyond.clients.transactions -= beyond.begun;
	}
	for (const GroupCounts &part : {beyond.clients, beyond.inside})
	{
		counts.calls += part.statements;
		counts.failed += part.failed;
		counts.rows += part.rows;
		counts.total += part.execution;
		store.header->times_missed += part.statements;
	}
	const GroupKey &group = mine->groups[group_bits >> Entry::group_shift];
	group_for(store.groups, store.header->group_count, group, store.header->folds).counts.add(beyond.clients);
	store.header->sizes_missed += beyond.clients.transactions;
	beyond = {};
}

// What a fold makes room for, beside entries.
enum class Room
{
	entries,
	names,
	groups,
};

// The lock is held exclusively.
void
fold_locked(Room wanted) noexcept
{
	set_clock();
	fold_journal(*mine);
	if (unlikely(beyond.any))
		fold_beyond();
	offer_texts(*mine);
	journal_is_emptied();
	mine->empty(wanted == Room::names, wanted == Room::groups);
	names_generation += wanted == Room::names;
	next_fold = Journal::worth_folding;
}

bool
try_fold(Room wanted) noexcept
{
	constexpr std::uint32_t pause = 64; // entries, before the next try

	if (!region.acquire_if_free(LW_EXCLUSIVE))
	{
		next_fold = std::min(mine->written.load(std::memory_order_relaxed) + pause, Journal::limit);
		return false;
	}
	fold_locked(wanted);
	region.release();
	return true;
}

void
try_fold_texts() noexcept
{
	if (!region.acquire_if_free(LW_EXCLUSIVE))
		return;
	fold_texts(*mine);
	mine->texts.empty();
	region.release();
}

// Who reads folds first, and so sees the text.
void
introduce(const StatementKey &key, const RawText &text) noexcept
{
	if (key.fingerprint == 0 || text.bytes == nullptr || store.statements->find(key) != StatementStore::none)
		return;
	const std::uint32_t length = length_of(text);
	if (mine->texts.are_worth_folding() || !mine->texts.has_room(length))
		try_fold_texts();
	if (mine->texts.has_room(length))
		mine->texts.add(key.fingerprint, traits_of(text), text.bytes, length);
}

bool
is_key_of(const GroupKey &key, Oid user, const char *application, const char *route) noexcept
{
	return key.user == user && strcmp(key.application, application) == 0 && strcmp(key.route, route) == 0;
}

// A free group, if need be made so by a fold.  If the store is busy another group takes
// the counts: the totals stay right.
unsigned
new_group(Oid user, const char *application, const char *route) noexcept
{
	unsigned choice = 0;

	while (choice < Journal::groups_limit && mine->groups[choice].user != 0)
		++choice;
	if (choice == Journal::groups_limit)
	{
		choice = 0;
		if (!try_fold(Room::groups))
			return choice;
	}
	GroupKey &key = mine->groups[choice];
	key.database = MyDatabaseId;
	strlcpy(key.application, application, sizeof(key.application));
	strlcpy(key.route, route, sizeof(key.route));
	key.user = user;
	return choice;
}

void
count_beyond(const Entry &entry) noexcept
{
	GroupCounts &counts = entry.is(Entry::nested) ? beyond.inside : beyond.clients;
	const bool is_call = !entry.is(Entry::further);

	beyond.any = true;
	if (entry.place() == Journal::inside)
	{
		beyond.clients.nested += entry.rows();
		return;
	}
	counts.transactions += entry.is(Entry::begins);
	counts.statements += is_call;
	counts.failed += entry.is(Entry::failed);
	counts.rows += entry.rows();
	counts.execution += entry.execution;
	counts.waiting += entry.waiting;
	if (entry.is(Entry::nested))
		return;
	if (beyond.transaction != session()->transaction.number)
	{
		beyond.transaction = session()->transaction.number;
		beyond.begun = entry.is(Entry::begins);
		beyond.statements = 0;
	}
	beyond.statements += is_call;
}

} // namespace

server::Region detail::region = {"pg_remedy statistics", region_bytes, placed, nullptr, nullptr};

void
declare_statistics() noexcept
{
	if (process_shared_preload_libraries_in_progress)
		DefineCustomIntVariable("pg_remedy.max_statements", "Number of statements whose statistics are kept.",
								"The statistics of the least used ones beyond are kept in one sum.",
								&settings.max_statements, 5000, 100, 100000, PGC_POSTMASTER, 0, nullptr, nullptr,
								nullptr);
	server::declare_region(region);
}

void
attach() noexcept
{
	mine = &journals.own();
	mine->database = MyDatabaseId;
	mine->attached = true;
	group_bits = 0;
	group_user = InvalidOid;
	next_fold = Journal::worth_folding;
}

void
detach() noexcept
{
	region.acquire(LW_EXCLUSIVE);
	fold_locked(Room::names);
	mine->empty(true, true);
	mine->attached = false;
	region.release();
	mine = nullptr;
}

unsigned
name_place(const StatementKey &key, const RawText &text) noexcept
{
	unsigned place = mine->find(key);

	if (place >= Journal::names_limit)
	{
		if (!try_fold(Room::names))
			return place;
		place = mine->find(key);
	}
	if (mine->is_free(place))
	{
		mine->names[place] = {key.fingerprint, key.user, key.nested};
		introduce(key, text);
	}
	return place;
}

void
choose_group(Oid user, const char *route) noexcept
{
	const char *const application = application_name == nullptr ? "" : application_name;
	unsigned group = 0;

	group_user = user;
	group_application = application_name;
	while (group < Journal::groups_limit && !is_key_of(mine->groups[group], user, application, route))
		++group;
	if (group == Journal::groups_limit)
		group = new_group(user, application, route);
	group_bits = std::uint64_t{group} << Entry::group_shift;
}

void
detail::append_when_full(Nanoseconds execution, Nanoseconds ended, Nanoseconds waiting, std::uint64_t what) noexcept
{
	const Entry entry = {execution, ended, waiting, what};

	// A fold for entries' sake leaves the names in their places.
	if (!try_fold(Room::entries) && mine->written.load(std::memory_order_relaxed) == Journal::limit)
	{
		journal_is_full(entry);
		count_beyond(entry);
	}
	else
		mine->append(entry);
}

void
reset_statistics(const Scope &scope) noexcept
{
	region.acquire(LW_EXCLUSIVE);
	set_clock();
	fold_all();
	if (beyond.any)
		fold_beyond();
	reset_store(scope);
	region.release();
}

Nanoseconds
median_execution(std::uint64_t fingerprint, Oid user) noexcept
{
	TimeHistogram times = {};
	const StatementKey key = {fingerprint, MyDatabaseId, user, 0, 0};
	const unsigned place = mine->find(key);

	if (!region.acquire_if_free(LW_SHARED))
		return 0;
	const std::uint32_t index = store.statements->find(key);
	if (index != StatementStore::none)
		times = (*store.statements)[index].times;
	for (std::uint32_t i = mine->folded; i < mine->written.load(std::memory_order_relaxed); ++i)
		if (place != Journal::others && mine->entries[i].place() == place)
			times.add_to_bucket(time_bucket(mine->entries[i].execution));
	region.release();
	return time_percentile(times, 0.5);
}

} // namespace remedy::observe

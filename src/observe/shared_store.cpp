#include "observe/shared_store.hpp"

namespace remedy::observe {

namespace {

using detail::journals;
using detail::region;
using detail::store;

std::int64_t clock_offset; // of timestamps from the monotonic clock, in microseconds

bool
is_everything(const Scope &scope) noexcept
{
	return scope.database == 0 && scope.user == 0 && scope.fingerprint == 0;
}

bool
lies_in(const StatementKey &key, const Scope &scope) noexcept
{
	if (is_everything(scope))
		return true;
	return key.user != 0 && (scope.database == 0 || key.database == scope.database) &&
		   (scope.user == 0 || key.user == scope.user) &&
		   (scope.fingerprint == 0 || key.fingerprint == scope.fingerprint);
}

// Of a transaction it is not known any more which statements it had.
bool
lies_in(const GroupKey &key, const Scope &scope) noexcept
{
	if (is_everything(scope))
		return true;
	return key.user != 0 && scope.fingerprint == 0 && (scope.database == 0 || key.database == scope.database) &&
		   (scope.user == 0 || key.user == scope.user);
}

void
forget(const Scope &scope) noexcept
{
	if (is_everything(scope))
	{
		// Texts stay, which nobody sees without their statements: sessions offer a text but once.
		store.statements->clear();
		memset(static_cast<void *>(store.groups), 0, store.header->group_count * sizeof(TransactionGroup));
		store.header->times_missed = store.header->sizes_missed = store.header->texts_missed = 0;
		store.header->reset_at = GetCurrentTimestamp();
		return;
	}
	for (unsigned i = 0; i < store.statements->size(); ++i)
		if (store.statements->is_used(i) && lies_in(store.statements->key(i), scope))
			store.statements->remove(i);
	for (unsigned i = 0; i < store.header->group_count; ++i)
		if (store.groups[i].used && lies_in(store.groups[i].key, scope))
			store.groups[i] = {};
}

} // namespace

Size
Store::bytes(unsigned capacity, unsigned group_count) noexcept
{
	Size size = MAXALIGN(sizeof(StoreHeader));

	size = add_size(size, MAXALIGN(group_count * sizeof(TransactionGroup)));
	size = add_size(size, MAXALIGN(StatementStore::bytes(capacity)));
	return add_size(size, MAXALIGN(TextStore::bytes(capacity)));
}

Store
Store::at(void *memory, unsigned capacity, unsigned group_count) noexcept
{
	char *next = static_cast<char *>(memory);
	const auto take = [&next](Size size) noexcept {
		char *const taken = next;
		next += MAXALIGN(size);
		return taken;
	};
	Store store;

	store.header = reinterpret_cast<StoreHeader *>(take(sizeof(StoreHeader)));
	store.groups = reinterpret_cast<TransactionGroup *>(take(group_count * sizeof(TransactionGroup)));
	store.statements = reinterpret_cast<StatementStore *>(take(StatementStore::bytes(capacity)));
	store.texts = reinterpret_cast<TextStore *>(take(TextStore::bytes(capacity)));
	return store;
}

void
set_clock() noexcept
{
	clock_offset = GetCurrentTimestamp() - now() / 1000;
}

void
fold_texts(Journal &journal) noexcept
{
	store.header->texts_missed += journal.texts.fold(*store.texts);
}

void
fold_journal(Journal &journal) noexcept
{
	fold({*store.statements, store.groups, store.header->group_count, ++store.header->folds, clock_offset}, journal);
	fold_texts(journal);
}

int
fold_all() noexcept
{
	int attached = 0;

	for (int i = 0; i < server::slot_limit(); ++i)
		if (journals[i].attached)
		{
			fold_journal(journals[i]);
			++attached;
		}
	return attached;
}

void
bring_up_to_date() noexcept
{
	set_clock();
	region.acquire(LW_EXCLUSIVE);
	fold_all();
	region.release();
}

// What was counted of the transactions that run is forgotten too.
void
reset_store(const Scope &scope) noexcept
{
	forget(scope);
	for (int i = 0; i < server::slot_limit(); ++i)
	{
		Journal &journal = journals[i];
		if (journal.attached && lies_in(journal.groups[journal.group], scope))
			journal.statements = 0;
	}
}

StoreStatus
store_status() noexcept
{
	const StoreHeader &header = *store.header;
	StoreStatus status;

	set_clock();
	region.acquire(LW_EXCLUSIVE);
	status.slots_used = fold_all();
	status.statements_used = store.statements->used();
	status.statements_max = store.statements->size();
	status.evicted = store.statements->evicted();
	status.times_missed = header.times_missed;
	status.sizes_missed = header.sizes_missed;
	status.texts_missed = header.texts_missed;
	status.texts_used = store.texts->used();
	status.texts_unsaved = header.texts_unsaved.load(std::memory_order_relaxed);
	status.reset_at = header.reset_at;
	region.release();
	return status;
}

Store
merged_store() noexcept
{
	const unsigned capacity = store.header->capacity;
	const unsigned group_count = store.header->group_count;
	const Size size = Store::bytes(capacity, group_count);
	void *const memory = MemoryContextAllocHuge(CurrentMemoryContext, size);

	bring_up_to_date();
	region.acquire(LW_SHARED);
	memcpy(memory, static_cast<const void *>(store.header), size);
	region.release();
	return Store::at(memory, capacity, group_count);
}

char *
normalised_text(const TextStore &texts, const TextStore::Record &record) noexcept
{
	const TextTraits &traits = record.traits;
	char *const bytes = static_cast<char *>(palloc(record.length + 1));

	texts.read(record, bytes);
	bytes[record.length] = '\0';
	return traits.normalised ? bytes : normalised({bytes, traits.standard_strings, traits.cut, 0, 0, nullptr});
}

} // namespace remedy::observe

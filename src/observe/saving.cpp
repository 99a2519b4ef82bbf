// One section for all of it, so that everything is of the same moment.
//
// A text is written without its constants only.  They are taken out in the process
// that saves, from its copy of the store, whatever database that process is in: the
// background worker is in none, and the text need not be in its encoding.

#include "observe/saving.hpp"

#include "observe/saved_records.hpp"
#include "observe/shared_store.hpp"

namespace remedy::observe {

namespace {

using detail::store;

void
save_totals(RecordWriter &writer, const Store &copy) noexcept
{
	SavedTotals totals;

	totals.reset_at = copy.header->reset_at;
	totals.evicted = copy.statements->evicted();
	totals.times_missed = copy.header->times_missed;
	totals.sizes_missed = copy.header->sizes_missed;
	totals.texts_missed = copy.header->texts_missed;
	writer.put(&totals, sizeof(totals));
}

bool
says_something(const char *text) noexcept
{
	return *text != '\0' && strcmp(text, "...") != 0;
}

// False if nothing of the text may be written.
bool
save_text(RecordWriter &writer, const TextStore &texts, const TextStore::Record &record) noexcept
{
	const char *const text = normalised_text(texts, record);
	const Size length = strlen(text);
	SavedText *const saved = static_cast<SavedText *>(palloc(sizeof(SavedText) + length));

	if (!says_something(text))
		return false;
	*saved = {};
	saved->encoding = record.traits.encoding;
	saved->parameter_count = record.traits.parameter_count;
	saved->fingerprint = record.fingerprint;
	saved->database = record.traits.database;
	saved->user = record.traits.user;
	memcpy(saved->parameter_types, record.traits.parameter_types, sizeof(saved->parameter_types));
	memcpy(saved + 1, text, length);
	writer.put(saved, sizeof(SavedText) + length);
	return true;
}

// The writer's memory is that of the context it was made in.
void
save_texts(RecordWriter &writer, const TextStore &texts) noexcept
{
	const MemoryContext memory =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy text to save", ALLOCSET_DEFAULT_SIZES);
	std::uint32_t unsaved = 0;

	for (unsigned i = 0; i < texts.capacity(); ++i)
		if (const TextStore::Record *const record = texts.record(i))
		{
			const MemoryContext caller = MemoryContextSwitchTo(memory);
			unsaved += !save_text(writer, texts, *record);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(memory);
			CHECK_FOR_INTERRUPTS();
		}
	MemoryContextDelete(memory);
	store.header->texts_unsaved.store(unsaved, std::memory_order_relaxed);
}

void
save_statement(RecordWriter &writer, std::uint32_t index, const StatementKey &key,
			   const StoredStatement &statement) noexcept
{
	WithBuckets<SavedStatement, TimeHistogram> saved;

	saved.head.index = index;
	saved.head.key = key;
	saved.head.counts = statement.counts;
	if (makes_sense(saved.head))
		writer.put(&saved, saved.pack(statement.times));
}

void
save_group(RecordWriter &writer, const TransactionGroup &group) noexcept
{
	WithBuckets<SavedGroup, SizeHistogram> saved;

	saved.head.last_fold = group.last_fold;
	saved.head.key = clean_copy(group.key);
	saved.head.counts = group.counts;
	saved.head.statements_max = group.statements_max;
	if (makes_sense(saved.head))
		writer.put(&saved, saved.pack(group.sizes));
}

void
save(RecordWriter &writer)
{
	const Store copy = merged_store();
	StatementStore &statements = *copy.statements;

	save_totals(writer, copy);
	save_texts(writer, *copy.texts);
	for (std::uint32_t i = 0; i < statements.size(); ++i)
		if (statements.is_used(i))
			save_statement(writer, i, statements.key(i), statements[i]);
	save_statement(writer, StatementStore::none, {}, statements.overflow());
	for (unsigned i = 0; i < copy.header->group_count; ++i)
		if (copy.groups[i].used)
			save_group(writer, copy.groups[i]);
	pfree(copy.header);
}

// ---- Loading ---------------------------------------------------------------------

bool
load_totals(const char *record, Size bytes) noexcept
{
	SavedTotals saved;

	if (!read_head(record, bytes, saved) || bytes != sizeof(saved) || saved.reset_at <= 0 ||
		!IS_VALID_TIMESTAMP(saved.reset_at))
		return false;
	store.header->reset_at = saved.reset_at;
	store.header->times_missed += saved.times_missed;
	store.header->sizes_missed += saved.sizes_missed;
	store.header->texts_missed += saved.texts_missed;
	store.statements->count_evicted(saved.evicted);
	return true;
}

bool
load_text(const char *record, Size bytes) noexcept
{
	SavedText saved;
	TextTraits traits = {};

	if (!read_head(record, bytes, saved))
		return false;
	const char *const text = record + sizeof(saved);
	const Size length = bytes - sizeof(saved);
	if (!makes_sense(saved, text, length) || !PG_VALID_BE_ENCODING(saved.encoding) ||
		store.texts->find(saved.fingerprint) != nullptr)
		return false;
	traits.encoding = saved.encoding;
	traits.normalised = true;
	traits.parameter_count = saved.parameter_count;
	traits.database = saved.database;
	traits.user = saved.user;
	memcpy(traits.parameter_types, saved.parameter_types, sizeof(traits.parameter_types));
	return store.texts->add(saved.fingerprint, traits, text, static_cast<std::uint32_t>(length));
}

bool
load_statement(const char *record, Size bytes) noexcept
{
	SavedStatement saved;
	TimeHistogram times;

	if (!read_head(record, bytes, saved) || !read_buckets(record + sizeof(saved), bytes - sizeof(saved), times) ||
		!makes_sense(saved) || !IS_VALID_TIMESTAMP(saved.counts.last))
		return false;
	const bool named = saved.key.user != 0;
	const std::uint32_t index =
		named ? store.statements->claim_again(saved.key, saved.counts.first, saved.index) : StatementStore::none;
	StoredStatement &to = named ? (*store.statements)[index] : store.statements->overflow();
	to.counts.add(saved.counts);
	to.times.add(times);
	if (named)
		store.statements->used_again(index, saved.counts.calls);
	return true;
}

bool
load_group(const char *record, Size bytes) noexcept
{
	SavedGroup saved;
	SizeHistogram sizes;
	StoreHeader &header = *store.header;

	if (!read_head(record, bytes, saved) || !read_buckets(record + sizeof(saved), bytes - sizeof(saved), sizes) ||
		!makes_sense(saved))
		return false;
	TransactionGroup &group = saved.key.user != 0
								  ? group_for(store.groups, header.group_count, saved.key, saved.last_fold)
								  : store.groups[header.group_count - 1];
	group.used = true;
	group.counts.add(saved.counts);
	group.statements_max = std::max(group.statements_max, saved.statements_max);
	group.sizes.add(sizes);
	header.folds = std::max(header.folds, saved.last_fold);
	return true;
}

bool
load(const char *record, Size bytes)
{
	SavedKind kind;

	if (!read_head(record, bytes, kind))
		return false;
	switch (kind)
	{
	case SavedKind::totals:
		return load_totals(record, bytes);
	case SavedKind::text:
		return load_text(record, bytes);
	case SavedKind::statement:
		return load_statement(record, bytes);
	case SavedKind::group:
		return load_group(record, bytes);
	}
	return false;
}

} // namespace

const Section statistics_section = {"statistics", 1, save, load};

} // namespace remedy::observe

// What the shared statistics look like in SQL.

#include "observe/observe.hpp"
#include "observe/persistence.hpp"
#include "observe/settings.hpp"
#include "observe/shared_store.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"
#include "version.hpp"

namespace remedy::observe {

namespace {

// A text of another database, in this one's encoding.
char *
in_our_encoding(char *text, int encoding) noexcept
{
	char *converted = text;

	if (encoding == GetDatabaseEncoding() || pg_is_ascii(text))
		return text;
	if (attempt([&]() noexcept { converted = pg_any_to_server(text, static_cast<int>(strlen(text)), encoding); }))
		return converted;
	for (char *c = text; *c != '\0'; ++c)
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	return text;
}

char *
stored_text(const TextStore &texts, std::uint64_t fingerprint) noexcept
{
	const TextStore::Record *const record = texts.find(fingerprint);

	if (record == nullptr)
		return nullptr;
	return in_our_encoding(normalised_text(texts, *record), record->traits.encoding);
}

// A percentile is the middle of a bucket, which may lie outside of what there was.
void
put_percentile(server::Rows &rows, const StoredStatement &statement, double fraction) noexcept
{
	const Nanoseconds value = time_percentile(statement.times, fraction);
	const bool known = statement.counts.min <= statement.counts.max;

	rows.put_double(
		milliseconds(known ? std::min(std::max(value, statement.counts.min), statement.counts.max) : value));
}

void
put_counts(server::Rows &rows, const StoredStatement &statement) noexcept
{
	const StatementCounts &counts = statement.counts;
	const bool known = counts.min <= counts.max;

	rows.put_bigint(counts.calls);
	rows.put_bigint(counts.failed);
	rows.put_bigint(counts.rows);
	rows.put_double(milliseconds(counts.total));
	rows.put_double(milliseconds(counts.total) / static_cast<double>(std::max<std::uint64_t>(counts.calls, 1)));
	known ? rows.put_double(milliseconds(counts.min)) : rows.put_null();
	known ? rows.put_double(milliseconds(counts.max)) : rows.put_null();
	put_percentile(rows, statement, 0.5);
	put_percentile(rows, statement, 0.95);
	put_percentile(rows, statement, 0.99);
	rows.put_time(counts.first);
	rows.put_time(counts.last);
}

void
put_statement(server::Rows &rows, const StatementKey &key, const StoredStatement &statement,
			  const TextStore &texts) noexcept
{
	const bool allowed = may_read_texts_of(key.user);

	if (allowed && key.fingerprint != 0)
		rows.put_bigint(static_cast<int64>(key.fingerprint));
	else
		rows.put_null();
	rows.put_text(get_database_name(key.database));
	rows.put_text(GetUserNameFromId(key.user, true));
	rows.put_bool(key.nested == 0);
	put_counts(rows, statement);
	rows.put_text(allowed ? stored_text(texts, key.fingerprint) : "<insufficient privilege>");
	rows.end_row();
}

void
put_overflow(server::Rows &rows, const StoredStatement &statement) noexcept
{
	for (int i = 0; i < 4; ++i)
		rows.put_null();
	put_counts(rows, statement);
	rows.put_null();
	rows.end_row();
}

// A route was decoded from what a client sent: it need not be valid in this database.
char *
valid_route(const char *route) noexcept
{
	char *const copy = pstrdup(route);

	if (!pg_verify_mbstr(GetDatabaseEncoding(), copy, static_cast<int>(strlen(copy)), true))
		for (char *c = copy; *c != '\0'; ++c)
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
	return copy;
}

void
put_group(server::Rows &rows, const TransactionGroup &group) noexcept
{
	const GroupCounts &counts = group.counts;
	const bool is_named = group.key.user != 0;

	rows.put_text(is_named ? get_database_name(group.key.database) : nullptr);
	rows.put_text(is_named ? GetUserNameFromId(group.key.user, true) : nullptr);
	rows.put_text(is_named ? group.key.application : nullptr);
	rows.put_text(group.key.route[0] == '\0' ? nullptr : valid_route(group.key.route));
	rows.put_bigint(counts.transactions);
	rows.put_bigint(counts.statements);
	rows.put_bigint(counts.nested);
	rows.put_bigint(counts.failed);
	rows.put_bigint(counts.rows);
	rows.put_bigint(group.sizes.percentile(0.5));
	rows.put_bigint(group.sizes.percentile(0.95));
	rows.put_bigint(group.statements_max);
	rows.put_double(milliseconds(counts.execution));
	rows.put_double(milliseconds(counts.waiting));
	rows.end_row();
}

} // namespace

} // namespace remedy::observe

using namespace remedy;
using namespace remedy::observe;

REMEDY_FUNCTION(remedy_status)
{
	enter_function();
	server::Rows rows(fcinfo);
	const StoreStatus status = store_status();
	const SavedStatus saved = saved_status();

	rows.put_text(server::preloaded() ? "preloaded" : "session");
	rows.put_text(version);
	rows.put_text(PG_VERSION);
	rows.put_bool(settings.enabled);
	rows.put_bool(IsQueryIdEnabled());
	rows.put(Int32GetDatum(status.slots_used));
	rows.put(Int32GetDatum(server::slot_limit()));
	rows.put(Int32GetDatum(status.statements_used));
	rows.put(Int32GetDatum(status.statements_max));
	rows.put_bigint(status.evicted);
	rows.put(Int32GetDatum(status.texts_used));
	rows.put_bigint(status.texts_missed);
	rows.put_bigint(status.times_missed);
	rows.put_bigint(status.sizes_missed);
	rows.put(Int32GetDatum(status.texts_unsaved));
	rows.put_time(status.reset_at);
	rows.put_time(saved.saved_at);
	rows.put_bigint(saved.loaded);
	rows.put_bigint(saved.not_taken);
	rows.put_bigint(server::regions_size());
	rows.end_row();
	return 0;
}

REMEDY_FUNCTION(remedy_statements)
{
	enter_function();
	server::Rows rows(fcinfo);
	const Store store = merged_store();
	StatementStore &statements = *store.statements;

	for (std::uint32_t i = 0; i < statements.size(); ++i)
		if (statements.is_used(i) && statements[i].counts.calls > 0)
			put_statement(rows, statements.key(i), statements[i], *store.texts);
	if (statements.overflow().counts.calls > 0)
		put_overflow(rows, statements.overflow());
	return 0;
}

REMEDY_FUNCTION(remedy_transactions)
{
	enter_function();
	server::Rows rows(fcinfo);
	const Store store = merged_store();

	for (unsigned i = 0; i < store.header->group_count; ++i)
		if (store.groups[i].used && store.groups[i].counts.statements > 0)
			put_group(rows, store.groups[i]);
	return 0;
}

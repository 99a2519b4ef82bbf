#include "scans/scans.hpp"

#include "scans/listener.hpp"
#include "scans/scan_table.hpp"
#include "scans/words.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

namespace remedy::scans {

void
reset(const observe::Scope &scope)
{
	if (scope.database == 0 && scope.user == 0 && scope.fingerprint == 0)
		reset_scans();
	else
		reset_scans_of(scope.database, scope.user, scope.fingerprint);
}

namespace {

const char *
qualified_name(Oid relation) noexcept
{
	const char *const name = get_rel_name(relation);
	if (name == nullptr)
		return nullptr;
	const char *const schema = get_namespace_name(get_rel_namespace(relation));
	return schema == nullptr ? nullptr : quote_qualified_identifier(schema, name);
}

const char *
method_name(Method method) noexcept
{
	return method == Method::index ? "index" : method == Method::bitmap ? "bitmap" : "sequential";
}

void
put_predicate(server::Rows &rows, const Key &key, bool readable) noexcept
{
	if (readable)
	{
		rows.put(conditions_of(key.subject.relation, key.predicate, false));
		rows.put(conditions_of(key.subject.relation, key.predicate, true));
		rows.put_text(predicate_text(key.subject.relation, key.predicate));
		return;
	}
	rows.put_null();
	rows.put_null();
	rows.put_null();
}

void
put_volume(server::Rows &rows, const Counts *volume) noexcept
{
	if (volume == nullptr)
	{
		rows.put_null();
		rows.put_null();
		return;
	}
	rows.put_bigint(volume->scans);
	rows.put_bigint(volume->rows);
}

void
put_entry(server::Rows &rows, const Entry &entry, const Counts *volume) noexcept
{
	const Subject &subject = entry.key.subject;
	const bool here = subject.database == MyDatabaseId;
	const char *const table = here ? qualified_name(subject.relation) : nullptr;

	rows.put_text(get_database_name(subject.database));
	rows.put_text(table);
	rows.put(ObjectIdGetDatum(subject.relation));
	rows.put_text(GetUserNameFromId(subject.user, true));
	subject.fingerprint == 0 ? rows.put_null() : rows.put_bigint(subject.fingerprint);
	rows.put_bool(subject.toplevel);
	rows.put_text(method_name(subject.method));
	put_predicate(rows, entry.key, table != nullptr && subject.method != Method::volume);
	put_volume(rows, volume);
	rows.put_bigint(entry.counts.samples);
	rows.put_bigint(entry.counts.sampled_rows);
	rows.put_bigint(entry.counts.kept_rows);
	rows.put_bigint(entry.counts.loops);
	rows.put_time(entry.first_seen);
	rows.put_time(entry.last_seen);
	rows.end_row();
}

// One row for all that has no entry.
void
put_others(server::Rows &rows, const Others &others) noexcept
{
	constexpr int before_volume = 10;
	constexpr int after_volume = 6;
	const Counts volume = {others.scans, others.rows};

	if (!volume.are_shown())
		return;
	for (int i = 0; i < before_volume; ++i)
		rows.put_null();
	put_volume(rows, &volume);
	for (int i = 0; i < after_volume; ++i)
		rows.put_null();
	rows.end_row();
}

// The volume is the first of its kin, or there is none.  What the samples know of
// gets its share of it; they have all of it, if they read no row at all.
int
put_kin(server::Rows &rows, const Entry *first, int count) noexcept
{
	const bool has_volume = first->key.subject.method == Method::volume;
	std::uint64_t parts = 0;
	int sequential = 0;
	int kin = 0;

	for (; kin < count && first[kin].key.subject.is_akin(first->key.subject); ++kin)
		if (first[kin].key.subject.method == Method::sequential)
		{
			++sequential;
			parts += first[kin].counts.sampled_rows + 1;
		}
	if (has_volume && sequential == 0)
		put_entry(rows, first[0], &first[0].counts);
	Shares scans(has_volume ? first[0].counts.scans : 0, parts);
	Shares read(has_volume ? first[0].counts.rows : 0, parts);
	for (int i = has_volume; i < kin; ++i)
	{
		const bool shares = has_volume && first[i].key.subject.method == Method::sequential;
		const std::uint64_t part = first[i].counts.sampled_rows + 1;
		const Counts share = shares ? Counts{scans.next(part), read.next(part)} : Counts{};
		put_entry(rows, first[i], shares ? &share : nullptr);
	}
	return kin;
}

} // namespace

void
start() noexcept
{
	declare_scan_table();
}

} // namespace remedy::scans

using namespace remedy;
using namespace remedy::scans;

REMEDY_FUNCTION(remedy_scans)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const Contents contents = read_scans();

	for (int i = 0; i < contents.count;)
		i += put_kin(rows, contents.entries + i, contents.count - i);
	put_others(rows, contents.others);
	return 0;
}

REMEDY_FUNCTION(remedy_scans_status)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const TableStatus status = table_status();

	rows.put(Int32GetDatum(status.used));
	rows.put(Int32GetDatum(status.limit));
	rows.put_bigint(status.missed);
	rows.end_row();
	return 0;
}

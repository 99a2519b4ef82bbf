#include "scans/scans.hpp"

#include "scans/evidence.hpp"
#include "scans/listener.hpp"
#include "scans/words.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

namespace remedy::scans {

void
reset(const observe::Scope &scope)
{
	if (scope.database == 0 && scope.user == 0 && scope.fingerprint == 0)
	{
		reset_scans();
		forget_schedule();
	}
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
put_conditions(server::Rows &rows, const Entry &entry, bool readable) noexcept
{
	constexpr int columns = 4;
	const Oid relation = entry.key.subject.relation;
	const Predicate &predicate = entry.key.predicate;

	for (int i = 0; !readable && i < columns; ++i)
		rows.put_null();
	if (!readable)
		return;
	rows.put(words_for(relation, predicate, [](const Clause &clause, int) { return !clause.indexed; }));
	rows.put(words_for(relation, predicate, [](const Clause &clause, int) { return clause.indexed; }));
	rows.put(words_for(relation, predicate, [&entry](const Clause &, int i) { return entry.constants.recurs(i); }));
	rows.put_text(predicate_text(relation, predicate));
}

void
put_volume(server::Rows &rows, bool counted, std::uint64_t scans, std::uint64_t rows_read) noexcept
{
	if (!counted)
	{
		rows.put_null();
		rows.put_null();
		return;
	}
	rows.put_bigint(scans);
	rows.put_bigint(rows_read);
}

void
put_evidence(server::Rows &rows, const Evidence &evidence) noexcept
{
	const Entry &entry = *evidence.entry;
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
	put_conditions(rows, entry, table != nullptr && subject.method != Method::volume);
	put_volume(rows, evidence.counted, evidence.scans, evidence.rows_read);
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
	constexpr int before_volume = 11;
	constexpr int after_volume = 6;
	const Counts volume = {others.scans, others.rows};

	if (!volume.are_shown())
		return;
	for (int i = 0; i < before_volume; ++i)
		rows.put_null();
	put_volume(rows, true, volume.scans, volume.rows);
	for (int i = 0; i < after_volume; ++i)
		rows.put_null();
	rows.end_row();
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
	const EvidenceList evidence = read_all_evidence();

	for (const Evidence &each : evidence)
		put_evidence(rows, each);
	put_others(rows, evidence.others);
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

#include "repetition/advice.hpp"

#include "repetition/reporting.hpp"

#include "observe/observe.hpp"
#include "repetition/settings.hpp"
#include "repetition/ties.hpp"
#include "server/guard.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace remedy::repetition {

namespace {

// What was reported of the child in the same place of the detector.
struct Report
{
	std::uint32_t stamp;
	bool told;
	bool no_room;       // the table of findings is full
	std::uint32_t next; // calls after which to try again, if it could not be described
	findings::Handle handle;
	Watched *watched;
	findings::Counts counted; // has entered the finding
};

Report reports[child_limit];

// Findings of the watched stretch; the context dies with it.
MemoryContext watched_memory = nullptr;
std::uint32_t watched_number = 0;
Watched *watched_first = nullptr;
Watched **watched_end = &watched_first;

void
copy_name(char *to, std::size_t size, const char *from) noexcept
{
	const int length = from == nullptr ? 0 : static_cast<int>(strlen(from));
	const int cut = pg_mbcliplen(from == nullptr ? "" : from, length, static_cast<int>(size) - 1);

	memcpy(to, from == nullptr ? "" : from, cut);
	to[cut] = '\0';
}

template <std::size_t Size>
void
copy_name(char (&to)[Size], const char *from) noexcept
{
	copy_name(to, Size, from);
}

template <std::size_t TableSize, std::size_t ColumnSize>
void
copy_column(char (&table)[TableSize], char (&name)[ColumnSize], Column column) noexcept
{
	const char *const schema_name = get_namespace_name(get_rel_namespace(column.relation));
	const char *const table_name = get_rel_name(column.relation);
	const char *const column_name = get_attname(column.relation, column.number, true);

	if (schema_name == nullptr || table_name == nullptr || column_name == nullptr)
		elog(ERROR, "column %d of relation %u is gone", column.number, column.relation);
	copy_name(table, quote_qualified_identifier(schema_name, table_name));
	copy_name(name, column_name);
}

const char *
name_of(Kind kind) noexcept
{
	switch (kind)
	{
	case Kind::count:
		return "count";
	case Kind::exists:
		return "exists";
	case Kind::select:
		break;
	}
	return "select";
}

// The parent's column that the child's key is tied to.
Column
parent_column(const Child &child, const Parent &parent) noexcept
{
	const Bond &bond = child.keys[child.key].bonds[child.parent];

	for (unsigned i = 0; i < parent.column_count; ++i)
		if ((bond.closest >> i & 1) != 0)
			return parent.columns[i];
	return {};
}

std::uint64_t
hash_of(const char *text, std::uint64_t seed) noexcept
{
	return hash_bytes_extended(reinterpret_cast<const unsigned char *>(text), static_cast<int>(strlen(text)), seed);
}

// The ailment, wherever and whenever it is seen: its name must survive a dump, so
// it is made of names and texts, not of identifiers.
void
name_finding(findings::Finding &finding, const char *child_query) noexcept
{
	std::uint64_t hash = hash_of(finding.database, 0);

	hash = hash_of(child_query, hash);
	hash = hash_of(finding.child_column, hash);
	hash = hash_of(finding.parent_table, hash);
	hash = hash_of(finding.parent_column, hash);
	snprintf(finding.key, sizeof(finding.key), "n_plus_one:%016llx", static_cast<unsigned long long>(hash));
}

// Looks names up in the catalogs; may raise an error.
void
describe_finding(const FanOut &fan_out, const Shape &shape, const Child &child, findings::Finding &finding) noexcept
{
	const Parent &parent = fan_out.parent_of(child);
	const Column output = parent_column(child, parent);

	finding = {};
	finding.user = GetUserId();
	finding.first_seen = GetCurrentTimestamp();
	copy_name(finding.database, get_database_name(MyDatabaseId));
	copy_name(finding.user_name, GetUserNameFromId(finding.user, true));
	copy_name(finding.application, application_name);
	copy_name(finding.route, observe::route());
	copy_name(finding.level, "likely");
	copy_name(finding.kind, name_of(shape.kind));
	copy_name(finding.direction, key_is_unique(shape, child.key) ? "N:1" : "1:N");
	copy_column(finding.child_table, finding.child_column, shape.keys[child.key].column);
	copy_column(finding.parent_table, finding.parent_column, output);
	const observe::RawText child_text = observe::statement_text(child.fingerprint);
	const observe::RawText parent_text = observe::statement_text(parent.fingerprint);
	const char *const child_query = observe::normalised(child_text);
	copy_name(finding.child_query, child_query);
	copy_name(finding.parent_query, observe::normalised(parent_text));
	finding.parent_user = parent_text.user;
	copy_name(finding.client, client_style(finding.child_query).data());
	name_finding(finding, child_query == nullptr ? "" : child_query);
	finding.common_identity = hash_of(finding.key, finding.user ^ parent.fingerprint ^ child.fingerprint * 31);
	finding.identity = hash_of(finding.route, hash_of(finding.application, finding.common_identity));
}

void
watch(Report &report, const findings::Finding &finding) noexcept
{
	const std::uint32_t number = observe::watch_number();

	if (number != watched_number)
	{
		watched_first = nullptr;
		watched_end = &watched_first;
		if (watched_memory != nullptr)
			MemoryContextReset(watched_memory);
		watched_number = number;
	}
	if (number == 0)
		return;
	if (watched_memory == nullptr)
		watched_memory = AllocSetContextCreate(TopMemoryContext, "pg_remedy watched findings", ALLOCSET_DEFAULT_SIZES);
	report.watched = static_cast<Watched *>(MemoryContextAllocZero(watched_memory, sizeof(Watched)));
	report.watched->finding = finding;
	*watched_end = report.watched;
	watched_end = &report.watched->next;
}

// Calls use(finding) with names and texts filled in.  They are looked up in a
// subtransaction: an error in there is not the user's, and then nothing is used.
template <class Use>
void
with_finding(const FanOut &fan_out, ShapeTable &shapes, const Child &child, Use &&use)
{
	const Shape *const known = shapes.find(child.fingerprint);
	if (known == nullptr)
		return;
	const Shape shape = *known;
	const MemoryContext memory =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy finding", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(memory);
	findings::Finding *const finding = static_cast<findings::Finding *>(palloc(sizeof(findings::Finding)));
	const bool described = attempt([&]() noexcept { describe_finding(fan_out, shape, child, *finding); });

	MemoryContextSwitchTo(before);
	if (described)
		use(*finding);
	MemoryContextDelete(memory);
}

void
enter(const FanOut &fan_out, ShapeTable &shapes, const Child &child, Report &report) noexcept
{
	report.next = 2 * child.calls;
	with_finding(fan_out, shapes, child, [&](const findings::Finding &finding) {
		report.next = 0;
		report.no_room = !findings::enter(finding, report.handle);
		if (report.watched == nullptr)
			watch(report, finding);
	});
}

findings::Counts
counts_of(const FanOut &fan_out, const Child &child) noexcept
{
	const std::uint64_t parent_rows = fan_out.has_parent(child) ? fan_out.parent_of(child).rows : 0;

	return {1, child.repeats(), child.repeats(), parent_rows, child.server, child.waiting, GetCurrentTimestamp()};
}

findings::Counts
added_since(const findings::Counts &now, const findings::Counts &before) noexcept
{
	findings::Counts added = now;

	added.units -= before.units;
	added.repeats_total -= before.repeats_total;
	added.server -= before.server;
	added.waiting -= before.waiting;
	return added;
}

void
tell(int level, const findings::Finding &finding, std::uint64_t repeats)
{
	char advice[512];

	write_advice({finding.kind, finding.direction, finding.client, finding.child_table, finding.child_column,
				  finding.parent_table},
				 advice, sizeof(advice));
	ereport(level, (errcode(ERRCODE_ASSERT_FAILURE), errhidestmt(level < ERROR), // its constants would show
					errmsg("N+1: %s was queried %llu times, each time for a row of %s", finding.child_table,
						   static_cast<unsigned long long>(repeats), finding.parent_table),
					errdetail("Repeated: %s\nIts key %s was returned as %s by: %s", finding.child_query,
							  finding.child_column, finding.parent_column, finding.parent_query),
					errhint("%s", advice)));
}

} // namespace

void
report(FanOut &fan_out, ShapeTable &shapes, const Child &child) noexcept
{
	Report &report = reports[fan_out.place_of(child)];
	const findings::Counts counts = counts_of(fan_out, child);

	if (report.stamp != child.stamp)
	{
		report = {};
		report.stamp = child.stamp;
	}
	if (report.handle.serial == 0 && !report.no_room && child.calls >= report.next && fan_out.has_parent(child))
		enter(fan_out, shapes, child, report);
	if (report.watched != nullptr)
		report.watched->finding.counts = counts;
	if (findings::add(report.handle, added_since(counts, report.counted)))
		report.counted = counts;
	else
	{
		// Not entered, or forgotten by a reset: then the unit of work counts anew.
		report.handle = {};
		report.counted = {};
	}
}

void
forget_reports() noexcept
{
	memset(static_cast<void *>(reports), 0, sizeof(reports));
}

void
act(FanOut &fan_out, ShapeTable &shapes)
{
	static constexpr int levels[] = {0, LOG, WARNING, ERROR};
	const int level = levels[settings.action];

	if (settings.action == action_record)
		return;
	fan_out.each_child([&](Child &child) {
		Report &report = reports[fan_out.place_of(child)];
		if (!child.found || report.told)
			return;
		report.told = true;
		with_finding(fan_out, shapes, child,
					 [&](const findings::Finding &finding) { tell(level, finding, child.repeats()); });
	});
}

const Watched *
first_watched() noexcept
{
	return observe::watch_number() != 0 && observe::watch_number() == watched_number ? watched_first : nullptr;
}

} // namespace remedy::repetition

#include "repetition/reporting.hpp"

#include "observe/observe.hpp"
#include "repetition/batching.hpp"
#include "repetition/client_style.hpp"
#include "repetition/settings.hpp"
#include "repetition/telling.hpp"
#include "repetition/ties.hpp"
#include "server/guard.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace remedy::repetition {

namespace {

// What was reported of a child or a loop.
struct Report
{
	std::uint32_t stamp; // of the child or loop; 0: none
	bool told;
	bool no_room; // the table of findings is full
	bool has_unit;
	int unit;           // its place among the units of work that go on
	std::uint32_t next; // calls after which to try again, if it could not be described
	findings::Handle handle;
	Watched *watched;
};

// By the place in the detector.
Report child_reports[child_limit];
bool any_child_report = false;
Report loop_reports[loop_limit];

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

template <std::size_t Size>
void
copy_table(char (&table)[Size], Oid relation) noexcept
{
	const char *const schema_name = get_namespace_name(get_rel_namespace(relation));
	const char *const table_name = get_rel_name(relation);

	if (schema_name == nullptr || table_name == nullptr)
		elog(ERROR, "relation %u is gone", relation);
	copy_name(table, quote_qualified_identifier(schema_name, table_name));
}

template <std::size_t TableSize, std::size_t ColumnSize>
void
copy_column(char (&table)[TableSize], char (&name)[ColumnSize], Column column) noexcept
{
	const char *const column_name = get_attname(column.relation, column.number, true);

	if (column_name == nullptr)
		elog(ERROR, "column %d of relation %u is gone", column.number, column.relation);
	copy_table(table, column.relation);
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

constexpr unsigned all_keys = (1u << keys_per_shape) - 1;

// The keys that are not the same in all repeats, as bits.
unsigned
varying_keys(const Shape &shape, const Child &child) noexcept
{
	unsigned varying = 1u << child.key;

	for (unsigned key = 0; key < shape.key_count; ++key)
		varying |= child.keys[key].varies ? 1u << key : 0;
	return varying;
}

const char *
name_of(LoopKind kind) noexcept
{
	switch (kind)
	{
	case LoopKind::lookup:
		return "lookup";
	case LoopKind::duplicate:
		return "duplicate";
	case LoopKind::write:
	case LoopKind::none:
		break;
	}
	return "write";
}

const char *
direction_of(LoopKind kind) noexcept
{
	return kind == LoopKind::lookup ? "N:1" : kind == LoopKind::duplicate ? "same" : "write";
}

// What all findings tell.  Looks names up in the catalogs; may raise an error.
void
describe_statement(const observe::RawText &text, findings::Finding &finding) noexcept
{
	finding = {};
	finding.user = GetUserId();
	finding.first_seen = GetCurrentTimestamp();
	copy_name(finding.database, get_database_name(MyDatabaseId));
	copy_name(finding.user_name, GetUserNameFromId(finding.user, true));
	copy_name(finding.application, application_name);
	copy_name(finding.route, observe::route());
	copy_name(finding.child_query, observe::normalised(text));
	copy_name(finding.client, client_style(finding.child_query).data());
}

void
identify(findings::Finding &finding, std::uint64_t seed) noexcept
{
	name_finding(finding, finding.child_query);
	finding.common_identity = hash_of(finding.key, finding.user ^ seed);
	finding.identity = hash_of(finding.route, hash_of(finding.application, finding.common_identity));
}

void
describe_finding(const FanOut &fan_out, const Shape &shape, const Child &child, findings::Finding &finding) noexcept
{
	const Parent &parent = fan_out.parent_of(child);
	const observe::RawText parent_text = observe::statement_text(parent.fingerprint);
	const Column output = parent_column(child, parent);

	describe_statement(observe::statement_text(child.fingerprint), finding);
	copy_name(finding.level, "likely");
	copy_name(finding.kind, name_of(shape.kind));
	copy_name(finding.direction, key_is_unique(shape, child.key) ? "N:1" : "1:N");
	copy_column(finding.child_table, finding.child_column, shape.keys[child.key].column);
	if (output.relation != 0) // else it is linked by value to what no table holds
		copy_column(finding.parent_table, finding.parent_column, output);
	copy_name(finding.parent_query, observe::normalised(parent_text));
	finding.parent_user = parent_text.user;
	identify(finding, parent.fingerprint ^ child.fingerprint * 31);
}

void
describe_pool_loop(const Shape &shape, const PoolLink &link, const PoolLoop &loop, findings::Finding &finding) noexcept
{
	const observe::RawText parent_text = text_of(link);

	describe_statement(observe::statement_text(shape.fingerprint), finding);
	copy_name(finding.level, "possible");
	copy_name(finding.kind, name_of(shape.kind));
	copy_name(finding.direction, key_is_unique(shape, link.key) ? "N:1" : "1:N");
	copy_column(finding.child_table, finding.child_column, shape.keys[link.key].column);
	copy_column(finding.parent_table, finding.parent_column, loop.column);
	copy_name(finding.parent_query, observe::normalised(parent_text));
	finding.parent_user = parent_text.user;
	identify(finding, loop.fingerprint ^ shape.fingerprint * 31);
}

void
describe_nested_loop(const NestedLoop &loop, findings::Finding &finding) noexcept
{
	const observe::RawText statement = observe::statement_text(loop.statement);

	describe_statement(loop.text, finding);
	copy_name(finding.level, "possible");
	copy_name(finding.kind, "server_loop");
	copy_name(finding.direction, loop.writes ? "write" : "");
	copy_table(finding.child_table, loop.table);
	copy_name(finding.parent_query, observe::normalised(statement));
	finding.parent_user = statement.user;
	identify(finding, loop.statement ^ loop.fingerprint * 31);
}

void
describe_loop(const Shape &shape, const Loop &loop, findings::Finding &finding) noexcept
{
	describe_statement(observe::statement_text(loop.fingerprint), finding);
	copy_name(finding.level, loop.kind == LoopKind::lookup ? "possible" : "likely");
	copy_name(finding.kind, name_of(loop.kind));
	copy_name(finding.direction, direction_of(loop.kind));
	if (shape.key_count > 0 && shape.command != Command::insert)
		copy_column(finding.child_table, finding.child_column, shape.keys[0].column);
	else
		copy_table(finding.child_table, shape.table);
	identify(finding, loop.fingerprint * 31 + static_cast<unsigned>(loop.kind));
}

// Once in the life of a finding: it takes as long as some statements do.
void
add_batch(const Shape &shape, unsigned varying, findings::Finding &finding) noexcept
{
	if (!findings::is_new(finding))
		return;
	const Batch batch = batched(observe::statement_text(shape.fingerprint), shape, varying);
	if (batch.text != nullptr && strlen(batch.text) < sizeof(finding.batched_query))
	{
		copy_name(finding.batched_query, batch.text);
		if (batch.single_cost > 0)
			finding.batch_share = static_cast<float>(batch.cost / Batch::keys / batch.single_cost);
	}
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

// The unit of work is over.
void
end_unit(Report &report) noexcept
{
	if (report.has_unit)
		findings::end_unit(report.unit);
	report.has_unit = false;
	report.told = false;
}

void
drop_unit(Report &report) noexcept
{
	if (report.has_unit)
		findings::drop_unit(report.unit);
	report.has_unit = false;
	report.told = false;
}

// Calls use(finding) with what describe(finding) fills in.  That happens in a
// subtransaction: an error in there is not the user's, and then nothing is used.
template <class Describe, class Use>
void
with_finding(Describe &&describe, Use &&use)
{
	const MemoryContext memory =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy finding", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(memory);
	findings::Finding *const finding = static_cast<findings::Finding *>(palloc(sizeof(findings::Finding)));
	const bool described = attempt([&]() noexcept { describe(*finding); });

	MemoryContextSwitchTo(before);
	if (described)
		use(*finding);
	MemoryContextDelete(memory);
}

// The same with describe(shape, finding), for a statement whose shape is known.
template <class Describe, class Use>
void
with_finding(ShapeTable &shapes, std::uint64_t fingerprint, Describe &&describe, Use &&use)
{
	const Shape *const known = shapes.find(fingerprint);
	if (known == nullptr)
		return;
	const Shape shape = *known;

	with_finding([&](findings::Finding &finding) noexcept { describe(shape, finding); }, use);
}

template <class Describe>
void
enter(ShapeTable &shapes, std::uint64_t fingerprint, Report &report, Describe &&describe) noexcept
{
	with_finding(shapes, fingerprint, describe, [&](const findings::Finding &finding) {
		report.next = 0;
		report.no_room = !findings::enter(finding, report.handle);
		if (report.watched == nullptr)
			watch(report, finding);
	});
}

// Forgets what was reported of another child or loop in the same place.
Report &
report_of(Report &report, std::uint32_t stamp) noexcept
{
	if (report.stamp != stamp)
	{
		end_unit(report);
		report = {};
		report.stamp = stamp;
	}
	return report;
}

// Where the finding's counts are, as far as this unit of work goes.
void
count(Report &report, const findings::Unit &unit) noexcept
{
	if (report.watched != nullptr)
		report.watched->finding.counts = unit.counts();
	if (report.handle.serial == 0)
		return;
	if (!report.has_unit || findings::unit_at(report.unit).handle.serial != report.handle.serial)
		report.unit = findings::begin_unit(unit);
	else
		findings::write_unit(report.unit, unit);
	report.has_unit = true;
}

findings::Unit
unit_of(const FanOut &fan_out, const Child &child, findings::Handle handle) noexcept
{
	const std::uint64_t parent_rows = fan_out.has_parent(child) ? fan_out.parent_of(child).rows : 0;

	return {handle,        child.repeats(), 1,     child.repeats(),      child.server,
			child.waiting, parent_rows,     false, GetCurrentTimestamp()};
}

} // namespace

void
report(FanOut &fan_out, ShapeTable &shapes, const Child &child) noexcept
{
	Report &report = report_of(child_reports[fan_out.place_of(child)], child.stamp);

	any_child_report = true;
	if (!findings::exists(report.handle))
		report.handle = {};
	if (report.handle.serial == 0 && !report.no_room && child.calls >= report.next && fan_out.has_parent(child))
	{
		report.next = 2 * child.calls;
		enter(shapes, child.fingerprint, report, [&](const Shape &shape, findings::Finding &finding) noexcept {
			describe_finding(fan_out, shape, child, finding);
			add_batch(shape, varying_keys(shape, child), finding);
		});
	}
	count(report, unit_of(fan_out, child, report.handle));
}

std::uint64_t *
report(Loops &loops, ShapeTable &shapes, const Loop &loop) noexcept
{
	Report &report = report_of(loop_reports[loops.place_of(loop)], loop.stamp);
	const bool goes_on = report.has_unit && findings::exists(report.handle);
	const std::uint64_t repeats = goes_on ? findings::unit_at(report.unit).repeats + 1 : loop.first_repeats();

	if (!findings::exists(report.handle))
		report.handle = {};
	if (report.handle.serial == 0 && !report.no_room && repeats >= report.next)
	{
		report.next = 2 * static_cast<std::uint32_t>(repeats);
		enter(shapes, loop.fingerprint, report, [&](const Shape &shape, findings::Finding &finding) noexcept {
			describe_loop(shape, loop, finding);
			if (loop.kind != LoopKind::duplicate) // what is asked for the same again needs no batch
				add_batch(shape, all_keys, finding);
		});
	}
	const std::uint64_t least = loop.may_be_bulk_load ? findings::held_back : loop.found_at;
	const bool bulk = loops.is_bulk_load(loop, repeats);
	count(report,
		  {report.handle, repeats, least, loop.calls, loop.server, loop.waiting, 0, bulk, GetCurrentTimestamp()});
	return report.has_unit ? &findings::repeats_of(report.unit) : nullptr;
}

void
report(ShapeTable &shapes, const PoolLink &link, const PoolLoop &loop, std::uint64_t fingerprint) noexcept
{
	const auto describe = [&](const Shape &shape, findings::Finding &finding) noexcept {
		describe_pool_loop(shape, link, loop, finding);
	};
	with_finding(shapes, fingerprint, describe, [&](const findings::Finding &finding) {
		findings::Handle handle;
		if (!findings::enter(finding, handle))
			return;
		const int unit = findings::begin_shared_unit(handle, loop.rows);
		if (unit >= 0)
			set_unit(link, fingerprint, unit);
	});
}

void
report(const NestedLoop &loop) noexcept
{
	const auto describe = [&](findings::Finding &finding) noexcept { describe_nested_loop(loop, finding); };

	with_finding(describe, [&](const findings::Finding &finding) {
		findings::Handle handle;
		if (findings::enter(finding, handle))
			findings::end_unit(findings::begin_unit({handle, loop.runs, 1, 0, 0, 0, 0, false, GetCurrentTimestamp()}));
	});
}

void
drop_report(FanOut &fan_out, const Child &child) noexcept
{
	Report &report = child_reports[fan_out.place_of(child)];

	if (report.stamp == child.stamp)
		drop_unit(report);
}

void
end_report(const Loops &loops, const Loop &loop) noexcept
{
	Report &report = loop_reports[loops.place_of(loop)];

	if (report.stamp != loop.stamp || !report.has_unit)
		return;
	findings::Unit unit = findings::unit_at(report.unit);
	unit.least = loop.found_at;
	unit.bulk = loops.is_bulk_load(loop, unit.repeats);
	if (unit.handle.serial == report.handle.serial)
		findings::write_unit(report.unit, unit);
	end_unit(report);
}

void
drop_report(const Loops &loops, const Loop &loop) noexcept
{
	Report &report = loop_reports[loops.place_of(loop)];

	if (report.stamp == loop.stamp)
		drop_unit(report);
}

void
end_child_reports(bool count) noexcept
{
	if (!any_child_report)
		return;
	any_child_report = false;
	for (Report &report : child_reports)
	{
		count ? end_unit(report) : drop_unit(report);
		report = {};
	}
}

void
forget_reports() noexcept
{
	for (Report &report : loop_reports)
	{
		end_unit(report);
		report = {};
	}
	end_child_reports(true);
}

void
act(FanOut &fan_out, ShapeTable &shapes)
{
	if (settings.action == action_record)
		return;
	fan_out.each_child([&](Child &child) {
		Report &report = child_reports[fan_out.place_of(child)];
		if (!child.found || report.told)
			return;
		report.told = true;
		with_finding(
			shapes, child.fingerprint,
			[&](const Shape &shape, findings::Finding &finding) noexcept {
				describe_finding(fan_out, shape, child, finding);
				findings::copy_batched_query(report.handle, finding.batched_query);
			},
			[&](const findings::Finding &finding) { tell(finding, child.repeats()); });
	});
}

void
act(Loops &loops, ShapeTable &shapes, const Loop &loop)
{
	Report &report = loop_reports[loops.place_of(loop)];

	if (settings.action == action_record || report.told || loop.may_be_bulk_load)
		return;
	report.told = true;
	with_finding(
		shapes, loop.fingerprint,
		[&](const Shape &shape, findings::Finding &finding) noexcept {
			describe_loop(shape, loop, finding);
			findings::copy_batched_query(report.handle, finding.batched_query);
		},
		[&](const findings::Finding &finding) { tell(finding, loop.calls); });
}

const Watched *
first_watched() noexcept
{
	return observe::watch_number() != 0 && observe::watch_number() == watched_number ? watched_first : nullptr;
}

} // namespace remedy::repetition

#include "repetition/reporting.hpp"

#include "findings/units.hpp"

#include "observe/observe.hpp"
#include "repetition/describing.hpp"
#include "repetition/detection.hpp"
#include "repetition/listener.hpp"
#include "repetition/settings.hpp"
#include "repetition/telling.hpp"
#include "server/catalogs.hpp"
#include "server/guard.hpp"

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
	findings::Counts watched_before; // of its earlier units of work
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

Watched *
known(std::uint64_t identity) noexcept
{
	Watched *watched = watched_first;

	while (watched != nullptr && watched->finding.identity != identity)
		watched = watched->next;
	return watched;
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
	report.watched = known(finding.identity);
	if (report.watched != nullptr)
	{
		report.watched_before = report.watched->finding.counts;
		return;
	}
	if (watched_memory == nullptr)
		watched_memory = AllocSetContextCreate(TopMemoryContext, "pg_remedy watched findings", ALLOCSET_DEFAULT_SIZES);
	report.watched = static_cast<Watched *>(MemoryContextAllocZero(watched_memory, sizeof(Watched)));
	report.watched->finding = finding;
	*watched_end = report.watched;
	watched_end = &report.watched->next;
}

// The unit has no place any more: a statement that counted there asks anew.
void
leave_unit(Report &report) noexcept
{
	if (report.has_unit)
		look_again();
	report.has_unit = false;
}

// The unit of work is over.
void
end_unit(Report &report) noexcept
{
	if (report.has_unit)
		findings::end_unit(report.unit);
	leave_unit(report);
	report.told = false;
}

void
drop_unit(Report &report) noexcept
{
	if (report.has_unit)
		findings::drop_unit(report.unit);
	leave_unit(report);
}

// Whether the finding was reset since; then it is to be entered again.
bool
was_reset(Report &report) noexcept
{
	if (report.handle.serial == 0 || findings::exists(report.handle))
		return false;
	drop_unit(report);
	report.handle = {};
	return true;
}

// Calls use(finding) with what describe(finding) fills in.  That happens in a
// subtransaction: an error in there is not the user's, and then nothing is used.
template <class Describe, class Use>
void
with_finding(Describe &&describe, Use &&use)
{
	if (!server::catalogs_are_free())
		return;
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
		// That statement may run again: not as a settled one, which would count here.
		if (report.has_unit)
			look_again();
		end_unit(report);
		report = {};
		report.stamp = stamp;
	}
	return report;
}

// A backend that ends within a transaction rolls it back.  The table of findings, which
// was asked first, counts what is left then.
void
roll_back_at_exit() noexcept
{
	static bool registered = false;

	if (registered)
		return;
	registered = true;
	const auto roll_back = [](int, Datum) noexcept {
		if (IsTransactionState() && TransactionIdIsValid(GetTopTransactionIdIfAny()))
			writing_undone();
	};
	before_shmem_exit(roll_back, 0);
}

// Where the finding's counts are, as far as this unit of work goes.
void
count(Report &report, const findings::Unit &unit) noexcept
{
	if (report.watched != nullptr)
	{
		report.watched->finding.counts = unit.counts();
		report.watched->finding.counts.add(report.watched_before);
	}
	if (report.handle.serial == 0)
		return;
	if (!report.has_unit)
	{
		report.unit = findings::begin_unit(unit);
		report.has_unit = true;
		roll_back_at_exit();
	}
	else if (!findings::write_unit(report.unit, unit))
		leave_unit(report);
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
	was_reset(report);
	if (report.handle.serial == 0 && !report.no_room && child.calls >= report.next && fan_out.has_parent(child))
	{
		report.next = 2 * child.calls;
		enter(shapes, child.fingerprint, report, [&](const Shape &shape, findings::Finding &finding) noexcept {
			describe(fan_out, shape, child, finding);
			add_batch(shape, varying_keys(shape, child), finding);
		});
	}
	count(report, unit_of(fan_out, child, report.handle));
}

std::uint64_t *
report(Loops &loops, ShapeTable &shapes, const Loop &loop) noexcept
{
	Report &report = report_of(loop_reports[loops.place_of(loop)], loop.stamp);
	const std::uint64_t first = was_reset(report) ? 1 : loop.first_repeats();
	const std::uint64_t repeats = report.has_unit ? findings::unit_at(report.unit).repeats + 1 : first;

	if (report.handle.serial == 0 && !report.no_room && repeats >= report.next)
	{
		report.next = 2 * static_cast<std::uint32_t>(repeats);
		enter(shapes, loop.fingerprint, report, [&](const Shape &shape, findings::Finding &finding) noexcept {
			describe(shape, loop, finding);
			add_batch(shape, varying_keys(loop), finding);
		});
	}
	const std::uint64_t least = loop.may_be_bulk_load ? findings::held_back : loop.found_at;
	const bool bulk = loops.is_bulk_load(loop, repeats);
	count(report,
		  {report.handle, repeats, least, loop.measured, loop.server, loop.waiting, 0, bulk, GetCurrentTimestamp()});
	return report.has_unit ? &findings::repeats_of(report.unit) : nullptr;
}

void
report(ShapeTable &shapes, const PoolLink &link, const PoolLoop &loop, std::uint64_t fingerprint) noexcept
{
	const auto describe_loop = [&](const Shape &shape, findings::Finding &finding) noexcept {
		describe(shape, link, loop, finding);
		add_batch(shape, 1u << link.key, finding);
	};
	if (!claim_report(link, fingerprint))
		return;
	with_finding(shapes, fingerprint, describe_loop, [&](const findings::Finding &finding) {
		findings::Handle handle;
		if (!findings::enter(finding, handle))
			return;
		const int unit = findings::begin_shared_unit(handle, loop.rows);
		if (unit < 0)
			return;
		findings::raise_shared_unit(unit, loop.repeats, loop.server, loop.waiting);
		set_unit(link, fingerprint, unit);
	});
}

void
report(const NestedLoop &loop) noexcept
{
	const auto describe_loop = [&](findings::Finding &finding) noexcept { describe(loop, finding); };

	with_finding(describe_loop, [&](const findings::Finding &finding) {
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
		if (!child.found)
			return;
		Report &report = report_of(child_reports[fan_out.place_of(child)], child.stamp);
		if (report.told)
			return;
		report.told = true;
		with_finding(
			shapes, child.fingerprint,
			[&](const Shape &shape, findings::Finding &finding) noexcept {
				describe(fan_out, shape, child, finding);
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
			describe(shape, loop, finding);
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

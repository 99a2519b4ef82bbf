// plans: when a plan is looked at, and the SQL functions.

#include "plans/plans.hpp"

#include "observe/observe.hpp"
#include "plans/capture.hpp"
#include "plans/plan_table.hpp"
#include "plans/reading.hpp"
#include "plans/saving.hpp"
#include "plans/settings.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

extern "C" {
#include "common/hashfn.h"
}

namespace remedy::plans {

namespace {

// From how long on a statement is slow by its own measure: ten times its median.  A
// statement that always takes long would have its percentiles computed at each run, so
// that they are remembered for a second.
struct OwnLimit
{
	std::uint64_t fingerprint;
	Oid user;
	Nanoseconds limit; // 0: unknown
	Nanoseconds found;
};

Nanoseconds
own_limit(const observe::Statement &statement) noexcept
{
	constexpr Nanoseconds times_slower = 10;
	constexpr Nanoseconds lasts = 1'000'000'000;
	constexpr unsigned remembered = 64;
	static OwnLimit limits[remembered];
	OwnLimit &own = limits[statement.fingerprint % remembered];

	if (own.fingerprint != statement.fingerprint || own.user != statement.user || statement.ended - own.found > lasts)
		own = {statement.fingerprint, statement.user,
			   times_slower * observe::median_execution(statement.fingerprint, statement.user), statement.ended};
	return own.limit;
}

bool
is_slow(const observe::Statement &statement) noexcept
{
	if (milliseconds(statement.execution) >= settings.slow_ms)
		return true;
	const Nanoseconds limit = own_limit(statement);
	return limit > 0 && statement.execution >= limit;
}

} // namespace

void
slow(const observe::Statement &statement)
{
	if (settings.slow_ms < 0 || statement.query == nullptr || statement.fingerprint == 0 || IsInParallelMode())
		return;
	if (is_slow(statement) && take_turn(statement))
		capture(statement);
}

void
reset(const observe::Scope &scope)
{
	reset_plans(scope);
}

namespace {

void
put_plan(server::Rows &rows, const KeptPlan &plan) noexcept
{
	rows.put_text(get_database_name(plan.key.database));
	rows.put_text(GetUserNameFromId(plan.key.user, true));
	rows.put_bigint(static_cast<int64>(plan.key.fingerprint));
	rows.put_bigint(static_cast<int64>(plan.key.plan));
	rows.put_bigint(plan.runs.calls);
	rows.put_double(milliseconds(plan.runs.total));
	rows.put_double(milliseconds(plan.runs.mean()));
	rows.put_double(milliseconds(plan.runs.min));
	rows.put_double(milliseconds(plan.runs.max));
	rows.put_time(plan.runs.first_seen);
	rows.put_time(plan.runs.last_seen);
	rows.put_text(readable_plan(plan));
	rows.end_row();
}

// The plan that the statement had before its latest one, of plans[first] to
// plans[latest]: that of them which was seen last.
const KeptPlan *
plan_before(const KeptPlan *const *plans, int first, int latest) noexcept
{
	const KeptPlan *before = nullptr;

	for (int i = first; i < latest; ++i)
		if (before == nullptr || plans[i]->runs.last_seen > before->runs.last_seen)
			before = plans[i];
	return before;
}

// Made of names and of shapes, so that it survives a dump.
const char *
finding_key(const char *database, const KeptPlan &older, const KeptPlan &newer) noexcept
{
	const std::uint64_t hash =
		hash_bytes_extended(reinterpret_cast<const unsigned char *>(database), static_cast<int>(strlen(database)),
							older.key.plan * 31 ^ newer.key.plan);

	return psprintf("plan_change:%016llx", static_cast<unsigned long long>(hash));
}

void
put_change(server::Rows &rows, const KeptPlan &older, const KeptPlan &newer, Change change) noexcept
{
	const char *const database = get_database_name(newer.key.database);
	const bool can_analyze = newer.key.database == MyDatabaseId && newer.text.table_count == 1 && !newer.text.temporary;

	rows.put_text(change == Change::likely ? "warning" : "notice");
	rows.put_text(database);
	rows.put_text(GetUserNameFromId(newer.key.user, true));
	rows.put_bigint(static_cast<int64>(newer.key.fingerprint));
	rows.put_text(newer.text.table_count == 0 ? nullptr : in_own_encoding(newer.text.tables, newer.text.encoding));
	rows.put_bool(can_analyze);
	for (const KeptPlan *plan : {&older, &newer})
	{
		rows.put_bigint(static_cast<int64>(plan->key.plan));
		rows.put_bigint(plan->runs.calls);
		rows.put_double(milliseconds(plan->runs.mean()));
	}
	rows.put_time(older.runs.last_seen);
	rows.put_time(newer.runs.first_seen);
	rows.put_time(newer.runs.last_seen);
	rows.put_double(milliseconds(lost(older.runs, newer.runs)));
	rows.put_text(finding_key(database == nullptr ? "" : database, older, newer));
	rows.end_row();
}

} // namespace

void
start() noexcept
{
	define_settings();
	declare_plan_table();
	observe::declare_section(section);
}

} // namespace remedy::plans

using namespace remedy;
using namespace remedy::plans;

REMEDY_FUNCTION(remedy_plans)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	int count;
	const KeptPlan *const *const plans = copy_plans(count);

	for (int i = 0; i < count; ++i)
		put_plan(rows, *plans[i]);
	return 0;
}

REMEDY_FUNCTION(remedy_plan_changes)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	int count;
	const KeptPlan *const *const plans = copy_plans(count);

	for (int first = 0, latest; first < count; first = latest + 1)
	{
		for (latest = first; latest + 1 < count && plans[latest + 1]->key.same_statement(plans[first]->key);)
			++latest;
		const KeptPlan *const before = plan_before(plans, first, latest);
		const Change change = before == nullptr ? Change::none : judge(before->runs, plans[latest]->runs);
		if (change != Change::none)
			put_change(rows, *before, *plans[latest], change);
	}
	return 0;
}

REMEDY_FUNCTION(remedy_plans_status)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const TableStatus status = table_status();

	rows.put(Int32GetDatum(status.used));
	rows.put(Int32GetDatum(status.limit));
	rows.put_bigint(status.evicted);
	rows.put_bigint(status.missed);
	rows.end_row();
	return 0;
}

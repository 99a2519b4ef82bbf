#include "schedule/announcing.hpp"

#include <algorithm>
#include <cstdint>

#include "findings/announcements.hpp"
#include "observe/clock.hpp"
#include "schedule/schedule.hpp"
#include "schedule/scheduler.hpp"
#include "schedule/scheduler_state.hpp"
#include "server/guard.hpp"

extern "C" {
#include "utils/json.h"
}

namespace remedy::schedule {

namespace {

constexpr Nanoseconds second = 1'000'000'000;
constexpr Nanoseconds longest_pause = 300 * second;
constexpr Nanoseconds longest_command = 60 * second;

enum class Outcome
{
	sent,
	hopeless, // now and later
	no_worker,
	interrupted,
};

// Findings of one database.
struct Batch
{
	const findings::Announcement *first;
	int count;
};

std::uint64_t announced_up_to = 0;
Nanoseconds pause = second;
Nanoseconds not_before = 0;

// Invalid if the database is gone or closed.  A process without a database may have
// no index of any catalog.
Oid
open_database(const char *name) noexcept
{
	constexpr bool use_index = false;
	const Relation databases = table_open(DatabaseRelationId, AccessShareLock);
	ScanKeyData key;
	Oid database = InvalidOid;

	ScanKeyInit(&key, Anum_pg_database_datname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum(name));
	const SysScanDesc scan = systable_beginscan(databases, DatabaseNameIndexId, use_index, nullptr, 1, &key);
	const HeapTuple row = systable_getnext(scan);
	if (HeapTupleIsValid(row) && reinterpret_cast<Form_pg_database>(GETSTRUCT(row))->datallowconn)
		database = reinterpret_cast<Form_pg_database>(GETSTRUCT(row))->oid;
	systable_endscan(scan);
	table_close(databases, AccessShareLock);
	return database;
}

void
append_member(StringInfo json, const char *name, const char *value) noexcept
{
	appendStringInfo(json, "%s\"%s\": ", json->data[json->len - 1] == '{' ? "" : ", ", name);
	if (value[0] == '\0')
		appendStringInfoString(json, "null");
	else
		escape_json(json, value);
}

// A table is qualified and quoted where needed, and so is a column after it.
void
append_column(StringInfo json, const char *name, const char *table, const char *column) noexcept
{
	const bool whole = table[0] != '\0' && column[0] != '\0';

	append_member(json, name, whole ? psprintf("%s.%s", table, quote_identifier(column)) : table);
}

// At most 8,000 bytes, as a notification must be: control characters in names, which take
// six each, do not add up to that.
const char *
payload_of(const findings::Announcement &finding) noexcept
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_member(&json, "key", finding.key);
	append_member(&json, "level", finding.level);
	append_member(&json, "kind", finding.kind);
	append_member(&json, "direction", finding.direction);
	append_column(&json, "child", finding.child_table, finding.child_column);
	append_column(&json, "parent", finding.parent_table, finding.parent_column);
	append_member(&json, "user", finding.user_name);
	append_member(&json, "application", finding.application);
	append_member(&json, "route", finding.route);
	appendStringInfoChar(&json, '}');
	return json.data;
}

// One command, hence one transaction, for all of them.
const char *
text_of(Batch batch) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "SELECT pg_catalog.pg_notify('pg_remedy', finding) FROM pg_catalog.unnest(ARRAY[");
	for (int i = 0; i < batch.count; ++i)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", quote_literal_cstr(payload_of(batch.first[i])));
	appendStringInfoString(&text, "]::pg_catalog.text[]) AS finding");
	return text.data;
}

Outcome
wait_for(const Run &run) noexcept
{
	const Nanoseconds end = now() + longest_command;

	while (poll(run) < State::done)
	{
		if (ShutdownRequestPending)
			return Outcome::interrupted;
		if (now() > end)
		{
			note_error("a notification took more than a minute");
			return Outcome::hopeless;
		}
		nap(1000);
	}
	if (poll(run) == State::done)
		return Outcome::sent;
	note_error(failure(run).message);
	return Outcome::hopeless;
}

Outcome
send(Batch batch) noexcept
{
	Outcome outcome = Outcome::hopeless;
	Run *run = nullptr;
	const ErrorData *const error = in_transaction([batch, &outcome, &run]() noexcept {
		const Oid database = open_database(batch.first->database);
		if (!OidIsValid(database))
			return;
		run = start_command({database, BOOTSTRAP_SUPERUSERID, text_of(batch), "pg_remedy"});
		if (run == nullptr)
			outcome = Outcome::no_worker;
	});

	if (error != nullptr)
		note_error(error->message);
	if (run != nullptr)
	{
		outcome = wait_for(*run);
		forget(run);
	}
	return outcome;
}

void
try_later() noexcept
{
	not_before = now() + pause;
	pause = std::min(2 * pause, longest_pause);
	note_error("no background worker is free to notify of findings; max_worker_processes may be too small");
}

// Whether to go on with the next batch.
bool
announce(Batch batch) noexcept
{
	const Outcome outcome = send(batch);

	if (outcome == Outcome::interrupted)
		return false;
	if (outcome == Outcome::no_worker)
	{
		try_later();
		return false;
	}
	pause = second;
	findings::mark_announced(batch.first, batch.count);
	if (outcome == Outcome::sent)
		change_scheduler_state([batch](SchedulerState &state) {
			state.notifications += batch.count;
			state.last_notification = GetCurrentTimestamp();
		});
	return true;
}

int
of_one_database(const findings::Announcement *first, int count) noexcept
{
	int same = 1;

	while (same < count && strcmp(first[same].database, first->database) == 0)
		++same;
	return same;
}

} // namespace

void
announce_findings() noexcept
{
	const std::uint64_t newest = findings::newest_finding();

	if (newest == announced_up_to || now() < not_before)
		return;
	findings::Announcement *all;
	// What is older was saved by the server that ran before.
	const int count = findings::findings_to_announce(PgStartTime, all);
	if (RecoveryInProgress())
		findings::mark_announced(all, count);
	else
		for (int i = 0, same; i < count; i += same)
		{
			same = of_one_database(all + i, count - i);
			if (!announce({all + i, same}))
				return;
		}
	announced_up_to = newest;
}

} // namespace remedy::schedule

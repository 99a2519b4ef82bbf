#include "index_advice/advised.hpp"

#include <algorithm>

#include "index_advice/advised_memory.hpp"
#include "index_advice/built.hpp"
#include "index_advice/canonical.hpp"
#include "observe/statement_totals.hpp"
#include "server/catalogs.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

namespace remedy::index_advice {

namespace {

// An entry of this database, and the index that is it.
struct Seen
{
	Advised advised;
	Built built;
};

struct AllSeen
{
	Seen *seen;
	int count;
};

// The lock is held.
AllSeen
copy_entries(bool waiting_only) noexcept
{
	AllSeen all = {static_cast<Seen *>(palloc(advised_limit * sizeof(Seen))), 0};

	for (const Advised &entry : advised_memory->table.entries)
		if (entry.database == MyDatabaseId && !(waiting_only && entry.confirmed))
			all.seen[all.count++] = {entry, {InvalidOid, false}};
	return all;
}

void
look_for(AllSeen all) noexcept
{
	const int level = begin_deparsing();

	for (int i = 0; i < all.count; ++i)
		all.seen[i].built = find_built(all.seen[i].advised.relation, all.seen[i].advised.form);
	AtEOXact_GUC(true, level);
}

Figures
figures_now(const observe::AllTotals &totals, std::uint64_t fingerprint) noexcept
{
	const observe::StatementCounts *const counts = totals.of(fingerprint);

	return counts == nullptr ? Figures{0, 0} : Figures{counts->calls, milliseconds(counts->total)};
}

// An index that was not seen yet, or is seen committed for the first time.
bool
is_news(const Seen &seen) noexcept
{
	return OidIsValid(seen.built.index) && !seen.advised.confirmed &&
		   (seen.advised.index != seen.built.index || seen.built.committed);
}

// The lock is held exclusively.
void
note_built(Seen &seen, const observe::AllTotals &totals, TimestampTz when) noexcept
{
	Advised *const entry = advised_memory->table.find(MyDatabaseId, seen.advised.relation, seen.advised.form);

	if (entry == nullptr || entry->confirmed)
		return;
	if (entry->index != seen.built.index)
	{
		entry->index = seen.built.index;
		entry->built_at = when;
		for (int i = 0; i < entry->statement_count; ++i)
			entry->statements[i].figures = figures_now(totals, entry->statements[i].fingerprint);
	}
	entry->confirmed = seen.built.committed;
	seen.advised = *entry;
}

// What is there now, and noted if that is news.  False if the lock was not free.
bool
note_news(AllSeen all, bool wait) noexcept
{
	if (std::none_of(all.seen, all.seen + all.count, is_news))
		return true;
	const observe::AllTotals totals = observe::statement_totals();
	const TimestampTz when = GetCurrentTimestamp();
	if (wait)
		advised_region.acquire(LW_EXCLUSIVE);
	else if (!advised_region.acquire_if_free(LW_EXCLUSIVE))
		return false;
	for (int i = 0; i < all.count; ++i)
		if (is_news(all.seen[i]))
			note_built(all.seen[i], totals, when);
	update_watched();
	advised_region.release();
	return true;
}

// At the end of a user's command.
bool
look_without_waiting() noexcept
{
	if (!server::catalogs_are_free() || !advised_region.acquire_if_free(LW_SHARED))
		return false;
	const AllSeen waiting = copy_entries(true);
	advised_region.release();
	look_for(waiting);
	return note_news(waiting, false);
}

AllSeen
look_at_all() noexcept
{
	advised_region.acquire(LW_SHARED);
	const AllSeen all = copy_entries(false);
	advised_region.release();
	look_for(all);
	note_news(all, true);
	return all;
}

} // namespace

void
detail::look_after_command() noexcept
{
	if (!IsTransactionState() || IsInParallelMode())
		return;
	const MemoryContext memory =
		AllocSetContextCreate(CurrentMemoryContext, "pg_remedy advised indexes", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(memory);
	// What fails is not tried again before the next change.
	look_is_due = false;
	attempt([]() noexcept { look_is_due = !look_without_waiting(); });
	MemoryContextSwitchTo(before);
	MemoryContextDelete(memory);
}

void
remember(const Advice &advice) noexcept
{
	Advised *const entry = static_cast<Advised *>(palloc0(sizeof(Advised)));

	entry->form = form_of(advice.create_index);
	if (entry->form == 0 || strlcpy(entry->definition, advice.create_index, definition_bytes) >= definition_bytes)
		return;
	entry->database = MyDatabaseId;
	entry->relation = advice.relation;
	entry->advised_at = GetCurrentTimestamp();
	entry->saving_ms = advice.saving_ms;
	entry->cost_before = advice.cost_before;
	entry->cost_after = advice.cost_after;
	entry->statement_count = std::min(advice.fingerprint_count, advised_statements);
	for (int i = 0; i < entry->statement_count; ++i)
		entry->statements[i].fingerprint = advice.fingerprints[i];
	advised_region.acquire(LW_EXCLUSIVE);
	advised_memory->table.remember(*entry);
	update_watched();
	advised_region.release();
}

void
forget(Oid relation, const char *create_index) noexcept
{
	advised_region.acquire(LW_EXCLUSIVE);
	if (Advised *const entry = advised_memory->table.find(MyDatabaseId, relation, form_of(create_index)))
		*entry = {};
	update_watched();
	advised_region.release();
}

const AdvisedTable &
copy_advised() noexcept
{
	AdvisedTable *const copy = static_cast<AdvisedTable *>(palloc(sizeof(AdvisedTable)));

	advised_region.acquire(LW_SHARED);
	*copy = advised_memory->table;
	advised_region.release();
	return *copy;
}

void
forget_unrepeated(TimestampTz since) noexcept
{
	advised_region.acquire(LW_EXCLUSIVE);
	for (Advised &entry : advised_memory->table.entries)
		if (entry.database == MyDatabaseId && entry.built_at == 0 && entry.repeated_at < since)
			entry = {};
	update_watched();
	advised_region.release();
}

void
reset(const observe::Scope &scope)
{
	if (scope.user != 0 || scope.fingerprint != 0)
		return;
	advised_region.acquire(LW_EXCLUSIVE);
	for (Advised &entry : advised_memory->table.entries)
		if (scope.database == 0 || scope.database == entry.database)
			entry = {};
	update_watched();
	advised_region.release();
}

void
start_advised() noexcept
{
	declare_advised_memory();
}

namespace {

// A definition may hold values of statements, and the row tells of others' statements.
bool
may_see(Oid relation) noexcept
{
	const HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));

	if (!HeapTupleIsValid(tuple))
		return false;
	const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return observe::may_read_texts_of(owner);
}

void
put_mean(server::Rows &rows, double total_ms, std::uint64_t calls) noexcept
{
	calls == 0 ? rows.put_null() : rows.put_double(total_ms / static_cast<double>(calls));
}

void
put_outcome(server::Rows &rows, const Advised &entry, const observe::AllTotals &totals) noexcept
{
	Outcome outcome;

	if (entry.built_at != 0)
		for (int i = 0; i < entry.statement_count; ++i)
			outcome.add(entry.statements[i].figures, figures_now(totals, entry.statements[i].fingerprint));
	rows.put_bigint(static_cast<int64>(outcome.calls_before));
	if (outcome.calls_after > 0)
		put_mean(rows, outcome.expected_ms, outcome.calls_after);
	else
		put_mean(rows, outcome.total_ms_before, outcome.calls_before);
	rows.put_bigint(static_cast<int64>(outcome.calls_after));
	put_mean(rows, outcome.total_ms_after, outcome.calls_after);
	outcome.expected_ms > 0 ? rows.put_double(outcome.total_ms_after / outcome.expected_ms) : rows.put_null();
}

void
put_seen(server::Rows &rows, const Seen &seen, const observe::AllTotals &totals) noexcept
{
	const bool there = OidIsValid(seen.built.index);
	Advised entry = seen.advised;

	// That was seen before its transaction was over is nobody else's business yet.
	if (!there && !entry.confirmed)
		entry.built_at = 0;
	rows.put(ObjectIdGetDatum(entry.relation));
	there ? rows.put(ObjectIdGetDatum(seen.built.index)) : rows.put_null();
	rows.put_text(entry.definition);
	rows.put_time(entry.advised_at);
	rows.put_time(entry.built_at);
	rows.put_double(entry.saving_ms);
	rows.put_double(entry.cost_before);
	rows.put_double(entry.cost_after);
	rows.put(Int32GetDatum(entry.statement_count));
	put_outcome(rows, entry, totals);
	rows.end_row();
}

} // namespace

} // namespace remedy::index_advice

using namespace remedy;
using namespace remedy::index_advice;

REMEDY_FUNCTION(remedy_advised)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	const AllSeen all = look_at_all();
	const observe::AllTotals totals = observe::statement_totals();

	for (int i = 0; i < all.count; ++i)
		if (may_see(all.seen[i].advised.relation))
			put_seen(rows, all.seen[i], totals);
	return 0;
}

REMEDY_FUNCTION(remedy_remember_advice)
{
	observe::enter_function();
	const char *const create_index = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Datum *numbers;
	int count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(5), INT8OID, sizeof(int64), true, TYPALIGN_DOUBLE, &numbers, nullptr,
					  &count);
	std::uint64_t *const fingerprints = static_cast<std::uint64_t *>(palloc((count + 1) * sizeof(std::uint64_t)));
	for (int i = 0; i < count; ++i)
		fingerprints[i] = static_cast<std::uint64_t>(DatumGetInt64(numbers[i]));
	remember({PG_GETARG_OID(0), create_index, PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4),
			  fingerprints, count});
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_forget_advice)
{
	observe::enter_function();
	forget(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_VOID();
}

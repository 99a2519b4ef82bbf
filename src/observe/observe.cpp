// observe: its SQL functions.

#include "observe/observe.hpp"

#include "observe/hooks.hpp"
#include "observe/listeners.hpp"
#include "observe/session.hpp"
#include "observe/settings.hpp"
#include "observe/transaction_statistics.hpp"
#include "observe/unseen.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"
#include "server/shared.hpp"
#include "version.hpp"

namespace remedy::observe {

namespace {

// Session entries in the order in which their fingerprints first came.
struct Ordered
{
	const StatementEntry *entries[StatementTable::size];
	int count;
};

Ordered
entries_of(const Period &period, PeriodTally StatementEntry::*tally) noexcept
{
	Ordered ordered = {};

	for (StatementEntry &entry : session()->statements)
	{
		if (entry.fingerprint == 0 || (entry.*tally).period != period.number || period.number == 0)
			continue;
		int place = ordered.count++;
		for (; place > 0 && (ordered.entries[place - 1]->*tally).order > (entry.*tally).order; --place)
			ordered.entries[place] = ordered.entries[place - 1];
		ordered.entries[place] = &entry;
	}
	return ordered;
}

void
put_tally(server::Rows &rows, const StatementEntry *entry, const Tally &tally) noexcept
{
	if (entry == nullptr)
		rows.put_null();
	else
		rows.put_bigint(static_cast<int64>(entry->fingerprint));
	rows.put_bigint(tally.calls);
	rows.put_bigint(tally.rows);
	rows.put_double(milliseconds(tally.execution));
	rows.put_text(entry == nullptr ? nullptr : normalised(entry->text));
	rows.end_row();
}

void
put_group(void *context, const TransactionGroup &group) noexcept
{
	server::Rows &rows = *static_cast<server::Rows *>(context);
	const GroupCounts &counts = group.counts;
	const bool is_named = group.key.user != 0;

	rows.put_text(is_named ? get_database_name(group.key.database) : nullptr);
	rows.put_text(is_named ? GetUserNameFromId(group.key.user, true) : nullptr);
	rows.put_text(is_named ? group.key.application : nullptr);
	rows.put_text(nullptr); // route
	rows.put_bigint(counts.transactions);
	rows.put_bigint(counts.statements);
	rows.put_bigint(counts.nested);
	rows.put_bigint(counts.failed);
	rows.put_bigint(counts.rows);
	rows.put_bigint(group.sizes.percentile(0.5));
	rows.put_bigint(group.sizes.percentile(0.95));
	rows.put_bigint(counts.statements_max);
	rows.put_double(milliseconds(counts.execution));
	rows.put_double(milliseconds(counts.waiting));
	rows.end_row();
}

} // namespace

void
start() noexcept
{
	define_settings();
	declare_transaction_statistics();
	install_hooks();
	// Without preloading this acts on this session alone; prepared statements made
	// before have no fingerprint.
	EnableQueryId();
	ignore_running_statement();
}

RawText
statement_text(std::uint64_t fingerprint) noexcept
{
	const StatementEntry *const entry = session()->statements.find(fingerprint);
	return entry == nullptr ? RawText{} : entry->text;
}

std::uint32_t
watch_number() noexcept
{
	return session()->watch.number;
}

bool
may_read_texts_of(Oid user) noexcept
{
	return has_privs_of_role(GetUserId(), user) || has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

Nanoseconds
median_execution(std::uint64_t, Oid) noexcept
{
	return 0;
}

void
put_period(FunctionCallInfo call, PeriodName name) noexcept
{
	server::Rows rows(call);
	if (session() == nullptr)
		return;
	const bool watched = name == PeriodName::watch;
	const Period &period = watched ? session()->watch : session()->transaction;
	PeriodTally StatementEntry::*const tally = watched ? &StatementEntry::watch : &StatementEntry::transaction;
	const Ordered ordered = entries_of(period, tally);

	for (int i = 0; i < ordered.count; ++i)
		put_tally(rows, ordered.entries[i], (ordered.entries[i]->*tally).tally);
	if (period.others.calls > 0)
		put_tally(rows, nullptr, period.others);
}

} // namespace remedy::observe

using namespace remedy;
using namespace remedy::observe;

REMEDY_FUNCTION(remedy_status)
{
	enter_function();
	server::Rows rows(fcinfo);
	const StoreStatus store = read_groups([](void *, const TransactionGroup &) {}, nullptr);

	rows.put_text(server::preloaded() ? "preloaded" : "session");
	rows.put_text(version);
	rows.put_text(PG_VERSION);
	rows.put_bool(settings.enabled);
	rows.put_bool(IsQueryIdEnabled());
	rows.put(Int32GetDatum(store.slots_used));
	rows.put(Int32GetDatum(server::slot_limit()));
	rows.put(Int32GetDatum(store.unread));
	rows.put_bigint(store.sizes_missed);
	rows.put_bigint(server::regions_size());
	rows.end_row();
	return 0;
}

REMEDY_FUNCTION(remedy_transactions)
{
	enter_function();
	server::Rows rows(fcinfo);
	read_groups(put_group, &rows);
	return 0;
}

REMEDY_FUNCTION(remedy_current_transaction)
{
	enter_function();
	put_period(fcinfo, PeriodName::transaction);
	return 0;
}

REMEDY_FUNCTION(remedy_transaction_statements)
{
	enter_function();
	PG_RETURN_INT64(session() == nullptr ? 0 : session()->transaction.statements);
}

REMEDY_FUNCTION(remedy_reset)
{
	enter_function();
	reset_transaction_statistics();
	tell_reset({});
	PG_RETURN_VOID();
}

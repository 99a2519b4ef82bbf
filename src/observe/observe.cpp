// observe: its SQL functions.

#include "observe/observe.hpp"

#include "observe/hooks.hpp"
#include "observe/listeners.hpp"
#include "observe/nested_texts.hpp"
#include "observe/persistence.hpp"
#include "observe/samples.hpp"
#include "observe/saving.hpp"
#include "observe/session.hpp"
#include "observe/settings.hpp"
#include "observe/statistics.hpp"
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

} // namespace

void
start() noexcept
{
	define_settings();
	declare_statistics();
	declare_samples();
	declare_nested_texts();
	declare_persistence();
	declare_section(statistics_section);
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

const char *
route() noexcept
{
	return session()->route;
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

void
put_period(FunctionCallInfo call, PeriodName name) noexcept
{
	server::Rows rows(call);
	if (session() == nullptr)
		return;
	settle();
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

REMEDY_FUNCTION(remedy_current_transaction)
{
	enter_function();
	put_period(fcinfo, PeriodName::transaction);
	return 0;
}

REMEDY_FUNCTION(remedy_transaction_statements)
{
	enter_function();
	PG_RETURN_INT64(session() == nullptr ? 0 : session()->calls);
}

REMEDY_FUNCTION(remedy_reset)
{
	enter_function();
	const Scope scope = {
		PG_ARGISNULL(0) ? InvalidOid : get_database_oid(NameStr(*PG_GETARG_NAME(0)), false),
		PG_ARGISNULL(1) ? InvalidOid : get_role_oid(NameStr(*PG_GETARG_NAME(1)), false),
		PG_ARGISNULL(2) ? 0 : static_cast<std::uint64_t>(PG_GETARG_INT64(2)),
	};

	reset_statistics(scope);
	tell_reset(scope);
	ask_for_save();
	PG_RETURN_VOID();
}

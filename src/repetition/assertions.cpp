// Assertions for regression suites: a watched stretch of the session, counted
// exactly, and errors when it holds more than it may.

#include <boost/container/vector.hpp>

#include <algorithm>

#include "observe/observe.hpp"
#include "observe/session.hpp"
#include "repetition/advice.hpp"
#include "repetition/detection.hpp"
#include "repetition/reporting.hpp"
#include "server/guard.hpp"
#include "server/memory.hpp"

namespace remedy::repetition {

namespace {

using observe::StatementEntry;
using Entries = boost::container::vector<const StatementEntry *, ContextAllocator<const StatementEntry *>>;

constexpr int listed_limit = 20;

[[noreturn]] void
complain_unwatched() noexcept
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("nothing is being watched in this session"),
			 errhint("Call remedy.watch() first, in the same session.")));
	pg_unreachable();
}

const observe::Period &
watched_period() noexcept
{
	if (observe::session() == nullptr || observe::session()->watch.number == 0)
		complain_unwatched();
	observe::settle();
	return observe::session()->watch;
}

// Most frequent first; in the order of their first run where that is equal.
Entries
watched_entries(const observe::Period &period)
{
	Entries entries{Entries::allocator_type(CurrentMemoryContext)};

	for (const StatementEntry &entry : observe::session()->statements)
		if (entry.fingerprint != 0 && entry.watch.period == period.number)
			entries.push_back(&entry);
	std::sort(entries.begin(), entries.end(), [](const StatementEntry *left, const StatementEntry *right) {
		const std::uint64_t left_calls = left->watch.tally.calls;
		const std::uint64_t right_calls = right->watch.tally.calls;
		return left_calls != right_calls ? left_calls > right_calls : left->watch.order < right->watch.order;
	});
	return entries;
}

// One line for each statement, however many its text has.
void
append_line(StringInfo out, std::uint64_t calls, const char *text) noexcept
{
	bool blank = false;

	appendStringInfo(out, "%s%llu x ", out->len > 0 ? "\n" : "", static_cast<unsigned long long>(calls));
	for (; *text != '\0'; ++text)
	{
		const bool was_blank = blank;
		blank = strchr(" \t\n\r", *text) != nullptr;
		if (!blank)
			appendStringInfoChar(out, *text);
		else if (!was_blank)
			appendStringInfoChar(out, ' ');
	}
}

char *
list_of_statements(const observe::Period &period)
{
	const Entries entries = watched_entries(period);
	StringInfoData out;

	call([&]() noexcept { initStringInfo(&out); });
	for (std::size_t i = 0; i < entries.size() && i < listed_limit; ++i)
		call([&]() noexcept {
			const char *const text = observe::normalised(entries[i]->text);
			append_line(&out, entries[i]->watch.tally.calls, text == nullptr ? "(text unknown)" : text);
		});
	call([&]() noexcept {
		if (entries.size() > listed_limit)
			appendStringInfo(&out, "\nand %zu more", entries.size() - listed_limit);
		if (period.others.calls > 0)
			append_line(&out, period.others.calls, "(statements without a fingerprint)");
	});
	return out.data;
}

char *
list_of_findings() noexcept
{
	StringInfoData out;

	initStringInfo(&out);
	for (const Watched *watched = first_watched(); watched != nullptr; watched = watched->next)
	{
		const findings::Finding &finding = watched->finding;
		append_line(&out, finding.counts.repeats_max, finding.child_query);
		appendStringInfo(&out, " (%s.%s, for %s.%s)", finding.child_table, finding.child_column, finding.parent_table,
						 finding.parent_column);
	}
	return out.data;
}

[[noreturn]] void
complain_of_statements(const observe::Period &period, int64 at_most, const char *list) noexcept
{
	ereport(ERROR, (errcode(ERRCODE_ASSERT_FAILURE),
					errmsg("%llu statements were executed, at most %lld are allowed",
						   static_cast<unsigned long long>(period.statements), static_cast<long long>(at_most)),
					errdetail("Since remedy.watch():\n%s", list)));
	pg_unreachable();
}

void
complain_of_findings(const char *list) noexcept
{
	const findings::Finding &first = first_watched()->finding;
	char advice[512];

	write_advice({first.kind, first.direction, first.client, first.child_table, first.child_column, first.parent_table},
				 advice, sizeof(advice));
	ereport(ERROR, (errcode(ERRCODE_ASSERT_FAILURE), errmsg("statements were repeated for each row of another (N+1)"),
					errdetail("Since remedy.watch():\n%s", list), errhint("%s", advice)));
}

} // namespace

} // namespace remedy::repetition

using namespace remedy;
using namespace remedy::repetition;

REMEDY_FUNCTION(remedy_watch)
{
	observe::enter_function();
	if (observe::session() == nullptr)
		throw Error(ERRCODE_FEATURE_NOT_SUPPORTED, "only a client's session can be watched");
	observe::start_watch();
	look_again();
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_unwatch)
{
	observe::enter_function();
	if (observe::session() != nullptr)
		observe::end_watch();
	PG_RETURN_VOID();
}

REMEDY_FUNCTION(remedy_watched)
{
	observe::enter_function();
	observe::put_period(fcinfo, observe::PeriodName::watch);
	return 0;
}

REMEDY_FUNCTION(remedy_assert_statements)
{
	observe::enter_function();
	const int64 at_most = PG_GETARG_INT64(0);
	const observe::Period &period = watched_period();

	if (at_most < 0)
		throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "at_most must not be negative");
	if (period.statements > static_cast<std::uint64_t>(at_most))
	{
		const char *const list = list_of_statements(period);
		call([&]() noexcept { complain_of_statements(period, at_most, list); });
	}
	PG_RETURN_INT64(period.statements);
}

REMEDY_FUNCTION(remedy_assert_no_n_plus_one)
{
	observe::enter_function();
	const char *const level = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (strcmp(level, "likely") != 0 && strcmp(level, "possible") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("level \"%s\" is not known", level),
						errhint("Levels are \"likely\" and \"possible\".")));
	watched_period();
	if (first_watched() != nullptr)
		complain_of_findings(list_of_findings());
	PG_RETURN_VOID();
}

// Assertions for regression suites: a watched stretch of the session, counted
// exactly, and errors when it holds more than it may.

#include <boost/container/vector.hpp>

#include <algorithm>

#include "observe/observe.hpp"
#include "observe/session.hpp"
#include "repetition/detection.hpp"
#include "repetition/reporting.hpp"
#include "repetition/telling.hpp"
#include "server/guard.hpp"
#include "server/memory.hpp"

extern "C" {
#include "catalog/pg_collation.h"
}

namespace remedy::repetition {

namespace {

using observe::StatementEntry;
using Entries = boost::container::vector<const StatementEntry *, ContextAllocator<const StatementEntry *>>;

constexpr int listed_limit = 20;

// What remedy.watch() was given as the name of the stretch; empty: none.
char block[NAMEDATALEN];

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

// The text with one space for all that separates its words.
const char *
in_one_line(const char *text) noexcept
{
	StringInfoData line;
	bool blank = false;

	initStringInfo(&line);
	for (; *text != '\0'; ++text)
	{
		const bool was_blank = blank;
		blank = strchr(" \t\n\r", *text) != nullptr;
		if (!blank)
			appendStringInfoChar(&line, *text);
		else if (!was_blank)
			appendStringInfoChar(&line, ' ');
	}
	return line.data;
}

const char *
text_of(const StatementEntry &entry) noexcept
{
	const char *const text = observe::normalised(entry.text);

	return text == nullptr ? "(text unknown)" : in_one_line(text);
}

void
append_line(StringInfo out, std::uint64_t calls, const char *text) noexcept
{
	appendStringInfo(out, "%s%llu x %s", out->len > 0 ? "\n" : "", static_cast<unsigned long long>(calls), text);
}

const char *
since() noexcept
{
	return block[0] == '\0' ? "Since remedy.watch():" : psprintf("Since remedy.watch(%s):", quote_literal_cstr(block));
}

// Which statements of the stretch a budget is for.
struct Choice
{
	text *pattern;             // of LIKE, for the text; null: any
	std::uint64_t fingerprint; // 0: any

	bool all() const noexcept { return pattern == nullptr && fingerprint == 0; }
};

bool
is_chosen(const StatementEntry &entry, Choice choice) noexcept
{
	if (choice.fingerprint != 0 && entry.fingerprint != choice.fingerprint)
		return false;
	return choice.pattern == nullptr ||
		   DatumGetBool(DirectFunctionCall2Coll(textlike, C_COLLATION_OID, CStringGetTextDatum(text_of(entry)),
												PointerGetDatum(choice.pattern)));
}

// Most frequent first; in the order of their first run where that is equal.
Entries
watched_entries(const observe::Period &period, Choice choice)
{
	Entries entries{Entries::allocator_type(CurrentMemoryContext)};

	for (const StatementEntry &entry : observe::session()->statements)
	{
		if (entry.fingerprint == 0 || entry.watch.period != period.number)
			continue;
		if (choice.all() || call([&]() noexcept { return is_chosen(entry, choice); }))
			entries.push_back(&entry);
	}
	std::sort(entries.begin(), entries.end(), [](const StatementEntry *left, const StatementEntry *right) {
		const std::uint64_t left_calls = left->watch.tally.calls;
		const std::uint64_t right_calls = right->watch.tally.calls;
		return left_calls != right_calls ? left_calls > right_calls : left->watch.order < right->watch.order;
	});
	return entries;
}

char *
list_of_statements(const observe::Period &period, const Entries &entries, Choice choice)
{
	StringInfoData out;

	call([&]() noexcept { initStringInfo(&out); });
	for (std::size_t i = 0; i < entries.size() && i < listed_limit; ++i)
		call([&]() noexcept { append_line(&out, entries[i]->watch.tally.calls, text_of(*entries[i])); });
	call([&]() noexcept {
		if (entries.size() > listed_limit)
			appendStringInfo(&out, "\nand %zu more", entries.size() - listed_limit);
		if (choice.all() && period.others.calls > 0)
			append_line(&out, period.others.calls, "(statements without a fingerprint)");
	});
	return out.data;
}

// Those of the whole stretch are known even where the single ones found no room.
std::uint64_t
calls_of(const observe::Period &period, const Entries &entries, Choice choice) noexcept
{
	std::uint64_t calls = 0;

	if (choice.all())
		return period.statements;
	for (const StatementEntry *entry : entries)
		calls += entry->watch.tally.calls;
	return calls;
}

[[noreturn]] void
complain_of_statements(std::uint64_t calls, int64 at_most, const char *list, Choice choice) noexcept
{
	ereport(ERROR, (errcode(ERRCODE_ASSERT_FAILURE),
					errmsg("%llu %s were executed, at most %lld are allowed", static_cast<unsigned long long>(calls),
						   choice.all() ? "statements" : "matching statements", static_cast<long long>(at_most)),
					errdetail("%s\n%s", since(), list)));
	pg_unreachable();
}

bool
is_asserted(const findings::Finding &finding, bool possible_too) noexcept
{
	const bool bulk_load = finding.counts.bulk_units > 0; // information, no ailment

	return !bulk_load && (possible_too || strcmp(finding.level, "likely") == 0) && !is_silenced(finding);
}

// Its table and column, and where its values came from or what else it is.
void
append_finding(StringInfo out, const findings::Finding &finding) noexcept
{
	append_line(out, finding.counts.repeats_max, in_one_line(finding.child_query));
	appendStringInfo(out, " (%s", finding.child_table);
	if (finding.child_column[0] != '\0')
		appendStringInfo(out, ".%s", finding.child_column);
	if (finding.parent_table[0] != '\0')
		appendStringInfo(out, ", for %s.%s)", finding.parent_table, finding.parent_column);
	else
		appendStringInfo(out, ", %s)", finding.kind);
}

void
complain_of_findings(const findings::Finding &first, const char *list) noexcept
{
	char advice[advice_bytes];

	write_advice(ailment_of(first), advice, sizeof(advice));
	ereport(ERROR, (errcode(ERRCODE_ASSERT_FAILURE),
					errmsg(first.parent_table[0] == '\0' ? "statements were repeated that one could replace (N+1)"
														 : "statements were repeated for each row of another (N+1)"),
					errdetail("%s\n%s", since(), list), errhint("%s", advice)));
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
	block[0] = '\0';
	if (!PG_ARGISNULL(0))
		text_to_cstring_buffer(PG_GETARG_TEXT_PP(0), block, sizeof(block));
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
	if (PG_ARGISNULL(0))
		throw Error(ERRCODE_NULL_VALUE_NOT_ALLOWED, "at_most must not be null");
	const int64 at_most = PG_GETARG_INT64(0);
	const observe::Period &period = watched_period();
	if (at_most < 0)
		throw Error(ERRCODE_INVALID_PARAMETER_VALUE, "at_most must not be negative");
	const Choice choice = {PG_ARGISNULL(1) ? nullptr : PG_GETARG_TEXT_PP(1),
						   PG_ARGISNULL(2) ? 0 : static_cast<std::uint64_t>(PG_GETARG_INT64(2))};
	const Entries entries = watched_entries(period, choice);
	const std::uint64_t calls = calls_of(period, entries, choice);

	if (calls > static_cast<std::uint64_t>(at_most))
	{
		const char *const list = list_of_statements(period, entries, choice);
		call([&]() noexcept { complain_of_statements(calls, at_most, list, choice); });
	}
	PG_RETURN_INT64(calls);
}

REMEDY_FUNCTION(remedy_assert_no_n_plus_one)
{
	observe::enter_function();
	const char *const level = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const bool possible_too = strcmp(level, "possible") == 0;
	const findings::Finding *first = nullptr;
	StringInfoData list;

	if (!possible_too && strcmp(level, "likely") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("level \"%s\" is not known", level),
						errhint("Levels are \"likely\" and \"possible\".")));
	watched_period();
	initStringInfo(&list);
	for (const Watched *watched = first_watched(); watched != nullptr; watched = watched->next)
	{
		if (!is_asserted(watched->finding, possible_too))
			continue;
		append_finding(&list, watched->finding);
		if (first == nullptr)
			first = &watched->finding;
	}
	if (first != nullptr)
		complain_of_findings(*first, list.data);
	PG_RETURN_VOID();
}

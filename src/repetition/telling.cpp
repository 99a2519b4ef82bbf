#include "repetition/telling.hpp"

#include "findings/muting.hpp"
#include "repetition/log_pace.hpp"
#include "repetition/name_list.hpp"
#include "repetition/settings.hpp"

#include "server/headers.hpp"

namespace remedy::repetition {

namespace {

constinit LogPace pace;

// One line, however many the text has.
char *
in_one_line(const char *text) noexcept
{
	char *const line = pstrdup(text);

	for (char *at = line; *at != '\0'; ++at)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	return line;
}

void
log(const findings::Finding &finding, const char *title, const char *advice)
{
	const std::uint64_t left_out = pace.told(finding.identity, now());
	const char *const more =
		left_out == 0 ? "" : psprintf("; %llu lines before were left out", static_cast<unsigned long long>(left_out));

	// The statement's text has constants.
	ereport(LOG, (errcode(ERRCODE_ASSERT_FAILURE), errhidestmt(true), errhidecontext(true),
				  errmsg("N+1 (%s, %s): %s: %s; %s%s", finding.level, finding.key, in_one_line(title),
						 in_one_line(finding.child_query), in_one_line(advice), more)));
}

char *
evidence_of(const findings::Finding &finding) noexcept
{
	if (finding.parent_query[0] == '\0')
		return psprintf("Repeated: %s", finding.child_query);
	if (finding.parent_table[0] == '\0') // the value is no column's
		return psprintf("Repeated: %s\nIts key %s was returned by: %s", finding.child_query, finding.child_column,
						finding.parent_query);
	return psprintf("Repeated: %s\nIts key %s was returned as %s by: %s", finding.child_query, finding.child_column,
					finding.parent_column, finding.parent_query);
}

const char *
hint_of(const findings::Finding &finding, const char *advice) noexcept
{
	return finding.batched_query[0] == '\0' ? advice : psprintf("%s\nIn one query: %s", advice, finding.batched_query);
}

void
warn(int level, const findings::Finding &finding, const char *title, const char *advice)
{
	ereport(level, (errcode(ERRCODE_ASSERT_FAILURE), errhidestmt(level < ERROR), errmsg("N+1: %s", title),
					errdetail("%s", evidence_of(finding)), errhint("%s", hint_of(finding, advice))));
}

bool
is_wanted(const findings::Finding &finding) noexcept
{
	return settings.action_level == level_possible || strcmp(finding.level, "likely") == 0;
}

} // namespace

Ailment
ailment_of(const findings::Finding &finding) noexcept
{
	return {finding.kind,        finding.direction,    finding.client,
			finding.child_table, finding.child_column, finding.parent_table};
}

bool
is_silenced(const findings::Finding &finding) noexcept
{
	const char *const ignored = settings.ignore == nullptr ? "" : settings.ignore;

	return list_holds(ignored, finding.key) || list_holds(ignored, finding.child_table) ||
		   findings::is_muted(finding.key);
}

void
tell(const findings::Finding &finding, std::uint64_t repeats)
{
	const int action = settings.action;
	char advice[advice_bytes];
	char title[title_bytes];

	if (action == action_record || !is_wanted(finding))
		return;
	if (action == action_log && !pace.may_tell(finding.identity, now()))
		return;
	if (is_silenced(finding))
	{
		pace.silenced(finding.identity, now());
		return;
	}
	write_advice(ailment_of(finding), advice, sizeof(advice));
	write_title(ailment_of(finding), repeats, title, sizeof(title));
	if (action == action_log)
		log(finding, title, advice);
	else
		warn(action == action_error ? ERROR : WARNING, finding, title, advice);
}

} // namespace remedy::repetition

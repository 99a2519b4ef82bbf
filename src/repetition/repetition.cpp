// repetition: its SQL functions for readers.

#include "repetition/repetition.hpp"

#include <algorithm>

#include "findings/finding_table.hpp"
#include "observe/observe.hpp"
#include "repetition/detection.hpp"
#include "repetition/telling.hpp"
#include "server/guard.hpp"
#include "server/rows.hpp"

namespace remedy::repetition {

namespace {

constexpr char hidden[] = "<insufficient privilege>";

void
put_known(server::Rows &rows, const char *name)
{
	rows.put_text(name[0] == '\0' ? nullptr : name);
}

// A loop inside the server has a statement that contains it, and no parent.
bool
is_server_loop(const findings::Finding &finding)
{
	return strcmp(finding.kind, "server_loop") == 0;
}

bool
has_parent(const findings::Finding &finding)
{
	return finding.parent_query[0] != '\0' && !is_server_loop(finding);
}

// One batch in place of the repeats of a unit of work waits once, and takes the server what
// the planner thinks of it, compared with so many single ones; the same as one without a plan.
double
saving_ms(const findings::Finding &finding)
{
	const findings::Counts &counts = finding.counts;
	const double once = static_cast<double>(counts.units) / static_cast<double>(counts.repeats_total);
	const double batched = std::clamp(static_cast<double>(finding.batch_share), once, 1.0);

	return milliseconds(counts.waiting) * (1 - once) + milliseconds(counts.server) * (1 - batched);
}

void
put_finding(void *context, const findings::Finding &finding)
{
	server::Rows &rows = *static_cast<server::Rows *>(context);
	const bool readable = observe::may_read_texts_of(finding.user);
	const bool is_common = finding.identity == finding.common_identity;
	const findings::Counts &counts = finding.counts;
	char advice[advice_bytes];

	write_advice(ailment_of(finding), advice, sizeof(advice));
	rows.put_text(finding.database);
	rows.put_text(finding.user_name);
	rows.put_text(is_common ? nullptr : finding.application);
	rows.put_text(is_common || finding.route[0] == '\0' ? nullptr : finding.route);
	rows.put_text(counts.bulk_units * 2 > counts.units ? "info" : finding.level);
	rows.put_text(finding.kind);
	put_known(rows, finding.direction);
	rows.put_text(finding.child_table);
	put_known(rows, finding.child_column);
	put_known(rows, finding.parent_table);
	put_known(rows, finding.parent_column);
	rows.put_bigint(counts.repeats_max);
	rows.put_bigint(counts.repeats_total);
	rows.put_bigint(counts.units);
	has_parent(finding) ? rows.put_bigint(counts.parent_rows) : rows.put_null();
	rows.put_double(milliseconds(counts.server));
	rows.put_double(milliseconds(counts.waiting));
	is_server_loop(finding) ? rows.put_null() : rows.put_double(saving_ms(finding));
	rows.put_time(finding.first_seen);
	rows.put_time(counts.last_seen);
	rows.put_text(advice);
	rows.put_text(!readable ? hidden : finding.batched_query[0] == '\0' ? nullptr : finding.batched_query);
	if (finding.parent_query[0] == '\0')
		rows.put_null();
	else
		rows.put_text(readable && observe::may_read_texts_of(finding.parent_user) ? finding.parent_query : hidden);
	rows.put_text(readable ? finding.child_query : hidden);
	rows.put_text(finding.key);
	rows.end_row();
}

} // namespace

void
start() noexcept
{
	start_detection();
}

} // namespace remedy::repetition

using namespace remedy;

REMEDY_FUNCTION(remedy_n_plus_one)
{
	observe::enter_function();
	server::Rows rows(fcinfo);
	findings::read_findings(repetition::put_finding, &rows);
	return 0;
}

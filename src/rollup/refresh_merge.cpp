// Marks, merged with the cells that they are about.

#include "rollup/refresh_merge.hpp"
#include "rollup/texts.hpp"

namespace remedy::rollup {

namespace {

// ", p.s1, p.s2"; of rollups that are not additive, whose states are of no use to marks, as many nulls.
const char *
mergeable_states(const Rollup &rollup, const char *prefix) noexcept
{
	StringInfoData text;

	if (rollup.additive)
		return psprintf(", %s", state_list(rollup, prefix));
	initStringInfo(&text);
	for (int i = 0; i < rollup.states; ++i)
		appendStringInfo(&text, ", NULL::%s AS s%d", format_type_be_qualified(rollup.state[i].type), i + 1);
	return text.data;
}

// Marks with the cells that they may be of.  The null bucket is a branch of its own, for the index's sake.
const char *
marks_and_cells(const Rollup &rollup, const char *slice) noexcept
{
	const char *const marks = qualified(rollup.marks), *const cells = qualified(rollup.cells);
	const char *const of_cells =
		psprintf("SELECT c.ctid, c.bucket%s%s%s, false FROM %s AS c WHERE c.bucket", key_list(rollup, "c"),
				 mergeable_states(rollup, "c"), removed(rollup, nullptr), cells);

	return psprintf("SELECT NULL::tid AS tid, m.bucket%s%s%s, m.kind = 'd' AS dirty FROM %s AS m WHERE %s "
					"UNION ALL %s IN (SELECT m.bucket FROM %s AS m WHERE %s) UNION ALL %s IS NULL",
					key_list(rollup, "m"), mergeable_states(rollup, "m"), removed(rollup, "m"), marks, slice, of_cells,
					marks, slice, of_cells);
}

TupleDesc
columns_of_merged(const Rollup &rollup) noexcept
{
	const TupleDesc cells = columns_of_cells(rollup);
	const TupleDesc columns = CreateTemplateTupleDesc(cells->natts + 2);

	for (AttrNumber i = 1; i <= cells->natts; ++i)
		TupleDescCopyEntry(columns, i, cells, i);
	TupleDescInitEntry(columns, cells->natts + 1, "tid", TIDOID, -1, 0);
	TupleDescInitEntry(columns, cells->natts + 2, "stale", BOOLOID, -1, 0);
	return columns;
}

} // namespace

const char *
removed(const Rollup &rollup, const char *prefix) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; rollup.additive && i < rollup.states; ++i)
		if (is_extreme(rollup.state[i]))
			prefix == nullptr ? appendStringInfoString(&text, ", NULL")
							  : appendStringInfo(&text, ", %s.r%d", prefix, i + 1);
	return text.data;
}

Result
merge(OneSnapshot &snapshot, const Rollup &rollup, const char *slice, const Parameters &parameters) noexcept
{
	return snapshot.read(
		psprintf("SELECT g.bucket%s, %s, g.tid, g.dirty OR g.s1 < 0 OR %s FROM ("
				 "SELECT max(u.tid) AS tid, bool_or(u.dirty) AS dirty, u.bucket%s, %s%s FROM (%s) AS u "
				 "GROUP BY u.bucket%s HAVING bool_or(u.tid IS NULL)) AS g",
				 key_list(rollup, "g"), state_list(rollup, "g"), touched(rollup, "g"), key_list(rollup, "u"),
				 states_of_states(rollup, "u"), removed_extremes(rollup, "u"), marks_and_cells(rollup, slice),
				 key_list(rollup, "u")),
		parameters, columns_of_merged(rollup));
}

namespace {

const char *
assignments(const Rollup &rollup) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 1; i <= rollup.states; ++i)
		appendStringInfo(&text, "%ss%d = m.s%d", i == 1 ? "" : ", ", i, i);
	return text.data;
}

} // namespace

int64
write_merged(OneSnapshot &snapshot, const Rollup &rollup, const char *wanted, const Parameters &parameters) noexcept
{
	const char *const cells = qualified(rollup.cells);
	const int64 gone = snapshot.write(
		psprintf("DELETE FROM %s AS c USING merged AS m WHERE c.ctid = m.tid AND (m.stale OR m.s1 = 0) AND %s", cells,
				 wanted),
		parameters);
	const int64 updated = rollup.additive
							  ? snapshot.write(psprintf("UPDATE %s AS c SET %s FROM merged AS m WHERE c.ctid = m.tid "
														"AND NOT m.stale AND m.s1 > 0 AND %s",
														cells, assignments(rollup), wanted),
											   parameters)
							  : 0;
	const int64 inserted = rollup.additive
							   ? snapshot.write(psprintf("INSERT INTO %s SELECT m.bucket%s, %s FROM merged AS m "
														 "WHERE m.tid IS NULL AND NOT m.stale AND m.s1 > 0 AND %s",
														 cells, key_list(rollup, "m"), state_list(rollup, "m"), wanted),
												parameters)
							   : 0;
	return gone + updated + inserted;
}

} // namespace remedy::rollup

// Cells, computed from the source.
//
// Whether their rows are found by an index, by several or by a scan of the table, and by how many processes, is the
// planner's to say, who sees the times as constants of one condition.

#include "rollup/refresh.hpp"
#include "rollup/texts.hpp"

namespace remedy::rollup {

TupleDesc
columns_of_cells(const Rollup &rollup) noexcept
{
	const Relation cells = table_open(rollup.cells, AccessShareLock);
	const TupleDesc columns = CreateTupleDescCopy(RelationGetDescr(cells));

	for (int i = 0; i < columns->natts; ++i)
		TupleDescAttr(columns, i)->atttypmod = -1;
	table_close(cells, NoLock);
	return columns;
}

namespace {

void
append_columns(StringInfo text, const char *prefix, char kind, int count) noexcept
{
	for (int i = 1; i <= count; ++i)
		appendStringInfo(text, ", %s.%c%d", prefix, kind, i);
}

} // namespace

const char *
columns_of_rows(const Rollup &rollup) noexcept
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "remedy.bucket_of(x.time, %s, %s) AS bucket", quote_literal_cstr(name_of(rollup.unit)),
					 rollup.time_zone == nullptr ? "NULL" : quote_literal_cstr(rollup.time_zone));
	append_columns(&text, "x", 'k', rollup.keys);
	append_columns(&text, "x", 'v', rollup.values);
	append_columns(&text, "x", 'f', rollup.filters);
	return text.data;
}

const char *
cells_of_rows(const Rollup &rollup, const char *rows, const char *of_rows, const char *of_cells) noexcept
{
	const char *const keys = key_list(rollup, "r");

	return psprintf("SELECT g.* FROM (SELECT r.bucket%s, %s FROM (%s) AS r WHERE %s GROUP BY r.bucket%s "
					"OFFSET '0') AS g WHERE %s",
					keys, states_of_rows(rollup, "r"), rows, of_rows, keys, of_cells);
}

namespace {

// OFFSET keeps the planner from looking into the bucket's expression: of groups by a column that is as good as unique
// it would expect as many as rows, and see no use in several processes.  '0' is a constant for it from the beginning,
// which 0 is not, and does not forbid them.
const char *
rows_of_ranges(const Rollup &rollup, const Ranges &ranges, Parameters &parameters) noexcept
{
	return psprintf("SELECT %s FROM %s AS x WHERE %s OFFSET '0'", columns_of_rows(rollup), qualified(rollup.rows),
					in_times(rollup, ranges, parameters));
}

} // namespace

Result
compute(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, const char *of_rows, const char *of_cells,
		Parameters &parameters) noexcept
{
	const char *const rows = rows_of_ranges(rollup, ranges, parameters);

	return snapshot.read(cells_of_rows(rollup, rows, of_rows, of_cells), parameters, columns_of_cells(rollup));
}

double
cost_of_computing(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges) noexcept
{
	Parameters parameters;
	const char *const rows = rows_of_ranges(rollup, ranges, parameters);

	return snapshot.cost_of(cells_of_rows(rollup, rows, "true", "true"), parameters);
}

} // namespace remedy::rollup

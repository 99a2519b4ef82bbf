// remedy.verify_rollup(): the cells against the source, in one statement and so in one snapshot.

#include "observe/observe.hpp"
#include "rollup/following.hpp"
#include "rollup/verify_statement.hpp"
#include "server/guard.hpp"
#include "server/keeper.hpp"
#include "server/rows.hpp"

namespace remedy::rollup {

namespace {

constexpr int rows_at_a_time = 1000;

struct Found
{
	int64 compared = 0;
	int64 wrong = 0;
};

void
put_row(server::Rows &rows, HeapTuple tuple, TupleDesc columns) noexcept
{
	for (int i = 1; i <= columns->natts; ++i)
	{
		bool null;
		const Datum value = SPI_getbinval(tuple, columns, i, &null);
		null ? rows.put_null() : rows.put(value);
	}
	rows.end_row();
}

// In a snapshot of its own, unless the transaction has only one.
Found
compare(const Rollup &rollup, const char *statement, double sample, server::Rows &rows) noexcept
{
	Oid type = FLOAT8OID;
	Datum value = Float8GetDatum(sample);
	Found found;
	AsOwner owner(rollup);

	SPI_connect();
	const Portal portal = SPI_cursor_open_with_args(nullptr, statement, 1, &type, &value, nullptr, false, 0);
	do
	{
		bool null;
		SPI_cursor_fetch(portal, true, rows_at_a_time);
		for (uint64 i = 0; i < SPI_processed; ++i)
		{
			++found.compared;
			SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &null);
			if (null)
				continue;
			++found.wrong;
			put_row(rows, SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
		}
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	owner.end();
	return found;
}

// Marks and cells from before the rollup was made are none, and not right.
void
check_snapshot(const Rollup &rollup, const char *name) noexcept
{
	if (keep("SELECT FROM remedy.rollup WHERE view = $1", {rollup.view}) == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("this transaction's snapshot is older than the rollup \"%s\"", name),
						errhint("Verify it in a transaction that begins now.")));
}

// A refresh that is at it may have the row locked; a transaction with one snapshot cannot write it afterwards.
void
note(const Rollup &rollup, const Found &found) noexcept
{
	if (!XactReadOnly)
		attempt([&]() noexcept {
			keep("UPDATE remedy.rollup SET verified_at = pg_catalog.clock_timestamp(), verified_cells = $2, "
				 "wrong_cells = $3 WHERE view = $1",
				 {rollup.view, found.compared, found.wrong});
		});
}

void
verify(const char *name, double sample, server::Rows &rows) noexcept
{
	const Rollup *rollup = find_own_rollup(name);

	if (!(sample > 0 && sample <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the sample must be above 0 and at most 1")));
	if (OidIsValid(rollup->base))
		rollup = load_rollup(rollup->base);
	check_snapshot(*rollup, name);
	if (const char *const reason = uncaptured_reason(*rollup))
	{
		rows.put_text("unarmed");
		for (int i = 0; i < 4; ++i)
			rows.put_null();
		rows.put_text(reason);
		rows.end_row();
	}
	note(*rollup, compare(*rollup, differences_statement(*rollup, sample < 1), sample, rows));
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_verify_rollup)
{
	remedy::observe::enter_function();
	remedy::server::Rows rows(fcinfo);
	remedy::rollup::verify(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_FLOAT8(1), rows);
	return 0;
}

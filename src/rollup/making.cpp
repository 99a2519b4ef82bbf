#include "rollup/making.hpp"

#include "rollup/texts.hpp"
#include "server/commands.hpp"
#include "server/keeper.hpp"

extern "C" {
#include "commands/comment.h"
#include "utils/ruleutils.h"
}

namespace remedy::rollup {

namespace {

// ---- Names ----------------------------------------------------------------------

const char *
called(const Making &making, const char *suffix) noexcept
{
	return quote_qualified_identifier(get_namespace_name(making.schema), psprintf("%s%s", making.name, suffix));
}

// Default privileges are for tables of the schema's own, and may be wider than those on the source.
void
revoke_defaults(Oid relation) noexcept
{
	const char *others = nullptr;

	keep("SELECT string_agg(DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, ', ') "
		 "FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.oid = $1 AND a.grantee <> c.relowner",
		 {relation}, [&](const Row &row) noexcept { others = row.text(1); });
	if (others != nullptr)
		run_sql("REVOKE ALL ON %s FROM %s", qualified(relation), others);
}

// What was just made; it is its owner's alone.
Oid
made(const Making &making, const char *suffix, const char *comment) noexcept
{
	const Oid relation = get_relname_relid(psprintf("%s%s", making.name, suffix), making.schema);

	if (!OidIsValid(relation))
		elog(ERROR, "%s has gone", called(making, suffix));
	CreateComments(relation, RelationRelationId, 0, comment);
	revoke_defaults(relation);
	return relation;
}

// ---- Expressions ----------------------------------------------------------------

const char *
printed_for_view(Node *expression, Oid relation) noexcept
{
	return deparse_expression(expression, deparse_context_for("e", relation), true, true);
}

const char *
bucket_text(const Rollup &rollup, const char *time) noexcept
{
	const char *const unit = name_of(rollup.unit);

	switch (rollup.time_type)
	{
	case DATEOID:
		return psprintf("date_trunc('%s', (%s)::timestamp)::date", unit, time);
	case TIMESTAMPOID:
		return psprintf("date_trunc('%s', %s)", unit, time);
	default:
		return psprintf("date_trunc('%s', %s, %s)", unit, time, quote_literal_cstr(rollup.time_zone));
	}
}

// ", e.a AS v1, e.b + 1 AS v2".
void
add_columns(StringInfo text, const List *expressions, Oid relation, const char *prefix) noexcept
{
	const ListCell *cell;

	foreach (cell, expressions)
		appendStringInfo(text, ", %s AS %s%d", printed_for_view(static_cast<Node *>(lfirst(cell)), relation), prefix,
						 foreach_current_index(cell) + 1);
}

const List *
keys_of(const Specification &specification) noexcept
{
	List *keys = NIL;
	const ListCell *cell;

	foreach (cell, specification.keys)
		keys = lappend(keys, static_cast<const Named *>(lfirst(cell))->expression);
	return keys;
}

// What the user sees of states: "c.bucket, c.k1 AS region, s1 AS count".
const char *
finished(const Specification &specification) noexcept
{
	StringInfoData text;
	const ListCell *cell;

	initStringInfo(&text);
	appendStringInfoString(&text, "c.bucket");
	foreach (cell, specification.keys)
		appendStringInfo(&text, ", c.k%d AS %s", foreach_current_index(cell) + 1,
						 quote_identifier(static_cast<const Named *>(lfirst(cell))->name));
	foreach (cell, specification.measures)
	{
		const Measure &measure = *static_cast<const Measure *>(lfirst(cell));
		appendStringInfo(&text, ", %s AS %s", measure.finish, quote_identifier(measure.name));
	}
	return text.data;
}

// ---- Relations ------------------------------------------------------------------

void
make_rows(Making &making) noexcept
{
	const Specification &specification = *making.specification;
	const Oid source = making.rollup.source;
	const char *const time = printed_for_view(specification.time, source);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s AS \"time\", %s AS bucket", time, bucket_text(making.rollup, time));
	add_columns(&text, keys_of(specification), source, "k");
	add_columns(&text, specification.values, source, "v");
	add_columns(&text, specification.filters, source, "f");
	run_sql("CREATE VIEW %s AS SELECT %s FROM %s AS e", called(making, "_rows"), text.data, qualified(source));
	making.rollup.rows = made(making, "_rows", "pg_remedy: what a rollup takes of each row of its source");
}

// Room is left in its pages, so that a refresh does not touch the index.
// There is no key to name a row by, and a publication FOR ALL TABLES has them too: the refresh could not delete.  With
// wal_level below logical it costs nothing.
void
publish_whole_rows(Oid table) noexcept
{
	run_sql("ALTER TABLE %s REPLICA IDENTITY FULL", qualified(table));
}

void
make_cells(Making &making) noexcept
{
	Rollup &rollup = making.rollup;
	const char *const keys = key_list(rollup, "r");

	run_sql("CREATE TABLE %s WITH (fillfactor = 90) AS SELECT r.bucket%s, %s FROM %s AS r GROUP BY r.bucket%s "
			"WITH NO DATA",
			called(making, "_cells"), keys, states_of_rows(rollup, "r"), qualified(rollup.rows), keys);
	rollup.cells = made(making, "_cells", "pg_remedy: cells of a rollup as of its last refresh");
	run_sql("CREATE INDEX ON %s (bucket)", qualified(rollup.cells));
	publish_whole_rows(rollup.cells);

	const Relation cells = table_open(rollup.cells, NoLock);
	CreateComments(linitial_oid(RelationGetIndexList(cells)), RelationRelationId, 0,
				   "pg_remedy: finds the cells of a bucket");
	table_close(cells, NoLock);
}

// Its rows come and go all the time, so the share that is dead says nothing.
void
make_marks(Making &making) noexcept
{
	Rollup &rollup = making.rollup;
	StringInfoData states;

	initStringInfo(&states);
	if (rollup.additive)
	{
		appendStringInfo(&states, ", %s", state_list(rollup, "c"));
		for (int i = 0; i < rollup.states; ++i)
			if (is_extreme(rollup.state[i]))
				appendStringInfo(&states, ", c.s%d AS r%d", i + 1, i + 1);
	}
	run_sql("CREATE TABLE %s WITH (autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0, "
			"autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_threshold = 10000, "
			"toast.autovacuum_vacuum_scale_factor = 0) "
			"AS SELECT ' '::\"char\" AS kind, c.bucket, c.bucket AS until%s%s FROM %s AS c WITH NO DATA",
			called(making, "_marks"), key_list(rollup, "c"), states.data, qualified(rollup.cells));
	rollup.marks = made(making, "_marks", "pg_remedy: what has happened to a rollup's source since the last refresh");
	publish_whole_rows(rollup.marks);
}

void
make_views(Making &making, const char *cells, const char *cells_now) noexcept
{
	const char *const columns = finished(*making.specification);

	run_sql("CREATE VIEW %s AS SELECT %s FROM %s AS c", called(making, ""), columns, cells);
	making.rollup.view = made(making, "", "pg_remedy: rollup, as of its last refresh");
	run_sql("CREATE VIEW %s AS SELECT %s FROM %s AS c", called(making, "_now"), columns, cells_now);
	making.rollup.now = made(making, "_now", "pg_remedy: rollup, exact in every snapshot");
}

// The base's cells, merged into those of the level.  The condition, which the planner removes, tells the server that
// the level hangs on its base: it refuses to drop that, and dumps it first.
const char *
merged(const Making &making, const Rollup &base, const char *cells) noexcept
{
	const Specification &specification = *making.specification;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "(SELECT %s AS bucket",
					 bucket_text(making.rollup, printed_for_view(specification.time, base.cells)));
	add_columns(&text, keys_of(specification), base.cells, "k");
	appendStringInfo(&text, ", %s FROM %s AS e WHERE %s::regclass IS NOT NULL GROUP BY 1", states_of_states(base, "e"),
					 cells, quote_literal_cstr(qualified(base.view)));
	for (int i = 0; i < list_length(specification.keys); ++i)
		appendStringInfo(&text, ", %d", i + 2);
	appendStringInfoChar(&text, ')');
	return text.data;
}

} // namespace

const char *
printed(Node *expression, Oid relation) noexcept
{
	return deparse_expression(expression, deparse_context_for("e", relation), false, false);
}

Rollup
begin_rollup(const Specification &specification, Oid source, Oid owner) noexcept
{
	Rollup rollup = {};
	const ListCell *cell;

	rollup.source = source;
	rollup.owner = owner;
	rollup.unit = specification.unit;
	rollup.time_zone = specification.time_zone;
	rollup.time_type = exprType(specification.time);
	rollup.keys = list_length(specification.keys);
	rollup.values = list_length(specification.values);
	rollup.filters = list_length(specification.filters);
	rollup.states = list_length(specification.states);
	rollup.state = static_cast<State *>(palloc(sizeof(State) * rollup.states));
	rollup.additive = true;
	foreach (cell, specification.states)
	{
		State &state = rollup.state[foreach_current_index(cell)];
		state = *static_cast<const State *>(lfirst(cell));
		state.additive = is_additive(state.kind, state.value_type);
		rollup.additive = rollup.additive && state.additive;
	}
	return rollup;
}

void
make_relations(Making &making) noexcept
{
	make_rows(making);
	make_cells(making);
	make_marks(making);
	make_views(making, qualified(making.rollup.cells), psprintf("(%s)", now_states(making.rollup)));
}

void
make_level(Making &making, const Rollup &base) noexcept
{
	make_views(making, merged(making, base, qualified(base.cells)),
			   merged(making, base, psprintf("(%s)", now_states(base))));
	making.rollup.rows = base.rows;
	making.rollup.cells = base.cells;
	making.rollup.marks = base.marks;
}

} // namespace remedy::rollup

-- rollup: aggregates that are kept, and always right.
--
-- Both tables are written by the library alone, as their owner, and dumped: the relations in them are dumped by name.

CREATE TABLE remedy.rollup (
	view regclass PRIMARY KEY,
	source regclass NOT NULL,
	base regclass,
	row_view regclass NOT NULL,
	cells regclass NOT NULL,
	marks regclass NOT NULL,
	now_view regclass NOT NULL,
	bucket text NOT NULL,
	time_zone text,
	keys text[] NOT NULL,
	measures text[] NOT NULL,
	states text[] NOT NULL,
	refreshed_at timestamptz,
	refresh_ms double precision,
	refresh_method text,
	refresh_marks bigint,
	refresh_cells bigint,
	verified_at timestamptz,
	verified_cells bigint,
	wrong_cells bigint);
COMMENT ON TABLE remedy.rollup IS 'rollups; source of remedy.rollups';
COMMENT ON COLUMN remedy.rollup.view IS 'view with the finished measures, by which the rollup is known';
COMMENT ON COLUMN remedy.rollup.source IS 'table that is rolled up';
COMMENT ON COLUMN remedy.rollup.base IS 'finer rollup that a level is derived from; null: it has cells of its own';
COMMENT ON COLUMN remedy.rollup.row_view IS 'view with what is taken of each row of the source';
COMMENT ON COLUMN remedy.rollup.cells IS 'table of the cells; of a level, its base''s';
COMMENT ON COLUMN remedy.rollup.marks IS 'table of what has happened since the last refresh; of a level, its base''s';
COMMENT ON COLUMN remedy.rollup.now_view IS 'view that is exact in every snapshot';
COMMENT ON COLUMN remedy.rollup.bucket IS 'unit of time: minute, hour, day, week, month, quarter or year';
COMMENT ON COLUMN remedy.rollup.time_zone IS 'zone in which buckets begin; null for times without one';
COMMENT ON COLUMN remedy.rollup.keys IS 'names of the keys, in the order of columns k1, k2, ...; of a level, expressions of its base''s columns k1, k2, ...';
COMMENT ON COLUMN remedy.rollup.measures IS 'measures as they were asked for, over the columns v1, v2, ..., f1, f2, ... of the row view';
COMMENT ON COLUMN remedy.rollup.states IS 'what columns s1, s2, ... of the cells are: kind, number of its value, number of its condition';
COMMENT ON COLUMN remedy.rollup.refreshed_at IS 'end of the last refresh';
COMMENT ON COLUMN remedy.rollup.refresh_ms IS 'how long it took, in milliseconds';
COMMENT ON COLUMN remedy.rollup.refresh_method IS 'the farthest that it went: deltas, recompute or rebuild';
COMMENT ON COLUMN remedy.rollup.refresh_marks IS 'marks that it took';
COMMENT ON COLUMN remedy.rollup.refresh_cells IS 'cells that it wrote';
COMMENT ON COLUMN remedy.rollup.verified_at IS 'end of the last verification';
COMMENT ON COLUMN remedy.rollup.verified_cells IS 'cells that it compared';
COMMENT ON COLUMN remedy.rollup.wrong_cells IS 'cells that it found wrong';
CREATE INDEX rollup_source ON remedy.rollup (source);
COMMENT ON INDEX remedy.rollup_source IS 'finds the rollups of a table';

CREATE TABLE remedy.rollup_member (
	member regclass PRIMARY KEY,
	source regclass NOT NULL,
	first_time timestamptz,
	end_time timestamptz,
	armed boolean NOT NULL);
COMMENT ON TABLE remedy.rollup_member IS 'tables whose changes are captured: sources of rollups, their partitions and children';
COMMENT ON COLUMN remedy.rollup_member.member IS 'the table';
COMMENT ON COLUMN remedy.rollup_member.source IS 'source that it is, or is part of';
COMMENT ON COLUMN remedy.rollup_member.first_time IS 'its rows are not earlier, by its bounds; null: they may be, or have no time; times without a zone are kept as UTC';
COMMENT ON COLUMN remedy.rollup_member.end_time IS 'its rows are earlier, by its bounds; null: they may be later, or have no time';
COMMENT ON COLUMN remedy.rollup_member.armed IS 'whether its triggers were there and enabled when the source was last looked at';

-- A row may outlive its relations, if a refresh had locked it when they were dropped; as a number it would
-- be some other relation's elsewhere.
SELECT pg_catalog.pg_extension_config_dump('remedy.rollup',
	'WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) view)');
SELECT pg_catalog.pg_extension_config_dump('remedy.rollup_member',
	'WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) member)');

CREATE FUNCTION remedy.create_rollup(
	name text,
	source regclass,
	time_column name,
	bucket text,
	keys text[] DEFAULT '{}',
	measures text[] DEFAULT '{count(*)}',
	time_zone text DEFAULT NULL)
	RETURNS regclass AS 'MODULE_PATHNAME', 'remedy_create_rollup' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.create_rollup(text, regclass, name, text, text[], text[], text) IS
	'makes a rollup of a table of the caller''s, or a coarser level of a rollup: a view of that name with the measures of each bucket of time and combination of keys, and one called <name>_now that is exact in every snapshot; the first refresh fills it. bucket: minute, hour, day, week, month, quarter or year; keys, measures: expressions of a row, and aggregates of them, each with a name if wanted (lower(region) AS region); time_zone: in which buckets begin, null: the session''s of now';

CREATE FUNCTION remedy.drop_rollup(name text)
	RETURNS void AS 'MODULE_PATHNAME', 'remedy_drop_rollup' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.drop_rollup(text) IS 'drops a rollup with all that was made for it; waits for its running refresh';

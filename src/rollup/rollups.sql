CREATE FUNCTION remedy.rollup_facts(
	view oid, keys text[], measures text[],
	OUT trouble text, OUT key_texts text[], OUT measure_texts text[], OUT cells bigint, OUT marks bigint,
	OUT size_bytes bigint, OUT definition text)
	RETURNS SETOF record AS 'MODULE_PATHNAME', 'remedy_rollup_facts' LANGUAGE C STABLE STRICT PARALLEL UNSAFE
	ROWS 1 SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION remedy.rollup_facts(oid, text[], text[]) IS
	'what the catalogs and its tables tell of a rollup; for remedy.rollups, whose columns describe it';

CREATE VIEW remedy.rollups AS
	SELECT r.view::text AS name, r.source::text AS source, r.base::text AS base, r.bucket, r.time_zone,
	       coalesce(f.key_texts, r.keys) AS keys, coalesce(f.measure_texts, r.measures) AS measures,
	       CASE WHEN f.trouble IS NOT NULL THEN f.trouble
	            WHEN o.refreshed_at IS NULL THEN 'never refreshed'
	            WHEN f.marks OPERATOR(pg_catalog.>) 0 THEN 'stale'
	            ELSE 'ready'
	       END AS state,
	       f.cells, f.marks, f.size_bytes,
	       o.refreshed_at, o.refresh_ms, o.refresh_method, o.refresh_marks, o.refresh_cells,
	       o.verified_at, o.verified_cells, o.wrong_cells, f.definition
	FROM remedy.rollup AS r
	LEFT JOIN remedy.rollup AS o ON o.view OPERATOR(pg_catalog.=) coalesce(r.base, r.view)
	CROSS JOIN LATERAL remedy.rollup_facts(r.view, r.keys, r.measures) AS f;
COMMENT ON VIEW remedy.rollups IS 'rollups of this database';
COMMENT ON COLUMN remedy.rollups.name IS 'view with the finished measures, by which the rollup is known';
COMMENT ON COLUMN remedy.rollups.source IS 'table that is rolled up';
COMMENT ON COLUMN remedy.rollups.base IS 'finer rollup that it is a level of; null: it has cells of its own';
COMMENT ON COLUMN remedy.rollups.bucket IS 'unit of time: minute, hour, day, week, month, quarter or year';
COMMENT ON COLUMN remedy.rollups.time_zone IS 'zone in which buckets begin; null for times without one';
COMMENT ON COLUMN remedy.rollups.keys IS 'what rows are grouped by besides';
COMMENT ON COLUMN remedy.rollups.measures IS 'what is kept of each group';
COMMENT ON COLUMN remedy.rollups.state IS
	'ready: the view is exact; stale: something has happened since the last refresh; never refreshed; unarmed, with the reason: changes of the source may be missed until remedy.rebuild_rollup(); locked: nothing can be told now; gone: it was dropped in part, or not restored as a whole';
COMMENT ON COLUMN remedy.rollups.cells IS 'rows of its cells, estimated if there are more than 10,000; null for a level';
COMMENT ON COLUMN remedy.rollups.marks IS 'marks of changes since the last refresh, of a level those of its base; estimated if there are more than 10,000';
COMMENT ON COLUMN remedy.rollups.size_bytes IS 'cells and marks with their indexes, in bytes; null for a level';
COMMENT ON COLUMN remedy.rollups.refreshed_at IS 'end of the last refresh; of a level, of its base, as all that follows';
COMMENT ON COLUMN remedy.rollups.refresh_ms IS 'how long it took, in milliseconds';
COMMENT ON COLUMN remedy.rollups.refresh_method IS 'the farthest that it went: deltas, recompute or rebuild';
COMMENT ON COLUMN remedy.rollups.refresh_marks IS 'marks that it took';
COMMENT ON COLUMN remedy.rollups.refresh_cells IS 'cells that it wrote';
COMMENT ON COLUMN remedy.rollups.verified_at IS 'end of the last verification';
COMMENT ON COLUMN remedy.rollups.verified_cells IS 'cells that it compared';
COMMENT ON COLUMN remedy.rollups.wrong_cells IS 'cells that it found wrong';
COMMENT ON COLUMN remedy.rollups.definition IS 'the call that would make it today';
GRANT SELECT ON remedy.rollups TO PUBLIC;

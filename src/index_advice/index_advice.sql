-- index_advice: which indexes the observed statements would gain from.

CREATE FUNCTION remedy.advise_indexes(
	max_bytes bigint DEFAULT NULL, max_indexes integer DEFAULT NULL,
	OUT rank integer, OUT table_name text, OUT index_name text, OUT index_columns text[], OUT method text,
	OUT saving_ms double precision, OUT cost_before double precision, OUT cost_after double precision,
	OUT size_bytes bigint, OUT build_ms double precision, OUT write_cost_ms double precision,
	OUT break_even double precision, OUT calls bigint, OUT time_share double precision, OUT queries bigint[],
	OUT lock_taken text, OUT reason text, OUT evidence text, OUT definition text, OUT fix_sql text, OUT undo_sql text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_advise_indexes' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.advise_indexes(bigint, integer) IS
	'the indexes that the observed statements of this database would gain most from, of at most max_bytes together and at most max_indexes; null is no limit. Columns as in remedy.missing_indexes';

CREATE VIEW remedy.missing_indexes AS
	SELECT rank, table_name, index_name, index_columns, method, saving_ms, cost_before, cost_after, size_bytes, build_ms,
	       write_cost_ms, break_even, calls, time_share, queries, lock_taken, reason, evidence, definition, fix_sql, undo_sql
	FROM remedy.advise_indexes(NULL, NULL);
COMMENT ON VIEW remedy.missing_indexes IS
	'indexes that the observed statements of this database would gain from, each tried out by the planner, then what there is no advice for; computed anew each time. Of other roles'' statements for pg_read_all_stats';
COMMENT ON COLUMN remedy.missing_indexes.rank IS 'what saves most is 1; null where there is no advice, see reason';
COMMENT ON COLUMN remedy.missing_indexes.table_name IS 'table that the index is for; null if a statement could not be looked at';
COMMENT ON COLUMN remedy.missing_indexes.index_name IS 'name that fix_sql gives it, free when the advice was computed';
COMMENT ON COLUMN remedy.missing_indexes.index_columns IS 'key columns or expressions, in their order';
COMMENT ON COLUMN remedy.missing_indexes.method IS 'access method: btree, gin, brin, gist or hash';
COMMENT ON COLUMN remedy.missing_indexes.saving_ms IS 'time that the observed statements would have saved with it, all other advised indexes being there, write_cost_ms deducted: their observed time by the share that their planned cost falls';
COMMENT ON COLUMN remedy.missing_indexes.cost_before IS 'planned cost of one call of the statements that it serves, on average, as it is';
COMMENT ON COLUMN remedy.missing_indexes.cost_after IS 'the same with all advised indexes';
COMMENT ON COLUMN remedy.missing_indexes.size_bytes IS 'estimated size';
COMMENT ON COLUMN remedy.missing_indexes.build_ms IS 'estimated time of its creation on an idle machine';
COMMENT ON COLUMN remedy.missing_indexes.write_cost_ms IS 'time that it would have added to the observed writes, lost HOT updates and VACUUM included';
COMMENT ON COLUMN remedy.missing_indexes.break_even IS 'writes to the table for each call of these statements at which it would save nothing any more; null if nothing was written';
COMMENT ON COLUMN remedy.missing_indexes.calls IS 'calls of the statements that it serves, since they were first observed';
COMMENT ON COLUMN remedy.missing_indexes.time_share IS 'share of these statements in the observed time of all, 0 to 1';
COMMENT ON COLUMN remedy.missing_indexes.queries IS 'fingerprints of these statements, as in remedy.statements';
COMMENT ON COLUMN remedy.missing_indexes.lock_taken IS 'lock that fix_sql takes on the table, and what it keeps waiting';
COMMENT ON COLUMN remedy.missing_indexes.reason IS 'why there is no advice; null where there is';
COMMENT ON COLUMN remedy.missing_indexes.evidence IS 'the figures in words';
COMMENT ON COLUMN remedy.missing_indexes.definition IS 'the index without a name, as remedy.what_if() takes it';
COMMENT ON COLUMN remedy.missing_indexes.fix_sql IS 'creates it; CONCURRENTLY, which must run outside of a transaction block, but for partitioned tables';
COMMENT ON COLUMN remedy.missing_indexes.undo_sql IS 'drops it again';
GRANT SELECT ON remedy.missing_indexes TO PUBLIC;

CREATE FUNCTION remedy.assert_no_missing_index(table_name regclass DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	missing text;
BEGIN
	SELECT pg_catalog.string_agg(m.definition, E'\n' ORDER BY m.rank) INTO missing
	FROM remedy.missing_indexes AS m
	WHERE m.rank IS NOT NULL
	  AND (assert_no_missing_index.table_name IS NULL
	       OR pg_catalog.to_regclass(m.table_name) OPERATOR(pg_catalog.=) assert_no_missing_index.table_name);
	IF missing IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'assert_failure',
			MESSAGE = 'the observed statements lack indexes',
			DETAIL = missing,
			HINT = 'See remedy.missing_indexes for what each would save.';
	END IF;
END;
$$;
COMMENT ON FUNCTION remedy.assert_no_missing_index(regclass) IS
	'raises an error (assert_failure) if remedy.missing_indexes advises an index, or one of this table; for regression suites';

CREATE FUNCTION remedy.plan_variants(
	query text, OUT variant integer, OUT weight double precision, OUT cost double precision, OUT rows double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_plan_variants' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 3;
COMMENT ON FUNCTION remedy.plan_variants(text) IS
	'the sets of values that the advice on indexes plans this statement with, for its $1, $2 ... or its constants: how much each one counts (1 for all), and which cost and rows the planner expects with it; needs the same rights as EXPLAIN and SELECT';

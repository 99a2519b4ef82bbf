
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

CREATE VIEW remedy.missing_statistics AS
	WITH scan AS (
		-- Rows that several equalities must meet, and nothing else.
		SELECT s.relation, s.table_name, s.query_id, s.columns, s.rows_read_sampled, s.rows_kept_sampled
		FROM remedy.scans AS s
		WHERE s.table_name IS NOT NULL
		  AND s.database OPERATOR(pg_catalog.=) pg_catalog.current_database()
		  AND pg_catalog.cardinality(s.columns) OPERATOR(pg_catalog.>=) 2
		  AND s.method OPERATOR(pg_catalog.=) 'sequential'
		  AND s.predicate OPERATOR(pg_catalog.!~) ' OR '
		  AND s.rows_kept_sampled OPERATOR(pg_catalog.>=) 100),
	compared AS (
		SELECT s.*, a.attnum, a.attname,
		       -- No value of the column is more frequent than that.
		       coalesce(t.most_common_freqs[1],
		                CASE WHEN t.n_distinct OPERATOR(pg_catalog.>) 0
		                     THEN 1 OPERATOR(pg_catalog./) t.n_distinct
		                     WHEN t.n_distinct OPERATOR(pg_catalog.<) 0 AND c.reltuples OPERATOR(pg_catalog.>) 0
		                     THEN 1 OPERATOR(pg_catalog./) ((OPERATOR(pg_catalog.-) t.n_distinct) OPERATOR(pg_catalog.*) c.reltuples)
		                END)::double precision AS frequency
		FROM scan AS s
		JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) s.relation
		JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		CROSS JOIN pg_catalog.unnest(s.columns) AS k (condition)
		JOIN pg_catalog.pg_attribute AS a
		  ON a.attrelid OPERATOR(pg_catalog.=) s.relation
		 AND k.condition OPERATOR(pg_catalog.=) (pg_catalog.quote_ident(a.attname) OPERATOR(pg_catalog.||) ' =')
		JOIN pg_catalog.pg_stats AS t
		  ON t.schemaname OPERATOR(pg_catalog.=) n.nspname AND t.tablename OPERATOR(pg_catalog.=) c.relname
		 AND t.attname OPERATOR(pg_catalog.=) a.attname
		 AND t.inherited OPERATOR(pg_catalog.=) (c.relkind OPERATOR(pg_catalog.=) 'p')),
	estimated AS (
		SELECT relation, table_name, query_id, columns,
		       pg_catalog.array_agg(attname::text ORDER BY attnum) AS names,
		       pg_catalog.array_agg(attnum ORDER BY attnum) AS numbers,
		       rows_kept_sampled::double precision OPERATOR(pg_catalog./) rows_read_sampled::double precision AS kept,
		       pg_catalog.exp(pg_catalog.sum(pg_catalog.ln(frequency))) AS at_most
		FROM compared
		WHERE frequency OPERATOR(pg_catalog.>) 0
		GROUP BY relation, table_name, query_id, columns, rows_kept_sampled, rows_read_sampled
		HAVING pg_catalog.count(*) OPERATOR(pg_catalog.=) pg_catalog.cardinality(columns)),
	together AS (
		SELECT relation, table_name, names, numbers, pg_catalog.max(kept) AS kept, pg_catalog.min(at_most) AS at_most,
		       pg_catalog.array_agg(DISTINCT query_id) AS queries
		FROM estimated
		WHERE kept OPERATOR(pg_catalog.>) (3 OPERATOR(pg_catalog.*) at_most)
		GROUP BY relation, table_name, names, numbers)
	SELECT table_name, names AS columns, kept AS kept_ratio,
	       at_most AS estimated_ratio, queries,
	       pg_catalog.format('rows with these values are %s times as many as the planner can expect, which takes the columns for independent',
	                         pg_catalog.round((kept OPERATOR(pg_catalog./) at_most)::numeric, 1)) AS why,
	       pg_catalog.format('CREATE STATISTICS %s.%I (dependencies, mcv) ON %s FROM %s',
	                         (SELECT c.relnamespace::pg_catalog.regnamespace::text FROM pg_catalog.pg_class AS c
	                          WHERE c.oid OPERATOR(pg_catalog.=) relation),
	                         pg_catalog.concat_ws('_', (SELECT c.relname FROM pg_catalog.pg_class AS c
	                                                    WHERE c.oid OPERATOR(pg_catalog.=) relation),
	                                              pg_catalog.array_to_string(names, '_'), 'stat')::name,
	                         (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(x.name), ', ' ORDER BY x.place)
	                          FROM pg_catalog.unnest(names) WITH ORDINALITY AS x (name, place)),
	                         table_name) AS fix_sql
	FROM together AS g
	WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext AS e
	                  WHERE e.stxrelid OPERATOR(pg_catalog.=) g.relation
	                    AND e.stxkeys::smallint[] OPERATOR(pg_catalog.@>) g.numbers);
COMMENT ON VIEW remedy.missing_statistics IS
	'columns whose values go together, so that the planner, which takes them for independent, expects too few rows: extended statistics tell it, an index does not. From the sampled rows of remedy.scans and from pg_stats';
COMMENT ON COLUMN remedy.missing_statistics.table_name IS 'table of the columns';
COMMENT ON COLUMN remedy.missing_statistics.columns IS 'columns that statements compare for equality, together';
COMMENT ON COLUMN remedy.missing_statistics.kept_ratio IS 'share of the rows that met the conditions, 0 to 1, in sampled executions';
COMMENT ON COLUMN remedy.missing_statistics.estimated_ratio IS 'the largest share that the planner can expect, the product of the columns'' most frequent values';
COMMENT ON COLUMN remedy.missing_statistics.queries IS 'fingerprints of the statements';
COMMENT ON COLUMN remedy.missing_statistics.why IS 'the difference in words';
COMMENT ON COLUMN remedy.missing_statistics.fix_sql IS 'creates them; ANALYZE fills them';
GRANT SELECT ON remedy.missing_statistics TO PUBLIC;


-- index_outcomes: part of index_advice.

-- What became of advice.

CREATE FUNCTION remedy.remember_advice(
	table_name regclass, create_index text, saving_ms double precision, cost_before double precision,
	cost_after double precision, query_ids bigint[])
	RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_remember_advice' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.remember_advice(regclass, text, double precision, double precision, double precision, bigint[]) IS
	'has the outcome of an index told in remedy.index_outcomes, as if pg_remedy had advised it: the CREATE INDEX command below 512 bytes, expected milliseconds saved, planner''s costs, and up to eight fingerprints of statements it is to serve';
REVOKE ALL ON FUNCTION remedy.remember_advice(regclass, text, double precision, double precision, double precision, bigint[]) FROM PUBLIC;

CREATE FUNCTION remedy.forget_advice(table_name regclass, create_index text) RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_forget_advice' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.forget_advice(regclass, text) IS 'takes an index off remedy.index_outcomes';
REVOKE ALL ON FUNCTION remedy.forget_advice(regclass, text) FROM PUBLIC;

CREATE FUNCTION remedy.read_advised(
	OUT relation oid, OUT index oid, OUT definition text, OUT advised_at timestamptz, OUT built_at timestamptz,
	OUT saving_ms double precision, OUT cost_before double precision, OUT cost_after double precision,
	OUT statements integer, OUT calls_before bigint, OUT mean_ms_before double precision, OUT calls_after bigint,
	OUT mean_ms_after double precision, OUT ratio double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_advised' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.read_advised() IS 'source of the view remedy.index_outcomes';

CREATE VIEW remedy.index_outcomes AS
	WITH judged AS (
		SELECT a.*,
		       pg_catalog.pg_stat_get_numscans(a.index) AS scans,
		       CASE WHEN a.built_at IS NULL THEN 'not built'::pg_catalog.text
		            WHEN a.index IS NULL THEN 'gone'
		            WHEN a.calls_after OPERATOR(pg_catalog.<) 10 OR a.ratio IS NULL THEN 'too early'
		            WHEN a.ratio OPERATOR(pg_catalog.<=) 0.8 THEN 'faster'
		            WHEN a.ratio OPERATOR(pg_catalog.>=) 1.25 THEN 'slower'
		            ELSE 'no change' END AS verdict
		FROM remedy.read_advised() AS a)
	SELECT (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
	        FROM pg_catalog.pg_class AS c
	             JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	        WHERE c.oid OPERATOR(pg_catalog.=) j.relation) AS table_name,
	       (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
	        FROM pg_catalog.pg_class AS c
	             JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	        WHERE c.oid OPERATOR(pg_catalog.=) j.index) AS index_name,
	       j.verdict,
	       j.advised_at,
	       j.built_at,
	       j.saving_ms AS expected_saving_ms,
	       j.cost_before,
	       j.cost_after,
	       j.statements,
	       j.calls_before,
	       j.mean_ms_before,
	       j.calls_after,
	       j.mean_ms_after,
	       j.ratio,
	       j.definition,
	       CASE WHEN j.verdict OPERATOR(pg_catalog.=) 'slower'
	              OR (j.verdict OPERATOR(pg_catalog.=) 'no change' AND j.scans OPERATOR(pg_catalog.=) 0)
	            THEN (SELECT pg_catalog.format('DROP INDEX %s%I.%I',
	                                           CASE c.relkind WHEN 'i' THEN 'CONCURRENTLY ' ELSE '' END,
	                                           n.nspname, c.relname)
	                  FROM pg_catalog.pg_class AS c
	                       JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	                       JOIN pg_catalog.pg_index AS i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid
	                  WHERE c.oid OPERATOR(pg_catalog.=) j.index
	                    AND NOT i.indisunique AND NOT i.indisreplident AND NOT i.indisclustered
	                    AND NOT c.relispartition
	                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
	                                    WHERE k.conindid OPERATOR(pg_catalog.=) c.oid)) END AS fix_sql
	FROM judged AS j
	ORDER BY j.advised_at, j.relation, j.definition;
COMMENT ON VIEW remedy.index_outcomes IS
	'indexes that were advised in this database, and what became of them: of tables of which one may see the statements'' texts; without preloading, of this session';
COMMENT ON COLUMN remedy.index_outcomes.table_name IS 'the table';
COMMENT ON COLUMN remedy.index_outcomes.index_name IS 'the index that does what was advised, whatever its name and whoever built it; null without one';
COMMENT ON COLUMN remedy.index_outcomes.verdict IS
	'not built; gone: it was built and dropped; too early: its statements were called fewer than 10 times since; faster: they take at most 0.8 of the time; slower: at least 1.25 of it; no change';
COMMENT ON COLUMN remedy.index_outcomes.advised_at IS 'when the advice was given first';
COMMENT ON COLUMN remedy.index_outcomes.built_at IS 'when the index was noticed: at the end of the command that made it, or when one looked here first';
COMMENT ON COLUMN remedy.index_outcomes.expected_saving_ms IS 'expected saving over as long as the advice was drawn from, in milliseconds';
COMMENT ON COLUMN remedy.index_outcomes.cost_before IS 'the planner''s cost of its statements without it';
COMMENT ON COLUMN remedy.index_outcomes.cost_after IS 'the planner''s cost of its statements with it';
COMMENT ON COLUMN remedy.index_outcomes.statements IS 'how many statements are compared, eight at most';
COMMENT ON COLUMN remedy.index_outcomes.calls_before IS 'their calls counted until it was noticed';
COMMENT ON COLUMN remedy.index_outcomes.mean_ms_before IS 'their mean time until then, in milliseconds, weighted with the calls since';
COMMENT ON COLUMN remedy.index_outcomes.calls_after IS 'their calls since, of those statements that ran before too';
COMMENT ON COLUMN remedy.index_outcomes.mean_ms_after IS 'their mean time since, in milliseconds';
COMMENT ON COLUMN remedy.index_outcomes.ratio IS 'time since, as a multiple of what the same calls took before';
COMMENT ON COLUMN remedy.index_outcomes.definition IS 'the command that was advised, with a ? for each constant after a restart of the server';
COMMENT ON COLUMN remedy.index_outcomes.fix_sql IS 'drops an index that made its statements slower, or that made no difference and was never scanned; null where it also enforces something';
GRANT SELECT ON remedy.index_outcomes TO PUBLIC;

CREATE FUNCTION remedy.missing_index_findings() RETURNS SETOF remedy.finding
	LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 10
BEGIN ATOMIC
	SELECT 'missing_index'::pg_catalog.text,
	       'warning'::pg_catalog.text,
	       o.table_name,
	       pg_catalog.format(CASE o.statements WHEN 1 THEN '%s statement would gain from an index on %s'
	                                           ELSE '%s statements would gain from an index on %s' END, o.statements, o.table_name),
	       o.expected_saving_ms,
	       pg_catalog.format('planned cost of a call %s, with the index %s',
	                         pg_catalog.round(o.cost_before), pg_catalog.round(o.cost_after)),
	       'Create the index; remedy.missing_indexes has its size, what it costs and the statements, and remedy.index_outcomes will tell whether it helped.'::pg_catalog.text,
	       -- After a restart constants are unknown.
	       CASE WHEN o.definition OPERATOR(pg_catalog.~~) '%?%' THEN NULL
	            WHEN c.relkind OPERATOR(pg_catalog.=) 'p' THEN o.definition
	            ELSE pg_catalog.regexp_replace(o.definition, '^CREATE INDEX ON', 'CREATE INDEX CONCURRENTLY ON') END,
	       'missing_index:' OPERATOR(pg_catalog.||) pg_catalog.md5(pg_catalog.concat(pg_catalog.current_database(), ' ', o.definition)),
	       o.advised_at,
	       NULL::timestamptz
	FROM remedy.index_outcomes AS o
	JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(o.table_name)
	WHERE o.verdict OPERATOR(pg_catalog.=) 'not built';
END;
COMMENT ON FUNCTION remedy.missing_index_findings() IS
	'the indexes that remedy.missing_indexes advised when it was last asked and that are not there, as rows of remedy.findings';


-- scans: what statements read of tables, and which rows they keep.

CREATE FUNCTION remedy.read_scans(
	OUT database text, OUT table_name text, OUT relation oid, OUT user_name text, OUT query_id bigint,
	OUT toplevel boolean, OUT method text, OUT columns text[], OUT index_columns text[],
	OUT recurring text[], OUT predicate text, OUT scans bigint, OUT rows_read bigint, OUT samples bigint, OUT rows_read_sampled bigint,
	OUT rows_kept_sampled bigint, OUT loops_sampled bigint, OUT first_seen timestamptz, OUT last_seen timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_scans' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 200;
COMMENT ON FUNCTION remedy.read_scans() IS 'source of the view remedy.scans';

CREATE FUNCTION remedy.read_scans_status(OUT scans_used integer, OUT scans_max integer, OUT scans_missed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_scans_status' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION remedy.read_scans_status() IS 'source of the view remedy.status';

CREATE VIEW remedy.scans AS
	SELECT database, table_name, relation, user_name, query_id, toplevel, method, columns, index_columns,
	       scans, rows_read, samples, rows_read_sampled, rows_kept_sampled, loops_sampled,
	       CASE WHEN rows_read_sampled OPERATOR(pg_catalog.>) 0
	            THEN rows_kept_sampled::double precision OPERATOR(pg_catalog./) rows_read_sampled::double precision
	       END AS kept_ratio,
	       first_seen, last_seen, predicate, recurring
	FROM remedy.read_scans()
	ORDER BY rows_read DESC NULLS LAST, rows_read_sampled DESC, query_id, relation, predicate;
COMMENT ON VIEW remedy.scans IS
	'what statements read of tables by scans that an index might spare, by statement, table and conditions, since the server''s first start or the last reset; without preloading, of this session';
COMMENT ON COLUMN remedy.scans.database IS 'database; null in the row for temporary tables and for what found no room';
COMMENT ON COLUMN remedy.scans.table_name IS 'table; null if it is in another database, or gone';
COMMENT ON COLUMN remedy.scans.relation IS 'oid of the table';
COMMENT ON COLUMN remedy.scans.user_name IS 'role as which the statement ran; inside a SECURITY DEFINER function its owner';
COMMENT ON COLUMN remedy.scans.query_id IS 'fingerprint, the core''s query identifier; null for statements without one';
COMMENT ON COLUMN remedy.scans.toplevel IS 'whether a client sent the statement; false inside functions, triggers, referential checks and EXPLAIN';
COMMENT ON COLUMN remedy.scans.method IS 'sequential; index or bitmap, where rows that the index found were dropped by further conditions';
COMMENT ON COLUMN remedy.scans.columns IS 'conditions that rows were tested for, each as column and operator; null as long as no execution was sampled';
COMMENT ON COLUMN remedy.scans.index_columns IS 'conditions that the index met, likewise';
COMMENT ON COLUMN remedy.scans.scans IS 'sequential scans begun, exact; each process of a parallel query begins one of its own; where one statement scans a table in several ways the sum is exact, split as the samples tell';
COMMENT ON COLUMN remedy.scans.rows_read IS 'rows read by sequential scans, exact or split like scans';
COMMENT ON COLUMN remedy.scans.samples IS 'scans in sampled executions';
COMMENT ON COLUMN remedy.scans.rows_read_sampled IS 'rows that they read';
COMMENT ON COLUMN remedy.scans.rows_kept_sampled IS 'rows of these that met the conditions';
COMMENT ON COLUMN remedy.scans.loops_sampled IS 'how often they began, more than once inside a nested loop';
COMMENT ON COLUMN remedy.scans.kept_ratio IS 'rows kept of one row read, from 0 to 1; null if unknown';
COMMENT ON COLUMN remedy.scans.first_seen IS 'when it was first observed';
COMMENT ON COLUMN remedy.scans.last_seen IS 'when it was last observed';
COMMENT ON COLUMN remedy.scans.predicate IS 'the conditions: ? is a constant of the statement, $ a parameter or a value from another table';
COMMENT ON COLUMN remedy.scans.recurring IS 'conditions, each as column and operator, whose constant was the same in all samples, three at least';
GRANT SELECT ON remedy.scans TO PUBLIC;

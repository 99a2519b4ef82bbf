
-- json_columns: which columns hold json, what the workload does with them, and what is advised.

CREATE FUNCTION remedy.read_json_usage(
	of_table oid DEFAULT NULL,
	OUT relation oid, OUT column_number smallint, OUT operation text, OUT path text[], OUT cast_to text, OUT comparison text,
	OUT in_condition boolean, OUT as_jsonb boolean, OUT statements integer, OUT calls bigint, OUT total_ms double precision,
	OUT rows_read bigint, OUT queries bigint[], OUT expression text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_json_usage' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 50;
COMMENT ON FUNCTION remedy.read_json_usage(oid) IS 'source of the view remedy.json_usage, of one table or of all';

CREATE VIEW remedy.json_usage AS
	SELECT u.relation::pg_catalog.regclass::text AS table_name, a.attname::text AS column_name,
	       pg_catalog.format_type(a.atttypid, NULL) AS column_type, u.operation, u.path, u.cast_to, u.comparison, u.in_condition,
	       u.statements, u.calls, u.total_ms, u.rows_read, u.queries, u.expression
	FROM remedy.read_json_usage() AS u
	JOIN pg_catalog.pg_attribute AS a
	  ON a.attrelid OPERATOR(pg_catalog.=) u.relation AND a.attnum OPERATOR(pg_catalog.=) u.column_number
	WHERE pg_catalog.has_column_privilege(u.relation, u.column_number, 'SELECT')
	ORDER BY u.total_ms DESC, 1, 2, u.operation, u.path, u.comparison;
COMMENT ON VIEW remedy.json_usage IS
	'what the observed statements of this database do with json and jsonb columns, by operator, path and comparison; a statement counts whole in each of its uses. Of other roles'' statements for pg_read_all_stats. Without preloading, of this session';
COMMENT ON COLUMN remedy.json_usage.table_name IS 'table of the column; of a partition its topmost parent';
COMMENT ON COLUMN remedy.json_usage.column_name IS 'column';
COMMENT ON COLUMN remedy.json_usage.column_type IS 'its type today';
COMMENT ON COLUMN remedy.json_usage.operation IS 'operator or function on it; [] is a subscript, ::text a cast; whole: fetched or compared as it is; written: by INSERT or UPDATE';
COMMENT ON COLUMN remedy.json_usage.path IS 'keys and positions that lead to what is read; ? is none that the statement''s text has';
COMMENT ON COLUMN remedy.json_usage.cast_to IS 'type that it is then cast to; null: none';
COMMENT ON COLUMN remedy.json_usage.comparison IS '=, <>, IN, range, LIKE (patterns of any kind), IS NULL, ORDER BY, GROUP BY, DISTINCT; null: it is not compared';
COMMENT ON COLUMN remedy.json_usage.in_condition IS 'whether it decides which rows are read, joined or kept';
COMMENT ON COLUMN remedy.json_usage.statements IS 'number of different statements';
COMMENT ON COLUMN remedy.json_usage.calls IS 'their calls';
COMMENT ON COLUMN remedy.json_usage.total_ms IS 'their execution time';
COMMENT ON COLUMN remedy.json_usage.rows_read IS 'rows that they read of the table by sequential scans';
COMMENT ON COLUMN remedy.json_usage.queries IS 'fingerprints of the first hundred, as in remedy.statements';
COMMENT ON COLUMN remedy.json_usage.expression IS 'the expression on the column, as an index could have it; null if it reads other tables too';
GRANT SELECT ON remedy.json_usage TO PUBLIC;

CREATE FUNCTION remedy.json_readers(table_name regclass, column_name name, OUT object text, OUT what text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_json_readers' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.json_readers(regclass, name) IS
	'who reads or writes the column in ways that the catalogs'' dependencies do not show: functions whose body is a text, and observed statements, which would notice that json became jsonb or that the column moved. A guess that errs to too many';

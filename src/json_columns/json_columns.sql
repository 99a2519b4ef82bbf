
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
	SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS table_name, a.attname::text AS column_name,
	       pg_catalog.format_type(a.atttypid, NULL) AS column_type, u.operation, u.path, u.cast_to, u.comparison, u.in_condition,
	       u.statements, u.calls, u.total_ms, u.rows_read, u.queries, u.expression
	FROM remedy.read_json_usage() AS u
	JOIN pg_catalog.pg_attribute AS a
	  ON a.attrelid OPERATOR(pg_catalog.=) u.relation AND a.attnum OPERATOR(pg_catalog.=) u.column_number
	JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) u.relation
	JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE pg_catalog.has_column_privilege(u.relation, u.column_number, 'SELECT')
	ORDER BY u.total_ms DESC, 1, 2, u.operation, u.path, u.comparison;
COMMENT ON VIEW remedy.json_usage IS
	'what the observed statements of this database do with json and jsonb columns, by operator, path and comparison; a statement counts whole in each of its uses. Statements that differ in constants are one, and keys of paths are constants: shown is the path of its first call since the start, or with pg_remedy.keep_values those of its sampled calls. Of other roles'' statements for pg_read_all_stats. Without preloading, of this session';
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

-- What the view says of a column's uses.

CREATE FUNCTION remedy.describe_json_use(operation text, path text[], cast_to text, comparison text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT concat_ws(' ',
	           concat(CASE WHEN operation IN ('->', '->>')
	                       THEN (SELECT string_agg(CASE WHEN k = cardinality(path) THEN operation ELSE '->' END || ' '
	                                               || CASE WHEN p ~ '^(-?[0-9]+|[?])$' THEN p ELSE quote_literal(p) END, ' ' ORDER BY k)
	                             FROM unnest(path) WITH ORDINALITY AS s(p, k))
	                       WHEN path = '{}' THEN operation
	                       ELSE operation || ' ' || quote_literal(path::text)
	                  END, '::' || cast_to),
	           comparison)
$$;
COMMENT ON FUNCTION remedy.describe_json_use(text, text[], text, text) IS 'source of the view remedy.json_columns: one use of a column in words';

CREATE FUNCTION remedy.describe_json_work(calls bigint, total_ms double precision) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%s %s, %s', to_char(calls, 'FM999,999,999,999,990'), CASE calls WHEN 1 THEN 'call' ELSE 'calls' END,
	              CASE WHEN total_ms >= 1000 THEN to_char(total_ms / 1000, 'FM999,999,990.0') || ' s'
	                   ELSE to_char(total_ms, 'FM990.0') || ' ms' END)
$$;
COMMENT ON FUNCTION remedy.describe_json_work(bigint, double precision) IS 'source of the view remedy.json_columns: calls and their time in ms, in words';

-- Types that are json or hold it, by what they are outside.  A table's row type is one of them.
CREATE FUNCTION remedy.read_json_types(OUT type oid, OUT kind text) RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE holder AS (
		SELECT 'json'::regtype::oid AS type, NULL::text AS kind
		UNION
		SELECT t.oid, CASE t.typtype WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite' ELSE 'array' END
		FROM holder AS h
		JOIN pg_type AS t
		  ON (t.typtype = 'd' AND t.typbasetype = h.type)
		  OR (t.typcategory = 'A' AND t.typelem = h.type)
		  OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.atttypid = h.type
		                                  AND a.attnum > 0 AND NOT a.attisdropped)))
	SELECT * FROM holder
$$;
COMMENT ON FUNCTION remedy.read_json_types() IS 'source of the view remedy.json_columns: json, and the domains, arrays and composite types that hold it';

CREATE FUNCTION remedy.read_json_columns(
	OUT relation oid, OUT column_number smallint, OUT table_name text, OUT column_name text, OUT kind text, OUT state text,
	OUT rows bigint, OUT bytes bigint, OUT bytes_from text)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE column_of AS MATERIALIZED (
		SELECT c.oid AS relation, a.attnum, a.attname, a.attstorage, n.nspname, c.relname,
		       coalesce(t.kind, CASE c.relkind WHEN 'p' THEN 'partitioned table' WHEN 'm' THEN 'materialised view'
		                                       WHEN 'f' THEN 'foreign table'
		                        ELSE CASE WHEN c.reloftype <> 0 THEN 'typed table'
		                                  WHEN EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = c.oid) THEN 'child table'
		                                  WHEN EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhparent = c.oid) THEN 'table with children'
		                                  ELSE 'table' END END) AS kind,
		       CASE WHEN a.attname ~ '^remedy_old_[0-9]+$' THEN 'swapped'
		            WHEN EXISTS (SELECT FROM pg_attribute AS s WHERE s.attrelid = c.oid AND NOT s.attisdropped
		                         AND s.attname = 'remedy_json_' || a.attnum) THEN 'under way' END AS state
		FROM remedy.read_json_types() AS t
		JOIN pg_attribute AS a ON a.atttypid = t.type AND a.attnum > 0 AND NOT a.attisdropped
		JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition
		                  AND c.relpersistence <> 't'
		JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
		WHERE (pg_has_role(c.relowner, 'USAGE') OR has_column_privilege(c.oid, a.attnum, 'SELECT'))
		      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		      -- A child's inherited column is its parent's.
		      AND NOT EXISTS (SELECT FROM pg_inherits AS h
		                      JOIN pg_attribute AS p ON p.attrelid = h.inhparent AND p.attname = a.attname AND NOT p.attisdropped
		                      WHERE h.inhrelid = c.oid)),
	tree AS (
		SELECT DISTINCT relation AS root, relation AS part FROM column_of
		UNION
		SELECT t.root, h.inhrelid FROM tree AS t JOIN pg_inherits AS h ON h.inhparent = t.part),
	size AS MATERIALIZED (
		SELECT t.root, sum(c.reltuples) FILTER (WHERE c.reltuples >= 0 AND c.relkind <> 'p') AS rows,
		       sum(CASE WHEN c.reltoastrelid <> 0 THEN pg_relation_size(c.reltoastrelid) ELSE 0 END) AS toast,
		       count(*) > 1 AS inherited
		FROM tree AS t JOIN pg_class AS c ON c.oid = t.part GROUP BY t.root),
	width AS (
		SELECT x.relation, x.attnum, s.avg_width * (1 - s.null_frac) AS width,
		       (SELECT sum(o.avg_width * (1 - o.null_frac)) FROM pg_stats AS o
		        JOIN pg_attribute AS b ON b.attrelid = x.relation AND b.attname = o.attname AND b.attlen = -1 AND b.attstorage <> 'p'
		        WHERE o.schemaname = x.nspname AND o.tablename = x.relname AND o.inherited = z.inherited) AS all_widths
		FROM column_of AS x
		JOIN size AS z ON z.root = x.relation
		JOIN pg_stats AS s ON s.schemaname = x.nspname AND s.tablename = x.relname AND s.attname = x.attname AND s.inherited = z.inherited)
	SELECT x.relation, x.attnum, format('%I.%I', x.nspname, x.relname), x.attname::text, x.kind, x.state, z.rows::bigint,
	       (z.rows * w.width + z.toast * w.width / greatest(w.all_widths, w.width, 1))::bigint,
	       CASE WHEN w.width IS NULL OR z.rows IS NULL THEN 'not known before ANALYZE'
	            WHEN z.toast > 0 THEN 'rows and average width in pg_stats, and its share of the TOAST table'
	            ELSE 'rows and average width in pg_stats' END
	FROM column_of AS x
	JOIN size AS z ON z.root = x.relation
	LEFT JOIN width AS w ON w.relation = x.relation AND w.attnum = x.attnum
$$;
COMMENT ON FUNCTION remedy.read_json_columns() IS 'source of the view remedy.json_columns: what the catalogs know';

-- A path that up to three expressions are compared by is the work of an index, on json as on jsonb.
CREATE FUNCTION remedy.read_json_work(
	OUT relation oid, OUT column_number smallint, OUT searches bigint, OUT compared bigint, OUT compared_rows bigint,
	OUT scanned_rows bigint, OUT compared_ms double precision, OUT scanned_ms double precision, OUT work text, OUT unindexed text[])
	RETURNS SETOF record
	LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH use AS MATERIALIZED (
		SELECT u.*,
		       u.as_jsonb OR (u.operation LIKE '::%' AND u.comparison IN ('=', 'DISTINCT', 'GROUP BY')) AS searched,
		       coalesce(u.in_condition AND u.comparison IN ('=', 'IN', 'range') AND u.path <> '{}' AND NOT u.as_jsonb
		                AND u.expression !~ '[$][0-9]', false) AS indexable
		FROM remedy.read_json_usage() AS u),
	served AS (
		SELECT u.relation, u.column_number, array_agg(q) AS queries
		FROM use AS u, unnest(u.queries) AS q WHERE u.indexable GROUP BY 1, 2),
	ranked AS (
		SELECT u.*, coalesce(u.queries <@ s.queries, false) AS served,
		       row_number() OVER (PARTITION BY u.relation, u.column_number ORDER BY u.total_ms DESC, u.operation, u.path) AS place
		FROM use AS u LEFT JOIN served AS s USING (relation, column_number))
	SELECT r.relation, r.column_number,
	       count(*) FILTER (WHERE searched), count(DISTINCT r.expression) FILTER (WHERE indexable),
	       coalesce(max(r.rows_read) FILTER (WHERE indexable), 0),
	       coalesce(sum(r.rows_read) FILTER (WHERE NOT served AND r.operation NOT IN ('whole', 'written') AND r.operation NOT LIKE '::%'), 0)::bigint,
	       coalesce(max(r.total_ms) FILTER (WHERE indexable), 0),
	       coalesce(max(r.total_ms) FILTER (WHERE NOT served AND r.operation NOT IN ('whole', 'written') AND r.operation NOT LIKE '::%'), 0),
	       string_agg(format('%s%s (%s)', CASE WHEN r.as_jsonb AND r.operation <> '::jsonb' THEN '::jsonb ' END,
	                         remedy.describe_json_use(r.operation, r.path, r.cast_to, r.comparison),
	                         remedy.describe_json_work(r.calls, r.total_ms)), '; ' ORDER BY r.place) FILTER (WHERE r.place <= 6),
	       array_agg(r.expression ORDER BY r.place)
	           FILTER (WHERE indexable AND NOT EXISTS (
	               SELECT FROM pg_index AS i WHERE i.indrelid = r.relation AND i.indisvalid AND i.indpred IS NULL
	               AND pg_get_indexdef(i.indexrelid, 1, false) IN (r.expression, '(' || r.expression || ')')))
	FROM ranked AS r
	GROUP BY 1, 2
$$;
COMMENT ON FUNCTION remedy.read_json_work() IS 'source of the view remedy.json_columns: what the observed statements do with each column';

CREATE FUNCTION remedy.judge_json_columns(
	OUT table_name text, OUT column_name text, OUT kind text, OUT rows bigint, OUT bytes bigint, OUT bytes_from text,
	OUT advice text, OUT workload text, OUT gain text, OUT fix_sql text)
	RETURNS SETOF record
	LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH judged AS (
		SELECT c.*, w.work, w.unindexed, w.compared, w.compared_ms, w.scanned_ms, w.scanned_rows,
		       CASE WHEN c.kind NOT IN ('table', 'partitioned table', 'table with children') THEN 'report only'
		            WHEN c.state = 'swapped' THEN 'finish the migration'
		            WHEN c.state = 'under way' THEN 'migration under way'
		            WHEN w.searches > 0 THEN 'migrate to jsonb'
		            WHEN w.scanned_rows >= 10000 AND w.scanned_ms > 0.2 * w.compared_ms THEN 'migrate to jsonb'
		            WHEN w.compared > 3 AND w.unindexed IS NOT NULL AND w.compared_rows >= 10000 THEN 'migrate to jsonb'
		            WHEN w.unindexed IS NOT NULL AND w.compared_rows >= 10000 THEN 'stay with json, build an index'
		            ELSE 'nothing' END AS advice
		FROM remedy.read_json_columns() AS c
		LEFT JOIN remedy.read_json_work() AS w USING (relation, column_number))
	SELECT j.table_name, j.column_name, j.kind, j.rows, j.bytes, j.bytes_from, j.advice, j.work,
	       CASE j.advice
	           WHEN 'report only' THEN CASE j.kind
	               WHEN 'materialised view' THEN 'it becomes jsonb with the column that it is computed from'
	               WHEN 'foreign table' THEN 'its data are another server''s'
	               WHEN 'typed table' THEN 'its columns are its type''s'
	               WHEN 'child table' THEN 'a table that inherits from another cannot be migrated by itself'
	               ELSE 'json inside of another type cannot be migrated online' END
	           WHEN 'finish the migration' THEN 'the jsonb column has taken its place: when all is well this one can go (remedy.finish_json_migration), see remedy.json_migrations'
	           WHEN 'migration under way' THEN 'see remedy.json_migrations'
	           WHEN 'migrate to jsonb' THEN concat_ws('; ',
	               'reading a path in a scan costs about 4 to 8 times less as jsonb'
	               || CASE WHEN j.scanned_rows > 0 THEN format(', statements of %s do so here', CASE WHEN j.scanned_ms >= 1000 THEN to_char(j.scanned_ms / 1000, 'FM999,999,990.0') || ' s' ELSE to_char(j.scanned_ms, 'FM990.0') || ' ms' END) ELSE '' END,
	               'containment, existence of keys and DISTINCT work without a cast, and a GIN index answers selective ones in less than a millisecond',
	               'the column grows by 10 to 20 %, arrays of numbers double'
	               || CASE WHEN j.bytes > 0 THEN format(': about %s more', pg_size_pretty(j.bytes * 15 / 100)) ELSE '' END)
	           WHEN 'stay with json, build an index' THEN
	               'an index on the expression finds its rows in about a millisecond, on json as on jsonb; nothing else would be gained by jsonb, which is 10 to 20 % larger'
	           ELSE CASE WHEN j.work IS NULL THEN 'no statement that uses it was observed'
	                     ELSE 'nothing that its statements do would be much faster with jsonb; json keeps the order of keys and is smaller' END
	       END,
	       CASE j.advice
	           WHEN 'migrate to jsonb' THEN format('CALL remedy.migrate_json(%L, %L)', j.table_name, j.column_name)
	           WHEN 'stay with json, build an index' THEN
	               format('CREATE INDEX %sON %s ((%s))', CASE j.kind WHEN 'partitioned table' THEN '' ELSE 'CONCURRENTLY ' END,
	                      j.table_name, j.unindexed[1]) END
	FROM judged AS j
	ORDER BY j.bytes DESC NULLS LAST, j.table_name COLLATE "C", j.column_name COLLATE "C"
$$;
COMMENT ON FUNCTION remedy.judge_json_columns() IS 'source of the view remedy.json_columns';

CREATE VIEW remedy.json_columns AS
	SELECT table_name, column_name, kind, rows, bytes, bytes_from, advice, workload, gain, fix_sql FROM remedy.judge_json_columns();
COMMENT ON VIEW remedy.json_columns IS
	'the columns of this database that hold json, of tables that you own or may read: what the observed statements do with each, what jsonb would gain and what is advised. Partitions and children are their parent''s; extensions'' and temporary tables are left out. Of other roles'' statements for pg_read_all_stats; without preloading only this session''s are known';
COMMENT ON COLUMN remedy.json_columns.table_name IS 'table';
COMMENT ON COLUMN remedy.json_columns.column_name IS 'column';
COMMENT ON COLUMN remedy.json_columns.kind IS 'table, partitioned table, table with children, child table (a column of its own), typed table, materialised view, foreign table; domain, array, composite: the type that json is inside of';
COMMENT ON COLUMN remedy.json_columns.rows IS 'estimated rows, of all partitions and children; null before ANALYZE';
COMMENT ON COLUMN remedy.json_columns.bytes IS 'estimated size of the column, in bytes; null before ANALYZE';
COMMENT ON COLUMN remedy.json_columns.bytes_from IS 'how the size was estimated';
COMMENT ON COLUMN remedy.json_columns.advice IS 'migrate to jsonb; stay with json, build an index; nothing; report only; migration under way; finish the migration';
COMMENT ON COLUMN remedy.json_columns.workload IS 'what the observed statements do with it, the most expensive first; a statement counts in each use; null: nothing was observed. All of it: remedy.json_usage';
COMMENT ON COLUMN remedy.json_columns.gain IS 'what would be gained, and at which price';
COMMENT ON COLUMN remedy.json_columns.fix_sql IS 'what to run: see remedy.check_json() and remedy.plan_json_migration() before a migration; further indexes: remedy.advise_json_indexes()';
GRANT SELECT ON remedy.json_columns TO PUBLIC;


-- redundant indexes: another one serves as well.

-- Of two that serve for each other the one with fewer scans goes, else the younger.
-- What is kept is never on the list itself, nor a partition of it: covering is transitive.
CREATE FUNCTION remedy.read_redundant_indexes(
	OUT index_oid oid, OUT kept_oid oid, OUT kept_root_oid oid, OUT table_oid oid, OUT table_name text, OUT index_name text,
	OUT size_bytes bigint, OUT reason text, OUT kept_by text, OUT scans bigint, OUT why text, OUT fix_sql text)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH indexes AS MATERIALIZED (
		SELECT i.*, CASE WHEN i.partitioned
		                 THEN (SELECT sum(pg_stat_get_numscans(p.oid)) FROM remedy.read_parts(i.index_oid) AS p(oid))::bigint
		                 ELSE pg_stat_get_numscans(i.index_oid) END AS scans
		FROM remedy.read_indexes() AS i
		WHERE i.valid
		      AND EXISTS (SELECT FROM pg_index AS other
		                  WHERE other.indrelid = i.table_oid AND other.indexrelid <> i.index_oid
		                        AND other.indkey[0] = i.keys[1])),
	covering AS MATERIALIZED (
		SELECT d.index_oid AS dropped, k.index_oid AS kept, k.root_oid AS kept_root, NOT d.needed AND NOT d.attached AS may_go, d.scans, d.width, k.width AS kept_width
		FROM indexes AS d
		JOIN indexes AS k ON k.table_oid = d.table_oid AND k.index_oid <> d.index_oid
		WHERE k.predicate = d.predicate
		      AND k.keys[1:d.width] = d.keys AND k.classes[1:d.width] = d.classes
		      AND k.collations[1:d.width] = d.collations
		      AND (k.directions[1:d.width] = d.directions OR k.directions[1:d.width] = d.reversed)
		      AND starts_with(k.expressions || ' ', left(d.expressions, -1))
		      AND d.included <@ CASE d.method WHEN 'btree' THEN k.keys || k.included ELSE k.included END
		      AND (d.method = 'btree' OR k.width = d.width AND k.options = d.options)
		      AND (NOT d.is_unique
		           OR k.is_unique AND k.width = d.width AND k.immediate AND k.nulls_distinct = d.nulls_distinct)),
	going AS MATERIALIZED (
		SELECT c.* FROM covering AS c
		WHERE c.may_go
		      AND NOT EXISTS (SELECT FROM covering AS r
		                      WHERE r.may_go AND r.dropped = c.kept AND r.kept = c.dropped
		                            AND (r.scans, -r.dropped::bigint) < (c.scans, -c.dropped::bigint))),
	chosen AS (
		SELECT DISTINCT ON (g.dropped) g.*
		FROM going AS g
		WHERE NOT EXISTS (SELECT FROM going AS other WHERE other.dropped = g.kept_root)
		ORDER BY g.dropped, g.kept_width, g.kept)
	SELECT d.index_oid, k.index_oid, k.root_oid, d.table_oid, d.table_name, d.index_name, remedy.read_relation_bytes(d.index_oid),
	       CASE WHEN c.width = c.kept_width THEN 'duplicate' ELSE 'prefix' END, k.index_name, d.scans,
	       CASE WHEN c.width = c.kept_width THEN format('%s has the same columns%s', k.index_name,
	                      CASE WHEN k.directions <> d.directions THEN ', read backwards' ELSE '' END)
	            ELSE format('%s begins with the same columns%s', k.index_name,
	                      CASE WHEN k.directions[1:d.width] <> d.directions THEN ', read backwards' ELSE '' END)
	       END
	       || CASE WHEN d.partitioned THEN '; a partitioned index cannot be dropped concurrently: the table and its partitions are locked for a moment' ELSE '' END,
	       format('DROP INDEX %s%s', CASE WHEN d.partitioned THEN '' ELSE 'CONCURRENTLY ' END, d.index_name)
	FROM chosen AS c
	JOIN indexes AS d ON d.index_oid = c.dropped
	JOIN indexes AS k ON k.index_oid = c.kept
$$;
COMMENT ON FUNCTION remedy.read_redundant_indexes() IS 'source of the view remedy.redundant_indexes';

-- What is kept serves as well if it is not much larger (see index_upkeep.cpp).
CREATE FUNCTION remedy.read_statements_without(
	indexes oid[], kept oid[], OUT index_name regclass, OUT statements bigint, OUT slower_statements bigint,
	OUT worst_ratio double precision, OUT worst_query_id bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_statements_without' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.read_statements_without(oid[], oid[]) IS
	'source of the view remedy.redundant_indexes: remedy.statements_without(), where a plan that then scans the index kept counts as good';

CREATE VIEW remedy.redundant_indexes AS
	WITH found AS MATERIALIZED (SELECT * FROM remedy.read_redundant_indexes())
	SELECT f.table_name, f.index_name, remedy.read_key_columns(f.index_oid) AS index_columns, f.size_bytes, f.reason, f.kept_by,
	       f.scans, s.slower_statements, f.why OPERATOR(pg_catalog.||) remedy.describe_slower(s.slower_statements, s.worst_ratio, s.worst_query_id) AS why,
	       CASE WHEN s.worst_ratio OPERATOR(pg_catalog.>) 1.1 THEN NULL ELSE f.fix_sql END AS fix_sql
	FROM found AS f
	LEFT JOIN remedy.read_statements_without(
	              ARRAY(SELECT index_oid FROM found),
	              ARRAY(SELECT CASE WHEN remedy.read_relation_bytes(kept_oid) OPERATOR(pg_catalog.<=) (3 OPERATOR(pg_catalog.*) size_bytes)
	                                THEN kept_oid ELSE 0::oid END FROM found)) AS s
	       ON s.index_name::oid OPERATOR(pg_catalog.=) f.index_oid
	ORDER BY f.size_bytes DESC, f.index_name;
COMMENT ON VIEW remedy.redundant_indexes IS
	'indexes that another one can stand in for: duplicates, and those whose columns another one begins with. Never one of a constraint, a replica identity, CLUSTER, nor a unique one unless the other is unique on the same columns. To read it plans the observed statements';
COMMENT ON COLUMN remedy.redundant_indexes.table_name IS 'its table';
COMMENT ON COLUMN remedy.redundant_indexes.index_name IS 'the index that may go';
COMMENT ON COLUMN remedy.redundant_indexes.index_columns IS 'its key columns and expressions';
COMMENT ON COLUMN remedy.redundant_indexes.size_bytes IS 'its size, with partitions, in bytes';
COMMENT ON COLUMN remedy.redundant_indexes.reason IS 'duplicate, or prefix of a wider one';
COMMENT ON COLUMN remedy.redundant_indexes.kept_by IS 'the index that serves in its place';
COMMENT ON COLUMN remedy.redundant_indexes.scans IS 'scans of it since the statistics were reset';
COMMENT ON COLUMN remedy.redundant_indexes.slower_statements IS 'observed statements that use it and would cost over 1 % more without all indexes of this view; those that would then scan kept_by, at most three times as large, lose nothing; null where nothing was observed, or statements of others that you may not read';
COMMENT ON COLUMN remedy.redundant_indexes.why IS 'why it may go, and what speaks against it';
COMMENT ON COLUMN remedy.redundant_indexes.fix_sql IS 'the statement that drops it; null if an observed statement would cost over 10 % more';
GRANT SELECT ON remedy.redundant_indexes TO PUBLIC;

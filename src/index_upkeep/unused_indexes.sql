
-- unused indexes: nothing was found by them since the server counts.

-- Of a database whose statistics were never reset, those of the cluster tell when they
-- began: at its creation, or at the last crash, which loses them.
CREATE FUNCTION remedy.read_statistics_since() RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce((SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()),
	                (SELECT stats_reset FROM pg_stat_bgwriter))
$$;
COMMENT ON FUNCTION remedy.read_statistics_since() IS 'source of the view remedy.unused_indexes: since when the server counts scans';

CREATE FUNCTION remedy.read_other_servers() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
	       WHEN pg_is_in_recovery() THEN
	           'these are the scans of this standby alone: ask the primary and the other standbys, and drop it on the primary'
	       WHEN EXISTS (SELECT FROM pg_stat_replication AS r
	                    WHERE NOT EXISTS (SELECT FROM pg_replication_slots AS s
	                                      WHERE s.slot_type = 'logical' AND s.active_pid = r.pid))
	            OR EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'physical') THEN
	           'there are standbys, which count their own scans: ask them too'
	       ELSE 'a standby, if there is one, counts its own scans'
	       END
$$;
COMMENT ON FUNCTION remedy.read_other_servers() IS 'source of the view remedy.unused_indexes: what to ask other servers';

-- The server does not tell when an index was made, unless it keeps commit timestamps.
-- An index that finds a foreign key's rows, or serves in place of a redundant one, stays.
CREATE FUNCTION remedy.read_unused_indexes(
	OUT index_oid oid, OUT table_oid oid, OUT table_name text, OUT index_name text, OUT size_bytes bigint,
	OUT scans bigint, OUT writes bigint, OUT since timestamptz, OUT why text, OUT fix_sql text)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH indexes AS MATERIALIZED (
		SELECT i.index_oid, i.table_oid, i.table_name, i.index_name, i.partitioned,
		       CASE WHEN i.partitioned THEN (SELECT sum(pg_stat_get_numscans(p.oid)) FROM remedy.read_parts(i.index_oid) AS p(oid))::bigint
		            ELSE pg_stat_get_numscans(i.index_oid) END AS scans,
		       greatest(remedy.read_statistics_since(),
		                CASE WHEN current_setting('track_commit_timestamp')::boolean AND NOT pg_is_in_recovery()
		                     THEN pg_xact_commit_timestamp(i.created_by) END) AS since
		FROM remedy.read_indexes() AS i
		WHERE i.valid AND NOT i.attached AND NOT i.is_unique AND NOT i.needed
		      AND i.index_oid NOT IN (SELECT f.index_oid FROM remedy.read_foreign_key_indexes() AS f)
		      AND current_setting('track_counts')::boolean),
	unused AS (
		SELECT i.*, extract(epoch FROM now() - i.since) / 86400 AS days,
		       (SELECT sum(pg_stat_get_tuples_inserted(p.oid) + pg_stat_get_tuples_updated(p.oid) + pg_stat_get_tuples_deleted(p.oid))
		        FROM remedy.read_parts(i.table_oid) AS p(oid))::bigint AS writes
		FROM indexes AS i
		WHERE i.scans < greatest(1, extract(epoch FROM now() - i.since) / 86400)
		      AND i.index_oid NOT IN (SELECT unnest(ARRAY[r.index_oid, r.kept_root_oid]) FROM remedy.read_redundant_indexes() AS r))
	SELECT u.index_oid, u.table_oid, u.table_name, u.index_name, remedy.read_relation_bytes(u.index_oid), u.scans, u.writes, u.since,
	       concat_ws('; ',
	           CASE WHEN u.scans = 0 THEN 'no scan' ELSE format('only %s scans', u.scans) END
	           || CASE WHEN u.since IS NULL THEN ' since the server began to count' ELSE format(' since %s', u.since::timestamp(0)) END
	           || format(', while %s rows were written', u.writes),
	           CASE WHEN u.days < 7 THEN 'that is less than a week, and what runs seldom may need it' END,
	           CASE WHEN u.scans > 0 THEN 'find out which statements use it before you drop it' END,
	           remedy.read_other_servers(),
	           CASE WHEN u.partitioned THEN 'a partitioned index cannot be dropped concurrently: the table and its partitions are locked for a moment' END),
	       CASE WHEN u.scans = 0
	            THEN format('DROP INDEX %s%s', CASE WHEN u.partitioned THEN '' ELSE 'CONCURRENTLY ' END, u.index_name) END
	FROM unused AS u
	WHERE u.scans = 0 OR u.scans < u.writes / 10000
$$;
COMMENT ON FUNCTION remedy.read_unused_indexes() IS 'source of the view remedy.unused_indexes';

CREATE VIEW remedy.unused_indexes AS
	WITH found AS MATERIALIZED (SELECT * FROM remedy.read_unused_indexes())
	SELECT f.table_name, f.index_name, remedy.read_key_columns(f.index_oid) AS index_columns, f.size_bytes, f.scans, f.writes, f.since,
	       s.slower_statements, f.why OPERATOR(pg_catalog.||) remedy.describe_slower(s.slower_statements, s.worst_ratio, s.worst_query_id) AS why,
	       CASE WHEN s.worst_ratio OPERATOR(pg_catalog.>) 1.1 THEN NULL ELSE f.fix_sql END AS fix_sql
	FROM found AS f
	LEFT JOIN remedy.statements_without(VARIADIC ARRAY(SELECT index_oid::regclass FROM found)) AS s
	       ON s.index_name::oid OPERATOR(pg_catalog.=) f.index_oid
	ORDER BY f.size_bytes DESC, f.index_name;
COMMENT ON VIEW remedy.unused_indexes IS
	'indexes that nothing, or next to nothing, was found by since the statistics were reset. Never a unique one, one of a constraint, a replica identity or CLUSTER, one that finds a foreign key''s rows, nor one that another may be dropped for (remedy.redundant_indexes). To read it plans the observed statements';
COMMENT ON COLUMN remedy.unused_indexes.table_name IS 'its table';
COMMENT ON COLUMN remedy.unused_indexes.index_name IS 'the index';
COMMENT ON COLUMN remedy.unused_indexes.index_columns IS 'its key columns and expressions';
COMMENT ON COLUMN remedy.unused_indexes.size_bytes IS 'its size, with partitions, in bytes';
COMMENT ON COLUMN remedy.unused_indexes.scans IS 'scans of it, with partitions; of those with scans only such as are found less than once a day and once in 10,000 writes';
COMMENT ON COLUMN remedy.unused_indexes.writes IS 'rows inserted into, updated in and deleted from its table meanwhile';
COMMENT ON COLUMN remedy.unused_indexes.since IS 'since when the server counts: the last reset or crash, or the index''s creation where that is known (track_commit_timestamp)';
COMMENT ON COLUMN remedy.unused_indexes.slower_statements IS 'observed statements that would cost over 1 % more without all indexes of this view, among those that use this one; null where nothing was observed, or statements of others that you may not read';
COMMENT ON COLUMN remedy.unused_indexes.why IS 'why it may go, and what to look at first';
COMMENT ON COLUMN remedy.unused_indexes.fix_sql IS 'the statement that drops it; null if it has scans, or an observed statement would cost over 10 % more';
GRANT SELECT ON remedy.unused_indexes TO PUBLIC;

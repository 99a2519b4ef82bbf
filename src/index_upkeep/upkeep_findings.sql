
-- What the views of indexes tell, as findings: of tables that are large enough to matter.
-- No statement is planned for it, so what is to be dropped has no fix_sql here, unless an
-- equal index stays.

CREATE FUNCTION remedy.index_upkeep_findings() RETURNS SETOF remedy.finding
	LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'redundant_index', 'notice', r.table_name, format('index %s is a %s of %s', r.index_name, r.reason, r.kept_by), NULL::float8,
	       format('%s, %s scans', pg_size_pretty(r.size_bytes), r.scans), r.why || '. See remedy.redundant_indexes, which asks the planner whether an observed statement would miss it',
	       CASE r.reason WHEN 'duplicate' THEN r.fix_sql END, 'redundant_index:' || r.index_name, NULL::timestamptz, now()
	FROM remedy.read_redundant_indexes() AS r
	WHERE remedy.read_relation_bytes(r.table_oid) >= 100 * current_setting('block_size')::integer
	UNION ALL
	SELECT 'unused_index', 'notice', u.table_name, format('index %s is %s used', u.index_name, CASE u.scans WHEN 0 THEN 'not' ELSE 'hardly' END), NULL,
	       format('%s, %s scans since %s', pg_size_pretty(u.size_bytes), u.scans, u.since::timestamp(0)), u.why || '. See remedy.unused_indexes, which asks the planner whether an observed statement would miss it',
	       NULL, 'unused_index:' || u.index_name, u.since, now()
	FROM remedy.read_unused_indexes() AS u
	WHERE u.since <= now() - interval '7 days' AND remedy.read_relation_bytes(u.table_oid) >= 100 * current_setting('block_size')::integer
	UNION ALL
	SELECT 'invalid_index', 'warning', i.table_name, format('index %s is not valid', i.index_name), NULL,
	       pg_size_pretty(i.size_bytes), i.why, i.fix_sql, 'invalid_index:' || i.index_name, NULL, now()
	FROM remedy.read_invalid_indexes() AS i
	UNION ALL
	SELECT 'unindexed_foreign_key', CASE WHEN f.referenced_deletes > 0 THEN 'warning' ELSE 'notice' END, f.table_name,
	       format('no index finds the rows of foreign key %s', quote_ident(f.foreign_key)), NULL,
	       format('%s, %s rows deleted from %s', pg_size_pretty(f.table_bytes), f.referenced_deletes, f.referenced_table), f.why, f.fix_sql,
	       format('unindexed_foreign_key:%s:%s', f.table_name, f.foreign_key), NULL, now()
	FROM remedy.read_unindexed_foreign_keys() AS f
	WHERE f.table_bytes >= 100 * current_setting('block_size')::integer
$$;
COMMENT ON FUNCTION remedy.index_upkeep_findings() IS 'indexes that should go, be repaired or created, as rows of remedy.findings';


-- foreign keys whose rows no index finds.

-- A partitioned table's key has a copy on each partition, which the partition's index
-- is to serve.  Keys over periods need other indexes, and those that are not enforced none.
-- A column of another type than the referenced one may have to be cast: no index on it is
-- used then.
CREATE FUNCTION remedy.read_unindexed_foreign_keys(
	OUT foreign_key_oid oid, OUT table_name text, OUT foreign_key text, OUT columns text[], OUT referenced_table text,
	OUT table_bytes bigint, OUT table_rows double precision, OUT referenced_deletes bigint, OUT referenced_updates bigint,
	OUT why text, OUT fix_sql text)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE copies AS (
		SELECT c.oid AS root, c.oid, c.conrelid FROM pg_constraint AS c
		WHERE c.contype = 'f' AND c.conparentid = 0 AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
		UNION ALL
		SELECT p.root, c.oid, c.conrelid FROM copies AS p JOIN pg_constraint AS c ON c.conparentid = p.oid AND c.contype = 'f'),
	unindexed AS (
		SELECT DISTINCT p.root
		FROM copies AS p JOIN pg_class AS t ON t.oid = p.conrelid AND t.relkind = 'r'
		WHERE p.oid NOT IN (SELECT f.foreign_key FROM remedy.read_foreign_key_indexes() AS f)),
	keys AS (
		SELECT c.oid, c.conname, c.confdeltype, t.oid AS table_oid, t.relkind, format('%I.%I', n.nspname, t.relname) AS table_name,
		       c.confrelid, format('%I.%I', rn.nspname, r.relname) AS referenced_table,
		       EXISTS (SELECT FROM unnest(c.conkey, c.conpfeqop) AS k(attnum, operator)
		               JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
		               JOIN pg_operator AS o ON o.oid = k.operator
		               JOIN pg_cast AS x ON x.castsource = a.atttypid AND x.casttarget = o.oprright AND x.castmethod <> 'b') AS is_cast,
		       ARRAY(SELECT quote_ident(a.attname) FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, position)
		             JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY k.position) AS columns
		FROM unindexed AS u
		JOIN pg_constraint AS c ON c.oid = u.root
		JOIN pg_class AS t ON t.oid = c.conrelid AND t.relpersistence <> 't'
		JOIN pg_namespace AS n ON n.oid = t.relnamespace
		JOIN pg_class AS r ON r.oid = c.confrelid
		JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
		WHERE NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
		      AND NOT EXISTS (SELECT FROM unnest(c.conpfeqop) AS o
		                      WHERE NOT EXISTS (SELECT FROM pg_amop AS a WHERE a.amopopr = o
		                                        AND a.amopmethod = (SELECT m.oid FROM pg_am AS m WHERE m.amname = 'btree'))))
	SELECT k.oid, k.table_name, k.conname, k.columns, k.referenced_table, remedy.read_relation_bytes(k.table_oid),
	       stored.rows, changed.deletes, changed.updates,
	       format('each row deleted from %s, and each change of its key, reads all of %s%s', k.referenced_table, k.table_name,
	              CASE k.confdeltype WHEN 'c' THEN ' to delete what refers to it' WHEN 'n' THEN ' to set what refers to it to null'
	                                 WHEN 'd' THEN ' to set what refers to it to its default' ELSE ' to see that nothing refers to it' END)
	       || CASE WHEN k.is_cast THEN '; the types differ so that no index on the columns is used: give them the types of the referenced ones'
	               WHEN k.relkind = 'p' THEN '; on a partitioned table the index is built while writes wait' ELSE '' END,
	       CASE WHEN NOT k.is_cast
	            THEN format('CREATE INDEX %sON %s (%s)', CASE WHEN k.relkind = 'p' THEN '' ELSE 'CONCURRENTLY ' END, k.table_name,
	                        array_to_string(k.columns, ', ')) END
	FROM keys AS k
	CROSS JOIN LATERAL (
		SELECT sum(nullif(c.reltuples, -1)) FROM remedy.read_parts(k.table_oid) AS p(oid) JOIN pg_class AS c ON c.oid = p.oid) AS stored(rows)
	CROSS JOIN LATERAL (
		SELECT sum(pg_stat_get_tuples_deleted(p.oid))::bigint, sum(pg_stat_get_tuples_updated(p.oid))::bigint
		FROM remedy.read_parts(k.confrelid) AS p(oid)) AS changed(deletes, updates)
$$;
COMMENT ON FUNCTION remedy.read_unindexed_foreign_keys() IS 'source of the view remedy.unindexed_foreign_keys';

CREATE VIEW remedy.unindexed_foreign_keys AS
	SELECT table_name, foreign_key, columns, referenced_table, table_bytes, table_rows, referenced_deletes, referenced_updates, why, fix_sql
	FROM remedy.read_unindexed_foreign_keys()
	ORDER BY table_bytes DESC, table_name, foreign_key;
COMMENT ON VIEW remedy.unindexed_foreign_keys IS
	'foreign keys whose columns no index begins with: to delete a referenced row reads the whole table. Largest first; it does not matter for tables of few pages, nor where nothing referenced is ever deleted';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.table_name IS 'the referencing table';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.foreign_key IS 'name of the constraint';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.columns IS 'its columns';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.referenced_table IS 'the table that it references';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.table_bytes IS 'size of the referencing table, with partitions, without TOAST, in bytes';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.table_rows IS 'its rows, as last estimated; null if never';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.referenced_deletes IS 'rows deleted from the referenced table since the statistics were reset';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.referenced_updates IS 'rows updated in it, likewise; only changes of the key matter, which the server does not count apart';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.why IS 'what it costs';
COMMENT ON COLUMN remedy.unindexed_foreign_keys.fix_sql IS 'the statement that creates the index; null if none on the columns would be used';
GRANT SELECT ON remedy.unindexed_foreign_keys TO PUBLIC;

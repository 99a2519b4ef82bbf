
-- invalid indexes: leftovers of what failed, which cost and serve nobody.

CREATE FUNCTION remedy.read_index_definition(index_oid oid) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT substr(pg_get_indexdef(i.indexrelid),
	              length(concat('CREATE ', CASE WHEN i.indisunique THEN 'UNIQUE ' END, format('INDEX %I ON ', x.relname),
	                            CASE WHEN x.relkind = 'I' THEN 'ONLY ' END, format('%I.%I ', n.nspname, t.relname))) + 1)
	FROM pg_index AS i
	JOIN pg_class AS x ON x.oid = i.indexrelid
	JOIN pg_class AS t ON t.oid = i.indrelid
	JOIN pg_namespace AS n ON n.oid = t.relnamespace
	WHERE i.indexrelid = index_oid
$$;
COMMENT ON FUNCTION remedy.read_index_definition(oid) IS 'source of the view remedy.invalid_indexes: an index as CREATE INDEX has it, from USING on';

CREATE FUNCTION remedy.read_same_index(index_oid oid, on_table oid) RETURNS oid
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT same.indexrelid
	FROM pg_index AS i
	JOIN pg_index AS same ON same.indrelid = on_table AND same.indexrelid <> i.indexrelid AND same.indisunique = i.indisunique
	JOIN pg_class AS x ON x.oid = same.indexrelid
	WHERE i.indexrelid = index_oid AND (same.indisvalid OR on_table <> i.indrelid) AND (NOT x.relispartition OR on_table = i.indrelid)
	      AND (on_table = i.indrelid OR NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u'))
	           OR EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = same.indexrelid AND c.contype IN ('p', 'u')))
	      AND remedy.read_index_definition(same.indexrelid) = remedy.read_index_definition(index_oid)
	ORDER BY same.indisvalid DESC, same.indexrelid
	LIMIT 1
$$;
COMMENT ON FUNCTION remedy.read_same_index(oid, oid) IS 'source of the view remedy.invalid_indexes: the same index, valid on its own table, or one that can be attached to it on a partition';

-- A partitioned index becomes valid in steps: each partition gets an index, which is
-- attached.  This is the next step.
CREATE FUNCTION remedy.read_incomplete_index(index_oid oid, OUT why text, OUT fix_sql text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH parts AS (
		SELECT format('%I.%I', n.nspname, t.relname) AS name, t.relkind = 'p' AS partitioned, a.indisvalid AS valid,
		       coalesce(a.indexrelid, remedy.read_same_index(index_oid, t.oid)) AS part_oid
		FROM pg_index AS i
		JOIN pg_inherits AS h ON h.inhparent = i.indrelid
		JOIN pg_class AS t ON t.oid = h.inhrelid AND t.relkind IN ('r', 'p')
		JOIN pg_namespace AS n ON n.oid = t.relnamespace
		LEFT JOIN (pg_index AS a JOIN pg_inherits AS ah ON ah.inhrelid = a.indexrelid AND ah.inhparent = index_oid)
		       ON a.indrelid = t.oid
		WHERE i.indexrelid = index_oid),
	next AS (
		SELECT p.*, CASE WHEN x.oid IS NOT NULL THEN format('%I.%I', n.nspname, x.relname) END AS part_name
		FROM parts AS p
		LEFT JOIN (pg_class AS x JOIN pg_namespace AS n ON n.oid = x.relnamespace) ON x.oid = p.part_oid
		ORDER BY p.valid IS NOT NULL, p.valid, p.part_oid IS NULL, p.name LIMIT 1),
	this AS (
		SELECT format('%I.%I', n.nspname, x.relname) AS name, i.indisunique,
		       (SELECT pg_get_constraintdef(c.oid) FROM pg_constraint AS c WHERE c.conindid = index_oid AND c.contype IN ('p', 'u')) AS own_constraint
		FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = x.relnamespace
		WHERE i.indexrelid = index_oid)
	SELECT CASE
	       WHEN p.part_oid IS NULL THEN format('it becomes valid when each partition has such an index; %s has none. Then look again', p.name)
	            || CASE WHEN this.own_constraint IS NULL THEN '' ELSE '. It belongs to a constraint: the partition is locked while its index is built' END
	       WHEN p.valid IS NULL THEN format('it becomes valid when each partition''s index is attached to it; that of %s is not. Then look again', p.name)
	       WHEN NOT p.valid THEN format('%s, its index on the partition %s, is not valid: repair that first', p.part_name, p.name)
	       ELSE 'the indexes of all its partitions are valid; to attach one of them once more makes it valid too'
	       END,
	       CASE
	       WHEN p.part_oid IS NULL AND this.own_constraint IS NOT NULL THEN format('ALTER TABLE %s ADD %s', p.name, this.own_constraint)
	       WHEN p.part_oid IS NULL THEN concat('CREATE ', CASE WHEN this.indisunique THEN 'UNIQUE ' END,
	            CASE WHEN p.partitioned THEN 'INDEX ON ONLY ' ELSE 'INDEX CONCURRENTLY ON ' END, p.name, ' ', remedy.read_index_definition(index_oid))
	       WHEN p.valid IS NOT FALSE THEN format('ALTER INDEX %s ATTACH PARTITION %s', this.name, p.part_name)
	       END
	FROM this, next AS p
$$;
COMMENT ON FUNCTION remedy.read_incomplete_index(oid) IS 'source of the view remedy.invalid_indexes: what a partitioned index lacks';

CREATE FUNCTION remedy.read_broken_index(index_oid oid, OUT why text, OUT fix_sql text)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
	       WHEN NOT i.indislive THEN 'DROP INDEX CONCURRENTLY was interrupted'
	       WHEN same.name IS NOT NULL THEN
	            format('no query may use it, though writes keep it up; %s is the same and valid', same.name)
	            || CASE WHEN x.relname ~ '_cc(new|old)[0-9]*$' THEN ', and this is what an interrupted REINDEX CONCURRENTLY left' ELSE '' END
	       ELSE 'no query may use it, though writes keep it up: CREATE or DROP INDEX CONCURRENTLY failed or was interrupted'
	            || CASE WHEN i.indisunique THEN '; if for duplicate values, they must go first' ELSE '' END
	       END,
	       CASE
	       WHEN (NOT i.indislive OR same.name IS NOT NULL) AND NOT x.relispartition
	            AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
	            THEN format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, x.relname)
	       ELSE format('REINDEX INDEX %s%I.%I', CASE WHEN i.indisexclusion THEN '' ELSE 'CONCURRENTLY ' END, n.nspname, x.relname)
	       END
	FROM pg_index AS i
	JOIN pg_class AS x ON x.oid = i.indexrelid
	JOIN pg_namespace AS n ON n.oid = x.relnamespace
	LEFT JOIN LATERAL (
		SELECT format('%I.%I', n.nspname, s.relname)
		FROM pg_class AS s WHERE s.oid = remedy.read_same_index(index_oid, i.indrelid)) AS same(name) ON true
	WHERE i.indexrelid = index_oid
$$;
COMMENT ON FUNCTION remedy.read_broken_index(oid) IS 'source of the view remedy.invalid_indexes: what happened to an index';

-- What is being built or dropped at this moment has somebody who holds a lock on it, or
-- on its table and tells of his progress.  A TOAST table's index may be a leftover too.
CREATE FUNCTION remedy.read_invalid_indexes(
	OUT index_oid oid, OUT table_name text, OUT index_name text, OUT size_bytes bigint, OUT why text, OUT fix_sql text)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 5
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH invalid AS (
		SELECT i.index_oid, i.table_oid, i.table_name, i.index_name, i.partitioned
		FROM remedy.read_indexes() AS i WHERE NOT i.valid
		UNION ALL
		SELECT i.indexrelid, i.indrelid, format('%I.%I', n.nspname, owner.relname), format('pg_toast.%I', x.relname), false
		FROM pg_index AS i
		JOIN pg_class AS x ON x.oid = i.indexrelid
		JOIN pg_class AS owner ON owner.reltoastrelid = i.indrelid AND owner.relpersistence <> 't'
		JOIN pg_namespace AS n ON n.oid = owner.relnamespace
		WHERE NOT i.indisvalid)
	SELECT i.index_oid, i.table_name, i.index_name, remedy.read_relation_bytes(i.index_oid), step.why, step.fix_sql
	FROM invalid AS i
	CROSS JOIN LATERAL (
		SELECT b.* FROM remedy.read_broken_index(i.index_oid) AS b WHERE NOT i.partitioned
		UNION ALL
		SELECT p.* FROM remedy.read_incomplete_index(i.index_oid) AS p WHERE i.partitioned) AS step
	WHERE NOT EXISTS (
		SELECT FROM pg_locks AS l
		WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()) AND l.granted
		      AND (l.relation = i.index_oid AND l.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock')
		           OR l.relation = i.table_oid AND l.pid IN (SELECT p.pid FROM pg_stat_progress_create_index AS p)))
$$;
COMMENT ON FUNCTION remedy.read_invalid_indexes() IS 'source of the view remedy.invalid_indexes';

CREATE VIEW remedy.invalid_indexes AS
	SELECT table_name, index_name, remedy.read_key_columns(index_oid) AS index_columns, size_bytes, why, fix_sql
	FROM remedy.read_invalid_indexes()
	ORDER BY table_name, index_name;
COMMENT ON VIEW remedy.invalid_indexes IS
	'indexes that no query may use, left by what failed or was interrupted, or incomplete over partitions; not those that are being built or dropped now';
COMMENT ON COLUMN remedy.invalid_indexes.table_name IS 'its table; of a TOAST table''s index the table that this belongs to';
COMMENT ON COLUMN remedy.invalid_indexes.index_name IS 'the index';
COMMENT ON COLUMN remedy.invalid_indexes.index_columns IS 'its key columns and expressions';
COMMENT ON COLUMN remedy.invalid_indexes.size_bytes IS 'its size, with partitions, in bytes';
COMMENT ON COLUMN remedy.invalid_indexes.why IS 'what happened, and what to see to first';
COMMENT ON COLUMN remedy.invalid_indexes.fix_sql IS 'the statement that repairs or drops it, or the next step towards that; null if something else must be done first';
GRANT SELECT ON remedy.invalid_indexes TO PUBLIC;

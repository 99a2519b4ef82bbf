
-- index_upkeep: indexes that only cost, that are broken, or that a foreign key lacks.
--
-- All of it is read from the catalogs and the server's statistics, which everybody may
-- read.  A partitioned index counts as one, with its partitions' sizes and scans; its
-- partitions are never judged alone.  Temporary tables, the server's and those of
-- extensions are left alone.

CREATE FUNCTION remedy.read_parts(relation oid) RETURNS SETOF oid
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 4
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE tree AS (
		SELECT c.oid, c.relkind FROM pg_class AS c WHERE c.oid = relation
		UNION ALL
		SELECT c.oid, c.relkind
		FROM tree AS t
		JOIN pg_inherits AS h ON h.inhparent = t.oid AND t.relkind IN ('p', 'I')
		JOIN pg_class AS c ON c.oid = h.inhrelid)
	SELECT t.oid FROM tree AS t WHERE t.relkind NOT IN ('p', 'I')
$$;
COMMENT ON FUNCTION remedy.read_parts(oid) IS 'source of the views of indexes: what stores a table or index, which is itself or its partitions';

-- In PL/pgSQL, which plans it once in a session.
CREATE FUNCTION remedy.read_relation_bytes(relation oid) RETURNS bigint
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce(pg_relation_size(relation), 0)
	       + (SELECT coalesce(sum(pg_relation_size(p.relid)), 0)
	          FROM pg_partition_tree(relation) AS p WHERE p.isleaf AND p.relid <> relation);
END
$$;
COMMENT ON FUNCTION remedy.read_relation_bytes(oid) IS 'source of the views of indexes: size of a table, without its TOAST table, or of an index; with partitions; in bytes';

CREATE FUNCTION remedy.read_key_columns(index_oid oid) RETURNS text[]
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(pg_get_indexdef(i.indexrelid, k, true)
	                 || CASE i.indoption[k - 1] WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' ELSE '' END
	                 ORDER BY k)
	FROM pg_index AS i, generate_series(1, i.indnkeyatts) AS k
	WHERE i.indexrelid = index_oid
$$;
COMMENT ON FUNCTION remedy.read_key_columns(oid) IS 'source of the views of indexes: key columns and expressions, with their order';

-- Expressions and predicates are compared as the server stores them, but for where they
-- stood in the command: that is exact, and takes no lock on the table.
CREATE FUNCTION remedy.read_indexes(
	OUT index_oid oid, OUT root_oid oid, OUT table_oid oid, OUT index_name text, OUT table_name text, OUT partitioned boolean,
	OUT attached boolean, OUT valid boolean, OUT needed boolean, OUT is_unique boolean, OUT immediate boolean,
	OUT nulls_distinct boolean, OUT method name, OUT width integer, OUT keys smallint[], OUT included smallint[],
	OUT classes oid[], OUT collations oid[], OUT directions smallint[], OUT reversed smallint[],
	OUT expressions text, OUT predicate text, OUT options text, OUT created_by xid)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT i.indexrelid, CASE WHEN x.relispartition THEN pg_partition_root(x.oid)::oid ELSE x.oid END, i.indrelid,
	       format('%I.%I', n.nspname, x.relname), format('%I.%I', n.nspname, t.relname),
	       x.relkind = 'I', x.relispartition, i.indisvalid AND i.indisready AND i.indislive,
	       i.indisprimary OR i.indisexclusion OR i.indisreplident OR i.indisclustered
	       OR EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid),
	       i.indisunique, i.indimmediate, NOT i.indnullsnotdistinct, m.amname, i.indnkeyatts::integer,
	       (i.indkey::smallint[])[0:i.indnkeyatts - 1], (i.indkey::smallint[])[i.indnkeyatts:i.indnatts - 1],
	       (i.indclass::oid[])[0:i.indnkeyatts - 1], (i.indcollation::oid[])[0:i.indnkeyatts - 1],
	       (i.indoption::smallint[])[0:i.indnkeyatts - 1],
	       ARRAY(SELECT (d # 3::smallint)::smallint FROM unnest(i.indoption::smallint[]) WITH ORDINALITY AS o(d, k)
	             WHERE k <= i.indnkeyatts ORDER BY k),
	       coalesce(regexp_replace(i.indexprs::text, ':location -?[0-9]+', '', 'g'), '()'),
	       coalesce(regexp_replace(i.indpred::text, ':location -?[0-9]+', '', 'g'), ''),
	       concat(x.reloptions, (SELECT array_agg(a.attoptions ORDER BY a.attnum) FROM pg_attribute AS a
	                             WHERE a.attrelid = i.indexrelid AND a.attoptions IS NOT NULL)),
	       i.xmin
	FROM pg_index AS i
	JOIN pg_class AS x ON x.oid = i.indexrelid
	JOIN pg_class AS t ON t.oid = i.indrelid
	JOIN pg_namespace AS n ON n.oid = t.relnamespace
	JOIN pg_am AS m ON m.oid = x.relam
	WHERE t.relkind IN ('r', 'm', 'p') AND t.relpersistence <> 't'
	      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
	      AND NOT EXISTS (SELECT FROM pg_depend AS d
	                      WHERE d.classid = 'pg_class'::regclass AND d.objid IN (i.indexrelid, i.indrelid) AND d.deptype = 'e')
$$;
COMMENT ON FUNCTION remedy.read_indexes() IS 'source of the views of indexes';

-- A look-up by the foreign key's columns needs an index that begins with them, in any
-- order, and whose operator classes know the key's operators.
CREATE FUNCTION remedy.read_foreign_key_indexes(OUT foreign_key oid, OUT index_oid oid) RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.oid, i.indexrelid
	FROM pg_constraint AS c
	JOIN pg_index AS i ON i.indrelid = c.conrelid
	JOIN pg_class AS x ON x.oid = i.indexrelid
	JOIN pg_am AS m ON m.oid = x.relam AND m.amname IN ('btree', 'hash')
	WHERE c.contype = 'f' AND i.indisvalid AND i.indisready AND i.indislive AND i.indpred IS NULL
	      AND NOT EXISTS (
	          SELECT FROM unnest(c.conkey, c.conpfeqop) AS k(attnum, operator)
	          WHERE NOT EXISTS (
	              SELECT FROM generate_series(0, least(cardinality(c.conkey), i.indnkeyatts) - 1) AS p
	              JOIN pg_opclass AS o ON o.oid = i.indclass[p]
	              JOIN pg_amop AS a ON a.amopfamily = o.opcfamily AND a.amopopr = k.operator
	              JOIN pg_attribute AS t ON t.attrelid = c.conrelid AND t.attnum = k.attnum
	              WHERE i.indkey[p] = k.attnum AND i.indcollation[p] IN (0, t.attcollation)))
$$;
COMMENT ON FUNCTION remedy.read_foreign_key_indexes() IS 'source of the views of indexes: which indexes find the rows that reference a key';

CREATE FUNCTION remedy.statements_without(
	VARIADIC indexes regclass[], OUT index_name regclass, OUT statements bigint, OUT slower_statements bigint,
	OUT worst_ratio double precision, OUT worst_query_id bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_statements_without' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.statements_without(regclass[]) IS
	'plans the observed statements of this database that use these indexes, as they are and without all of them; a row for each index: statements that would use it, those of them that would cost over 1 % more, how many times as much the worst would cost, and its query_id. No row where nothing was observed, or statements of others whose texts only pg_read_all_stats may read';

CREATE FUNCTION remedy.describe_slower(slower_statements bigint, worst_ratio double precision, worst_query_id bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN slower_statements > 0
	            THEN format('; without it %s of the observed statements would cost more, statement %s %s times as much', slower_statements,
	                        worst_query_id, round(worst_ratio::numeric, 2))
	            ELSE '' END
$$;
COMMENT ON FUNCTION remedy.describe_slower(bigint, double precision, bigint) IS 'source of the views of indexes: what remedy.statements_without() found, in words';

-- Views and materialised views through a migration and back: by a member of the role that owns them.
SET client_min_messages = warning;
CREATE SCHEMA jv;
SET search_path = jv;
CREATE ROLE regress_views_owner;
CREATE ROLE regress_views_member LOGIN IN ROLE regress_views_owner;
CREATE ROLE regress_views_reader;
GRANT ALL ON SCHEMA jv TO regress_views_owner;
GRANT USAGE ON SCHEMA jv TO regress_views_reader;
-- What these give to each new view is not what the twins are to have.
ALTER DEFAULT PRIVILEGES FOR ROLE regress_views_member GRANT UPDATE ON TABLES TO regress_views_reader, PUBLIC;

SET ROLE regress_views_owner;
CREATE TABLE agents (id integer PRIMARY KEY, name text, configuration json, owner_id integer) PARTITION BY RANGE (id);
CREATE TABLE agents_1 PARTITION OF agents FOR VALUES FROM (0) TO (100);
CREATE TABLE agents_2 (owner_id integer, configuration json, id integer NOT NULL, name text);
ALTER TABLE agents ATTACH PARTITION agents_2 FOR VALUES FROM (100) TO (200);
INSERT INTO agents SELECT i, 'agent ' || i, jsonb_build_object('n', i, 'list', jsonb_build_array(i, 'x'))::json, i % 4
	FROM generate_series(1, 199) i;

CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	UPDATE jv.agents SET configuration = NEW."Doc" WHERE id = NEW.id;
	RETURN NEW;
END $$;
CREATE VIEW base WITH (security_barrier, check_option = local) AS
	SELECT id, configuration AS doc, name FROM agents WHERE configuration->>'n' <> '3';
ALTER VIEW base RENAME COLUMN doc TO "Doc";
ALTER VIEW base ALTER COLUMN "Doc" SET DEFAULT '{"d": 1}';
COMMENT ON VIEW base IS 'it''s the base';
COMMENT ON COLUMN base."Doc" IS 'the document';
GRANT SELECT, UPDATE ON base TO PUBLIC;
GRANT INSERT (id, "Doc"), SELECT (name) ON base TO regress_views_reader;
GRANT DELETE ON base TO regress_views_reader WITH GRANT OPTION;
CREATE TRIGGER "on base" INSTEAD OF UPDATE ON base FOR EACH ROW EXECUTE FUNCTION keep(' ON jv.base ');
CREATE TRIGGER each_statement AFTER DELETE ON base FOR EACH STATEMENT EXECUTE FUNCTION keep();
COMMENT ON TRIGGER "on base" ON base IS 'writes through';
CREATE VIEW above AS SELECT base.*, "Doc"->'list' AS list FROM base JOIN agents USING (id);
REVOKE UPDATE ON above FROM regress_views_owner;
CREATE VIEW of_partition WITH (security_barrier = false) AS SELECT id, configuration->'n' AS n FROM agents_2;
CREATE MATERIALIZED VIEW filled WITH (fillfactor = 70, toast.autovacuum_enabled = off) AS
	SELECT id, "Doc" AS d, list->>1 AS second FROM above;
CREATE UNIQUE INDEX filled_id ON filled (id);
CREATE INDEX "filled ""Doc" ON filled ((d->>'list') text_pattern_ops DESC, second) WHERE d->>'n' IS NOT NULL;
ALTER INDEX "filled ""Doc" ALTER COLUMN 1 SET STATISTICS 77;
COMMENT ON INDEX filled_id IS 'identities';
ALTER MATERIALIZED VIEW filled CLUSTER ON filled_id;
ALTER MATERIALIZED VIEW filled ALTER COLUMN second SET STATISTICS 55, ALTER COLUMN d SET STORAGE EXTERNAL,
	ALTER COLUMN second SET (n_distinct = 5);
COMMENT ON MATERIALIZED VIEW filled IS 'filled';
GRANT SELECT ON filled TO regress_views_reader;
CREATE MATERIALIZED VIEW unfilled AS SELECT count(*) FILTER (WHERE d->>'n' > '3') AS n FROM filled WITH NO DATA;
CREATE VIEW of_filled AS SELECT d FROM filled UNION ALL SELECT '[]';
RESET ROLE;

-- Whatever is known of the views, as one text each.
CREATE FUNCTION acl(aclitem[], owner oid) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(i::text, ' ' ORDER BY i::text COLLATE "C") FROM unnest(coalesce($1, acldefault('r', $2))) i $$;
CREATE FUNCTION described(with_types boolean DEFAULT false) RETURNS TABLE (name name, description text) LANGUAGE sql AS $$
	SELECT c.relname, concat_ws(E'\n', c.relkind, c.relowner::regrole, acl(c.relacl, c.relowner), c.reloptions, t.reloptions,
		c.relispopulated, obj_description(c.oid, 'pg_class'),
		(SELECT string_agg(concat_ws(' ', a.attname, CASE WHEN with_types THEN a.atttypid::regtype END,
				pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum), a.attstorage, a.attstattarget,
				array_remove(a.attoptions, (SELECT o FROM unnest(a.attoptions) o WHERE o LIKE 'pg_attver%')),
				acl(a.attacl, c.relowner)), E'\n' ORDER BY a.attnum)
			FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
			WHERE a.attrelid = c.oid AND a.attnum > 0),
		(SELECT string_agg(concat_ws(' ', pg_get_triggerdef(g.oid), obj_description(g.oid, 'pg_trigger')), E'\n'
			ORDER BY tgname) FROM pg_trigger g WHERE g.tgrelid = c.oid),
		(SELECT string_agg(concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisclustered, x.relowner::regrole,
				obj_description(i.indexrelid, 'pg_class'), (SELECT max(attstattarget) FROM pg_attribute
				WHERE attrelid = i.indexrelid)), E'\n' ORDER BY x.relname COLLATE "C")
			FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
		CASE WHEN with_types THEN pg_get_viewdef(c.oid) END)
	FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
	WHERE c.relnamespace = 'jv'::regnamespace AND c.relkind IN ('v', 'm') AND c.relname NOT LIKE 'remedy%' $$;
CREATE FUNCTION leftovers() RETURNS TABLE (name name) LANGUAGE sql AS $$
	SELECT relname FROM pg_class WHERE relnamespace = 'jv'::regnamespace AND relname LIKE 'remedy%' $$;
CREATE TABLE before AS SELECT d.name, d.description, t.description AS all_of_it FROM described() d JOIN described(true) t USING (name);
SELECT count(*) FROM before;
CREATE TABLE rows_before AS SELECT 'base' AS name, jsonb_agg(to_jsonb(v) ORDER BY id) AS rows FROM base v
	UNION ALL SELECT 'above', jsonb_agg(to_jsonb(v) ORDER BY id) FROM above v
	UNION ALL SELECT 'of_partition', jsonb_agg(to_jsonb(v) ORDER BY id) FROM of_partition v
	UNION ALL SELECT 'filled', jsonb_agg(to_jsonb(v) ORDER BY id) FROM filled v
	UNION ALL SELECT 'of_filled', jsonb_agg(to_jsonb(v) ORDER BY v::text COLLATE "C") FROM of_filled v;
GRANT ALL ON ALL TABLES IN SCHEMA jv TO regress_views_member;
REVOKE ALL ON base, above, of_partition, filled, unfilled, of_filled FROM regress_views_member;
CREATE VIEW different AS
	SELECT coalesce(b.name, d.name) AS name, b.description AS was, d.description AS is
	FROM before b FULL JOIN described() d USING (name)
	WHERE b.description IS DISTINCT FROM d.description AND name <> 'different';

SET SESSION AUTHORIZATION regress_views_member;
SELECT object, refusal FROM remedy.plan_json_migration('jv.agents', 'configuration') WHERE refusal IS NOT NULL;
CALL remedy.migrate_json('jv.agents', 'configuration');
RESET SESSION AUTHORIZATION;
SELECT * FROM different;
SELECT c.relname, a.attname, a.atttypid::regtype FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'jv'::regnamespace AND c.relkind IN ('v', 'm') AND a.atttypid IN ('json'::regtype, 'jsonb'::regtype)
	AND c.relname NOT LIKE 'remedy%'
ORDER BY c.relname, a.attnum;
SELECT 'base' AS view, jsonb_agg(to_jsonb(v) ORDER BY id) = (SELECT rows FROM rows_before WHERE name = 'base') AS same FROM base v
	UNION ALL SELECT 'above', jsonb_agg(to_jsonb(v) ORDER BY id) = (SELECT rows FROM rows_before WHERE name = 'above') FROM above v
	UNION ALL SELECT 'of_partition', jsonb_agg(to_jsonb(v) ORDER BY id) = (SELECT rows FROM rows_before WHERE name = 'of_partition')
	FROM of_partition v
	UNION ALL SELECT 'filled', jsonb_agg(to_jsonb(v) ORDER BY id) = (SELECT rows FROM rows_before WHERE name = 'filled') FROM filled v
	UNION ALL SELECT 'of_filled', jsonb_agg(to_jsonb(v) ORDER BY v::text COLLATE "C") = (SELECT rows FROM rows_before WHERE name = 'of_filled')
	FROM of_filled v;
-- It can be written through, and refreshed beside its readers.
SET ROLE regress_views_reader;
UPDATE jv.base SET "Doc" = '{"n": "new"}' WHERE id = 150;
RESET ROLE;
REFRESH MATERIALIZED VIEW CONCURRENTLY filled;
REFRESH MATERIALIZED VIEW unfilled;
SELECT configuration, d FROM agents JOIN filled USING (id) WHERE id = 150;
SELECT n FROM unfilled;
REFRESH MATERIALIZED VIEW unfilled WITH NO DATA;

SET SESSION AUTHORIZATION regress_views_member;
CALL remedy.undo_json_migration('jv.agents', 'configuration');
RESET SESSION AUTHORIZATION;
SELECT * FROM different;
SELECT b.name, b.all_of_it, d.description FROM before b JOIN described(true) d USING (name) WHERE b.all_of_it <> d.description;
SET SESSION AUTHORIZATION regress_views_member;
CALL remedy.abort_json_migration('jv.agents', 'configuration');
RESET SESSION AUTHORIZATION;
SELECT * FROM leftovers();

SET SESSION AUTHORIZATION regress_views_member;
CALL remedy.migrate_json('jv.agents', 'configuration');
CALL remedy.finish_json_migration('jv.agents', 'configuration');
RESET SESSION AUTHORIZATION;
SELECT * FROM different;
SELECT * FROM leftovers();

SET search_path = public;
DROP SCHEMA jv CASCADE;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_views_member REVOKE UPDATE ON TABLES FROM regress_views_reader, PUBLIC;
DROP ROLE regress_views_member, regress_views_owner, regress_views_reader;

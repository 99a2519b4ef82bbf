-- json_shadow: the column beside a json column, what keeps it in step, how it is filled, and what it takes over.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS js CASCADE;
CREATE SCHEMA js;
\set VERBOSITY terse

-- ---- Kept in step ------------------------------------------------------------------------------
CREATE TABLE js.t (id integer PRIMARY KEY, gone text, doc json NOT NULL, n integer CHECK (n <> 13),
	doubled integer GENERATED ALWAYS AS (n * 2) STORED, touched integer NOT NULL DEFAULT 0);
CREATE FUNCTION js.touch() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN NEW.touched := OLD.touched + 1; NEW.doc := coalesce(NEW.doc, '{"by": "trigger"}'); RETURN NEW; END $$;
CREATE TRIGGER zz_touch BEFORE UPDATE ON js.t FOR EACH ROW EXECUTE FUNCTION js.touch();
CREATE TRIGGER "~zz" BEFORE UPDATE OF n ON js.t FOR EACH ROW EXECUTE FUNCTION js.touch();
INSERT INTO js.t (id, gone, doc, n)
	SELECT i, 'gone', json_build_object('number', i, 'long', CASE WHEN i % 100 = 0 THEN (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 300) AS j) END), i + 100
	FROM generate_series(1, 2000) AS i;
INSERT INTO js.t (id, doc) VALUES (0, '"\u0000"');
ALTER TABLE js.t DROP gone;
-- The filling stops before the guards, and may be looked at.
CALL remedy.migrate_json('js.t', 'doc');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'js.t'::regclass AND tgfoid = 'remedy.keep_json_in_step'::regproc;
SELECT count(*) FILTER (WHERE remedy_json_3 IS NULL) AS missing, count(*) FILTER (WHERE doc::text NOT LIKE '%u0000%' AND doc::jsonb <> remedy_json_3) AS other,
	sum(touched) AS touched, count(doubled) AS doubled FROM js.t;
-- What jsonb refuses is null, and nothing fails; what a user writes into the column is not kept.
INSERT INTO js.t (id, doc) VALUES (3001, '{"b":1, "a": "\ud800"}'), (3002, '{"b":1,   "a":2, "a": 3}');
INSERT INTO js.t (id, doc, remedy_json_3) VALUES (3003, '[1]', '[2]');
UPDATE js.t SET remedy_json_3 = '{"mine": 1}' WHERE id IN (100, 200, 3001, 3002);
UPDATE js.t SET doc = NULL WHERE id = 3003;
UPDATE js.t SET n = 1 WHERE id = 3003;
SELECT id, doc, remedy_json_3, touched FROM js.t WHERE id > 3000 ORDER BY id;
SELECT count(*) FROM js.t WHERE id IN (100, 200) AND doc::jsonb = remedy_json_3;
INSERT INTO js.t (id, doc) VALUES (3003, '{"upsert": 1}') ON CONFLICT (id) DO UPDATE SET doc = EXCLUDED.doc RETURNING remedy_json_3;
-- It fires also where others do not.
SET session_replication_role = replica;
INSERT INTO js.t (id, doc) VALUES (3004, '{"replicated": 1}') RETURNING remedy_json_3;
RESET session_replication_role;
-- Nor does a statement fail when the column gets another name.
BEGIN;
ALTER TABLE js.t RENAME doc TO renamed;
DROP TRIGGER zz_touch ON js.t;
INSERT INTO js.t (id, renamed) VALUES (3005, '{"a": 1}') RETURNING remedy_json_3;
UPDATE js.t SET renamed = '{"a": 2}' WHERE id = 3004 RETURNING remedy_json_3;
ALTER TABLE js.t DROP renamed;
INSERT INTO js.t (id) VALUES (3006) RETURNING remedy_json_3;
ALTER TABLE js.t DROP remedy_json_3;
INSERT INTO js.t (id) VALUES (3007);
ROLLBACK;
-- Not by hand.
SELECT remedy.keep_json_in_step();
CREATE TABLE js.by_hand (doc json, other jsonb);
CREATE TRIGGER a AFTER INSERT ON js.by_hand FOR EACH ROW EXECUTE FUNCTION remedy.keep_json_in_step('doc', 'other', 'guard');
CREATE TRIGGER b BEFORE INSERT ON js.by_hand FOR EACH ROW EXECUTE FUNCTION remedy.keep_json_in_step('doc');
INSERT INTO js.by_hand VALUES ('1');
DROP TRIGGER b ON js.by_hand;
INSERT INTO js.by_hand VALUES ('1');

-- ---- Rows that cannot be filled ------------------------------------------------------------------
DELETE FROM js.t WHERE id IN (0, 3001);
ALTER TABLE js.t DISABLE TRIGGER ALL;
UPDATE js.t SET remedy_json_3 = NULL WHERE id IN (700, 701, 1900, 1901);
ALTER TABLE js.t ENABLE TRIGGER ALL;
ALTER TABLE js.t ENABLE ALWAYS TRIGGER "~zz~remedy_json_3";
ALTER TABLE js.t ADD CONSTRAINT not_800 CHECK (n NOT IN (800, 801, 2001)) NOT VALID;
-- Those that are filled stay so, those that a check refuses are told of.
CALL remedy.migrate_json('js.t', 'doc');
SELECT id FROM js.t WHERE remedy_json_3 IS NULL ORDER BY id;
SELECT rows_refused FROM remedy.json_migrations WHERE table_name = 'js.t';
ALTER TABLE js.t DROP CONSTRAINT not_800;
CALL remedy.migrate_json('js.t', 'doc', swap => 'wait');
SELECT count(*) FILTER (WHERE remedy_json_3 IS DISTINCT FROM doc::jsonb), sum(touched) FROM js.t;

-- ---- Guarded -----------------------------------------------------------------------------------
SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'js.t'::regclass AND contype = 'c' ORDER BY 1;
INSERT INTO js.t (id, doc) VALUES (4000, '"\u0000"');
UPDATE js.t SET doc = '1e400000' WHERE id = 1;
BEGIN;
ALTER TABLE js.t RENAME doc TO renamed;
INSERT INTO js.t (id, renamed) VALUES (4001, '{"a": 1}') RETURNING remedy_json_3;
ROLLBACK;
-- A trigger that comes later, or one that was switched off.
CREATE TRIGGER "~~" BEFORE INSERT ON js.t FOR EACH ROW EXECUTE FUNCTION js.touch();
CALL remedy.migrate_json('js.t', 'doc');
DROP TRIGGER "~~" ON js.t;
ALTER TABLE js.t DISABLE TRIGGER USER;
ALTER TABLE js.t ENABLE TRIGGER USER;
CALL remedy.migrate_json('js.t', 'doc');
ALTER TABLE js.t ENABLE ALWAYS TRIGGER "~zz~remedy_json_3";

-- ---- What belongs to the column ------------------------------------------------------------------
CREATE ROLE js_granter;
CREATE ROLE js_reader;
GRANT USAGE ON SCHEMA js TO js_granter;
ALTER TABLE js.t ALTER doc SET STORAGE external, ALTER doc SET STATISTICS 77, ALTER doc SET (n_distinct = 5);
COMMENT ON COLUMN js.t.doc IS 'it''s "the" \document';
GRANT SELECT (doc), UPDATE (doc) ON js.t TO js_granter WITH GRANT OPTION;
SET ROLE js_granter;
GRANT SELECT (doc) ON js.t TO js_reader;
RESET ROLE;
GRANT INSERT (doc) ON js.t TO PUBLIC;
CREATE VIEW js.columns AS SELECT attrelid::regclass AS t, attname, format_type(atttypid, NULL) AS type, attnotnull, attstorage,
	coalesce(attstattarget, -1) AS attstattarget, nullif(array_remove(attoptions, (SELECT o FROM unnest(attoptions) AS o WHERE o LIKE 'pg_attver=%')), '{}') AS attoptions,
	attislocal, col_description(attrelid, attnum) AS comment, attacl IS NOT DISTINCT FROM (SELECT d.attacl FROM pg_attribute AS d WHERE d.attrelid = a.attrelid AND d.attname = 'doc') AS as_doc
	FROM pg_attribute AS a WHERE atttypid IN ('json'::regtype, 'jsonb'::regtype) AND NOT attisdropped;
CALL remedy.migrate_json('js.t', 'doc');
SELECT attname, type, attnotnull, attstorage, attstattarget, attoptions, comment, as_doc FROM js.columns WHERE t = 'js.t'::regclass ORDER BY 1;
SELECT grantee::regrole, grantor = current_user::regrole AS by_owner, privilege_type, is_grantable
	FROM pg_attribute, aclexplode(attacl) WHERE attrelid = 'js.t'::regclass AND attname = 'doc' ORDER BY 1, 2, 3;
-- The old column is kept in step.
UPDATE js.t SET doc = '{"a": 1.50, "b": "\u0041"}' WHERE id = 5;
UPDATE js.t SET remedy_old_3 = '{"mine": 1}' WHERE id = 6;
INSERT INTO js.t (id, doc) VALUES (5000, '{"a": [1,   2]}');
SELECT id, doc, remedy_old_3 FROM js.t WHERE id IN (5, 6, 5000) ORDER BY id;
-- Changed while swapped, it goes back so.
COMMENT ON COLUMN js.t.doc IS 'another';
ALTER TABLE js.t ALTER doc SET STORAGE main, ALTER doc RESET (n_distinct), ALTER doc SET COMPRESSION pglz;
REVOKE SELECT (doc) ON js.t FROM js_granter CASCADE;
CALL remedy.undo_json_migration('js.t', 'doc');
SELECT attname, type, attnotnull, attstorage, attstattarget, attoptions, comment, as_doc FROM js.columns WHERE t = 'js.t'::regclass ORDER BY 1;
SELECT grantee::regrole, grantor = current_user::regrole AS by_owner, privilege_type, is_grantable
	FROM pg_attribute, aclexplode(attacl) WHERE attrelid = 'js.t'::regclass AND attname = 'doc' ORDER BY 1, 2, 3;
CALL remedy.migrate_json('js.t', 'doc');
CALL remedy.finish_json_migration('js.t', 'doc');
SELECT attname, type, attnotnull, attstorage, attstattarget, attoptions, comment FROM js.columns WHERE t = 'js.t'::regclass ORDER BY 1;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'js.t'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT conname FROM pg_constraint WHERE conrelid = 'js.t'::regclass AND contype = 'c';
-- Each row's document was changed by nobody but us, or by the user's statements above.
SELECT sum(touched), count(*) FROM js.t;

-- ---- Partitions, and children with columns of their own ---------------------------------------------
CREATE TABLE js.p (id integer, doc json, k integer NOT NULL) PARTITION BY LIST (k);
CREATE TABLE js.p1 PARTITION OF js.p FOR VALUES IN (1);
CREATE TABLE js.p2 (k integer NOT NULL, gone text, doc json NOT NULL, id integer);
ALTER TABLE js.p2 DROP gone;
ALTER TABLE js.p ATTACH PARTITION js.p2 FOR VALUES IN (2);
COMMENT ON COLUMN js.p2.doc IS 'of p2';
ALTER TABLE js.p2 ALTER doc SET STORAGE main;
INSERT INTO js.p SELECT i, json_build_object('i', i), 1 + i % 2 FROM generate_series(1, 100) AS i;
INSERT INTO js.p VALUES (0, NULL, 1);
CALL remedy.migrate_json('js.p', 'doc', swap => 'wait');
CREATE TABLE js.p3 PARTITION OF js.p FOR VALUES IN (3);
INSERT INTO js.p VALUES (200, '{"b": 1, "a": 1}', 3);
CALL remedy.migrate_json('js.p', 'doc');
UPDATE js.p SET k = 2, doc = '{"moved": 1}' WHERE id = 2;
SELECT tableoid::regclass, id, doc, remedy_old_2 FROM js.p WHERE id IN (0, 1, 2, 200) ORDER BY id;
SELECT * FROM js.columns WHERE t IN ('js.p'::regclass, 'js.p1'::regclass, 'js.p2'::regclass, 'js.p3'::regclass) ORDER BY t::text, attname;
CALL remedy.undo_json_migration('js.p', 'doc');
CALL remedy.abort_json_migration('js.p', 'doc');
SELECT tableoid::regclass, id, doc FROM js.p WHERE id IN (0, 1, 2, 200) ORDER BY id;
SELECT t, attname, type, attnotnull FROM js.columns WHERE t IN ('js.p'::regclass, 'js.p1'::regclass, 'js.p2'::regclass, 'js.p3'::regclass) ORDER BY t::text, attname;

CREATE TABLE js.i (id integer, doc json);
CREATE TABLE js.i1 () INHERITS (js.i);
CREATE TABLE js.i2 (doc json NOT NULL) INHERITS (js.i1);
INSERT INTO js.i VALUES (1, '{"a": 1}');
INSERT INTO js.i1 VALUES (2, '{"a": 2}');
INSERT INTO js.i2 VALUES (3, '{"a": 3}');
CALL remedy.migrate_json('js.i', 'doc', swap => 'wait');
CALL remedy.migrate_json('js.i', 'doc');
INSERT INTO js.i2 VALUES (4, NULL);
INSERT INTO js.i2 VALUES (4, '{"a": 4}');
SELECT tableoid::regclass, id, doc, remedy_old_2 FROM js.i ORDER BY id;
CALL remedy.finish_json_migration('js.i', 'doc');
SELECT t, attname, type, attnotnull, attislocal FROM js.columns WHERE t IN ('js.i'::regclass, 'js.i1'::regclass, 'js.i2'::regclass) ORDER BY t::text, attname;

-- NOT NULL of parents, of children, and of both; one that is not for the children.
CREATE TABLE js.n (id integer, doc json NOT NULL);
CREATE TABLE js.n1 (doc json NOT NULL) INHERITS (js.n);
CREATE TABLE js.n2 () INHERITS (js.n1);
CREATE TABLE js.m (id integer, doc json);
CREATE TABLE js.m1 () INHERITS (js.m);
CREATE TABLE js.m2 (doc json NOT NULL) INHERITS (js.m1);
DO $$
BEGIN
	IF current_setting('server_version_num')::integer >= 180000 THEN
		EXECUTE 'ALTER TABLE js.m ADD CONSTRAINT only_here NOT NULL doc NO INHERIT';
		EXECUTE 'COMMENT ON CONSTRAINT n1_doc_not_null ON js.n1 IS ''of n1''';
	ELSE
		ALTER TABLE ONLY js.m ALTER doc SET NOT NULL;
	END IF;
END $$;
INSERT INTO js.n2 VALUES (1, '{"a": 1}');
INSERT INTO js.m1 VALUES (1, NULL);
-- In version 18 they have names.
CREATE VIEW js.not_null AS SELECT conrelid::regclass, conname, conislocal, coninhcount, connoinherit, obj_description(oid, 'pg_constraint') AS comment
	FROM pg_constraint WHERE contype = 'n' AND connamespace = 'js'::regnamespace;
CREATE TABLE js.before AS TABLE js.not_null;
CALL remedy.migrate_json('js.n', 'doc');
CALL remedy.undo_json_migration('js.n', 'doc');
CALL remedy.migrate_json('js.n', 'doc');
CALL remedy.migrate_json('js.m', 'doc');
INSERT INTO js.n1 VALUES (2, NULL);
INSERT INTO js.n2 VALUES (2, NULL);
INSERT INTO js.m VALUES (2, NULL);
INSERT INTO js.m1 VALUES (2, NULL);
INSERT INTO js.m2 VALUES (2, NULL);
CALL remedy.finish_json_migration('js.n', 'doc');
CALL remedy.finish_json_migration('js.m', 'doc');
SELECT t, attname, type, attnotnull, attislocal FROM js.columns WHERE t::text ~ '^js.[mn]' ORDER BY t::text;
TABLE js.before EXCEPT TABLE js.not_null;

SET client_min_messages = error;
DROP SCHEMA js CASCADE;
DROP ROLE js_granter, js_reader;

-- jsonb_migration: json columns become jsonb while the application runs.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS jm CASCADE;
CREATE SCHEMA jm;
SET client_min_messages = notice;

-- What the tests look at.
CREATE VIEW jm.migrations AS
	SELECT m.table_name, m.column_name, m.phase, m.done, m.total, m.rows_left, m.rows_refused, m.paused,
	       m.runner_pid IS NOT NULL AS runs, m.prepare_ms > 0 AS prepared, m.guard_ms > 0 AS guarded,
	       m.swap_ms > 0 AS swapped, m.last_error
	FROM remedy.json_migrations AS m WHERE m.table_name LIKE 'jm.%' ORDER BY m.migration;
CREATE VIEW jm.columns AS
	SELECT a.attrelid::regclass AS table_name, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull
	FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'jm'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
	ORDER BY 1, a.attnum;
-- What is left of migrations in tables of this schema.
CREATE FUNCTION jm.leftovers() RETURNS TABLE (what text) LANGUAGE sql AS $$
	SELECT 'column ' || attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'jm'::regnamespace AND a.attname LIKE 'remedy%' AND NOT a.attisdropped
	UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE '~remedy%'
	UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE conname LIKE 'remedy%'
	UNION ALL SELECT 'relation ' || relname FROM pg_class WHERE relname LIKE 'remedy\_json\_%' OR relname LIKE 'remedy\_old\_%'
	UNION ALL SELECT 'object' FROM remedy.json_migration_object
	UNION ALL SELECT 'range' FROM remedy.json_migration_range
	UNION ALL SELECT 'pause' FROM remedy.json_migration_pause
	UNION ALL SELECT 'lock' FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
$$;

-- The whole way.
CREATE TABLE jm.docs (id integer PRIMARY KEY, doc json NOT NULL DEFAULT '{"b": 1, "a": 2}', note text);
INSERT INTO jm.docs SELECT g, json_build_object('number', g, 'text', repeat('x', g % 50)) FROM generate_series(1, 3000) AS g;
CREATE TABLE jm.docs_before AS SELECT id, doc::jsonb AS doc FROM jm.docs;
CALL remedy.migrate_json('jm.docs', 'doc', swap => 'wait');
SELECT * FROM jm.migrations;
SELECT * FROM jm.columns WHERE table_name = 'jm.docs'::regclass;
SELECT attname FROM pg_stats WHERE schemaname = 'jm' AND tablename = 'docs' AND attname LIKE 'remedy%';
-- Writes meanwhile go into both.
INSERT INTO jm.docs VALUES (0);
UPDATE jm.docs SET doc = '{"changed": [1, 1.0]}' WHERE id = 5;
DELETE FROM jm.docs WHERE id = 6;
SELECT id, doc, remedy_json_2 FROM jm.docs WHERE id < 2 OR id = 5 ORDER BY id;
INSERT INTO jm.docs VALUES (-1, '"\u0000"');
-- The go.
CALL remedy.migrate_json('jm.docs', 'doc');
SELECT * FROM jm.migrations;
SELECT * FROM jm.columns WHERE table_name = 'jm.docs'::regclass;
SELECT count(*) FROM jm.docs JOIN jm.docs_before USING (id) WHERE docs.doc <> docs_before.doc;
INSERT INTO jm.docs VALUES (-2);
UPDATE jm.docs SET doc = doc || '{"more": true}' WHERE id = 7;
SELECT id, doc, remedy_old_2 FROM jm.docs WHERE id < 0 OR id = 7 ORDER BY id;
CALL remedy.migrate_json('jm.docs', 'doc');
CALL remedy.abort_json_migration('jm.docs', 'doc');
-- And back, with what was written since.
CALL remedy.undo_json_migration('jm.docs', 'doc');
SELECT phase, runs FROM jm.migrations;
SELECT * FROM jm.columns WHERE table_name = 'jm.docs'::regclass;
SELECT id, doc FROM jm.docs WHERE id < 0 OR id = 7 ORDER BY id;
CALL remedy.undo_json_migration('jm.docs', 'doc');
CALL remedy.finish_json_migration('jm.docs', 'doc');
-- And forth again.
CALL remedy.migrate_json('jm.docs', 'doc');
CALL remedy.finish_json_migration('jm.docs', 'doc');
SELECT * FROM jm.columns WHERE table_name = 'jm.docs'::regclass;
INSERT INTO jm.docs VALUES (-3);
SELECT id, doc FROM jm.docs WHERE id < 0 OR id = 7 ORDER BY id;
SELECT * FROM jm.migrations;
SELECT * FROM jm.leftovers();
CALL remedy.finish_json_migration('jm.docs', 'doc');
CALL remedy.migrate_json('jm.docs', 'doc');
DROP TABLE jm.docs, jm.docs_before;

-- Nothing in it, and nothing but nulls.
CREATE TABLE jm.empty (doc json);
CALL remedy.migrate_json('jm.empty', 'doc');
CALL remedy.finish_json_migration('jm.empty', 'doc');
CREATE TABLE jm.nulls (id integer, doc json);
INSERT INTO jm.nulls SELECT g, CASE WHEN g % 3 = 0 THEN 'null'::json END FROM generate_series(1, 100) AS g;
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.nulls', 'doc');
CALL remedy.finish_json_migration('jm.nulls', 'doc');
SET client_min_messages = notice;
SELECT doc, count(*) FROM jm.nulls GROUP BY doc ORDER BY doc;
SELECT * FROM jm.columns;
DROP TABLE jm.empty, jm.nulls;

-- Documents that jsonb refuses stop it before the swap.
CREATE TABLE jm.bad (id integer PRIMARY KEY, doc json);
INSERT INTO jm.bad SELECT g, CASE WHEN g % 50 = 3 THEN '{"a": "\u0000"}'::json ELSE '{"a": 1}' END FROM generate_series(1, 200) AS g;
\set VERBOSITY default
CALL remedy.migrate_json('jm.bad', 'doc');
\set VERBOSITY terse
SELECT phase, rows_left, rows_refused, guarded, runs, last_error FROM jm.migrations WHERE table_name = 'jm.bad';
-- No statement of the application's fails.
UPDATE jm.bad SET id = -id WHERE id = 3;
INSERT INTO jm.bad VALUES (0, '"\ud800"');
UPDATE jm.bad SET doc = '{"a": 2}' WHERE id % 50 = 3 OR id = -3;
-- The one that came later is found, too.
CALL remedy.migrate_json('jm.bad', 'doc');
SELECT phase, rows_left, rows_refused, guarded, last_error FROM jm.migrations WHERE table_name = 'jm.bad';
DELETE FROM jm.bad WHERE id = 0;
CALL remedy.migrate_json('jm.bad', 'doc');
SELECT doc, count(*) FROM jm.bad GROUP BY doc ORDER BY doc;
CALL remedy.undo_json_migration('jm.bad', 'doc');
CALL remedy.abort_json_migration('jm.bad', 'doc');
SELECT * FROM jm.columns;
SELECT * FROM jm.leftovers();
-- Or nothing is kept of it.
UPDATE jm.bad SET doc = '1e400000' WHERE id = 1;
CALL remedy.migrate_json('jm.bad', 'doc');
CALL remedy.abort_json_migration('jm.bad', 'doc');
SELECT * FROM jm.leftovers();
CALL remedy.abort_json_migration('jm.bad', 'doc');
DROP TABLE jm.bad;

-- Partitions, with columns in another order, and new ones on the way.
CREATE TABLE jm.parts (id integer, doc json) PARTITION BY RANGE (id);
CREATE TABLE jm.part_1 PARTITION OF jm.parts FOR VALUES FROM (0) TO (100);
CREATE TABLE jm.part_2 (doc json, gone text, id integer);
ALTER TABLE jm.part_2 DROP COLUMN gone;
ALTER TABLE jm.parts ATTACH PARTITION jm.part_2 FOR VALUES FROM (100) TO (200);
CREATE TABLE jm.part_3 PARTITION OF jm.parts FOR VALUES FROM (200) TO (400) PARTITION BY RANGE (id);
CREATE TABLE jm.part_3a PARTITION OF jm.part_3 FOR VALUES FROM (200) TO (400);
INSERT INTO jm.parts SELECT g, json_build_object('id', g) FROM generate_series(0, 399) AS g;
CALL remedy.migrate_json('jm.part_1', 'doc');
CALL remedy.migrate_json('jm.parts', 'doc', swap => 'wait');
CREATE TABLE jm.part_4 PARTITION OF jm.parts FOR VALUES FROM (400) TO (500);
INSERT INTO jm.parts SELECT g, json_build_object('id', g) FROM generate_series(400, 499) AS g;
DROP TABLE jm.part_1;
CALL remedy.migrate_json('jm.parts', 'doc');
SELECT * FROM jm.columns;
SELECT tableoid::regclass, count(*), count(*) FILTER (WHERE doc = jsonb_build_object('id', id)) AS right_ones
FROM jm.parts GROUP BY 1 ORDER BY 1;
CALL remedy.finish_json_migration('jm.parts', 'doc');
SELECT * FROM jm.leftovers();
DROP TABLE jm.parts;

-- Children.
CREATE TABLE jm.mother (id integer, doc json);
CREATE TABLE jm.daughter (more text) INHERITS (jm.mother);
INSERT INTO jm.mother VALUES (1, '[1]');
INSERT INTO jm.daughter VALUES (2, '[2]', 'more');
CALL remedy.migrate_json('jm.daughter', 'doc');
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.mother', 'doc');
CALL remedy.undo_json_migration('jm.mother', 'doc');
CALL remedy.migrate_json('jm.mother', 'doc');
CALL remedy.finish_json_migration('jm.mother', 'doc');
SET client_min_messages = notice;
SELECT id, doc @> '[2]' FROM jm.mother ORDER BY id;
SELECT * FROM jm.columns;
SELECT * FROM jm.leftovers();
DROP TABLE jm.mother CASCADE;

-- Names that nobody should give.
CREATE TABLE jm."Od""d %s table; --" (id integer, "d'o""c %n" json, "second json column with a name that is as long as can be, or so" json);
INSERT INTO jm."Od""d %s table; --" VALUES (1, '{"a": 1}', '[2]');
CALL remedy.migrate_json('jm."Od""d %s table; --"', 'd''o"c %n');
CALL remedy.migrate_json('jm."Od""d %s table; --"', 'second json column with a name that is as long as can be, or so', swap => 'wait');
CALL remedy.finish_json_migration('jm."Od""d %s table; --"', 'd''o"c %n');
CALL remedy.abort_json_migration('jm."Od""d %s table; --"', 'second json column with a name that is as long as can be, or so');
SELECT * FROM jm.columns;
SELECT * FROM jm.leftovers();
DROP TABLE jm."Od""d %s table; --";

-- What hangs on the column is altered before the swap, or after it.
CREATE TABLE jm.hung (id integer, doc json CHECK (json_typeof(doc) = 'object'));
INSERT INTO jm.hung SELECT g, json_build_object('id', g) FROM generate_series(1, 10) AS g;
CREATE INDEX hung_index ON jm.hung ((doc ->> 'id'));
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.hung', 'doc', swap => 'wait');
SET client_min_messages = notice;
SELECT kind, identity, definition, new_definition FROM remedy.json_migration_object ORDER BY number;
CREATE VIEW jm.hung_view AS SELECT id, doc FROM jm.hung;
DROP INDEX jm.hung_index;
CREATE INDEX hung_index_2 ON jm.hung ((doc ->> 'id')) WHERE doc IS NOT NULL;
CALL remedy.migrate_json('jm.hung', 'doc');
SELECT DISTINCT pg_get_indexdef('jm.hung_index_2'::regclass), pg_typeof(doc) FROM jm.hung_view;
CALL remedy.undo_json_migration('jm.hung', 'doc');
SELECT DISTINCT pg_get_indexdef('jm.hung_index_2'::regclass), pg_typeof(doc) FROM jm.hung_view;
ALTER TABLE jm.hung ADD CHECK (doc ->> 'id' <> '0');
ALTER TABLE jm.hung ADD COLUMN stored text GENERATED ALWAYS AS (doc ->> 'id') STORED;
CALL remedy.migrate_json('jm.hung', 'doc');
SELECT phase, last_error IS NOT NULL FROM jm.migrations WHERE table_name = 'jm.hung';
ALTER TABLE jm.hung DROP COLUMN stored;
CALL remedy.migrate_json('jm.hung', 'doc', swap => 'wait');
CALL remedy.abort_json_migration('jm.hung', 'doc');
SELECT * FROM jm.leftovers();
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'jm.hung'::regclass ORDER BY conname;
DROP TABLE jm.hung CASCADE;

-- Renamed, altered or dropped meanwhile.
CREATE TABLE jm.moved (id integer, doc json);
INSERT INTO jm.moved VALUES (1, '{}');
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.moved', 'doc', swap => 'wait');
SET client_min_messages = notice;
ALTER TABLE jm.moved RENAME TO moved_on;
ALTER TABLE jm.moved_on RENAME doc TO document;
CALL remedy.migrate_json('jm.moved_on', 'document');
CALL remedy.migrate_json('jm.moved_on', 'doc');
SELECT table_name, column_name, phase FROM jm.migrations WHERE phase = 'ready';
ALTER TABLE jm.moved_on RENAME document TO doc;
ALTER TABLE jm.moved_on DISABLE TRIGGER "~remedy_json_2";
CALL remedy.migrate_json('jm.moved_on', 'doc');
ALTER TABLE jm.moved_on ENABLE ALWAYS TRIGGER "~remedy_json_2";
ALTER TABLE jm.moved_on RENAME doc TO document;
CALL remedy.abort_json_migration('jm.moved_on', 'doc');
SELECT * FROM jm.columns;
SELECT * FROM jm.leftovers();
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.moved_on', 'document', swap => 'wait');
SET client_min_messages = notice;
ALTER TABLE jm.moved_on DROP COLUMN remedy_json_2 CASCADE;
CALL remedy.migrate_json('jm.moved_on', 'document');
CALL remedy.abort_json_migration('jm.moved_on', 'document');
SELECT * FROM jm.leftovers();
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.moved_on', 'document', swap => 'wait');
SET client_min_messages = notice;
ALTER TABLE jm.moved_on DROP COLUMN document CASCADE;
CALL remedy.migrate_json('jm.moved_on', 'document');
CALL remedy.abort_json_migration('jm.moved_on', 'document');
SELECT * FROM jm.columns;
SELECT * FROM jm.leftovers();
ALTER TABLE jm.moved_on ADD COLUMN document json;
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.moved_on', 'document', swap => 'wait');
SET client_min_messages = notice;
DROP TABLE jm.moved_on;
SELECT column_name, phase FROM remedy.json_migrations WHERE column_name = 'document' ORDER BY migration;
CREATE TABLE jm.other (doc json);
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.other', 'doc');
CALL remedy.finish_json_migration('jm.other', 'doc');
SET client_min_messages = notice;
SELECT * FROM jm.leftovers();
DROP TABLE jm.other;

-- Pausing, and what it rests for.
CREATE TABLE jm.paced (id integer, doc json);
INSERT INTO jm.paced VALUES (1, '{}');
SELECT remedy.pause_json_migration('jm.paced', 'doc');
CALL remedy.migrate_json('jm.paced', 'doc', throttle_query => 'SELECT 1');
SELECT remedy.pause_json_migration('jm.paced', 'doc');
SELECT remedy.pause_json_migration('jm.paced', 'doc');
SELECT phase, paused, last_error FROM jm.migrations WHERE table_name = 'jm.paced';
SELECT remedy.resume_json_migration('jm.paced', 'doc');
SELECT phase, paused FROM jm.migrations WHERE table_name = 'jm.paced';
CALL remedy.migrate_json('jm.paced', 'doc', throttle_query => 'SELECT b FROM no_such_table');
CALL remedy.migrate_json('jm.paced', 'doc', throttle_query => 'SELECT false', max_active_sessions => 1000,
	swap_until => '2001-01-01');
CALL remedy.migrate_json('jm.paced', 'doc', swap_from => '2001-01-01', swap_until => now() + '1 hour');
CALL remedy.finish_json_migration('jm.paced', 'doc');
DROP TABLE jm.paced;

-- Refusals that leave no trace.
CREATE TABLE jm.refused (id integer, doc json, docs json[], note text, binary_doc jsonb);
CREATE VIEW jm.refused_view AS SELECT note FROM jm.refused;
CREATE TEMPORARY TABLE refused_here (doc json);
BEGIN;
CALL remedy.migrate_json('jm.refused', 'doc');
ROLLBACK;
BEGIN;
CALL remedy.abort_json_migration('jm.refused', 'doc');
ROLLBACK;
DO $$ BEGIN CALL remedy.migrate_json('jm.refused', 'doc'); EXCEPTION WHEN OTHERS THEN RAISE; END $$;
CALL remedy.migrate_json(NULL, 'doc');
CALL remedy.migrate_json('jm.refused', NULL);
CALL remedy.migrate_json('jm.refused', 'docs');
CALL remedy.migrate_json('jm.refused', 'note');
CALL remedy.migrate_json('jm.refused', 'binary_doc');
CALL remedy.migrate_json('jm.refused', 'no_such_column');
CALL remedy.migrate_json('jm.refused_view', 'note');
CALL remedy.migrate_json('refused_here', 'doc');
CALL remedy.migrate_json(1, 'doc');
CALL remedy.migrate_json('jm.refused', 'doc', swap => 'later');
CALL remedy.migrate_json('jm.refused', 'doc', swap => NULL);
CALL remedy.migrate_json('jm.refused', 'doc', batch_ms => 0);
CALL remedy.migrate_json('jm.refused', 'doc', rest_share => 1);
CALL remedy.migrate_json('jm.refused', 'doc', rest_share => 'NaN');
CALL remedy.migrate_json('jm.refused', 'doc', lock_timeout_ms => 0);
CALL remedy.migrate_json('jm.refused', 'doc', lock_tries => NULL);
SET default_transaction_read_only = on;
CALL remedy.migrate_json('jm.refused', 'doc');
SET default_transaction_read_only = off;
-- Whatever the session's isolation is.
SET default_transaction_isolation = 'serializable';
SET client_min_messages = warning;
CALL remedy.migrate_json('jm.refused', 'doc');
CALL remedy.undo_json_migration('jm.refused', 'doc');
CALL remedy.abort_json_migration('jm.refused', 'doc');
RESET client_min_messages;
RESET default_transaction_isolation;
SELECT * FROM jm.leftovers();

-- Only the table's owner, who sees all of its rows.
CREATE ROLE regress_remedy_owner LOGIN;
CREATE ROLE regress_remedy_other LOGIN;
GRANT ALL ON SCHEMA jm TO regress_remedy_owner, regress_remedy_other;
GRANT ALL ON jm.refused TO regress_remedy_other;
ALTER TABLE jm.refused OWNER TO regress_remedy_owner;
INSERT INTO jm.refused VALUES (1, '{}');
SET ROLE regress_remedy_other;
CALL remedy.migrate_json('jm.refused', 'doc');
SELECT remedy.pause_json_migration('jm.refused', 'doc');
SELECT count(*) FROM remedy.json_migration;
SELECT count(*) FROM remedy.json_migrations;
RESET ROLE;
SET ROLE regress_remedy_owner;
CALL remedy.migrate_json('jm.refused', 'doc', swap => 'wait');
SELECT phase, started_by FROM remedy.json_migrations WHERE table_name = 'jm.refused' AND phase <> 'aborted';
RESET ROLE;
SET ROLE regress_remedy_other;
CALL remedy.migrate_json('jm.refused', 'doc');
CALL remedy.abort_json_migration('jm.refused', 'doc');
SELECT remedy.pause_json_migration('jm.refused', 'doc');
SELECT count(*) FROM remedy.json_migrations;
RESET ROLE;
SET ROLE regress_remedy_owner;
CALL remedy.migrate_json('jm.refused', 'doc');
CALL remedy.finish_json_migration('jm.refused', 'doc');
ALTER TABLE jm.refused ADD COLUMN second json, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CALL remedy.migrate_json('jm.refused', 'second');
RESET ROLE;
SELECT * FROM jm.leftovers();

SET client_min_messages = warning;
DROP TABLE jm.refused CASCADE;
DROP SCHEMA jm CASCADE;
DROP ROLE regress_remedy_owner, regress_remedy_other;

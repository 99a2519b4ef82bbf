-- json_in_step: the swap takes no column that is not in step.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS ji CASCADE;
CREATE SCHEMA ji;

-- A row that was changed behind the trigger's back is found, and mended as the hint says.
CREATE TABLE ji.t (id integer PRIMARY KEY, doc json);
INSERT INTO ji.t VALUES (1, '{"a": 1}'), (2, '"\u0000"');
CALL remedy.migrate_json('ji.t', 'doc', vacuum => false);
ALTER TABLE ji.t DISABLE TRIGGER ALL;
UPDATE ji.t SET doc = '{"a": 2}' WHERE id = 1;
ALTER TABLE ji.t ENABLE ALWAYS TRIGGER "~remedy_json_2";
DELETE FROM ji.t WHERE id = 2;
\set VERBOSITY default
CALL remedy.migrate_json('ji.t', 'doc', vacuum => false);
\set VERBOSITY terse
UPDATE ji.t SET remedy_json_2 = NULL;
CALL remedy.migrate_json('ji.t', 'doc', vacuum => false);
SELECT id, doc FROM ji.t;
CALL remedy.finish_json_migration('ji.t', 'doc');

-- Nor is a partition trusted that was written to while it was elsewhere.
CREATE TABLE ji.p (id integer, doc json) PARTITION BY RANGE (id);
CREATE TABLE ji.p1 PARTITION OF ji.p FOR VALUES FROM (0) TO (100);
INSERT INTO ji.p VALUES (1, '{"a": 1}');
CALL remedy.migrate_json('ji.p', 'doc', swap => 'wait', vacuum => false);
ALTER TABLE ji.p DETACH PARTITION ji.p1;
UPDATE ji.p1 SET doc = '{"a": "elsewhere"}';
ALTER TABLE ji.p ATTACH PARTITION ji.p1 FOR VALUES FROM (0) TO (100);
CALL remedy.migrate_json('ji.p', 'doc', vacuum => false);
UPDATE ji.p SET remedy_json_2 = NULL;
CALL remedy.migrate_json('ji.p', 'doc', vacuum => false);
SELECT id, doc FROM ji.p;
-- After an undo nothing is done again.
CALL remedy.undo_json_migration('ji.p', 'doc');
SET client_min_messages = notice;
CALL remedy.migrate_json('ji.p', 'doc', vacuum => false);
SET client_min_messages = warning;
CALL remedy.finish_json_migration('ji.p', 'doc');

DROP SCHEMA ji CASCADE;

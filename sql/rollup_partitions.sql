-- Sources that are trees: tables come and go, triggers are switched off and on, owners change, things are dropped;
-- what a rollup says stays right, or what would make it wrong is refused.

SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
SET client_min_messages = notice;
CREATE SCHEMA look;
CREATE SCHEMA tree;
SET search_path = tree, look;

-- Rows of the rollup "daily" that are not as the table says now, before and after a refresh.
CREATE FUNCTION look.wrong(source text) RETURNS TABLE (in_daily_now bigint, in_daily bigint) LANGUAGE plpgsql AS $$
DECLARE
	plain text := format('SELECT date_trunc(''day'', at, ''UTC''), kind, count(*), sum(value) FROM %s GROUP BY 1, 2', source);
	query text := 'SELECT count(*) FROM ((%1$s) EXCEPT ALL (TABLE %2$s) UNION ALL ((TABLE %2$s) EXCEPT ALL (%1$s))) AS d';
BEGIN
	EXECUTE format(query, plain, 'daily_now') INTO in_daily_now;
	EXECUTE format(query, plain, 'daily') INTO in_daily;
	RETURN NEXT;
END $$;

-- What is to be recomputed.
CREATE FUNCTION look.ranges() RETURNS TABLE (first timestamptz, last timestamptz) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'SELECT bucket, until FROM daily_marks WHERE kind = ''r'' ORDER BY 1, 2';
END $$;

CREATE VIEW look.members AS
	SELECT m.member, m.source, m.first_time, m.end_time, m.armed,
	       (SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = m.member AND t.tgname LIKE 'remedy%') AS triggers
	FROM remedy.rollup_member AS m ORDER BY m.member::text COLLATE "C";

CREATE VIEW look.relations AS
	SELECT relname FROM pg_class WHERE relnamespace = 'tree'::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY relname COLLATE "C";

-- ---- Partitions ----------------------------------------------------------------

CREATE TABLE events (at timestamptz, kind text, value integer) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST (kind);
CREATE TABLE events_2a PARTITION OF events_2 FOR VALUES IN ('a');
CREATE TABLE events_2b PARTITION OF events_2 FOR VALUES IN ('b') PARTITION BY RANGE (at);
CREATE TABLE events_2b1 PARTITION OF events_2b FOR VALUES FROM (MINVALUE) TO ('2026-02-10');
CREATE TABLE events_2b2 PARTITION OF events_2b FOR VALUES FROM ('2026-02-10') TO (MAXVALUE);
INSERT INTO events SELECT '2026-01-20'::timestamptz + i * interval '7 hours', chr(97 + i % 2), i FROM generate_series(1, 130) AS i;
SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value)}');
TABLE members;
CALL remedy.refresh_rollup('daily');
SELECT * FROM ranges();
SELECT * FROM wrong('events');

-- A new one has no rows, so nothing is to be recomputed.
CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
SELECT * FROM ranges();
INSERT INTO events_3 VALUES ('2026-03-05', 'a', 1);
INSERT INTO events VALUES ('2026-03-05', 'a', 2);
UPDATE events_2b1 SET value = value + 1;
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');

-- One that comes with rows is recomputed where it may have some, and one that leaves too.
CREATE TABLE events_4 (LIKE events);
INSERT INTO events_4 VALUES ('2026-04-07', 'b', 5);
ALTER TABLE events ATTACH PARTITION events_4 FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
SELECT * FROM ranges();
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');
ALTER TABLE events DETACH PARTITION events_2;
SELECT * FROM ranges();
TABLE members;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%' AND tgrelid IN ('events_2'::regclass, 'events_2a'::regclass, 'events_2b1'::regclass);
INSERT INTO events_2 VALUES ('2026-02-05', 'b', 100);
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO events_2b1 VALUES ('2026-02-06', 'b', 7);
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
SELECT * FROM ranges();
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');
DROP TABLE events_1, events_2b1;
SELECT * FROM ranges();
SELECT * FROM wrong('events');
DROP TABLE events_2;
TABLE members;
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');

-- A default partition may have any rows, also such without a time.
CREATE TABLE events_other (LIKE events);
INSERT INTO events_other VALUES (NULL, 'x', 1), ('2030-01-01', 'y', 2), ('infinity', NULL, 3);
ALTER TABLE events ATTACH PARTITION events_other DEFAULT;
SELECT * FROM ranges();
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');
TRUNCATE events_other;
SELECT * FROM wrong('events');
DROP TABLE events_other;
SELECT * FROM wrong('events');

-- In REPEATABLE READ, in functions, and in one command with its schema.
CALL remedy.refresh_rollup('daily');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM events;
DO 'BEGIN CREATE TABLE tree."events 5" PARTITION OF tree.events FOR VALUES FROM (''2026-05-01'') TO (''2026-06-01''); END';
INSERT INTO "events 5" VALUES ('2026-05-05', 'a', 8);
SELECT * FROM wrong('events');
DROP TABLE events_4;
SELECT * FROM wrong('events');
COMMIT;
SELECT * FROM wrong('events');
CREATE SCHEMA "tree 2" CREATE TABLE events_6 PARTITION OF tree.events FOR VALUES FROM ('2026-06-01') TO ('2026-07-01');
INSERT INTO "tree 2".events_6 VALUES ('2026-06-05', 'a', 8);
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');
DROP SCHEMA "tree 2" CASCADE;
SELECT * FROM wrong('events');

-- ---- Triggers ------------------------------------------------------------------

CALL remedy.refresh_rollup('daily');
ALTER TABLE events_3 DISABLE TRIGGER remedy_rollup_insert;
INSERT INTO events_3 VALUES ('2026-03-05', 'a', 9);
CALL remedy.refresh_rollup('daily');
ALTER TABLE events_3 ENABLE TRIGGER remedy_rollup_insert;
SELECT * FROM ranges();
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
ALTER TABLE events_3 DISABLE TRIGGER USER;
CALL remedy.refresh_rollup('daily');
ALTER TABLE events_3 ENABLE REPLICA TRIGGER remedy_rollup_truncate;
ALTER TABLE events_3 ENABLE TRIGGER remedy_rollup_insert;
ALTER TABLE events_3 ENABLE TRIGGER remedy_rollup_update;
ALTER TABLE events_3 ENABLE ALWAYS TRIGGER remedy_rollup_delete;
CALL remedy.refresh_rollup('daily');
INSERT INTO events_3 VALUES ('2026-03-05', 'a', 9);
ALTER TABLE events_3 ENABLE TRIGGER ALL;
SELECT * FROM ranges();
SELECT * FROM wrong('events');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('events');
ALTER TRIGGER remedy_rollup_insert ON events_3 RENAME TO other;
INSERT INTO events_3 VALUES ('2026-03-05', 'a', 10);
CALL remedy.refresh_rollup('daily');
ALTER TRIGGER other ON events_3 RENAME TO remedy_rollup_insert;
SELECT * FROM ranges();
SELECT * FROM wrong('events');
DROP TRIGGER remedy_rollup_insert ON events_3;
INSERT INTO events_3 VALUES ('2026-03-05', 'a', 11);
CALL remedy.refresh_rollup('daily');
CREATE TRIGGER remedy_rollup_insert AFTER INSERT ON events_3 REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION remedy.mark_rollups();
CALL remedy.refresh_rollup('daily');
SELECT remedy.rebuild_rollup('daily');
SELECT * FROM wrong('events');
TABLE members;

-- Another trigger of the table is none of ours.
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER other AFTER INSERT ON events_3 FOR EACH STATEMENT EXECUTE FUNCTION nothing();
ALTER TABLE events_3 DISABLE TRIGGER other;
DROP TRIGGER other ON events_3;
SELECT * FROM ranges();

-- ---- What cannot be captured ---------------------------------------------------

ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CALL remedy.refresh_rollup('daily');
ALTER TABLE events DISABLE ROW LEVEL SECURITY;
ALTER TABLE events_3 SET UNLOGGED;
CALL remedy.refresh_rollup('daily');
ALTER TABLE events_3 SET LOGGED;
CALL remedy.refresh_rollup('daily');

CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER dummy FOREIGN DATA WRAPPER dummy;
CREATE FOREIGN TABLE far (at timestamptz, kind text, value integer) SERVER dummy;
ALTER TABLE events ATTACH PARTITION far FOR VALUES FROM ('2027-01-01') TO ('2027-02-01');
CREATE FOREIGN TABLE events_far PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2027-02-01') SERVER dummy;
CREATE TABLE between (at timestamptz, kind text, value integer) PARTITION BY RANGE (at);
CREATE FOREIGN TABLE between_far PARTITION OF between FOR VALUES FROM ('2027-01-01') TO ('2027-02-01') SERVER dummy;
ALTER TABLE events ATTACH PARTITION between FOR VALUES FROM ('2027-01-01') TO ('2027-02-01');
SELECT remedy.create_rollup('daily_far', 'between', 'at', 'day');
SELECT remedy.create_rollup('daily_far', 'far', 'at', 'day');
SELECT remedy.create_rollup('daily_3', 'events_3', 'at', 'day');
DROP FOREIGN DATA WRAPPER dummy CASCADE;
SELECT remedy.create_rollup('daily_between', 'between', 'at', 'day');
ALTER TABLE events ATTACH PARTITION between FOR VALUES FROM ('2027-01-01') TO ('2027-02-01');
SELECT remedy.drop_rollup('daily_between');
ALTER TABLE events ATTACH PARTITION between FOR VALUES FROM ('2027-01-01') TO ('2027-02-01');
TABLE members;
DROP TABLE between;
CREATE UNLOGGED TABLE fleeting (at timestamptz);
SELECT remedy.create_rollup('daily_x', 'fleeting', 'at', 'day');
CREATE TEMP TABLE passing (at timestamptz);
SELECT remedy.create_rollup('daily_x', 'passing', 'at', 'day');
SELECT remedy.create_rollup('daily_x', 'daily_cells', 'bucket', 'day') IS NOT NULL AS of_cells;
SELECT remedy.drop_rollup('daily_x');
DROP TABLE fleeting, passing;

-- ---- Children ------------------------------------------------------------------

SELECT remedy.drop_rollup('daily');
TABLE members;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%';
CREATE TABLE logs (at timestamptz, kind text, value integer);
CREATE TABLE logs_1 () INHERITS (logs);
SELECT remedy.create_rollup('daily', 'logs', 'at', 'day', '{kind}', '{count(*),sum(value)}');
CREATE TABLE logs_2 () INHERITS (logs);
INSERT INTO logs_1 VALUES ('2026-01-01', 'a', 1);
INSERT INTO logs_2 VALUES ('2026-01-01', 'a', 2);
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('logs');
ALTER TABLE logs_2 NO INHERIT logs;
SELECT * FROM ranges();
SELECT * FROM wrong('logs');
CREATE TABLE logs_2a () INHERITS (logs_2);
INSERT INTO logs_2a VALUES ('2026-01-03', 'a', 2);
CALL remedy.refresh_rollup('daily');
ALTER TABLE logs_2 INHERIT logs;
SELECT * FROM ranges();
TABLE members;
SELECT * FROM wrong('logs');
CREATE TABLE others (at timestamptz);
ALTER TABLE logs_1 INHERIT others;
CREATE TABLE both_of_them () INHERITS (logs, others);
ALTER TABLE logs INHERIT others;
\set VERBOSITY sqlstate
CREATE TEMP TABLE logs_passing () INHERITS (logs);
\set VERBOSITY default
SELECT remedy.create_rollup('daily_others', 'others', 'at', 'day');
CREATE TABLE both_of_them () INHERITS (logs, others);
SELECT remedy.drop_rollup('daily_others');
CREATE TABLE others_1 (kind text, value integer) INHERITS (others);
CREATE TABLE others_2 () INHERITS (others_1, logs);
TABLE members;
DROP TABLE others CASCADE;
CREATE TABLE logs_3 () INHERITS (logs_1, logs_2);
ALTER TABLE logs_3 NO INHERIT logs_2;
TABLE members;
DROP TABLE logs CASCADE;
TABLE members;
SELECT count(*) FROM remedy.rollup;
TABLE relations;

-- ---- Bounds --------------------------------------------------------------------

CREATE TABLE visits (day date, seen timestamp, value integer) PARTITION BY RANGE (day, value);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2026-02-01', 10);
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM ('2026-02-01', 10) TO ('2026-03-01', 10);
CREATE TABLE visits_3 PARTITION OF visits FOR VALUES FROM ('2026-03-01', 10) TO (MAXVALUE, MAXVALUE);
SELECT remedy.create_rollup('daily', 'visits', 'day', 'day');
SELECT remedy.create_rollup('hourly', 'visits', 'seen', 'hour');
SELECT member, first_time, end_time FROM members;
CALL remedy.refresh_rollup('daily');
CALL remedy.refresh_rollup('hourly');
ALTER TABLE visits DETACH PARTITION visits_1;
ALTER TABLE visits DETACH PARTITION visits_2;
ALTER TABLE visits DETACH PARTITION visits_3;
SELECT bucket, until FROM daily_marks ORDER BY 1, 2;
SELECT bucket, until FROM hourly_marks ORDER BY 1, 2;
DROP TABLE visits CASCADE;
CREATE TABLE visits (seen timestamp, day date) PARTITION BY RANGE (seen);
CREATE TABLE visits_new PARTITION OF visits FOR VALUES FROM ('2026-02-01 12:00') TO ('2026-03-01 12:00') PARTITION BY RANGE (day);
CREATE TABLE visits_new_1 PARTITION OF visits_new FOR VALUES FROM ('2026-01-01') TO ('2026-02-10');
SELECT remedy.create_rollup('daily', 'visits', 'seen', 'day');
SELECT member, first_time, end_time FROM members;
CALL remedy.refresh_rollup('daily');
DROP TABLE visits_new;
SELECT bucket, until FROM daily_marks;
DROP TABLE visits CASCADE;
CREATE TABLE visits (at timestamptz, kind text, value integer) PARTITION BY HASH (at);
CREATE TABLE visits_even PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visits_odd PARTITION OF visits FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT remedy.create_rollup('daily', 'visits', 'at', 'day', '{kind}', '{count(*),sum(value)}');
INSERT INTO visits SELECT '2026-01-01'::timestamptz + i * interval '1 day', 'a', 1 FROM generate_series(1, 50) AS i;
CALL remedy.refresh_rollup('daily');
ALTER TABLE visits DETACH PARTITION visits_even;
SELECT * FROM ranges();
SELECT * FROM wrong('visits');

-- ---- Owners --------------------------------------------------------------------

CREATE ROLE rollup_old LOGIN;
CREATE ROLE rollup_new LOGIN;
GRANT rollup_new TO rollup_old;
GRANT USAGE ON SCHEMA look TO rollup_old;
GRANT USAGE, CREATE ON SCHEMA tree TO rollup_old;
GRANT USAGE, CREATE ON SCHEMA tree TO rollup_new;
CREATE VIEW look.owners AS
	SELECT c.relname, CASE WHEN c.relowner::regrole::text LIKE 'rollup%' THEN c.relowner::regrole END AS owner FROM pg_class AS c
	WHERE c.relnamespace = 'tree'::regnamespace AND c.relname ~ '^(daily|monthly|visits)' AND c.relkind IN ('r', 'p', 'v')
	ORDER BY c.relname COLLATE "C";
SELECT remedy.create_rollup('monthly', 'daily', 'bucket', 'month', '{kind}', '{count(*)}');
ALTER TABLE visits OWNER TO rollup_old;
TABLE owners;
SET ROLE rollup_old;
-- Of a partition that is the new owner's.
CREATE TABLE visits_again (LIKE visits);
ALTER TABLE visits ATTACH PARTITION visits_again FOR VALUES WITH (MODULUS 2, REMAINDER 0);
ALTER TABLE visits_again OWNER TO rollup_new;
INSERT INTO visits VALUES ('2027-01-01', 'a', 1);
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('visits');
ALTER TABLE visits OWNER TO rollup_new;
RESET ROLE;
TABLE owners;
INSERT INTO visits VALUES ('2027-01-02', 'a', 1);
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong('visits');
ALTER TABLE daily_cells OWNER TO rollup_old;
CALL remedy.refresh_rollup('daily');
ALTER TABLE daily_cells OWNER TO rollup_new;
REASSIGN OWNED BY rollup_new TO rollup_old;
CALL remedy.refresh_rollup('daily');
TABLE owners;

-- ---- Drops ---------------------------------------------------------------------

-- A part takes the rest with it, unless something else needs that.
DROP VIEW daily_now;
CREATE VIEW needs AS TABLE daily_now;
SELECT remedy.drop_rollup('monthly');
DROP VIEW daily;
DROP VIEW needs;
DROP TABLE visits;
DROP VIEW daily;
TABLE relations;
TABLE members;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%';
SELECT remedy.create_rollup('daily', 'visits', 'at', 'day', '{kind}', '{count(*),sum(value)}');
SELECT remedy.create_rollup('monthly', 'daily', 'bucket', 'month', '{kind}', '{count(*)}');
SELECT remedy.create_rollup('hourly', 'visits', 'at', 'hour');
DROP VIEW monthly;
SELECT view, base FROM remedy.rollup ORDER BY 1;
SELECT remedy.create_rollup('monthly', 'daily', 'bucket', 'month', '{kind}', '{count(*)}');
DROP VIEW hourly;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%' AND tgrelid = 'visits'::regclass;
\set VERBOSITY terse
DROP TABLE daily_cells CASCADE;
TABLE relations;
SELECT count(*) FROM remedy.rollup;
SELECT remedy.create_rollup('daily', 'visits', 'at', 'day', '{kind}', '{count(*),sum(value)}');
DROP OWNED BY rollup_old;
TABLE relations;
TABLE members;
SELECT count(*) FROM remedy.rollup;
CREATE SCHEMA "else where";
CREATE TABLE "else where"."Re""mote" (at timestamptz, "Ki nd" text);
SELECT remedy.create_rollup('tree.daily', '"else where"."Re""mote"', 'at', 'day', '{"\"Ki nd\""}');
INSERT INTO "else where"."Re""mote" VALUES ('2026-01-01', 'x');
CALL remedy.refresh_rollup('daily');
TABLE daily;
ALTER TABLE "else where"."Re""mote" DROP COLUMN "Ki nd";
ALTER TABLE "else where"."Re""mote" DROP COLUMN "Ki nd" CASCADE;
TABLE relations;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%';
SELECT remedy.create_rollup('daily', '"else where"."Re""mote"', 'at', 'day');
DROP SCHEMA "else where" CASCADE;
TABLE relations;
SELECT count(*) FROM remedy.rollup;

-- A view that is replaced changes what is counted.
CREATE TABLE visits (at timestamptz, kind text, value integer);
INSERT INTO visits VALUES ('2026-01-01', 'a', 1);
SELECT remedy.create_rollup('daily', 'visits', 'at', 'day', '{kind}', '{count(*),sum(value)}');
CALL remedy.refresh_rollup('daily');
CREATE OR REPLACE VIEW daily_rows AS SELECT at AS "time", date_trunc('day', at, 'UTC') AS bucket, kind AS k1, value + 1 AS v1 FROM visits;
SELECT * FROM ranges();
SELECT remedy.drop_rollup('daily');

-- ---- The extension goes --------------------------------------------------------

SELECT remedy.create_rollup('daily', 'visits', 'at', 'day', '{kind}', '{count(*),sum(value)}');
BEGIN;
DROP EXTENSION pg_remedy;
ROLLBACK;
SET client_min_messages = warning;
BEGIN;
DROP EXTENSION pg_remedy CASCADE;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%';
DROP TABLE visits CASCADE;
ROLLBACK;
SET client_min_messages = notice;
DROP VIEW daily;

DROP SCHEMA tree, look CASCADE;
DROP ROLE rollup_old;
DROP ROLE rollup_new;

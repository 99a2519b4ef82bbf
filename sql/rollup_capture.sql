-- rollup: what statements leave in a rollup's log.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS rc CASCADE;
CREATE SCHEMA rc;
SET client_min_messages = notice;
SET search_path = rc, pg_catalog;
SET timezone = 'UTC';

CREATE TABLE rc.runs (id integer PRIMARY KEY, at timestamptz, agent text, ms integer, cost numeric, ok boolean, note text);
SELECT remedy.create_rollup('rc.daily', 'rc.runs', 'at', 'day', '{agent}',
	'{count(*),sum(ms),min(ms),max(ms),sum(cost),count(*) FILTER (WHERE ok) AS good}', 'UTC');
SELECT states FROM remedy.rollup WHERE view = 'rc.daily'::regclass;
-- The marks since the last look.
CREATE FUNCTION rc.news(log regclass DEFAULT 'rc.daily_marks') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE mark text;
BEGIN
	FOR mark IN EXECUTE format('SELECT replace(m::text, '' 00:00:00+00'', '''') FROM %s AS m ORDER BY m::text COLLATE "C"', log) LOOP
		RETURN NEXT mark;
	END LOOP;
	EXECUTE format('DELETE FROM %s', log);
END $$;
SELECT * FROM rc.news();

-- Inserting: one mark for each cell, null buckets and keys too.
INSERT INTO rc.runs VALUES
	(1, '2026-01-01 10:00Z', 'a', 5, 1.5, true), (2, '2026-01-01 23:59:59.999999Z', 'a', 7, 0.5, false),
	(3, '2026-01-02 00:00Z', 'a', NULL, NULL, NULL), (4, '2026-01-01 10:00Z', NULL, 1, 1, true),
	(5, NULL, 'a', 1, 1, true), (6, 'infinity', 'a', 1, 1, true), (7, '-infinity', NULL, 1, 0, true);
SELECT * FROM rc.news();
-- No rows, no marks.
INSERT INTO rc.runs SELECT 8 WHERE false;
UPDATE rc.runs SET ms = 9 WHERE id = 8;
DELETE FROM rc.runs WHERE id = 8;
-- Nothing that counts has changed.
UPDATE rc.runs SET note = 'x', id = -id;
UPDATE rc.runs SET id = -id, at = at + interval '1 second' WHERE id = -1;
UPDATE rc.runs SET id = -id WHERE id < 0;
SELECT * FROM rc.news();
-- A changed value; a least one that was taken away, and one that was lowered.
UPDATE rc.runs SET ms = 8 WHERE id = 2;
SELECT * FROM rc.news();
UPDATE rc.runs SET ms = 6 WHERE id = 1;
SELECT * FROM rc.news();
UPDATE rc.runs SET ms = 4 WHERE id = 1;
SELECT * FROM rc.news();
UPDATE rc.runs SET ok = NOT ok WHERE id IN (1, 2);
UPDATE rc.runs SET ms = CASE id WHEN 1 THEN 8 ELSE 4 END WHERE id IN (1, 2);
SELECT * FROM rc.news();
-- Moved to another cell.
UPDATE rc.runs SET agent = 'b', at = at + interval '1 day' WHERE id = 1;
SELECT * FROM rc.news();
DELETE FROM rc.runs WHERE id IN (1, 5);
SELECT * FROM rc.news();
-- What cannot be taken away again: the cell is dirty.
INSERT INTO rc.runs VALUES (10, '2026-01-05Z', 'a', 1, 'NaN'), (11, '2026-01-05Z', 'b', 1, 1);
UPDATE rc.runs SET cost = 'infinity' WHERE id = 11;
SELECT * FROM rc.news();
DELETE FROM rc.runs WHERE id IN (10, 11);
INSERT INTO rc.runs VALUES (12, '2026-01-05Z', 'a', 1, '9e131071'), (13, '2026-01-05Z', 'a', 1, '9e131071');
SELECT * FROM rc.news();

-- Every way to change a table.
COPY rc.runs (id, at, agent, ms) FROM stdin;
20	2026-02-01 00:00Z	a	1
21	2026-02-01 01:00Z	a	2
\.
SELECT * FROM rc.news();
INSERT INTO rc.runs (id, at, agent, ms) VALUES (21, '2026-02-01Z', 'a', 3), (22, '2026-02-01Z', 'a', 4)
	ON CONFLICT (id) DO UPDATE SET ms = excluded.ms;
SELECT * FROM rc.news();
MERGE INTO rc.runs USING (VALUES (21, 0), (22, 10), (23, 5)) AS n (id, ms) ON runs.id = n.id
	WHEN MATCHED AND n.ms = 0 THEN DELETE
	WHEN MATCHED THEN UPDATE SET ms = n.ms
	WHEN NOT MATCHED THEN INSERT (id, at, agent, ms) VALUES (n.id, '2026-02-01Z', 'a', n.ms);
SELECT * FROM rc.news();
WITH gone AS (DELETE FROM rc.runs WHERE id = 23 RETURNING *)
	INSERT INTO rc.runs SELECT id + 1, at + interval '1 day', agent, ms FROM gone;
SELECT * FROM rc.news();
CREATE TABLE rc.agents (agent text PRIMARY KEY);
INSERT INTO rc.agents VALUES ('a'), ('z');
DELETE FROM rc.runs WHERE agent <> 'a' OR agent IS NULL;
ALTER TABLE rc.runs ADD FOREIGN KEY (agent) REFERENCES rc.agents ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;
INSERT INTO rc.runs VALUES (30, '2026-02-03Z', 'z', 1);
DELETE FROM rc.daily_marks;
UPDATE rc.agents SET agent = 'y' WHERE agent = 'z';
SELECT * FROM rc.news();
DELETE FROM rc.agents WHERE agent = 'y';
SELECT * FROM rc.news();
-- The function is called for what it is, by nobody else.
CREATE TRIGGER again AFTER INSERT ON rc.runs REFERENCING NEW TABLE AS fresh EXECUTE FUNCTION remedy.mark_rollups();
CREATE TRIGGER early BEFORE UPDATE ON rc.runs EXECUTE FUNCTION remedy.mark_rollups();
INSERT INTO rc.runs VALUES (31, '2026-02-03Z', 'a', 1);
SELECT * FROM rc.news();
UPDATE rc.runs SET ms = 2 WHERE id = 31;
DROP TRIGGER early ON rc.runs;
DROP TRIGGER again ON rc.runs;
-- Savepoints, errors: a mark goes with what it tells of.
BEGIN;
INSERT INTO rc.runs VALUES (40, '2026-02-04Z', 'a', 1);
SAVEPOINT one;
INSERT INTO rc.runs VALUES (41, '2026-02-04Z', 'a', 2);
ROLLBACK TO one;
INSERT INTO rc.runs VALUES (42, '2026-02-04Z', 'a', 3);
COMMIT;
SELECT * FROM rc.news();
TRUNCATE rc.runs;
SELECT * FROM rc.news();
-- A hundred thousand rows, more cells than work_mem holds, tuple stores on disk.
SET work_mem = '64kB';
INSERT INTO rc.runs SELECT g, '2026-01-01Z'::timestamptz + g * interval '7 minutes', 'a', g % 10, g % 7, g % 2 = 0
	FROM generate_series(1, 100000) AS g;
UPDATE rc.runs SET ms = ms + 1, at = at + interval '12 hours';
DELETE FROM rc.runs WHERE id % 3 = 0;
RESET work_mem;
SELECT count(*) FROM (
	SELECT * FROM (SELECT bucket, k1, sum(s1) AS n, sum(s2) AS ms, sum(s6) AS cost, sum(s8) AS good FROM rc.daily_marks GROUP BY 1, 2) AS m
	EXCEPT
	SELECT date_trunc('day', at, 'UTC'), agent, count(*), sum(ms), sum(cost), count(*) FILTER (WHERE ok) FROM rc.runs GROUP BY 1, 2) AS wrong;
TRUNCATE rc.runs;
DELETE FROM rc.daily_marks;

-- Sums of floating-point values cannot be taken away: cells are dirty, each once in a transaction.
CREATE TABLE rc.points (at timestamp, k integer, x double precision, y real);
SELECT remedy.create_rollup('rc.hourly', 'rc.points', 'at', 'hour', '{k}', '{sum(x)}');
DELETE FROM rc.hourly_marks;
BEGIN;
INSERT INTO rc.points VALUES ('2026-01-01 10:10', 1, 1), ('2026-01-01 10:50', 1, 2), ('2026-01-01 11:00', 1, 3);
INSERT INTO rc.points VALUES ('2026-01-01 10:10', 1, 1), ('2026-01-01 10:10', 2, 1);
SAVEPOINT one;
INSERT INTO rc.points VALUES ('2026-01-01 10:10', 3, 1);
RELEASE one;
INSERT INTO rc.points VALUES ('2026-01-01 10:10', 3, 2);
SELECT * FROM rc.hourly_marks ORDER BY bucket, k1;
SAVEPOINT two;
INSERT INTO rc.points VALUES ('2026-01-01 10:10', 4, 1);
ROLLBACK TO two;
INSERT INTO rc.points VALUES ('2026-01-01 10:10', 4, 1), ('2026-01-01 10:10', 1, 1);
COMMIT;
SELECT * FROM rc.news('rc.hourly_marks');
-- What is the same leaves no mark: values, other columns, the time within its bucket.
UPDATE rc.points SET x = x, y = 1, at = at + interval '1 second';
SELECT * FROM rc.news('rc.hourly_marks');
UPDATE rc.points SET x = x + 1 WHERE k = 2;
SELECT * FROM rc.news('rc.hourly_marks');
BEGIN;
DELETE FROM rc.points WHERE k = 2;
DELETE FROM rc.hourly_marks;
COMMIT;

-- Partitions have their columns in an order of their own; a row that moves is taken away and added.
CREATE TABLE rc.events (id integer, day date, tag varchar, n smallint, big bigint, gone integer, span tsrange) PARTITION BY LIST (tag);
ALTER TABLE rc.events DROP gone;
CREATE TABLE rc.events_a (big bigint, lost text, tag varchar, n smallint, id integer, day date, span tsrange);
ALTER TABLE rc.events_a DROP lost;
ALTER TABLE rc.events ATTACH PARTITION rc.events_a FOR VALUES IN ('a', 'c');
CREATE TABLE rc.events_b PARTITION OF rc.events FOR VALUES IN ('b');
CREATE FUNCTION rc.stems(word text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RETURN (current_user <> 'rc_writer') || ' ' || current_setting('search_path') || ' ' || upper(word); END $$;
SELECT remedy.create_rollup('rc.weekly', 'rc.events', 'day', 'week', '{rc.stems(tag) AS stem}',
	'{sum(n),sum(big),stddev(n),variance(big),min(tag),max(day),count(span) FILTER (WHERE n > 1) AS spans}');
SELECT states FROM remedy.rollup WHERE view = 'rc.weekly'::regclass;
DELETE FROM rc.weekly_marks;
CREATE ROLE rc_writer;
GRANT USAGE ON SCHEMA rc TO rc_writer;
GRANT ALL ON rc.events, rc.events_a TO rc_writer;
SET ROLE rc_writer;
INSERT INTO rc.events VALUES (1, '2026-01-01', 'a', 3, 9223372036854775807), (2, '2026-01-05', 'b', 2, 1), (3, '2026-01-01', 'a', 1, 9223372036854775807);
INSERT INTO rc.events_a (day, tag, n, big, span) VALUES ('infinity', 'c', 5, -2, '[2026-01-01,2026-01-02)');
SELECT current_user, current_setting('search_path');
RESET ROLE;
SELECT * FROM rc.news('rc.weekly_marks');
UPDATE rc.events SET tag = 'b' WHERE id = 1;
SELECT * FROM rc.news('rc.weekly_marks');
UPDATE rc.events_a SET n = n + 1 WHERE id = 3;
DELETE FROM rc.events_b WHERE id = 1;
SELECT * FROM rc.news('rc.weekly_marks');
TRUNCATE rc.events_b;
SELECT * FROM rc.news('rc.weekly_marks');
-- An expression's error is the statement's.
CREATE OR REPLACE FUNCTION rc.stems(word text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RETURN 1 / length(word); END $$;
INSERT INTO rc.events VALUES (4, '2026-01-01', 'a', 1, 1);
CREATE TABLE rc.events_empty PARTITION OF rc.events FOR VALUES IN ('');
INSERT INTO rc.events VALUES (5, '2026-01-01', '', 1, 1);
SELECT count(*) FROM rc.events WHERE id >= 4;
SELECT * FROM rc.news('rc.weekly_marks');

-- Truncating a partition by time takes away no more than it could hold.
CREATE TABLE rc.visits (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE rc.visits_1 PARTITION OF rc.visits FOR VALUES FROM ('2026-03-01Z') TO ('2026-04-01Z');
CREATE TABLE rc.visits_2 PARTITION OF rc.visits FOR VALUES FROM ('2026-04-01Z') TO (MAXVALUE);
SELECT remedy.create_rollup('rc.visited', 'rc.visits', 'at', 'day', time_zone => 'America/New_York');
DELETE FROM rc.visited_marks;
TRUNCATE rc.visits_1;
TRUNCATE rc.visits_2;
SELECT * FROM rc.news('rc.visited_marks');
TRUNCATE rc.visits;
SELECT count(*) FROM rc.visited_marks WHERE kind = 'r' AND bucket IS NULL AND until IS NULL;

-- Children; percentiles; keys that are large, or compared by what is not their bytes.
CREATE TABLE rc.parent (at timestamptz, k numeric, ms integer);
CREATE TABLE rc.child (extra integer) INHERITS (rc.parent);
SELECT remedy.create_rollup('rc.monthly', 'rc.parent', 'at', 'month', '{k}', '{"percentile(ms, 0.5)"}', 'Europe/Berlin');
DELETE FROM rc.monthly_marks;
INSERT INTO rc.child VALUES ('2026-01-31 23:30Z', 1.0, 10, 1), ('2026-01-31 22:30Z', 1.0, 10, 1);
INSERT INTO rc.parent VALUES ('2026-01-31 22:30Z', 1.00, NULL);
UPDATE rc.parent SET ms = 20 WHERE ms = 10 AND at < '2026-01-31 23:00Z';
SELECT * FROM rc.news('rc.monthly_marks');
CREATE TABLE rc.wide (at date, k text, v text);
SELECT remedy.create_rollup('rc.yearly', 'rc.wide', 'at', 'year', '{k}', '{min(v),max(v)}');
DELETE FROM rc.yearly_marks;
INSERT INTO rc.wide SELECT '2026-06-01', string_agg(md5(g::text), ''), string_agg(md5(g::text), '') FROM generate_series(1, 1000) AS g;
INSERT INTO rc.wide SELECT * FROM rc.wide;
UPDATE rc.wide SET at = at + 1;
UPDATE rc.wide SET v = v || 'x';
SELECT kind, bucket, length(k1) AS k1, md5(k1) = (SELECT md5(k) FROM rc.wide LIMIT 1) AS same, s1, length(s2) AS s2, length(s3) AS s3, length(r2) AS r2, length(r3) AS r3
	FROM rc.yearly_marks ORDER BY s1, s2;
-- Its owner may index the log, and add to it.
CREATE INDEX ON rc.yearly_marks (bucket);
DELETE FROM rc.yearly_marks;
INSERT INTO rc.wide SELECT date '2000-01-01' + g * 366, 'k', 'v' FROM generate_series(1, 70) AS g;
INSERT INTO rc.wide VALUES ('1999-01-01', 'k', 'v');
SET enable_seqscan = off;
SELECT count(*) FROM rc.yearly_marks WHERE bucket > '1900-01-01';
RESET enable_seqscan;
ALTER TABLE rc.yearly_marks ADD more integer;
INSERT INTO rc.wide VALUES ('1998-01-01', 'k', 'v');
SELECT count(*) FROM rc.yearly_marks;
-- Even with an index that writes to the source, and changes what sessions remember.
CREATE FUNCTION rc.write(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('rc.depth') < '3' THEN
		PERFORM set_config('rc.depth', (current_setting('rc.depth')::integer + 1)::text, false);
		CREATE OR REPLACE FUNCTION rc.nothing() RETURNS void LANGUAGE sql AS '';
		INSERT INTO rc.wide VALUES ('1990-01-01', 'inside', 'v');
	END IF;
	RETURN $1;
END $$;
CREATE FUNCTION rc.indexed(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN rc.write($1); END';
SET rc.depth = 3;
CREATE INDEX ON rc.yearly_marks (rc.indexed(k1));
SET rc.depth = 0;
DELETE FROM rc.yearly_marks;
INSERT INTO rc.wide VALUES ('1991-01-01', 'outside', 'v'), ('1992-01-01', 'outside', 'v');
SELECT kind, bucket, k1, s1, s2, s3 FROM rc.yearly_marks ORDER BY bucket, s1;

SET client_min_messages = warning;
DROP SCHEMA rc CASCADE;
DROP ROLE rc_writer;

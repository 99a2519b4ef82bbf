-- rollup_now: daily_now equals the plain aggregate in every snapshot, also inside the transaction that changes the source.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
CREATE SCHEMA rn;
SET search_path = rn, public;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

-- How many groups differ, on either side.
CREATE FUNCTION differing(rollup text, aggregate text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	differing bigint;
BEGIN
	EXECUTE pg_catalog.format('SELECT (SELECT count(*) FROM (TABLE %1$s EXCEPT ALL (%2$s)) AS a) + '
		'(SELECT count(*) FROM ((%2$s) EXCEPT ALL TABLE %1$s) AS b)', rollup || '_now', aggregate) INTO differing;
	RETURN differing;
END $$;

-- Three rollups: additive, with extremes, and with a sum that cannot be subtracted; with and without an index on the time.
CREATE TABLE event (id integer, at timestamptz, region text, agent integer, cost numeric, ms integer, weight double precision);
CREATE FUNCTION wrong() RETURNS TABLE (adding bigint, extremes bigint, floating bigint) LANGUAGE sql AS $$
	SELECT rn.differing('rn.adding', 'SELECT date_trunc(''day'', at, ''Europe/Berlin''), region, agent, count(*), sum(cost) FROM rn.event GROUP BY 1, 2, 3'),
		rn.differing('rn.extremes', 'SELECT date_trunc(''day'', at, ''Europe/Berlin''), region, count(*), min(ms), max(cost) FILTER (WHERE ms > 5) FROM rn.event GROUP BY 1, 2'),
		rn.differing('rn.floating', 'SELECT date_trunc(''hour'', at, ''Europe/Berlin''), count(*), sum(weight) FROM rn.event GROUP BY 1')
$$;
CREATE FUNCTION make() RETURNS void LANGUAGE sql AS $$
	SELECT remedy.create_rollup('rn.adding', 'rn.event', 'at', 'day', '{region, agent}', '{count(*), sum(cost)}', 'Europe/Berlin');
	SELECT remedy.create_rollup('rn.extremes', 'rn.event', 'at', 'day', '{region}', '{count(*), min(ms), max(cost) FILTER (WHERE ms > 5) AS dearest}', 'Europe/Berlin');
	SELECT remedy.create_rollup('rn.floating', 'rn.event', 'at', 'hour', '{}', '{count(*), sum(weight)}', 'Europe/Berlin');
$$;
INSERT INTO event SELECT i, timestamptz '2026-03-27 00:00+00' + i * interval '17 minutes', (ARRAY['north', 'south', NULL])[i % 3 + 1], i % 4,
		i % 7, i % 11, i % 5 FROM generate_series(1, 600) AS i;
INSERT INTO event VALUES (1001, 'infinity', 'north', 1, 2, 3, 4), (1002, '-infinity', NULL, NULL, NULL, NULL, NULL), (1003, NULL, 'north', 1, 2, 3, 4),
	(1004, NULL, NULL, NULL, NULL, NULL, NULL), (1005, '2026-03-29 00:59:59.999999+00', 'north', 1, 1, 1, 1);
CREATE FUNCTION refresh() RETURNS void LANGUAGE sql AS $$
	SELECT remedy.rebuild_rollup('rn.adding'); SELECT remedy.rebuild_rollup('rn.extremes'); SELECT remedy.rebuild_rollup('rn.floating');
$$;

-- The changes. Each is looked at inside of the transaction, together with those before it, and alone.
CREATE TABLE change (number integer, statement text);
INSERT INTO change VALUES
	(1, 'INSERT INTO rn.event VALUES (2000, ''2026-03-29 12:00+00'', ''north'', 1, 5, 6, 7), (2001, ''2026-05-01'', NULL, 9, 1, 9, 1), (2002, NULL, ''north'', 1, 1, 1, 1), (2003, ''infinity'', ''east'', 1, 1, 1, 1)'),
	(2, 'UPDATE rn.event SET cost = cost + 1 WHERE id % 50 = 0'),
	(3, 'UPDATE rn.event SET ms = ms + 1 WHERE ms = 0 AND id % 3 = 0'),
	(4, 'UPDATE rn.event SET at = at + interval ''1 day'', region = NULL WHERE id % 40 = 7'),
	(5, 'UPDATE rn.event SET at = NULL WHERE id % 90 = 8'),
	(6, 'DELETE FROM rn.event WHERE ms = 10 OR cost = 6 AND id < 300'),
	(7, 'DELETE FROM rn.event WHERE at >= ''2026-03-28 12:00+00'' AND at < ''2026-03-30 12:00+00'''),
	(8, 'DELETE FROM rn.event WHERE at IS NULL OR NOT isfinite(at)'),
	(9, 'INSERT INTO rn.event SELECT 3000 + i, timestamptz ''2026-03-31 00:00+00'' + i * interval ''1 hour'', ''west'', 1, i, i, i FROM generate_series(1, 30) AS i'),
	(10, 'DELETE FROM rn.event WHERE id > 3000'),
	(11, 'INSERT INTO rn.event VALUES (4000, NULL, NULL, NULL, 3, 3, 3)'),
	(12, 'TRUNCATE rn.event'),
	(13, 'INSERT INTO rn.event VALUES (5000, ''2026-03-29 12:00+00'', ''north'', 1, 5, 6, 7), (5001, NULL, ''north'', 1, 5, 6, 7)');
CREATE PROCEDURE go_through(after_each text DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	next record;
	found record;
BEGIN
	FOR next IN SELECT * FROM rn.change ORDER BY number LOOP
		EXECUTE next.statement;
		SELECT * INTO found FROM rn.wrong();
		IF found IS DISTINCT FROM ROW (0::bigint, 0::bigint, 0::bigint) THEN
			RAISE WARNING 'change %: % groups differ', next.number, found;
		END IF;
		IF after_each IS NOT NULL THEN
			EXECUTE after_each;
		END IF;
	END LOOP;
END $$;

-- Without an index on the time: nothing is kept yet; then changes on top of each other; then each with a refresh before.
SELECT make();
SELECT * FROM wrong();
SELECT refresh();
SELECT * FROM wrong();
CREATE TABLE before AS TABLE event;
CALL go_through();
SELECT refresh();
INSERT INTO event TABLE before;
SELECT refresh();
CALL go_through('SELECT rn.refresh()');
SELECT remedy.drop_rollup('adding'), remedy.drop_rollup('extremes'), remedy.drop_rollup('floating');

-- With one.
INSERT INTO event TABLE before;
DELETE FROM event WHERE id >= 5000;
CREATE INDEX ON event (at);
SELECT make();
SELECT * FROM wrong();
SELECT refresh();
CALL go_through();
SELECT refresh();
INSERT INTO event TABLE before;
SELECT refresh();
CALL go_through('SELECT rn.refresh()');

-- A savepoint's changes go with it.
BEGIN;
INSERT INTO event TABLE before;
SAVEPOINT s;
DELETE FROM event WHERE id % 2 = 0;
SELECT * FROM wrong();
ROLLBACK TO s;
SELECT * FROM wrong();
COMMIT;
SELECT * FROM wrong();

-- Ranges that overlap, touch and are open, as partitions leave behind.
SELECT refresh();
BEGIN;
INSERT INTO adding_marks (kind, bucket, until) VALUES ('r', NULL, '2026-03-28 00:00+01'), ('r', '2026-03-27 00:00+01', '2026-03-29 00:00+01'),
	('r', '2026-03-31 00:00+02', '2026-03-31 00:00+02'), ('r', '2026-04-02 00:00+02', NULL);
INSERT INTO extremes_marks (kind, bucket, until) SELECT kind, bucket, until FROM adding_marks;
INSERT INTO floating_marks (kind, bucket, until) SELECT kind, bucket, until + interval '23 hours' FROM adding_marks;
SET LOCAL session_replication_role = replica;
DELETE FROM event WHERE at < '2026-03-29 00:00+01' AND id % 3 = 0 OR at >= '2026-03-31 00:00+02' AND at < '2026-04-01 00:00+02';
INSERT INTO event VALUES (6000, '2026-05-09', 'far', 1, 2, 3, 4), (6001, '2026-03-29 00:30+01', 'near', 1, 2, 3, 4);
SELECT * FROM wrong();
ROLLBACK;
-- The null bucket is in none of them, but in everything.
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM event WHERE at IS NULL;
INSERT INTO adding_marks (kind, bucket) VALUES ('r', '-infinity');
SELECT count(*) FROM adding_now WHERE bucket IS NULL;
INSERT INTO adding_marks (kind) VALUES ('r');
SELECT count(*) FROM adding_now WHERE bucket IS NULL;
SELECT adding FROM wrong();
ROLLBACK;

-- Two keys with one hash, of which one is dirty: both are computed, and neither twice.
CREATE TABLE twin (at date, key integer, weight double precision);
SELECT remedy.create_rollup('twins', 'twin', 'at', 'day', '{key}', '{count(*), sum(weight)}');
INSERT INTO twin SELECT '2026-03-01', pg_catalog.unnest(keys), 1 FROM
	(SELECT pg_catalog.array_agg(i) AS keys FROM generate_series(1, 300000) AS i GROUP BY pg_catalog.hash_record(ROW (date '2026-03-01', i)) HAVING count(*) > 1) AS same;
SELECT count(*) > 1 AS found FROM twin;
CALL remedy.refresh_rollup('twins');
UPDATE twin SET weight = 2 WHERE key = (SELECT min(key) FROM twin);
SELECT differing('twins', 'SELECT at, key, count(*), sum(weight) FROM rn.twin GROUP BY 1, 2'),
	(SELECT count(*) FROM twins_marks) AS marks;

-- What is asked of bucket and keys reaches the scans, and without marks the source is not read.
CREATE TABLE wide (at timestamptz, agent integer, cost integer);
CREATE INDEX wide_at ON wide (at);
INSERT INTO wide SELECT timestamptz '2026-01-01 00:00+00' + i * interval '10 minutes', i % 10, i FROM generate_series(1, 9000) AS i;
SELECT remedy.create_rollup('lean', 'wide', 'at', 'day', '{agent}', '{count(*), sum(cost), max(cost)}', 'UTC');
CALL remedy.refresh_rollup('lean');
ANALYZE wide, lean_cells, lean_marks;
CREATE FUNCTION plan(query text) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING off, FORMAT json) ' || query INTO plan;
	RETURN QUERY WITH RECURSIVE node (node) AS (
		SELECT plan -> 0 -> 'Plan' UNION ALL SELECT jsonb_array_elements(node -> 'Plans') FROM node WHERE node ? 'Plans')
		SELECT node FROM node WHERE node ? 'Relation Name';
END $$;
CREATE FUNCTION reads(query text) RETURNS TABLE (relation text, rows_read numeric) LANGUAGE sql AS $$
	SELECT node ->> 'Relation Name', sum(((node ->> 'Actual Rows')::numeric + COALESCE((node ->> 'Rows Removed by Filter')::numeric, 0)) * (node ->> 'Actual Loops')::numeric)
	FROM rn.plan(query) AS node WHERE node ->> 'Relation Name' <> 'lean_marks' GROUP BY 1 ORDER BY 1
$$;
SET max_parallel_workers_per_gather = 0;
SET enable_bitmapscan = off;
SELECT relation, rows_read FROM reads('SELECT * FROM rn.lean_now') WHERE relation = 'wide';
SET enable_seqscan = off;
SELECT relation, rows_read < 100 AS few FROM reads('SELECT * FROM rn.lean_now WHERE bucket = ''2026-01-10 00:00+00''');
-- One dirty cell in each of six days: those days are read, of one day that one.
UPDATE wide SET cost = -1 WHERE cost % 1440 = 1430;
SELECT count(*) AS marks FROM lean_marks;
SELECT relation, rows_read BETWEEN 840 AND 1000 AS six_days FROM reads('SELECT * FROM rn.lean_now') WHERE relation = 'wide';
SELECT relation, rows_read BETWEEN 140 AND 200 AS one_day FROM reads('SELECT * FROM rn.lean_now WHERE bucket = ''2026-01-10 00:00+00''') WHERE relation = 'wide';
SELECT relation, rows_read FROM reads('SELECT * FROM rn.lean_now WHERE bucket = ''2026-01-11 00:00+00''') WHERE relation = 'wide';
-- A key is a condition of every scan that has it.
SELECT node ->> 'Relation Name' AS relation, bool_and(node::text LIKE '%k1 = 3%' OR node::text LIKE '%agent = 3%') AS asked
	FROM plan('SELECT * FROM rn.lean_now WHERE agent = 3') AS node WHERE node ->> 'Relation Name' = 'wide' GROUP BY 1;
SELECT differing('lean', 'SELECT date_trunc(''day'', at, ''UTC''), agent, count(*), sum(cost), max(cost) FROM rn.wide GROUP BY 1, 2');

SELECT remedy.drop_rollup(name::text) FROM remedy.rollups ORDER BY name::text;
DROP SCHEMA rn CASCADE;

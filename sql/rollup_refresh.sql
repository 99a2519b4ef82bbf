-- rollup: each way that a refresh takes leaves what plain aggregation gives.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS rf CASCADE;
CREATE SCHEMA rf;
SET search_path = rf, public;
SET TimeZone = 'Europe/Vienna';

CREATE TABLE event (at timestamptz, agent integer, region text, ms integer, cost numeric, load double precision);
CREATE VIEW plain AS
	SELECT date_trunc('day', at, 'Europe/Vienna') AS bucket, agent, region, count(*) AS n, sum(ms) AS ms, min(ms) AS least,
	       max(ms) AS most, avg(cost) AS cost
	FROM event GROUP BY 1, 2, 3;
CREATE VIEW plain_loads AS
	SELECT date_trunc('hour', at, 'Europe/Vienna') AS bucket, agent, count(*) AS n, sum(load) AS load FROM event GROUP BY 1, 2;
SELECT remedy.create_rollup('daily', 'event', 'at', 'day', '{agent, region}',
	'{count(*) AS n, sum(ms) AS ms, min(ms) AS least, max(ms) AS most, avg(cost) AS cost}');
SELECT remedy.create_rollup('loads', 'event', 'at', 'hour', '{agent}', '{count(*) AS n, sum(load) AS load}');

-- What was done last, what is left to do, and rows that are not as they should be.
CREATE VIEW done AS
	SELECT r.view, r.refresh_method AS method, r.refresh_marks AS marks, r.refresh_cells AS cells,
	       CASE r.view WHEN 'daily'::regclass THEN (SELECT count(*) FROM daily_marks) ELSE (SELECT count(*) FROM loads_marks) END AS marked,
	       CASE r.view WHEN 'daily'::regclass THEN
	           (SELECT count(*) FROM (TABLE daily EXCEPT ALL TABLE plain) AS a) + (SELECT count(*) FROM (TABLE plain EXCEPT ALL TABLE daily) AS b)
	       ELSE
	           (SELECT count(*) FROM (TABLE loads EXCEPT ALL TABLE plain_loads) AS a) + (SELECT count(*) FROM (TABLE plain_loads EXCEPT ALL TABLE loads) AS b)
	       END AS wrong
	FROM remedy.rollup AS r WHERE r.view IN ('daily'::regclass, 'loads'::regclass) ORDER BY r.view::text;

-- One that was never filled, of an empty table; then of one that is not.
CALL remedy.refresh_rollup('daily');
TABLE done;
INSERT INTO event
	SELECT '2026-03-01'::timestamptz + n * interval '12 min', nullif(n % 5, 0), CASE WHEN n % 7 > 1 THEN 'r' || n % 2 END, n % 1000, n / 8.0, sqrt(n)
	FROM generate_series(1, 6000) AS n;
INSERT INTO event VALUES (NULL, 1, 'r0', 1, 1, 1), (NULL, NULL, NULL, 2, 2, 2), ('infinity', NULL, 'r1', 3, 3, 3), ('-infinity', 4, NULL, 4, 4, 4);
CALL remedy.refresh_rollup('daily');
CALL remedy.refresh_rollup('loads');
TABLE done;

-- Nothing to do: nothing is written.
SELECT xmin AS before, refreshed_at FROM remedy.rollup WHERE view = 'daily'::regclass \gset
CALL remedy.refresh_rollup('daily');
SELECT xmin = :'before'::xid AND refreshed_at = :'refreshed_at' AS same FROM remedy.rollup WHERE view = 'daily'::regclass;

-- Rows are added: to cells that are there, to new ones, to those of null; and taken away, but no extreme.
INSERT INTO event VALUES ('2026-03-02 12:00', 1, 'r0', 5000, 7, 1), ('2026-03-02 12:00', NULL, 'r9', 5, 7, 1), (NULL, 1, 'r0', 6, 7, 1), (NULL, 2, NULL, 6, 7, 1);
CALL remedy.refresh_rollup('daily');
SELECT * FROM done WHERE view = 'daily'::regclass;
DELETE FROM event WHERE ms = 5 AND region = 'r9'; -- the only one of its cell
UPDATE event SET cost = cost + 1 WHERE at BETWEEN '2026-03-10' AND '2026-03-12' AND ms NOT IN (0, 999);
CALL remedy.refresh_rollup('daily');
SELECT method, cells > 0 AS cells, marked, wrong FROM done WHERE view = 'daily'::regclass;
SELECT count(*) FROM daily WHERE region = 'r9';

-- Extremes are taken away: of few cells, which are listed, and of most cells of their buckets, which are computed as a whole.
DELETE FROM event WHERE (at, agent) IN (SELECT max(at), agent FROM event WHERE at >= '2026-03-20' AND at < '2026-03-21' AND agent = 2 GROUP BY 2);
DELETE FROM event WHERE at IS NULL AND agent = 1 AND ms = 6;
DELETE FROM event WHERE at >= '2026-03-25' AND at < '2026-03-26' AND agent IS NULL AND region IS NULL AND ms = (SELECT max(ms) FROM event WHERE at >= '2026-03-25' AND at < '2026-03-26' AND agent IS NULL AND region IS NULL);
INSERT INTO event VALUES ('2026-03-25 13:00', 2, 'new', 1, 1, 1);
CALL remedy.refresh_rollup('daily');
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;
DELETE FROM event WHERE (at, ms) = (SELECT at, ms FROM event WHERE at >= '2026-03-15' AND at < '2026-03-16' AND agent IS NULL AND region IS NULL
	ORDER BY ms DESC LIMIT 1); -- nothing but nulls
CALL remedy.refresh_rollup('daily');
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;
UPDATE event SET ms = -ms WHERE at >= '2026-03-05' AND at < '2026-03-08';
UPDATE event SET ms = -ms WHERE at IS NULL;
CALL remedy.refresh_rollup('daily');
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;

-- The other one has taken no mark until now, and adds nothing.
CALL remedy.refresh_rollup('loads');
TABLE loads_marks;
SELECT method, marked, wrong FROM done WHERE view = 'loads'::regclass;
DELETE FROM event WHERE region IS NULL;
UPDATE event SET agent = 77 WHERE agent = 3;
UPDATE event SET load = 0 WHERE at = 'infinity';
CALL remedy.refresh_rollup('loads');
SELECT method, marked, wrong FROM done WHERE view = 'loads'::regclass;
UPDATE event SET load = 1e17 WHERE at = (SELECT min(at) FROM event WHERE at > '2026-03-15' AND agent IS NOT NULL);
CALL remedy.refresh_rollup('loads');
SELECT * FROM done WHERE view = 'loads'::regclass;

-- In slices, each of the marks of some buckets; those of the null bucket are the last.
DELETE FROM event WHERE ms % 3 = 0;
UPDATE event SET at = NULL WHERE at = '-infinity';
SELECT count(*) > 100 AS many FROM daily_marks;
CALL remedy.refresh_rollup('daily', 100);
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;
CALL remedy.refresh_rollup('loads', marks_per_transaction => 300);
SELECT method, marked, wrong FROM done WHERE view = 'loads'::regclass;

-- A slice that fails undoes itself, and none before it.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END';
CREATE TRIGGER refuse BEFORE DELETE ON daily_marks FOR EACH ROW WHEN (old.bucket >= '2026-03-20') EXECUTE FUNCTION refuse();
UPDATE event SET cost = cost + 1 WHERE at BETWEEN '2026-03-18' AND '2026-03-23';
CALL remedy.refresh_rollup('daily', 5);
SELECT min(bucket) AS bucket, count(*) FILTER (WHERE bucket < '2026-03-20') AS before FROM daily_marks;
SELECT count(*) FROM ((TABLE daily EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE daily)) AS a WHERE bucket < '2026-03-20';
SELECT count(*) FROM ((TABLE daily_now EXCEPT ALL TABLE plain) UNION ALL (TABLE plain EXCEPT ALL TABLE daily_now)) AS a;
DROP TRIGGER refuse ON daily_marks;
CALL remedy.refresh_rollup('daily', 5);
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;

-- Ranges: closed, open to one side (the null bucket is in neither), all; what is right stays where it is.
CREATE TABLE place AS SELECT ctid AS place, bucket FROM daily_cells WHERE bucket::date NOT IN ('2026-03-10', '2026-03-11', '2026-03-15');
SET session_replication_role = replica;
UPDATE event SET ms = ms + 1 WHERE at >= '2026-03-10' AND at < '2026-03-12';
INSERT INTO event VALUES ('2020-01-01', 1, 'early', 1, 1, 1), ('2030-01-01', 1, 'late', 1, 1, 1), ('infinity', 1, 'late', 1, 1, 1), (NULL, 1, 'never', 1, 1, 1);
RESET session_replication_role;
SELECT method, marked, wrong > 0 AS wrong FROM done WHERE view = 'daily'::regclass;
INSERT INTO daily_marks (kind, bucket, until) VALUES
	('r', '2026-03-10', '2026-03-11'), ('r', '2026-03-10', '2026-03-10'), ('r', NULL, '2026-03-02'), ('r', '2026-03-28', NULL);
INSERT INTO event VALUES ('2026-03-10 12:00', 1, 'r0', 1, 1, 1), ('2026-03-15 12:00', 1, 'r0', 1, 1, 1);
CALL remedy.refresh_rollup('daily');
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;
SELECT count(*) AS moved FROM place WHERE NOT EXISTS (SELECT FROM daily_cells AS c WHERE c.ctid = place AND c.bucket IS NOT DISTINCT FROM place.bucket);
SELECT * FROM daily WHERE region IN ('early', 'late', 'never') ORDER BY bucket;
SELECT remedy.rebuild_rollup('daily');
TABLE done;
SELECT remedy.rebuild_rollup('loads');

-- Many ranges far from each other are fewer, with what lies between them.
INSERT INTO daily_marks (kind, bucket, until) SELECT 'r', day, day FROM generate_series('2026-01-01'::timestamptz, '2026-12-01', '3 days') AS day;
UPDATE daily_cells SET s1 = s1 + 1 WHERE extract(day FROM bucket)::integer % 2 = 0 AND bucket < '2027-01-01';
INSERT INTO daily_marks (kind, bucket, until) SELECT 'r', bucket, bucket FROM daily_cells WHERE bucket < '2027-01-01' AND bucket > '2021-01-01';
CALL remedy.refresh_rollup('daily');
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;

-- Everything is computed where that is cheaper than the cells that changed: most buckets; many ranges between which there is little; marks that are as many as rows.
-- It takes all marks, also those beyond a slice.
CREATE TABLE load (at timestamptz, agent integer, load double precision);
SELECT remedy.create_rollup('shares', 'load', 'at', 'day', '{agent}', '{count(*), sum(load)}');
SELECT remedy.create_rollup('sums', 'load', 'at', 'day', '{agent}', '{count(*), sum(agent)}');
INSERT INTO load SELECT '2026-01-01'::timestamptz + n * interval '1 min', n % 20, n FROM generate_series(1, 120000) AS n;
ANALYZE load;
CREATE VIEW shared AS
	SELECT r.refresh_method AS method, r.refresh_cells AS cells, (SELECT count(*) FROM shares_marks) AS marked,
	       (SELECT count(*) FROM (SELECT date_trunc('day', at, 'Europe/Vienna'), agent, count(*), sum(load) FROM load GROUP BY 1, 2 EXCEPT ALL TABLE shares) AS a) AS wrong
	FROM remedy.rollup AS r WHERE r.view = 'shares'::regclass;
CALL remedy.refresh_rollup('shares');
CALL remedy.refresh_rollup('sums');
UPDATE load SET load = load + 1 WHERE at >= '2026-02-02' AND at < '2026-02-03';
CALL remedy.refresh_rollup('shares');
TABLE shared;
UPDATE load SET load = load + 1 WHERE agent = 3 AND at >= '2026-02-02' AND at < '2026-02-04';
CALL remedy.refresh_rollup('shares');
TABLE shared;
UPDATE load SET load = load + 1 WHERE extract(minute FROM at)::integer % 9 = 0;
CALL remedy.refresh_rollup('shares', 1000);
TABLE shared;
UPDATE load SET load = load + 1 WHERE extract(day FROM at)::integer % 2 = 0;
CALL remedy.refresh_rollup('shares');
SELECT method, cells < 1000 AS cells, marked, wrong FROM shared;
INSERT INTO shares_marks (kind, bucket, until) SELECT 'r', day, day FROM generate_series('2026-01-01'::timestamptz, '2026-03-20', '2 days') AS day;
CALL remedy.refresh_rollup('shares');
TABLE shared;
INSERT INTO sums_marks (kind, bucket, k1, s1) SELECT 'a', '2026-01-01', 0, 0 FROM generate_series(1, 120000);
CALL remedy.refresh_rollup('sums', 50000);
SELECT refresh_method AS method, refresh_cells AS cells, (SELECT count(*) FROM sums_marks) AS marked FROM remedy.rollup WHERE view = 'sums'::regclass;

-- More stale cells than a list is made of.
CREATE TABLE tick (at timestamp, load real);
SELECT remedy.create_rollup('ticks', 'tick', 'at', 'minute', '{}', '{count(*), sum(load)}');
INSERT INTO tick SELECT '2026-01-01'::timestamp + n * interval '1 min', n FROM generate_series(1, 50001) AS n;
INSERT INTO tick SELECT '2026-01-01'::timestamp + n * interval '1 min', n FROM generate_series(100, 50001, 10) AS n, generate_series(1, 10);
CALL remedy.refresh_rollup('ticks');
UPDATE tick SET load = 1;
INSERT INTO tick VALUES (NULL, 1);
CALL remedy.refresh_rollup('ticks');
SELECT refresh_method, (SELECT count(*) FROM ticks_marks) AS marked FROM remedy.rollup WHERE view = 'ticks'::regclass;
SELECT count(*), sum(sum_load), count(bucket) FROM ticks;

-- Days of a date.
CREATE TABLE visit (day date, page text);
SELECT remedy.create_rollup('visits', 'visit', 'day', 'month', '{page}', '{count(*), max(day) AS last}');
INSERT INTO visit SELECT date '2026-01-01' + n, 'p' || n % 2 FROM generate_series(0, 99) AS n;
INSERT INTO visit VALUES (NULL, 'p0'), ('infinity', NULL), ('-infinity', 'p0');
CALL remedy.refresh_rollup('visits');
DELETE FROM visit WHERE day IN ('2026-02-28', '2026-01-31');
CALL remedy.refresh_rollup('visits');
SELECT * FROM visits ORDER BY 1, 2;

-- Everything goes.
TRUNCATE event;
INSERT INTO event VALUES ('2026-03-10 12:00', 1, 'r0', 1, 1, 1);
CALL remedy.refresh_rollup('daily');
CALL remedy.refresh_rollup('loads');
TABLE done;

-- A level is refreshed with its base.
SELECT remedy.create_rollup('monthly', 'daily', 'bucket', 'month', '{agent}', '{count(*) AS n}');
INSERT INTO event VALUES ('2026-03-11 12:00', 1, 'r1', 1, 1, 1), ('2026-04-01', 1, 'r1', 1, 1, 1);
CALL remedy.refresh_rollup('monthly');
SELECT * FROM monthly ORDER BY bucket;
SELECT remedy.rebuild_rollup('monthly');

-- A transaction's own marks are taken by its rebuild, and what it does afterwards is marked again.
BEGIN;
INSERT INTO event VALUES ('2026-03-12 12:00', 1, 'r1', 1, 1, 1);
SELECT remedy.rebuild_rollup('daily');
SELECT remedy.rebuild_rollup('loads');
TABLE done;
INSERT INTO event VALUES ('2026-03-12 12:00', 1, 'r1', 1, 1, 1);
COMMIT;
CALL remedy.refresh_rollup('daily');
CALL remedy.refresh_rollup('loads');
TABLE done;

-- What is refused.
CALL remedy.refresh_rollup(NULL);
CALL remedy.refresh_rollup('daily', NULL);
CALL remedy.refresh_rollup('daily', 0);
CALL remedy.refresh_rollup('nothing');
CALL remedy.refresh_rollup('event');
SELECT remedy.rebuild_rollup('event');
BEGIN;
CALL remedy.refresh_rollup('daily');
ROLLBACK;
DO $$ BEGIN CALL remedy.refresh_rollup('daily'); END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT remedy.rebuild_rollup('daily');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT remedy.rebuild_rollup('daily');
ROLLBACK;
BEGIN READ ONLY;
SELECT remedy.rebuild_rollup('daily');
ROLLBACK;
SET default_transaction_isolation = serializable;
INSERT INTO event VALUES ('2026-03-12 12:00', 1, 'r1', 1, 1, 1);
CALL remedy.refresh_rollup('daily'); -- not with the session's
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;
RESET default_transaction_isolation;

-- Cells and marks have no key, and may be published.
BEGIN;
SET LOCAL client_min_messages = error; -- wal_level is too low for it to be read
CREATE PUBLICATION published FOR TABLE daily_cells, daily_marks;
COMMIT;
INSERT INTO event VALUES ('2026-03-12 12:00', 1, 'r1', 1, 1, 1);
CALL remedy.refresh_rollup('daily');
SELECT method, marked, wrong FROM done WHERE view = 'daily'::regclass;
DROP PUBLICATION published;

ALTER TABLE event DISABLE TRIGGER remedy_rollup_insert;
INSERT INTO event VALUES ('2026-03-13 12:00', 1, 'r1', 1, 1, 1);
CALL remedy.refresh_rollup('daily');
SELECT remedy.rebuild_rollup('daily');
CALL remedy.refresh_rollup('loads'); -- armed again, and told that something has escaped
TABLE done;
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CALL remedy.refresh_rollup('daily');
SELECT remedy.rebuild_rollup('daily');
ALTER TABLE event DISABLE ROW LEVEL SECURITY;

-- Whoever calls, it is done as the owner; who does not own the source may not.
CREATE ROLE regress_rollup_owner;
CREATE ROLE regress_rollup_other;
GRANT ALL ON SCHEMA rf TO regress_rollup_owner, regress_rollup_other;
SET ROLE regress_rollup_owner;
CREATE FUNCTION as_owner(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN IF current_user <> 'regress_rollup_owner' THEN RAISE EXCEPTION 'as %', current_user; END IF; RETURN $1; END $$;
CREATE TABLE owned (at timestamptz, n integer);
INSERT INTO owned VALUES ('2026-01-01', 1), ('2026-01-01', 2);
SELECT remedy.create_rollup('owneds', 'owned', 'at', 'day', '{}', '{sum(as_owner(n)), sum(as_owner(n)::float8) AS s}');
RESET ROLE;
CALL remedy.refresh_rollup('owneds');
SELECT * FROM owneds;
INSERT INTO owned VALUES ('2026-01-01', 3);
SELECT remedy.rebuild_rollup('owneds');
SELECT * FROM owneds;
SET ROLE regress_rollup_other;
CALL remedy.refresh_rollup('owneds');
SELECT remedy.rebuild_rollup('owneds');
RESET ROLE;
GRANT regress_rollup_owner TO regress_rollup_other;
INSERT INTO owned VALUES ('2026-01-01', 4);
SET ROLE regress_rollup_other;
CALL remedy.refresh_rollup('owneds');
SELECT * FROM owneds;
SELECT current_user;
RESET ROLE;

-- A row of nulls is another key than no row.
CREATE TYPE pair AS (a integer, b integer);
CREATE TABLE paired (at timestamptz, pair pair, n integer);
INSERT INTO paired SELECT '2026-01-01', p::pair, n FROM unnest('{(\,),NULL,"(1\,2)"}'::text[]) AS p, generate_series(1, 20) AS n;
SELECT remedy.create_rollup('pairs', 'paired', 'at', 'day', '{pair}', '{count(*), max(n)}');
CALL remedy.refresh_rollup('pairs');
DELETE FROM paired WHERE pair IS NOT DISTINCT FROM NULL AND n = 20;
INSERT INTO paired SELECT '2026-01-01', '(1,2)', 1 FROM generate_series(1, 200);
CALL remedy.refresh_rollup('pairs');
SELECT pair, count, max_n FROM pairs ORDER BY 1;
DELETE FROM paired WHERE pair IS NULL AND pair IS DISTINCT FROM NULL AND n = 20;
CALL remedy.refresh_rollup('pairs');
SELECT pair, count, max_n FROM pairs ORDER BY 1;

-- Where nearly every cell has lost its minimum, marks are not merged with cells first; but where few have.
CREATE TABLE series (at timestamptz, key integer, n integer);
INSERT INTO series SELECT timestamptz '2026-01-01+00' + d * interval '1 day', key, n FROM generate_series(0, 9) AS d, generate_series(1, 100) AS key, generate_series(1, 5) AS n;
ANALYZE series;
SELECT remedy.create_rollup('lowest', 'series', 'at', 'day', '{key}', '{count(*), min(n)}', 'UTC');
CALL remedy.refresh_rollup('lowest');
CREATE FUNCTION refreshed(OUT method text, OUT wrong bigint) LANGUAGE sql STABLE AS $$
	SELECT (SELECT refresh_method FROM remedy.rollups WHERE name = 'lowest'),
	       (SELECT count(*) FROM (TABLE lowest EXCEPT ALL SELECT date_trunc('day', at, 'UTC'), key, count(*), min(n) FROM series GROUP BY 1, 2) AS w) $$;
UPDATE series SET n = n + 1 WHERE n = 2; -- no minimum
CALL remedy.refresh_rollup('lowest');
SELECT * FROM refreshed();
UPDATE series SET n = n + 1 WHERE key < 90; -- 89 % of the cells
CALL remedy.refresh_rollup('lowest');
SELECT * FROM refreshed();
UPDATE series SET n = n + 1;
CALL remedy.refresh_rollup('lowest');
SELECT * FROM refreshed();
SELECT 'UPDATE series SET n = n + 1 WHERE at IN (''2026-01-01+00'', ''2026-01-10+00'')' FROM generate_series(1, 5) \gexec
SELECT count(*) >= 1000 AS as_many_marks FROM lowest_marks; -- of a fifth of the cells, in the first bucket and the last
CALL remedy.refresh_rollup('lowest');
SELECT * FROM refreshed();
-- Most cells are of a day with few rows, which an index finds.
INSERT INTO series SELECT timestamptz '2025-01-01+00', 0, n FROM generate_series(1, 30000) AS n;
INSERT INTO series SELECT timestamptz '2026-02-01+00', key, n FROM generate_series(1, 12000) AS key, generate_series(1, 2) AS n;
CREATE INDEX ON series (at);
ANALYZE series;
SELECT remedy.rebuild_rollup('lowest');
UPDATE series SET n = n + 1 WHERE at = '2026-02-01+00';
CALL remedy.refresh_rollup('lowest');
SELECT * FROM refreshed();
-- Marks without a bucket only.
CREATE TABLE undated (at timestamptz, key integer, n integer);
INSERT INTO undated SELECT NULL, key, n FROM generate_series(1, 600) AS key, generate_series(1, 5) AS n;
SELECT remedy.create_rollup('undateds', 'undated', 'at', 'day', '{key}', '{count(*), min(n)}', 'UTC');
CALL remedy.refresh_rollup('undateds');
UPDATE undated SET n = n + 1;
CALL remedy.refresh_rollup('undateds');
SELECT * FROM undateds EXCEPT ALL SELECT NULL, key, count(*), min(n) FROM undated GROUP BY key;

-- In the midst of a statement that changes the source its marks are still to come.
WITH added AS (INSERT INTO paired VALUES ('2026-01-01', '(1,2)', 1) RETURNING *) SELECT remedy.rebuild_rollup('pairs') FROM added;
CREATE FUNCTION rebuild() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM remedy.rebuild_rollup('pairs'); RETURN NULL; END $$;
CREATE TRIGGER rebuild AFTER INSERT ON paired FOR EACH ROW EXECUTE FUNCTION rebuild();
INSERT INTO paired VALUES ('2026-01-01', '(1,2)', 1);
DROP TRIGGER rebuild ON paired;
SELECT remedy.rebuild_rollup('pairs');
DROP SCHEMA rf CASCADE;
DROP ROLE regress_rollup_owner, regress_rollup_other;

-- rollup: cells that are computed by an index of the source that begins with their keys.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS rk CASCADE;
CREATE SCHEMA rk;
SET search_path = rk, public;
SET TimeZone = 'Europe/Vienna';

CREATE TABLE call (at timestamptz, agent integer, region text, load double precision);
SELECT remedy.create_rollup('calls', 'call', 'at', 'day', '{agent, lower(region) AS region}', '{count(*) AS n, sum(load) AS load}');
INSERT INTO call SELECT '2026-01-01'::timestamptz + n * interval '1 min', nullif(n % 20, 0), CASE n % 3 WHEN 0 THEN 'North' WHEN 1 THEN 'south' END, n
	FROM generate_series(1, 120000) AS n;
INSERT INTO call SELECT NULL, 5, 'North', n FROM generate_series(1, 10) AS n;
CALL remedy.refresh_rollup('calls');
ANALYZE call, calls_cells;
CREATE VIEW done AS
	SELECT r.refresh_method AS method, r.refresh_cells AS cells, (SELECT count(*) FROM calls_marks) AS marked,
	       (SELECT count(*) FROM (SELECT date_trunc('day', at, 'Europe/Vienna'), agent, lower(region), count(*), sum(load) FROM call GROUP BY 1, 2, 3 EXCEPT ALL TABLE calls) AS a) +
	       (SELECT count(*) FROM (TABLE calls EXCEPT ALL SELECT date_trunc('day', at, 'Europe/Vienna'), agent, lower(region), count(*), sum(load) FROM call GROUP BY 1, 2, 3) AS a) AS wrong
	FROM remedy.rollup AS r WHERE r.view = 'calls'::regclass;

-- Whether the refresh has read the table from end to end.  Counts are told of between statements.
CREATE TABLE noted AS SELECT 0::bigint AS scans;
\set flush 'DO $$BEGIN PERFORM pg_stat_force_next_flush(); END$$; '
\set scans '(SELECT seq_scan FROM pg_stat_user_tables WHERE relid = ''rk.call''::regclass)'
\set refresh :flush 'UPDATE noted SET scans = ' :scans '; CALL remedy.refresh_rollup(''calls''); ' :flush 'SELECT ' :scans ' > noted.scans AS scanned, done.* FROM noted, done;'

-- Without an index the table is read.
UPDATE call SET load = load + 1 WHERE agent = 3 AND at >= '2026-02-02' AND at < '2026-02-03';
:refresh

-- An index on the time leads to all rows of the day.
CREATE INDEX by_time ON call (at);
UPDATE call SET load = load + 1 WHERE agent = 3 AND at >= '2026-02-02' AND at < '2026-02-03';
:refresh
DROP INDEX by_time;

-- By keys and time; nulls are keys, too, and none of the bucket.
CREATE INDEX by_agent ON call (agent, lower(region), at);
ANALYZE call;
UPDATE call SET load = load + 1 WHERE agent = 3 AND at >= '2026-02-02' AND at < '2026-02-04';
:refresh
UPDATE call SET load = load + 1 WHERE agent IS NULL AND at >= '2026-02-02' AND at < '2026-02-03';
UPDATE call SET load = load + 1 WHERE agent = 4 AND region IS NULL AND at >= '2026-02-05' AND at < '2026-02-06';
UPDATE call SET load = load + 1 WHERE at IS NULL;
:refresh

-- Cells that come, and that go.
UPDATE call SET agent = 77 WHERE agent = 7 AND at >= '2026-02-09' AND at < '2026-02-10';
:refresh
DELETE FROM call WHERE agent = 77;
:refresh

-- By keys alone, of which there are few rows.
DROP INDEX by_agent;
UPDATE call SET agent = 1000 + (extract(epoch FROM at) / 3600)::integer % 400 WHERE agent = 9;
ANALYZE call;
CALL remedy.refresh_rollup('calls');
CREATE INDEX by_agent ON call (lower(region), agent);
ANALYZE call;
UPDATE call SET load = load + 1 WHERE agent = 1001 AND at < '2026-02-09';
:refresh

-- Neither by a part of the table, nor by an index that begins with something else.
DROP INDEX by_agent;
CREATE INDEX by_agent ON call (agent, at) WHERE agent > 1;
CREATE INDEX by_load ON call (load, agent);
UPDATE call SET load = load + 1 WHERE agent = 3 AND at >= '2026-02-02' AND at < '2026-02-03';
:refresh

-- Of partitions, the table's index.
CREATE TABLE parted (LIKE call) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-15');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-02-15') TO ('2026-06-01');
INSERT INTO parted SELECT * FROM call WHERE at IS NOT NULL;
CREATE INDEX ON parted (agent, at);
ANALYZE parted;
SELECT remedy.create_rollup('parts', 'parted', 'at', 'day', '{agent}', '{count(*) AS n, sum(load) AS load}');
CALL remedy.refresh_rollup('parts');
UPDATE parted SET load = load + 1 WHERE agent = 3 AND at >= '2026-02-14' AND at < '2026-02-17';
CALL remedy.refresh_rollup('parts');
SELECT refresh_method AS method, refresh_cells AS cells FROM remedy.rollup WHERE view = 'parts'::regclass;
SELECT count(*) AS wrong FROM remedy.verify_rollup('parts');

\set VERBOSITY terse
DROP SCHEMA rk CASCADE;

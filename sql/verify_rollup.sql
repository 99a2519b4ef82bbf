-- verify_rollup: what has become wrong is found, and nothing else.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
CREATE SCHEMA vr;
SET search_path = vr, public;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';
CREATE TABLE event (at timestamptz, region text, cost numeric, weight double precision, single real);
INSERT INTO event SELECT timestamptz '2026-01-01 00:00+00' + i * interval '1 hour', (ARRAY['north', 'south', NULL])[i % 3 + 1], i, i / 7.0, i / 3.0
	FROM generate_series(0, 239) AS i;
INSERT INTO event VALUES (NULL, 'lost', 1, 1, 1), ('infinity', NULL, 2, 2, 2);
SELECT remedy.create_rollup('daily', 'event', 'at', 'day', '{region}', '{count(*), sum(cost), min(cost)}', 'UTC');
SELECT remedy.create_rollup('floating', 'event', 'at', 'day', '{}', '{sum(weight), stddev(weight), sum(single)}', 'UTC');

-- Before the first refresh everything is known to be out of step: nothing is compared, and nothing is wrong.
SELECT count(*) FROM remedy.verify_rollup('daily');
SELECT verified_at IS NOT NULL AS verified, verified_cells, wrong_cells FROM remedy.rollups WHERE name::text = 'daily';
CALL remedy.refresh_rollup('daily');
CALL remedy.refresh_rollup('floating');
SELECT count(*) FROM remedy.verify_rollup('daily');
SELECT count(*) FROM remedy.verify_rollup('floating');
SELECT name, verified_cells, wrong_cells FROM remedy.rollups ORDER BY name::text;
-- Marks count as what they say: additive ones are merged, the cells of others left out.
INSERT INTO event VALUES ('2026-01-02 12:00+00', 'north', 1, 1, 1), ('2026-02-02', 'north', 1, 1, 1), (NULL, 'lost', 1, 1, 1);
DELETE FROM event WHERE cost = 7;
DELETE FROM event WHERE at >= '2026-01-05' AND at < '2026-01-06' AND region IS NULL;
SELECT count(*) FROM remedy.verify_rollup('daily');
SELECT count(*) FROM remedy.verify_rollup('floating');
SELECT name, verified_cells, wrong_cells FROM remedy.rollups ORDER BY name::text;
CALL remedy.refresh_rollup('daily');
CALL remedy.refresh_rollup('floating');

-- A cell that is other, gone, too many, there twice; what is only written otherwise is right.
BEGIN;
UPDATE daily_cells SET s2 = s2 + 1 WHERE bucket = '2026-01-03' AND k1 = 'north';
DELETE FROM daily_cells WHERE bucket = '2026-01-04' AND k1 IS NULL OR bucket IS NULL;
INSERT INTO daily_cells SELECT bucket, 'nowhere', s1, s2, s3, s4 FROM daily_cells WHERE bucket = 'infinity';
INSERT INTO daily_cells SELECT * FROM daily_cells WHERE bucket = '2026-01-06' AND k1 = 'south';
UPDATE daily_cells SET s2 = s2 + 0.000 WHERE bucket = '2026-01-07';
SELECT problem, bucket, keys, kept, expected, detail FROM remedy.verify_rollup('daily') ORDER BY bucket, keys;
SELECT verified_cells, wrong_cells FROM remedy.rollups WHERE name::text = 'daily';
-- A sample sees some of it: any stretch that it takes is told of whole.
SELECT bool_and(found BETWEEN 0 AND 6) AS within FROM (SELECT (SELECT count(*) FROM remedy.verify_rollup('daily', 0.3 + 0 * i)) AS found FROM generate_series(1, 10) AS i) AS s;
SELECT sum(found) > 0 AS found FROM (SELECT (SELECT count(*) FROM remedy.verify_rollup('daily', 0.5 + 0 * i)) AS found FROM generate_series(1, 20) AS i) AS s;
SELECT count(*) >= 0 AS told FROM remedy.verify_rollup('daily', 1e-9);
SELECT verified_cells BETWEEN 1 AND 6 AS one_stretch FROM remedy.rollups WHERE name::text = 'daily';
ROLLBACK;
-- With an index on the time too, and a bucket without any cell lies in some stretch.
CREATE INDEX event_at ON event (at);
BEGIN;
DELETE FROM daily_cells WHERE bucket < '2026-01-02' OR bucket BETWEEN '2026-01-05' AND '2026-01-06' OR bucket IS NULL;
SELECT count(*) FROM remedy.verify_rollup('daily');
SELECT max(found) > 0 AS found FROM (SELECT (SELECT count(*) FROM remedy.verify_rollup('daily', 0.9 + 0 * i)) AS found FROM generate_series(1, 10) AS i) AS s;
DELETE FROM daily_cells;
SELECT count(*) = (SELECT count(*) FROM daily_now) + count(*) AS all_of_them, count(*) > 20 AS many FROM remedy.verify_rollup('daily', 0.01);
ROLLBACK;
-- Floating-point sums may differ in their last digits, not more.
BEGIN;
UPDATE floating_cells SET s2 = s2 * (1 + 1e-13);
SELECT count(*) FROM remedy.verify_rollup('floating');
UPDATE floating_cells SET s2 = s2 * (1 + 1e-7) WHERE bucket = '2026-01-03';
UPDATE floating_cells SET s2 = 'NaN' WHERE bucket = '2026-01-04';
UPDATE floating_cells SET s2 = 'Infinity' WHERE bucket = '2026-01-05';
SELECT problem, bucket, detail FROM remedy.verify_rollup('floating') ORDER BY bucket;
ROLLBACK;

-- What no trigger tells of.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE event SET cost = cost + 1 WHERE at = '2026-01-03 00:00+00';
SET LOCAL session_replication_role = origin;
SELECT problem, bucket, keys, detail FROM remedy.verify_rollup('daily');
ROLLBACK;
BEGIN;
ALTER TABLE event DISABLE TRIGGER USER;
DELETE FROM event WHERE at = '2026-01-03 01:00+00';
SELECT problem, bucket, keys, detail LIKE '%disabled%' AS disabled FROM remedy.verify_rollup('daily') ORDER BY problem DESC;
ROLLBACK;

-- A level is its base.
SELECT remedy.create_rollup('monthly', 'daily', 'bucket', 'month', '{region}', '{count(*)}');
BEGIN;
DELETE FROM daily_cells WHERE bucket = '2026-01-03';
SELECT problem, keys FROM remedy.verify_rollup('monthly') ORDER BY keys;
ROLLBACK;
-- One snapshot is enough, but not one from before; nothing need be written.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM remedy.verify_rollup('daily');
COMMIT;
BEGIN READ ONLY;
SELECT count(*) FROM remedy.verify_rollup('daily');
COMMIT;
-- Who may not, and what is none.
SELECT remedy.verify_rollup('daily', 0);
SELECT remedy.verify_rollup('daily', 'NaN');
SELECT remedy.verify_rollup('event');
SELECT remedy.verify_rollup('nothing');
CREATE ROLE regress_verifier;
GRANT USAGE ON SCHEMA vr TO regress_verifier;
GRANT SELECT ON ALL TABLES IN SCHEMA vr TO regress_verifier;
SET ROLE regress_verifier;
SELECT remedy.verify_rollup('daily');
RESET ROLE;
SELECT remedy.drop_rollup('monthly'), remedy.drop_rollup('floating'), remedy.drop_rollup('daily');
DROP SCHEMA vr CASCADE;
DROP ROLE regress_verifier;

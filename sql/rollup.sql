-- rollup: the user's tour, on small tables.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
CREATE SCHEMA ru;
SET search_path = ru, public;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

-- What a cell, a view and their relations are called and made of.
CREATE TABLE event (at timestamptz, region text, agent integer, cost numeric(10, 2), ms integer, ok boolean);
INSERT INTO event VALUES
	('2026-03-28 22:30+00', 'north', 1, 1.50, 10, true),
	('2026-03-28 23:30+00', 'north', 1, 2.50, 20, false),
	('2026-03-29 21:59+00', 'north', 1, 4.00, 60, true),
	('2026-03-29 22:00+00', NULL, 2, NULL, 5, NULL),
	('2026-03-29 22:01+00', 'south', 2, 0, NULL, true),
	('infinity', 'south', 2, 1, 1, true),
	('-infinity', NULL, NULL, NULL, NULL, NULL),
	(NULL, 'lost', 3, 7, 7, true);
SELECT remedy.create_rollup('daily', 'event', 'at', 'day', '{region, agent % 2 AS odd}',
	'{count(*), sum(cost), avg(ms) FILTER (WHERE ok) AS mean_ms, min(at) AS first, max(ms)}', 'Europe/Berlin');
SELECT c.relname, c.relkind, pg_catalog.string_agg(a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', '
		ORDER BY a.attnum) AS columns
	FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
	WHERE c.relnamespace = 'ru'::regnamespace AND c.relname LIKE 'daily%' GROUP BY c.oid ORDER BY c.relname;
SELECT c.relname, pg_catalog.obj_description(c.oid, 'pg_class') FROM pg_class AS c
	WHERE c.relnamespace = 'ru'::regnamespace AND c.relname LIKE 'daily%' ORDER BY c.relname;
SELECT c.relname, option FROM pg_class AS c, unnest(c.reloptions) AS option
	WHERE c.relnamespace = 'ru'::regnamespace AND c.relname LIKE 'daily%' ORDER BY c.relname, option;

-- Nothing is filled by it; daily_now is right at once.
SELECT * FROM daily;
SELECT * FROM daily_now ORDER BY bucket, region, odd;
SELECT name, source, base, bucket, time_zone, keys, measures, state, cells, marks FROM remedy.rollups;
CALL remedy.refresh_rollup('daily');
SELECT * FROM daily ORDER BY bucket, region, odd;
SELECT state, cells, marks, size_bytes > 0 AS sized, refreshed_at IS NOT NULL AS refreshed FROM remedy.rollups;

-- A late row; then all are gone.
INSERT INTO event VALUES ('2026-03-28 23:00+00', 'north', 1, 0.25, 1, true);
SELECT state, cells, marks > 0 AS marked FROM remedy.rollups;
SELECT count, sum_cost FROM daily WHERE bucket = '2026-03-29 00:00 Europe/Berlin';
SELECT count, sum_cost FROM daily_now WHERE bucket = '2026-03-29 00:00 Europe/Berlin';
CALL remedy.refresh_rollup('daily');
SELECT count, sum_cost FROM daily WHERE bucket = '2026-03-29 00:00 Europe/Berlin';
TRUNCATE event;
SELECT (SELECT count(*) FROM daily) AS daily, (SELECT count(*) FROM daily_now) AS now;
CALL remedy.refresh_rollup('daily');
SELECT state, cells, marks FROM remedy.rollups;

-- While changes may be missed that is what counts.
ALTER TABLE event DISABLE TRIGGER remedy_rollup_insert;
SELECT state LIKE 'unarmed: %remedy_rollup_insert%' AS unarmed, cells, definition IS NOT NULL AS defined FROM remedy.rollups;
ALTER TABLE event ENABLE TRIGGER remedy_rollup_insert;
SELECT state FROM remedy.rollups;

-- The server follows renamed columns, and the call that would make it today is told.
ALTER TABLE event RENAME region TO "Reg'ion";
ALTER TABLE event RENAME at TO "v1";
ALTER TABLE event RENAME cost TO k1;
ALTER TABLE event RENAME TO "the ""event""";
ALTER VIEW daily RENAME COLUMN odd TO "k2";
ALTER VIEW daily RENAME TO by_day;
SELECT name, source, keys, measures FROM remedy.rollups;
SELECT definition FROM remedy.rollups;
SELECT definition AS first_definition FROM remedy.rollups \gset
SELECT remedy.drop_rollup('by_day');
:first_definition;
SELECT definition = :'first_definition' AS same FROM remedy.rollups;
ALTER TABLE "the ""event""" DROP COLUMN "Reg'ion";
ALTER TABLE "the ""event""" ALTER COLUMN k1 TYPE double precision;
SELECT remedy.drop_rollup('by_day');
SELECT count(*) FROM remedy.rollup;
SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'ru'::regnamespace;
SELECT count(*) FROM pg_trigger WHERE tgrelid = '"the ""event"""'::regclass;
DROP TABLE "the ""event""";

-- All three types of time; defaults.
CREATE TABLE plain (day date, at timestamp, n bigint);
INSERT INTO plain VALUES ('2026-02-28', '2026-02-28 23:59:59.999', 1), ('2026-03-01', '2026-03-01', 2), (NULL, NULL, 3),
	('infinity', 'infinity', 4), ('-infinity', '-infinity', 5);
SELECT remedy.create_rollup('by_month', 'plain', 'day', 'month');
SELECT remedy.create_rollup('by_quarter', 'plain', 'at', 'quarter', measures => '{sum(n)}');
CALL remedy.refresh_rollup('by_month');
CALL remedy.refresh_rollup('by_quarter');
SELECT * FROM by_month ORDER BY bucket;
SELECT * FROM by_quarter ORDER BY bucket;
SELECT pg_catalog.pg_typeof(m.bucket) AS month, pg_catalog.pg_typeof(q.bucket) AS quarter FROM by_month AS m, by_quarter AS q LIMIT 1;
SELECT definition FROM remedy.rollups ORDER BY name;
SELECT remedy.create_rollup('by_year', 'by_month', 'bucket', 'year');
SELECT * FROM by_year ORDER BY bucket;
SELECT * FROM by_year_now ORDER BY bucket;
SELECT remedy.drop_rollup('by_year');
DROP TABLE plain;
SELECT remedy.drop_rollup('by_month');
SELECT remedy.drop_rollup('by_quarter');
DROP TABLE plain;

-- An empty table.
CREATE TABLE nothing (at timestamptz, n integer);
SELECT remedy.create_rollup('none', 'nothing', 'at', 'hour', measures => '{count(*), sum(n), avg(n)}');
SELECT * FROM none_now;
CALL remedy.refresh_rollup('none');
SELECT * FROM none;
SELECT time_zone, state, cells, marks FROM remedy.rollups;
SELECT remedy.drop_rollup('none');

-- Levels have cells of their base.
CREATE TABLE visit (at timestamptz, page text, ms integer, price double precision);
INSERT INTO visit SELECT '2026-01-31 20:00+00'::timestamptz + i * interval '90 min', 'p' || i % 3, i, i / 4.0
	FROM generate_series(1, 100) AS i;
SELECT remedy.create_rollup('hourly', 'visit', 'at', 'hour', '{page}',
	'{count(*), avg(ms), sum(price), max(price), stddev(ms) FILTER (WHERE price > 2) AS spread}', 'Asia/Kolkata');
SELECT remedy.create_rollup('daily', 'hourly', 'bucket', 'day', '{page}', '{avg(ms), max(price), count(*)}');
SELECT remedy.create_rollup('monthly', 'daily', 'bucket', 'month', ARRAY['upper(page) AS "PAGE"'], '{count(*), stddev(ms) FILTER (WHERE price > 2)}');
SELECT name, base, bucket, time_zone, keys, measures, state, cells, marks, size_bytes FROM remedy.rollups ORDER BY name;
SELECT * FROM monthly;
SELECT * FROM monthly_now ORDER BY bucket, "PAGE";
CALL remedy.refresh_rollup('monthly');
SELECT * FROM monthly ORDER BY bucket, "PAGE";
SELECT * FROM (TABLE daily EXCEPT SELECT date_trunc('day', at, 'Asia/Kolkata'), page, avg(ms), max(price), count(*) FROM visit GROUP BY 1, 2) AS wrong;
DELETE FROM visit WHERE page = 'p1';
SELECT "PAGE" FROM monthly_now GROUP BY 1 ORDER BY 1;
SELECT name, state FROM remedy.rollups ORDER BY name;
SELECT definition FROM remedy.rollups WHERE base IS NOT NULL ORDER BY name;
DROP VIEW hourly;
SELECT remedy.drop_rollup('hourly');
\set VERBOSITY sqlstate
SELECT remedy.create_rollup('yearly', 'hourly', 'bucket', 'minute');
SELECT remedy.create_rollup('yearly', 'hourly', 'at', 'year');
\set VERBOSITY default
SELECT remedy.drop_rollup('monthly'), remedy.drop_rollup('daily'), remedy.drop_rollup('hourly');
DROP TABLE visit;
SELECT count(*) FROM remedy.rollup;
SELECT relname FROM pg_class WHERE relnamespace = 'ru'::regnamespace AND relkind IN ('r', 'v');

-- Names of all kinds, also those that ours have.
CREATE SCHEMA "ru ""2""";
CREATE TABLE "ru ""2"""."E e" ("time" timestamptz, bucket text, k1 text, "v""1" integer, s1 integer, kind text, c integer, r integer, e integer);
INSERT INTO "ru ""2"""."E e" VALUES ('2026-01-01 12:00', 'b', 'key', 1, 2, 'kind', 3, 4, 5);
SELECT remedy.create_rollup('"we""ird Name"', '"ru ""2"""."E e"', 'time', 'day',
	ARRAY['bucket AS "Bucket"', 'k1 AS k2', 'kind', 'c', 'r AS k1', 'e AS f1', '1 AS s1', '"v""1"', '''v1'' AS "until"'],
	ARRAY['sum(s1) AS s2', 'sum("v""1") FILTER (WHERE kind <> ''f1'') AS "time"', 'max(c + r) AS v1', 'count(*) AS "select"']);
SELECT * FROM "ru ""2"""."we""ird Name_now";
CALL remedy.refresh_rollup('"ru ""2"""."we""ird Name"');
SELECT * FROM "ru ""2"""."we""ird Name";
SELECT remedy.create_rollup('ru."Level"', '"ru ""2"""."we""ird Name"', 'bucket', 'year', ARRAY['"Bucket"', 'k2', '"v""1"', 'k1', 'lower("until") AS "Select"'], '{sum(s1) AS k3}');
SELECT * FROM "Level";
SELECT name, keys, measures FROM remedy.rollups ORDER BY name;
SELECT remedy.drop_rollup('"ru ""2"""."we""ird Name"');
SELECT remedy.drop_rollup('"Level"');
SELECT definition FROM remedy.rollups \gset
SELECT remedy.drop_rollup('"ru ""2"""."we""ird Name"');
:definition;
SELECT * FROM "ru ""2"""."we""ird Name_now";
SELECT remedy.drop_rollup('"ru ""2"""."we""ird Name"');
SELECT remedy.create_rollup(repeat('n', 58), '"ru ""2"""."E e"', 'time', 'day');
SELECT remedy.create_rollup(repeat('n', 57), '"ru ""2"""."E e"', 'time', 'day');
SELECT relname FROM pg_class WHERE relnamespace = '"ru ""2"""'::regnamespace ORDER BY relname;
DROP SCHEMA "ru ""2""" CASCADE;

-- What is refused.
CREATE TABLE source (at timestamptz, n integer);
CREATE TABLE taken_marks ();
CREATE VIEW some_view AS SELECT * FROM source;
SELECT remedy.create_rollup('taken', 'source', 'at', 'day');
SELECT relname FROM pg_class WHERE relnamespace = 'ru'::regnamespace AND relname LIKE 'taken%';
SELECT remedy.create_rollup('source', 'source', 'at', 'day');
SELECT remedy.create_rollup(NULL, 'source', 'at', 'day');
SELECT remedy.create_rollup('x', 'source', 'at', 'day', time_zone => NULL, keys => NULL);
SELECT remedy.create_rollup('', 'source', 'at', 'day');
SELECT remedy.create_rollup('""', 'source', 'at', 'day');
SELECT remedy.create_rollup('a.b.c.d', 'source', 'at', 'day');
SELECT remedy.create_rollup('no_schema.x', 'source', 'at', 'day');
CREATE TEMPORARY TABLE passing (at timestamptz);
SELECT remedy.create_rollup('pg_temp.x', 'source', 'at', 'day');
SELECT remedy.create_rollup('x', 'passing', 'at', 'day');
\set VERBOSITY sqlstate
SELECT remedy.create_rollup('x', 'some_view', 'at', 'day');
SELECT remedy.create_rollup('x', 'source', 'at', 'day', '{n AS a, n + 1 AS a}');
SELECT remedy.create_rollup('x', 'source', 'at', 'day', '{n AS bucket}');
\set VERBOSITY default
SELECT remedy.create_rollup('x', 4294967295::oid::regclass, 'at', 'day');
SELECT remedy.drop_rollup('source');
SELECT remedy.drop_rollup('no_rollup');
SELECT count(*) FROM remedy.rollup;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'source'::regclass;
-- Views of the user's on it are the server's to look after.
SELECT remedy.create_rollup('daily', 'source', 'at', 'day');
CREATE VIEW mine AS SELECT sum(count) FROM daily;
SELECT remedy.drop_rollup('daily');
DROP VIEW mine;
-- Each rollup of a source is independent.
SELECT remedy.create_rollup('daily2', 'source', 'at', 'day', '{n}');
INSERT INTO source VALUES ('2026-01-01', 1);
SELECT remedy.drop_rollup('daily');
INSERT INTO source VALUES ('2026-01-01', 1);
SELECT n, count FROM daily2_now;
SELECT remedy.drop_rollup('daily2');
INSERT INTO source VALUES ('2026-01-01', 1);
-- In one transaction, and undone.
BEGIN;
SELECT remedy.create_rollup('daily', 'source', 'at', 'day');
INSERT INTO source VALUES ('2026-01-01', 1);
SELECT count FROM daily_now;
SAVEPOINT dropped;
SELECT remedy.drop_rollup('daily');
ROLLBACK TO dropped;
INSERT INTO source VALUES ('2026-01-01', 1);
SELECT count FROM daily_now;
SELECT remedy.drop_rollup('daily');
SELECT remedy.create_rollup('daily', 'source', 'at', 'day');
ROLLBACK;
SELECT count(*) FROM remedy.rollup;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'source'::regclass;

-- Of what is gone little can be told.
SELECT remedy.rollup_facts(0, '{}', '{}');
DROP SCHEMA ru CASCADE;
SELECT count(*) FROM remedy.rollup;
SELECT count(*) FROM remedy.rollup_member;

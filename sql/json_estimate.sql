-- estimates in plan_json_migration: one sample of documents, also of those that jsonb refuses; and the offer.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS je CASCADE;
CREATE SCHEMA je;

-- What is foretold in the first row and the last, without figures.
CREATE FUNCTION je.foretold(regclass, permitted_stall_ms double precision DEFAULT 10000)
	RETURNS TABLE (phase text, takes_time boolean, wal boolean, disk boolean, offer text) LANGUAGE sql AS $$
	SELECT p.phase, p.duration_ms > 0, p.wal_bytes > 0, p.disk_bytes > 0, p.new_definition
	FROM remedy.plan_json_migration($1, 'doc', $2) AS p WHERE p.duration_ms IS NOT NULL ORDER BY p.step
$$;
CREATE FUNCTION je.remark(regclass, permitted_stall_ms double precision DEFAULT 10000) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(remark, '^.*?cannot be seen from SQL\.', '...')
	FROM remedy.plan_json_migration($1, 'doc', $2) WHERE phase = 'plan' AND duration_ms IS NOT NULL
$$;

-- A small table: plain ALTER TABLE is offered if it fits the permitted stall, and what is offered works.
CREATE TABLE je.docs (id integer PRIMARY KEY, doc json);
INSERT INTO je.docs SELECT g, json_build_object('number', g, 'name', repeat('x', g % 90)) FROM generate_series(1, 2000) AS g;
CREATE INDEX ON je.docs ((doc ->> 'name'));
ALTER TABLE je.docs ALTER doc SET DEFAULT '{}';
ALTER TABLE je.docs ADD CHECK (doc ->> 'number' IS NOT NULL);
SELECT * FROM je.foretold('je.docs');
SELECT * FROM je.foretold('je.docs', 0);
SELECT je.remark('je.docs');
SELECT split_part(offer, '; ', 3) AS command FROM je.foretold('je.docs') WHERE offer IS NOT NULL \gset
BEGIN;
:command;
SELECT pg_typeof(doc), count(*) FROM je.docs GROUP BY 1;
ROLLBACK;

-- More rows, longer documents and rests cost more.
CREATE TABLE je.more (doc json);
INSERT INTO je.more SELECT json_build_object('number', g, 'name', repeat('x', 500)) FROM generate_series(1, 8000) AS g;
CREATE FUNCTION je.cost(regclass, rest_share double precision, vacuum boolean DEFAULT true)
	RETURNS TABLE (ms double precision, wal double precision, disk double precision) LANGUAGE sql AS $$
	SELECT duration_ms, wal_bytes, disk_bytes FROM remedy.plan_json_migration($1, 'doc', 250, $2, $3)
	WHERE phase = 'plan' AND duration_ms IS NOT NULL
$$;
SELECT large.wal > 4 * small.wal AS wal, large.disk > 4 * small.disk AS disk,
	rested.ms > 2 * large.ms AS time, unvacuumed.disk > large.disk AS reclaimed
FROM je.cost('je.docs', 0) AS small, je.cost('je.more', 0) AS large, je.cost('je.more', 0.95) AS rested,
	je.cost('je.more', 0, false) AS unvacuumed;
SELECT * FROM je.cost('je.docs', 1);

-- What ALTER TABLE does not carry.
CREATE VIEW je.names AS SELECT doc ->> 'name' AS name FROM je.docs;
SELECT * FROM je.foretold('je.docs');
SELECT je.remark('je.docs');
DROP VIEW je.names;
ALTER TABLE je.docs ADD CONSTRAINT is_object CHECK (json_typeof(doc) = 'object');
SELECT je.remark('je.docs');

-- Documents that jsonb refuses, and nulls; then nothing but them; then nothing.
CREATE TABLE je.bad (doc json);
INSERT INTO je.bad SELECT CASE g % 4 WHEN 0 THEN NULL WHEN 1 THEN '"\u0000"' ELSE '{"a": 1e5}' END::json
	FROM generate_series(1, 100) AS g;
SELECT je.remark('je.bad');
SELECT offer FROM je.foretold('je.bad');
UPDATE je.bad SET doc = '"\ud800"';
SELECT je.remark('je.bad');
TRUNCATE je.bad;
SELECT je.remark('je.bad');
SELECT * FROM je.foretold('je.bad');

-- Partitions are one table.
CREATE TABLE je.parts (id integer, doc json) PARTITION BY RANGE (id);
CREATE TABLE je.part_1 PARTITION OF je.parts FOR VALUES FROM (0) TO (1000);
CREATE TABLE je.part_2 PARTITION OF je.parts FOR VALUES FROM (1000) TO (9000);
INSERT INTO je.parts SELECT g, json_build_object('number', g, 'name', repeat('x', 500)) FROM generate_series(1, 8000) AS g;
SELECT abs(parts.wal / more.wal - 1) < 0.1 AS wal, abs(parts.disk / more.disk - 1) < 0.1 AS disk
FROM je.cost('je.parts', 0) AS parts, je.cost('je.more', 0) AS more;

DROP SCHEMA je CASCADE;

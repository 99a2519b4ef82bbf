-- Advice on indexes, from what was observed to the statement that creates them.
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE SCHEMA store;
SET search_path = store, public;
CREATE TABLE customer (id integer PRIMARY KEY, email text, town text, phone text);
INSERT INTO customer SELECT i, 'Name' || i || '@example.com', 'town' || i % 40, md5(i::text) FROM generate_series(1, 20000) AS i;
CREATE TABLE purchase (id integer PRIMARY KEY, customer_id integer, state text, total numeric, made timestamp, note text);
INSERT INTO purchase SELECT i, i * 79 % 20000 + 1, CASE WHEN i % 100 = 0 THEN 'open' ELSE 'done' END, i % 1000,
	timestamp '2026-01-01' + i * interval '7 minutes', repeat('x', 60) FROM generate_series(1, 60000) AS i;
CREATE TABLE "Odd ""table""" ("the key" integer, "select" text);
INSERT INTO "Odd ""table""" SELECT i, repeat('y', 100) FROM generate_series(1, 20000) AS i;
CREATE TABLE small (id integer);
INSERT INTO small SELECT generate_series(1, 100);
CREATE TABLE reading (device integer, at timestamp, value float8, seen timestamp) WITH (fillfactor = 50);
INSERT INTO reading SELECT i, timestamp '2026-01-01', i, timestamp '2026-01-01' + i * interval '1 second' FROM generate_series(1, 20000) AS i;
CREATE TABLE event (at date, kind integer, body text) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO event SELECT date '2026-01-01' + i % 59, i % 5000, repeat('z', 80) FROM generate_series(1, 20000) AS i;
ANALYZE customer, purchase, "Odd ""table""", small, reading, event;
SELECT remedy.reset();

-- Nothing was observed.
SELECT count(*) FROM remedy.missing_indexes;

-- What an application asks, several times each.
\o /dev/null
PREPARE latest (integer) AS SELECT * FROM purchase WHERE customer_id = $1 ORDER BY made DESC LIMIT 5;
PREPARE by_email (text) AS SELECT id FROM customer WHERE lower(email) = $1;
PREPARE open_ones AS SELECT id, made FROM purchase WHERE state = 'open' ORDER BY made LIMIT 10;
PREPARE odd (integer) AS SELECT "select" FROM "Odd ""table""" WHERE "the key" = $1;
PREPARE tiny (integer) AS SELECT id FROM small WHERE id = $1;
PREPARE events (integer) AS SELECT body FROM event WHERE kind = $1;
PREPARE served (integer) AS SELECT town FROM customer WHERE id = $1;
SELECT format('EXECUTE latest(%s); EXECUTE by_email(''name%s@example.com''); EXECUTE open_ones; EXECUTE odd(%s); EXECUTE tiny(%s); EXECUTE events(%s); EXECUTE served(%s)',
	i, i, i, i, i, i) FROM generate_series(1, 5) AS i \gexec
-- No index can be built for that.
SELECT count(*) FROM purchase WHERE made::timestamptz::date = '2026-01-05';
\o
SELECT rank IS NOT NULL AS advised, table_name, index_name, index_columns, method, cost_before > 2 * cost_after AS cheaper,
	size_bytes > 0 AS sized, cardinality(queries) AS statements, calls, lock_taken, fix_sql, undo_sql
FROM remedy.missing_indexes WHERE rank IS NOT NULL ORDER BY table_name COLLATE "C", fix_sql COLLATE "C" \gx
SELECT table_name, reason FROM remedy.missing_indexes WHERE rank IS NULL ORDER BY table_name COLLATE "C", reason COLLATE "C";
SELECT bool_and(evidence ~ '^\d+ statements?, \d+ calls, \d+ ms, [\d.]+ % of the observed time; planned cost of a call \d+, with the index \d+$') AS said
FROM remedy.missing_indexes WHERE rank IS NOT NULL;

-- A budget.
SELECT count(*) FILTER (WHERE rank IS NOT NULL) AS advised, bool_or(reason LIKE '%no room for it%') AS told FROM remedy.advise_indexes(NULL, 2);
SELECT coalesce(sum(size_bytes), 0) <= 600000 AS kept FROM remedy.advise_indexes(600000);
SELECT FROM remedy.advise_indexes(0);
SELECT FROM remedy.advise_indexes(NULL, -1);

-- The findings have them now, and suites may refuse them.
SELECT kind, severity, object, fix_sql FROM remedy.findings WHERE kind = 'missing_index' ORDER BY object COLLATE "C", fix_sql COLLATE "C";
\set VERBOSITY terse
SELECT remedy.assert_no_missing_index('small');
SELECT remedy.assert_no_missing_index('purchase');
\set VERBOSITY default

-- What is built is noticed, and no more advised.
SELECT format('%s', replace(fix_sql, ' CONCURRENTLY', '')) FROM remedy.missing_indexes WHERE rank IS NOT NULL ORDER BY table_name COLLATE "C", fix_sql COLLATE "C" \gexec
SELECT count(*) FROM remedy.missing_indexes WHERE rank IS NOT NULL;
SELECT remedy.assert_no_missing_index();
SELECT table_name, index_name, verdict, statements, calls_before FROM remedy.index_outcomes ORDER BY table_name COLLATE "C", index_name COLLATE "C";
SELECT count(*) FROM remedy.findings WHERE kind = 'missing_index';

-- A value that is written all the time and read now and then.
\o /dev/null
SELECT remedy.reset();
CREATE INDEX ON reading (device);
UPDATE reading SET seen = '2026-02-01' WHERE device <= 1000;
UPDATE reading SET seen = '2026-02-02' WHERE device <= 2000;
UPDATE reading SET seen = '2026-02-03' WHERE device <= 3000;
PREPARE stale (timestamp) AS SELECT count(*) FROM reading WHERE seen < $1;
EXECUTE stale('2026-01-01 00:01'); EXECUTE stale('2026-01-01 00:02'); EXECUTE stale('2026-01-01 00:03');
\o
SELECT rank, table_name, index_columns, regexp_replace(reason, '\d+', 'n', 'g') AS reason FROM remedy.missing_indexes WHERE table_name = 'store.reading';

-- Statements of others are for those who may read them.
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA store TO regress_reader;
SET ROLE regress_reader;
SELECT count(*) FROM remedy.missing_indexes;
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

-- A moment in a text is no predicate, however often it comes back.
\o /dev/null
DROP INDEX purchase_made_idx;
SELECT remedy.reset();
SELECT id FROM purchase WHERE made <= '2026-02-01 00:00' AND total = 7 AND state = 'open';
SELECT id FROM purchase WHERE made <= '2026-02-01 00:00' AND total = 7 AND state = 'open';
SELECT id FROM purchase WHERE made <= '2026-02-01 00:00' AND total = 7 AND state = 'open';
SELECT id FROM purchase WHERE made <= '2026-02-01 00:00' AND total = 7 AND state = 'open';
\o
SELECT count(*) FILTER (WHERE definition LIKE '%WHERE%state%') > 0 AS by_state, count(*) FILTER (WHERE definition LIKE '%WHERE%made%') AS by_moment
FROM remedy.missing_indexes;

-- Columns whose values go together need statistics, not an index.
CREATE TABLE address (id integer, town text, "post code" text, body text);
INSERT INTO address SELECT i, 'town' || i % 50, 'code' || i % 50, repeat('x', 60) FROM generate_series(1, 20000) AS i;
ANALYZE address;
\o /dev/null
PREPARE in_town (text, text) AS SELECT count(*) FROM address WHERE town = $1 AND "post code" = $2;
EXECUTE in_town('town1', 'code1'); EXECUTE in_town('town2', 'code2'); EXECUTE in_town('town3', 'code3');
\o
SELECT table_name, columns, kept_ratio > 10 * estimated_ratio AS far, cardinality(queries) AS statements,
	regexp_replace(why, '[\d.]+', 'n') AS why, fix_sql FROM remedy.missing_statistics \gx
SELECT fix_sql FROM remedy.missing_statistics \gexec
SELECT count(*) FROM remedy.missing_statistics;

-- A function in an expression is never called with the rights of somebody else whose statements would gain too.
\o /dev/null
SELECT remedy.reset();
CREATE ROLE regress_spy;
CREATE ROLE regress_victim;
CREATE TABLE lot (number integer, name text, secret integer);
INSERT INTO lot SELECT i % 5000, 'Name' || i % 500, i FROM generate_series(1, 30000) AS i;
VACUUM ANALYZE lot;
GRANT USAGE ON SCHEMA store TO regress_spy, regress_victim;
GRANT SELECT ON lot TO regress_spy, regress_victim;
-- A lock tells who called it, whatever was rolled back.
CREATE FUNCTION spy(value text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_try_advisory_lock(77, current_user::regrole::oid::integer); RETURN lower(value); END $$;
\set ECHO none
SET ROLE regress_spy;
SELECT format('SELECT name FROM lot WHERE number = %s AND spy(name) = ''name7''', i) FROM generate_series(1, 40) AS i \gexec
SET ROLE regress_victim;
SELECT format('SELECT secret FROM lot WHERE number = %s', i) FROM generate_series(1, 3) AS i \gexec
\set ECHO all
RESET ROLE;
\o
SELECT count(*) > 0 AS advised FROM remedy.missing_indexes WHERE table_name = 'store.lot' AND rank IS NOT NULL;
SELECT objid::regrole AS caller FROM pg_locks WHERE locktype = 'advisory' AND classid = 77;
DROP TABLE lot;
DROP OWNED BY regress_spy, regress_victim;
DROP ROLE regress_spy, regress_victim;

-- As a migration.
\o /dev/null
SELECT remedy.reset();
DROP INDEX "Odd ""table""_the key_idx";
EXECUTE odd(1); EXECUTE odd(2); EXECUTE odd(3);
\o
SELECT regexp_replace(remedy.index_migration('sql'), '[\d.]+ (ms|%)', 'n \1', 'g');
SELECT remedy.reset();
DROP SCHEMA store CASCADE;

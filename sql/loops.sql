-- Loops without a parent, inside the server, and what is none. Without a watch: each stretch is an explicit
-- transaction, or a burst that the one before is parted from by DISCARD ALL.
\set ECHO none
\o /dev/null
SET client_min_messages = warning;
CREATE SCHEMA loops;
SET search_path = loops;
CREATE TABLE item (id integer PRIMARY KEY, owner integer, name text);
INSERT INTO item SELECT i, i % 7, 'item ' || i FROM generate_series(1, 200) AS i;
CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item integer REFERENCES item, note text);
CREATE FUNCTION found(OUT level text, OUT kind text, OUT direction text, OUT child text, OUT repeats bigint, OUT total bigint,
                      OUT units bigint, OUT batched boolean) RETURNS SETOF record LANGUAGE sql
	AS $$ SELECT level, kind, direction, child_table || coalesce('.' || child_column, ''), repeats_max, repeats_total, units,
	             batched_query IS NOT NULL
	      FROM remedy.n_plus_one WHERE database = current_database() AND child_table LIKE 'loops.%'
	      ORDER BY child_table, child_column, kind, child_query $$;
\pset format unaligned
\pset tuples_only on
\set again 'DISCARD ALL; SET client_min_messages = warning; SET search_path = loops; SET pg_remedy.burst_gap = ''10s'';'
:again
SELECT remedy.reset();
\o
\echo a look-up by the whole key, thirty times
\o /dev/null
:again
SELECT format('SELECT * FROM item WHERE id = %s', 3 * i) FROM generate_series(1, 30) AS i \gexec
:again
\o
SELECT * FROM found();
\o /dev/null
SELECT remedy.reset();
:again
\o
\echo not by a part of a key that finds many, nor nine times
\o /dev/null
SELECT format('SELECT * FROM item WHERE owner = %s', i) FROM generate_series(1, 30) AS i \gexec
:again
SELECT format('SELECT * FROM item WHERE id = %s', 3 * i) FROM generate_series(1, 9) AS i \gexec
:again
\o
SELECT * FROM found();
\o /dev/null
\o
\echo not among twice as many others
\o /dev/null
SELECT CASE k WHEN 0 THEN format('SELECT * FROM item WHERE id = %s', 3 * i) WHEN 1 THEN 'SELECT count(*) FROM event' ELSE 'SELECT max(item) FROM event' END
FROM generate_series(1, 30) AS i, generate_series(0, 2) AS k ORDER BY i, k \gexec
:again
\o
SELECT * FROM found();
\echo the same again: twenty times, also with a comment of its own behind each
\o /dev/null
SELECT format('SELECT name FROM item WHERE id = 7 /* place %s */', i) FROM generate_series(1, 20) AS i \gexec
:again
\o
SELECT * FROM found();
\o /dev/null
SELECT remedy.reset();
:again
\o
\echo not the same: pages of one owner; other values behind a comment
\o /dev/null
SELECT format('SELECT name FROM item WHERE owner = 5 ORDER BY id LIMIT 2 OFFSET %s', 2 * i) FROM generate_series(1, 20) AS i \gexec
:again
SELECT format('/* page */ SELECT name FROM item WHERE owner = 5 AND id > %s', i) FROM generate_series(1, 20) AS i \gexec
:again
PREPARE page AS SELECT name FROM item WHERE owner = $1 ORDER BY id OFFSET $2;
SELECT format('EXECUTE page(5, %s)', i) FROM generate_series(1, 20) AS i \gexec
:again
\o
SELECT * FROM found();
\echo single rows written, alone and each in a transaction of its own
\o /dev/null
SELECT format('INSERT INTO event (item, note) VALUES (%s, ''new'')', i) FROM generate_series(1, 20) AS i \gexec
:again
SELECT c FROM generate_series(1, 15) AS i, LATERAL (VALUES (1, 'BEGIN'), (2, format('UPDATE item SET name = ''x'' WHERE id = %s', i)), (3, 'COMMIT')) AS v(n, c)
ORDER BY i, n \gexec
:again
SELECT format('DELETE FROM event WHERE id = %s', i) FROM generate_series(1, 12) AS i \gexec
:again
\o
SELECT * FROM found();
\o /dev/null
SELECT remedy.reset();
:again
\o
\echo not: the same row written again and again, many rows at once, too few
\o /dev/null
SELECT format('UPDATE item SET name = %L WHERE id = 5', i) FROM generate_series(1, 20) AS i \gexec
:again
SELECT format('INSERT INTO event (item) VALUES (%s), (%s)', i, i + 1) FROM generate_series(1, 20) AS i \gexec
:again
SELECT format('INSERT INTO event (item) VALUES (%s)', i) FROM generate_series(1, 9) AS i \gexec
:again
\o
SELECT * FROM found();
\echo among other statements of one transaction
\o /dev/null
BEGIN;
SELECT CASE k WHEN 0 THEN format('INSERT INTO event (item) VALUES (%s)', i) WHEN 1 THEN 'SELECT count(*) FROM pg_class' ELSE 'SELECT max(id) FROM item' END
FROM generate_series(1, 12) AS i, generate_series(0, 2) AS k ORDER BY i, k \gexec
COMMIT;
\o
SELECT * FROM found();
\o /dev/null
SELECT remedy.reset();
:again
\o
\echo a transaction that wrote and was rolled back did it in vain; one that only read did not
\o /dev/null
BEGIN;
SELECT format('INSERT INTO event (item) VALUES (%s)', i) FROM generate_series(1, 20) AS i \gexec
SELECT format('SELECT * FROM item WHERE id = %s', 3 * i) FROM generate_series(1, 30) AS i \gexec
\o
SELECT kind, repeats FROM found();
ROLLBACK;
SELECT * FROM found();
\o /dev/null
:again
BEGIN;
SELECT format('SELECT * FROM item WHERE id = %s', 3 * i) FROM generate_series(1, 30) AS i \gexec
ROLLBACK;
\o
SELECT * FROM found();
\o /dev/null
SELECT remedy.reset();
:again
\o
\echo five transactions with twenty look-ups each are five units, whichever are looked at
\o /dev/null
SELECT c FROM generate_series(1, 5) AS t, LATERAL (SELECT 0, 'BEGIN' UNION ALL SELECT i, format('SELECT name FROM item WHERE id = %s', t * 20 + i) FROM generate_series(1, 20) AS i UNION ALL SELECT 99, 'COMMIT') AS v(n, c)
ORDER BY t, n \gexec
:again
\o
SELECT * FROM found();
\o /dev/null
SELECT remedy.reset();
:again
\o
\echo another trace is another request
\o /dev/null
SELECT format('SELECT * FROM item WHERE id = %s /*traceparent=''00-%s-c532cb4098ac3dd2-01''*/', 3 * i, lpad((i / 6)::text, 32, '0')) FROM generate_series(1, 30) AS i \gexec
:again
\o
SELECT * FROM found();
\echo inside the server: a block, a function, a trigger; not what checks references
\o /dev/null
DO $$ DECLARE i integer; t text; BEGIN FOR i IN 1 .. 30 LOOP SELECT name INTO t FROM loops.item WHERE id = i; END LOOP; END $$;
CREATE FUNCTION name_of(i integer) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT name AS wanted FROM loops.item WHERE id = i); END';
SELECT max(name_of(id)) FROM item;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE loops.item SET owner = 0 WHERE id = NEW.item; RETURN NULL; END';
CREATE TRIGGER note AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO event (item) SELECT i FROM generate_series(1, 40) AS i;
:again
\o
SELECT * FROM found();
\o /dev/null
SELECT remedy.reset();
SET client_min_messages = warning;
DROP SCHEMA loops CASCADE;

-- N+1: found by its values, counted exactly, and nothing else taken for it.
\set VERBOSITY terse
SET client_min_messages = warning;
-- The first call loads the library where it is not preloaded.
SELECT remedy.transaction_statements();

CREATE SCHEMA "the app";
SET search_path = "the app";
CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE book (id bigint PRIMARY KEY, author_id integer NOT NULL REFERENCES author, title text NOT NULL);
CREATE TABLE page (id integer PRIMARY KEY, book_id bigint NOT NULL REFERENCES book, number integer);
CREATE TABLE note (author integer, words text); -- no foreign key
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 10) AS i;
INSERT INTO book SELECT i, (i - 1) / 9 + 1, 'book ' || i FROM generate_series(1, 90) AS i;
INSERT INTO page SELECT i, i, 1 FROM generate_series(1, 90) AS i;
CREATE VIEW "all books" AS SELECT b.id AS "book id", b.author_id AS "of", b.title FROM book AS b;
ANALYZE;

-- What a psql script can do in place of an application: \gexec runs a statement
-- for each row, with the row's value in its text.
CREATE FUNCTION found(OUT kind text, OUT direction text, OUT child text, OUT parent text, OUT repeats bigint,
                      OUT parent_rows bigint) RETURNS SETOF record LANGUAGE sql
	AS $$ SELECT kind, direction, child_table || '.' || child_column, parent_table || '.' || parent_column, repeats_max,
	             parent_rows
	      FROM remedy.n_plus_one WHERE database = current_database() AND application_name = 'regress_repetition'
	      ORDER BY child_query $$;
SET application_name = 'regress_repetition';
\pset format unaligned
\pset tuples_only on

\o /dev/null
\set ECHO none
-- Books of each author, in a transaction.
BEGIN;
SELECT id FROM author;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author \gexec
COMMIT;
\set ECHO all
\o
SELECT * FROM found();
SELECT level, units, repeats_total, server_ms > 0, waiting_ms > 0, advice, batched_query, parent_query, child_query
FROM remedy.n_plus_one WHERE application_name = 'regress_repetition';
SELECT remedy.reset();

\o /dev/null
\set ECHO none
-- The nested page: authors, books of each, pages of each book. Two findings, 10
-- and 90, whatever the order.
SELECT remedy.watch();
SELECT * FROM author;
SELECT CASE level WHEN 1 THEN format('SELECT * FROM book WHERE author_id = %s', id)
       ELSE format('SELECT * FROM page WHERE book_id = %s', id) END
FROM (SELECT id AS author_id, 1 AS level, id::bigint AS id FROM author
      UNION ALL SELECT author_id, 2, id FROM book) AS u
ORDER BY author_id, level, id \gexec
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.assert_statements(102);
SELECT remedy.assert_statements(101);
\set VERBOSITY default
SELECT remedy.assert_statements(6);
SELECT remedy.assert_no_n_plus_one();
\set VERBOSITY terse
SELECT remedy.reset();
\o /dev/null
\set ECHO none
SELECT remedy.watch();
SELECT * FROM author;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author \gexec
SELECT format('SELECT * FROM page WHERE book_id = %s', id) FROM book \gexec
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.reset();

\o /dev/null
\set ECHO none
-- The author of each book: N:1; ask again for a second book of the same author.
SELECT remedy.watch();
SELECT id, author_id FROM book WHERE id <= 30;
SELECT format('SELECT * FROM author WHERE id = %s', author_id) FROM book WHERE id <= 30 \gexec
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.reset();

\o /dev/null
\set ECHO none
-- Counts and existence, through a view, with the column on the right, of a bigint
-- compared with an integer; through a subquery; by a parameter.
SELECT remedy.watch();
SELECT "book id" FROM "all books" WHERE "book id" < 7;
SELECT format('SELECT count(*) FROM page WHERE %s = book_id', id) FROM book WHERE id < 7 \gexec
SELECT format('SELECT 1 FROM page WHERE book_id = %s LIMIT 1', id) FROM book WHERE id < 7 \gexec
SELECT format('SELECT EXISTS (SELECT FROM page WHERE book_id = %s)', id) FROM book WHERE id < 7 \gexec
SELECT format('SELECT count(*) FROM (SELECT id FROM page WHERE book_id = %s) AS anon_1', id) FROM book WHERE id < 7 \gexec
SELECT format('SELECT * FROM "all books" WHERE "book id" = %s', id) FROM book WHERE id < 7 \gexec
PREPARE pages(bigint) AS SELECT id FROM page WHERE book_id = $1;
SELECT format('EXECUTE pages(%s)', id) FROM book WHERE id < 7 \gexec
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.reset();

-- Negatives. Four repeats are below the threshold; one statement for all rows;
-- keys that no statement returned; a column without
-- a foreign key; pages of a list; a queue; a list and one detail, ten times. The same row
-- again and again is a duplicate, and what a block runs again and again a loop of the server.
\o /dev/null
\set ECHO none
SELECT remedy.watch();
SELECT id FROM author;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author LIMIT 4 \gexec
SELECT * FROM book WHERE author_id IN (1, 2, 3);
SELECT * FROM book WHERE author_id = ANY ('{1, 2, 3}');
SELECT 'SELECT title FROM book WHERE author_id = 3' FROM generate_series(1, 20) \gexec
SELECT remedy.watch();
SELECT id FROM author WHERE id < 6;
SELECT format('SELECT * FROM author WHERE id = %s', id) FROM author WHERE id >= 6 \gexec
SELECT remedy.watch();
SELECT id FROM author;
SELECT format('SELECT * FROM note WHERE author = %s', id) FROM author \gexec
SELECT format('SELECT * FROM book ORDER BY id LIMIT 5 OFFSET %s', 5 * id) FROM author \gexec
SELECT format('SELECT * FROM book WHERE id > %s ORDER BY id LIMIT 5', 5 * id) FROM author \gexec
SELECT format('SELECT * FROM book WHERE author_id = %s FOR UPDATE SKIP LOCKED', id) FROM author \gexec
SELECT remedy.watch();
SELECT CASE WHEN i = 0 THEN 'SELECT id FROM book' ELSE format('SELECT * FROM book WHERE id = %s', i * 3) END
FROM generate_series(1, 10) AS page, LATERAL (VALUES (0), (page)) AS v(i) \gexec
SELECT remedy.watch();
DO $$ DECLARE a integer; BEGIN
	FOR a IN SELECT id FROM author LOOP PERFORM * FROM book WHERE author_id = a; END LOOP;
END $$;
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.assert_no_n_plus_one();

-- A cursor drives the loop.
\o /dev/null
\set ECHO none
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM author ORDER BY id;
SELECT CASE i % 2 WHEN 1 THEN 'FETCH 1 FROM c' ELSE format('SELECT * FROM book WHERE author_id = %s', i / 2) END
FROM generate_series(1, 20) AS i \gexec
COMMIT;
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.reset();

-- Without a watch, an explicit transaction is one unit of work, the next another.
SELECT remedy.unwatch();
\o /dev/null
\set ECHO none
BEGIN;
SELECT id FROM author;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author WHERE id <= 7 \gexec
COMMIT;
BEGIN;
SELECT id FROM author;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author WHERE id <= 5 \gexec
ROLLBACK;
\set ECHO all
\o
SELECT repeats_max, repeats_total, units FROM remedy.n_plus_one WHERE application_name = 'regress_repetition';
SELECT remedy.reset();

-- The routes that a loop is on are told apart.
\o /dev/null
\set ECHO none
BEGIN;
SELECT id FROM author /* route='%2Fauthors%2Fall' */;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author \gexec
COMMIT;
BEGIN;
SELECT id FROM author /* controller='home',action='index' */;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author WHERE id <= 5 \gexec
COMMIT;
BEGIN;
SELECT id FROM author;
SELECT format('SELECT * FROM book WHERE author_id = %s', id) FROM author WHERE id <= 6 \gexec
COMMIT;
\set ECHO all
\o
SELECT route, repeats_max, units, count(*) OVER (PARTITION BY key) FROM remedy.n_plus_one
WHERE application_name = 'regress_repetition' ORDER BY repeats_max DESC;
SELECT remedy.reset();

-- A result that was noted a hundred times in vain is not noted again, until something
-- repeats after it.
\o /dev/null
\set ECHO none
SELECT 'SELECT id, name FROM author' FROM generate_series(1, 120) \gexec
SELECT remedy.reset();
BEGIN;
SELECT id, name FROM author;
SELECT format('SELECT id FROM book WHERE author_id = %s', id) FROM author \gexec
COMMIT;
\set ECHO all
\o
SELECT * FROM found();
\o /dev/null
\set ECHO none
BEGIN;
SELECT id, name FROM author;
SELECT format('SELECT id FROM book WHERE author_id = %s', id) FROM author \gexec
COMMIT;
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.reset();

-- A statement that fails is no repeat.
\o /dev/null
\set ECHO none
SELECT remedy.watch();
SELECT id FROM author;
SELECT format('SELECT 1 / (id - %1$s) FROM author WHERE id = %1$s', id) FROM author \gexec
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.reset();

-- A loop of 2,000 is 2,000.
CREATE TABLE many (id integer PRIMARY KEY, up integer REFERENCES many);
INSERT INTO many SELECT i, NULLIF(i / 2, 0) FROM generate_series(1, 2000) AS i;
\o /dev/null
\set ECHO none
BEGIN;
SELECT id FROM many;
SELECT format('SELECT * FROM many AS m WHERE m.up = %s', id) FROM many \gexec
COMMIT;
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.reset();

-- The same texts over the tables of another schema, with other column numbers.
CREATE SCHEMA other;
CREATE TABLE other.author (filler text, id integer PRIMARY KEY);
CREATE TABLE other.book (filler text, author_id integer REFERENCES other.author);
INSERT INTO other.author SELECT '', generate_series(1, 6);
\o /dev/null
\set ECHO none
SELECT remedy.watch();
SELECT id FROM author;
SELECT format('SELECT author_id FROM book WHERE author_id = %s', id) FROM author \gexec
SET search_path = other;
SELECT id FROM author;
SELECT format('SELECT author_id FROM book WHERE author_id = %s', id) FROM author \gexec
SET search_path = "the app";
SELECT remedy.unwatch();
\set ECHO all
\o
SELECT child, parent, repeats FROM found() ORDER BY child;
DROP SCHEMA other CASCADE;
SELECT remedy.reset();

-- A table that is dropped in the middle of the loop; a cursor whose text stands for
-- another table each time.
CREATE TABLE gone (id integer PRIMARY KEY);
CREATE TABLE left_over (gone_id integer REFERENCES gone);
INSERT INTO gone SELECT generate_series(1, 9);
\o /dev/null
\set ECHO none
BEGIN;
SELECT id FROM gone;
SELECT format('SELECT gone_id FROM left_over WHERE gone_id = %s', id) FROM gone WHERE id <= 6 \gexec
DROP TABLE gone CASCADE;
SELECT format('SELECT gone_id FROM left_over WHERE gone_id = %s', i) FROM generate_series(5, 9) AS i \gexec
COMMIT;
CREATE SCHEMA other;
CREATE TABLE other.author (filler text, name text, id integer PRIMARY KEY);
BEGIN;
SET LOCAL search_path = other;
DECLARE c CURSOR FOR SELECT * FROM author;
FETCH ALL FROM c;
CLOSE c;
SET LOCAL search_path = "the app";
DECLARE c CURSOR FOR SELECT * FROM author;
\set ECHO all
\o
FETCH 1 FROM c;
COMMIT;
SELECT * FROM found();
DROP SCHEMA other CASCADE;

-- What is done about it.
SET pg_remedy.n_plus_one_action = 'warning';
\o /dev/null
\set ECHO none
BEGIN;
SELECT id FROM author;
\set ECHO all
\o
\set VERBOSITY default
SELECT format('SELECT b.id FROM book AS b WHERE b.author_id = %s AND false', id) FROM author \gexec
COMMIT;
SET pg_remedy.n_plus_one_action = 'error';
SET pg_remedy.n_plus_one_threshold = 3;
BEGIN;
SELECT id FROM author WHERE id < 5;
SELECT format('SELECT b.title FROM book AS b WHERE b.author_id = %s AND false', id) FROM author \gexec
ROLLBACK;
SELECT * FROM found();
RESET pg_remedy.n_plus_one_action;
RESET pg_remedy.n_plus_one_threshold;
SELECT remedy.reset();

-- Hostile names.
CREATE TABLE "a ""quoted"" %s \ table" ("the ""key""" integer PRIMARY KEY);
CREATE TABLE "na
me" (id integer PRIMARY KEY, "up" integer REFERENCES "a ""quoted"" %s \ table");
INSERT INTO "a ""quoted"" %s \ table" SELECT generate_series(1, 6);
\o /dev/null
\set ECHO none
SELECT remedy.watch();
SELECT * FROM "a ""quoted"" %s \ table";
SELECT format('SELECT * FROM %I WHERE up = %s', E'na\nme', i) FROM generate_series(1, 6) AS i \gexec
\set ECHO all
\o
SELECT * FROM found();
SELECT remedy.assert_no_n_plus_one();
SELECT remedy.reset();

-- Bad input, and assertions without a watch.
SELECT remedy.assert_no_n_plus_one('certain');
SELECT remedy.assert_statements(-1);
\c -
SET client_min_messages = warning;
SELECT remedy.assert_statements(1);
SELECT remedy.assert_no_n_plus_one();
SELECT count(*) FROM remedy.watched;
-- An empty stretch.
SELECT remedy.watch();
SELECT remedy.assert_statements(0);
SELECT remedy.assert_statements(-1);
SELECT remedy.assert_no_n_plus_one('possible');
-- A pool hands the session on.
DISCARD ALL;
SELECT remedy.assert_statements(0);
SELECT remedy.unwatch();

SET client_min_messages = warning;
DROP SCHEMA "the app" CASCADE;

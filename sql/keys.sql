-- Keys and values of every kind: what ties a loop to the statement whose rows drive it.
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT remedy.transaction_statements();

CREATE SCHEMA keys;
SET search_path = keys;
SET application_name = 'regress_keys';
-- A case: a watched stretch with a parent and its loop, and what was found; to be run by \gexec.
CREATE FUNCTION loop("case" text, parent text, child text, VARIADIC "values" text[]) RETURNS SETOF text LANGUAGE sql
	AS $$ SELECT 'SELECT remedy.watch()' UNION ALL SELECT parent UNION ALL SELECT format(child, v) FROM unnest("values") AS v
	      UNION ALL SELECT format('SELECT keep(%L)', "case") $$;
CREATE TABLE found ("case" text, kind text, direction text, child text, parent text, repeats bigint, parent_rows bigint);
CREATE FUNCTION keep("case" text) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO found SELECT "case", f.*
	      FROM (VALUES (1)) AS one LEFT JOIN (
	        SELECT kind, direction, child_table || '.' || child_column,
	               coalesce(parent_table || '.' || parent_column, 'a value'), repeats_max, parent_rows
	        FROM remedy.n_plus_one
	        WHERE database = current_database() AND application_name = 'regress_keys' AND parent_query IS NOT NULL) AS f ON true;
	      SELECT remedy.reset() $$;
\pset format unaligned
\pset tuples_only on
\set ECHO none
\o /dev/null

\o
\qecho '-- Every type that makes a key; literals of unknown type, and parameters.'
\o /dev/null
CREATE TYPE color AS ENUM ('red', 'blue', 'green', 'white', 'black');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN code AS varchar(10);
CREATE TABLE kinds (i2 smallint UNIQUE, i4 integer UNIQUE, i8 bigint UNIQUE, n numeric UNIQUE, f numeric(12, 2) UNIQUE,
                    o oid UNIQUE, t text UNIQUE, v varchar(20) UNIQUE, c char(20) UNIQUE, a name UNIQUE, u uuid UNIQUE,
                    e color UNIQUE, p positive UNIQUE, x code UNIQUE, d date UNIQUE, s timestamptz UNIQUE, b bytea UNIQUE);
INSERT INTO kinds SELECT i, -i, i, i, i + 0.5, i, 'text ' || i, 'varchar ' || i, 'char ' || i, 'name ' || i,
                         md5(i::text)::uuid, (enum_range(NULL::color))[i], i, 'code ' || i, DATE '2026-01-01' + i,
                         TIMESTAMPTZ '2026-01-01 00:00+00' + i * INTERVAL '1 day', int4send(i)
FROM generate_series(1, 5) AS i;
CREATE TEMP TABLE held AS SELECT key, array_agg(value) AS "values"
FROM kinds AS k, json_each_text(row_to_json(k)) AS j (key, value) GROUP BY key;
SELECT loop(key || ' by literal', format('SELECT %I FROM kinds', key), format('SELECT 1 FROM kinds WHERE %I = %%L', key),
            VARIADIC "values") FROM held \gexec
-- Each is prepared right before its loop: what other statements leave of a shape (48 sets of four, chosen by fingerprints,
-- which depend on OIDs) is not what is tested here.
SELECT run.statement FROM held, LATERAL (
  SELECT format('PREPARE q_%s AS SELECT 1, 2 FROM kinds WHERE %I = $1', key, key) UNION ALL
  SELECT loop(key || ' by parameter', format('SELECT %I FROM kinds', key), format('EXECUTE q_%s(%%L)', key), VARIADIC "values")
) AS run (statement) \gexec
-- Lists of one element are loops in disguise.
SELECT loop(key || ' in list', format('SELECT %I FROM kinds', key),
            format('SELECT 1 FROM kinds WHERE %I = ANY (ARRAY[%%L]::%s[])', key, format_type(atttypid, atttypmod)),
            VARIADIC "values") FROM held JOIN pg_attribute ON attname = key AND attrelid = 'kinds'::regclass \gexec
SELECT run.statement FROM held JOIN pg_attribute ON attname = key AND attrelid = 'kinds'::regclass, LATERAL (
  SELECT format('PREPARE l_%s AS SELECT 1, 2 FROM kinds WHERE %I = ANY ($1)', key, key) UNION ALL
  SELECT loop(key || ' in parameter', format('SELECT %I FROM kinds', key),
              format('EXECUTE l_%s(ARRAY[%%L]::%s[])', key, format_type(atttypid, atttypmod)), VARIADIC "values")
) AS run (statement) \gexec
\o
SELECT * FROM found ORDER BY "case" COLLATE "C", child COLLATE "C";
\o /dev/null
TRUNCATE found;

\o
\qecho '-- The same value in another type, or written differently.'
\o /dev/null
CREATE TABLE number (id numeric PRIMARY KEY, name text);
CREATE TABLE of_number (number_id numeric REFERENCES number, small integer, words text, padded char(40), u uuid);
CREATE INDEX ON of_number (number_id);
INSERT INTO number SELECT i, 'number ' || i FROM generate_series(1, 6) AS i;
INSERT INTO number VALUES (9223372036854775807), (-9223372036854775808), (1e18), (1e4), (12345678), (0);
CREATE TABLE whole (id integer PRIMARY KEY);
CREATE TABLE of_whole (whole_id numeric, whole_text varchar(10), whole_id2 integer REFERENCES whole,
                       FOREIGN KEY (whole_id) REFERENCES number);
CREATE TABLE word (id varchar(20) PRIMARY KEY);
CREATE TABLE of_word (word_id text REFERENCES word, padded char(30));
INSERT INTO whole SELECT generate_series(1, 6);
INSERT INTO word SELECT 'word ' || i FROM generate_series(1, 6) AS i;
SELECT loop('numeric, integer constant', 'SELECT id FROM number', 'SELECT 1 FROM of_number WHERE number_id = %s',
            '1', '2', '3', '4', '5', '6') \gexec
SELECT loop('numeric, other scale', 'SELECT id FROM number', 'SELECT 1, 2 FROM of_number WHERE number_id = %s',
            '1.0', '2.00', '3.000', '4.0', '5.0') \gexec
SELECT loop('numeric, limits', 'SELECT id FROM number', 'SELECT 1, 3 FROM of_number WHERE number_id = (%L)::bigint',
            '9223372036854775807', '-9223372036854775808', '1000000000000000000', '10000', '12345678', '0') \gexec
SELECT loop('integer, numeric constant', 'SELECT id FROM whole', 'SELECT 1 FROM of_whole WHERE whole_id2 = %s.0',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('integer, bigint constant', 'SELECT id FROM whole',
            'SELECT 1, 2 FROM of_whole WHERE whole_id2 = %s::bigint',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('integer, text constant', 'SELECT id FROM whole',
            'SELECT 1, 3 FROM of_whole WHERE whole_id2 = ''%s''::text::integer',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('integer as text', 'SELECT id FROM whole',
            'SELECT 1, 4 FROM of_whole WHERE whole_id2::text = %L',
            '1', '2', '3', '4', '5') \gexec
PREPARE text_for_integer(text) AS SELECT 1, 5 FROM of_whole WHERE whole_id2 = $1::integer;
SELECT loop('integer, text parameter', 'SELECT id FROM whole', 'EXECUTE text_for_integer(%L)', '1', '2', '3', '4', '5') \gexec
PREPARE numeric_for_integer(numeric) AS SELECT 1, 6 FROM of_whole WHERE whole_id2 = $1;
SELECT loop('integer, numeric parameter', 'SELECT id FROM whole', 'EXECUTE numeric_for_integer(%L)', '1', '2', '3', '4', '5') \gexec
PREPARE bigint_for_integer(bigint) AS SELECT 1, 7 FROM of_whole WHERE $1 = whole_id2;
SELECT loop('integer, bigint parameter', 'SELECT id FROM whole', 'EXECUTE bigint_for_integer(%L)', '1', '2', '3', '4', '5') \gexec
SELECT loop('text to varchar', 'SELECT id FROM word', 'SELECT 1 FROM of_word WHERE word_id = %L',
            'word 1', 'word 2', 'word 3', 'word 4', 'word 5') \gexec
SELECT loop('varchar, text constant', 'SELECT id FROM word', 'SELECT 1 FROM word WHERE id = %L::text',
            'word 1', 'word 2', 'word 3', 'word 4', 'word 5') \gexec
SELECT loop('varchar list of one', 'SELECT id FROM word',
            'SELECT 1 FROM word WHERE id = ANY (ARRAY[%L]::text[])',
            'word 1', 'word 2', 'word 3', 'word 4', 'word 5') \gexec
SELECT loop('char, unpadded text', 'SELECT c FROM kinds', 'SELECT 1, 2 FROM kinds WHERE c = %L::text',
            'char 1', 'char 2', 'char 3', 'char 4', 'char 5') \gexec
SELECT loop('uuid as text', 'SELECT u FROM kinds', 'SELECT 1, 2 FROM kinds WHERE u::text = %L', VARIADIC "values")
FROM held WHERE key = 'u' \gexec
PREPARE text_for_uuid(text) AS SELECT 1, 3 FROM kinds WHERE u = CAST($1 AS uuid);
SELECT loop('uuid, text parameter', 'SELECT u FROM kinds', 'EXECUTE text_for_uuid(%L)', VARIADIC "values") FROM held WHERE key = 'u' \gexec
SELECT loop('date as timestamp', 'SELECT d FROM kinds', 'SELECT 1, 3 FROM kinds WHERE d = %L::timestamp', VARIADIC "values")
FROM held WHERE key = 'd' \gexec
SELECT loop('never: rounded', 'SELECT f FROM kinds', 'SELECT 1, 4 FROM kinds WHERE f::integer = %s.5', '1', '2', '3', '4', '5') \gexec
\o
SELECT * FROM found ORDER BY "case" COLLATE "C", child COLLATE "C";
\o /dev/null
TRUNCATE found;

\o
\qecho '-- Forms that ORMs write.'
\o /dev/null
CREATE TABLE author (id integer PRIMARY KEY, name text);
CREATE TABLE book (id integer PRIMARY KEY, author_id integer REFERENCES author, place integer, UNIQUE (author_id, place));
CREATE INDEX ON book (author_id);
CREATE TABLE tag (id integer PRIMARY KEY, name text UNIQUE);
CREATE TABLE book_tag (book_id integer REFERENCES book, tag_id integer REFERENCES tag, PRIMARY KEY (book_id, tag_id));
CREATE TABLE order_line (book_id integer REFERENCES book, line integer, PRIMARY KEY (book_id, line));
CREATE TABLE piece (book_id integer, line integer, part integer, FOREIGN KEY (book_id, line) REFERENCES order_line);
CREATE INDEX ON piece (book_id, line);
CREATE TABLE person (id integer PRIMARY KEY, boss integer REFERENCES person, name text);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 6) AS i;
INSERT INTO book SELECT i, i, i FROM generate_series(1, 6) AS i;
INSERT INTO tag SELECT i, 'tag ' || i FROM generate_series(1, 6) AS i;
INSERT INTO book_tag SELECT i, i FROM generate_series(1, 6) AS i;
INSERT INTO order_line SELECT i, i + 10 FROM generate_series(1, 6) AS i;
INSERT INTO person SELECT i, nullif(i / 2, 0), 'person ' || i FROM generate_series(1, 13) AS i;
CREATE TABLE forms ("case" text, child text);
INSERT INTO forms VALUES
	('exists', 'SELECT EXISTS (SELECT 1 FROM book WHERE author_id = %s)'),
	('exists: not', 'SELECT NOT EXISTS (SELECT 1 FROM book WHERE author_id = %s)'),
	('exists: one', 'SELECT 1, 1 FROM book WHERE author_id = %s LIMIT 1'),
	('exists: Django', 'SELECT (1) FROM book WHERE author_id = %s LIMIT 1'),
	('exists: WHERE', 'SELECT 1, 1, 1 WHERE EXISTS (SELECT FROM book WHERE author_id = %s)'),
	('exists: CASE', 'SELECT CASE WHEN EXISTS (SELECT FROM book WHERE author_id = %s) THEN 1 ELSE 0 END'),
	('exists: TypeORM', 'SELECT 1 FROM (SELECT 1 AS dummy) AS d WHERE EXISTS (SELECT FROM book WHERE author_id = %s) LIMIT 1'),
	('select: a column that exists', 'SELECT id, EXISTS (SELECT FROM tag) FROM book WHERE author_id = %s'),
	('count', 'SELECT count(*) FROM book WHERE author_id = %s'),
	('count: subquery', 'SELECT count(*) FROM (SELECT id FROM book WHERE author_id = %s LIMIT 3) AS s'),
	('count: sum', 'SELECT coalesce(sum(id), 0) FROM book WHERE author_id = %s'),
	('count: min and max', 'SELECT min(id), max(id) FROM book WHERE author_id = %s'),
	('count: scalar', 'SELECT (SELECT count(*) FROM book WHERE author_id = %s)'),
	('count: handed on', 'SELECT n FROM (SELECT count(*) AS n FROM book WHERE author_id = %s) AS s'),
	('select: WITH', 'WITH b AS (SELECT * FROM book WHERE author_id = %s) SELECT id FROM b'),
	('select: WITH outside', 'WITH b AS MATERIALIZED (SELECT * FROM book) SELECT id FROM b WHERE author_id = %s'),
	('select: united subquery', 'SELECT id FROM (SELECT * FROM book WHERE id > 0 UNION ALL SELECT * FROM book) AS b WHERE b.author_id = %s'),
	('never: united of two', 'SELECT id FROM (SELECT author_id AS id FROM book UNION ALL SELECT id FROM book) AS b WHERE b.id = %s'),
	('select: joined as', 'SELECT j.id FROM (book JOIN tag USING (id)) AS j JOIN person USING (id) WHERE j.author_id = %s'),
	('select: the first', 'SELECT id FROM book WHERE author_id = %s ORDER BY id LIMIT 1'),
	('select: subquery', 'SELECT id FROM (SELECT * FROM book) AS b WHERE b.author_id = %s'),
	('select: join', 'SELECT id FROM book JOIN tag USING (id) WHERE author_id = %s'),
	('select: IN of one', 'SELECT id, 2 FROM book WHERE author_id IN (%s)'),
	('select: row', 'SELECT id, 3 FROM book WHERE (author_id, place) = (%s, 1)'),
	('select: row IN of one', 'SELECT id, 4 FROM book WHERE (place, author_id) IN ((7, %s))'),
	('select: not distinct', 'SELECT id, 5 FROM book WHERE author_id IS NOT DISTINCT FROM %s'),
	('select: outer', 'SELECT id, 6 FROM author LEFT JOIN book USING (id) WHERE author_id = %s'),
	('select: IN query', 'SELECT name FROM tag WHERE id IN (SELECT id FROM book WHERE author_id = %s)'),
	('select: grouped', 'SELECT author_id, count(*) FROM book WHERE author_id = %s GROUP BY author_id'),
	('select: union', 'SELECT id FROM book WHERE author_id = %s UNION SELECT id FROM tag'),
	('never: distinct', 'SELECT id, 7 FROM book WHERE author_id IS DISTINCT FROM %s'),
	('never: not', 'SELECT id FROM book WHERE NOT author_id = %s'),
	('never: or', 'SELECT id FROM book WHERE author_id = %s OR place = 1'),
	('never: list', 'SELECT id FROM book WHERE author_id IN (%1$s, 7)'),
	('never: array', 'SELECT id, 8 FROM book WHERE author_id = ANY (''{%s, 7}'')'),
	('never: all', 'SELECT id, 9 FROM book WHERE author_id = ALL (ARRAY[%s])'),
	('never: other operator', 'SELECT id, 10 FROM book WHERE author_id < ANY (''{%s}'')'),
	('never: queue below', 'SELECT id FROM book WHERE id = (SELECT id FROM book WHERE author_id = %s FOR UPDATE SKIP LOCKED)');
SELECT loop("case", 'SELECT id FROM author', child, '1', '2', '3', '4', '5') FROM forms \gexec
PREPARE several(integer[]) AS SELECT id FROM book WHERE author_id = ANY ($1);
SELECT loop('never: list parameter', 'SELECT id FROM author', 'EXECUTE several(''{%1$s, 7}'')', '1', '2', '3', '4', '5') \gexec
PREPARE elements(integer) AS SELECT id, 2 FROM book WHERE author_id = ANY (ARRAY[$1]);
SELECT loop('select: list around a parameter', 'SELECT id FROM author', 'EXECUTE elements(%s)', '1', '2', '3', '4', '5') \gexec
\o
SELECT * FROM found ORDER BY "case" COLLATE "C", child COLLATE "C";
\o /dev/null
TRUNCATE found;

\o
\qecho '-- Several columns, trees, and tables between.'
\o /dev/null
SELECT loop('composite foreign key', 'SELECT book_id, line FROM order_line',
            'SELECT part FROM piece WHERE book_id = %1$s AND line = 10 + %1$s',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('composite: folded', 'SELECT book_id, line FROM order_line',
            'SELECT part FROM piece WHERE book_id = %1$s AND line = 15',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('half of a composite key', 'SELECT id FROM book', 'SELECT line FROM order_line WHERE book_id = %1$s',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('whole composite key', 'SELECT id FROM book',
            'SELECT 1 FROM order_line WHERE book_id = %1$s AND line = 15',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('many to many', 'SELECT id FROM book',
            'SELECT t.name FROM tag AS t JOIN book_tag AS b ON b.tag_id = t.id WHERE b.book_id = %s',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('many to many, IN', 'SELECT id FROM book',
            'SELECT t.name FROM tag AS t WHERE id IN (SELECT tag_id FROM book_tag AS b WHERE b.book_id = %s)',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('up', 'SELECT boss, name FROM person', 'SELECT name FROM person WHERE id = %s',
            '1', '2', '3', '4', '5') \gexec
SELECT loop('down', 'SELECT id AS "root" FROM person WHERE boss IS NULL',
            'SELECT id FROM person WHERE boss = %s',
            '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13') \gexec
\o
SELECT * FROM found ORDER BY "case" COLLATE "C", child COLLATE "C";
\o /dev/null
TRUNCATE found;

\o
\qecho '-- Partitions, inheritance, views, materialised views.'
\o /dev/null
CREATE TABLE "all" (filler text, id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE low (id integer NOT NULL, filler text) PARTITION BY RANGE (id);
CREATE TABLE lowest PARTITION OF low FOR VALUES FROM (0) TO (50);
ALTER TABLE "all" ATTACH PARTITION low FOR VALUES FROM (0) TO (100);
CREATE TABLE high PARTITION OF "all" FOR VALUES FROM (100) TO (200);
CREATE TABLE part (id integer, filler text, all_id integer REFERENCES "all") PARTITION BY LIST (id);
CREATE TABLE part_1 (filler text, all_id integer, id integer);
ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1);
CREATE TABLE plain (all_id integer CONSTRAINT zero REFERENCES "all"); -- each partition has a constraint, before it by name
SELECT format('CREATE TABLE "all %1$s" PARTITION OF "all" FOR VALUES FROM (%1$s) TO (%1$s + 100)', n)
FROM generate_series(200, 1300, 100) AS n \gexec
INSERT INTO "all" SELECT '', i FROM generate_series(1, 6) AS i;
CREATE TABLE vehicle (id integer PRIMARY KEY, owner integer REFERENCES person);
CREATE TABLE car (doors integer, PRIMARY KEY (id)) INHERITS (vehicle);
INSERT INTO car SELECT i, i, 4 FROM generate_series(1, 6) AS i;
CREATE VIEW seen AS SELECT id AS number, upper(name) AS name, name AS plain_name, id::bigint + 3000000000 AS long FROM author;
CREATE VIEW seen_again AS SELECT 1 AS one, number AS of_view, long FROM (SELECT * FROM seen) AS s;
CREATE VIEW grouped AS SELECT author_id AS "group", count(*) FROM book GROUP BY author_id;
CREATE MATERIALIZED VIEW stored AS SELECT of_view AS key, of_view + 0 AS computed FROM seen_again;
CREATE VIEW united AS SELECT id AS same, id AS other FROM author UNION SELECT id, author_id FROM (SELECT author.id, author_id FROM author JOIN book USING (id)) AS s;
CREATE VIEW over_stored AS SELECT key FROM stored;
CREATE TABLE cases ("case" text, parent text, child text);
INSERT INTO cases VALUES
	('1 root, root', 'SELECT id FROM "all"', 'SELECT 1 FROM part WHERE all_id = %s'),
	('2 root, leaf', 'SELECT id FROM "all"', 'SELECT 1 FROM part_1 WHERE all_id = %s'),
	('3 middle, leaf', 'SELECT id FROM low', 'SELECT 1, 2 FROM part_1 WHERE all_id = %s'),
	('4 leaf, plain', 'SELECT id FROM lowest', 'SELECT 1 FROM plain WHERE all_id = %s'),
	('never: two columns', 'SELECT all_id FROM (VALUES (1), (2), (3), (4), (5)) AS v (i) LEFT JOIN plain ON false UNION ALL SELECT id FROM lowest',
	 'SELECT 1, 2 FROM plain WHERE all_id = %s'),
	('5 leaf, root', 'SELECT id FROM lowest', 'SELECT 1 FROM "all" WHERE id = %s'),
	('6 heir', 'SELECT id FROM vehicle', 'SELECT 1 FROM car WHERE id = %s'),
	('7 key of an heir', 'SELECT id FROM person', 'SELECT 1 FROM car WHERE owner = %s'),
	('8 view', 'SELECT number FROM seen', 'SELECT 1 FROM book WHERE author_id = %s'),
	('9 view of a view', 'SELECT of_view FROM seen_again', 'SELECT 1, 2 FROM book WHERE author_id = %s'),
	('A grouped view', 'SELECT "group" FROM grouped', 'SELECT 1 FROM seen WHERE number = %s'),
	('B grouped', 'SELECT author_id, count(*) FROM book GROUP BY author_id', 'SELECT 1 FROM author WHERE id = %s'),
	('C materialised', 'SELECT key FROM stored', 'SELECT 1, 3 FROM book WHERE author_id = %s'),
	('D view of materialised', 'SELECT key FROM over_stored', 'SELECT 1, 4 FROM book WHERE author_id = %s'),
	('E key of materialised', 'SELECT id FROM author', 'SELECT 1 FROM over_stored WHERE key = %s'),
	('J united roots', 'SELECT id FROM "all" UNION SELECT id FROM "all"', 'SELECT 1, 2, 3 FROM plain WHERE all_id = %s'),
	('H united', 'SELECT id FROM author', 'SELECT 1 FROM united WHERE same = %s'),
	('I united', 'SELECT same FROM united', 'SELECT 1, 2 FROM book WHERE author_id = %s'),
	('never: united of two', 'SELECT id FROM author', 'SELECT 1 FROM united WHERE other = %s'),
	('F computed', 'SELECT computed FROM stored', 'SELECT 1 FROM stored WHERE computed = %s'),
	('never: computed', 'SELECT computed FROM stored', 'SELECT 1, 5 FROM book WHERE author_id = %s');
SELECT loop("case", parent, child, '1', '2', '3', '4', '5') FROM cases \gexec
PREPARE of_view AS SELECT of_view FROM seen_again;
PREPARE to_view(integer) AS SELECT 1 FROM seen_again WHERE of_view = $1;
SELECT loop('G prepared, of views', 'EXECUTE of_view', 'EXECUTE to_view(%s)', '1', '2', '3', '4', '5') \gexec
\o
SELECT * FROM found ORDER BY "case" COLLATE "C", child COLLATE "C";
\o /dev/null
TRUNCATE found;

\o
\qecho '-- Parents that are more than a list.'
\o /dev/null
CREATE FUNCTION authors() RETURNS TABLE (id bigint, u uuid) LANGUAGE sql VOLATILE
	AS 'SELECT author.id + 3000000000, md5(author.id::text)::uuid FROM author';
CREATE TABLE growing (id integer PRIMARY KEY, name text);
CREATE TABLE of_growing (growing_id integer REFERENCES growing);
CREATE FUNCTION far(i integer) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN 3000000000 + i; END';
CREATE TABLE loose (id bigint, u uuid, words text, number integer);
TRUNCATE cases;
INSERT INTO cases VALUES
	('union', 'SELECT id FROM author UNION SELECT id FROM author', 'SELECT 1 FROM book WHERE author_id = %s'),
	('union all', 'SELECT id FROM author UNION ALL SELECT id FROM author', 'SELECT 1, 2 FROM book WHERE author_id = %s'),
	('intersect', 'SELECT id FROM author INTERSECT SELECT id FROM author ORDER BY id LIMIT 9', 'SELECT 1, 3 FROM book WHERE author_id = %s'),
	('never: union of two', 'SELECT id FROM author UNION SELECT id FROM tag', 'SELECT 1, 5 FROM book WHERE author_id = %s'),
	('recursive', 'WITH RECURSIVE t AS (SELECT id FROM person WHERE boss IS NULL UNION ALL SELECT p.id FROM person AS p JOIN t ON boss = t.id) SELECT id FROM t',
	 'SELECT 1 FROM vehicle WHERE owner = %s'),
	('with', 'WITH a AS MATERIALIZED (SELECT id FROM author) SELECT id FROM a', 'SELECT 1, 6 FROM book WHERE author_id = %s'),
	('never: short values', 'SELECT id + 0 FROM author', 'SELECT 1, 7 FROM book WHERE author_id = %s'),
	('never: short texts', 'SELECT id::text FROM author', 'SELECT 1, 8 FROM book WHERE author_id = %s'),
	('never: of no table', 'SELECT * FROM generate_series(3000000001, 3000000009)', 'SELECT 1 FROM loose WHERE id = 300000000%s'),
	('computed', 'SELECT 3000000000 + count(*), 3000000000 + sum(id), max(id) FROM author GROUP BY id',
	 'SELECT 1, 2 FROM loose WHERE id = 300000000%s'),
	('expression of a view', 'SELECT long FROM seen', 'SELECT 1, 5 FROM loose WHERE id = 300000000%s'),
	('function of a number', 'SELECT far(i) FROM generate_series(1, 5) AS i', 'SELECT 1, 2, 3, 4, 5, 6 FROM loose WHERE id = 300000000%s'),
	('never: of no table', 'SELECT 3000000000 + i FROM generate_series(1, 5) AS i', 'SELECT 1, 2, 3, 4, 5, 6, 7 FROM loose WHERE id = 300000000%s'),
	('never: aggregate', 'SELECT max(id + 3000000000) FROM author GROUP BY id', 'SELECT 1, 2, 3, 4, 5, 6, 7, 8 FROM loose WHERE id = 300000000%s'),
	('returned by INSERT', 'INSERT INTO growing SELECT generate_series(1, 5) RETURNING id', 'SELECT 1 FROM of_growing WHERE growing_id = %s'),
	('returned by UPDATE', 'UPDATE growing SET name = id RETURNING name, id', 'SELECT 1, 2 FROM of_growing WHERE growing_id = %s'),
	('returned by UPDATE in WITH', 'WITH g AS (UPDATE growing SET name = id RETURNING name, id) SELECT id FROM g', 'SELECT 1, 2, 3 FROM of_growing WHERE growing_id = %s'),
	('returned by DELETE', 'DELETE FROM growing RETURNING id', 'SELECT 1, 2, 3, 4 FROM of_growing WHERE growing_id = %s'),
	('function', 'SELECT id FROM authors()', 'SELECT 1, 3 FROM loose WHERE id = 300000000%s'),
	('text', 'SELECT ''word number '' || id FROM author', 'SELECT 1, 4 FROM loose WHERE words = ''word number %s''');
SELECT loop("case", parent, child, '1', '2', '3', '4', '5') FROM cases \gexec
SELECT loop('function, uuid', 'SELECT u FROM authors()', 'SELECT 1 FROM loose WHERE u = %L', VARIADIC "values") FROM held WHERE key = 'u' \gexec
SELECT loop('cast to text', 'SELECT u::text AS u FROM kinds', 'SELECT 1, 2 FROM loose WHERE u = %L', VARIADIC "values") FROM held WHERE key = 'u' \gexec
VACUUM author;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT loop('united by index', 'SELECT id FROM author WHERE id < 9 UNION SELECT id FROM author WHERE id < 8',
            'SELECT 1, 2, 3, 4, 5, 6, 7, 8, 9 FROM book WHERE author_id = %s', '1', '2', '3', '4', '5') \gexec
RESET enable_seqscan;
RESET enable_bitmapscan;
PREPARE parent AS SELECT id FROM author;
SELECT loop('parent by EXECUTE', 'EXECUTE parent', 'SELECT 1, 9 FROM book WHERE author_id = %s', '1', '2', '3', '4', '5') \gexec
-- A cursor that is read in batches.
SELECT remedy.watch();
BEGIN;
SELECT FROM author;
DECLARE c CURSOR FOR SELECT id FROM author ORDER BY id;
FETCH 2 FROM c;
SELECT 1 FROM book WHERE author_id = 1;
SELECT 1 FROM book WHERE author_id = 2;
FETCH 2 FROM c;
SELECT 1 FROM book WHERE author_id = 3;
SELECT 1 FROM book WHERE author_id = 4;
FETCH 2 FROM c;
SELECT 1 FROM book WHERE author_id = 5;
SELECT 1 FROM book WHERE author_id = 6;
COMMIT;
SELECT keep('cursor');
\o
SELECT * FROM found ORDER BY "case" COLLATE "C", child COLLATE "C";
\o /dev/null
TRUNCATE found;
SELECT remedy.unwatch();
DROP SCHEMA keys CASCADE;

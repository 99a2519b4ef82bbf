-- Texts of statements without constants, and the attempts to find one in them. Every constant here has "secret" in
-- it, or is a number of sevens.
SET client_min_messages = error;
\set VERBOSITY sqlstate
\o /dev/null
SELECT remedy.transaction_statements();
\o
CREATE TABLE sink (id integer, name text);
CREATE FOREIGN DATA WRAPPER regress_remedy_wrapper;
CREATE SERVER regress_remedy_server FOREIGN DATA WRAPPER regress_remedy_wrapper;

-- Commands whose strings are passwords and the like.
BEGIN;
CREATE ROLE regress_remedy_a LOGIN PASSWORD 'secret';
ALTER ROLE regress_remedy_a ENCRYPTED PASSWORD 'secret2' VALID UNTIL '2077-07-07';
ALTER USER regress_remedy_a SET application_name = 'secret';
CREATE USER MAPPING FOR regress_remedy_a SERVER regress_remedy_server OPTIONS (user 'secret', password 'secret');
ALTER SERVER regress_remedy_server OPTIONS (ADD host 'secret');
CREATE SUBSCRIPTION regress_remedy_s CONNECTION 'host=secret password=secret' PUBLICATION p
	WITH (connect = false, slot_name = NONE);
COPY sink FROM PROGRAM 'echo 7,secret' (FORMAT csv, DELIMITER ',', NULL 'secret');
COPY (SELECT 'secret') TO '/dev/null';
DO $$ BEGIN PERFORM 'secret'; END $$;
DO LANGUAGE plpgsql $secret$ BEGIN PERFORM $q$ secret $q$; END $secret$;
CREATE FUNCTION regress_remedy_f(a text DEFAULT 'secret') RETURNS text LANGUAGE sql AS $body$ SELECT 'secret' $body$;
CREATE FUNCTION regress_remedy_g() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT 'secret'; END;
COMMENT ON TABLE sink IS 'secret';
CREATE TABLE sink2 (name text DEFAULT 'secret' CHECK (name <> 'secret'));
\o /dev/null
EXPLAIN SELECT 'secret' FROM sink WHERE id = 7777;
\o
DECLARE c CURSOR FOR SELECT 'secret' WHERE 77 > 7;
SELECT query FROM remedy.current_transaction;
ROLLBACK;

-- Every way to write a constant.
BEGIN;
SELECT E'a secret\n\'secret' AS a, 'it''s secret' AS b, e'\x73\163\u0073ecret' AS c, N'secret' AS d;
SELECT $$secret$$ AS a, $q$ secret $$ secret $Q$ secret $q$ AS b, $é$secret $e$ secret$é$ AS c;
SELECT U&'\0073ecret' AS a, U&'!0073ecret' UESCAPE '!' AS b, 1 AS U&"d!0061t" UESCAPE '!';
SELECT b'0111' AS a, B'111' AS b, x'7F7' AS c, X'7' AS d;
SELECT 7.7 AS a, 77e7 AS b, .77 AS c, 77. AS d, -7 AS e, - 77 AS f, +777 AS g, 77777777777777777777 AS h;
SELECT 'sec'
  'ret' AS continued, 'sec' -- secret
  'ret' AS commented;
SELECT 1/* secret /* secret */ 'secret' */AS commented, /* secret */ 2 AS b -- secret
;
SELECT 7-7 AS a, 7+-7 AS b, 7*-7.7 AS c, 'secret'<>'secret2' AS d, 'secret'||'s' AS e, @ -7 AS f, 77::text AS g;
SELECT name$7, a$secret, "7 secrets" FROM (VALUES (7, 'secret', 1)) AS v(name$7, a$secret, "7 secrets");
SELECT CAST('{"secret": 7}' AS json)->'secret' AS a, interval '7 days' AS b, date'2007-07-07' AS c, '{7,77}'::int[] AS d;
SELECT 'secret'AS a, date'2007-07-07'AS b;
SELECT (ARRAY[7, 77])[7:77] AS a, true AS b, NULL AS c;
SELECT id FROM sink WHERE name LIKE '%secret\%' ESCAPE '\' AND name <> 'secret' LIMIT 77;
SELECT query FROM remedy.current_transaction;
COMMIT;

-- Numbers of later versions are the same texts.
BEGIN;
\set ECHO none
SELECT CASE WHEN current_setting('server_version_num')::int >= 160000
            THEN 'SELECT 0x1F AS a, 0o17 AS b, 0b11 AS c, 1_000_000 AS d, 1_0.0_1 AS e'
            ELSE 'SELECT 31 AS a, 15 AS b, 3 AS c, 1000000 AS d, 10.01 AS e' END AS statement \gset
:statement;
\set ECHO all
SELECT query FROM remedy.current_transaction;
COMMIT;

-- Constants are numbered after the parameters that there are.
BEGIN;
PREPARE q(int, text) AS SELECT $1 + 7 AS a, $2 || 'secret' AS b;
EXECUTE q(7, 'secret');
SAVEPOINT s;
CREATE VIEW sink3 AS SELECT 7 AS a, $4 AS b, $2 AS c, $2147483647 AS d, 7 AS e;
ROLLBACK TO s;
SELECT query FROM remedy.current_transaction;
ROLLBACK;
DEALLOCATE q;

-- Where strings may have been meant in either way, the text ends before the first that is not the same in both.
BEGIN;
SET LOCAL standard_conforming_strings = off;
SELECT 'old \' secret' AS a, 'secret' AS b WHERE 7 > 1;
SELECT 'secret' AS a, E'secret\'' AS b, '\n' AS c WHERE 7 < 77;
PREPARE old AS SELECT 1 AS before, 'it\' secret' AS a, 'secret ' AS b WHERE 7 <> 77;
SET LOCAL standard_conforming_strings = on;
PREPARE new AS SELECT 2, 'secret\', 'secret' AS c, 'secret' AS d WHERE 7 <= 77;
EXECUTE old;
SET LOCAL standard_conforming_strings = off;
EXECUTE new;
SELECT query FROM remedy.current_transaction;
ROLLBACK;
DEALLOCATE old;
DEALLOCATE new;
SET standard_conforming_strings = on\; BEGIN \; SET LOCAL standard_conforming_strings = off \; SELECT 'a\', 'secret' AS b, 'secret' AS c WHERE 7 >= 7;
SELECT query FROM remedy.current_transaction;
COMMIT;

-- Reading a text gives no notice, however long its names are.
BEGIN;
SELECT 1 AS a123456789b123456789c123456789d123456789e123456789f123456789g123456789;
SET LOCAL client_min_messages = notice;
SET LOCAL log_min_messages = notice;
SELECT query FROM remedy.current_transaction;
SHOW client_min_messages;
SHOW log_min_messages;
COMMIT;

-- A text that was cut shows nothing of the token in which it ends: each of these tokens is laid over the cut in every
-- possible way.
\set ECHO none
\pset tuples_only on
\pset format unaligned
WITH tails (tail, number) AS (
	SELECT tail, row_number() OVER () FROM (VALUES
		($$'secret''secret'$$),
		($$'secret'$$ || E'\n' || $$'secret'$$),
		($$E'secret\'secret'$$),
		($$U&'secret\0041'$$),
		('$q$secret$q$'),
		('$$secret$$'),
		($$'é€𝄞 secret é€𝄞'$$),
		('/* secret /* secret */ secret */ 7'),
		(E'7 -- secret\n'),
		('777777777777777777777777777777'),
		('7.777e77'),
		($$x'77777777'$$),
		($$b'11110111'::text$$),
		($$'secret'::text || 'secret'$$)) AS v(tail)),
texts AS (
	SELECT number, k, tail,
	       'INSERT INTO sink SELECT 1 WHERE ROW(' || repeat('1, ', k) AS start
	FROM tails, generate_series(1, octet_length(tail) + 3) AS k),
statements AS (
	SELECT number, k, start || repeat(' ', 4096 + 2 - k - octet_length(start)) || tail || ') IS NULL' AS statement FROM texts)
SELECT statement FROM (
	SELECT number, 0 AS place, 'BEGIN' AS statement FROM tails
	UNION ALL SELECT number, k, statement FROM statements
	UNION ALL SELECT number, 1000, format(
		$$SELECT %L, count(*) = %s AS all, bool_and(query LIKE '%%...') AS cut, max(length(query)) > 4000 AS long,
		         string_agg(query, ' ') FILTER (WHERE rest ~ '[^?(), :|/*.bextqBEU&$]') AS found
		  FROM remedy.current_transaction, LATERAL (SELECT regexp_replace(regexp_replace(query,
		       '^INSERT INTO sink SELECT \$1 WHERE ROW', ''), '\$\d+', '?', 'g') AS rest) AS r$$,
		tail, (SELECT count(*) FROM statements AS s WHERE s.number = tails.number)) FROM tails
	UNION ALL SELECT number, 1001, 'ROLLBACK' FROM tails) AS all_of_it
ORDER BY number, place \gexec
\pset tuples_only off
\pset format aligned
\set ECHO all

DROP SERVER regress_remedy_server;
DROP FOREIGN DATA WRAPPER regress_remedy_wrapper;
DROP TABLE sink;

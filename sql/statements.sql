-- Statistics of each statement, and the routes of transactions.
SET client_min_messages = warning;
\set VERBOSITY sqlstate
\o /dev/null
SELECT remedy.transaction_statements();
\o
CREATE ROLE regress_remedy_one;
CREATE ROLE regress_remedy_two;
CREATE ROLE regress_remedy_statistician IN ROLE pg_read_all_stats;
CREATE TABLE item (id integer PRIMARY KEY, name text);
CREATE TABLE part (id integer PRIMARY KEY, item_id integer REFERENCES item);
INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 5) AS i;
GRANT SELECT ON item TO PUBLIC;
-- Of this database; query_id is the core's and differs between versions.
CREATE VIEW here AS SELECT * FROM remedy.statements WHERE database = current_database();
GRANT SELECT ON here TO PUBLIC;

-- Calls, rows and times.
SELECT clock_timestamp() AS started \gset
\o /dev/null
\set ECHO none
SELECT remedy.reset();
SELECT format('SELECT count(*) FROM generate_series(1, %s)', i * 20) FROM generate_series(1, 100) AS i \gexec
\set ECHO all
SELECT id FROM item WHERE id > 2;
SELECT id FROM item WHERE id > 100;
\o
SELECT calls, failed, rows, toplevel, user_name = current_user AS mine, query_id IS NOT NULL AS known,
       0 < min_ms AND min_ms < p50_ms AND p50_ms <= p95_ms AND p95_ms <= p99_ms AND p99_ms <= max_ms AS ordered,
       total_ms BETWEEN 100 * min_ms AND 100 * max_ms AS total, abs(mean_ms * 100 - total_ms) < 0.000001 AS mean,
       first_seen BETWEEN :'started' AND last_seen AS first, last_seen BETWEEN first_seen AND clock_timestamp() AS last
FROM here WHERE query = 'SELECT count(*) FROM generate_series($1, $2)';
SELECT calls, failed, rows, query FROM here WHERE query LIKE 'SELECT id%';
-- One slow call among many: it is the longest, and no percentile below its rank.
\o /dev/null
\set ECHO none
SELECT remedy.reset();
SELECT format('SELECT pg_sleep(%s)', CASE i WHEN 7 THEN 0.05 ELSE 0.0 END) FROM generate_series(1, 30) AS i \gexec
\set ECHO all
\o
SELECT calls, max_ms >= 50 AS max, total_ms >= max_ms AS total, mean_ms BETWEEN 50 / 30.0 AND max_ms AS mean,
       p50_ms < 25 AS p50, p95_ms < max_ms AS p95, p99_ms BETWEEN max_ms * 0.968 AND max_ms AS p99
FROM here WHERE query LIKE 'SELECT pg_sleep%';
-- Seen at once, though the transaction is not over, and no matter how it ends.
SELECT remedy.reset();
BEGIN;
SELECT name FROM item WHERE id = 1;
SELECT calls, rows, query FROM here;
ROLLBACK;
SELECT calls, rows, query FROM here;

-- Failures are calls too.
SELECT remedy.reset();
SELECT 10 / id FROM item WHERE id < 3;
SELECT 10 / (id - 1) FROM item WHERE id < 3;
SELECT 10 / (id - 2) FROM item WHERE id < 3;
INSERT INTO part VALUES (1, 1);
INSERT INTO part VALUES (2, 99);
INSERT INTO part VALUES (1, 1);
DROP TABLE no_such_table;
DO $$ BEGIN RAISE division_by_zero; END $$;
SELECT no_such_column FROM item;
SELEC 'secret';
SELECT calls, failed, rows, query FROM here ORDER BY query COLLATE "C";

-- Utility commands, each with its own text; no password and no other constant in it.
SELECT remedy.reset();
CREATE ROLE regress_remedy_x LOGIN PASSWORD 'secret';
ALTER ROLE regress_remedy_x PASSWORD 'secret2' VALID UNTIL '2077-07-07';
ALTER ROLE regress_remedy_x SET application_name = 'secret';
CREATE FOREIGN DATA WRAPPER regress_remedy_w OPTIONS (option 'secret');
CREATE SERVER regress_remedy_s FOREIGN DATA WRAPPER regress_remedy_w OPTIONS (host 'secret');
CREATE USER MAPPING FOR regress_remedy_x SERVER regress_remedy_s OPTIONS (user 'secret', password E'sec\'ret');
CREATE SUBSCRIPTION regress_remedy_sub CONNECTION 'host=secret password=secret' PUBLICATION p
	WITH (connect = false, slot_name = NONE);
SET application_name = 'secret';
SET LOCAL work_mem = '77MB';
SELECT set_config('application_name', 'secret', false) IS NULL AS set;
RESET application_name;
CREATE TABLE sink (a integer DEFAULT 7, b text DEFAULT 'secret');
COPY sink FROM stdin (NULL 'secret', DELIMITER '|');
17|28
secret|secret
\.
COPY (SELECT b FROM sink WHERE b = U&'\0073ecret') TO STDOUT;
DO $body$ BEGIN PERFORM 'secret', $q$secret$q$, 77; END $body$;
CREATE TABLE copied AS SELECT 'secret' AS a, 7 AS b FROM sink;
EXPLAIN (COSTS off) SELECT 1 WHERE 'secret' < 'secret';
COMMENT ON TABLE sink IS 'secret';
DROP TABLE copied, sink;
DROP SUBSCRIPTION regress_remedy_sub;
DROP FOREIGN DATA WRAPPER regress_remedy_w CASCADE;
DROP ROLE regress_remedy_x;
SELECT calls, rows, query FROM here ORDER BY first_seen, query;
SELECT count(*) AS leaks FROM here WHERE query ~ '[''7]|secret([^$]|$)';

-- Constants in every way of writing them, and of several statements in a message its own part alone.
SELECT remedy.reset();
\o /dev/null
SELECT E'sec\'ret', $$secret$$, $x$ secret $x$, U&'\0073ecret', x'77', b'0111', 7.7e7, N'secret', -7;
SELECT 'secret' AS a, id FROM item \; SELECT name, 'secret' FROM item WHERE name <> 'secret' /* secret */ \; BEGIN \; DELETE FROM part WHERE id = 77 -- secret
\; COMMIT;
\o
SELECT calls, rows, query FROM here ORDER BY first_seen, query;

-- Nested statements: none by default, apart from those at top level if asked for.
CREATE FUNCTION looks(wanted integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text; BEGIN SELECT name INTO found FROM item WHERE id = wanted; RETURN found; END $$;
CREATE FUNCTION cleans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE item SET name = 'secret' WHERE id = NEW.item_id; RETURN NEW; END $$;
CREATE TRIGGER cleans AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION cleans();
SELECT remedy.reset();
SELECT looks(1), looks(2);
SELECT calls, rows, toplevel, query FROM here;
SHOW pg_remedy.track;
SET pg_remedy.track = 'all';
\o /dev/null
SELECT looks(id) FROM item;
SELECT name FROM item WHERE id = 1;
INSERT INTO part VALUES (10, 1), (11, 2);
DO $$ BEGIN CREATE TABLE made (a text DEFAULT 'secret'); DROP TABLE made; PERFORM looks(3);
PERFORM 1 / (id - 1) FROM item; EXCEPTION WHEN division_by_zero THEN NULL; END $$;
\o
SELECT calls, failed, rows, toplevel, query FROM here ORDER BY toplevel DESC, query COLLATE "C";
-- A plan that was made before is no obstacle to its text.
SELECT remedy.reset();
SELECT looks(4);
SELECT calls, rows, toplevel, query FROM here ORDER BY toplevel DESC;
-- The transaction's own count has nothing of it.
BEGIN;
SELECT looks(4);
SELECT calls, query FROM remedy.current_transaction;
COMMIT;
RESET pg_remedy.track;

-- A cursor is one call, with the rows of its fetches; time goes on with them.
SELECT remedy.reset();
BEGIN;
DECLARE c CURSOR FOR SELECT id, 'secret' FROM item ORDER BY id;
FETCH 2 FROM c;
SELECT calls, rows, query FROM here;
FETCH ALL FROM c;
CLOSE c;
COMMIT;
SELECT calls, rows, query, total_ms >= max_ms AS total FROM here;

-- What was prepared while nothing was counted, and what was prepared before a reset, has its text.
SET pg_remedy.enabled = off;
PREPARE unseen(integer) AS SELECT name, 'secret' AS s FROM item WHERE id = $1;
SET pg_remedy.enabled = on;
PREPARE seen(integer) AS SELECT id, 'secret' AS s FROM item WHERE id = $1;
EXECUTE seen(1);
SELECT remedy.reset();
EXECUTE unseen(1);
EXECUTE seen(1);
EXECUTE seen(2);
SELECT calls, rows, query FROM here ORDER BY calls;
DEALLOCATE ALL;

-- A long text ends with a character, whichever byte is the last that fits.
SELECT remedy.reset();
\o /dev/null
\set ECHO none
SELECT 'SELECT id AS ' || repeat('a', 20 + k) || repeat(', id AS ' || repeat('€', 20), 62 + k) || ' FROM item'
FROM generate_series(0, 3) AS k \gexec
\set ECHO all
\o
SELECT calls, rows, octet_length(query) - 3 BETWEEN 4094 AND 4096 AS length, right(query, 5) AS ends,
       convert_from(convert_to(query, 'UTF8'), 'UTF8') = query AS valid
FROM here WHERE query LIKE 'SELECT id%' ORDER BY query;

-- Who may see what. Rows and times are for all, texts and fingerprints for their owner and pg_read_all_stats.
SELECT remedy.reset();
SET SESSION AUTHORIZATION regress_remedy_one;
SELECT id, 'secret' AS s FROM item WHERE id = 1;
SELECT query, query_id IS NULL AS hidden, calls FROM here WHERE user_name = 'regress_remedy_one';
SET SESSION AUTHORIZATION regress_remedy_two;
SELECT id FROM item WHERE id = 1;
SELECT user_name, query, query_id IS NULL AS hidden, calls, rows, mean_ms > 0 AS took FROM here ORDER BY user_name;
SELECT remedy.reset();
SELECT remedy.reset(user_name => 'regress_remedy_two');
SET pg_remedy.track = 'all';
SET SESSION AUTHORIZATION regress_remedy_statistician;
SELECT user_name, query, query_id IS NULL AS hidden FROM here ORDER BY user_name, query COLLATE "C";
RESET SESSION AUTHORIZATION;
-- It is the role in force that counts.
SET ROLE regress_remedy_one;
SELECT name FROM item WHERE id = 1;
RESET ROLE;
SELECT user_name, query FROM here WHERE query LIKE 'SELECT name%';

-- Reset: everything, one database, one user, one statement, and what lies in all that are given.
GRANT UPDATE, DELETE ON item TO PUBLIC;
\set work 'DELETE FROM item WHERE id = 100; UPDATE item SET name = \'secret\' WHERE id = 100;'
\set run 'SET ROLE regress_remedy_one; ' :work ' SET ROLE regress_remedy_two; ' :work ' RESET ROLE;'
CREATE VIEW left_over AS
	SELECT coalesce(string_agg(format('%s %s', right(user_name, 3), calls || ' ' || split_part(query, ' ', 1)),
	                           ', ' ORDER BY user_name, query), 'nothing') AS statements,
	       (SELECT string_agg(right(user_name, 3) || ' ' || statements, ', ' ORDER BY user_name)
	        FROM remedy.transactions WHERE user_name ~ 'remedy_(one|two)' AND database = current_database()) AS transactions
	FROM here WHERE user_name IN ('regress_remedy_one', 'regress_remedy_two');
SELECT clock_timestamp() AS before \gset
SELECT remedy.reset();
:run
SELECT * FROM left_over;
SELECT reset_at BETWEEN :'before' AND clock_timestamp() AS told, statements_used >= 4 AS used, statements_max >= 100 AS max,
       statements_evicted, texts_used >= 2 AS texts, texts_missed, times_missed FROM remedy.status;
SELECT clock_timestamp() AS before \gset
SELECT remedy.reset(database => 'template1');
SELECT * FROM left_over;
SELECT query_id AS deletes FROM here WHERE query LIKE 'DELETE%' LIMIT 1 \gset
SELECT remedy.reset(query_id => :deletes);
SELECT * FROM left_over;
:run
SELECT * FROM left_over;
SELECT remedy.reset(user_name => 'regress_remedy_one');
SELECT * FROM left_over;
:run
SELECT remedy.reset(current_database(), 'regress_remedy_two', :deletes);
SELECT * FROM left_over;
SELECT remedy.reset('template1', 'regress_remedy_two', :deletes);
SELECT remedy.reset(NULL, 'regress_remedy_statistician', :deletes);
SELECT remedy.reset(user_name => 'regress_remedy_one', query_id => :deletes + 1);
SELECT * FROM left_over;
SELECT remedy.reset(database => current_database(), user_name => 'regress_remedy_two');
SELECT * FROM left_over;
SELECT remedy.reset(database => 'regress_remedy_no_such');
SELECT remedy.reset(user_name => 'regress_remedy_no_such');
SELECT * FROM left_over;
SELECT reset_at < :'before' AS "time of the last reset of everything" FROM remedy.status;
SELECT remedy.reset(database => current_database());
SELECT * FROM left_over;
:run
SELECT remedy.reset(NULL, NULL, NULL);
SELECT * FROM left_over;
SELECT reset_at >= :'before' AS told FROM remedy.status;
:run
SELECT remedy.reset(query_id => 0);
SELECT * FROM left_over;

-- Routes, from the comment of a transaction's first statement.
CREATE VIEW routes AS
	SELECT route, transactions, statements FROM remedy.transactions
	WHERE database = current_database() AND application_name = 'regress_routes' ORDER BY route NULLS FIRST;
SELECT remedy.reset();
SET application_name = 'regress_routes';
\o /dev/null
SELECT 1 /*route='%2Forders%2F%3Aid',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/;
SELECT 1 /*route='%2Forders%2F%3Aid',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716b-c532cb4098ac3dd3-01'*/;
/*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716c-c532cb4098ac3dd4-01',route='%2Forders%2F%3Aid'*/ SELECT 1;
BEGIN;
SELECT 1 /*controller='orders',action='show',framework='rails'*/;
SELECT 2 /*route='not-the-first-of-its-transaction'*/;
COMMIT;
SELECT 1 /*job='nightly%20mail'*/;
SELECT 1 /*route='a%C3%A9b',controller='x',action='y',job='z'*/;
SELECT 1 /*route='unfinished*/;
SELECT 1 /*route='bad%zz'*/;
SELECT 1 /*controller='without-action'*/;
SELECT 1 /* no pairs at all */;
SELECT 1 AS "/*route='in the middle'*/", B'10', 2.5, 'c'::"char";
SELECT 1;
\o
RESET application_name;
SELECT * FROM routes;
-- The text of a statement has none of it.
SELECT DISTINCT query FROM here WHERE query ~ 'route|action|job' OR query LIKE 'SELECT $1 ';
SELECT remedy.reset(database => 'template1');
SELECT sum(statements) FROM routes;
SELECT remedy.reset(database => current_database());
SELECT * FROM routes;

DROP VIEW here CASCADE;
DROP VIEW routes;
DROP TABLE part, item;
DROP FUNCTION looks, cleans;
DROP ROLE regress_remedy_one, regress_remedy_two, regress_remedy_statistician;

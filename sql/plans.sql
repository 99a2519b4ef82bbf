-- Plans of slow statements, and plans that changed for the worse.
SET client_min_messages = warning;
SELECT remedy.reset();
SET pg_remedy.slow_ms = 0;
SET max_parallel_workers_per_gather = 0;
SET escape_string_warning = off;
SET jit = off;
CREATE SCHEMA shop;
CREATE TABLE shop.customer (id integer PRIMARY KEY, name text, note text);
INSERT INTO shop.customer SELECT i, 'customer ' || i, 'it''s' FROM generate_series(-10, 100) AS i;
ANALYZE shop.customer;
-- What sleeps 20 ms is slow for sure; what does not take 10 ms is not, usually.
CREATE FUNCTION slowly(integer) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_sleep(0.02); RETURN $1 IS NOT NULL; END $$;
CREATE FUNCTION slowly(integer, double precision) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_sleep($2); RETURN $1 IS NOT NULL; END $$;
CREATE VIEW seen AS SELECT calls, plan FROM remedy.plans WHERE plan LIKE '%slowly%' OR plan LIKE '%customer%' ORDER BY first_seen;

-- A plan is kept without values, and not looked at again within a minute.
SELECT name FROM shop.customer WHERE id = 7 AND slowly(id);
SELECT * FROM seen;
SELECT name FROM shop.customer WHERE id = 8 AND slowly(id);
SELECT calls FROM seen;
SELECT database = current_database() AS here, user_name = CURRENT_USER AS mine, query_id <> 0 AS named, plan_id <> 0 AS hashed,
       total_ms = mean_ms AS once, min_ms = max_ms AS once_too, mean_ms >= 20 AS slow, first_seen = last_seen AS now
FROM remedy.plans WHERE plan LIKE '%customer_pkey%';

-- Without that pause each run counts; other values have the same plan.
SET pg_remedy.plan_interval = 0;
SELECT name FROM shop.customer WHERE id = 9 AND slowly(id);
SELECT calls FROM seen;
SELECT total_ms >= 40 AS twice, min_ms <= mean_ms AND mean_ms <= max_ms AS ordered, first_seen < last_seen AS later
FROM remedy.plans WHERE plan LIKE '%customer_pkey%';

-- Negative numbers and parameters are printed otherwise, but are values.
PREPARE by_id(integer) AS SELECT name FROM shop.customer WHERE id = $1 AND slowly(7);
SET plan_cache_mode = force_custom_plan;
EXECUTE by_id(7);
EXECUTE by_id(-7);
SET plan_cache_mode = force_generic_plan;
EXECUTE by_id(7);
RESET plan_cache_mode;
SELECT calls, plan FROM seen OFFSET 1;
DEALLOCATE by_id;

-- Not kept: what is fast, what is switched off, what reads pg_remedy's own views.
SELECT remedy.reset();
SET pg_remedy.slow_ms = -1;
SELECT slowly(1);
SET pg_remedy.slow_ms = '1h';
SELECT slowly(1);
SET pg_remedy.slow_ms = 0;
SELECT slowly(2) AND count(*) >= 0 AS own FROM remedy.plans;
SELECT * FROM seen;

-- Slow for its own measure: ten times its median.
SET pg_remedy.slow_ms = '1h';
PREPARE sometimes(double precision) AS SELECT slowly(1, $1);
\o /dev/null
SELECT 'EXECUTE sometimes(0)' FROM generate_series(1, 20) \gexec
EXECUTE sometimes(0.3);
\o
SELECT calls, min_ms >= 300 AS slow, plan FROM remedy.plans;
SET pg_remedy.slow_ms = -1;
EXECUTE sometimes(0.3);
SELECT calls FROM remedy.plans;
DEALLOCATE sometimes;
SET pg_remedy.slow_ms = 0;
SELECT remedy.reset();

-- Values in every form.
SELECT count(*) FROM shop.customer
WHERE name IN ('secret ''one''', E'secret\ntwo', 'größe secret') OR note = E'se\\cret' OR id = 4711 OR id = -4711
   OR id = ANY (ARRAY[4711, 4712]) OR id::numeric = 4711.5 OR id::bit(4) = B'1010' OR NOT slowly(4711);
SELECT plan LIKE '%Seq Scan on customer%' AS whole, plan LIKE '%slowly(?)%' AS masked, plan ~ 'secret|größe|4711|1010|cret' AS leaks FROM seen;
SET standard_conforming_strings = off;
SELECT count(*) FROM shop.customer WHERE name = 'a\\''secret' OR NOT slowly(id % 3 - id % 3) AND note = 'secret\\';
RESET standard_conforming_strings;
SELECT count(*) AS plans, count(*) FILTER (WHERE plan LIKE '%secret%') AS leaks FROM seen;
SELECT remedy.reset();
WITH "it's" AS MATERIALIZED (SELECT id FROM shop.customer WHERE name = 'secret' OR slowly(1)),
     "that's" AS MATERIALIZED (SELECT id FROM shop.customer WHERE note = 'secret')
SELECT count(*) FROM "it's" JOIN "that's" USING (id);
SELECT plan LIKE '%secret%' AS leaks, plan LIKE '%(name = ?::text)%' AS masked FROM seen;

-- With values, the plan is what EXPLAIN prints; they are for those who want them.
SELECT remedy.reset();
SET pg_remedy.keep_values = on;
SELECT name FROM shop.customer WHERE name = E'a\'b"c\nd' OR id = 7 AND slowly(id);
CREATE FUNCTION explained(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; lines text[];
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP lines := lines || line; END LOOP;
	RETURN array_to_string(lines, E'\n');
END $$;
SELECT plan = explained($q$SELECT name FROM shop.customer WHERE name = E'a\'b"c\nd' OR id = 7 AND slowly(id)$q$) AS same FROM seen;
SET pg_remedy.keep_values = off;
SELECT plan FROM seen;

-- Four plans for a statement; the one that was seen longest ago goes.
CREATE TABLE shop.item (id integer PRIMARY KEY, a integer, b integer);
INSERT INTO shop.item VALUES (1, 1, 1);
CREATE INDEX item_1 ON shop.item (a);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT remedy.reset();
SELECT 1 FROM shop.item WHERE a = 1 AND slowly(id);
ALTER INDEX shop.item_1 RENAME TO item_2;
SELECT 1 FROM shop.item WHERE a = 1 AND slowly(id);
ALTER INDEX shop.item_2 RENAME TO item_3;
SELECT 1 FROM shop.item WHERE a = 1 AND slowly(id);
ALTER INDEX shop.item_3 RENAME TO item_4;
SELECT 1 FROM shop.item WHERE a = 1 AND slowly(id);
ALTER INDEX shop.item_4 RENAME TO item_1;
SELECT 1 FROM shop.item WHERE a = 1 AND slowly(id);
ALTER INDEX shop.item_1 RENAME TO item_5;
SELECT 1 FROM shop.item WHERE a = 1 AND slowly(id);
SELECT calls, plan FROM seen;
SELECT count(DISTINCT query_id) AS statements, count(DISTINCT plan_id) AS plans FROM remedy.plans WHERE plan LIKE '%item_%';
SELECT plans_evicted, plans_missed FROM remedy.status;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- A plan that changed, and takes longer, is a finding; going back mends it.
SELECT remedy.reset();
CREATE VIEW changes AS SELECT kind, severity, object, fix_sql, saving_ms > 300 AS saves, first_seen < last_seen AS seen,
       key ~ '^plan_change:[0-9a-f]{16}$' AS named, evidence ~ '^plan -?\d+: 3 slow runs .* before: 3 until .*, user ' AS evident
FROM remedy.findings WHERE kind = 'plan_change';
SET enable_seqscan = off;
SELECT 1 FROM shop.item WHERE id = 1 AND slowly(id, 0.02);
SELECT 1 FROM shop.item WHERE id = 1 AND slowly(id, 0.02);
SELECT 1 FROM shop.item WHERE id = 1 AND slowly(id, 0.02);
RESET enable_seqscan;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT 1 FROM shop.item WHERE id = 1 AND slowly(id, 0.2);
SELECT 1 FROM shop.item WHERE id = 1 AND slowly(id, 0.2);
SELECT count(*) FROM changes;
SELECT 1 FROM shop.item WHERE id = 1 AND slowly(id, 0.2);
SELECT * FROM changes;
SELECT fix_sql FROM remedy.findings WHERE kind = 'plan_change' \gexec
SELECT regexp_replace(title, '\d+\.\d|-?\d{5,}', '?', 'g') AS title, regexp_replace(advice, '-?\d{5,}', '?') AS advice
FROM remedy.findings WHERE kind = 'plan_change';
RESET enable_indexscan;
SET enable_seqscan = off;
SELECT 1 FROM shop.item WHERE id = 1 AND slowly(id, 0.02);
SELECT count(*) FROM changes;
RESET enable_seqscan;
RESET enable_bitmapscan;
-- Of two tables nobody knows which one to analyse.
SET enable_hashjoin = off;
SET enable_mergejoin = off;
CREATE TEMPORARY TABLE scratch AS SELECT 1 AS id;
SELECT 1 FROM shop.item JOIN shop.customer USING (id) WHERE slowly(id, 0.02);
SELECT 1 FROM scratch WHERE slowly(id, 0.02);
CREATE INDEX scratch_id ON scratch (id);
SET enable_nestloop = off;
SET enable_seqscan = off;
RESET enable_hashjoin;
SELECT 1 FROM shop.item JOIN shop.customer USING (id) WHERE slowly(id, 0.1);
SELECT 1 FROM shop.item JOIN shop.customer USING (id) WHERE slowly(id, 0.1);
SELECT 1 FROM shop.item JOIN shop.customer USING (id) WHERE slowly(id, 0.1);
SELECT 1 FROM scratch WHERE slowly(id, 0.1);
SELECT 1 FROM scratch WHERE slowly(id, 0.1);
SELECT 1 FROM scratch WHERE slowly(id, 0.1);
SELECT severity, object, fix_sql FROM remedy.findings WHERE kind = 'plan_change' ORDER BY object COLLATE "C" DESC;
RESET enable_mergejoin;
RESET enable_nestloop;
RESET enable_seqscan;

-- Cursors, partitions, writes.
SELECT remedy.reset();
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM shop.customer WHERE slowly(id) ORDER BY id;
FETCH 2 FROM c;
FETCH 1 FROM c;
COMMIT;
SELECT sum(calls) AS runs FROM seen;
CREATE TABLE shop.log (id integer, line text) PARTITION BY RANGE (id);
DO $$ BEGIN FOR i IN 1..200 LOOP
	EXECUTE format('CREATE TABLE shop.log_%s PARTITION OF shop.log FOR VALUES FROM (%s) TO (%s)', i, i, i + 1);
END LOOP; END $$;
SELECT slowly(1) AND count(*) = 0 AS long FROM shop.log WHERE line = 'secret';
SELECT octet_length(plan) BETWEEN 4080 AND 4096 AS cut, plan LIKE '%...' AS dots, plan ~ 'secret' AS leaks FROM remedy.plans WHERE plan LIKE '%log_1%';
UPDATE shop.customer SET note = 'secret' WHERE id = 3 AND slowly(id);
INSERT INTO shop.customer VALUES (3, 'secret') ON CONFLICT (id) DO UPDATE SET note = 'secret' WHERE slowly(customer.id);
SELECT plan FROM seen WHERE plan ~ '^(Update|Insert)';

-- Who sees what, and who may set what.
SELECT remedy.reset();
SELECT count(*) FROM remedy.plans;
CREATE ROLE regress_remedy_reader;
GRANT USAGE ON SCHEMA shop TO regress_remedy_reader;
GRANT SELECT ON shop.customer TO regress_remedy_reader;
SELECT name FROM shop.customer WHERE id = 7 AND slowly(id);
SET ROLE regress_remedy_reader;
SELECT name FROM shop.customer WHERE id = 7 AND slowly(id);
RESET ROLE;
SELECT user_name = CURRENT_USER AS mine, calls, plan FROM remedy.plans ORDER BY first_seen;
SET ROLE regress_remedy_reader;
SELECT user_name = CURRENT_USER AS mine, calls, plan FROM remedy.plans ORDER BY first_seen;
RESET ROLE;

-- Parts are forgotten.
SELECT slowly(1) FROM shop.customer WHERE id = 1;
SELECT remedy.reset(user_name => 'regress_remedy_reader');
SELECT calls, split_part(plan, ' ', 1) AS plan FROM remedy.plans WHERE user_name = CURRENT_USER;
SELECT count(*) FROM remedy.plans WHERE user_name <> CURRENT_USER;
SELECT remedy.reset(query_id => query_id) FROM seen JOIN remedy.plans USING (plan) WHERE plan LIKE '%slowly%';
SELECT plan FROM remedy.plans;
SELECT remedy.reset(database => 'template1');
SELECT count(*) FROM remedy.plans;
SELECT remedy.reset(database => current_database());
SELECT count(*) FROM remedy.plans;

-- A cancel while a plan is printed is the user's, and ends nothing but the statement: here a type's values are printed
-- by a function that sleeps.
CREATE TYPE shop.sleepy;
CREATE FUNCTION shop.sleepy_in(cstring) RETURNS shop.sleepy LANGUAGE internal IMMUTABLE STRICT AS 'float8in';
CREATE FUNCTION shop.sleepy_out(shop.sleepy) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'pg_sleep';
CREATE TYPE shop.sleepy (INPUT = shop.sleepy_in, OUTPUT = shop.sleepy_out, LIKE = double precision);
CREATE FUNCTION shop.is_same(shop.sleepy, shop.sleepy) RETURNS boolean LANGUAGE internal STRICT AS 'float8eq';
CREATE OPERATOR shop.= (LEFTARG = shop.sleepy, RIGHTARG = shop.sleepy, FUNCTION = shop.is_same);
CREATE TABLE shop.bed AS SELECT '100'::shop.sleepy AS nap;
SET statement_timeout = 200;
SELECT count(*) FROM shop.bed WHERE nap OPERATOR(shop.=) '100' AND slowly(1, 0.02);
RESET statement_timeout;
SELECT 'no transaction is left behind' AS then;
BEGIN;
SAVEPOINT before;
SET LOCAL statement_timeout = 200;
SELECT count(*) FROM shop.bed WHERE nap OPERATOR(shop.=) '100' AND slowly(1, 0.02);
ROLLBACK TO before;
SELECT 'the savepoint is there' AS then;
COMMIT;

SET ROLE regress_remedy_reader;
\set VERBOSITY sqlstate
SET pg_remedy.slow_ms = 10;
SET pg_remedy.plan_interval = 10;
SET pg_remedy.keep_values = on;
\set VERBOSITY default
RESET ROLE;

RESET pg_remedy.slow_ms;
RESET pg_remedy.plan_interval;
SELECT remedy.reset();
DROP VIEW seen, item_plans, changes;
DROP FUNCTION slowly(integer), slowly(integer, double precision), explained(text);
DROP SCHEMA shop CASCADE;
DROP ROLE regress_remedy_reader;

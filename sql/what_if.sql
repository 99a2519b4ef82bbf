-- Indexes that do not exist, and plans that would use them.
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE ROLE regress_remedy_guest;
CREATE SCHEMA shop;
SET search_path = shop, public;
CREATE TABLE sale (id integer PRIMARY KEY, buyer integer, state text, email text, placed timestamptz, amount numeric,
	tags text[], doc jsonb, note text);
INSERT INTO sale SELECT i, i % 1000, CASE WHEN i % 50 = 0 THEN 'open' ELSE 'sent' END, 'User' || i::bigint * i % 5003 || '@Example.com',
	timestamptz '2026-01-01 00:00+0' + i * interval '1 minute', i % 777, ARRAY['t' || i % 100, 'u' || i % 70],
	jsonb_build_object('k', i % 500), 'some words, number ' || i || ' of many'
	FROM generate_series(1, 20000) AS i;
CREATE INDEX sale_state ON sale (state) WHERE state = 'open';
ANALYZE shop.sale;

-- The plan, without what depends on the platform.
CREATE FUNCTION plan(query text, VARIADIC ddl text[]) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT unnest(string_to_array(regexp_replace(w.plan_after, ' *\(cost=[^)]*\)', '', 'g'), E'\n'))
	   FROM remedy.what_if(query, VARIADIC ddl) AS w $$;
CREATE VIEW catalog AS SELECT count(*) AS indexes, (SELECT count(*) FROM pg_class) AS relations,
	(SELECT count(*) FROM pg_statistic) AS statistics, (SELECT count(*) FROM pg_depend) AS dependencies FROM pg_index;

CREATE TEMP TABLE before AS SELECT * FROM catalog LIMIT 0;
INSERT INTO before SELECT * FROM catalog;

-- What is answered.
SELECT cost_after < cost_before / 5 AS cheaper, indexes_used, array_length(size_bytes, 1), size_bytes[1] > 100000 AS large,
	size_bytes[2] IS NULL AS hides, size_bytes[3] < size_bytes[1] AS smaller, plan_before ~ '^Seq Scan on sale  \(cost=' AS scans
	FROM remedy.what_if('SELECT * FROM sale WHERE buyer = $1', 'CREATE INDEX ON sale (buyer)', 'DROP INDEX sale_state',
		'CREATE INDEX CONCURRENTLY IF NOT EXISTS other ON sale (id) WHERE state = ''open''');

-- Each kind of index, used or not.
SELECT plan('SELECT * FROM sale WHERE buyer = 7', 'CREATE INDEX ON sale (buyer)');
SELECT plan('SELECT * FROM sale WHERE buyer = 7', 'CREATE INDEX ON sale (placed)');
SELECT plan('SELECT placed FROM sale WHERE buyer = 7 ORDER BY placed DESC LIMIT 5', 'CREATE INDEX ON shop.sale (buyer, placed DESC NULLS LAST)');
SELECT plan('SELECT placed FROM sale WHERE buyer = 7 ORDER BY placed DESC LIMIT 1', 'CREATE INDEX ON ONLY sale USING btree (buyer int4_ops, placed DESC)');
SELECT plan('SELECT amount FROM sale ORDER BY buyer DESC LIMIT 3', 'CREATE INDEX ON sale (buyer) INCLUDE (amount, id)');
SELECT plan('SELECT id FROM sale WHERE lower(email) = ''user7@example.com''', 'CREATE INDEX ON sale (lower(email))');
SELECT plan('SELECT id FROM sale WHERE (doc ->> ''k'')::integer = 7', 'CREATE INDEX ON sale (((doc ->> ''k'')::integer))');
SELECT plan('SELECT id FROM sale WHERE email LIKE ''User77%''', 'CREATE INDEX ON sale (email text_pattern_ops)');
SELECT plan('SELECT id FROM sale WHERE email = ''x'' COLLATE "C"', 'CREATE INDEX ON sale (email COLLATE "C")');
SELECT plan('SELECT id FROM sale WHERE email < ''x'' COLLATE "C"', 'CREATE INDEX ON sale (email COLLATE "POSIX")');
SELECT plan('SELECT * FROM sale WHERE buyer = 7 AND state = ''open''', 'DROP INDEX sale_state', 'CREATE INDEX ON sale (buyer) WHERE state = ''open''');
SELECT plan('SELECT id FROM sale WHERE buyer = 7 AND state = $1', 'CREATE INDEX ON sale (buyer) WHERE state = ''open''');
SELECT plan('SELECT * FROM sale WHERE buyer = 7', 'CREATE INDEX ON sale USING hash (buyer)');
SET enable_seqscan = off;
SELECT plan('SELECT count(*) FROM sale WHERE placed < ''2026-01-02 00:00+0''', 'CREATE INDEX ON sale USING brin (placed)');
SELECT plan('SELECT count(*) FROM sale WHERE placed < ''2026-01-02 00:00+0''', 'CREATE INDEX ON sale USING brin (placed) WITH (pages_per_range = 4)');
RESET enable_seqscan;
SELECT plan('SELECT id FROM sale WHERE tags @> ''{t5,u5}''', 'CREATE INDEX ON sale USING gin (tags)');
SELECT plan('SELECT id FROM sale WHERE doc @> ''{"k": 5}''', 'CREATE INDEX ON sale USING gin (doc jsonb_path_ops)');
SELECT plan('SELECT id FROM sale WHERE to_tsvector(''simple'', note) @@ ''777''', 'CREATE INDEX ON sale USING gin (to_tsvector(''simple'', note))');
SELECT plan('SELECT id FROM sale WHERE buyer = 1 OR doc @> ''{"k": 5}''', 'CREATE INDEX ON sale USING gin (doc)', 'CREATE INDEX ON sale (buyer)');

-- Narrower ranges of BRIN cost less, and a sample of rows tells how many values an expression has.
SET enable_seqscan = off;
SELECT (SELECT cost_after FROM remedy.what_if('SELECT * FROM sale WHERE placed < ''2026-01-02 00:00+0''', 'CREATE INDEX ON sale USING brin (placed) WITH (pages_per_range = 4)'))
	< (SELECT cost_after FROM remedy.what_if('SELECT * FROM sale WHERE placed < ''2026-01-02 00:00+0''', 'CREATE INDEX ON sale USING brin (placed)')) AS narrower;
RESET enable_seqscan;
SELECT substring(plan_before from 'rows=(\d+)') AS guess, substring(plan_after from 'rows=(\d+)')::integer BETWEEN 4 AND 16 AS sampled
	FROM remedy.what_if('SELECT id FROM sale WHERE upper(email) = $1', 'CREATE INDEX ON sale (upper(email))');
-- Values that repeat share lists of rows; GIN holds each key once.
SELECT x.size_bytes[1] * 2 < x.size_bytes[2] AS shared, x.size_bytes[3] < x.size_bytes[2] AS keys
	FROM remedy.what_if('SELECT', 'CREATE INDEX ON sale (state)', 'CREATE INDEX ON sale (state) WITH (deduplicate_items = off)', 'CREATE INDEX ON sale USING gin (tags)') AS x;

-- Which are used, in the order in which they came.
SELECT indexes_used FROM remedy.what_if('SELECT * FROM sale WHERE buyer = 1 UNION ALL SELECT * FROM sale WHERE email = ''User5@Example.com''',
	'CREATE INDEX ON sale (note)', 'CREATE INDEX ON sale (email)', 'DROP INDEX sale_pkey', 'CREATE INDEX ON sale (buyer)');
-- In a join, a subquery, a CTE that writes.
SELECT indexes_used FROM remedy.what_if('SELECT * FROM (VALUES (1), (2)) AS v (b) JOIN sale ON buyer = b', 'CREATE INDEX ON sale (buyer)');
SELECT indexes_used FROM remedy.what_if('SELECT (SELECT count(*) FROM sale WHERE buyer = v) FROM generate_series(1, 3) AS v', 'CREATE INDEX ON sale (buyer)');
SELECT indexes_used FROM remedy.what_if('WITH gone AS (DELETE FROM sale WHERE buyer = $1 RETURNING id) UPDATE sale SET note = ''x'' FROM gone WHERE sale.id = gone.id', 'CREATE INDEX ON sale (buyer)');
SELECT count(*) FROM sale WHERE note = 'x';

-- Hidden indexes.
SELECT plan('SELECT * FROM sale WHERE id = 5', 'DROP INDEX CONCURRENTLY shop.sale_pkey');
SELECT plan('SELECT * FROM sale WHERE state = ''open'' AND id = 50', 'DROP INDEX IF EXISTS sale_pkey, nowhere');
-- A hidden unique index still is what makes the statement valid.
SELECT plan('INSERT INTO sale (id) VALUES (5) ON CONFLICT (id) DO NOTHING', 'DROP INDEX sale_pkey');

-- Nothing of it is in the catalogs.
SELECT * FROM catalog EXCEPT SELECT * FROM before;

-- Hostile names.
CREATE TABLE "A ""table"" of; things" ("a ""column""" integer, "select" text, "ünï" integer);
INSERT INTO "A ""table"" of; things" SELECT i, i, i FROM generate_series(1, 5000) AS i;
ANALYZE "A ""table"" of; things";
SELECT plan('SELECT 1 FROM "A ""table"" of; things" WHERE "a ""column""" = 1', 'CREATE INDEX "An ""index""; DROP" ON "A ""table"" of; things" ("a ""column""")');
SELECT plan('SELECT 1 FROM "A ""table"" of; things" WHERE "select" = ''1''', 'CREATE INDEX ON "A ""table"" of; things" ("select", "ünï")');

-- Partitions, also with columns in another order; a partition by itself; not for children by inheritance.
CREATE TABLE log (day integer, who integer, what text) PARTITION BY RANGE (day);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);
CREATE TABLE log_2 (what text, gone integer, who integer, day integer NOT NULL);
ALTER TABLE log_2 DROP COLUMN gone;
ALTER TABLE log ATTACH PARTITION log_2 FOR VALUES FROM (10) TO (20);
CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM (20) TO (30) PARTITION BY LIST (who);
CREATE TABLE log_3_all PARTITION OF log_3 DEFAULT;
INSERT INTO log SELECT i % 30, i, 'w' || i FROM generate_series(1, 30000) AS i;
CREATE INDEX log_who ON log (who);
ANALYZE log;
SELECT plan('SELECT day FROM log WHERE upper(what) = ''W5'' AND day >= 0', 'CREATE INDEX ON log (upper(what)) WHERE day >= 0');
SELECT plan('SELECT * FROM log WHERE upper(what) = ''W5'' AND day BETWEEN 5 AND 12', 'CREATE INDEX ON log (upper(what), day)');
SELECT plan('SELECT what, day FROM log_2 WHERE what = ''w5''', 'CREATE INDEX ON log (what) INCLUDE (day)');
SELECT plan('SELECT * FROM log_2 WHERE who = 5', 'DROP INDEX log_who');
SELECT plan('SELECT * FROM log_3 WHERE what = ''w5''', 'CREATE INDEX ON log_1 (what)');
SELECT size_bytes[1] > 3 * 8192 AS all_partitions FROM remedy.what_if('SELECT', 'CREATE INDEX ON log (what)');
CREATE TABLE parent (i integer);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT generate_series(1, 5000);
INSERT INTO child SELECT generate_series(1, 5000);
ANALYZE parent, child;
SELECT plan('SELECT * FROM parent WHERE i = 5', 'CREATE INDEX ON parent (i)');
CREATE MATERIALIZED VIEW matter AS SELECT * FROM parent;
ANALYZE matter;
SELECT plan('SELECT * FROM matter WHERE i = 5', 'CREATE UNIQUE INDEX ON matter (i)');
CREATE TEMP TABLE passing AS SELECT * FROM child;
SELECT plan('SELECT * FROM passing WHERE i = 5', 'CREATE INDEX ON passing (i)');
CREATE VIEW seen AS SELECT * FROM child WHERE i > 0;
SELECT plan('SELECT * FROM seen WHERE i = 5', 'CREATE INDEX ON child (i)');
CREATE TABLE matter_log (i integer);
CREATE RULE twice AS ON UPDATE TO passing DO ALSO DELETE FROM matter_log WHERE i = old.i;
SELECT plan('UPDATE passing SET i = 6 WHERE i = 5', 'CREATE INDEX ON passing (i)');

-- A function that runs a query while the plan is made runs it with real indexes, also if it fails.
CREATE FUNCTION buyers(integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT count(*) FROM shop.sale WHERE buyer = $1); END';
CREATE FUNCTION buyers_sql(integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT count(*) FROM shop.sale WHERE buyer = $1';
CREATE FUNCTION fails() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM FROM shop.sale WHERE buyer = 5; RAISE division_by_zero; END $$;
CREATE FUNCTION within() RETURNS text LANGUAGE plpgsql IMMUTABLE AS
	$$ BEGIN RETURN (SELECT indexes_used FROM remedy.what_if('SELECT * FROM shop.sale WHERE email = $1 AND buyer = $2', 'CREATE INDEX ON shop.sale (email)')); END $$;
SELECT plan('SELECT id FROM sale WHERE buyer = buyers(7)', 'CREATE INDEX ON sale (buyer)');
SELECT plan('SELECT id FROM sale WHERE buyer = buyers_sql(7)', 'CREATE INDEX ON sale (buyer)');
SELECT plan('SELECT id FROM sale WHERE buyer = length(within())', 'CREATE INDEX ON sale (buyer)');
SELECT plan('SELECT id FROM sale WHERE buyer = fails()', 'CREATE INDEX ON sale (buyer)');
EXPLAIN (COSTS off) SELECT * FROM sale WHERE buyer = 7;
SELECT count(*) FROM sale WHERE buyer = 7;

-- Nobody else sees anything of it: other statements, prepared ones, the catalog.
PREPARE of_buyer AS SELECT id FROM sale WHERE buyer = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE of_buyer (7);
SELECT plan('SELECT id FROM sale WHERE buyer = $1', 'CREATE INDEX ON sale (buyer)');
EXPLAIN (COSTS off) EXECUTE of_buyer (7);
SELECT count(*) FROM (SELECT w.* FROM generate_series(1, 20), LATERAL remedy.what_if('SELECT id FROM sale WHERE buyer = $1', 'CREATE INDEX ON sale (buyer)') AS w) AS t;
SELECT buyers(7), buyers_sql(7);
RESET plan_cache_mode;

-- A read-only transaction will do.
BEGIN READ ONLY;
SELECT plan('UPDATE sale SET note = ''y'' WHERE buyer = 3', 'CREATE INDEX ON sale (buyer)');
COMMIT;
BEGIN READ ONLY;
SELECT cardinality(indexes_used) FROM remedy.what_if('SELECT * FROM sale WHERE buyer = 3', VARIADIC '{}');
COMMIT;
SELECT remedy.what_if(NULL, 'CREATE INDEX ON sale (buyer)') IS NULL AS strict;

-- What cannot be planned.
SELECT remedy.what_if('SELECT 1; SELECT 2', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('VACUUM sale', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('EXPLAIN SELECT 1', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('CREATE TABLE x AS SELECT 1', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('SELECT 1 INTO x', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('SELECT $1', 'CREATE INDEX ON sale (buyer)') IS NOT NULL AS text;
SELECT remedy.what_if('SELECT $2 + 1', 'CREATE INDEX ON sale (buyer)') IS NOT NULL AS gap;
SELECT remedy.what_if('SELECT $1 IS NULL', 'CREATE INDEX ON sale (buyer)') IS NOT NULL AS unknown;
SELECT remedy.what_if('SELECT nothing FROM sale', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('SELEC 1', 'CREATE INDEX ON sale (buyer)');

-- What cannot be created.
SELECT remedy.what_if('SELECT', NULL);
SELECT remedy.what_if('SELECT', '');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer); DROP TABLE sale');
SELECT remedy.what_if('SELECT', 'DROP TABLE sale');
SELECT remedy.what_if('SELECT', 'ALTER TABLE sale ADD UNIQUE (buyer)');
SELECT remedy.what_if('SELECT', 'DROP INDEX sale');
SELECT remedy.what_if('SELECT', 'DROP INDEX nowhere');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON nowhere (buyer)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (nothing)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (lower(nothing))');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (ctid)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale ((tableoid::integer + 1))');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (lower(email), (now()))');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (id) WHERE placed > now()');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale ((SELECT 1))');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (tags gin_trgm_ops_of_mine)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer text_ops)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (point(1, 2))');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer COLLATE "C")');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale USING gin (tags DESC)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale USING gin (note)');
SELECT remedy.what_if('SELECT', 'CREATE UNIQUE INDEX ON sale USING hash (buyer)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale USING hash (buyer, id)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale USING hash (buyer) INCLUDE (id)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer) INCLUDE (lower(note))');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer) INCLUDE (id DESC)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale USING spgist (note)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale USING nothing (note)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer) WITH (fillfactor = 5)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer) WITH (nothing = 5)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale (buyer) TABLESPACE nowhere');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON seen (i)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON pg_class (relname)');
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON ONLY log (what)');
-- An expression that fails for a row could not be indexed.
SELECT remedy.what_if('SELECT', 'CREATE INDEX ON sale ((note::integer))');
SELECT remedy.what_if('SELECT', VARIADIC array_agg('CREATE INDEX ON sale (buyer)'::text)) FROM generate_series(1, 65);
SELECT array_length((remedy.what_if('SELECT', VARIADIC array_agg('CREATE INDEX ON sale (buyer)'::text))).size_bytes, 1) FROM generate_series(1, 64);

-- Rights are those of EXPLAIN and of reading what is indexed.
GRANT USAGE ON SCHEMA shop TO regress_remedy_guest;
GRANT SELECT ON child TO regress_remedy_guest;
GRANT SELECT (buyer, id) ON sale TO regress_remedy_guest;
SET ROLE regress_remedy_guest;
SELECT cardinality(indexes_used) FROM remedy.what_if('SELECT i FROM child WHERE i = 5', 'CREATE INDEX ON child (i)');
SELECT cardinality(indexes_used) FROM remedy.what_if('SELECT id FROM sale WHERE buyer = 5', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('SELECT id FROM sale WHERE email = ''x''', 'CREATE INDEX ON sale (buyer)');
SELECT remedy.what_if('DELETE FROM child', 'CREATE INDEX ON child (i)');
SELECT remedy.what_if('SELECT i FROM child', 'CREATE INDEX ON parent (i)');
SELECT remedy.what_if('SELECT i FROM child', 'CREATE INDEX ON sale (buyer) WHERE email = ''x''');
SELECT remedy.what_if('SELECT i FROM child', 'CREATE INDEX ON sale (lower(email))');
SELECT remedy.what_if('SELECT i FROM child', 'CREATE INDEX ON sale (buyer) INCLUDE (email)');
SELECT remedy.what_if('SELECT i FROM child', 'CREATE INDEX ON sale ((sale IS NULL))');
RESET ROLE;
-- Rows that the user does not see are not sampled.
CREATE FUNCTION loud(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'called'; RETURN $1; END $$;
CREATE TABLE secret AS SELECT 1 AS i;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON secret TO regress_remedy_guest;
SELECT cardinality(indexes_used) FROM remedy.what_if('SELECT', 'CREATE INDEX ON secret (loud(i))');
SET ROLE regress_remedy_guest;
SELECT cardinality(indexes_used) FROM remedy.what_if('SELECT', 'CREATE INDEX ON secret (loud(i))');
RESET ROLE;

-- Nothing is left.
SELECT plan('SELECT id FROM sale WHERE buyer = 7', 'CREATE INDEX ON log (what)');
EXPLAIN (COSTS off) SELECT * FROM sale WHERE buyer = 7 AND lower(email) = 'x';
DROP SCHEMA shop CASCADE;
DROP OWNED BY regress_remedy_guest;
DROP ROLE regress_remedy_guest;

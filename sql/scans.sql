-- What statements read of tables, and which rows they keep.
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
CREATE SCHEMA depot;
SET search_path = depot, public;
CREATE TABLE part (id integer, status varchar(9), maker integer, listed boolean, gone date, tags jsonb);
INSERT INTO part SELECT i, 's' || i % 10, i % 7, i % 2 = 0, CASE WHEN i % 4 > 0 THEN date '2026-01-01' END,
	jsonb_build_object('n', i) FROM generate_series(1, 1000) AS i;
ANALYZE part;

\set volume 'SELECT table_name, toplevel, scans, rows_read FROM remedy.scans ORDER BY table_name COLLATE "C", toplevel, rows_read, scans;'
\set samples 'SELECT table_name, method, columns, index_columns, samples AS n, rows_read_sampled AS read, rows_kept_sampled AS kept, kept_ratio, predicate FROM remedy.scans WHERE samples > 0 ORDER BY predicate COLLATE "C", table_name COLLATE "C", read;'

-- Each execution's volume; the first ones are sampled.
SELECT remedy.reset();
SELECT count(*) FROM part WHERE status = 's1';
SELECT count(*) FROM part WHERE status = 's2';
SELECT count(*) FROM part WHERE status = 's3';
SELECT count(*) FROM part WHERE status = 's4';
SELECT count(*) FROM part WHERE status = 's5';
SELECT database = current_database() AS here, table_name, relation = 'part'::regclass AS same, user_name = CURRENT_USER AS me,
	query_id IS NOT NULL AS known, toplevel, method, columns, index_columns, scans, rows_read, samples,
	rows_read_sampled, rows_kept_sampled, loops_sampled, kept_ratio, first_seen < last_seen AS ordered, predicate
FROM remedy.scans \gx
SELECT scans_missed FROM remedy.status;

-- Conditions of every kind; no value shows.
SELECT remedy.reset();
\o /dev/null
SELECT FROM part;
SELECT FROM part WHERE maker IN (1, 2) AND id > 500;
SELECT FROM part WHERE maker NOT IN (1, 2);
SELECT FROM part WHERE maker = 1 OR (status = 's1' AND id < 10) OR gone IS NULL;
SELECT FROM part WHERE gone IS NOT NULL AND listed;
SELECT FROM part WHERE NOT listed AND 990 <= id;
SELECT FROM part WHERE lower(status) = 's1' AND tags @> '{"n": 1}';
SELECT FROM part WHERE tags ->> 'n' = '7';
SELECT FROM part WHERE status LIKE '%7' AND id = maker;
SELECT FROM part WHERE gone < CURRENT_DATE AND id + maker = 100;
SELECT FROM part WHERE (id, maker) > (500, 3);
SELECT FROM part WHERE id <> 1 AND id <> 2 AND id <> 3 AND id <> 4 AND id <> 5 AND id <> 6 AND id <> 7 AND id <> 8 AND id <> 9;
\o
:samples

-- A statement's parameters are none of its constants, whatever plan there is.
SELECT remedy.reset();
PREPARE parameters AS SELECT FROM part WHERE status = $1 AND maker = 1 AND id = ANY ($2);
\o /dev/null
SET plan_cache_mode = force_custom_plan;
EXECUTE parameters ('s1', '{1, 2}');
SET plan_cache_mode = force_generic_plan;
EXECUTE parameters ('s1', '{1, 2}');
RESET plan_cache_mode;
DO $$ DECLARE wanted text := 's1'; BEGIN
	PERFORM FROM depot.part WHERE status = wanted AND gone > date '2026-01-01' AND NOT id = -1 AND wanted || 'x' = status || 'x';
END $$;
\o
:samples
DEALLOCATE parameters;

-- Constants that were the same in all samples, three at least; no value shows.
\set recurring 'SELECT samples AS n, columns, recurring, predicate FROM remedy.scans ORDER BY predicate COLLATE "C", n;'
CREATE TYPE grade AS ENUM ('good', 'bad');
CREATE TABLE kinds (i integer, b bigint, n numeric, t text, c char(5), v varchar(5), d date, f float8, g grade, a integer[], j jsonb, u uuid);
INSERT INTO kinds SELECT 1, 1, 1, 't', 'c', 'v', '2026-01-01', 1, 'good', '{1,2}', '{"a": 1}', '00000000-0000-0000-0000-000000000001'
FROM generate_series(1, 200);
ANALYZE kinds;
SELECT remedy.reset();
\o /dev/null
\set ECHO none
SELECT format('SELECT 1 FROM part WHERE status = %L AND maker = %s', 's1', i) FROM generate_series(1, 4) AS i \gexec
SELECT format('SELECT 2 FROM part WHERE status = %L AND id = 5', 's1') FROM generate_series(1, 2) \gexec
SELECT format('SELECT 3 FROM part WHERE id <> 7 AND id <> %s AND (gone IS NULL OR maker = 2 OR maker = %s)', i, i) FROM generate_series(1, 3) AS i \gexec
SELECT 'SELECT 4 FROM part WHERE maker IN (1, 2) AND status < $$s9$$ OR maker <> 4' FROM generate_series(1, 3) \gexec
SELECT format('SELECT 5 FROM part WHERE maker IN (1, %s) AND id IS DISTINCT FROM %s', i, i) FROM generate_series(1, 3) AS i \gexec
-- In other words, the same.
SELECT format('SELECT 6 FROM kinds WHERE i = %s AND b = 1 AND n = %s AND t = %s AND c = %L AND v = %L AND d = %s', i, n, t, c, 'v', d)
FROM (VALUES ('1', '1', $$'t'$$, 'c', $$'2026-01-01'$$), ('1', '1', $$'t'$$, 'c', $$date '20260101'$$), ('1', '1', $$U&'\0074'$$, 'c', $$DATE '2026-01-01'$$)) AS v (i, n, t, c, d) \gexec
SELECT 'SELECT 7 FROM kinds WHERE f = 1.5 AND g = $$good$$ AND a = $${1,2}$$ AND j @> $${"a": 1}$$ AND u = $$00000000-0000-0000-0000-000000000001$$ AND v LIKE $$v%$$'
FROM generate_series(1, 3) \gexec
SELECT format('SELECT 8 FROM kinds WHERE f = %s AND g = %L AND a = %L AND j @> %L AND u = %L', f, g, a, j, u)
FROM (VALUES (1.5, 'good', '{1,2}', '{"a": 1}', '00000000-0000-0000-0000-000000000001'),
	(1.6, 'bad', '{2,1}', '{"a": 2}', '00000000-0000-0000-0000-000000000002'), (1.5, 'good', '{1,2}', '{"a": 1}', '00000000-0000-0000-0000-000000000001')) AS v (f, g, a, j, u) \gexec
\set ECHO all
\o
:recurring
-- A value that was given with the statement is no constant of it, whatever plan there is, nor is a variable.
SELECT remedy.reset();
PREPARE given AS SELECT FROM part WHERE status = $1 AND maker = $$1$$ AND id = ANY ($2) AND gone < $3::text::date;
DO $$ DECLARE trueish text := 's1'; e text := 's2'; BEGIN
	FOR i IN 1 .. 3 LOOP
		PERFORM FROM depot.part WHERE status = trueish AND maker = 5;
		PERFORM 1 FROM depot.part WHERE status = e AND listed = true AND status <> $q$s8$q$;
	END LOOP;
END $$;
SET plan_cache_mode = force_custom_plan;
\o /dev/null
EXECUTE given ('s1', '{1, 2}', '2026-01-01');
EXECUTE given ('s1', '{1, 2}', '2026-01-01');
SET plan_cache_mode = force_generic_plan;
EXECUTE given ('s1', '{1, 2}', '2026-01-01');
\o
RESET plan_cache_mode;
DEALLOCATE given;
:recurring

-- Two scans of one table in one statement have one pair of counters: the rows' sum
-- is exact, the samples tell them apart.
SELECT remedy.reset();
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM part AS a JOIN part AS b USING (id) WHERE a.maker = 1 AND b.listed;
RESET enable_mergejoin;
RESET enable_nestloop;
:samples
:volume

-- Indexes: what they find and further conditions drop.
CREATE TABLE stock (id integer PRIMARY KEY, part_id integer, place integer);
INSERT INTO stock SELECT i, i % 100, i % 3 FROM generate_series(1, 1000) AS i;
CREATE INDEX ON stock (part_id, place);
VACUUM ANALYZE stock;
SELECT remedy.reset();
SET enable_seqscan = off;
SELECT id FROM stock WHERE id = 7;
SET enable_bitmapscan = off;
SELECT count(*) FROM stock WHERE id < 301 AND place = 1;
SELECT count(part_id) FROM stock WHERE part_id = 5 AND place % 2 = 1;
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT count(id) FROM stock WHERE part_id = 5 AND id < 500;
RESET enable_indexscan;
RESET enable_indexonlyscan;
RESET enable_seqscan;
:samples
:volume

-- A scan beside an index scan, and below one node with it.
SELECT remedy.reset();
SELECT id, (SELECT count(*) FROM part) FROM stock WHERE id = 7;
:volume

-- What runs inside is counted by itself, and taken from what it runs in.
CREATE FUNCTION parts() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM depot.part); END';
CREATE FUNCTION parts_twice() RETURNS bigint LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT sum(depot.parts()) FROM depot.two); END';
CREATE TABLE two AS SELECT generate_series(1, 2) AS i;
SELECT remedy.reset();
SELECT id, parts() FROM part WHERE id <= 3;
:volume
SELECT remedy.reset();
SELECT id, parts_twice() FROM part WHERE id <= 3;
:volume

-- A run inside that fails has read what it has read, and so has what follows.
CREATE FUNCTION fails() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM 1 / (id - 500) FROM depot.part;
	EXCEPTION WHEN division_by_zero THEN
		PERFORM parts() FROM depot.two;
	END;
	RETURN 1;
END $$;
SELECT remedy.reset();
SELECT id, fails() FROM part WHERE id <= 1;
:volume
-- So has a client's statement.
SELECT remedy.reset();
\set VERBOSITY sqlstate
SELECT 1 / (id - 500) FROM part;
SELECT 1 / (parts() - 1000) FROM part;
SELECT 'SELECT 1 / (id - 1) FROM part' FROM generate_series(1, 18) \gexec
\set VERBOSITY default
:volume
SELECT count(*) FROM part;
DO 'BEGIN PERFORM count(*) FROM depot.two; END';
:volume

-- Deeper than anybody nests.
CREATE FUNCTION deep(n integer) RETURNS bigint LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT CASE WHEN n > 0 THEN depot.deep(n - 1) ELSE depot.parts() END FROM depot.two WHERE i = 1); END';
SELECT remedy.reset();
SELECT deep(20), count(*) FROM part;
SELECT table_name, sum(scans) AS scans, sum(rows_read) AS rows_read FROM remedy.scans GROUP BY 1 ORDER BY 1;

-- Cursors, in parts; the sample ends with the cursor.
SELECT remedy.reset();
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM part WHERE id <> 1;
FETCH 1 FROM c;
MOVE 9 IN c;
:volume
SELECT query_id IS NOT NULL AS known FROM remedy.scans;
MOVE ALL IN c;
CLOSE c;
COMMIT;
:volume
:samples
SELECT remedy.reset();
BEGIN;
DECLARE kept CURSOR WITH HOLD FOR SELECT id FROM part;
FETCH 1 FROM kept;
COMMIT;
CLOSE kept;
SELECT rows_read FROM remedy.scans;

-- Without track_counts there is nothing to know, and nothing is made up.
SELECT remedy.reset();
SET track_counts = off;
SELECT count(*) FROM part WHERE maker = 2 AND id > 0;
SET track_counts = on;
SELECT scans, rows_read, samples FROM remedy.scans;
CREATE FUNCTION untracked() RETURNS bigint LANGUAGE plpgsql SET track_counts = off AS 'BEGIN RETURN depot.parts(); END';
SELECT remedy.reset();
SELECT id, untracked() FROM part WHERE id <= 2;
SELECT count(*) FROM part;
SELECT toplevel, rows_read FROM remedy.scans WHERE rows_read > 0 ORDER BY 1, 2;

-- A table that is known anew has been counted before.
SELECT remedy.reset();
BEGIN;
SELECT count(*) FROM part;
ALTER TABLE part SET (fillfactor = 90);
SELECT count(*) FROM part;
COMMIT;
SELECT scans, rows_read FROM remedy.scans;

-- Partitions, temporary tables, tables that come and go.
CREATE TABLE sale (day integer, amount integer) PARTITION BY RANGE (day);
CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM (0) TO (10);
CREATE TABLE sale_2 PARTITION OF sale FOR VALUES FROM (10) TO (20);
INSERT INTO sale SELECT i % 20, i FROM generate_series(1, 400) AS i;
CREATE TEMPORARY TABLE basket AS SELECT generate_series(1, 70) AS i;
SELECT remedy.reset();
SELECT count(*) FROM sale WHERE amount > 100;
SELECT count(*) FROM sale WHERE day = 12;
SELECT count(*) FROM basket;
BEGIN;
CREATE TABLE brief AS SELECT generate_series(1, 50) AS i;
SELECT count(*) FROM brief;
SAVEPOINT s;
TRUNCATE brief;
SELECT count(*) FROM brief;
INSERT INTO brief VALUES (1);
SELECT count(*) FROM brief;
ROLLBACK TO s;
SELECT count(*) FROM brief;
DROP TABLE brief;
COMMIT;
SELECT table_name, query_id IS NOT NULL AS known, relation IS NOT NULL AS is_table, sum(scans) AS scans, sum(rows_read) AS rows_read
FROM remedy.scans GROUP BY 1, 2, 3 ORDER BY table_name COLLATE "C", 5;

-- As many as the server counts itself.
BEGIN;
CREATE TABLE counted AS SELECT i, i % 3 AS third FROM generate_series(1, 200) AS i;
SELECT remedy.reset();
SELECT count(*) FROM counted;
SELECT count(*) FROM counted AS a WHERE EXISTS (SELECT FROM counted AS b WHERE b.third = a.i);
UPDATE counted SET third = 4 WHERE i = 3;
DELETE FROM counted WHERE third = 4;
SELECT i FROM counted LIMIT 3;
INSERT INTO counted SELECT * FROM counted WHERE i < 5;
CREATE TEMPORARY TABLE copied AS SELECT * FROM counted;
COPY (SELECT * FROM counted WHERE i = 9) TO stdout;
SELECT sum(s.scans) = min(x.seq_scan) AS scans, sum(s.rows_read) = min(x.seq_tup_read) AS rows_read, sum(s.rows_read) > 1000 AS many
FROM remedy.scans AS s JOIN pg_stat_xact_user_tables AS x ON x.relid = s.relation WHERE s.table_name = 'depot.counted';
ROLLBACK;

-- Triggers and foreign keys.
CREATE TABLE maker (id integer PRIMARY KEY);
INSERT INTO maker SELECT generate_series(1, 5);
CREATE TABLE line (id integer, maker_id integer REFERENCES maker);
INSERT INTO line SELECT i, 1 + i % 3 FROM generate_series(1, 60) AS i;
SELECT remedy.reset();
SET enable_bitmapscan = off;
DELETE FROM maker WHERE id = 5;
SELECT table_name, toplevel, scans, rows_read, columns, predicate FROM remedy.scans WHERE table_name = 'depot.line';
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM count(*) FROM depot.two; RETURN NEW; END';
CREATE TRIGGER look AFTER INSERT ON line FOR EACH ROW EXECUTE FUNCTION look();
SELECT remedy.reset();
INSERT INTO line SELECT 100, 1 FROM two;
SELECT table_name, toplevel, scans, rows_read, columns FROM remedy.scans ORDER BY table_name COLLATE "C", toplevel;

-- By user; readable by everyone.
CREATE ROLE regress_remedy_clerk;
GRANT USAGE ON SCHEMA depot TO regress_remedy_clerk;
GRANT SELECT ON part TO regress_remedy_clerk;
CREATE FUNCTION as_owner() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN depot.parts(); END';
SELECT remedy.reset();
SET ROLE regress_remedy_clerk;
SELECT count(*) FROM part;
SELECT as_owner();
SELECT user_name <> CURRENT_USER AS other, toplevel, rows_read FROM remedy.scans ORDER BY 1, 2;
SELECT count(*) FROM remedy.read_scans_status();
RESET ROLE;
SELECT count(*) FROM part;
SELECT user_name = CURRENT_USER AS me, toplevel, rows_read, count(*) OVER () FROM remedy.scans ORDER BY 1, 2;

-- Parts are forgotten alone, also what has not left this session's memory yet; what
-- comes later counts from nothing.
SELECT remedy.reset(user_name => 'regress_remedy_clerk');
SELECT user_name = CURRENT_USER AS me, toplevel, scans, rows_read, samples FROM remedy.scans ORDER BY 1, 2;
SET ROLE regress_remedy_clerk;
SELECT count(*) FROM part;
RESET ROLE;
SELECT user_name = CURRENT_USER AS me, toplevel, scans, rows_read, samples FROM remedy.scans ORDER BY 1, 2;
SELECT remedy.reset(query_id => (SELECT min(query_id) FROM remedy.scans WHERE NOT toplevel));
SELECT user_name = CURRENT_USER AS me, toplevel, scans, rows_read FROM remedy.scans ORDER BY 1, 2;
SELECT remedy.reset(database => current_database());
SELECT count(*) FROM remedy.scans;
SELECT as_owner();
SELECT user_name = CURRENT_USER AS me, toplevel, scans, rows_read FROM remedy.scans ORDER BY 1, 2;

-- Catalogs, and what reads pg_remedy's own views, are not counted.
SELECT remedy.reset();
SELECT count(*) > 0 AS some FROM pg_proc;
SELECT count(*) FROM part, remedy.transaction_statements();
SELECT count(*) FROM remedy.scans;
SET pg_remedy.enabled = off;
SELECT count(*) FROM part;
SET pg_remedy.enabled = on;
SELECT count(*) FROM remedy.scans;

-- Sampled rarely in the end: 4 of 63 executions, then 64, 128 and so on.
SELECT remedy.reset();
DO $$ BEGIN FOR i IN 1 .. 130 LOOP PERFORM FROM depot.part WHERE maker = -i; END LOOP; END $$;
SELECT scans, rows_read, samples FROM remedy.scans;

-- Slow statements, and what surely is one, more often: 8, then each 32nd.
CREATE TABLE many AS SELECT generate_series(1, 100000) AS n;
ANALYZE many;
SELECT remedy.reset();
DO $$ BEGIN FOR i IN 1 .. 65 LOOP PERFORM FROM depot.many WHERE n = 3; END LOOP; END $$;
SELECT scans, rows_read, samples FROM remedy.scans;

-- An index scan without further conditions neither reads a table nor drops a row; what runs inside it does.
SELECT remedy.reset();
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT id FROM stock WHERE id = 7 FOR UPDATE;
UPDATE stock SET place = 5 WHERE id = 7;
SELECT parts() FROM stock WHERE id = 7;
SELECT 1 / (parts() - 1000) FROM stock WHERE id = 7;
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT table_name, toplevel, scans, rows_read FROM remedy.scans;
DROP SCHEMA depot CASCADE;
DROP ROLE regress_remedy_clerk;

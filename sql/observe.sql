-- What is counted as a statement, and when.
\set VERBOSITY sqlstate
SET client_min_messages = warning;
-- The first call loads the library where it is not preloaded.
SELECT remedy.transaction_statements();

CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 5) AS i;
CREATE TABLE part (id integer PRIMARY KEY, item_id integer NOT NULL REFERENCES item);

-- Counted: queries and utility commands, each once, whatever it runs inside.
BEGIN;
SELECT count(*) FROM item;
VALUES (1);
TABLE item LIMIT 0;
INSERT INTO item VALUES (6, 'six');
UPDATE item SET name = 'seven' WHERE id = 6;
DELETE FROM item WHERE id = 6;
MERGE INTO item USING (SELECT 1 AS id) AS s ON item.id = s.id WHEN MATCHED THEN UPDATE SET name = 'one';
LOCK TABLE item IN SHARE MODE;
CREATE TEMPORARY TABLE scratch AS SELECT * FROM item;
TRUNCATE scratch;
ANALYZE scratch;
EXPLAIN (COSTS off) SELECT 1;
COPY scratch FROM stdin;
1	one
\.
DO $$ BEGIN PERFORM 1; PERFORM 2; END $$;
SELECT remedy.transaction_statements() = 14 AS counted;
SELECT calls, rows, query FROM remedy.current_transaction;
ROLLBACK;

-- Not counted: transaction control, SET, SHOW, PREPARE, FETCH and the like, and
-- empty strings.
BEGIN;
SAVEPOINT a;
RELEASE a;
SET LOCAL work_mem = '1MB';
SHOW work_mem;
RESET work_mem;
SET CONSTRAINTS ALL DEFERRED;
PREPARE q AS SELECT 1;
DEALLOCATE q;
LISTEN something;
NOTIFY something;
UNLISTEN something;
;
SELECT remedy.transaction_statements();
ROLLBACK;

-- Not counted: what calls pg_remedy, directly, through a view or in a function.
CREATE FUNCTION so_far() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN remedy.transaction_statements(); END $$;
BEGIN;
SELECT 1;
SELECT count(*) > 0 AS any FROM remedy.transactions;
SELECT so_far();
DO $$ BEGIN PERFORM remedy.transaction_statements(); END $$;
SELECT remedy.transaction_statements();
ROLLBACK;

-- EXECUTE is its query, with the query's fingerprint.
PREPARE q AS SELECT id FROM item WHERE id = $1;
BEGIN;
EXECUTE q(1);
EXECUTE q(2);
SELECT calls, rows FROM remedy.current_transaction;
COMMIT;
DEALLOCATE q;

-- A cursor counts once, when it is open; its fetches add their rows.
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM item ORDER BY id;
SELECT remedy.transaction_statements();
FETCH 2 FROM c;
MOVE 1 IN c;
FETCH 1 FROM c;
SELECT calls, rows, query FROM remedy.current_transaction;
CLOSE c;
SELECT remedy.transaction_statements();
COMMIT;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM item;
DECLARE d CURSOR FOR SELECT name FROM item;
FETCH 1 FROM d;
FETCH 1 FROM c;
SELECT remedy.transaction_statements();
COMMIT;
BEGIN;
FETCH 1 FROM c;
SELECT remedy.transaction_statements();
COMMIT;
CLOSE c;
-- A cursor that a function opened belongs to the function's statement.
CREATE FUNCTION opened() RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE r refcursor := 'r'; BEGIN OPEN r FOR SELECT id FROM item; RETURN r; END $$;
BEGIN;
SELECT opened();
FETCH 2 FROM r;
SELECT remedy.transaction_statements();
COMMIT;

-- Errors: what fails before execution is not counted, what fails in it is.
BEGIN;
SAVEPOINT s;
SELEC 1;
ROLLBACK TO s;
SELECT no_such_column FROM item;
ROLLBACK TO s;
SELECT remedy.transaction_statements();
SELECT 1 / id FROM (SELECT id - 1 AS id FROM item) AS zero;
ROLLBACK TO s;
SELECT remedy.transaction_statements();
INSERT INTO part VALUES (1, 99);
ROLLBACK TO s;
SELECT remedy.transaction_statements();
DROP TABLE no_such_table;
ROLLBACK TO s;
SELECT remedy.transaction_statements();
DO $$ BEGIN RAISE division_by_zero; END $$;
ROLLBACK TO s;
SELECT remedy.transaction_statements();
EXECUTE no_such_statement;
ROLLBACK TO s;
SELECT remedy.transaction_statements();
ROLLBACK;
-- In an aborted transaction nothing is executed.
BEGIN;
SELECT 1 / id FROM (SELECT id - 1 AS id FROM item) AS zero;
SELECT 1;
ROLLBACK;
-- Permission is checked when the executor starts.
CREATE ROLE regress_remedy_nobody;
BEGIN;
SET LOCAL ROLE regress_remedy_nobody;
SAVEPOINT s;
SELECT * FROM item;
ROLLBACK TO s;
SELECT remedy.transaction_statements();
ROLLBACK;

-- Exception blocks do not unbalance the depth.
CREATE FUNCTION caught(deep integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 / (deep - deep);
	RETURN 0;
EXCEPTION WHEN division_by_zero THEN
	RETURN CASE WHEN deep = 0 THEN 0 ELSE caught(deep - 1) END;
END $$;
BEGIN;
SELECT caught(20);
SELECT caught(20) FROM generate_series(1, 3);
SELECT remedy.transaction_statements();
COMMIT;

-- Nested statements are apart: triggers, referential checks, functions.
CREATE FUNCTION trigger_reads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM count(*) FROM item; RETURN NEW; END $$;
CREATE TRIGGER reads BEFORE INSERT ON part FOR EACH ROW EXECUTE FUNCTION trigger_reads();
BEGIN;
INSERT INTO part VALUES (1, 1), (2, 2);
SELECT remedy.transaction_statements();
COMMIT;

-- Procedures that commit: the statement belongs to the transaction it ends in.
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 3 .. 5 LOOP INSERT INTO part VALUES (i, i); COMMIT; END LOOP;
END $$;
CALL commits();
SELECT remedy.transaction_statements();

-- A rule makes several queries of one statement, a function evaluated while the
-- plan is made runs others.
CREATE TABLE log (id integer);
CREATE RULE also AS ON INSERT TO item DO ALSO INSERT INTO log VALUES (new.id);
CREATE FUNCTION looked_up() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN (SELECT min(id) FROM item); END $$;
BEGIN;
INSERT INTO item VALUES (7, 'seven');
SELECT id FROM item WHERE id = looked_up();
SELECT remedy.transaction_statements();
ROLLBACK;

-- Several statements in one message.
BEGIN\; SELECT 1 \; SELECT 2 \; SELECT remedy.transaction_statements() \; COMMIT;

-- Texts: the statement's own part, constants and comments gone.
BEGIN;
SELECT 'a secret' AS s, 42 AS n, 1.5e3, B'101', E'it\'s', $q$dollar$q$, U&'\0041', -7 /* token=abc */ -- more
FROM item WHERE id IN (1, 2) AND name <> 'x' AND false;
SELECT 1 \; SELECT name FROM item WHERE id = 2 AND name = 'secret';
SELECT query FROM remedy.current_transaction;
COMMIT;

-- ... however long the text is.
BEGIN;
\o /dev/null
\set ECHO none
SELECT 'SELECT $1, ' || string_agg('length(''secret'')', ', ') || ', ' || quote_literal(repeat('s', 5000)) AS long
FROM generate_series(1, 3) \gset
PREPARE long(integer) AS :long;
EXECUTE long(1);
\set ECHO all
\o
SELECT query FROM remedy.current_transaction WHERE query LIKE 'PREPARE%';
ROLLBACK;
DEALLOCATE long;

-- A statement that was forgotten comes back with its text.
CREATE TABLE forgotten (a integer);
SELECT a FROM forgotten WHERE a = 1;
SELECT remedy.reset();
SELECT a FROM forgotten WHERE a = 2;
SELECT calls, first_seen <= last_seen AS ordered, query FROM remedy.statements WHERE query LIKE '% forgotten %';
DROP TABLE forgotten;

-- Totals. Only ended transactions that had statements are transactions.
SELECT remedy.reset();
SET application_name = 'regress_observe';
BEGIN; SELECT 1; SELECT 2; INSERT INTO part VALUES (6, 1); COMMIT;
BEGIN; SELECT 1; ROLLBACK;
BEGIN; COMMIT;
SELECT 1;
DO $$ BEGIN RAISE division_by_zero; END $$;
INSERT INTO part VALUES (7, 99);
SELECT application_name, transactions, statements, nested_statements, failed_statements, rows,
       statements_p50, statements_p95, statements_max, total_ms > 0 AS took, waiting_ms > 0 AS waited
FROM remedy.transactions WHERE application_name = 'regress_observe';
-- Of the running transaction, statements count at once.
BEGIN;
SELECT 1;
SELECT statements, transactions FROM remedy.transactions WHERE application_name = 'regress_observe';
COMMIT;
SET application_name = 'regress_other';
SELECT 1;
SELECT application_name, transactions, statements FROM remedy.transactions
WHERE application_name LIKE 'regress%' AND database = current_database() ORDER BY 1;
RESET application_name;

-- Switched off, nothing is counted; switched on again, it is.
SET pg_remedy.enabled = off;
BEGIN;
SELECT 1;
SELECT remedy.transaction_statements();
SET LOCAL pg_remedy.enabled = on;
SELECT 1;
SELECT remedy.transaction_statements();
COMMIT;
RESET pg_remedy.enabled;
DO $$ BEGIN SET pg_remedy.enabled = off; SET pg_remedy.enabled = on; PERFORM 1; END $$;
BEGIN;
SELECT 1;
SELECT remedy.transaction_statements();
COMMIT;
RESET pg_remedy.enabled;

-- Rights.
SET ROLE regress_remedy_nobody;
SET pg_remedy.enabled = off;
SELECT remedy.reset();
SELECT remedy.save();
SELECT remedy.transaction_statements();
SELECT count(*) >= 0 AS readable FROM remedy.transactions;
SELECT count(*) AS readable FROM remedy.status;
RESET ROLE;
-- A planner that fails leaves the statements after it statements; while it runs, an
-- exception that a function catches does not make statements of the function's queries.
CREATE FUNCTION constant() RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM 1 / 0;
	EXCEPTION WHEN division_by_zero THEN
		PERFORM count(*) FROM pg_catalog.pg_am;
	END;
	RETURN 1;
END $$;
SELECT 1 / 0;
BEGIN;
SELECT 1;
SAVEPOINT s;
SELECT 2 WHERE 1 / 0 > 0;
ROLLBACK TO s;
SELECT 3;
SELECT remedy.transaction_statements();
SELECT 4 WHERE constant() = 1;
SELECT remedy.transaction_statements();
COMMIT;
DROP FUNCTION constant();

SELECT version = (SELECT extversion FROM pg_extension WHERE extname = 'pg_remedy') AS same_version, enabled, query_ids,
       slots_used >= 1 AS used, sizes_missed, memory_bytes > 0 AS memory
FROM remedy.status;

-- Everything is explained.
SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_remedy')
  AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass)
  AND obj_description(objid, classid::regclass::name) IS NULL;
SELECT attrelid::regclass, attname FROM pg_attribute
WHERE attrelid IN (SELECT objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
                   AND classid = 'pg_class'::regclass
                   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_remedy'))
  AND attnum > 0 AND col_description(attrelid, attnum) IS NULL
  AND (SELECT relkind FROM pg_class WHERE oid = attrelid) IN ('r', 'v');

DROP TABLE part, log, item;
DROP FUNCTION so_far, opened, caught, trigger_reads, looked_up;
DROP PROCEDURE commits;
DROP ROLE regress_remedy_nobody;

-- Commands that run at top level in a background worker, with the caller's rights.
\set VERBOSITY default
SET client_min_messages = warning;
CREATE TABLE stock (id integer, item text);
INSERT INTO stock SELECT i, 'item ' || least(i, 99) FROM generate_series(1, 100) AS i;

-- What cannot run inside a function.
CALL remedy.run_in_background('CREATE INDEX CONCURRENTLY stock_id ON public.stock (id)');
SELECT indisvalid FROM pg_index WHERE indexrelid = 'stock_id'::regclass;
DO $$
BEGIN
	FOR number IN 1 .. 2
	LOOP
		CALL remedy.run_in_background(format('CREATE INDEX CONCURRENTLY stock_item_%s ON public.stock (item)', number));
	END LOOP;
END
$$;
SELECT indexrelid::regclass AS index, indisvalid FROM pg_index WHERE indrelid = 'stock'::regclass ORDER BY 1;
SELECT relfilenode AS before FROM pg_class WHERE oid = 'stock'::regclass \gset
CALL remedy.run_in_background('VACUUM FULL public.stock');
SELECT relfilenode <> :before AS rewritten FROM pg_class WHERE oid = 'stock'::regclass;
CALL remedy.run_in_background('CREATE INDEX CONCURRENTLY stock_column ON public.stock (colour)');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
-- One that fails halfway leaves what it leaves to a client.
CALL remedy.run_in_background('CREATE UNIQUE INDEX CONCURRENTLY stock_unique ON public.stock (item)');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
SELECT indisvalid FROM pg_index WHERE indexrelid = 'stock_unique'::regclass;

-- Queries, procedures that commit, and long texts.
CALL remedy.run_in_background('SELECT count(*) FROM public.stock');
CALL remedy.run_in_background('INSERT INTO public.stock VALUES (101, ''one more'');;');
CALL remedy.run_in_background(format('/* %s */ UPDATE public.stock SET item = ''the last'' WHERE id = 101',
                                     repeat('long ', 100000)));
SELECT * FROM stock WHERE id > 100;
CREATE PROCEDURE fill(up_to integer) LANGUAGE plpgsql
	AS $$ BEGIN FOR i IN 102 .. up_to LOOP INSERT INTO public.stock VALUES (i, 1 / (105 - i)); COMMIT; END LOOP; END $$;
CALL remedy.run_in_background('CALL public.fill(103)');
CALL remedy.run_in_background('CALL public.fill(110)');
SELECT count(*) FROM stock WHERE id > 101;

-- As whom it runs, and where names are looked up.
CREATE ROLE regress_clerk LOGIN;
GRANT EXECUTE ON PROCEDURE remedy.run_in_background(text) TO regress_clerk;
CREATE SCHEMA desk AUTHORIZATION regress_clerk;
ALTER ROLE regress_clerk SET search_path = desk;
SET application_name = 'regress_schedule';
SET ROLE regress_clerk;
CALL remedy.run_in_background('CREATE TABLE desk.seen AS SELECT current_user, session_user,
	current_setting(''search_path'') AS path, current_setting(''application_name'') AS application');
SELECT * FROM desk.seen;
CALL remedy.run_in_background('SELECT * FROM seen');
CALL remedy.run_in_background('SELECT * FROM public.stock');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
CALL remedy.run_in_background('RESET SESSION AUTHORIZATION');
CALL remedy.run_in_background('DO $$ BEGIN RESET ROLE; RESET SESSION AUTHORIZATION; PERFORM * FROM public.stock; END $$');
RESET ROLE;
REVOKE EXECUTE ON PROCEDURE remedy.run_in_background(text) FROM regress_clerk;
SET ROLE regress_clerk;
CALL remedy.run_in_background('SELECT 1');
RESET ROLE;
RESET application_name;

-- What is refused.
CALL remedy.run_in_background('SELECT 1; SELECT 2');
CALL remedy.run_in_background('-- nothing');
CALL remedy.run_in_background(NULL);
CALL remedy.run_in_background('COMMIT');
CALL remedy.run_in_background('COPY public.stock TO STDOUT');
CALL remedy.run_in_background('COPY public.stock FROM STDIN');
CALL remedy.run_in_background('SELECT 1 FROM');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
CALL remedy.run_in_background('DO $$ BEGIN RAISE EXCEPTION ''no'' USING ERRCODE = ''12345'', DETAIL = ''why'', HINT = ''how''; END $$');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
BEGIN;
INSERT INTO stock VALUES (999, 'not committed');
CALL remedy.run_in_background('SELECT 1');
ROLLBACK;
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
SELECT count(*) FROM stock WHERE id = 999;
\set VERBOSITY terse
DO $$ BEGIN CALL remedy.run_in_background('SELECT 1'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
CREATE FUNCTION within() RETURNS void LANGUAGE plpgsql
	AS $$ BEGIN CALL remedy.run_in_background('SELECT 1'); END $$;
SELECT within();

-- The session's limit is the command's, and the command ends with it.
SET statement_timeout = 200;
CALL remedy.run_in_background('SELECT pg_sleep(1000) AS "too long"');
RESET statement_timeout;
DO $$
BEGIN
	FOR i IN 1 .. 3000 LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pg_remedy command');
		PERFORM pg_sleep(0.01);
	END LOOP;
END
$$;
SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(1000) AS "too long"';

-- The worker that is always there is there where the library is preloaded.
SELECT worker_pid IS NOT NULL = (mode = 'preloaded') AS as_it_should_be, last_error FROM remedy.scheduler, remedy.status;
SHOW pg_remedy.save;
SHOW pg_remedy.save_interval;
SET pg_remedy.save_interval = 60;

DROP SCHEMA desk CASCADE;
DROP ROLE regress_clerk;
DROP PROCEDURE fill(integer);
DROP FUNCTION within();
DROP TABLE stock;

# Statements sent = statements counted, whatever the way they are sent and however they end.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = preloaded('protocols', 'max_prepared_transactions = 5', 'max_parallel_workers = 4');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE ROLE stranger LOGIN;
CREATE TABLE t (a integer PRIMARY KEY, b integer);
INSERT INTO t SELECT i, i FROM generate_series(1, 100) AS i;
CREATE TABLE zero (n integer);
INSERT INTO zero VALUES (0);
CREATE TABLE scratch (a integer);
CREATE TABLE secret (a integer);
CREATE FUNCTION three() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM t;
	PERFORM count(*) FROM t;
	RETURN (SELECT count(*) FROM t);
END $$;
CREATE FUNCTION opens(c refcursor) RETURNS refcursor LANGUAGE plpgsql AS $$
BEGIN
	OPEN c FOR SELECT 1 / (50 - a) FROM t;
	RETURN c;
END $$;
SQL

# ---- What is a statement, and what is none -------------------------------------------------------------

# One statement each, in a transaction of its own.
my @statements = (
	'SELECT 1', 'VALUES (1), (2)', 'TABLE t', 'SELECT a INTO made FROM t', 'DROP TABLE made',
	'INSERT INTO scratch VALUES (1), (2)', 'INSERT INTO scratch VALUES (3) RETURNING a',
	'UPDATE scratch SET a = a + 1', 'DELETE FROM scratch WHERE a = 2 RETURNING a',
	'WITH moved AS (DELETE FROM scratch RETURNING a) INSERT INTO scratch SELECT a FROM moved',
	'WITH old AS (DELETE FROM scratch RETURNING a) SELECT count(*) FROM old',
	'MERGE INTO scratch AS s USING t ON s.a = t.a WHEN NOT MATCHED THEN INSERT VALUES (t.a)',
	'SELECT a FROM t WHERE a = 1 FOR UPDATE',
	'CREATE TABLE made AS SELECT a FROM t', 'CREATE INDEX made_a ON made (a)',
	'CREATE INDEX CONCURRENTLY made_a_2 ON made (a)', 'ALTER TABLE made ADD b integer DEFAULT 1',
	'COMMENT ON TABLE made IS $$made$$', 'GRANT SELECT ON made TO PUBLIC', 'CLUSTER made USING made_a',
	'REINDEX TABLE made', 'VACUUM made', 'VACUUM (FULL) made', 'ANALYZE made', 'TRUNCATE made',
	'CREATE VIEW seen AS SELECT a FROM made', 'DROP VIEW seen',
	'CREATE MATERIALIZED VIEW stored AS SELECT a FROM t', 'REFRESH MATERIALIZED VIEW stored',
	'DROP MATERIALIZED VIEW stored', 'CREATE SCHEMA many CREATE TABLE one (a integer) CREATE TABLE two (a integer)',
	'DROP SCHEMA many CASCADE', 'CREATE ROLE made', 'DROP ROLE made', 'DROP TABLE made',
	'EXPLAIN SELECT * FROM t', 'EXPLAIN ANALYZE SELECT * FROM t',
	'DO $$ BEGIN END $$', 'COPY t TO STDOUT', 'COPY (SELECT a FROM t) TO STDOUT',
	'CREATE PROCEDURE nothing() LANGUAGE plpgsql AS $$ BEGIN END $$', 'CALL nothing()',
	'ALTER SYSTEM RESET work_mem');

for my $statement (@statements)
{
	counted($node, "one statement: $statement", "$statement;", { transactions => 1, statements => 1 });
}

my @others = (
	'BEGIN; COMMIT', 'START TRANSACTION; ROLLBACK AND CHAIN; ABORT',
		'BEGIN; SAVEPOINT s; ROLLBACK TO s; RELEASE s; END',
	'BEGIN; SET TRANSACTION READ ONLY; SET LOCAL work_mem = 64; SET CONSTRAINTS ALL IMMEDIATE; COMMIT',
	'SET work_mem = 64', 'SHOW work_mem', 'RESET work_mem', 'RESET ALL', 'DISCARD ALL',
		'PREPARE p AS SELECT 1; DEALLOCATE p',
	'LISTEN here', 'NOTIFY here', 'UNLISTEN *', q{LOAD 'plpgsql'}, 'CHECKPOINT');

for my $other (@others)
{
	counted($node, "no statement: $other", "$other;", { transactions => 0, statements => 0 });
}
counted($node, 'no statement: an empty message', ';', { transactions => 0, statements => 0 }, message => 1);
counted($node, 'no statement: a comment', '-- nothing', { transactions => 0, statements => 0 }, message => 1);

counted($node, 'a statement that calls pg_remedy is none', <<'SQL', { transactions => 1, statements => 2 });
BEGIN;
SELECT 1;
SELECT remedy.transaction_statements();
SELECT count(*) FROM t WHERE remedy.transaction_statements() > 0;
SELECT * FROM remedy.current_transaction;
SELECT * FROM remedy.n_plus_one, remedy.status;
CREATE TEMPORARY TABLE seen AS SELECT * FROM remedy.transactions;
COPY (SELECT * FROM remedy.findings) TO STDOUT;
DO $$ BEGIN PERFORM remedy.transaction_statements(); END $$;
SELECT 2;
COMMIT;
SQL
counted($node, 'nor is a cursor over its views', <<'SQL', { transactions => 1, statements => 1 });
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM remedy.status;
FETCH ALL FROM c;
SELECT 1;
COMMIT;
SQL

# ---- Messages and transactions -------------------------------------------------------------------------

counted($node, 'simple protocol', 'SELECT 1; SELECT 2; SELECT 3;', { transactions => 3, statements => 3, rows => 3 });
counted($node, 'several statements in one message are one transaction',
	'SELECT 1; SELECT 2; INSERT INTO scratch VALUES (1)', { transactions => 1, statements => 3 }, message => 1);
counted($node, 'a transaction that begins and ends inside a message',
	'SELECT 1; BEGIN; SELECT 2; COMMIT; SELECT 3', { transactions => 2, statements => 3 }, message => 1);
counted($node, 'an explicit transaction', 'BEGIN; SELECT 1; SELECT 2; COMMIT;', { transactions => 1, statements => 2 });
counted($node, 'one that is rolled back', 'BEGIN; SELECT 1; INSERT INTO scratch VALUES (1); ROLLBACK;',
	{ transactions => 1, statements => 2 });
counted($node, 'one whose client leaves', 'BEGIN; SELECT 1; SELECT 2;', { transactions => 1, statements => 2 });
counted($node, 'chained transactions',
	'BEGIN; SELECT 1; COMMIT AND CHAIN; SELECT 2; ROLLBACK AND CHAIN; SELECT 3; COMMIT;',
	{ transactions => 3, statements => 3 });
counted($node, 'savepoints', <<'SQL', { transactions => 1, statements => 5, failed_statements => 1 });
BEGIN;
SELECT 1;
SAVEPOINT one;
INSERT INTO t VALUES (1, 1);
ROLLBACK TO one;
SELECT 2;
SAVEPOINT two;
SELECT 3;
RELEASE two;
SELECT 4;
COMMIT;
SQL

my $transaction = <<'SQL';
SELECT b FROM t WHERE a = :client_id + 1;
BEGIN;
UPDATE t SET b = b + 1 WHERE a = :client_id + 1;
SELECT b FROM t WHERE a = :client_id + 1;
INSERT INTO scratch VALUES (1);
COMMIT;
SQL
my $pipeline = <<'SQL';
\startpipeline
SELECT b FROM t WHERE a = 1;
UPDATE t SET b = b + 1 WHERE a = :client_id + 10;
SELECT b FROM t WHERE a = 2;
\endpipeline
BEGIN;
\startpipeline
SELECT 1;
SELECT 2;
COMMIT;
SELECT 3;
\endpipeline
SQL

sub pgbench
{
	my ($script, @words) = @_;
	my $file = "$PostgreSQL::Test::Utils::tmp_check/script.sql";

	unlink $file;
	append_to_file($file, $script);
	local $ENV{PGAPPNAME} = 'client';
	$node->command_ok([ 'pgbench', '-n', '-f', $file, @words, 'postgres' ], "pgbench @words");
	return;
}

for my $protocol (qw(simple extended prepared))
{
	counted($node, "protocol $protocol", sub { pgbench($transaction, '-M', $protocol, '-c', 2, '-t', 10) },
		{ transactions => 40, statements => 80, rows => 80 });
}
for my $protocol (qw(extended prepared))
{
	counted($node, "pipelines, protocol $protocol", sub { pgbench($pipeline, '-M', $protocol, '-c', 2, '-t', 10) },
		{ transactions => 60, statements => 120, rows => 120 });
}

# ---- Portals, cursors, prepared statements -------------------------------------------------------------

my $wire = Wire->connect($node, 'client');
$wire->parse('all', 'SELECT a FROM t ORDER BY a')->parse('one', 'SELECT b FROM t WHERE a = $1')->sync->answers;

counted($node, 'a portal fetched in parts is one statement', sub {
	$wire->bind('p', 'all')->execute('p', 10)->execute('p', 10)->execute('p', 0)->sync;
	is($wire->answers, '2' . 'D' x 10 . 's' . 'D' x 10 . 's' . 'D' x 80 . 'CZ', 'a portal in parts');
}, { transactions => 1, statements => 1, rows => 100 });
counted($node, 'portals that take turns are one statement each', sub {
	$wire->query('BEGIN')->answers;
	$wire->bind('p', 'all')->execute('p', 10)->bind('q', 'all')->execute('q', 5)->sync->answers;
	$wire->execute('p', 10)->execute('q', 5)->query('SELECT 1')->answers;
	$wire->execute('q', 0)->execute('p', 0)->sync->answers;
	$wire->query('COMMIT')->answers;
}, { transactions => 1, statements => 3, rows => 201 });
counted($node, 'many portals that are bound before the first of them runs', sub {
	$wire->bind("p$_", 'all') for 1 .. 40;
	$wire->execute("p$_") for 1 .. 40;
	is($wire->sync->answers, '2' x 40 . ('D' x 100 . 'C') x 40 . 'Z', 'many portals');
}, { transactions => 1, statements => 40 });
counted($node, 'what is bound and not run is none', sub {
	$wire->bind('p', 'all')->close_portal('p')->sync->answers;
}, { transactions => 0, statements => 0 });
counted($node, 'parameters', sub {
	$wire->bind('', 'one', $_)->execute('') for 1 .. 20;
	is($wire->sync->answers, '2DC' x 20 . 'Z', 'parameters');
}, { transactions => 1, statements => 20, rows => 20 });
counted($node, 'what follows an error in a pipeline is none', sub {
	$wire->bind('', 'one', 1)->execute('')->bind('', 'one', 'x')->execute('')->bind('', 'one', 2)->execute('');
	is($wire->sync->answers, '2DC' . 'EZ', 'an error in a pipeline');
}, { transactions => 1, statements => 1 });
counted($node, 'what cannot be parsed is none', sub {
	is($wire->parse('', 'SELEC 1')->bind('', '')->execute('')->sync->answers, 'EZ', 'a syntax error');
	is($wire->parse('', 'SELECT nothing')->bind('', '')->execute('')->sync->answers, 'EZ', 'an unknown column');
}, { transactions => 0, statements => 0 });

# A custom plan is likely to lie where that of the statement before was.
$wire->query('SET plan_cache_mode = force_custom_plan')->answers;
$wire->parse($_, "SELECT b FROM t WHERE a = \$1 /*route='$_'*/") for 'left', 'right';
$wire->sync->answers;
for (1 .. 10)
{
	$wire->bind('', $_, 1)->execute('')->sync->answers for 'left', 'right';
}
is($node->safe_psql('postgres', "SELECT string_agg(route || ' ' || transactions, ', ' ORDER BY route)
	FROM remedy.transactions WHERE application_name = 'client'"), 'left 10, right 10', 'routes of prepared statements');
$wire->disconnect;

counted($node, 'a cursor is one statement with the rows of its fetches',
	<<'SQL', { transactions => 1, statements => 1, rows => 30 });
BEGIN;
DECLARE c CURSOR FOR SELECT a FROM t;
FETCH 10 FROM c;
FETCH 20 FROM c;
CLOSE c;
COMMIT;
SQL
counted($node, 'cursors that take turns with statements', <<'SQL', { transactions => 1, statements => 4 });
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT a FROM t;
DECLARE d CURSOR FOR SELECT a FROM t;
FETCH 10 FROM c;
UPDATE scratch SET a = 2;
FETCH 10 FROM d;
MOVE BACKWARD ALL FROM c;
SELECT 1;
FETCH 10 FROM c;
COMMIT;
SQL
counted($node, 'a cursor that is never read', 'BEGIN; DECLARE c CURSOR FOR SELECT a FROM t; COMMIT;',
	{ transactions => 1, statements => 1, rows => 0 });
counted($node, 'a cursor that outlives its transaction is counted in it alone',
	<<'SQL', { transactions => 1, statements => 1 });
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT a FROM t;
FETCH 10 FROM c;
COMMIT;
FETCH ALL FROM c;
CLOSE c;
SQL
cmp_ok(added($node, 'client', sub { psql_as($node, 'client', <<'SQL') })->{rows}, '<=', 100, 'and no row twice');
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT a FROM t;
FETCH 10 FROM c;
COMMIT;
SQL
counted($node, 'a cursor lost with its savepoint', <<'SQL', { transactions => 1, statements => 4 });
BEGIN;
SAVEPOINT s;
DECLARE c CURSOR FOR SELECT a FROM t;
FETCH 10 FROM c;
ROLLBACK TO s;
DECLARE c CURSOR FOR SELECT a FROM t;
FETCH 10 FROM c;
SELECT 1;
SELECT 2;
COMMIT;
SQL
counted($node, 'a cursor that a function opened is none, its fetches neither',
	<<'SQL', { transactions => 1, statements => 3 });
BEGIN;
SELECT opens('c');
FETCH 5 FROM c;
SELECT 1;
FETCH 5 FROM c;
SELECT 2;
COMMIT;
SQL
counted($node, 'even one that fails', <<'SQL', { transactions => 2, statements => 3 });
BEGIN;
SELECT opens('c');
SAVEPOINT s;
FETCH ALL FROM c;
ROLLBACK TO s;
SELECT 1;
COMMIT;
SELECT 2;
SQL
counted($node, 'UPDATE of a cursor\'s row', <<'SQL', { transactions => 1, statements => 2 });
BEGIN;
DECLARE c CURSOR FOR SELECT a FROM scratch FOR UPDATE;
FETCH 1 FROM c;
UPDATE scratch SET a = 3 WHERE CURRENT OF c;
COMMIT;
SQL
counted($node, 'forty cursors', 'BEGIN;' . join('', map { "DECLARE c$_ CURSOR FOR SELECT a FROM t;" } 1 .. 40)
	  . join('', map { "FETCH 1 FROM c$_;" } 1 .. 40) . 'COMMIT;', { transactions => 1, statements => 40 });
counted($node, 'PREPARE and EXECUTE', <<'SQL', { transactions => 3, statements => 3, rows => 103 });
PREPARE p AS SELECT a FROM t WHERE a <= $1;
EXECUTE p(1);
EXECUTE p(100);
DEALLOCATE p;
PREPARE p AS UPDATE t SET b = 0 WHERE a <= $1;
EXECUTE p(2);
SQL
counted($node, 'EXECUTE inside EXPLAIN and CREATE TABLE AS', <<'SQL', { transactions => 2, statements => 2 });
PREPARE p AS SELECT a FROM t WHERE a <= $1;
EXPLAIN ANALYZE EXECUTE p(1);
CREATE TEMPORARY TABLE made AS EXECUTE p(2);
SQL

# ---- COPY, CALL, DO, functions, rules ------------------------------------------------------------------

counted($node, 'COPY in and out', <<'SQL', { transactions => 2, statements => 2, rows => 103 });
COPY scratch FROM STDIN;
1
2
3
\.
COPY t TO STDOUT;
SQL
counted($node, 'COPY of a query', 'COPY (SELECT a FROM t LIMIT 7) TO STDOUT;', { transactions => 1, statements => 1,
	rows => 7 });
counted($node, 'COPY that fails', <<'SQL', { transactions => 1, statements => 1, failed_statements => 1 });
COPY scratch FROM STDIN;
1
x
\.
SQL
counted($node, 'COPY within a message of several statements', 'SELECT 1; COPY zero TO STDOUT; SELECT 2',
	{ transactions => 1, statements => 3 }, message => 1);

$node->safe_psql('postgres', <<'SQL');
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO scratch VALUES (1);
	COMMIT;
	INSERT INTO scratch VALUES (2);
	ROLLBACK;
	INSERT INTO scratch VALUES (3);
END $$;
CREATE PROCEDURE calls() LANGUAGE plpgsql AS $$ BEGIN CALL commits(); COMMIT; END $$;
SQL
counted($node, 'CALL with transactions inside is one statement', 'CALL commits(); CALL calls(); SELECT 1;',
	{ transactions => 3, statements => 3 });
counted($node, 'what ran in each of its transactions is nested', 'CALL commits();',
	{ transactions => 1, statements => 1, nested_statements => 3 });
counted($node, 'a command\'s own query is not nested in it',
	<<'SQL', { transactions => 5, statements => 5, nested_statements => 0 });
COPY (SELECT a FROM t) TO STDOUT;
CREATE TEMPORARY TABLE made AS SELECT a FROM t;
CREATE MATERIALIZED VIEW stored AS SELECT a FROM t;
DROP MATERIALIZED VIEW stored;
EXPLAIN ANALYZE SELECT a FROM t;
SQL
counted($node, 'DO', <<'SQL', { transactions => 1, statements => 1, nested_statements => 5 });
DO $$ BEGIN FOR i IN 1 .. 5 LOOP PERFORM b FROM t WHERE a = i; END LOOP; END $$;
SQL
counted($node, 'DO with transactions inside', <<'SQL', { transactions => 2, statements => 2 });
DO $$ BEGIN FOR i IN 1 .. 5 LOOP INSERT INTO scratch VALUES (i); COMMIT; END LOOP; END $$;
SELECT 1;
SQL
counted($node, 'functions', 'SELECT three(); SELECT 1;', { transactions => 2, statements => 2,
	nested_statements => 3 });
counted($node, 'errors that are caught leave the nesting right', <<'SQL', { transactions => 2, statements => 3 });
BEGIN;
DO $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		BEGIN
			PERFORM three();
			PERFORM 1 / n FROM zero;
		EXCEPTION WHEN division_by_zero THEN
			PERFORM 1 FROM t;
		END;
	END LOOP;
END $$;
SELECT 1;
COMMIT;
SELECT 2;
SQL

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE audited (a integer);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO scratch VALUES (NEW.a);
	RETURN NEW;
END $$;
CREATE TRIGGER audit AFTER INSERT ON audited FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TABLE also (a integer);
CREATE RULE also AS ON INSERT TO also DO ALSO INSERT INTO scratch VALUES (NEW.a);
CREATE RULE also_changed AS ON UPDATE TO also DO ALSO INSERT INTO scratch SELECT a FROM t;
CREATE TABLE instead (a integer);
CREATE RULE instead AS ON INSERT TO instead DO INSTEAD UPDATE scratch SET a = NEW.a;
CREATE FUNCTION while_planning(integer) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
	line record;
BEGIN
	FOR line IN SELECT a FROM t LOOP
		EXIT WHEN line.a = 10;
	END LOOP;
	RETURN (SELECT count(*) FROM t);
END $$;
CREATE FUNCTION denied_while_planning(integer) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
	line record;
BEGIN
	FOR line IN SELECT a FROM secret LOOP
	END LOOP;
	RETURN (SELECT count(*) FROM secret);
END $$;
SQL
counted($node, 'triggers', 'INSERT INTO audited VALUES (1), (2), (3);',
	{ transactions => 1, statements => 1, nested_statements => 3, rows => 3 });
counted($node, 'a rule that adds a statement', 'INSERT INTO also VALUES (1), (2);', { transactions => 1,
	statements => 1, rows => 2 });
counted($node, 'one that adds it before', 'UPDATE also SET a = 3 WHERE a = 1;', { transactions => 1, statements => 1,
	rows => 1 });
counted($node, 'a rule that replaces a statement', 'INSERT INTO instead VALUES (1);', { transactions => 1,
	statements => 1 });
counted($node, 'functions that run while a statement is planned', <<'SQL', { transactions => 4, statements => 4 });
PREPARE p AS SELECT while_planning(1) FROM t;
EXECUTE p;
SELECT while_planning(1);
EXPLAIN SELECT while_planning(1);
BEGIN;
DECLARE c CURSOR FOR SELECT while_planning(1) FROM t;
FETCH ALL FROM c;
COMMIT;
SQL
counted($node, 'what fails in a function that runs while it is planned is none',
	<<'SQL', { transactions => 1, statements => 1 }, role => 'stranger');
SELECT denied_while_planning(1);
PREPARE p AS SELECT denied_while_planning(1);
EXECUTE p;
BEGIN;
DECLARE c CURSOR FOR SELECT denied_while_planning(1);
ROLLBACK;
SELECT 1;
SQL

# ---- Parallel workers, two-phase commit ----------------------------------------------------------------

my $force = $node->safe_psql('postgres',
	"SELECT name FROM pg_settings WHERE name IN ('debug_parallel_query', 'force_parallel_mode')");
my $eagerly = "SET parallel_setup_cost = 0;\nSET parallel_tuple_cost = 0;\nSET min_parallel_table_scan_size = 0;\n"
  . "SET max_parallel_workers_per_gather = 3;\n";

$node->safe_psql('postgres', 'CREATE TABLE wide AS SELECT i AS a FROM generate_series(1, 20000) AS i; ANALYZE wide');
like(scalar psql_as($node, 'other', "${eagerly}EXPLAIN (ANALYZE, COSTS OFF) SELECT count(*) FROM wide;"),
	qr/Workers Launched: [1-9]/, 'parallel workers are launched');
counted($node, 'parallel workers are counted once',
	"${eagerly}SELECT count(*) FROM wide;\nSELECT a FROM wide WHERE a <= 10;",
	{ transactions => 2, statements => 2, nested_statements => 0, rows => 11 });
counted($node, 'parallel workers below a function', "${eagerly}DO \$\$ BEGIN PERFORM count(*) FROM wide; END \$\$;",
	{ transactions => 1, statements => 1, nested_statements => 1 });
counted($node, 'everything in a parallel worker',
	"SET $force = on;\nSELECT b FROM t WHERE a = 1;\nSELECT b FROM t WHERE a = 2;",
	{ transactions => 2, statements => 2, nested_statements => 0, rows => 2 });

counted($node, 'two-phase commit', <<'SQL', { transactions => 3, statements => 4 });
BEGIN;
INSERT INTO scratch VALUES (1);
SELECT 1;
PREPARE TRANSACTION 'one';
COMMIT PREPARED 'one';
BEGIN;
INSERT INTO scratch VALUES (1);
PREPARE TRANSACTION 'two';
SELECT 1;
ROLLBACK PREPARED 'two';
SQL

# ---- Errors at every stage -----------------------------------------------------------------------------

# SQL that fails with this error, alone and in a transaction with statements around it: how many statements and
# failures it counts as.
sub fails
{
	my ($stage, $failing, $error, $statements, $failed) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	counted($node, "failing $stage", sub {
		my (undef, $errors) = psql_as($node, 'client', "$failing;");
		like($errors, $error, "failing $stage");
	}, { transactions => $statements, statements => $statements, failed_statements => $failed });
	counted($node, "failing $stage, in a transaction",
		<<"SQL", { transactions => 2, statements => 3 + $statements, failed_statements => $failed });
BEGIN;
SELECT 1;
SAVEPOINT s;
$failing;
ROLLBACK TO s;
SELECT 2;
COMMIT;
SELECT 3;
SQL
	return;
}

$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1;
	RAISE EXCEPTION 'refused';
END $$;
CREATE TABLE refusing (a integer);
CREATE TRIGGER refuse AFTER INSERT ON refusing FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TABLE later (a integer REFERENCES t DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE checked (a integer);
CREATE FUNCTION check_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	CREATE TEMPORARY TABLE IF NOT EXISTS noted AS SELECT NEW.a;
	PERFORM count(*) FROM t;
	RETURN NULL;
END $$;
CREATE TABLE denied_later (a integer);
GRANT INSERT ON denied_later TO stranger;
CREATE FUNCTION deny_later() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	line record;
BEGIN
	FOR line IN SELECT a FROM secret LOOP
	END LOOP;
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deny_later AFTER INSERT ON denied_later DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION deny_later();
CREATE CONSTRAINT TRIGGER check_later AFTER INSERT ON checked DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION check_later();
SQL

fails('in the parser', 'SELEC 1', qr/syntax error/, 0, 0);
fails('in analysis', 'SELECT nothing FROM t', qr/column "nothing" does not exist/, 0, 0);
fails('in planning', 'SELECT 1 / 0', qr/division by zero/, 0, 0);
fails('in execution', 'SELECT 1 / n FROM zero', qr/division by zero/, 1, 1);
fails('after some rows', 'SELECT 1 / (50 - a) FROM t', qr/division by zero/, 1, 1);
fails('in a function', 'DO $$ BEGIN PERFORM three(); RAISE EXCEPTION $x$refused$x$; END $$', qr/refused/, 1, 1);
fails('in a utility command', 'DROP TABLE nothing', qr/does not exist/, 1, 1);
fails('in a cursor\'s start', 'DECLARE c CURSOR FOR SELECT a FROM nothing', qr/does not exist/, 0, 0);
fails('in an AFTER trigger', 'INSERT INTO refusing VALUES (1)', qr/refused/, 1, 1);
fails('by a unique key', 'INSERT INTO t VALUES (1, 1)', qr/duplicate key/, 1, 1);

counted($node, 'failing at the start', 'SELECT * FROM secret;', { transactions => 1, statements => 1,
	failed_statements => 1 },
	role => 'stranger');
counted($node, 'failing at the start, in a cursor',
	'BEGIN; DECLARE c CURSOR FOR SELECT * FROM secret; ROLLBACK; SELECT 1;',
	{ transactions => 2, statements => 2, failed_statements => 1 }, role => 'stranger');
counted($node, 'failing at the start, below a function', 'DO $$ BEGIN PERFORM * FROM secret; END $$; SELECT 1;',
	{ transactions => 2, statements => 2, failed_statements => 1 }, role => 'stranger');
counted($node, 'failing in a fetch', <<'SQL', { transactions => 1, statements => 2, failed_statements => 1 });
BEGIN;
SELECT 1;
DECLARE c CURSOR FOR SELECT 1 / (50 - a) FROM t;
FETCH 10 FROM c;
FETCH ALL FROM c;
COMMIT;
SQL
counted($node, 'failing at COMMIT', <<'SQL', { transactions => 2, statements => 3 });
BEGIN;
SELECT 1;
INSERT INTO later VALUES (1000);
COMMIT;
INSERT INTO later VALUES (1000);
SQL
counted($node, 'what runs at COMMIT is none', <<'SQL', { transactions => 3, statements => 3 });
BEGIN;
INSERT INTO checked VALUES (1);
COMMIT;
INSERT INTO checked VALUES (2);
SELECT 1;
SQL
counted($node, 'also when it fails', <<'SQL', { transactions => 2, statements => 3 }, role => 'stranger');
BEGIN;
INSERT INTO denied_later VALUES (1);
SELECT 1;
COMMIT;
INSERT INTO denied_later VALUES (2);
SQL
counted($node, 'nor what SET CONSTRAINTS runs', <<'SQL', { transactions => 1, statements => 2 });
BEGIN;
INSERT INTO checked VALUES (1);
SET CONSTRAINTS ALL IMMEDIATE;
SELECT 1;
COMMIT;
SQL
counted($node, 'statements of a failed transaction are none',
	<<'SQL', { transactions => 2, statements => 3, failed_statements => 1 });
BEGIN;
SELECT 1;
SELECT 1 / n FROM zero;
SELECT 2;
INSERT INTO scratch VALUES (1);
COMMIT;
SELECT 3;
SQL
counted($node, 'an error ends the message', 'SELECT 1; SELECT 1 / n FROM zero; SELECT 2',
	{ transactions => 1, statements => 2, failed_statements => 1 }, message => 1);
counted($node, 'statement_timeout', <<'SQL', { transactions => 2, statements => 2, failed_statements => 1 });
BEGIN;
SET LOCAL statement_timeout = 200;
SELECT pg_sleep(1000);
ROLLBACK;
SELECT 1;
SQL

my $sleeper = client($node, 'client');
counted($node, 'pg_cancel_backend()', sub {
	$sleeper->query_until(qr/asleep/, "BEGIN;\nSELECT 1;\n\\echo asleep\nSELECT pg_sleep(1000);\n");
	asleep($node, 'client');
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . pid_of($node, 'client') . ')');
	$sleeper->query("ROLLBACK;\nSELECT 2");
}, { transactions => 2, statements => 3, failed_statements => 1 });
counted($node, 'pg_cancel_backend() in a loop', sub {
	my $loop = 'DO $$ BEGIN FOR i IN 1 .. 3 LOOP PERFORM three(); END LOOP; PERFORM pg_sleep(1000); END $$';
	$sleeper->query_until(qr/asleep/, "\\echo asleep\n$loop;\n");
	asleep($node, 'client');
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . pid_of($node, 'client') . ')');
	$sleeper->query("SELECT 2");
}, { transactions => 2, statements => 2, nested_statements => 13, failed_statements => 1 });
$sleeper->quit;

$node->stop;
done_testing();

# Plans of slow statements, where it takes several processes, databases or servers: who is in whose way, what goes wrong
# while a plan is printed, whose encoding a text is in, and that the server's own instrumentation stays as it was.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('plans', 'pg_remedy.slow_ms = 0', 'pg_remedy.plan_interval = 0', 'pg_remedy.max_plans = 16',
	'jit = off', 'wal_level = replica', 'max_wal_senders = 5', 'hot_standby = on');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE item (id integer PRIMARY KEY, name text);
INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 1000) AS i;
ANALYZE item;
CREATE FUNCTION slowly(integer, double precision DEFAULT 0.02) RETURNS boolean LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_sleep($2); RETURN $1 IS NOT NULL; END $$;
CREATE FUNCTION parallel_slowly(integer) RETURNS boolean LANGUAGE plpgsql PARALLEL SAFE AS
	$$ BEGIN IF $1 % 500 = 0 THEN PERFORM pg_sleep(0.02); END IF; RETURN $1 IS NOT NULL; END $$;
SQL

sub reset_all { return $node->safe_psql('postgres', 'SELECT remedy.reset()'); }

# A column of the plans that look like this, in the order of their first run.
sub plans
{
	my ($like, $column, $on, $database) = @_;

	$column //= 'plan';
	return ($on // $node)->safe_psql($database // 'postgres',
		"SELECT $column FROM remedy.plans WHERE plan LIKE '$like' ORDER BY first_seen");
}

sub missed { return $node->safe_psql('postgres', 'SELECT plans_missed FROM remedy.status'); }

# ---- Once in an interval, whoever runs it ----------------------------------------------------------------

{
	my @clients = map { client($node, "client $_") } 1 .. 4;

	$_->query_safe('SET pg_remedy.plan_interval = 60') for @clients;
	reset_all();
	$_->query_safe('SELECT name FROM item WHERE id = 5 AND slowly(id)') for @clients;
	is(plans('%slowly%', 'calls'), 1, 'a statement is looked at once, whichever session runs it');
	$clients[1]->query_safe('SELECT id FROM item WHERE id = 5 AND slowly(id)');
	is(plans('%slowly%', 'calls'), "1\n1", 'another statement in its own time');
	$clients[2]->query_safe("BEGIN READ ONLY;\nSELECT 1 FROM item WHERE id = 5 AND slowly(id)");
	is(plans('%slowly%', 'count(*) OVER ()') =~ s/\n.*//sr, 3, 'others see it while the transaction runs, read-only as it is');
	$_->quit for @clients;
}

# ---- What goes wrong is not the statement's --------------------------------------------------------------

{
	my $user = client($node, 'user');

	reset_all();
	$node->safe_psql('postgres', 'CREATE FUNCTION harmless(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN true; END $$');
	$user->query_safe("BEGIN;\nINSERT INTO item VALUES (2000, 'new')");
	$user->query_until(qr/started/, "\\echo started\nSELECT name FROM item WHERE id = 7 AND harmless(id) AND slowly(id, 3);\n");
	asleep($node, 'user');
	$node->safe_psql('postgres', 'DROP FUNCTION harmless(integer)');
	is($user->query_safe('COMMIT'), 'item 7', 'a statement whose plan cannot be printed any more has its result');
	is($node->safe_psql('postgres', 'SELECT name FROM item WHERE id = 2000'), 'new', 'and its transaction goes on');
	is(plans('%harmless%'), '', 'the plan is not kept');
	is(missed(), 1, 'which is counted');

	$user->query_safe('SELECT name FROM item WHERE id = 8 AND slowly(id)');
	is(plans('%slowly%', 'calls'), 1, 'a plan is kept');
	my $keeper = client($node, 'keeper');
	$keeper->query_safe("BEGIN;\nLOCK TABLE pg_catalog.pg_operator IN ACCESS EXCLUSIVE MODE");
	is($user->query_safe('SELECT name FROM item WHERE id = 8 AND slowly(id)'), 'item 8', 'somebody locks a catalog');
	$keeper->query_safe('ROLLBACK');
	is(plans('%slowly%', 'calls'), 1, 'then the plan is not looked at');
	is(missed(), 2, 'which is counted');
	is($user->query_safe('SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 2617'), 0,
		'and no lock on a catalog stays');
	$_->quit for $user, $keeper;
}

# ---- What is no client's statement ------------------------------------------------------------------------

reset_all();
psql_as($node, 'client', <<'SQL');
EXPLAIN ANALYZE SELECT name FROM item WHERE id = 1 AND slowly(id);
COPY (SELECT name FROM item WHERE id = 2 AND slowly(id)) TO STDOUT;
DO $$ BEGIN PERFORM name FROM item WHERE id = 3 AND slowly(id); END $$;
CREATE TEMPORARY TABLE copy AS SELECT name FROM item WHERE id = 4 AND slowly(id);
SELECT name FROM no_such_table WHERE slowly(id);
SELECT 1 / (id - id) FROM item WHERE id = 5 AND slowly(id);
SQL
is(plans('%slowly%'), '', 'only a statement that ran well, and not in a command');

# ---- Parallel plans, subplans -----------------------------------------------------------------------------

psql_as($node, 'client', <<'SQL');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM item WHERE parallel_slowly(id) AND name <> 'secret';
SQL
like(plans('%parallel_slowly%'), qr/  ->  Gather\n +Workers Planned: [12]\n.* Parallel Seq Scan on item\n.*\(name <> \?::text\)/s,
	'a parallel plan');
psql_as($node, 'client', <<'SQL');
WITH a AS MATERIALIZED (SELECT id FROM item WHERE id < 10)
SELECT name FROM item WHERE id = (SELECT max(id) FROM a) AND id + 100 NOT IN (SELECT id FROM a) AND slowly(id);
SQL
like(plans('%CTE a%'), qr/SubPlan 3.*CTE a\n.*\(id < \?\).*InitPlan 2.*SubPlan 3/s, 'a plan with subplans');

# ---- Instrumentation that others asked for ----------------------------------------------------------------

for my $slow_ms (-1, 0)
{
	my $offset = -s $node->logfile;

	reset_all();
	psql_as($node, 'client', <<"SQL");
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET pg_remedy.slow_ms = $slow_ms;
BEGIN;
DECLARE c CURSOR FOR SELECT name FROM item WHERE slowly(id);
FETCH 2 FROM c;
FETCH 3 FROM c;
CLOSE c;
COMMIT;
SQL
	like(slurp_file($node->logfile, $offset), qr/Seq Scan on item .*\(actual rows=5(\.00)? loops=1\)/,
		"auto_explain counts one loop of a cursor with slow_ms = $slow_ms");
	is(plans('%slowly%', 'calls'), $slow_ms < 0 ? '' : 2, 'whose runs were looked at');
}

# ---- Encodings, other databases, privileges ---------------------------------------------------------------

$node->safe_psql('postgres', q{CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
$node->safe_psql('latin', 'CREATE EXTENSION pg_remedy');
reset_all();
psql_as($node, 'client', <<'SQL');
SET client_encoding = 'UTF8';
CREATE TABLE "größe" (id integer);
CREATE TABLE "東京" (id integer);
INSERT INTO "größe" VALUES (1);
INSERT INTO "東京" VALUES (1);
SELECT id FROM "größe" WHERE slowly(id);
SELECT id FROM "東京" WHERE slowly(id);
SQL
is(plans('%slowly%', 'count(*) OVER ()'), "2\n2", 'texts of a UTF-8 database');
is( psql_as($node, 'reader',
		q{SET client_encoding = 'UTF8'; SELECT database, split_part(plan, E'\n', 1) FROM remedy.plans WHERE user_name = current_user AND plan IS DISTINCT FROM '' AND calls = 1 ORDER BY first_seen;},
		database => 'latin'),
	"postgres|Seq Scan on \"größe\"\npostgres|",
	'read in a LATIN1 one: what can be written there, else null');
$node->safe_psql('postgres', 'CREATE ROLE bob LOGIN; CREATE ROLE statistician LOGIN IN ROLE pg_read_all_stats');
is(psql_as($node, 'bob', 'SELECT DISTINCT plan FROM remedy.plans;', role => 'bob'), '<insufficient privilege>',
	'plans are not shown to other roles');
like(psql_as($node, 'statistician', 'SELECT plan FROM remedy.plans;', role => 'statistician'), qr/slowly/,
	'but to pg_read_all_stats');

# ---- A full table, many clients ---------------------------------------------------------------------------

reset_all();
{
	my @files;

	for my $i (1 .. 24)
	{
		my $columns = join(', ', (1) x $i);

		push @files, "$PostgreSQL::Test::Utils::tmp_check/statement_$i.sql";
		append_to_file($files[-1], "SELECT $columns FROM item WHERE id = 3 AND slowly(id, 0.011);\n");
	}
	$node->command_ok([ 'pgbench', '-n', '-c', 6, '-j', 2, '-t', 40, map { ('-f', $_) } @files ], 'many clients');
}
is($node->safe_psql('postgres', <<'SQL'), '16|16|t|t|t|t', 'a full table forgets what was seen longest ago');
SELECT min(s.plans_used), min(s.plans_max), min(s.plans_evicted) > 0, sum(p.calls) + min(s.plans_missed) <= 240,
	bool_and(p.min_ms >= 11), bool_and(p.plan LIKE E'Index%Scan using item_pkey on item\n  Index Cond: (id = ?)\n  Filter: slowly(id, ?::double precision)')
FROM remedy.status AS s, remedy.plans AS p
SQL

# ---- A hot standby ----------------------------------------------------------------------------------------

{
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$node->safe_psql('postgres', <<'SQL');
CREATE TYPE waiting;
CREATE FUNCTION waiting_in(cstring) RETURNS waiting LANGUAGE internal IMMUTABLE STRICT AS 'int8in';
CREATE FUNCTION waiting_out(waiting) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'pg_advisory_lock_int8';
CREATE TYPE waiting (INPUT = waiting_in, OUTPUT = waiting_out, LIKE = bigint);
CREATE FUNCTION is_same(waiting, waiting) RETURNS boolean LANGUAGE internal STRICT AS 'int8eq';
CREATE OPERATOR = (LEFTARG = waiting, RIGHTARG = waiting, FUNCTION = is_same);
CREATE TABLE bed AS SELECT '100'::waiting AS nap;
SQL
	$node->backup('backup');
	$standby->init_from_backup($node, 'backup', has_streaming => 1);
	$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = 0');
	$standby->start;
	wait_until($standby, 'pg_is_in_recovery()', 'the standby');
	$standby->safe_psql('postgres', 'SELECT name FROM item WHERE id = 5 AND slowly(id)');
	is(plans('%slowly%', 'calls', $standby), 1, 'a plan on a hot standby');

	# A conflict with recovery comes while the plan is printed: here a value of it waits for a lock.  It may end the
	# statement, but not the session.
	my $reader = client($standby, 'reader');
	my $holder = client($standby, 'holder');
	$holder->query_safe('SELECT pg_advisory_lock(100)');
	$reader->{stdin} .= "SELECT count(*) FROM bed WHERE nap = '100' AND slowly(1);\n\\echo its end\n";
	$reader->{run}->pump_nb;
	wait_until($standby, "count(*) = 1 FROM pg_stat_activity WHERE application_name = 'reader' AND wait_event = 'advisory'");
	$node->safe_psql('postgres', 'ALTER TABLE bed ADD other integer');
	wait_until($standby, "count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'bed'::regclass");
	wait_until($standby, "pg_sleep(0.2) IS NOT NULL");
	$standby->safe_psql('postgres', "SELECT pg_cancel_backend(" . pid_of($standby, 'reader') . ")");
	like($reader->query('SELECT 6 * 7'), qr/^42$/m, 'a conflict with recovery does not end the session');
	$_->quit for $reader, $holder;
	$standby->stop;
}

is(complaints($node) =~ s/.*(no_such_table|division by zero|relation "no).*\n?//gr, '', 'nothing else in the log');
$node->stop;
done_testing();

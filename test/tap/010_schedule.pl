# Commands in the background and the worker that is always there, when processes are cancelled, terminated and killed,
# when no worker is free, when databases come and go, and on a standby.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $command = "backend_type = 'pg_remedy command'";

# What a command says for which no transaction block is opened: its output, or the error.
sub background
{
	my ($node, $text, %options) = @_;
	my ($printed, $errors) = psql_as($node, 'caller', "CALL remedy.run_in_background(\$\$$text\$\$);", %options);

	return $errors =~ /ERROR:  (.*)/ ? $1 : $printed . $errors;
}

# A session whose command sleeps in its worker.
sub sleeper
{
	my ($node) = @_;
	my $session = client($node, 'sleeper');

	$session->query_until(qr/asleep/,
		"\\echo asleep\nCALL remedy.run_in_background('SELECT pg_sleep(1000)');\n");
	wait_until($node, "count(*) = 1 FROM pg_stat_activity WHERE $command AND wait_event = 'PgSleep'",
		'the command to sleep');
	return $session;
}

sub no_command_is_left
{
	my ($node, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE $command"), $name);
}

# The next line of the session after its statement has ended.
sub last_error
{
	my ($session) = @_;

	$session->query('SELECT 1');
	my $errors = $session->{stderr};
	$session->{stderr} = '';
	return $errors;
}

# ---- Cancelled, terminated, killed, in both ways of loading --------------------------------------------

for my $mode ('preloaded', 'plain')
{
	my $node = $mode eq 'preloaded' ? preloaded($mode, 'restart_after_crash = on') : plain($mode, 'restart_after_crash = on');
	my $pid_of_command = "SELECT pid FROM pg_stat_activity WHERE $command";

	$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');

	my $session = sleeper($node);
	is($node->safe_psql('postgres', q{SELECT backend_xid IS NULL AND backend_xmin IS NULL FROM pg_stat_activity
		WHERE application_name = 'sleeper' AND backend_type = 'client backend'}),
		't', "$mode: who waits holds no snapshot");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks
		WHERE locktype <> 'virtualxid' AND pid = } . pid_of_caller($node)),
		0, 'and no lock');
	$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . pid_of_caller($node) . ')');
	like(last_error($session), qr/canceling statement due to user request/, 'the caller is cancelled');
	no_command_is_left($node, 'and so is its command');
	$session->quit;

	$session = sleeper($node);
	$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . pid_of_caller($node) . ')');
	no_command_is_left($node, 'a command does not outlive its session');
	eval { $session->quit };

	$session = sleeper($node);
	$node->safe_psql('postgres', "SELECT pg_cancel_backend(($pid_of_command))");
	like(last_error($session), qr/canceling statement due to user request/, 'a command that is cancelled is told of');
	$session->quit;

	$session = sleeper($node);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(($pid_of_command))");
	like(last_error($session), qr/ERROR:  terminating background worker "pg_remedy command"/,
		'a command that is terminated is told of');
	is($session->query_safe('SELECT 2'), 2, 'and its session goes on');
	$session->quit;

	$session = sleeper($node);
	my $offset = -s $node->logfile;
	kill('KILL', $node->safe_psql('postgres', $pid_of_command)) == 1 or BAIL_OUT('cannot kill the command');
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	wait_until($node, 'true', 'the server to recover');
	eval { $session->quit };
	is(background($node, 'SELECT 1'), '', 'after a kill the server is back');
	is($node->safe_psql('postgres', 'SELECT mode FROM remedy.status'), $mode eq 'plain' ? 'session' : $mode,
		'and answers');

	# The session may have found the library where the worker, with other settings, would not look; nor would the command.
	my ($folder) = $ENV{PG_REMEDY_LIBRARY} =~ m{^(.*)/};
	$node->safe_psql('postgres', q{ALTER SYSTEM SET dynamic_library_path = '$libdir'});
	$node->reload;
	my ($printed, $errors) = psql_as($node, 'caller', "SET dynamic_library_path = '$folder';
		CALL remedy.run_in_background(\$\$CREATE FUNCTION public.found() RETURNS SETOF record LANGUAGE C
			AS 'pg_remedy', 'remedy_scheduler'\$\$);
		SELECT to_regproc('found');");
	is($errors, '', 'the worker loads the library of its session');
	is($printed, 'found', 'and so does the command');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET dynamic_library_path');
	$node->reload;

	$node->safe_psql('postgres', 'CREATE ROLE guest NOLOGIN; GRANT USAGE ON SCHEMA remedy TO guest;
		GRANT EXECUTE ON PROCEDURE remedy.run_in_background TO guest');
	($printed, $errors) = psql_as($node, 'caller',
		"SET ROLE guest; CALL remedy.run_in_background('SELECT 1');");
	my $major = $node->safe_psql('postgres', 'SHOW server_version_num') / 10000;
	like($errors, qr/ERROR:  role "guest" is not permitted to log in/, 'a role that may not log in is told so')
	  if $major < 17;

	# A client that stops the server while a command runs.
	$session = sleeper($node);
	$node->stop('fast');
	pass('a fast stop does not wait for a command');
	eval { $session->quit };
}

sub pid_of_caller
{
	my ($node) = @_;

	return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity
		WHERE application_name = 'sleeper' AND backend_type = 'client backend'});
}

# ---- The worker that is always there -------------------------------------------------------------------

my $node = preloaded('primary', 'wal_level = replica', 'max_wal_senders = 4');
my $worker = 'SELECT worker_pid FROM remedy.scheduler';

$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
wait_until($node, 'worker_pid IS NOT NULL FROM remedy.scheduler', 'the worker to start');
my $pid = $node->safe_psql('postgres', $worker);
is($node->safe_psql('postgres', "SELECT datid IS NULL FROM pg_stat_activity WHERE pid = $pid AND backend_type = 'pg_remedy worker'"),
	't', 'the worker is in no database');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE shop');
$node->safe_psql('postgres', 'DROP DATABASE copy');
pass('databases are copied and dropped');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
is($node->safe_psql('postgres', $worker), $pid, 'the worker is not to be cancelled');

my $begun = time;
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
ok($node->poll_query_until('postgres', "SELECT worker_pid <> $pid FROM remedy.scheduler"),
	'terminated, it is back');
cmp_ok(time - $begun, '<', 60, 'within seconds');

# ---- Notifications -------------------------------------------------------------------------------------

# Listens in a database, has a loop found there, and returns what came, once something has.
sub listened
{
	my ($node, $database, $repeats) = @_;
	my $listener = client($node, 'listener', database => $database);
	my $before = notifications($node);

	$listener->query_safe('LISTEN pg_remedy');
	psql_as($node, 'page', lazy_page($repeats), database => $database);
	wait_until($node, "notifications > $before FROM remedy.scheduler", 'a notification');
	my $printed = $listener->query_safe('SELECT 1');
	$listener->quit;
	return $printed;
}

sub notifications
{
	my ($node) = @_;

	return $node->safe_psql('postgres', 'SELECT notifications FROM remedy.scheduler');
}

library_shop($node, 'shop');
my $heard = listened($node, 'shop', 8);
my $key = $node->safe_psql('postgres', 'SELECT DISTINCT key FROM remedy.n_plus_one');
like($key, qr/^n_plus_one:[0-9a-f]+$/, 'there is one finding');
like($heard, qr/Asynchronous notification "pg_remedy" with payload "\{"key": "\Q$key\E", .*\}" received/,
	'and it is notified of');
my ($payload) = $heard =~ /payload "(\{.*\})"/;
is($node->safe_psql('postgres', "SELECT string_agg(key || '=' || coalesce(value, 'null'), ' ' ORDER BY key)
	FROM json_each_text('$payload') WHERE key <> 'key'"),
	'application=page child=public.book.author_id direction=1:N kind=select level=likely '
	  . 'parent=public.author.id route=null user=' . $node->safe_psql('postgres', 'SELECT CURRENT_USER'),
	'with what it is');
is(notifications($node), 1, 'once');
psql_as($node, 'page', lazy_page(9), database => 'shop');
$node->safe_psql('postgres', 'SELECT remedy.reset()');
like(listened($node, 'shop', 8), qr/with payload "\{"key": "\Q$key\E"/, 'a finding that was forgotten and is found again is new');
is(notifications($node), 2, 'one that is found again and was not is not');

# One worker for each database; none for one that is gone.
library_shop($node);
for ('gone', 'closed')
{
	$node->safe_psql('postgres', "CREATE DATABASE $_");
	library_shop($node, $_);
}
# Stopped in the middle of the save that a reset asks for, it would hold a lock that sessions wait for when they end.
my $saves = $node->safe_psql('postgres', 'SELECT saves FROM remedy.scheduler');
$node->safe_psql('postgres', 'SELECT remedy.reset()');
wait_until($node, "saves > $saves FROM remedy.scheduler", 'the reset to be saved');
kill('STOP', $node->safe_psql('postgres', $worker));
psql_as($node, 'page', lazy_page(8), database => $_) for ('closed', 'gone', 'postgres', 'shop');
psql_as($node, 'other page', lazy_page(8), database => 'shop');
$node->safe_psql('postgres', 'ALTER DATABASE gone RENAME TO elsewhere');
$node->safe_psql('postgres', 'ALTER DATABASE closed ALLOW_CONNECTIONS false');
kill('CONT', $node->safe_psql('postgres', $worker));
wait_until($node, 'notifications = 5 FROM remedy.scheduler', 'three more notifications');
is($node->safe_psql('postgres', 'SELECT last_error FROM remedy.scheduler'), '', 'a database that is gone or closed is no error');
psql_as($node, 'another page', lazy_page(8), database => 'shop');
wait_until($node, 'notifications > 5 FROM remedy.scheduler', 'one more notification');
is(notifications($node), 6, 'those that were sent are not sent again');

# ---- On a standby --------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
wait_until($standby, 'worker_pid IS NOT NULL FROM remedy.scheduler', 'the worker to start');
psql_as($standby, 'page', lazy_page(8), database => 'shop');
sleep(3); # what must not happen cannot be waited for; too short a sleep would miss a fault, not invent one
is(background($standby, 'SELECT 1'), '', 'a query runs in the background of a standby');
like(background($standby, 'CREATE TABLE public.t ()'), qr/read-only transaction/, 'nothing is written there');
$standby->promote;
wait_until($standby, 'NOT pg_is_in_recovery()', 'the promotion');
$standby->safe_psql('postgres', 'SELECT remedy.reset()');
like(listened($standby, 'shop', 8), qr/with payload "\{"key": "\Q$key\E"/, 'promoted, it notifies');
is($standby->safe_psql('postgres', 'SELECT notifications, last_error FROM remedy.scheduler'), '1|',
	'of what was found since, and standing by was no error');
$standby->stop;

$begun = time;
$node->stop('fast');
cmp_ok(time - $begun, '<', 60, 'a fast stop is fast');

# ---- No worker is free ---------------------------------------------------------------------------------

$node = preloaded('full', 'max_worker_processes = 2', 'max_logical_replication_workers = 0', 'max_parallel_workers = 0');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
library_shop($node);
wait_until($node, 'worker_pid IS NOT NULL FROM remedy.scheduler', 'the worker to start');
$pid = $node->safe_psql('postgres', $worker);
my $offset = -s $node->logfile;
my $busy = client($node, 'sleeper');
$busy->query_until(qr/asleep/, "\\echo asleep\nCALL remedy.run_in_background('SELECT pg_sleep(1000)');\n");
wait_until($node, "count(*) = 1 FROM pg_stat_activity WHERE $command AND wait_event = 'PgSleep'");
my (undef, $errors) = psql_as($node, 'caller', "CALL remedy.run_in_background('SELECT 1');");
like($errors, qr/ERROR:  no background worker is free\nHINT:  .*max_worker_processes/, 'a caller without a worker is told');
psql_as($node, 'page', lazy_page(8));
ok($node->poll_query_until('postgres', q{SELECT last_error LIKE 'no background worker is free%' FROM remedy.scheduler}),
	'nor is there one to notify');
my $first = $node->safe_psql('postgres', 'SELECT last_error_at FROM remedy.scheduler');
ok($node->poll_query_until('postgres', "SELECT last_error_at > '$first' FROM remedy.scheduler"), 'it is tried again');
my @lines = slurp_file($node->logfile, $offset) =~ /pg_remedy worker: no background worker/g;
is(scalar(@lines), 1, 'with one line in the log');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . pid_of_caller($node) . ')');
ok($node->poll_query_until('postgres', 'SELECT notifications = 1 FROM remedy.scheduler'), 'and sent at last');
is($node->safe_psql('postgres', $worker), $pid, 'by the same worker, the first that connected to this server');
eval { $busy->quit };
$node->stop;

# ---- Saving --------------------------------------------------------------------------------------------

$node = preloaded('saving');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
library_shop($node);

my $repeats = q{SELECT string_agg(application_name || ' ' || repeats_max, ', ' ORDER BY application_name)
	FROM remedy.n_plus_one};
my ($unfinished) = lazy_page(7) =~ /^(.*)COMMIT/s;

# One session is held up for a while, so that it brings its counts when the others have long ended.
my @sessions = map { client($node, "late $_") } 1 .. 3;
$_->query_safe($unfinished) for @sessions;
wait_until($node, 'notifications = 3 FROM remedy.scheduler', 'notifications');
my $late = pid_of($node, 'late 2');
$pid = $node->safe_psql('postgres', $worker);
kill('STOP', $late);
my $waker = fork() // BAIL_OUT("cannot fork: $!");
if ($waker == 0)
{
	sleep(1);
	my $waiting = kill(0, $pid);
	kill('CONT', $late);
	exec($waiting ? 'true' : 'false');
}
$node->stop('fast');
waitpid($waker, 0);
is($?, 0, 'at a fast stop the worker waits for the last session');
eval { $_->quit } for @sessions;
$node->start;
is($node->safe_psql('postgres', $repeats), 'late 1 7, late 2 7, late 3 7', 'what sessions had counted is saved at a fast stop');
wait_until($node, 'worker_pid IS NOT NULL FROM remedy.scheduler', 'the worker to start');
psql_as($node, 'new', lazy_page(7));
ok($node->poll_query_until('postgres', 'SELECT notifications = 1 FROM remedy.scheduler'), 'what was saved is not new');

$node->append_conf('postgresql.conf', "pg_remedy.save_interval = 10");
$node->reload;
ok($node->poll_query_until('postgres', 'SELECT saves > 0 FROM remedy.scheduler'), 'statistics are saved now and then');
$node->stop('immediate');
$node->start;
like($node->safe_psql('postgres', $repeats), qr/new 7/, 'a crash gives what was saved last');

$node->append_conf('postgresql.conf', "pg_remedy.save = off");
$node->reload;
psql_as($node, 'unsaved', lazy_page(7));
$node->stop('fast');
$node->start;
unlike($node->safe_psql('postgres', $repeats), qr/unsaved/, 'switched off, nothing is saved');
$node->stop;

done_testing();

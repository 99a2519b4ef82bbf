# Migrations of json columns beside others: who locks the table or its rows, pauses or cancels the migration, runs it
# twice, lets no worker be free, drops the extension; and what the view says meanwhile.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('migration', 'max_worker_processes = 12');
my $state = 'FROM remedy.json_migrations ORDER BY migration DESC LIMIT 1';

sub sql { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
sub state { my ($columns) = @_; return sql("SELECT $columns $state"); }

# A table whose migration takes a second or more, at the pace that we let it go.
sub table
{
	my ($rows) = @_;

	sql("DROP TABLE IF EXISTS docs; CREATE TABLE docs (id integer PRIMARY KEY, doc json);
		 INSERT INTO docs SELECT g, json_build_object('id', g, 'text', repeat('x', 300)) FROM generate_series(1, $rows) AS g");
	return;
}

# Notices and errors of a call.
sub call
{
	my ($procedure, $options, %who) = @_;
	my ($printed, $errors) = psql_as($node, 'runner', "CALL remedy.$procedure('docs', 'doc'$options);", %who);

	return $errors;
}

# A call that goes on beside us.
sub runner
{
	my ($options) = @_;
	my $session = client($node, 'runner');

	$session->query_until(qr/running/, "\\echo running\nCALL remedy.migrate_json('docs', 'doc'$options);\n");
	return $session;
}

# What a runner has said when it is over.
sub said
{
	my ($session) = @_;

	$session->query('SELECT 1');
	my $errors = $session->{stderr};
	$session->quit;
	return $errors;
}

$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');

# ---- Locks of others -----------------------------------------------------------------------------------

table(1000);
my $other = client($node, 'other');
$other->query_safe('BEGIN; SELECT count(*) FROM docs');
my $error = call('migrate_json', ', lock_timeout_ms => 20, lock_tries => 3');
like($error, qr/canceling statement due to lock timeout.*try 3 of 3, each of 20 ms/s, 'it gives up after some tries');
is(sql('SELECT count(*) FROM remedy.json_migration'), 0, 'and has begun nothing');
is(sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'docs'::regclass AND attname LIKE 'remedy%'"), 0, 'nor changed');
$other->query_safe('COMMIT');

sql('CREATE TABLE quiet (yes boolean); INSERT INTO quiet VALUES (true)');
my $runner = runner(", throttle_query => 'SELECT yes FROM public.quiet', lock_timeout_ms => 20");
wait_until($node, "resting = 'throttle_query says so' $state", 'it to rest for a query');
$other->query_safe('BEGIN; SELECT FROM docs WHERE id IN (1, 500) FOR UPDATE');
sql('UPDATE quiet SET yes = NULL');
wait_until($node, "rows_left = 2 $state", 'the rest to be filled');
is(state('phase, done, rows_left, rows_refused'), 'fill|998|2|0', 'until it is no more true; rows that are locked are left');
$other->query_safe('COMMIT; BEGIN; SELECT count(*) FROM docs');
wait_until($node, "phase = 'guard' $state", 'these to be filled');
$other->query_safe('COMMIT');
like(said($runner), qr/phase swapped/, 'and come back to; the locks come when they are free');
is(state('phase, done, total, prepare_ms > 0, guard_ms > 0, swap_ms > 0'), 'swapped|1000|1000|t|t|t', 'how long ours were held is told');
is(sql("SELECT count(*) FROM docs WHERE doc <> remedy_old_2::jsonb"), 0, 'all is as it was');

$other->query_safe('BEGIN; SELECT count(*) FROM docs');
like(call('undo_json_migration', ', lock_tries => 2'), qr/try 2 of 2, each of 100 ms/, 'undo gives up');
is(state('phase, last_error'), 'swapped|canceling statement due to lock timeout', 'and what was wrong is kept');
like(call('finish_json_migration', ', lock_tries => 2'), qr/try 2 of 2/, 'so does finish');
$other->query_safe('COMMIT');
unlike(call('undo_json_migration', ''), qr/ERROR/, 'until the lock is free');
is(state('phase, last_error IS NULL'), 'ready|t', 'and then the error is forgotten');
$other->query_safe('BEGIN; SELECT count(*) FROM docs');
like(call('abort_json_migration', ', lock_tries => 2'), qr/try 2 of 2/, 'abort gives up');
$other->query_safe('COMMIT');
unlike(call('abort_json_migration', ''), qr/ERROR/, 'and is done later');

# ---- Dependents that come at the last moment -----------------------------------------------------------

for my $late ('CREATE VIEW late AS SELECT doc FROM docs', 'ALTER TABLE docs ALTER doc SET DEFAULT \'{}\'',
	'CREATE FUNCTION late_function() RETURNS SETOF text BEGIN ATOMIC SELECT doc ->> 0 FROM docs; END')
{
	table(10);
	call('migrate_json', ", swap => 'wait'");
	$other->query_safe("BEGIN; $late");
	$runner = runner(', lock_timeout_ms => 20');
	wait_until($node, "count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'docs'::regclass", 'the swap to begin');
	$other->query_safe('COMMIT');
	like(said($runner), qr/hangs on the column was altered: back to phase build.*phase swapped/s, "seen in the swap: $late");
	call('undo_json_migration', '');
	call('abort_json_migration', '');
	sql('DROP VIEW IF EXISTS late; DROP FUNCTION IF EXISTS late_function');
}

# ---- Paused, run twice, cancelled ----------------------------------------------------------------------

table(20000);
$runner = runner(', batch_ms => 5, rest_share => 0.9');
wait_until($node, "done > 0 $state", 'something to be filled');
sql("SELECT remedy.pause_json_migration('docs', 'doc')");
wait_until($node, "resting = 'paused' $state", 'it to rest');
is(state('phase, paused, remaining > interval \'0\', rows_per_second > 0'), 'fill|t|t|t', 'the view says that it is paused');
my $done = state('done');
is(state('runner_pid'), pid_of($node, 'runner'), 'and who runs it');
is(sql("SELECT count(*) FROM pg_stat_activity AS a WHERE application_name = 'runner' AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)"),
	0, 'who holds no snapshot');
is(sql("SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE application_name = 'runner'
	AND locktype NOT IN ('virtualxid', 'advisory')"), 0, 'and no lock but the migration\'s');
like(call('migrate_json', ''), qr/the migration of public.docs.doc is run by process \d+/, 'a second one is refused');
like(call('abort_json_migration', ''), qr/is run by process \d+/, 'so is another procedure');
is(state('done'), $done, 'nothing was filled meanwhile');
is(state('last_error IS NULL'), 't', 'what others were refused is none of its errors');
sql("SELECT remedy.resume_json_migration('docs', 'doc')");
wait_until($node, "done > $done $state", 'it to go on');
sql("SELECT pg_cancel_backend(runner_pid) $state");
like(said($runner), qr/canceling statement due to user request/, 'it can be cancelled');
is(state('phase, runner_pid IS NULL, last_error'), 'fill|t|canceling statement due to user request', 'which is noted');

$runner = runner(', batch_ms => 5, rest_share => 0.9');
wait_until($node, "runner_pid IS NOT NULL AND done > $done $state", 'it to go on');
sql("SELECT pg_terminate_backend(runner_pid) $state");
wait_until($node, "runner_pid IS NULL $state", 'the session to end');
$runner->{run}->finish;
is(sql('SELECT count(*) FROM docs WHERE remedy_json_2 IS NOT NULL'), state('done'), 'what was done is what was noted');

# ---- What it rests for ---------------------------------------------------------------------------------

call('abort_json_migration', '');
table(100);
$other->query_safe('BEGIN');
$other->query_until(qr/sleeping/, "\\echo sleeping\nSELECT pg_sleep(1000);\n");
my $second = client($node, 'second');
$second->query_until(qr/sleeping/, "\\echo sleeping\nSELECT pg_sleep(1000);\n");
$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
	or die 'waited in vain for two sleepers';
$runner = runner(', max_active_sessions => 1');
wait_until($node, "resting LIKE '_ sessions run a statement' $state", 'it to rest for sessions');
sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name IN ('other', 'second')");
like(said($runner), qr/phase swapped/, 'until they have ended');
$_->query('SELECT 1') for $other, $second;
$_->quit for $other, $second;
sql('CHECKPOINT');
call('undo_json_migration', '');
call('abort_json_migration', '');

# ---- Indexes without workers ---------------------------------------------------------------------------

table(100);
sql("CREATE INDEX docs_index ON docs ((doc ->> 'id'))");
sql('CREATE ROLE keeper NOLOGIN; GRANT CREATE ON SCHEMA public TO keeper; ALTER TABLE docs OWNER TO keeper');
SKIP: {
	my ($printed, $errors) = psql_as($node, 'runner', "SET ROLE keeper;\nCALL remedy.migrate_json('docs', 'doc');\n");
	skip 'roles may log in in the background', 3 unless $errors =~ /ERROR/;
	like($errors, qr/indexes of public.docs.doc could not be built in the background: .*DETAIL:  CREATE INDEX/s,
		'without a worker the commands are told');
	is(state('phase'), 'index', 'and it stops there');
	my ($commands) = $errors =~ /DETAIL:  (.*?)\nHINT/s;
	$node->safe_psql('postgres', $_) for split(/\n/, $commands);
	unlike(call('migrate_json', ''), qr/ERROR/, 'when they were run it goes on');
}

# ---- Other ends ----------------------------------------------------------------------------------------

like((psql_as($node, 'other', 'DROP EXTENSION pg_remedy;'))[1], qr/trigger .* on table docs depends on function remedy/,
	'the extension cannot go while a migration is under way');
sql('DROP TABLE docs');
is(state('phase'), 'gone', 'a table can');
sql('DROP EXTENSION pg_remedy');

$node->stop;
done_testing();

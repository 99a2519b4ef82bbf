# A migration to jsonb that is interrupted at any moment, under writers: the server or its backend is killed, the session
# terminated or cancelled, it runs into a time limit, its client leaves.  The same call resumes; nothing is lost, changed
# or left behind.
#
# The oracle is a second table, which every writer changes in the transaction that changes the first: so the two must
# be equal after whatever has become of it.  It also counts the updates that were the writers' own: a user's trigger that
# fired once more was fired by the migration.
#
# REMEDY_CRASH_SEEDS and REMEDY_CRASH_INTERRUPTIONS (20 and 6 for the long run) say how much is tried; REMEDY_CRASH_SEED
# repeats one seed.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Time::HiRes qw(sleep time);

my $seeds = $ENV{REMEDY_CRASH_SEEDS} // 2;
my $interruptions = $ENV{REMEDY_CRASH_INTERRUPTIONS} // 3;
my $rows = 12_000;
my $call = "CALL remedy.migrate_json('s.t', 'doc', batch_ms => 10, rest_share => 0.5, lock_timeout_ms => 200);";

my $node = plain('json_crash', 'restart_after_crash = on', 'autovacuum = on', 'autovacuum_naptime = 1', 'max_connections = 40',
	'client_connection_check_interval = 50', 'deadlock_timeout = 200', 'max_wal_size = 1GB', 'log_statement = none');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy; CREATE ROLE owner LOGIN; GRANT pg_read_all_stats TO owner');

# ---- The table, its writers and its oracle ---------------------------------------------------------------

# Every second one is partitioned.
sub make_table
{
	my ($seed) = @_;
	my ($by, $partitions) = ('', '');

	if ($seed % 2)
	{
		$by = 'PARTITION BY HASH (id)';
		$partitions = join("\n",
			map { "CREATE TABLE s.t$_ PARTITION OF s.t FOR VALUES WITH (MODULUS 2, REMAINDER $_);" } 0, 1);
	}
	$node->safe_psql('postgres', <<"SQL");
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS s CASCADE;
CREATE SCHEMA s AUTHORIZATION owner;
SET ROLE owner;
CREATE TABLE s.owner (id integer PRIMARY KEY);
INSERT INTO s.owner SELECT generate_series(0, 9);
CREATE SEQUENCE s.ids START 1000000;
CREATE TABLE s.t (
	id integer PRIMARY KEY,
	code text NOT NULL,
	dropped text DEFAULT 'dropped',
	doc json NOT NULL,
	n integer NOT NULL DEFAULT 0 CHECK (n >= 0),
	touched integer NOT NULL DEFAULT 0,
	owner integer NOT NULL REFERENCES s.owner,
	UNIQUE (id, code)) $by;
$partitions
CREATE INDEX ON s.t (owner);
CREATE INDEX t_kind ON s.t ((doc->>'kind'));
CREATE VIEW s.kinds AS SELECT id, doc->>'kind' AS kind FROM s.t;
CREATE TABLE s.child (t_id integer NOT NULL REFERENCES s.t ON DELETE CASCADE);
CREATE TABLE s.truth (id integer PRIMARY KEY, doc text NOT NULL, n integer NOT NULL, updates integer NOT NULL DEFAULT 0);
CREATE TABLE s.audit (id integer NOT NULL);
INSERT INTO s.t SELECT i, 'c' || i, 'x', json_build_object('id', i, 'kind', 'k' || i % 7, 'b', i * 1.5,
		'text', (SELECT string_agg(md5(i::text || j), ' ') FROM generate_series(0, CASE WHEN i % 200 = 0 THEN 400 ELSE i % 12 END) AS j)),
	i % 3, 0, i % 10 FROM generate_series(1, $rows) AS i;
INSERT INTO s.truth SELECT id, doc::text, n FROM s.t;
ALTER TABLE s.t DROP dropped;
CREATE FUNCTION s.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched := OLD.touched + 1; RETURN NEW; END';
CREATE FUNCTION s.audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO s.audit VALUES (NEW.id); RETURN NULL; END';
CREATE TRIGGER zz_touch BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.touch();
CREATE TRIGGER audit AFTER UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.audit();
SQL
	$node->safe_psql('postgres', 'VACUUM ANALYZE s.t');
	return;
}

# Each is a transaction; :id is a random row, which may be gone.
my $document = q('{"id": :id, "zz": [1, 2.50, {"b": null, "a": ":v"}], "kind": "k:v", "v": :v}');
my %writers = (
	update => <<"SQL",
BEGIN;
UPDATE s.t SET doc = $document, n = n + 1 WHERE id = :id;
UPDATE s.truth SET doc = $document, n = n + 1, updates = updates + 1 WHERE id = :id;
COMMIT;
SQL
	other_column => <<'SQL',
BEGIN;
UPDATE s.t SET n = n + 1 WHERE id = :id;
UPDATE s.truth SET n = n + 1, updates = updates + 1 WHERE id = :id;
COMMIT;
SQL
	insert => <<"SQL",
SELECT nextval('s.ids') AS id \\gset
BEGIN;
INSERT INTO s.t (id, code, doc, owner) VALUES (:id, 'new', $document, :id % 10);
INSERT INTO s.truth (id, doc, n) VALUES (:id, $document, 0);
COMMIT;
SQL
	delete => <<'SQL',
BEGIN;
DELETE FROM s.t WHERE id = :id;
DELETE FROM s.truth WHERE id = :id;
COMMIT;
SQL
	hold => <<'SQL',
BEGIN;
SELECT id FROM s.t WHERE id = :id FOR UPDATE;
\sleep 40 ms
COMMIT;
SQL
	child => <<'SQL',
BEGIN;
INSERT INTO s.child SELECT id FROM s.t WHERE id = :id FOR KEY SHARE;
\sleep 10 ms
COMMIT;
SQL
	savepoint => <<"SQL",
BEGIN;
SAVEPOINT a;
UPDATE s.t SET doc = '{"rolled": "back"}' WHERE id = :id;
ROLLBACK TO a;
UPDATE s.t SET doc = $document WHERE id = :id;
SAVEPOINT b;
DELETE FROM s.t WHERE id = :id;
ROLLBACK TO b;
UPDATE s.truth SET doc = $document, updates = updates + 1 WHERE id = :id;
COMMIT;
SQL
	rollback => <<'SQL',
BEGIN;
UPDATE s.t SET doc = '{"rolled": "back"}' WHERE id = :id;
ROLLBACK;
SQL
);
my %weights = (update => 6, other_column => 3, insert => 3, delete => 1, hold => 2, child => 1, savepoint => 2,
	rollback => 1);
my $folder = PostgreSQL::Test::Utils::tempdir();
my @scripts = map {
	append_to_file("$folder/$_", "\\set id random(1, $rows)\n\\set v random(1, 1000000)\n$writers{$_}");
	('-f', "$folder/$_\@$weights{$_}")
} sort keys %writers;

# Programs of ours that run beside us.
my ($writers, $runner);

sub start_writers
{
	my ($seed) = @_;

	$writers = IPC::Run::start([ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-U', 'owner', '-c', 4, '-j', 1, '-T', 600,
			'-R', 300, '--random-seed', $seed, @scripts, 'postgres' ], '<', \undef, '>&', "$folder/writers");
	return;
}

sub stop_writers
{
	$writers->kill_kill if defined $writers;
	undef $writers;
	return;
}

# ---- The migration, and what befalls it ------------------------------------------------------------------

sub start_call
{
	my ($before) = @_;
	my @words = map { ('-c', $_) } grep { defined } $before, $call;

	local $ENV{PGAPPNAME} = 'runner';
	$runner = IPC::Run::start([ 'psql', '-X', '-q', '-h', $node->host, '-p', $node->port, '-U', 'owner', '-d', 'postgres',
			'-v', 'ON_ERROR_STOP=1', @words ], '<', \undef, '>&', "$folder/told");
	return;
}

sub call_runs { $runner->reap_nb; return $runner->_running_kids; }

# True if it came to its end.
sub end_call
{
	return $runner->finish;
}

sub backend { return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity
	WHERE application_name = 'runner' AND backend_type = 'client backend'"); }

# How far the migration is: the filled share, or one and more for the phases after it; undefined if it is over.
sub progress
{
	my $far = $node->safe_psql('postgres', <<'SQL');
SELECT CASE phase WHEN 'fill' THEN least(0.99, done / greatest(total, 1)::float8)
	WHEN 'swapped' THEN 9 ELSE array_position('{guard,build,validate,index,verify,ready}', phase)::float8 END
FROM remedy.json_migrations WHERE phase NOT IN ('finished', 'aborted', 'gone')
SQL
	return $far eq '' ? 0 : $far;
}

# The block that the filling of each table would begin with, if it was interrupted now.
sub begun
{
	return split(/[|\n]/, $node->safe_psql('postgres', 'SELECT leaf, next_block FROM remedy.json_migration_range
		WHERE number = 0 AND (SELECT phase FROM remedy.json_migrations WHERE phase <> \'finished\' LIMIT 1) = \'fill\''));
}

sub kill_server
{
	my $postmaster = (split(/\n/, slurp_file($node->data_dir . '/postmaster.pid')))[0];
	my @all = grep { /^\d+$/ } map { s/\s//gr } `ps -o pid= --ppid $postmaster`;

	$node->kill9;
	kill('KILL', @all);
	sleep(0.02) while grep { kill(0, $_) } $postmaster, @all;
	return;
}

# What is killed from without.  A limit of time is set before.
my %blows = (
	'kill -9 of the server' => sub { kill_server(); $node->start; },
	'kill -9 of the backend' => sub { my $pid = backend(); kill('KILL', $pid) if $pid; },
	'pg_terminate_backend' => sub { my $pid = backend(); $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)") if $pid; },
	'pg_cancel_backend' => sub { my $pid = backend(); $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)") if $pid; },
	'statement_timeout' => sub { },
	'the client leaves' => sub { $runner->kill_kill; },
);
my @blows = sort keys %blows;

# Interrupts the call when it has come this far, or at its end.  Returns what befell it.
sub interrupt
{
	my ($far) = @_;
	my $blow = $blows[ rand @blows ];
	my $limited = $blow eq 'statement_timeout';

	my $limit = 30 + int(rand 500);
	start_call($limited ? "SET statement_timeout = $limit" : undef);
	sleep(0.01) while !$limited && call_runs() && progress() < $far;
	sleep(rand 0.03);
	my %begun = begun();
	$blows{$blow}->();
	my $ended = end_call();
	wait_until($node, "count(*) = 0 FROM pg_stat_activity WHERE application_name = 'runner'", 'the runner to end');
	return { what => $blow, ended => $ended, begun => \%begun, told => slurp_file("$folder/told") };
}

# ---- What must hold -------------------------------------------------------------------------------------

sub answer { return $node->safe_psql('postgres', $_[0]); }

# Rows of the table and of the oracle that the other has not, with a document of this type.
sub differences
{
	return answer("SELECT count(*) FROM s.t FULL JOIN s.truth USING (id)
		WHERE (t.doc::jsonb, t.n, t.touched) IS DISTINCT FROM (truth.doc::jsonb, truth.n, truth.updates)");
}

my $leftovers = <<'SQL';
SELECT string_agg(what, ', ' ORDER BY what) FROM (
	SELECT attrelid::regclass || '.' || attname FROM pg_attribute WHERE attname LIKE 'remedy\_%' AND NOT attisdropped
	UNION ALL SELECT relname FROM pg_class WHERE relname LIKE '%remedy\_json%' AND relnamespace <> 'remedy'::regnamespace
	UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'remedy\_old%'
	UNION ALL SELECT conname FROM pg_constraint WHERE conname LIKE 'remedy\_%'
	UNION ALL SELECT tgname FROM pg_trigger WHERE tgfoid = 'remedy.keep_json_in_step'::regproc
	UNION ALL SELECT 'lock' FROM pg_locks WHERE locktype = 'advisory'
	UNION ALL SELECT 'range' FROM remedy.json_migration_range
	UNION ALL SELECT 'object' FROM remedy.json_migration_object
	UNION ALL SELECT phase FROM remedy.json_migrations WHERE phase NOT IN ('finished', 'aborted', 'gone')) AS x(what)
SQL

sub second_runner_is_refused
{
	start_call();
	sleep(0.01) while call_runs() && !answer('SELECT count(runner_pid) FROM remedy.json_migrations');
	my ($status, $printed, $errors) = $node->psql('postgres', "\\set VERBOSITY verbose\nSET ROLE owner;\n$call");
	return $errors;
}

sub is_as_the_oracle_says
{
	my ($seed, $when) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(differences(), 0, "seed $seed: $when every row is as the writers left it, and no trigger fired but theirs");
	return;
}

# ---- One seed -------------------------------------------------------------------------------------------

sub try_seed
{
	my ($seed) = @_;
	my @targets;

	srand($seed);
	note("seed $seed");
	make_table($seed);
	start_writers($seed);
	# Two thirds of them while documents are converted.
	@targets = sort { $a <=> $b } map { rand() < 0.67 ? rand() : 1 + rand(6) } 1 .. $interruptions;
	like(second_runner_is_refused(), qr/ERROR:  55006/, "seed $seed: a second runner is refused");
	$blows{'pg_cancel_backend'}->();
	end_call();
	foreach my $far (@targets)
	{
		my $blow = interrupt($far);
		note(sprintf('%s at %.2f: %s', $blow->{what}, $far, $blow->{ended} ? 'it was over' : 'interrupted'));
		my %now = begun();
		my @back = grep { exists $now{$_} && $now{$_} < $blow->{begun}{$_} } keys %{ $blow->{begun} };
		is("@back", '', "seed $seed: after $blow->{what} it goes on from the last batch");
		stop_writers();
		start_writers($seed + int(rand 1000));
	}
	if ($seed % 5 == 4)
	{
		give_up($seed);
	}
	else
	{
		carry_through($seed);
	}
	stop_writers();
	return;
}

sub give_up
{
	my ($seed) = @_;

	$node->safe_psql('postgres', "SET ROLE owner; CALL remedy.undo_json_migration('s.t', 'doc')") if progress() == 9;
	$node->safe_psql('postgres', "SET ROLE owner; CALL remedy.abort_json_migration('s.t', 'doc')");
	stop_writers();
	is_as_the_oracle_says($seed, 'after the abort');
	is(answer("SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attname = 'doc'"),
		'json', "seed $seed: the column is json");
	is(answer($leftovers), '', "seed $seed: nothing is left behind");
	return;
}

sub carry_through
{
	my ($seed) = @_;

	start_call();
	ok(end_call(), "seed $seed: the same call comes to the end") or diag(slurp_file("$folder/told"));
	is(answer("SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attname = 'doc'"),
		'jsonb', "seed $seed: the column is jsonb");
	sleep(0.3);    # of writers, with the old column kept in step
	stop_writers();
	my $old = answer("SELECT attname FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attname LIKE 'remedy\\_old\\_%'");
	is(answer("SELECT count(*) FROM s.t WHERE doc IS DISTINCT FROM $old\::jsonb"), 0, "seed $seed: the two columns are equal");
	is_as_the_oracle_says($seed, 'after the swap');
	$node->safe_psql('postgres', "SET ROLE owner; CALL remedy.finish_json_migration('s.t', 'doc')");
	is_as_the_oracle_says($seed, 'at the end');
	is(answer("SELECT count(*) FROM s.t JOIN s.kinds USING (id) WHERE doc->>'kind' IS DISTINCT FROM kind"), 0,
		"seed $seed: the view reads the new column");
	is(answer($leftovers), '', "seed $seed: nothing is left behind");
	return;
}

foreach my $seed (defined $ENV{REMEDY_CRASH_SEED} ? $ENV{REMEDY_CRASH_SEED} : 1 .. $seeds)
{
	try_seed($seed);
}
$node->stop;
done_testing();

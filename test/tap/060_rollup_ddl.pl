# DDL on sources of rollups beside writers, readers and refreshes: nothing is lost, nobody is deadlocked, and
# <name>_now is right in every snapshot.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('ddl', "timezone = 'UTC'", 'deadlock_timeout = 100ms');
my $truth = q{SELECT date_trunc('day', at, 'UTC') AS bucket, kind, count(*) AS count, sum(value) AS sum_value FROM events GROUP BY 1, 2};

sub sql { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }

# In one snapshot, the cells that are not as they should be.
sub wrong
{
	my ($view) = @_;
	return sql("SELECT count(*) FROM (($truth EXCEPT ALL TABLE $view) UNION ALL (TABLE $view EXCEPT ALL ($truth))) AS d");
}

sub refresh { return psql_as($node, 'refresh', "CALL remedy.refresh_rollup('daily');"); }

# A statement that goes on beside us in a session of its own.
sub begin
{
	my ($name, $sql) = @_;
	my $session = client($node, $name);

	$session->query_until(qr/begun/, "\\echo begun\n$sql\n");
	return $session;
}

sub waits
{
	my ($name) = @_;
	wait_until($node, "count(*) = 1 FROM pg_stat_activity WHERE application_name = '$name' AND wait_event_type = 'Lock'", "$name to wait");
	return;
}

# What it has complained about when it is done.
sub ended
{
	my ($session) = @_;

	$session->query('SELECT 1');
	my $errors = $session->{stderr};
	$session->quit;
	return $errors;
}

sub month { my ($number) = @_; return sprintf(q{FROM ('2026-%02d-01') TO ('2026-%02d-01')}, $number, $number + 1); }

sql('CREATE EXTENSION pg_remedy');
sql('CREATE TABLE events (at timestamptz, kind text, value integer) PARTITION BY RANGE (at)');
sql("CREATE TABLE events_$_ PARTITION OF events FOR VALUES " . month($_)) foreach 1 .. 4;
sql(q{INSERT INTO events SELECT '2026-01-01'::timestamptz + i * interval '1 hour', chr(97 + i % 5), i FROM generate_series(0, 2800) AS i});
sql(q{SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value)}', 'UTC')});
refresh();
is(wrong('daily'), 0, 'the rollup is right');
sql(q{SELECT remedy.drop_rollup('daily')});

# ---- Made and dropped beside writers ---------------------------------------------------------------------

# Whose statements knew nothing of it, or do still.
foreach my $target ('events', 'events_2')
{
	my $writer = client($node, 'writer');
	$writer->query_safe("BEGIN; INSERT INTO $target VALUES ('2026-02-03', 'unknown', 1)");
	my $making = begin('making', q{SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value)}', 'UTC');});
	waits('making');
	$writer->query_safe('COMMIT');
	is(ended($making), '', "a writer of $target is waited for");
	refresh();
	is(wrong('daily'), 0, 'and nothing of it lost');
	next if $target eq 'events_2';
	$writer->query_safe("BEGIN; INSERT INTO $target VALUES ('2026-02-03', 'known', 1)");
	my $dropping = begin('dropping', q{DROP VIEW daily;});
	waits('dropping');
	$writer->query_safe(q{INSERT INTO events VALUES ('2026-03-03', 'known', 1); COMMIT});
	is(ended($dropping), '', "also when it is dropped");
}

# ---- Detached concurrently -------------------------------------------------------------------------------

# Its rows are gone for new snapshots from the first of the command's transactions on.
my $reader = client($node, 'reader');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM events');
my $writer = client($node, 'writer');
$writer->query_safe(q{BEGIN; INSERT INTO events_2 VALUES ('2026-02-03', 'late', 1)});
my $detach = begin('detach', 'ALTER TABLE events DETACH PARTITION events_2 CONCURRENTLY;');
wait_until($node, "inhdetachpending FROM pg_inherits WHERE inhrelid = 'events_2'::regclass", 'the first transaction');
is(wrong('daily_now'), 0, 'a partition is being detached: its rows do not count any more');
isnt(wrong('daily'), 0, 'as the cells still do');
like(refresh() // '', qr/^$/, 'a refresh');
my (undef, $error) = refresh();
like($error, qr/cannot be refreshed.*partition (public\.)?events_2 is being detached/s, 'has to wait for the end of it');
$writer->query_safe('COMMIT');
sql(q{INSERT INTO events_2 VALUES ('2026-02-04', 'late', 1)});
is(wrong('daily_now'), 0, 'and what is still written to it does not matter');
sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'detach'");
like(ended($detach), qr/canceling statement due to user request/, 'cancelled');
is(wrong('daily_now'), 0, 'it is still right');
$reader->query_safe('COMMIT');
sql('ALTER TABLE events DETACH PARTITION events_2 FINALIZE');
is(sql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%' AND tgrelid = 'events_2'::regclass"), 0, 'finished, nothing of ours is left on it');
is(wrong('daily_now'), 0, 'and right');
refresh();
is(wrong('daily'), 0, 'also when refreshed');

# ---- What waits for whom ---------------------------------------------------------------------------------

# A refresh that holds what it can, and waits for a lock of the cells; DDL must not wait for it with a lock that it wants.
my @changes = (
	[ 'ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES ' . month(2), 0 ],
	[ 'ALTER TABLE events_2 DISABLE TRIGGER remedy_rollup_insert; ALTER TABLE events_2 ENABLE TRIGGER remedy_rollup_insert', 0 ],
	[ 'CREATE TABLE events_5 PARTITION OF events FOR VALUES ' . month(5), 1 ],
	[ 'ALTER TABLE events DETACH PARTITION events_2', 1 ],
	[ 'DROP TABLE events_5', 1 ],
	[ "CREATE ROLE someone; GRANT CREATE ON SCHEMA public TO someone; ALTER TABLE events OWNER TO someone; ALTER TABLE events OWNER TO CURRENT_USER", 1 ],
	[ 'DROP VIEW daily', 1, 1 ],
	[ "SELECT remedy.drop_rollup('daily')", 1, 1 ],
	[ 'DROP TABLE daily_cells CASCADE', 1, 1 ],
	[ "SELECT remedy.rebuild_rollup('daily')", 0 ],
);
foreach my $change (@changes)
{
	my ($ddl, undef, $drops) = @$change;
	my ($name) = $ddl =~ /^([^;]*)/;

	if (sql("SELECT count(*) FROM remedy.rollup") == 0)
	{
		sql(q{SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value)}', 'UTC')});
		refresh();
	}
	sql(q{INSERT INTO events VALUES ('2026-03-03', 'more', 1)});
	my $holder = client($node, 'holder');
	$holder->query_safe('BEGIN; LOCK TABLE daily_marks IN SHARE MODE');
	my $refresh = begin('refreshing', "CALL remedy.refresh_rollup('daily');");
	waits('refreshing');
	my $other = begin('changing', "$ddl;");
	wait_until($node, "count(*) = 1 FROM pg_stat_activity WHERE application_name = 'changing' AND (state = 'idle' OR wait_event_type = 'Lock')",
		"$name to end or wait");
	my $inserts = begin('inserting', q{INSERT INTO events VALUES ('2026-03-03', 'still more', 1);});
	waits('inserting');
	$holder->query_safe('COMMIT');
	$holder->quit;
	unlike(join("\n", map { ended($_) } $refresh, $other, $inserts), qr/deadlock/, "no deadlock with: $name");
	if ($drops)
	{
		is(sql('SELECT count(*) FROM pg_class WHERE relname LIKE \'daily%\''), 0, 'nothing is left');
		is(sql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%' AND NOT tgisinternal AND tgrelid = 'events'::regclass"), 0, 'no trigger either');
		next;
	}
	is(wrong('daily_now'), 0, 'right now');
	refresh();
	is(wrong('daily'), 0, 'and refreshed');
}

# A row that was locked while its rollup went is forgotten with the next one.
sql(q{SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value)}', 'UTC')})
  if sql('SELECT count(*) FROM remedy.rollup') == 0;
my $locker = client($node, 'locker');
$locker->query_safe('BEGIN; SELECT FROM remedy.rollup FOR UPDATE');
sql('DROP VIEW daily');
$locker->query_safe('COMMIT');
$locker->quit;
is(sql('SELECT count(*) FROM remedy.rollup'), 1, 'a row that was locked has outlived its rollup');
like(sql('SELECT state FROM remedy.rollups'), qr/^gone/, 'as the view says');
my ($dump) = run_command([ 'pg_dump', '-d', $node->connstr('postgres') ]);
like($dump, qr/^COPY remedy\.rollup .*\n\\\.$/m, 'and is not dumped');
sql(q{SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value)}', 'UTC')});
is(sql('SELECT count(*) FROM remedy.rollup'), 1, 'until another is made');
refresh();

# ---- A tree that changes under load ----------------------------------------------------------------------

my $folder = PostgreSQL::Test::Utils::tempdir;
append_to_file("$folder/write.sql", <<'SQL');
\set month random(1, 4)
\set day random(1, 28)
\set kind random(97, 101)
INSERT INTO events VALUES (make_timestamptz(2026, 3 + :month % 2, :day, 0, 0, 0, 'UTC'), chr(:kind), :day);
UPDATE events_3 SET value = value + 1 WHERE at = make_timestamptz(2026, 3, :day, 0, 0, 0, 'UTC');
DELETE FROM events WHERE at = make_timestamptz(2026, 4, :day, 1, 0, 0, 'UTC');
INSERT INTO floating VALUES (make_timestamptz(2026, 1, :day, 0, 0, 0, 'UTC'), chr(:kind), :day);
SQL
sql('ALTER TABLE events DETACH PARTITION events_1');
sql('CREATE TABLE floating (LIKE events) PARTITION BY LIST (kind)');
sql('CREATE TABLE floating_a PARTITION OF floating FOR VALUES IN (\'a\', \'b\')');
sql('CREATE TABLE floating_rest PARTITION OF floating DEFAULT');
my $offset = -s $node->logfile;
my ($in, $out, $err) = ('', '', '');
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-j', '2', '-T', '12', '-f', "$folder/write.sql", '-d', $node->connstr('postgres') ],
	\$in, \$out, \$err);
my ($rounds, $bad) = (0, 0);
my $until = time + 11;
while (time < $until)
{
	foreach my $step ('ATTACH PARTITION floating FOR VALUES ' . month(1), undef, 'DETACH PARTITION floating', undef,
		'ATTACH PARTITION floating FOR VALUES ' . month(1), 'DETACH PARTITION floating CONCURRENTLY')
	{
		defined $step ? sql("ALTER TABLE events $step") : refresh();
		$bad += wrong('daily_now');
		$rounds++;
	}
}
$load->finish;
is($bad, 0, "right in each of $rounds snapshots") or diag($err);
refresh();
is(wrong('daily'), 0, 'and in the end');
like($out, qr/number of failed transactions: 0/, 'no writer failed') or diag($out, $err);
unlike(complaints($node, $offset), qr/./, 'nothing was complained about');
is(sql("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'remedy%' AND tgrelid::regclass::text LIKE 'floating%'"), 0, 'what has left is bare');

$node->stop;
done_testing();

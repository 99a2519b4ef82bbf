# Rollups and logical replication.  A subscription's changes fire no statement triggers: a rollup of a subscribed table
# says so, is not refreshed, and can be rebuilt.  On a publisher a rollup works as elsewhere, also where all tables are
# published, its own among them; and where a subscriber has them all, it has the rollups, too.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $definition = q{'daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value),max(value),avg(weight)}', 'UTC'};
my $truth = q{SELECT date_trunc('day', at, 'UTC') AS bucket, kind, count(*), sum(value), max(value), avg(weight) FROM events GROUP BY 1, 2};

sub logical
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf', join("\n", "shared_preload_libraries = '$ENV{PG_REMEDY_LIBRARY}'",
		'autovacuum = off', "timezone = 'UTC'", 'max_logical_replication_workers = 8', 'wal_retrieve_retry_interval = 100ms'));
	$node->start;
	return $node;
}

my $publisher = logical('publisher');
my $subscriber = logical('subscriber');

sub published { my ($sql, $database) = @_; return $publisher->safe_psql($database // 'postgres', $sql); }
sub subscribed { my ($sql, $database) = @_; return $subscriber->safe_psql($database // 'postgres', $sql); }

# Cells that are not as they should be.
sub wrong
{
	my ($node, $view, $database) = @_;
	return $node->safe_psql($database // 'postgres', "SELECT count(*) FROM (($truth EXCEPT ALL TABLE $view) UNION ALL (TABLE $view EXCEPT ALL ($truth))) AS d");
}

# What a verification finds, and how often.
sub found
{
	my ($node, $database) = @_;
	return $node->safe_psql($database // 'postgres',
		q{SELECT string_agg(format('%s %s', problem, n), ', ' ORDER BY problem) FROM (SELECT problem, count(*) AS n FROM remedy.verify_rollup('daily') GROUP BY 1) AS p});
}

sub state_of { my ($node, $database) = @_; return $node->safe_psql($database // 'postgres', q{SELECT state FROM remedy.rollups WHERE name = 'daily'}); }

sub refused
{
	my ($node, $reason, $name, $database) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my (undef, $error) = psql_as($node, 'refresh', q{CALL remedy.refresh_rollup('daily');}, database => $database // 'postgres');
	return like($error, qr/rollup (public\.)?daily cannot be refreshed.*$reason/s, $name);
}

sub subscribe
{
	my ($name, $database) = @_;
	my $connection = $publisher->connstr($database) =~ s/'/''/gr;

	subscribed("CREATE SUBSCRIPTION $name CONNECTION '$connection' PUBLICATION $name", $database);
	$subscriber->wait_for_subscription_sync($publisher, $name, $database);
	return;
}

sub caught_up { $publisher->wait_for_catchup('items'); return; }

# ---- A rollup on a subscriber ----------------------------------------------------------------------------

my $table = 'CREATE TABLE events (id integer PRIMARY KEY, at timestamptz, kind text, value integer, weight numeric)';

published("$table; CREATE TABLE other (id integer PRIMARY KEY)");
published(q{INSERT INTO events SELECT i, '2026-01-01'::timestamptz + i * interval '3 hours', chr(97 + i % 3), i, i * 0.5 FROM generate_series(1, 80) AS i});
published('CREATE PUBLICATION items FOR TABLE events');
subscribed("CREATE EXTENSION pg_remedy; $table; SELECT remedy.create_rollup($definition)");
subscribed(q{CALL remedy.refresh_rollup('daily')});
is(state_of($subscriber), 'ready', 'a rollup is made before the subscription');
subscribe('items', 'postgres');

my $reason = 'subscription items writes to (public\.)?events, which is not captured';
is(subscribed('SELECT count(*) FROM events'), 80, 'rows are copied');
is(subscribed('SELECT count(*) FROM daily_marks'), 0, 'of which no trigger is told');
like(state_of($subscriber), qr/^unarmed: $reason$/, 'its state says so');
is(found($subscriber), 'missing 31, unarmed 1', 'and a verification finds what is missing');
refused($subscriber, $reason, 'it is not refreshed');
subscribed(q{SELECT remedy.rebuild_rollup('daily')});
is(wrong($subscriber, 'daily'), 0, 'but can be rebuilt');
is(found($subscriber), 'unarmed 1', 'so that no cell is wrong');

my @changes = (
	[ q{INSERT INTO events VALUES (100, '2026-01-03', 'a', 1, 1), (101, '2026-02-03', 'a', 1, 1)}, 'different 1, missing 1, unarmed 1' ],
	[ q{UPDATE events SET value = value + 1 WHERE id = 5}, 'different 1, unarmed 1' ],
	[ q{UPDATE events SET kind = 'd' WHERE id = 6}, 'different 1, missing 1, unarmed 1' ],
	[ q{DELETE FROM events WHERE id IN (7, 101)}, 'different 1, extra 1, unarmed 1' ],
	[ q{TRUNCATE events}, 'extra 32, unarmed 1' ],
);
foreach my $change (@changes)
{
	my ($sql, $expected) = @$change;

	published($sql);
	caught_up();
	is(found($subscriber), $expected, "applied: $sql");
	subscribed(q{SELECT remedy.rebuild_rollup('daily')});
	is(found($subscriber), 'unarmed 1', 'and rebuilt');
}

# Always fired, they are told of a TRUNCATE, and not of rows.
subscribed("ALTER TABLE events ENABLE ALWAYS TRIGGER remedy_rollup_$_") foreach qw(insert update delete truncate);
published(q{INSERT INTO events VALUES (1, '2026-01-03', 'a', 1, 1)});
caught_up();
is(found($subscriber), 'missing 1, unarmed 1', 'ENABLE ALWAYS does not help');
is(subscribed('SELECT count(*) FROM daily_marks'), 0, 'as there is no mark');
published('TRUNCATE events');
caught_up();
is(subscribed('SELECT count(*) FROM daily_marks'), 1, 'but of a TRUNCATE');
subscribed("ALTER TABLE events ENABLE TRIGGER remedy_rollup_$_") foreach qw(insert update delete truncate);

published(q{INSERT INTO events VALUES (1, '2026-01-03', 'a', 1, 1)});
caught_up();
subscribed('DROP SUBSCRIPTION items');
is(found($subscriber), '', 'what is marked is not compared');
subscribed(q{CALL remedy.refresh_rollup('daily')});
is(wrong($subscriber, 'daily'), 0, 'without the subscription it is refreshed');
subscribed(q{INSERT INTO events VALUES (2, '2026-01-03', 'a', 1, 1)});
is(wrong($subscriber, 'daily_now'), 0, 'and captures what is written');
subscribed(q{CALL remedy.refresh_rollup('daily')});
is(state_of($subscriber) . found($subscriber), 'ready', 'it is as any other');

# ---- Sessions that fire no triggers ----------------------------------------------------------------------

my $silent = q{SET session_replication_role = replica; INSERT INTO events VALUES (%d, '2026-01-03', 'a', 1, 1), (%d, '2026-03-03', 'b', 1, 1)};
subscribed(sprintf($silent, 11, 12));
is(state_of($subscriber), 'ready', 'session_replication_role = replica leaves no trace');
is(found($subscriber), 'different 1, missing 1', 'but a verification finds it');
is(subscribed('SELECT wrong_cells FROM remedy.rollups'), 2, 'and it is noted');
subscribed(q{SELECT remedy.rebuild_rollup('daily')});
is(found($subscriber) . wrong($subscriber, 'daily'), '0', 'rebuilding mends it');
subscribed("ALTER TABLE events ENABLE ALWAYS TRIGGER remedy_rollup_$_") foreach qw(insert update delete truncate);
subscribed(sprintf($silent, 13, 14));
is(wrong($subscriber, 'daily_now'), 0, 'triggers that are always fired are fired there');
subscribed(q{CALL remedy.refresh_rollup('daily')});
is(found($subscriber), '', 'and the rollup is right');

# ---- A rollup on a publisher of all tables, and a copy of it ------------------------------------------------

my $shop = 'shop';
published("CREATE DATABASE $shop");
subscribed("CREATE DATABASE $shop");
published("CREATE EXTENSION pg_remedy; $table; SELECT remedy.create_rollup($definition); CREATE PUBLICATION everything FOR ALL TABLES", $shop);
published(q{INSERT INTO events SELECT i, '2026-01-01'::timestamptz + i * interval '3 hours', chr(97 + i % 3), i, i * 0.5 FROM generate_series(1, 80) AS i}, $shop);
published(q{CALL remedy.refresh_rollup('daily')}, $shop);
is(published(q{SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_class AS c JOIN pg_publication_tables AS p ON c.oid = format('%I.%I', schemaname, tablename)::regclass
	WHERE relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)}, $shop), '', 'rows of all tables can be named');

my $folder = PostgreSQL::Test::Utils::tempdir;
$publisher->command_ok([ 'pg_dump', '-s', '-d', $publisher->connstr($shop), '-f', "$folder/schema.sql" ], 'the schema is dumped');
$subscriber->command_ok([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $subscriber->connstr($shop), '-f', "$folder/schema.sql" ], 'and loaded');
subscribe('everything', $shop);

sub copied
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	$publisher->wait_for_catchup('everything');
	foreach my $node ($publisher, $subscriber)
	{
		is(wrong($node, 'daily_now', $shop), 0, "$name: right now, on the " . $node->name);
		is(found($node, $shop), '', "$name: verified on the " . $node->name);
	}
	return;
}

copied('all tables are copied');
published(q{INSERT INTO events VALUES (100, '2026-01-03', 'a', 1, 1), (101, '2026-02-03', 'a', 1, 1); UPDATE events SET value = value + 1 WHERE id = 5;
	DELETE FROM events WHERE id = 7}, $shop);
copied('changed');
published(q{CALL remedy.refresh_rollup('daily')}, $shop);
is(wrong($publisher, 'daily', $shop), 0, 'all tables are published, and a rollup is refreshed');
copied('refreshed');
is(wrong($subscriber, 'daily', $shop), 0, 'also on the subscriber');
refused($subscriber, 'subscription everything writes to (public\.)?daily_cells', 'which does not refresh it itself', $shop);
published(q{TRUNCATE events; INSERT INTO events VALUES (1, '2026-01-03', 'a', 1, 1)}, $shop);
copied('truncated');
published(q{SELECT remedy.rebuild_rollup('daily')}, $shop);
copied('rebuilt');
subscribed('DROP SUBSCRIPTION everything', $shop);
subscribed(q{INSERT INTO events VALUES (2, '2026-01-03', 'a', 1, 1)}, $shop);
is(wrong($subscriber, 'daily_now', $shop), 0, 'a copy that is on its own captures what is written');
subscribed(q{CALL remedy.refresh_rollup('daily')}, $shop);
is(wrong($subscriber, 'daily', $shop) . found($subscriber, $shop), '0', 'and is refreshed');
published(q{SELECT remedy.drop_rollup('daily')}, $shop);
is(published('SELECT count(*) FROM remedy.rollup', $shop), 0, 'a rollup that is published can be dropped');

foreach my $node ($publisher, $subscriber)
{
	unlike(slurp_file($node->logfile), qr/(replica identity|PANIC|TRAP)/, 'nothing is wrong on the ' . $node->name);
	$node->stop;
}
done_testing();

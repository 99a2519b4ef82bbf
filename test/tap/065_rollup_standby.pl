# Rollups on a hot standby, before and after it is promoted; and prepared transactions that stay open over refreshes and
# a restart.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', join("\n", "shared_preload_libraries = '$ENV{PG_REMEDY_LIBRARY}'", 'autovacuum = off',
	"timezone = 'UTC'", 'max_prepared_transactions = 10'));
$primary->start;

my $truth = q{SELECT date_trunc('day', at, 'UTC') AS bucket, kind, count(*), sum(value), max(value), sum(weight) FROM events GROUP BY 1, 2};

sub wrong
{
	my ($node, $view) = @_;
	return $node->safe_psql('postgres', "SELECT count(*) FROM (($truth EXCEPT ALL TABLE $view) UNION ALL (TABLE $view EXCEPT ALL ($truth))) AS d");
}

sub found { my ($node) = @_; return $node->safe_psql('postgres', q{SELECT problem, detail FROM remedy.verify_rollup('daily')}); }
sub refresh { my ($node) = @_; return $node->safe_psql('postgres', q{CALL remedy.refresh_rollup('daily')}); }

$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE events (at timestamptz, kind text, value integer, weight float8);
INSERT INTO events SELECT '2026-01-01'::timestamptz + i * interval '3 hours', chr(97 + i % 3), i, i FROM generate_series(1, 80) AS i;
SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{kind}', '{count(*),sum(value),max(value),sum(weight)}', 'UTC');
CALL remedy.refresh_rollup('daily');
INSERT INTO events VALUES ('2026-01-03', 'a', 1000, 1), ('2026-02-03', 'a', 1, 1);
SQL

# ---- Prepared transactions -------------------------------------------------------------------------------

$primary->safe_psql('postgres', <<'SQL');
BEGIN; INSERT INTO events VALUES ('2026-01-04', 'a', 5, 5); UPDATE events SET value = value + 1 WHERE at < '2026-01-03'; PREPARE TRANSACTION 'late';
BEGIN; INSERT INTO events VALUES ('2026-01-04', 'b', 5, 5); DELETE FROM events WHERE at >= '2026-01-05' AND at < '2026-01-06'; PREPARE TRANSACTION 'never';
BEGIN; INSERT INTO events VALUES ('2026-03-04', 'c', 5, 5); PREPARE TRANSACTION 'last';
SQL
refresh($primary);
is(wrong($primary, 'daily'), 0, 'refreshed while transactions are prepared');
$primary->restart;
is(wrong($primary, 'daily_now'), 0, 'and started again');
$primary->safe_psql('postgres', "COMMIT PREPARED 'late'; ROLLBACK PREPARED 'never'");
is(wrong($primary, 'daily_now'), 0, 'what commits late is seen');
isnt(wrong($primary, 'daily'), 0, 'though not refreshed');
refresh($primary);
is(wrong($primary, 'daily') . found($primary), '0', 'until it is');

# ---- A standby -------------------------------------------------------------------------------------------

$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
$primary->safe_psql('postgres', q{INSERT INTO events VALUES ('2026-01-07', 'b', 7, 7); UPDATE events SET kind = 'z' WHERE value = 8; DELETE FROM events WHERE value = 9});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is(wrong($standby, 'daily_now'), 0, 'it is right now on the standby');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM daily'), $primary->safe_psql('postgres', 'SELECT count(*) FROM daily'), 'which has the last refresh');
like($standby->safe_psql('postgres', 'SELECT name, state, marks > 0, verified_at IS NOT NULL FROM remedy.rollups'), qr/^daily\|stale\|t\|t$/, 'its state is told');
is(found($standby), '', 'it can be verified');
foreach my $call (q{CALL remedy.refresh_rollup('daily')}, q{SELECT remedy.rebuild_rollup('daily')}, q{SELECT remedy.drop_rollup('daily')},
	q{SELECT remedy.create_rollup('other', 'events', 'at', 'day')})
{
	my (undef, $error) = psql_as($standby, 'writing', "$call;");
	like($error, qr/(during recovery|read-only transaction)/, "refused: $call");
}
refresh($primary);
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is(wrong($standby, 'daily'), 0, 'a refresh comes to it');

$primary->safe_psql('postgres', q{INSERT INTO events VALUES ('2026-01-08', 'b', 7, 7)});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
$primary->stop;
$standby->promote;
is(wrong($standby, 'daily_now'), 0, 'promoted, it is right');
$standby->safe_psql('postgres', q{INSERT INTO events VALUES ('2026-01-09', 'b', 7, 7); COMMIT PREPARED 'last'});
is(wrong($standby, 'daily_now'), 0, 'writers go on');
refresh($standby);
is(wrong($standby, 'daily') . found($standby), '0', 'and refreshes');
is($standby->safe_psql('postgres', 'SELECT state FROM remedy.rollups'), 'ready', 'which it is');

$standby->stop;
done_testing();

# Planning statements again in another session than theirs, on a standby too, and what becomes of the values they were
# run with.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = preloaded('replanning', 'pg_remedy.keep_values = on', 'pg_remedy.save_interval = 10s',
	'wal_level = replica', 'max_wal_senders = 5', 'hot_standby = on');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE item (id integer PRIMARY KEY, name text);
INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 1000) AS i;
ANALYZE item;
SQL

# What is said of the statements whose texts look like this.
sub said
{
	my ($like, $columns, $on) = @_;

	return ($on // $node)->safe_psql('postgres', "SELECT $columns FROM remedy.statements AS s
		JOIN remedy.check_replanning() AS c USING (query_id) WHERE s.query LIKE '$like'");
}

sub values_of
{
	my ($like, $on) = @_;

	return ($on // $node)->safe_psql('postgres', "SET pg_remedy.keep_values = on; SELECT parameters
		FROM remedy.statement_samples JOIN remedy.statements AS s USING (query_id) WHERE s.query LIKE '$like'
		ORDER BY taken_at");
}

# ---- Another session ---------------------------------------------------------------------------------------

{
	my $wire = Wire->connect($node, 'wire');

	$wire->parse('one', 'SELECT name FROM item WHERE id = $1 AND name <> $2');
	for my $id (1 .. 40)
	{
		$wire->bind('', 'one', $id, 'sesame');
		$wire->execute('');
	}
	$wire->sync;
	$wire->answers;
	is(said('%name <>%', 'planned, parameters, cardinality(sample_costs)'), 't|2|4', 'a statement with parameters');
	like(values_of('%name <>%'), qr/^(\{\d+,sesame\}\n){3}\{32,sesame\}$/, 'values of a few runs, ever more rarely');
	$wire->disconnect;
}

# ---- Locks -------------------------------------------------------------------------------------------------

{
	my $holder = client($node, 'holder');

	$holder->query_safe("BEGIN;\nLOCK TABLE item");
	is(said('%name <>%', 'planned, reason'), 'f|SQLSTATE 55P03', 'a lock is not waited for for ever');
	$holder->quit;
	my $planner = client($node, 'planner');
	$planner->query_safe("BEGIN;\nSELECT count(*) FROM remedy.check_replanning()");
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE relation = 'item'::regclass"), 0,
		'no lock is kept');
	$planner->quit;
}

# ---- Inside statements -------------------------------------------------------------------------------------

{
	# Of queries that have no statistics: how many can be planned.
	my $nested = 'SELECT count(*) FILTER (WHERE planned), count(*) FROM remedy.check_replanning()
		WHERE query_id NOT IN (SELECT query_id FROM remedy.statements WHERE query_id IS NOT NULL)';
	my $texts = sub { return $node->safe_psql('postgres', 'SELECT texts_used FROM remedy.status') };

	$texts->();
	my $before = $texts->();
	psql_as($node, 'client', "DO \$\$ BEGIN PERFORM FROM item WHERE name = 'none'; END \$\$");
	is($node->safe_psql('postgres', $nested), '1|1', 'a query inside another session\'s statement');
	psql_as($node, 'client', "DO \$\$ BEGIN FOR i IN 1 .. 400 LOOP EXECUTE 'SELECT FROM item WHERE name = \'\'none\'\''
		|| repeat(' OR id < 0', i % 20) || repeat(' AND id > 0', i / 20); END LOOP; END \$\$");
	is($node->safe_psql('postgres', $nested), '256|256', 'at most so many are kept');
	is($texts->() - $before, 2, 'which take no room of statements'); # a block, and the query above
}

# ---- A hot standby -----------------------------------------------------------------------------------------

{
	my $standby = PostgreSQL::Test::Cluster->new('standby');

	$node->backup('backup');
	$standby->init_from_backup($node, 'backup', has_streaming => 1);
	$standby->start;
	$standby->safe_psql('postgres', "PREPARE one (text) AS SELECT id FROM item WHERE name = \$1; EXECUTE one('item 8')");
	is(said('PREPARE%', 'planned, parameters, cardinality(sample_costs)', $standby), 't|1|1', 'on a hot standby');
	is(values_of('PREPARE%', $standby), '{"item 8"}', 'and its own values');
	$standby->stop;
}

# ---- Forgetting --------------------------------------------------------------------------------------------

sub wait_for_saves
{
	my $saves = $node->safe_psql('postgres', 'SELECT saves FROM remedy.scheduler');

	return wait_until($node, "saves > $saves FROM remedy.scheduler");
}

isnt(values_of('%name <>%'), '', 'there are values');
wait_for_saves();
isnt(values_of('%name <>%'), '', 'saving forgets nothing');
$node->safe_psql('postgres', 'ALTER SYSTEM SET pg_remedy.keep_values = off');
$node->reload;
wait_for_saves();
is(values_of('%name <>%'), '', 'values that are not wanted any more are forgotten');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pg_remedy.keep_values');
$node->reload;

$node->safe_psql('postgres', "PREPARE two (text) AS SELECT id FROM item WHERE name = \$1; EXECUTE two('open sesame')");
is(values_of('PREPARE two%'), '{"open sesame"}', 'a value');
wait_until($node, q{count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'}); # the restart ends nobody
$node->restart;
is(values_of('PREPARE two%'), '', 'is not there after a restart');
ok(-s $node->data_dir . '/pg_stat/pg_remedy.stat', 'something was saved');
unlike(slurp_file($node->data_dir . '/pg_stat/pg_remedy.stat'), qr/sesame/, 'but no value');

# ---- Databases that are alike ------------------------------------------------------------------------------

wait_until($node, q{count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'});
$node->safe_psql('template1', 'CREATE DATABASE twin TEMPLATE postgres');
$node->safe_psql('template1', 'CREATE DATABASE third TEMPLATE postgres');
$node->safe_psql($_, 'SELECT name AS twin FROM item WHERE id = 77') for qw(postgres twin);
my $planned = q{SELECT planned FROM remedy.check_replanning() WHERE query_id IN (SELECT query_id FROM remedy.statements WHERE query LIKE '%AS twin FROM item%')};
is($node->safe_psql($_, $planned), 't', "a statement with one fingerprint in two databases is known in $_") for qw(postgres twin);
is($node->safe_psql('third', $planned), '', 'and not where it did not run');

is(complaints($node), '', 'nothing in the log');
$node->stop;
done_testing();

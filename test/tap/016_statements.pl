# Statistics of statements between sessions: seen at once, exact when the store is far too small, forgotten whoever holds
# them, the same as those of pg_stat_statements, and what happens without fingerprints.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

# ---- Between sessions ----------------------------------------------------------------------------------

my $node = preloaded('statements', 'pg_remedy.max_statements = 100', 'pg_remedy.save = off');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy; CREATE DATABASE other; CREATE ROLE somebody SUPERUSER');
$node->safe_psql('other', 'CREATE EXTENSION pg_remedy');

# What is known of statements with this in their text: calls, failures, rows, text.
sub known
{
	my ($like) = @_;
	return $node->safe_psql('postgres', "SELECT calls, failed, rows, query FROM remedy.statements
		WHERE query LIKE '$like' ORDER BY query, calls");
}

my $client = client($node, 'client');

$client->query_safe("BEGIN;\nSELECT 1 AS seen;\nSELECT 2 AS seen");
is(known('%AS seen'), '2|0|2|SELECT $1 AS seen', 'others see a statement while its transaction runs');
$client->query_safe('SELECT 3 AS seen');
is(known('%AS seen'), '3|0|3|SELECT $1 AS seen', 'and each further call');
is($node->safe_psql('postgres', q{SELECT min_ms <= p50_ms AND p50_ms <= p95_ms AND p99_ms <= max_ms
	FROM remedy.statements WHERE query LIKE '%AS seen'}), 't', 'with its times');
$client->query_safe('ROLLBACK');
is(known('%AS seen'), '3|0|3|SELECT $1 AS seen', 'a rollback takes nothing back');

# ---- Reset ---------------------------------------------------------------------------------------------

# A session holds counts, in a transaction and outside of one, when another forgets them.
for my $around ([ '', '' ], [ 'BEGIN;', 'COMMIT;' ])
{
	my ($begin, $commit) = @$around;
	my $in = $begin eq '' ? 'outside of a transaction' : 'in a transaction';

	$node->safe_psql('postgres', 'SELECT remedy.reset()');
	$client->query_safe("$begin\nSELECT 1 AS held, current_user;\nSELECT 2 AS held, current_user");
	is(known('%AS held%'), '2|0|2|SELECT $1 AS held, current_user', "counts that a session holds $in");
	$node->safe_psql('postgres', 'SELECT remedy.reset()');
	is(known('%AS held%'), '', 'are forgotten');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM remedy.statements'), 0, 'with everything else');
	$client->query_safe('SELECT 3 AS held, current_user');
	is(known('%AS held%'), '1|0|1|SELECT $1 AS held, current_user', 'and begin again');
	is($node->safe_psql('postgres', q{SELECT total_ms > 0, mean_ms = total_ms, min_ms IS NULL OR min_ms = max_ms
		FROM remedy.statements WHERE query LIKE '%AS held%'}), 't|t|t', 'with times of their own');
	$client->query_safe($commit) if $commit;
	$client->query_safe('SELECT 4 AS held, current_user');
	is(known('%AS held%'), '2|0|2|SELECT $1 AS held, current_user', 'and go on');
}
{
	my $elsewhere = client($node, 'elsewhere', database => 'other');
	my $left = q{SELECT string_agg(database || ' ' || user_name || ' ' || calls, ', ' ORDER BY database, user_name)
		FROM remedy.statements WHERE query LIKE '%AS grain%'};
	my ($me) = $node->safe_psql('postgres', 'SELECT current_user');
	my $work = sub {
		$_->query_safe(<<'SQL')
SELECT 1 AS grain, current_database();
SET ROLE somebody;
SELECT 1 AS grain, current_database();
SELECT 2 AS grain, current_database();
RESET ROLE;
SQL
		  for $client, $elsewhere;
	};
	my $grain = sub {
		my ($arguments, $expected) = @_;
		$node->safe_psql('postgres', 'SELECT remedy.reset()');
		$work->();
		$node->safe_psql('postgres', "SELECT remedy.reset($arguments)");
		is($node->safe_psql('postgres', $left), $expected, "reset($arguments), counts held by others");
		$work->();
	};

	$grain->('', '');
	is($node->safe_psql('postgres', $left), "other $me 1, other somebody 2, postgres $me 1, postgres somebody 2",
		'and counting goes on exactly');
	$grain->(q{database => 'other'}, "postgres $me 1, postgres somebody 2");
	is($node->safe_psql('postgres', $left), "other $me 1, other somebody 2, postgres $me 2, postgres somebody 4",
		'and counting goes on exactly');
	$grain->(q{user_name => 'somebody'}, "other $me 1, postgres $me 1");
	is($node->safe_psql('postgres', $left), "other $me 2, other somebody 2, postgres $me 2, postgres somebody 2",
		'and counting goes on exactly');
	$grain->(q{'other', 'somebody'}, "other $me 1, postgres $me 1, postgres somebody 2");
	my $id = $node->safe_psql('postgres', q{SELECT DISTINCT query_id FROM remedy.statements WHERE query LIKE '%AS grain%'});
	$client->query_safe('SELECT current_database() AS stays');
	$grain->("query_id => $id", '');
	$grain->("'postgres', NULL, $id", "other $me 1, other somebody 2");
	$grain->("'postgres', 'somebody', $id + 1", "other $me 1, other somebody 2, postgres $me 1, postgres somebody 2");
	$elsewhere->quit;
}

# ---- A store that is far too small ---------------------------------------------------------------------

# Each shape is one of its own, which its operators spell in binary.
sub shapes
{
	my ($first, $last) = @_;
	return join("\n", map { 'SELECT ' . join(' ', map { $_ eq '1' ? '1 +' : '1 -' } split(//, sprintf('%012b', $_)))
		  . ' 1 AS shape;' } $first .. $last);
}

$node->safe_psql('postgres', 'SELECT remedy.reset()');
my $memory = $node->safe_psql('postgres', 'SELECT memory_bytes FROM remedy.status');
my @clients = map { client($node, "many $_") } 1 .. 3;

$clients[0]->query_safe('SELECT current_user AS often;' x 1500);
for my $round (1 .. 2)
{
	$clients[$_]->query_safe(shapes(400 * $_, 400 * $_ + 399) . "\n" . 'SELECT current_user AS often;' x 500) for 0 .. 2;
}
is($node->safe_psql('postgres', 'SELECT sum(calls), sum(rows), count(*) <= 105 FROM remedy.statements'), '6900|6900|t',
	'of 1201 statements in a store for 100 no call is lost');
is($node->safe_psql('postgres', q{SELECT max(calls) > 2250 FROM remedy.statements WHERE query_id IS NOT NULL}), 't',
	'and one that runs often is not among those without a name');
is($node->safe_psql('postgres', <<'SQL'), 't|t|t|t|t|t|t', 'the others are a row without a name');
SELECT database IS NULL, user_name IS NULL, toplevel IS NULL, query IS NULL, calls > 1000, p50_ms BETWEEN min_ms AND max_ms,
	first_seen <= last_seen
FROM remedy.statements WHERE query_id IS NULL
SQL
is($node->safe_psql('postgres', <<"SQL"), 't|t|104|t|t', 'the status tells');
SELECT statements_evicted > 0, statements_used <= 104, statements_max, texts_used <= 100, memory_bytes = $memory
FROM remedy.status
SQL
$_->quit for @clients;
wait_until($node, 'slots_used = 2 FROM remedy.status', 'sessions to end');
is($node->safe_psql('postgres', 'SELECT sum(calls), sum(rows) FROM remedy.statements'), '6900|6900',
	'nor when the sessions end');

# What sessions hold of more statements than there is room for is forgotten too.
@clients = map { client($node, "many $_") } 1 .. 2;
$clients[$_]->query_safe(shapes(400 * $_, 400 * $_ + 399)) for 0 .. 1;
$node->safe_psql('postgres', 'SELECT remedy.reset()');
is($node->safe_psql('postgres', 'SELECT sum(calls), sum(rows), min(calls) FROM remedy.statements'), '||',
	'a reset leaves nothing of them');
$_->query_safe('SELECT 1 AS after, session_user') for @clients;
is($node->safe_psql('postgres', 'SELECT string_agg(calls || query, chr(10)) FROM remedy.statements'),
	'2SELECT $1 AS after, session_user', 'nor do they come back');
$_->quit for @clients;
$client->quit;
is(complaints($node), '', 'nothing is complained of');

# ---- Without fingerprints ------------------------------------------------------------------------------

is($node->safe_psql('postgres', 'SELECT query_ids FROM remedy.status'), 't', 'there are fingerprints');
$node->append_conf('postgresql.conf', 'compute_query_id = off');
$node->restart;
is($node->safe_psql('postgres', 'SELECT query_ids FROM remedy.status'), 'f', 'without fingerprints the status says so');
psql_as($node, 'client', "SELECT 1;\nSELECT current_user;\nSELECT 1 / 0;\nSET ROLE somebody;\nSELECT 2;");
is($node->safe_psql('postgres', <<'SQL'), "2|0\n1|0", 'and statements are counted by user alone');
SELECT calls, failed FROM remedy.statements WHERE query_id IS NULL AND query IS NULL AND database = 'postgres'
ORDER BY calls DESC
SQL
$node->stop;

# ---- Beside pg_stat_statements -------------------------------------------------------------------------

chomp(my $libraries = qx(pg_config --pkglibdir));
SKIP:
{
	skip 'pg_stat_statements is not installed', 6 unless -e "$libraries/pg_stat_statements.so";
	beside($_) for "$ENV{PG_REMEDY_LIBRARY},pg_stat_statements", "pg_stat_statements,$ENV{PG_REMEDY_LIBRARY}";
}

# Both count the same calls and rows of each statement, at top level and nested.
sub beside
{
	my ($preload) = @_;
	my $beside = Remedy::server('beside' . ($preload =~ /^pg_stat/ ? '_after' : '_before'), $preload,
		'pg_stat_statements.track = all', 'pg_remedy.track = all', 'pg_remedy.save = off');

	library_shop($beside);
	$beside->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE EXTENSION pg_stat_statements;
CREATE TABLE checked (author_id integer REFERENCES author);
CREATE FUNCTION three() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM book;
	RETURN (SELECT count(*) FROM author);
END $$;
SELECT remedy.reset();
SELECT pg_stat_statements_reset();
SQL
	psql_as($beside, 'client', lazy_page(6) . <<'SQL');
SELECT three();
INSERT INTO checked VALUES (1), (2), (3);
INSERT INTO checked VALUES (4), (99);
DO $$ BEGIN FOR i IN 1 .. 5 LOOP PERFORM count(*) FROM book WHERE author_id = i; END LOOP; END $$;
PREPARE p AS SELECT title FROM book WHERE id < $1;
EXECUTE p(3);
EXECUTE p(8);
COPY book TO STDOUT;
SELECT 1 / (id - 5) FROM author;
CREATE TABLE made AS SELECT * FROM book;
UPDATE made SET title = 'x' WHERE id < 10;
SQL
	is($beside->safe_psql('postgres', <<'SQL'), '', "$preload: the same calls and rows of queries");
SELECT s.toplevel, s.calls, s.failed, s.rows, p.calls, p.rows, s.query, p.query
FROM (SELECT * FROM remedy.statements WHERE calls > failed AND query_id IS NOT NULL) AS s
	FULL JOIN pg_stat_statements AS p ON p.queryid = s.query_id AND p.toplevel = s.toplevel
WHERE (s.calls - s.failed, s.rows) IS DISTINCT FROM (p.calls, p.rows)
	AND NOT coalesce(p.query, s.query) ~ '^(DO|COPY|CREATE|BEGIN|COMMIT)'
	AND NOT coalesce(p.query, s.query) ~ 'pg_notify' -- our own worker's
SQL
	# Loaded after us it takes the fingerprint off utility commands before we see them.
	is($beside->safe_psql('postgres', <<'SQL'), '3|60|t', "$preload: the same of commands");
SELECT sum(s.calls), sum(s.rows), sum(p.calls) = 3 AND sum(p.rows) = 60
FROM remedy.statements AS s JOIN pg_stat_statements AS p ON s.query_id = p.queryid
WHERE s.query ~ '^(DO|COPY|CREATE)'
SQL
	is($beside->safe_psql('postgres', 'SELECT count(*) FROM remedy.statements WHERE NOT toplevel'), 4,
		"$preload: nested ones too");
	$beside->stop;
	return;
}

done_testing();

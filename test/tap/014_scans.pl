# remedy.scans over processes: parallel workers, sessions that end, many clients, a full table, other modules that
# instrument queries themselves.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = server('scans', "$ENV{PG_REMEDY_LIBRARY},auto_explain", 'pg_remedy.max_scans = 64',
	'max_worker_processes = 16', 'max_parallel_workers = 8');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE wide AS SELECT i, i % 10 AS digit FROM generate_series(1, 20000) AS i;
CREATE TABLE narrow AS SELECT i FROM generate_series(1, 100) AS i;
CREATE FUNCTION narrow_rows() RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS
	'BEGIN RETURN (SELECT count(*) FROM narrow); END';
ANALYZE;
SQL

sub reset_all { $node->safe_psql('postgres', 'SELECT remedy.reset()'); return; }

# One line of the view's sums.
sub scans
{
	my ($columns, $condition, $database) = @_;

	return $node->safe_psql($database // 'postgres', "SELECT $columns FROM remedy.scans WHERE " . ($condition // 'true'));
}

# ---- Parallel ------------------------------------------------------------------------------------------

my $parallel = <<'SQL';
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SQL
my $query = 'SELECT count(*) FROM wide WHERE digit = 3;';
my $measures = 'count(*), count(DISTINCT query_id), bool_and(toplevel), sum(rows_read), sum(rows_read_sampled),
	sum(rows_kept_sampled)';

reset_all();
psql_as($node, 'client', "SET max_parallel_workers_per_gather = 0;\n$query");
is(scans($measures), '1|1|t|20000|20000|2000', 'a serial query');
is(scans('sum(scans), sum(loops_sampled)'), '1|1', 'which begins one scan');

reset_all();
like(psql_as($node, 'client', "$parallel\nEXPLAIN (COSTS off) $query"), qr/Workers Planned: 2/, 'a parallel plan');
psql_as($node, 'client', "$parallel\n$query");
is(scans($measures), '1|1|t|20000|20000|2000', 'a parallel query has the same volume and the same sample');
like(scans('sum(scans)'), qr/^[123]$/, 'each of its processes begins a scan');

reset_all();
psql_as($node, 'client', "$parallel\nSET parallel_leader_participation = off;\n$query");
is(scans($measures), '1|1|t|20000|20000|2000', 'also when the leader only gathers');

reset_all();
my $force = $node->safe_psql('postgres',
	q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') ORDER BY 1 LIMIT 1});
psql_as($node, 'client', "SET $force = on;\nSET max_parallel_workers_per_gather = 2;\n$query");
is(scans($measures), '1|1|t|20000|20000|2000', 'also when one worker does it all');

reset_all();
psql_as($node, 'client', "$parallel\nSELECT count(*) FROM wide WHERE digit = 3 AND i < 40 AND narrow_rows() > 0;");
is(scans('sum(rows_read)', "table_name = 'public.narrow'"), 400, 'functions inside workers');
is(scans('sum(rows_read)', "table_name = 'public.wide'"), 20000, 'and what they run in');

reset_all();
psql_as($node, 'client', "${parallel}BEGIN;\nDECLARE c CURSOR FOR $query\nFETCH c;\nCOMMIT;\n"
	. "DO 'BEGIN PERFORM count(*) FROM wide WHERE digit = 3; END';");
is(scans('sum(rows_read)'), 40000, 'cursors and functions');

# ---- Between sessions ----------------------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$node->safe_psql('elsewhere', 'CREATE EXTENSION pg_remedy');
reset_all();
my $session = client($node, 'client');
$session->query_safe("BEGIN;\n$query");
is(scans('rows_read'), 20000, 'seen at once, in the middle of a transaction');
is(scans('database, table_name IS NULL, relation IS NULL, columns IS NULL, predicate IS NULL, rows_read, samples',
	undef, 'elsewhere'), 'postgres|t|f|t|t|20000|1', 'without names in another database');
reset_all();
is(scans('count(*)'), 0, 'a reset forgets what other sessions hold');
$session->query_safe($query);
is(scans('rows_read, scans, samples'), '20000|1|1', 'and not what comes');
$session->quit;
is(scans('rows_read, scans, samples'), '20000|1|1', 'which outlives its session');
psql_as($node, 'client', $query);
is(scans('rows_read, scans, samples'), '40000|2|2', 'and is added to');

# A part is forgotten, whether it lies in the store, in another session or in both.
$session = client($node, 'client');
$session->query_safe("$query\nSELECT count(*) FROM narrow");
my $id = scans('query_id', "table_name = 'public.wide'");
$node->safe_psql('postgres', "SELECT remedy.reset(query_id => $id)");
is(scans('table_name, rows_read'), 'public.narrow|100', 'a reset of one statement');
$session->query_safe($query);
is(scans('rows_read, scans', "query_id = $id"), '20000|1', 'counts what comes');
$session->quit;
is(scans('rows_read, scans, first_seen <= last_seen', "query_id = $id"), '20000|1|t',
	'also when it has left the session with what was forgotten');
is(scans('rows_read, scans', 'query_id IS NULL'), '', 'and leaves no trace');

reset_all();
psql_as($node, 'client', "CREATE TEMPORARY TABLE t AS SELECT generate_series(1, 70) AS i;\nSELECT count(*) FROM t;");
is(scans('rows_read, scans, relation IS NULL'), '70|1|t', 'temporary tables are with the rest, when their session is gone too');

# ---- Constants -----------------------------------------------------------------------------------------

my $two = 'SELECT count(*) FROM wide WHERE digit = %d AND i > %d;';

# In the order of the columns.
sub recurring { return scans('samples, recurring', "table_name = 'public.wide'"); }

reset_all();
psql_as($node, 'client', sprintf($two, 3, 5)) for 1 .. 2;
is(recurring(), '2|{}', 'two samples say little of a constant');
psql_as($node, 'client', sprintf($two, 3, 5));
is(recurring(), '3|{"i >","digit ="}', 'it recurs in all sessions');
$session = client($node, 'client');
$session->query_safe(sprintf($two, 4, 5));
is(recurring(), '4|{"i >"}', 'until it varies in one that goes on');
$node->safe_psql('postgres', 'SELECT remedy.reset(query_id => ' . scans('query_id') . ')');
$session->query_safe(sprintf($two, 4, 5)) for 1 .. 3;
is(recurring(), '3|{}', 'what was forgotten is not told from what came then');
$session->quit;
psql_as($node, 'client', sprintf($two, 8, 5)) for 1 .. 2;
is(recurring(), '5|{}', 'nor when it has left the session');

reset_all();
my $wire = Wire->connect($node, 'client');
$wire->parse('named', 'SELECT i FROM wide WHERE digit = $1 AND i < 7');
for my $digit (3, 3, 3)
{
	$wire->bind('', 'named', $digit);
	$wire->execute('');
}
$wire->sync;
$wire->answers;
$wire->disconnect;
is(scans('samples, recurring, predicate'), '3|{"i <"}|i < ? AND digit = $', 'what is bound is no constant, in a custom plan too');

# ---- Full ----------------------------------------------------------------------------------------------

# Statements that differ in shape, n of them.
sub shapes
{
	my ($n, $from) = @_;

	return join('', map { 'SELECT count(*) FROM narrow WHERE i' . (' + 0' x (($_ + $from) % 60)) . ' = 1 OR i'
		. (' - 0' x (int(($_ + $from) / 60))) . " = 2;\n" } 1 .. $n);
}

reset_all();
psql_as($node, 'client', shapes(300, 0));
is(scans('sum(rows_read), sum(scans)'), '30000|300', 'totals are exact when the table is full');
my ($used, $max, $missed) = split(/\|/, $node->safe_psql('postgres', 'SELECT * FROM remedy.read_scans_status()'));
ok($used <= 64 && $max == 64 && $missed > 0, "and it says so: $used of $max, $missed missed");
is(scans('count(*)', 'query_id IS NULL AND table_name IS NULL AND database IS NULL'), 1, 'one row has the rest');

reset_all();
is(scans('count(*)'), 0, 'a reset forgets the rest too');

# Many clients at once, more statements than there is room for, and readers all the time.
my $script = $node->basedir . '/shapes.sql';
append_to_file($script, shapes(80, 0));
$node->command_ok([ 'pgbench', '--no-vacuum', '--client=8', '--jobs=2', '--transactions=10', "--file=$script",
		"--file=" . reader(), 'postgres' ], 'eight clients and readers');

# A script that complains if a total goes down.
sub reader
{
	my $file = $node->basedir . '/reader.sql';

	append_to_file($file, "SELECT 1 / (sum(rows_read) >= 0)::integer FROM remedy.scans;\n");
	return $file;
}

my $ran = $node->safe_psql('postgres', 'SELECT sum(statements) FROM remedy.transactions');
ok($ran > 0, "$ran statements");
is(scans('sum(rows_read), sum(scans)'), $ran * 100 . "|$ran", 'are all there');

# ---- Other modules -------------------------------------------------------------------------------------

# What auto_explain says of the rows of a query.
sub explained
{
	my ($settings) = @_;
	my $offset = -s $node->logfile;

	psql_as($node, 'client', "SET auto_explain.log_min_duration = 0;\nSET max_parallel_workers_per_gather = 0;\n"
		. "$settings\n$query");
	return slurp_file($node->logfile, $offset);
}

reset_all();
like(explained('SET auto_explain.log_analyze = on;'), qr/Seq Scan[^\n]*actual time=[0-9.]+?\.\.(?!0\.000 )[0-9.]+ rows=2000(\.00)? loops=1\).*Rows Removed by Filter: 18000/s,
	'auto_explain instruments for itself');
like(explained("SET auto_explain.log_analyze = on;\nSET auto_explain.log_timing = off;"),
	qr/Seq Scan.*actual rows=2000(\.00)? loops=1\).*Rows Removed by Filter: 18000/s, 'in its own way');
unlike(explained('SET auto_explain.log_analyze = off;'), qr/actual|Removed/, 'or not at all');
is(scans('samples, rows_read_sampled, rows_kept_sampled, loops_sampled, kept_ratio'), '3|60000|6000|3|0.1',
	'and we learn the same');
like(psql_as($node, 'client', "SET max_parallel_workers_per_gather = 0;\nEXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) $query"),
	qr/Seq Scan on wide \(actual rows=2000(\.00)? loops=1\).*Rows Removed by Filter: 18000/s, 'EXPLAIN ANALYZE is as ever');
unlike(psql_as($node, 'client', "EXPLAIN $query"), qr/actual|Removed/, 'and so is EXPLAIN');

# ---- Restarts ------------------------------------------------------------------------------------------

reset_all();
$node->safe_psql('postgres', shapes(60, 0));
psql_as($node, 'client', $query);
my $columns = q{count(*), sum(rows_read), sum(samples), sum(rows_kept_sampled), min(first_seen), max(last_seen),
	string_agg(predicate, ', ' ORDER BY predicate COLLATE "C")};
psql_as($node, 'client', sprintf($two, $_, 5)) for 3 .. 5;
my $before = scans($columns);
is(scans('samples, recurring', 'cardinality(columns) = 2 AND samples > 2'), '3|{"i >"}', 'a constant that recurs');
$node->safe_psql('postgres', 'SELECT remedy.save()');
$node->restart;
is(scans($columns), $before, 'what was saved comes back');
is(scans('samples, recurring', 'cardinality(columns) = 2 AND samples > 2'), '3|{"i >"}', 'and what is known of constants');
psql_as($node, 'client', sprintf($two, 5, 6));
is(scans('samples, recurring', 'cardinality(columns) = 2 AND samples > 2'), '4|{}', 'which varies now');
psql_as($node, 'client', $query);
is(scans('rows_read, samples', "table_name = 'public.wide' AND cardinality(columns) = 1"), '40000|2', 'and is added to');

is(complaints($node), '', 'nobody complained');
$node->stop;
done_testing();

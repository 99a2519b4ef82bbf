# A thousand sessions come and go under load while others read: nothing is counted twice or missed, nothing is
# complained of, nothing grows.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run ();
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $sessions = 1000;
my $clients = 8;

my $node = preloaded('many', 'log_statement = none');
my $folder = $PostgreSQL::Test::Utils::tmp_check;

$node->safe_psql('postgres',
	'CREATE EXTENSION pg_remedy; CREATE TABLE counter (id integer PRIMARY KEY, n integer NOT NULL)');
$node->safe_psql('postgres', "INSERT INTO counter SELECT i, 0 FROM generate_series(1, $clients) AS i");
library_shop($node);

my $memory = $node->safe_psql('postgres', 'SELECT memory_bytes FROM remedy.status');

# Writes a script for pgbench, and starts it as an application.
sub bench
{
	my ($application, $script, @words) = @_;
	my $output = '';

	append_to_file("$folder/$application.sql", $script);
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGAPPNAME => $application);
	my @command = ($node->installed_command('pgbench'), '-n', '-f', "$folder/$application.sql", @words, 'postgres');
	return IPC::Run::start(\@command, '>&', \$output);
}

# ---- Counts --------------------------------------------------------------------------------------------

# Per session: 2 statements alone, and a transaction of 7 that is a repetition of 5.
my $statements = 9;
my $transactions = 3;
my $session = <<'SQL' . lazy_page(6) =~ s/^SELECT.*author_id = 6 .*\n//mr;
SELECT n FROM counter WHERE id = :client_id + 1;
UPDATE counter SET n = n + 1 WHERE id = :client_id + 1;
SQL
$session =~ s/COMMIT;/SELECT 1;\nCOMMIT;/;

my $readers = bench('readers', <<'SQL', '-c', 2, '-j', 2, '-t', 150);
SELECT sum(statements) FROM remedy.transactions;
SELECT count(*) FROM remedy.n_plus_one;
SELECT count(*) FROM remedy.findings;
SELECT * FROM remedy.status;
SQL
my $load = bench('load', $session, '-C', '-c', $clients, '-j', 2, '-t', $sessions / $clients);
my $reader = client($node, 'reader');
my $seen = 0;
my $backwards = 0;

while ($load->pump_nb, $load->pumpable)
{
	my $now = $reader->query_safe(
		q{SELECT coalesce(sum(statements), 0) FROM remedy.transactions WHERE application_name = 'load'});

	++$backwards if $now < $seen;
	$seen = $now;
}
ok($load->finish, 'a thousand sessions');
ok($readers->finish, 'and readers beside them');
$reader->quit;

is($backwards, 0, 'counts never went backwards');
is_deeply(
	totals($node, 'load'),
	{ transactions => $transactions * $sessions, statements => $statements * $sessions, nested_statements => 0,
		failed_statements => 0, rows => (2 + 10 + 5 * 3 + 1) * $sessions },
	'statements sent = statements counted');
is($node->safe_psql('postgres', 'SELECT sum(n) FROM counter'), $sessions, 'as many as the application itself counted');
is($node->safe_psql('postgres', q{SELECT statements_max FROM remedy.transactions WHERE application_name = 'load'}), 7,
	'the largest transaction');
is($node->safe_psql('postgres', q{SELECT units + findings_missed, units * 5 = repeats_total, repeats_max, parent_rows
	FROM remedy.n_plus_one, remedy.status WHERE application_name = 'load'}), "$sessions|t|5|10",
	'every unit of work was found, or is told to be missing');
wait_until($node, 'slots_used = 1 FROM remedy.status', 'slots to be given back');
pass('slots are given back');
is($node->safe_psql('postgres', 'SELECT memory_bytes FROM remedy.status'), $memory, 'shared memory does not grow');
is(complaints($node), '', 'nothing is complained of');

# ---- More applications than there is room for ----------------------------------------------------------

my $applications = 300;

$node->safe_psql('postgres', 'SELECT remedy.reset()');
psql_as($node, 'crowd', join("\n",
	map { "SET application_name = 'crowd $_';\nSELECT 1;\nBEGIN;\nSELECT 2;\nSELECT 3;\nCOMMIT;" }
			1 .. $applications, 1 .. $applications));
is($node->safe_psql('postgres',
	<<'SQL'), '1800|1200|t', 'more applications than there is room for: no statement is lost');
SELECT sum(statements), sum(transactions), count(*) < 300 FROM remedy.transactions
WHERE application_name LIKE 'crowd%' OR application_name IS NULL
SQL
is($node->safe_psql('postgres',
	'SELECT database IS NULL, user_name IS NULL, statements > 0 FROM remedy.transactions
		WHERE application_name IS NULL'),
	't|t|t', 'those without room share a row without a name');
is($node->safe_psql('postgres', 'SELECT memory_bytes FROM remedy.status'), $memory, 'and memory does not grow');

# ---- A session with more statements than it remembers --------------------------------------------------

my $used = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'pg_remedy%'};
my $client = client($node, 'varied');

$node->safe_psql('postgres', 'SELECT remedy.reset()');

# Each is a shape of its own, which its operators spell in binary.
sub shapes
{
	my ($first, $last) = @_;
	return join("\n", map { 'SELECT ' . join(' ', map { $_ eq '1' ? '1 +' : '1 -' } split(//, sprintf('%014b',
		$_))) . ' 1 WHERE false;' }
			$first .. $last);
}

$client->query_safe(shapes(1, 3000));
$memory = $client->query_safe($used);
$client->query_safe(shapes(3001, 9000));
cmp_ok($client->query_safe($used), '<=', $memory, 'a session\'s memory does not grow with its statements');
is(totals($node, 'varied')->{statements}, 9002, 'and all are counted, with the two that look at the memory');

# The last ones are still in the session's slot, others are folded or had to make room for its texts.
$node->safe_psql('postgres', 'SELECT remedy.reset()');
$client->query_safe(shapes(9001, 12000) . "\nBEGIN;\n" . shapes(12001, 12050));
# If the store was busy (the reset has itself saved) when there was no room left, a text waits for the next fold,
# and statements for which there was no name are in the row without one.
my $seen_texts = q{sum(calls), count(*) > 2500, count(query) > 2400, count(DISTINCT query) = count(query)
		FROM remedy.statements WHERE query IS NULL OR query LIKE '%WHERE false'};
is($node->safe_psql('postgres', "SELECT $seen_texts"), '3050|t|t|t',
	'every new statement is seen at once, with its text');
$client->quit;

is(complaints($node), '', 'nothing is complained of');
$node->stop;

done_testing();

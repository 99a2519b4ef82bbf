# A reader that stands still holds the statistics' lock: nobody waits for it inside a statement, and what finds no room
# meanwhile is counted all the same.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run ();
use Remedy;
use Test::More;
use Time::HiRes qw(usleep);

# A large store takes long to copy, with the lock held.
my $node = preloaded('busy', 'pg_remedy.max_statements = 30000', 'pg_remedy.save = off');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');

my $reader = client($node, 'reader');
my $pid = $reader->query_safe('SELECT pg_backend_pid()');

# Whether who wants the lock must wait for it.
sub is_held
{
	my $output = '';
	local %ENV = (%ENV, PGAPPNAME => 'probe', PGHOST => $node->host, PGPORT => $node->port);
	my $probe = IPC::Run::start([ 'psql', '-Xqc', 'SELECT FROM remedy.status', 'postgres' ], '>&', \$output);

	while ($probe->pumpable)
	{
		return $probe
		  if $node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'probe' AND state = 'active' AND wait_event = 'pg_remedy statistics'") > 0;
		$probe->pump_nb;
	}
	$probe->finish;
	return;
}

my $client = client($node, 'client');
$client->query_safe("SELECT 1;\nSELECT remedy.watch()");

$reader->query_until(qr/reading/, "\\echo reading\n"
	. "DO \$\$ BEGIN LOOP PERFORM count(*) FROM remedy.statements; END LOOP; END \$\$;\n");
my $probe;
for (1 .. 200)
{
	usleep(20_000);
	kill('STOP', $pid);
	last if $probe = is_held();
	kill('CONT', $pid);
}
ok($probe, 'a reader was stopped that holds the lock');

# The journal takes 1,536 at most; the last transaction begins beyond it.
$client->query_safe("SELECT 1;\n" x 1700 . "BEGIN;\n" . "SELECT 1;\n" x 30);
kill('CONT', $pid);
$probe->finish if $probe;
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
wait_until($node, "count(*) = 0 FROM pg_stat_activity WHERE pid = $pid", 'the reader to end');

is($client->query_safe('SELECT calls, rows FROM remedy.current_transaction'), '30|30', 'the transaction has all');
$client->query_safe("SELECT 1;\n" x 5 . 'COMMIT');
is($client->query_safe('SELECT remedy.assert_statements(5000)'), 1735, 'so has the watched stretch');
is_deeply(totals($node, 'client'),
	{ transactions => 1702, statements => 1736, nested_statements => 0, failed_statements => 0, rows => 1736 },
	'and each transaction is counted once');
is($node->safe_psql('postgres', "SELECT statements_max FROM remedy.transactions WHERE application_name = 'client'"), 35,
	'with all its statements');
is($node->safe_psql('postgres', 'SELECT sizes_missed BETWEEN 1 AND 1700 - 1500 FROM remedy.status'), 't',
	'transactions without a size are counted');
$client->quit;

$node->stop;
done_testing();

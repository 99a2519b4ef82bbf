# Backends that are killed or terminated, clients that leave, servers that stop at once: views answer, and what had
# been counted is either there or gone with the whole.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('crash', 'restart_after_crash = on', 'pg_remedy.save = off');

$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
library_shop($node);

my $repeats = q{SELECT string_agg(application_name || ' ' || repeats_max, ', ' ORDER BY application_name)
	FROM remedy.n_plus_one};
my ($begun) = lazy_page(6) =~ /^(.*)COMMIT/s;

# ---- Killed --------------------------------------------------------------------------------------------

# Kills a backend and waits until the server has recovered.
sub kill_backend
{
	my ($application) = @_;
	my $offset = -s $node->logfile;

	kill('KILL', pid_of($node, $application)) == 1 or BAIL_OUT("cannot kill $application");
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	wait_until($node, 'true', 'the server to recover');
	return;
}

# After a crash everything starts again from nothing, and works.
sub works_from_nothing
{
	my ($after) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql('postgres', 'SELECT mode, slots_used, findings_used FROM remedy.status'),
		'preloaded|1|0',
		"after $after the status answers");
	is($node->safe_psql('postgres',
		q{SELECT count(*) FROM remedy.transactions WHERE application_name IN ('victim', 'client')}),
		0, 'transactions is empty');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM remedy.n_plus_one'), 0, 'n_plus_one is empty');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM remedy.findings'), 0, 'findings is empty');
	counted($node, 'statements are counted again', lazy_page(8), { transactions => 1, statements => 9 });
	is($node->safe_psql('postgres', $repeats), 'client 8', 'repetition is found again');
	return;
}

my $victim = client($node, 'victim');
$victim->query_safe($begun);
is($node->safe_psql('postgres', $repeats), 'victim 6', 'a loop of repeats is running');
kill_backend('victim');
works_from_nothing('a kill between two repeats');
eval { $victim->quit };

$victim = client($node, 'victim');
$victim->query_until(qr/asleep/, "$begun\n\\echo asleep\nSELECT pg_sleep(1000);\n");
asleep($node, 'victim');
kill_backend('victim');
works_from_nothing('a kill inside a statement');
eval { $victim->quit };

$victim = client($node, 'victim');
$victim->query_until(qr/asleep/,
	"\\echo asleep\nDO \$\$ BEGIN PERFORM count(*) FROM book; PERFORM pg_sleep(1000); END \$\$;\n");
asleep($node, 'victim');
kill_backend('victim');
works_from_nothing('a kill inside a function');
eval { $victim->quit };

# ---- Terminated ----------------------------------------------------------------------------------------

# Terminates a session and waits until it is gone.
sub terminate
{
	my ($application) = @_;

	$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . pid_of($node, $application) . ')');
	gone($application);
	return;
}

sub gone
{
	my ($application) = @_;

	wait_until($node, "count(*) = 0 FROM pg_stat_activity WHERE application_name = '$application'",
		"$application to go");
	return;
}

# A session that gets this far, then is done away with, adds this much.
sub ended
{
	my ($name, $sql, $sleeps, $expected) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	counted($node, $name, sub {
		my $session = client($node, 'client');

		$session->query_safe($sql) if $sql;
		if ($sleeps)
		{
			$session->query_until(qr/asleep/, "\\echo asleep\n$sleeps;\n");
			asleep($node, 'client');
		}
		terminate('client');
		eval { $session->quit };
	}, $expected);
	return;
}

ended('terminated between transactions', 'SELECT 1', undef, { transactions => 1, statements => 1 });
ended('terminated in a transaction, between statements', "BEGIN;\nSELECT 1;\nSELECT 2", undef, { transactions => 1,
	statements => 2 });
ended('terminated inside a statement', 'SELECT 1', 'SELECT pg_sleep(1000)',
	{ transactions => 2, statements => 2, failed_statements => 1 });
ended('terminated inside a statement of a transaction', "BEGIN;\nSELECT 1;\nSELECT 2", 'SELECT pg_sleep(1000)',
	{ transactions => 1, statements => 3, failed_statements => 1 });
ended('terminated inside a utility command', undef,
	"DO \$\$ BEGIN PERFORM 1 FROM book; PERFORM pg_sleep(1000); END \$\$",
	{ transactions => 1, statements => 1, nested_statements => 2, failed_statements => 1 });
ended('terminated inside a function', undef, "SELECT count(*) FROM author WHERE pg_sleep(1000) IS NULL",
	{ transactions => 1, statements => 1, failed_statements => 1 });
ended('terminated inside a fetch',
	"BEGIN;\nDECLARE c CURSOR FOR SELECT CASE WHEN id = 3 THEN pg_sleep(1000)::text END FROM author;\nFETCH 2 FROM c",
	'FETCH 2 FROM c', { transactions => 1, statements => 1, failed_statements => 1 });
ended('terminated in a failed transaction', "BEGIN;\nSELECT 1;\nSAVEPOINT s", undef, { transactions => 1,
	statements => 1 });
ended('terminated inside one of pg_remedy\'s own', undef, 'SELECT remedy.transaction_statements(), pg_sleep(1000)',
	{ transactions => 0, statements => 0 });

counted($node, 'a client that leaves in a transaction', sub {
	my $session = client($node, 'client');

	$session->query_safe("BEGIN;\nSELECT 1;\nSELECT 2");
	$session->quit;
	gone('client');
}, { transactions => 1, statements => 2 });

counted($node, 'a transaction that was idle for too long', sub {
	my $session = client($node, 'client');

	$session->query_safe("BEGIN;\nSELECT 1;\nSELECT 2;\nSET idle_in_transaction_session_timeout = 10");
	gone('client');
	eval { $session->quit };
}, { transactions => 1, statements => 2 });

$victim = client($node, 'victim');
$victim->query_safe($begun);
terminate('victim');
like($node->safe_psql('postgres', $repeats), qr/\bvictim 6\b/, 'a finding outlives its session');
is_deeply([ @{ totals($node, 'victim') }{qw(transactions statements)} ], [ 1, 7 ], 'and so do its counts');
psql_as($node, 'successor', lazy_page(9));
like($node->safe_psql('postgres', $repeats), qr/\bsuccessor 9, victim 6\b/,
	'also when another session has taken its slot');
is_deeply([ @{ totals($node, 'victim') }{qw(transactions statements)} ], [ 1, 7 ], 'both do');
eval { $victim->quit };
is($node->safe_psql('postgres', 'SELECT slots_used FROM remedy.status'), 1, 'slots are given back');

# ---- Stopped -------------------------------------------------------------------------------------------

$victim = client($node, 'victim');
$victim->query_safe($begun);
$node->stop('immediate');
$node->start;
works_from_nothing('an immediate stop');
eval { $victim->quit };

$victim = client($node, 'victim');
$victim->query_safe($begun);
$node->stop('fast');
$node->start;
works_from_nothing('a fast stop');
eval { $victim->quit };

$node->stop;
done_testing();

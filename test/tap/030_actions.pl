# What is done about a finding: lines of the log, one a finding and so many a minute; settings of a role, a database and
# an application; mutes, which last over restarts and dumps, and wait for nobody.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = preloaded('actions', 'wal_level = replica', 'max_wal_senders = 4');

$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql($_, 'CREATE EXTENSION pg_remedy') for ('postgres', 'shop');
library_shop($node, 'shop');

# What some work adds to the log about N+1, one element a line.
sub logged
{
	my ($work) = @_;
	my $offset = -s $node->logfile;

	$work->();
	return grep { /N\+1/ } split(/\n/, slurp_file($node->logfile, $offset));
}

sub page { my (%options) = @_; return psql_as($node, 'page', lazy_page(6), database => 'shop', %options); }

# A page whose loop is another for each number of columns.
sub other_page
{
	my ($columns) = @_;
	my $page = lazy_page(6);
	my $more = ', id' x $columns;

	$page =~ s/ FROM book/$more FROM book/g;
	return $page;
}

# ---- Lines of the log ------------------------------------------------------------------------------------

is(scalar(logged(\&page)), 0, 'findings are recorded in silence');

my $logging = "SET pg_remedy.n_plus_one_action = 'log';\n";
my @lines = logged(sub { psql_as($node, 'page', $logging . lazy_page(6), database => 'shop') });
my $key = $node->safe_psql('postgres', 'SELECT DISTINCT key FROM remedy.n_plus_one');
is(scalar(@lines), 1, 'a finding is one line');
like($lines[0], qr/LOG:  N\+1 \(likely, \Q$key\E\): public\.book was queried 5 times, each time for a row of public\.author: SELECT id, title FROM book WHERE author_id = \$1 ORDER BY id; Load public\.book together .*\)\.$/,
	'with its evidence and its remedy');
unlike(slurp_file($node->logfile), qr/N\+1.*\n.*(?:DETAIL|HINT|STATEMENT):/, 'and nothing after it');

@lines = logged(sub {
		psql_as($node, 'page', $logging . lazy_page(6) x 4 . other_page(1), database => 'shop') });
is(scalar(@lines), 2, 'a session tells of a finding once a minute');
unlike($lines[0], qr/left out/, 'the first line is the first');
like($lines[1], qr/title, id FROM book.*; 3 lines before were left out$/, 'and counts what it left out');

my $pages = join('', map { other_page($_) } 1 .. 15);
is(scalar(logged(sub { psql_as($node, 'page', $logging . $pages, database => 'shop') })), 10,
	'a session tells of ten findings a minute');

# ---- Of a role, a database, an application ---------------------------------------------------------------

my $failed = qr/ERROR:  N\+1: public\.book was queried 5 times.*DETAIL:  Repeated: .*HINT:  Load public\.book/s;

$node->safe_psql('shop', 'CREATE ROLE developer LOGIN; CREATE ROLE tenant LOGIN');
$node->safe_psql('shop', "ALTER ROLE developer SET pg_remedy.n_plus_one_action = 'error'");
like((page(role => 'developer'))[1], $failed, 'a role may want errors');
is((page(role => 'tenant'))[1], '', 'which others do not get');
$node->safe_psql('shop', 'ALTER ROLE developer RESET ALL');

$node->safe_psql('shop', "ALTER DATABASE shop SET pg_remedy.n_plus_one_action = 'error'");
like((page())[1], $failed, 'a database may');
$node->safe_psql('shop', "ALTER ROLE tenant IN DATABASE shop SET pg_remedy.n_plus_one_action = 'record'");
is((page(role => 'tenant'))[1], '', 'with exceptions');
$node->safe_psql('postgres', 'ALTER DATABASE shop RESET ALL');

{
	local $ENV{PGOPTIONS} = '-c pg_remedy.n_plus_one_action=error';
	like((page(role => 'developer'))[1], $failed, 'an application may, in its connection string');
}
{
	local $ENV{PGOPTIONS} = '-c pg_remedy.n_plus_one_action=error -c pg_remedy.n_plus_one_threshold=7';
	is((page(role => 'developer'))[1], '', 'with a threshold of its own');
}

# ---- Mutes -----------------------------------------------------------------------------------------------

my $failing = "SET pg_remedy.n_plus_one_action = 'error';\n";

sub errors
{
	my (undef, $errors) = psql_as($node, 'page', $failing . lazy_page(6), database => 'shop');
	return $errors;
}

like(errors(), $failed, 'a finding is an error');

# Who mutes does not make others wait, nor does who locks the table.
my $locker = client($node, 'locker', database => 'shop');
$locker->query_safe("BEGIN; SELECT remedy.mute('$key', 'two rows at most')");
like(errors(), $failed, 'a mute that is not committed is none');
$locker->query_safe('COMMIT');
is(errors(), '', 'and one that is silences');
$locker->query_safe('BEGIN; LOCK TABLE remedy.muted_findings');
like(errors(), $failed, 'while the table is locked nothing is muted, and nobody waits');
$locker->query_safe('ROLLBACK');
$locker->query_safe('BEGIN; LOCK TABLE pg_depend, pg_extension');
like(errors(), $failed, 'nor for a catalog');
$locker->query_safe('ROLLBACK');
$locker->quit;
is(scalar(logged(sub { psql_as($node, 'page', $logging . lazy_page(6), database => 'shop') })), 0, 'nor is it logged');

# Its reading leaves no trace for which a serializable transaction could fail.
my $reader = client($node, 'reader', database => 'shop');
my ($unfinished) = lazy_page(6) =~ /^BEGIN;(.*)COMMIT/s;
$reader->query_safe("BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL pg_remedy.n_plus_one_action = 'error';");
$reader->query_safe($unfinished);
is($node->safe_psql('shop', q{SELECT count(*) FROM pg_locks
	WHERE mode = 'SIReadLock' AND relation = 'remedy.muted_findings'::regclass}), 0, 'no predicate lock on mutes');
is($node->safe_psql('shop', q{SELECT count(*) > 0 FROM pg_locks WHERE mode = 'SIReadLock'}), 't', 'but on tables');
$reader->query_safe('COMMIT');
$reader->quit;

$node->restart;
is(errors(), '', 'a mute outlives a restart');
is($node->safe_psql('shop', "SELECT bool_and(muted) FROM remedy.n_plus_one WHERE key = '$key'"), 't', 'and is shown');

my $dump = $node->basedir . '/shop.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'shop' ], 'the database is dumped');
$node->safe_psql('postgres', 'DROP DATABASE shop');
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-q', '-f', $dump, 'shop' ], 'and restored');
is(errors(), '', 'a mute outlives a dump');

# ---- On a standby ----------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my (undef, $muted) = psql_as($standby, 'page', $failing . lazy_page(6), database => 'shop');
is($muted, '', 'a mute is known on a standby');
(undef, $muted) = psql_as($standby, 'page', $failing . other_page(1), database => 'shop');
like($muted, $failed, 'where other findings are errors');
$standby->stop;

# ---- Muted findings are not notified of ------------------------------------------------------------------

my $listener = client($node, 'listener', database => 'shop');
$listener->query_safe('LISTEN pg_remedy');
wait_until($node, 'worker_pid IS NOT NULL FROM remedy.scheduler', 'the worker to start');
my $before = $node->safe_psql('postgres', 'SELECT notifications FROM remedy.scheduler');
$node->safe_psql('postgres', 'SELECT remedy.reset()');
psql_as($node, 'page', lazy_page(6) . other_page(1), database => 'shop');
wait_until($node, "notifications > $before FROM remedy.scheduler", 'a notification');
is($node->safe_psql('postgres', 'SELECT count(*) FROM remedy.n_plus_one'), 2, 'of two findings');
my $heard = $listener->query_safe('SELECT 1');
unlike($heard, qr/\Q$key\E/, 'the muted one is not notified of');
is(() = $heard =~ /Asynchronous notification/g, 1, 'the other one is');
is($node->safe_psql('postgres', 'SELECT notifications FROM remedy.scheduler') - $before, 1, 'once');
$listener->quit;

# ---- A bulk load is information --------------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE TABLE loaded (id integer)');
my $wire = Wire->connect($node, 'loader');
$wire->parse('load', 'INSERT INTO loaded VALUES ($1)')->sync->answers;

# What assert_no_n_plus_one() answers after so many rows in one transaction.
sub judged
{
	my ($rows) = @_;

	$wire->query($_)->answers for ('SELECT remedy.watch()', 'BEGIN');
	$wire->bind('', 'load', $_)->execute('')->sync->answers for 1 .. $rows;
	$wire->query('COMMIT')->answers;
	return $wire->query("SELECT remedy.assert_no_n_plus_one('possible')")->answers;
}

is(judged(30), 'TEZ', 'rows that are inserted one by one are found');
is(judged(150), 'TDCZ', 'but for a bulk load');
$wire->disconnect;

# ---- Without preloading ----------------------------------------------------------------------------------

$node->stop;
$node = plain('session');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
library_shop($node);
$node->safe_psql('postgres', 'CREATE ROLE developer LOGIN');
$node->safe_psql('postgres', "ALTER ROLE developer SET pg_remedy.n_plus_one_action = 'error'");
my (undef, $errors) = psql_as($node, 'page', "SELECT remedy.watch();\n" . lazy_page(6), role => 'developer');
like($errors, $failed, "a role's setting waits for the library");

done_testing();

# Where units of work end: what a rollback undoes and what it does not, backends that are terminated, more loops than
# places, messages with many statements, and what of it stays in memory.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('loop_ends');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE author (id int PRIMARY KEY, name text);
CREATE TABLE book (id int PRIMARY KEY, author_id int REFERENCES author);
CREATE INDEX ON book (author_id);
CREATE TABLE visit (n int);
INSERT INTO author SELECT n, 'name' FROM generate_series(1, 50) n;
INSERT INTO book SELECT n, n % 50 + 1 FROM generate_series(1, 200) n;
SQL

sub inserts { my ($count, $table) = @_; $table //= 'visit'; return join('', map { "INSERT INTO $table VALUES ($_);\n" } 1 .. $count); }

sub page { return "SELECT id FROM author;\n" . join('', map { "SELECT id FROM book WHERE author_id = $_;\n" } 1 .. 20); }

# What was found, one line a finding: kind, the most repeats, and in how many units of work.
sub found
{
	my $found = $node->safe_psql('postgres',
		"SELECT string_agg(format('%s %s/%s', kind, repeats_max, units), ', ' ORDER BY kind, child_table) FROM remedy.n_plus_one");

	$node->safe_psql('postgres', 'SELECT remedy.reset()');
	return $found;
}

sub finds
{
	my ($name, $sql, $expected, %options) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	psql_as($node, 'client', $sql, %options);
	return is(found(), $expected, $name);
}

# ---- Rollbacks -------------------------------------------------------------------------------------------

my $failing = "DO 'BEGIN INSERT INTO visit VALUES (1); PERFORM 1 / 0; END';\n";

finds('a rolled-back transaction that wrote has no loop', 'BEGIN;' . inserts(30) . 'ROLLBACK;', '');
finds('one that read has', 'BEGIN;' . page() . 'ROLLBACK;', 'select 20/1');
finds('one that read and wrote has none', 'BEGIN;' . page() . 'INSERT INTO visit VALUES (1); ROLLBACK;', '');
finds('a command that fails leaves the loop before it', 'BEGIN;' . inserts(30) . "COMMIT;\n$failing", 'write 30/1');
finds('and the page before it', 'BEGIN;' . page() . "COMMIT;\n$failing", 'select 20/1');

# ---- Terminated backends ---------------------------------------------------------------------------------

# Ends a session in the middle of a statement that has written.
sub finds_terminated
{
	my ($name, $sql, $expected) = @_;
	my $client = client($node, 'doomed');

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$client->query($sql);
	$client->query_until(qr/on its way/, <<'SQL');
\echo on its way
WITH written AS (INSERT INTO visit VALUES (1) RETURNING n) SELECT pg_sleep(100) FROM written;
SQL
	wait_until($node, "exists (SELECT FROM pg_stat_activity WHERE application_name = 'doomed' AND wait_event = 'PgSleep'"
		  . ' AND backend_xid IS NOT NULL)');
	$node->safe_psql('postgres',
		"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'doomed'");
	eval { $client->quit };
	return is(found(), $expected, $name);
}

finds_terminated('a backend that is terminated leaves what was committed', inserts(30), 'write 30/1');
finds_terminated('also in short transactions', join('', map { "BEGIN; INSERT INTO visit VALUES ($_); COMMIT;\n" } 1 .. 30),
	'write 30/1');
finds_terminated('and nothing of its open transaction', 'BEGIN;' . inserts(30), '');

# ---- Places ----------------------------------------------------------------------------------------------

my @tables = map { "visit_$_" } 1 .. 20;
$node->safe_psql('postgres', join('', map { "CREATE TABLE $_ (n int);" } @tables));
finds('with more loops than places, each is counted for itself',
	'BEGIN;' . join('', map { inserts(30, $_) } @tables, @tables) . 'COMMIT;', join(', ', ('write 30/2') x 20));

finds('a high threshold is reached', "SET pg_remedy.n_plus_one_threshold = 50;\n" . inserts(300), 'write 300/1');

# ---- Messages --------------------------------------------------------------------------------------------

finds('a session whose first message has many statements loops no more than others', inserts(30), '', message => 1);

# ---- Memory and texts ------------------------------------------------------------------------------------

sub is_small
{
	my ($context, $kilobytes) = @_;
	return "SELECT coalesce(sum(total_bytes), 0) / 1024 < $kilobytes FROM pg_backend_memory_contexts WHERE name = '$context';";
}

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE low LOGIN;
GRANT USAGE ON SCHEMA remedy TO low;
CREATE FUNCTION walk(fails boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	FOR n IN 1 .. 20 LOOP PERFORM id FROM book WHERE id = n; END LOOP;
	IF fails THEN PERFORM 1 / 0; END IF;
END $$;
SQL
is(psql_as($node, 'client', "SELECT walk(true);\n" x 3000 . is_small('pg_remedy nested texts', 64)),
	't', 'loops of statements that fail leave nothing');
psql_as($node, 'client', 'SELECT walk(false)', role => 'low');
is( psql_as($node, 'reader', 'SELECT kind, child_query FROM remedy.n_plus_one', role => 'low'),
	'server_loop|<insufficient privilege>', "what a definer's function repeats is the definer's text");
found();

my ($size, $errors) = psql_as($node, 'client',
	"SELECT remedy.watch();\n"
	  . join('', map { inserts(12, $_) } (@tables) x 10)
	  . is_small('pg_remedy watched findings', 300)
	  . 'SELECT remedy.assert_no_n_plus_one();');
like($size, qr/^t$/m, 'a watched finding is kept once');
is(scalar(() = $errors =~ /12 x INSERT INTO visit_7 /g), 1, 'and told of once');

# ---- Catalogs that somebody has locked -------------------------------------------------------------------

my $locker = client($node, 'locker');
for my $catalog (qw(pg_index pg_class pg_attribute pg_opclass))
{
	my $page = client($node, 'page');
	$page->query_safe('SELECT id FROM author WHERE id < 0; SELECT id FROM book WHERE author_id = 0; SELECT id FROM book WHERE id = 0');
	$locker->query_safe("BEGIN; LOCK TABLE $catalog IN ACCESS EXCLUSIVE MODE");
	$page->query_safe("SET statement_timeout = '5s'");
	ok(eval { $page->query_safe(page() . join('', map { "SELECT id FROM book WHERE id = $_;\n" } 1 .. 20)); 1 },
		"a loop does not wait for $catalog");
	$locker->query_safe('ROLLBACK');
	$page->quit;
}
$locker->quit;

done_testing();

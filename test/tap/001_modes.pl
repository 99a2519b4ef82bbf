# The three ways of being loaded, switching off and on, and what CREATE and DROP EXTENSION do and refuse.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $finding = q{SELECT string_agg(repeats_max || ' ' || application_name, ', ' ORDER BY application_name)
	FROM remedy.n_plus_one};

# ---- Preloaded -----------------------------------------------------------------------------------------

my $node = preloaded('preloaded', 'pg_remedy.save = off');

library_shop($node);
psql_as($node, 'before', 'BEGIN; SELECT 1; SELECT 2; COMMIT; SELECT 3;');
psql_as($node, 'before', lazy_page(6));
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'preloaded without the extension, queries run');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
is($node->safe_psql('postgres', 'SELECT mode, enabled, query_ids FROM remedy.status'), 'preloaded|t|t',
	'mode preloaded');
is_deeply(
	totals($node, 'before'),
	{ transactions => 3, statements => 10, nested_statements => 0, failed_statements => 0, rows => 3 + 10 + 18 },
	'what ran before the extension was created is counted');
is($node->safe_psql('postgres', $finding), '6 before', 'and its repetition was found');

$node->safe_psql('postgres', 'CREATE DATABASE bare');
psql_as($node, 'elsewhere', 'SELECT 1; SELECT 2;', database => 'bare');
is(totals($node, 'elsewhere')->{statements}, 2, 'databases without the extension are counted');
is($node->safe_psql('postgres', q{SELECT database FROM remedy.transactions WHERE application_name = 'elsewhere'}),
	'bare', 'under their name');

$node->restart;
is($node->safe_psql('postgres', 'SELECT mode FROM remedy.status'), 'preloaded', 'mode preloaded after a restart');
is(totals($node, 'before')->{statements}, 0, 'a restart forgets');
counted($node, 'and counting goes on', 'SELECT 1;', { transactions => 1, statements => 1 });
like($node->safe_psql('postgres', 'SELECT memory_bytes FROM remedy.status'), qr/^[1-9]\d+$/, 'memory is told');

# ---- Switched off and on -------------------------------------------------------------------------------

counted($node, 'switched off, nothing is counted', <<'SQL', { transactions => 1, statements => 2 });
BEGIN;
SELECT 1;
SET pg_remedy.enabled = off;
SELECT 2;
DO $$ BEGIN END $$;
SET pg_remedy.enabled = on;
SELECT 3;
COMMIT;
SET pg_remedy.enabled = off;
SELECT 4;
BEGIN;
SELECT 5;
COMMIT;
SQL
counted($node, 'switched off by a statement, which still counts, and on by one that does not',
	<<'SQL', { transactions => 2, statements => 2 });
SELECT set_config('pg_remedy.enabled', 'off', false);
SELECT 1;
SELECT set_config('pg_remedy.enabled', 'on', false);
SELECT 2;
SQL
counted($node, 'switched off for one transaction', <<'SQL', { transactions => 1, statements => 1 });
BEGIN;
SET LOCAL pg_remedy.enabled = off;
SELECT 1;
COMMIT;
SELECT 2;
SQL
counted($node, 'switched within functions', <<'SQL', { transactions => 2, statements => 2 });
DO $$ BEGIN PERFORM set_config('pg_remedy.enabled', 'off', false); PERFORM 1; END $$;
SELECT 1;
DO $$ BEGIN PERFORM set_config('pg_remedy.enabled', 'on', false); PERFORM 1; END $$;
SELECT 2;
SQL
is(scalar psql_as($node, 'client', 'SET pg_remedy.enabled = off; SELECT enabled FROM remedy.status;'), 'f',
	'the status tells');
{
	my $session = client($node, 'running');

	$session->query_safe('SELECT 1');
	$node->safe_psql('postgres', 'ALTER SYSTEM SET pg_remedy.enabled = off');
	$node->reload;
	until ($session->query_safe('SHOW pg_remedy.enabled') eq 'off') { }
	$session->query_safe("SELECT 2;\n" . lazy_page(6));
	is(totals($node, 'running')->{statements}, 1, 'switched off for a running session');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM remedy.n_plus_one'), 0, 'which finds nothing any more');
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET pg_remedy.enabled');
	$node->reload;
	until ($session->query_safe('SHOW pg_remedy.enabled') eq 'on') { }
	$session->query_safe('SELECT 2');
	is(totals($node, 'running')->{statements}, 2, 'and on again');
	$session->quit;
}
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE counted LOGIN;
CREATE ROLE uncounted LOGIN;
ALTER ROLE counted SET pg_remedy.enabled = on;
ALTER ROLE uncounted SET pg_remedy.enabled = off;
SQL
counted($node, 'switched off for a role', 'SELECT 1;', { transactions => 0, statements => 0 }, role => 'uncounted');
$node->append_conf('postgresql.conf', 'pg_remedy.enabled = off');
$node->restart;
counted($node, 'switched off for all', 'SELECT 1;', { transactions => 0, statements => 0 });
counted($node, 'but for a role', 'SELECT 1;', { transactions => 1, statements => 1 }, role => 'counted');
$node->append_conf('postgresql.conf', 'pg_remedy.enabled = on');
$node->restart;

# ---- The extension comes and goes ----------------------------------------------------------------------

is(scalar psql_as($node, 'client', <<'SQL'), "t\nt\n2", 'dropped and created again, in one session');
SELECT count(*) > 0 FROM remedy.status;
DROP EXTENSION pg_remedy;
CREATE EXTENSION pg_remedy;
SELECT count(*) > 0 FROM remedy.status;
BEGIN;
SELECT 1 WHERE false;
SELECT 1 WHERE false;
SELECT remedy.transaction_statements();
COMMIT;
SQL
$node->safe_psql('postgres', 'DROP EXTENSION pg_remedy');
counted_without_extension('SELECT 1; SELECT 2;');

sub counted_without_extension
{
	my ($sql) = @_;

	psql_as($node, 'dropped', $sql);
	$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
	is(totals($node, 'dropped')->{statements}, 2, 'what ran between drop and creation is counted');
	return;
}

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE mallory LOGIN;
CREATE ROLE owner LOGIN SUPERUSER;
CREATE DATABASE taken;
CREATE DATABASE prepared;
SQL
$node->safe_psql('taken', 'CREATE SCHEMA remedy AUTHORIZATION mallory');
{
	my (undef, $errors) = psql_as($node, 'client', 'CREATE EXTENSION pg_remedy;', database => 'taken');

	like($errors, qr/ERROR:  schema "remedy" exists and is owned by another role\n.*HINT:  /s,
		'a schema of another role is refused');
	is($node->safe_psql('taken', q{SELECT count(*) FROM pg_extension WHERE extname = 'pg_remedy'}), 0,
		'and nothing is created');
}
$node->safe_psql('prepared', 'CREATE SCHEMA remedy AUTHORIZATION owner');
psql_as($node, 'client', 'CREATE EXTENSION pg_remedy;', database => 'prepared', role => 'owner');
is($node->safe_psql('prepared', 'SELECT mode FROM remedy.status'), 'preloaded', 'one of the installing role is taken');
{
	$node->safe_psql('prepared', <<'SQL');
DROP EXTENSION pg_remedy;
SET ROLE owner;
CREATE FUNCTION remedy.watch(block text) RETURNS void LANGUAGE sql AS 'SELECT';
SQL
	my (undef, $errors) = psql_as($node, 'client', 'CREATE EXTENSION pg_remedy;', database => 'prepared',
		role => 'owner');

	like($errors, qr/ERROR:  function "watch" already exists/, 'an object that is there already is never taken over');
	$node->safe_psql('bare', 'GRANT CREATE ON DATABASE bare TO mallory');
	(undef, $errors) = psql_as($node, 'client', 'CREATE EXTENSION pg_remedy;', database => 'bare', role => 'mallory');
	like($errors, qr/ERROR:  permission denied to create extension/, 'an ordinary role cannot install');
}

# ---- Muted findings survive a dump ---------------------------------------------------------------------

my $dump = "$PostgreSQL::Test::Utils::tmp_check/shop.dump";
my $muted = q{SELECT f.muted, repeats_max FROM remedy.findings AS f JOIN remedy.n_plus_one USING (key)
	WHERE object = 'public.book' AND database = 'shop'};

$node->safe_psql('postgres', 'CREATE DATABASE shop');
library_shop($node, 'shop');
$node->safe_psql('shop', 'CREATE EXTENSION pg_remedy');
psql_as($node, 'client', lazy_page(6), database => 'shop');
is($node->safe_psql('shop', $muted), 'f|6', 'a finding');
$node->safe_psql('shop', q{SELECT remedy.mute(key, 'known') FROM remedy.n_plus_one WHERE database = 'shop'});
is($node->safe_psql('shop', $muted), 't|6', 'is muted');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'shop' ], 'pg_dump');
$node->safe_psql('postgres', 'DROP DATABASE shop');
$node->restart;
$node->command_ok([ 'pg_restore', '--exit-on-error', '--create', '-d', 'postgres', $dump ], 'pg_restore');
is($node->safe_psql('shop', 'SELECT reason FROM remedy.muted_findings'), 'known', 'a dump holds what was muted');
is($node->safe_psql('shop', $muted), '', 'and no findings');
psql_as($node, 'client', lazy_page(7), database => 'shop');
is($node->safe_psql('shop', $muted), 't|7', 'a finding made again after the dump is muted');
$node->safe_psql('shop', q{SELECT remedy.unmute(key) FROM remedy.n_plus_one WHERE database = 'shop'});
is($node->safe_psql('shop', $muted), 'f|7', 'until it is unmuted');

$node->stop;

# ---- Only installed ------------------------------------------------------------------------------------

$node = plain('plain');
library_shop($node);
$node->safe_psql('postgres', 'CREATE ROLE ordinary LOGIN');

my $mine = q{SELECT coalesce(sum(transactions), 0), coalesce(sum(statements), 0) FROM remedy.transactions};

# What a session prints last.
sub last_of { my ($printed) = @_; return (split(/\n/, $printed))[-1]; }

is(scalar psql_as($node, 'client', "CREATE EXTENSION pg_remedy;\nSELECT 1 WHERE false;\nDO 'BEGIN END';\n$mine;"),
	'2|2',
	'the session that creates the extension counts from then on');
is($node->safe_psql('postgres', 'SELECT mode, slots, slots_used, enabled FROM remedy.status'), 'session|1|1|t',
	'mode session');
is(last_of(psql_as($node, 'client', "SELECT 1;\nSELECT 2;\n$mine;\nBEGIN;\nSELECT 3;\nSELECT 4;\nCOMMIT;\n$mine;")),
	'1|2',
	'the first call of a function loads the library, and counting begins');
is(scalar psql_as($node, 'client',
	<<'SQL', role => 'ordinary'), "\n2\n2", 'also inside a transaction and for ordinary roles');
BEGIN;
SELECT 1 WHERE false;
SELECT remedy.watch();
SELECT 1 WHERE false;
SELECT 1 WHERE false;
SELECT remedy.assert_statements(2);
SELECT remedy.transaction_statements();
COMMIT;
SQL
is(last_of(psql_as($node, 'client', <<"SQL")), '2|3', 'a function of another\'s making loads it as well');
CREATE TEMPORARY TABLE noted (n bigint);
DO \$\$ BEGIN INSERT INTO noted SELECT remedy.transaction_statements(); PERFORM 1; END \$\$;
SELECT 1;
BEGIN;
SELECT 2;
SELECT three FROM (VALUES (3)) AS v(three);
COMMIT;
$mine;
SQL
is(scalar psql_as($node, 'client', <<'SQL'), "\n3|t\n1|f", 'statements prepared before are counted, not grouped');
PREPARE before AS SELECT 1 WHERE false;
SELECT remedy.watch();
EXECUTE before;
EXECUTE before;
EXECUTE before;
PREPARE after AS SELECT 1 WHERE false;
EXECUTE after;
SELECT calls, query_id IS NULL FROM remedy.watched ORDER BY calls DESC;
SQL
is(scalar psql_as($node, 'client', "LOAD 'pg_remedy';\nSELECT 1 WHERE false;\n$mine;"), '1|1', 'LOAD');
{
	my (undef, $errors) = psql_as($node, 'client', "LOAD 'pg_remedy';", role => 'ordinary');
	like($errors, qr/ERROR:  access to library "pg_remedy" is not allowed/, 'LOAD is for superusers');
}
is(scalar psql_as($node, 'client', "LOAD 'pg_remedy';\nLOAD 'pg_remedy';\nSELECT 1 WHERE false;\n$mine;"), '1|1',
	'LOAD twice');
is(last_of(psql_as($node, 'client', "$mine;\n" . lazy_page(6) . $finding)), '6 client', 'repetition is found');
is(scalar psql_as($node, 'client',
	"DROP EXTENSION pg_remedy;\nCREATE EXTENSION pg_remedy;\nSELECT 1 WHERE false;\n$mine;"),
	'1|1', 'dropped and created again');
{
	local $ENV{PGOPTIONS} = '-c session_preload_libraries=pg_remedy';

	is(scalar psql_as($node, 'client',
		"SELECT 1 WHERE false;\nSELECT 1 WHERE false;\n$mine;\nSELECT mode FROM remedy.status;"),
		"2|2\nsession", 'session_preload_libraries');
	is(scalar psql_as($node, 'client',
		"SET pg_remedy.enabled = off;\nSELECT 1 WHERE false;\n$mine;\nRESET pg_remedy.enabled;\n"
			  . "SELECT 1 WHERE false;\n$mine;"), "0|0\n1|1", 'switched off and on');
	is(scalar psql_as($node, 'client', <<"SQL"), "1|1\n\n0|0\n1|1", 'reset() forgets, and counting goes on');
SELECT 1 WHERE false;
$mine;
SELECT remedy.reset();
$mine;
SELECT 1 WHERE false;
$mine;
SQL
}
$node->safe_psql('postgres', 'ALTER ROLE ordinary SET session_preload_libraries = pg_remedy');
is(scalar psql_as($node, 'client', "SELECT 1 WHERE false;\n$mine;", role => 'ordinary'), '1|1',
	'session_preload_libraries of a role');

{
	my @sessions = map { client($node, $_) } qw(one two);
	my $applications = q{SELECT string_agg(application_name || ' ' || statements, ', ') FROM remedy.transactions};

	$_->query_safe('SELECT remedy.watch()') for @sessions;
	$sessions[0]->query_safe(lazy_page(6));
	$sessions[1]->query_safe("SELECT 1;\nSELECT 2");
	is($sessions[0]->query_safe($applications), 'one 7', 'a session sees its own counts');
	is($sessions[1]->query_safe($applications), 'two 2', 'and no other\'s');
	is($sessions[0]->query_safe('SELECT count(*) FROM remedy.findings'), 1, 'its own findings');
	is($sessions[1]->query_safe('SELECT count(*) FROM remedy.findings'), 0, 'and no other\'s');
	$sessions[1]->query_safe('SELECT remedy.reset()');
	is($sessions[0]->query_safe($applications), 'one 7', 'nor does it forget them for another');
	$_->quit for @sessions;
}

$node->stop;

done_testing();

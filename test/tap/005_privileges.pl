# Who sees what, who may do what, and whether somebody else's functions and operators can get between.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('privileges');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE ROLE alice LOGIN;
CREATE ROLE bob LOGIN;
CREATE ROLE deputy LOGIN IN ROLE alice;
CREATE ROLE statistician LOGIN IN ROLE pg_read_all_stats;
CREATE ROLE monitor LOGIN IN ROLE pg_monitor;
SQL
library_shop($node);

# SQL as a role: what it prints, or the error.
sub as
{
	my ($role, $sql, %options) = @_;
	my ($printed, $errors) = psql_as($node, $role, $sql, role => $role, %options);

	return $errors =~ /ERROR:  (.*)/ ? $1 : $printed;
}

# ---- Texts ---------------------------------------------------------------------------------------------

my $texts = q{SELECT child_query, parent_query FROM remedy.n_plus_one WHERE user_name = 'alice';};
my $clear = 'SELECT id, title FROM book WHERE author_id = $1 ORDER BY id|SELECT id, name FROM author ORDER BY id';
my $masked = '<insufficient privilege>|<insufficient privilege>';

as('alice', lazy_page(6));
is(as('alice', $texts), $clear, 'texts are shown to whom they belong');
is(as('deputy', $texts), $clear, 'to members of that role');
is(as('bob', $texts), $masked, 'not to other roles');
is(as('statistician', $texts), $clear, 'to pg_read_all_stats');
is(as('monitor', $texts), $clear, 'to pg_monitor');
is(as('bob', 'SELECT repeats_max, child_table, parent_table FROM remedy.n_plus_one;'), '6|public.book|public.author',
	'the rest of a finding is shown to all');
unlike(as('bob', 'SELECT f FROM remedy.findings AS f;'), qr/SELECT/, 'findings hold no texts');
is(as('bob', q{SELECT statements FROM remedy.transactions WHERE user_name = 'alice';}), 7, 'nor do transactions');
is(as('monitor', $texts =~ s/'alice'/'bob'/r), '', 'nothing of one who did nothing');
{
	my $owner = client($node, 'owner', role => 'deputy');

	$owner->query_safe('SET ROLE alice');
	$owner->query_safe(lazy_page(7) =~ s/ORDER BY id/ORDER BY title/gr =~ s/author ORDER BY title/author ORDER BY id/r);
	is($owner->query_safe(q{SELECT DISTINCT user_name FROM remedy.n_plus_one WHERE application_name = 'owner'}),
		'alice',
		'work done after SET ROLE belongs to that role');
	$owner->query_safe("RESET ROLE;\nBEGIN;\nSELECT 'secret'");
	like($owner->query_safe('SELECT query FROM remedy.current_transaction'), qr/^SELECT \$1$/,
		'a session sees its own statements, without values');
	$owner->quit;
}

# ---- Functions and views -------------------------------------------------------------------------------

like(as($_, 'SELECT remedy.reset();'), qr/^permission denied for function reset/,
	"reset() is refused to $_") for qw(bob monitor);
like(as('bob', q{SELECT remedy.mute('x');}), qr/^permission denied for function mute/, 'mute() is refused');
like(as('bob', q{SELECT remedy.unmute('x');}), qr/^permission denied for function unmute/, 'unmute() is refused');
like(as('bob', q{INSERT INTO remedy.muted_findings (key) VALUES ('x');}),
	qr/^permission denied for table muted_findings/,
	'the table of muted findings is not to be written');
like(as('bob', 'CREATE TABLE remedy.mine ();'), qr/^permission denied for schema remedy/,
	'the schema is not to be filled');
like(as('bob', 'SET pg_remedy.enabled = off;'), qr/^permission denied to set parameter "pg_remedy.enabled"/,
	'nobody hides from the counting');
is(as('bob', 'SET pg_remedy.n_plus_one_threshold = 3; SHOW pg_remedy.n_plus_one_threshold;'), 3,
	'anybody sets how much is a repetition');
is(totals($node, 'alice')->{statements}, 7, 'nothing was forgotten');

$node->safe_psql('postgres', <<'SQL');
GRANT EXECUTE ON FUNCTION remedy.reset(name, name, bigint) TO monitor;
GRANT EXECUTE ON FUNCTION remedy.mute(text, text), remedy.unmute(text) TO bob;
SQL
like(as('bob', q{SELECT remedy.mute('x');}), qr/^permission denied for table muted_findings/,
	'mute() runs with its caller\'s rights');
$node->safe_psql('postgres', 'GRANT INSERT, UPDATE, DELETE ON remedy.muted_findings TO bob');
is(as('bob', q{SELECT remedy.mute('x'); SELECT key, muted_by FROM remedy.muted_findings;}), "\nx|bob",
	'mute() after a grant');
is(as('bob', q{SELECT remedy.unmute('x'); SELECT key, muted_by FROM remedy.muted_findings;}), '',
	'unmute() after a grant');
is(as('monitor', 'SELECT remedy.reset();'), '', 'reset() after a grant');
is(totals($node, 'alice')->{statements}, 0, 'forgets');

my @views = split(/\n/, $node->safe_psql('postgres',
	q{SELECT viewname FROM pg_views WHERE schemaname = 'remedy' ORDER BY 1}));
cmp_ok(scalar @views, '>=', 6, 'views');
for my $role (qw(monitor bob))
{
	for my $view (@views)
	{
		like(as($role, "SELECT count(*) >= 0 FROM remedy.$view;"), qr/^t$/, "$role reads $view");
	}
}
is($node->safe_psql('postgres', <<'SQL'), '', 'everything has a comment');
SELECT c.oid::regclass::text FROM pg_class AS c
WHERE c.relnamespace = 'remedy'::regnamespace AND c.relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT p.oid::regprocedure::text FROM pg_proc AS p
WHERE p.pronamespace = 'remedy'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT a.attrelid::regclass || '.' || a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = 'remedy'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0
	AND col_description(a.attrelid, a.attnum) IS NULL
SQL
is($node->safe_psql('postgres', <<'SQL'), '', 'nothing runs with its owner\'s rights');
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'remedy'::regnamespace AND prosecdef
SQL

# ---- A hostile schema ----------------------------------------------------------------------------------

# Functions and operators that fit better than the server's own, and give themselves away when they are called.
my @functions = (
	'format(text, text)', 'format(text, name)', 'format(text, text, text)', 'round(numeric, integer)', 'now()',
		'clock_timestamp()',
	'current_setting(text)', 'set_config(text, text, boolean)', 'concat(text, text)', 'quote_ident(text)',
		'quote_ident(name)',
	'lower(text)', 'length(text)', 'coalesce(text, text)', 'array_length(text[], integer)', 'read_status()',
		'read_n_plus_one()',
	'read_transactions()', 'collect_findings()', 'n_plus_one_findings()', 'pg_extension_config_dump(regclass, text)',
	'regtype(text)', 'regclass(text)');
my @pairs = (
	[qw(text text)], [qw(name name)], [qw(name text)], [qw(text name)], [qw(oid oid)], ['"char"', '"char"'],
		[qw(oid regclass)],
	[qw(oid regtype)], [qw(smallint integer)], [qw(bigint bigint)], [ 'double precision', 'double precision' ],
		[qw(boolean boolean)]);
my @operators = qw(= <> + - * / || < >);
my @hostile = ('CREATE SCHEMA hostile', 'CREATE TABLE hostile.heard (who text)',
	'GRANT ALL ON SCHEMA hostile TO PUBLIC',
	'GRANT ALL ON hostile.heard TO PUBLIC');
my $shout = "RAISE EXCEPTION 'hostile code was run'";

for my $function (@functions)
{
	my $quoted = $function =~ s/^coalesce/"coalesce"/r;

	push @hostile, "CREATE FUNCTION hostile.$quoted RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN $shout; END \$\$";
}
for my $pair (@pairs)
{
	my ($left, $right) = @$pair;

	for my $operator (@operators)
	{
		my $name = 'o' . join('_', map { ord } split(//, $operator));
		my $type = $operator =~ /[=<>]/ ? 'boolean' : $left;

		push @hostile,
			"CREATE FUNCTION hostile.$name($left, $right) RETURNS $type LANGUAGE plpgsql
				AS \$\$ BEGIN $shout; END \$\$",
		  "CREATE OPERATOR hostile.$operator (LEFTARG = $left, RIGHTARG = $right, FUNCTION = hostile.$name)";
	}
}
push @hostile,
	"CREATE TABLE hostile.$_ (nothing integer)"
	for qw(pg_proc pg_depend pg_extension pg_namespace pg_roles findings status muted_findings);
push @hostile, "CREATE DOMAIN hostile.$_ AS integer CHECK (false)" for qw(text bigint name float8 timestamptz);

# The same work in two databases, one of them with the hostile schema first in its search path.
my $work = <<'SQL' . lazy_page(6) . <<'SQL2';
SET pg_remedy.n_plus_one_action = 'warning';
SELECT remedy.watch();
SQL
SELECT remedy.assert_statements(7);
SELECT remedy.assert_no_n_plus_one();
SELECT query_id IS NULL, calls, rows, query FROM remedy.watched;
BEGIN;
SELECT id FROM public.author WHERE id OPERATOR(pg_catalog.=) 1;
SELECT calls, rows, query FROM remedy.current_transaction;
SELECT remedy.transaction_statements();
COMMIT;
SELECT mode, enabled, query_ids FROM remedy.status;
SELECT user_name, transactions, statements, statements_p50, statements_p95, statements_max, rows
	FROM remedy.transactions
	WHERE application_name OPERATOR(pg_catalog.=) 'work'
		AND database OPERATOR(pg_catalog.=) pg_catalog.current_database();
SELECT level, kind, direction, child_table, child_column, parent_table, parent_column, repeats_max, repeats_total,
	units, parent_rows, advice, parent_query, child_query
	FROM remedy.n_plus_one WHERE database OPERATOR(pg_catalog.=) pg_catalog.current_database();
SELECT kind, severity, object, title, advice, muted FROM remedy.findings
	WHERE evidence OPERATOR(pg_catalog.~~) pg_catalog.concat('%database ', pg_catalog.current_database(), ',%');
SELECT remedy.mute(key, 'test') FROM remedy.n_plus_one
	WHERE database OPERATOR(pg_catalog.=) pg_catalog.current_database();
SELECT kind, muted FROM remedy.findings WHERE muted;
SELECT reason, muted_by, muted_at IS NULL FROM remedy.muted_findings;
SELECT remedy.unmute(key) FROM remedy.n_plus_one WHERE database OPERATOR(pg_catalog.=) pg_catalog.current_database();
SELECT pg_catalog.count(*) FROM remedy.muted_findings;
SQL2
$work =~ s/= (\d+) ORDER/OPERATOR(pg_catalog.=) $1 ORDER/g;

my %printed;
for my $database (qw(peaceful besieged))
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	library_shop($node, $database);
	if ($database eq 'besieged')
	{
		$node->safe_psql($database, join(";\n", @hostile));
		$node->safe_psql($database, "ALTER DATABASE $database SET search_path = hostile, public, pg_catalog, pg_temp");
		my (undef, $errors) = psql_as($node, 'other', "SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text;",
			database => $database);
		like($errors, qr/hostile code was run/, 'the hostile schema is hostile');
	}
	$node->safe_psql($database, 'CREATE EXTENSION pg_remedy');
	$printed{$database} = join("\n", psql_as($node, 'work', $work, database => $database));
}
like($printed{peaceful}, qr/WARNING: .*ERROR:  statements were repeated for each row of another/s,
	'the work finds something');
is($printed{besieged}, $printed{peaceful}, 'a hostile schema changes nothing');
$node->stop;

# ---- Not preloaded -------------------------------------------------------------------------------------

$node = plain('suites');
library_shop($node);
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy; CREATE ROLE bob LOGIN');

is(as('bob', "SELECT remedy.watch();\nSELECT 1 WHERE false;\nSELECT remedy.assert_statements(1);"), "\n1",
	'assert_statements() for ordinary roles');
like(as('bob', "SELECT remedy.watch();\nSELECT 1;\nSELECT 2;\nSELECT remedy.assert_statements(1);"),
	qr/^2 statements were executed, at most 1 are allowed/, 'and when it fails');
is(as('bob', "SELECT remedy.watch();\nSELECT remedy.assert_no_n_plus_one();"), "\n",
	'assert_no_n_plus_one() for ordinary roles');
like(as('bob', "SELECT remedy.watch();\n" . lazy_page(6) . 'SELECT remedy.assert_no_n_plus_one();'),
	qr/^statements were repeated for each row of another/, 'and when it fails');
{
	my (undef, $errors) = psql_as($node, 'bob',
		"\\set VERBOSITY verbose\nSELECT remedy.watch();\nSELECT 1;\nSELECT 1;\nSELECT remedy.assert_statements(0);",
		role => 'bob');
	like($errors, qr/ERROR:  P0004: .*\nDETAIL:  Since remedy.watch\(\):\n2 x SELECT \$1$/m,
		'the error has a code and lists the statements');
}
like(as('bob', 'SELECT remedy.assert_statements(1);'), qr/^nothing is being watched/, 'nothing is asserted of nothing');
like(as('bob', 'SELECT remedy.reset();'), qr/^permission denied for function reset/, 'reset() is refused');
is(as('bob', "SELECT remedy.watch();\n" . lazy_page(6) . $texts =~ s/'alice'/'bob'/r) =~ s/.*\n//sr, $clear,
	'one\'s own texts are shown');
is(as('bob', "SELECT count(*) FROM remedy.$_;") =~ /^\d+$/, 1, "$_ is read") for @views;
$node->stop;

done_testing();

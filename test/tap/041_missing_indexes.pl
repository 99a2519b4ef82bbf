# The advice on indexes is the same whichever way the statements were sent, after restarts and crashes, and on a standby;
# it tells nobody of others' constants; and it neither fails nor waits for long whatever happens to the tables meanwhile.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Time::HiRes qw(time);

my $node = preloaded('missing', 'pg_remedy.save = off', 'fsync = off', 'jit = off',
	'max_parallel_workers_per_gather = 0', 'wal_level = replica', 'max_wal_senders = 4', 'hot_standby = on');

# Advised definitions, one a line.
sub advised
{
	my ($where, $database, $role, $on) = @_;

	return psql_as($on // $node, 'adviser', "SELECT definition FROM remedy.missing_indexes
		WHERE rank IS NOT NULL AND ($where) ORDER BY definition COLLATE \"C\"", database => $database // 'postgres',
		defined $role ? (role => $role) : ());
}

sub run { my ($sql, $database) = @_; return $node->safe_psql($database // 'postgres', $sql); }

# ---- Literals or parameters -----------------------------------------------------------------------------------

# Each statement as a client with literals sends it and its prepared form, with a sub that makes the values of call i.
my $q = sub { return "'$_[0]'"; };
my @shapes = (
	[ 'SELECT * FROM a1 WHERE buyer = $1', 'integer', sub { $_[0] * 7 } ],
	[ q{SELECT id, made FROM a2 WHERE state = 'open' AND buyer = $1}, 'integer', sub { $_[0] * 7 } ],
	[ 'SELECT id, made FROM a3 WHERE made >= $1 AND made < $2', 'timestamp, timestamp',
		sub { map { "'2026-02-" . ($_[0] + $_) . "'" } 1, 2 } ],
	[ 'SELECT * FROM a4 WHERE buyer IN ($1, $2, $3)', 'integer, integer, integer', sub { map { $_[0] * $_ } 5, 50, 500 } ],
	[ 'SELECT id FROM a5 WHERE email LIKE $1', 'text', sub { $q->("User$_[0]5%") } ],
	[ 'SELECT id FROM a6 WHERE lower(email) = $1', 'text', sub { $q->("user$_[0]77\@example.com") } ],
	[ 'SELECT * FROM a7 WHERE buyer = $1 ORDER BY made DESC LIMIT 10', 'integer', sub { $_[0] * 9 } ],
	[ 'SELECT a8.id, b8.note FROM a8 JOIN b8 ON b8.a_id = a8.id WHERE a8.id = $1', 'integer', sub { $_[0] * 99 } ],
	[ 'SELECT id FROM a9 WHERE (made, id) > ($1, $2) ORDER BY made, id LIMIT 20', 'timestamp, integer',
		sub { ("'2026-02-0$_[0]'", $_[0]) } ],
	[ 'UPDATE a10 SET note = note WHERE kind = $1 AND shop = $2', 'integer, integer', sub { ($_[0] * 3, $_[0]) } ],
	[ 'DELETE FROM a11 WHERE email = $1', 'text', sub { $q->("User$_[0]\@Example.com") } ],
	[ 'SELECT count(*) FROM a12 WHERE tags @> $1', 'text[]', sub { $q->("{t$_[0]}") } ],
	[ 'SELECT id FROM a13 WHERE buyer BETWEEN $1 AND $2', 'integer, integer', sub { ($_[0] * 9, $_[0] * 9 + 5) } ],
	[ q{SELECT id FROM a14 WHERE state = 'open' ORDER BY made LIMIT 10}, '', sub { () } ]);

sub literal
{
	my ($text, @values) = @_;

	$text =~ s/\$(\d+)/$values[$1 - 1]/g;
	return "$text;\n";
}

sub as_literals
{
	my ($times) = @_;

	return join('', map { my $i = $_; map { literal($_->[0], $_->[2]->($i)) } @shapes } 1 .. $times);
}

sub as_prepared
{
	my ($times) = @_;
	my $number = 0;
	my $sql = '';

	for my $shape (@shapes)
	{
		my ($text, $types, $values) = @$shape;
		++$number;
		$sql .= "PREPARE p$number" . ($types ? " ($types)" : '') . " AS $text;\n";
		for my $i (1 .. $times)
		{
			my @values = $values->($i);
			$sql .= "EXECUTE p$number" . (@values ? '(' . join(', ', @values) . ')' : '') . ";\n";
		}
	}
	return $sql;
}

my $tables = join('', map { "CREATE TABLE a$_ AS TABLE model; ALTER TABLE a$_ ADD PRIMARY KEY (id);\n" } 1 .. 14);
run("CREATE DATABASE $_") for qw(literals prepared);
run(<<"SQL", $_) for qw(literals prepared);
CREATE EXTENSION pg_remedy;
CREATE TABLE model AS
	SELECT i AS id, hashint4(i) % 3000 + 3000 AS buyer, i % 50 AS kind, i / 50 % 60 AS shop, CASE WHEN i % 100 = 0 THEN 'open' ELSE 'done' END AS state,
		timestamp '2026-01-01' + i * interval '10 minutes' AS made, 'User' || i || '\@Example.com' AS email,
		ARRAY['t' || i % 400, 't' || i % 37] AS tags, repeat('x', 100) AS note
	FROM generate_series(1, 12000) AS i;
$tables
CREATE TABLE b8 AS SELECT i AS id, i AS a_id, repeat('y', 100) AS note FROM generate_series(1, 20000) AS i;
VACUUM ANALYZE;
SQL
run(as_literals(6), 'literals');
run(as_prepared(6), 'prepared');
# What an index includes hangs on how long the statements happened to take, by its size.
sub keys_of
{
	my ($database) = @_;
	my $advice = advised('true', $database);

	$advice =~ s/ INCLUDE \([^)]*\)//g;
	return $advice;
}

my $advice = keys_of('literals');
note $advice;
cmp_ok(() = $advice =~ /\n/g, '>=', 13, 'each statement with literals is advised an index');
is(keys_of('prepared'), $advice, 'as with parameters');

# ---- Restarts, crashes ----------------------------------------------------------------------------------------

run('SELECT remedy.save()', 'literals');
$node->restart;
is(keys_of($_), $advice, "the same after a restart, $_") for qw(literals prepared);
run('SELECT sum(id) FROM a3 WHERE note = $$unsaved$$', 'literals') for 1 .. 9;
like(advised('true', 'literals'), qr/ON public\.a3 \(note\)/, 'what was added is advised');
$node->stop('immediate');
$node->start;
is(keys_of($_), $advice, "what was saved is known after a crash, $_") for qw(literals prepared);

# ---- Who may know ---------------------------------------------------------------------------------------------

run(<<'SQL');
CREATE ROLE monitor LOGIN IN ROLE pg_read_all_stats;
CREATE ROLE worker LOGIN;
CREATE ROLE stranger LOGIN;
SQL
run(<<'SQL', 'prepared');
CREATE TABLE secret AS SELECT i AS id, i % 1000 AS owner, CASE WHEN i % 100 = 0 THEN 'hush' ELSE 'said' END AS word, repeat('z', 100) AS note FROM generate_series(1, 20000) AS i;
ANALYZE secret;
GRANT SELECT ON a1 TO worker;
CREATE VIEW own AS SELECT id, note FROM secret WHERE owner = 7;
GRANT SELECT ON own TO worker;
SQL
psql_as($node, 'worker', "SELECT id FROM a1 WHERE kind = 3 AND email = 'User$_'", database => 'prepared', role => 'worker') for 1 .. 6;
run("SELECT id FROM secret WHERE word = 'hush' AND owner = $_", 'prepared') for 1 .. 6;
my $all = advised('true', 'prepared');
like($all, qr/ON public\.secret .*WHERE \(word = 'hush'/, 'the superuser is told all');
is(advised('true', 'prepared', 'monitor'), $all, 'so is who may read all statistics, without any right to the tables');
my $own = advised('true', 'prepared', 'worker');
like($own, qr/^CREATE INDEX ON public\.a1 [^\n]*email[^\n]*$/, 'others are told of their own statements');
unlike(psql_as($node, 'worker', 'SELECT * FROM remedy.missing_indexes', database => 'prepared', role => 'worker'), qr/hush|open/, 'and no constants of others');
run('SELECT count(*) FROM remedy.missing_indexes', 'prepared'); # which is remembered for remedy.index_outcomes
unlike(join("\n", map { psql_as($node, 'worker', "SELECT * FROM remedy.$_", database => 'prepared', role => 'worker') }
	qw(missing_indexes index_outcomes findings index_migration('sql'))), qr/hush|open/, 'in whatever view');
is(join('', psql_as($node, 'stranger', 'SELECT * FROM remedy.missing_indexes', database => 'prepared', role => 'stranger')), '',
	'or of nothing');

# ---- Nested statements ----------------------------------------------------------------------------------------

run('CREATE EXTENSION pg_remedy');
is(run('SHOW pg_remedy.track'), 'top', 'nested statements are not counted');
run(<<'SQL');
CREATE TABLE parent (id integer PRIMARY KEY);
CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent ON DELETE CASCADE, kind integer, note text);
INSERT INTO parent SELECT generate_series(1, 5000);
INSERT INTO child SELECT i, i % 5000 + 1, i % 2000, repeat('x', 50) FROM generate_series(1, 50000) AS i;
ANALYZE parent, child;
CREATE FUNCTION notes(wanted integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(note) FROM child WHERE kind = wanted);
END $$;
SQL
run("DELETE FROM parent WHERE id = $_") for 1 .. 9;
run("SELECT notes($_)") for 1 .. 9;
is(advised('true'), "CREATE INDEX ON public.child (kind)\nCREATE INDEX ON public.child (parent_id)",
	'but advised on, of foreign keys and functions');

# ---- A standby ------------------------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my $offset = -s $standby->logfile;
$standby->safe_psql('prepared', "SELECT * FROM a10 WHERE email = 'user$_'") for 1 .. 9;
$standby->safe_psql('postgres', "SELECT notes($_)") for 1 .. 9;
is(advised('true', 'prepared', undef, $standby), 'CREATE INDEX ON public.a10 (email)', 'a standby is advised on what it runs');
is(advised('true', 'postgres', undef, $standby), 'CREATE INDEX ON public.child (kind)', 'in functions, too');
like($standby->safe_psql('prepared', 'SELECT string_agg(kind, $$,$$) FROM remedy.findings'), qr/missing_index/, 'which are findings');
is(complaints($standby, $offset), '', 'and nothing fails');
$standby->stop;

# ---- Others' locks --------------------------------------------------------------------------------------------

my @columns = qw(a b c d e f g h);

# This many statements on a table, no two alike.
sub many
{
	my ($table, $count) = @_;
	my @many;

	for my $x (@columns)
	{
		for my $y (grep { $_ ne $x } @columns)
		{
			push @many, "SELECT * FROM $table WHERE $x = 5 AND $y = 7;", "SELECT id FROM $table WHERE $x = 5 ORDER BY $y LIMIT 10;",
				"SELECT count(*) FROM $table WHERE $x BETWEEN 5 AND 6 AND $y = 3;";
		}
	}
	return join("\n", @many[ 0 .. $count - 1 ]) . "\n";
}

sub wide
{
	my ($table) = @_;

	return "CREATE TABLE $table AS SELECT i AS id, hashint4(i) % 1000 AS a, i % 500 AS b, i % 100 AS c, i % 2000 AS d, i % 50 AS e,
		i % 10 AS f, i % 30 AS g, i AS h, repeat('x', 250) AS note FROM generate_series(1, 3000) AS i; ANALYZE $table;\n";
}

run(wide('held'));
run(many('held', 120));
my $holder = client($node, 'holder');
$holder->query_safe('BEGIN; LOCK held');
my $begun = time;
is(advised('true'), "CREATE INDEX ON public.child (kind)\nCREATE INDEX ON public.child (parent_id)",
	'advice on what is not locked');
cmp_ok(time - $begun, '<', 5, 'does not wait long for what is, however many statements name it');
$holder->query_safe('ROLLBACK');
like(advised('true'), qr/held/, 'which is advised on afterwards');

# ---- A cancel -------------------------------------------------------------------------------------------------

run('CREATE DATABASE many');
run('CREATE EXTENSION pg_remedy;' . join('', map { wide("t$_") } 1 .. 20), 'many');
run(join('', map { many("t$_", 100) } 1 .. 20), 'many');
cmp_ok(run('SELECT count(*) FROM remedy.statements WHERE database = current_database()', 'many'), '>=', 2000, 'many statements');
my $canceller = client($node, 'canceller', database => 'many');
my $left = q{SELECT (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation >= 16384 AND relation NOT IN
		(SELECT oid FROM pg_class WHERE relnamespace = 'remedy'::regnamespace)),
	(SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'pg_remedy %'), current_setting('lock_timeout'), current_user, current_setting('search_path')};
my $before = $canceller->query_safe($left);
for my $ms (1, 50, 300, 1000)
{
	$canceller->query_safe("BEGIN; SET LOCAL statement_timeout = $ms; SAVEPOINT s;");
	my ($printed, $failed) = $canceller->query('SELECT count(*) FROM remedy.missing_indexes');
	like($canceller->{stderr}, qr/canceling statement due to statement timeout/, "a cancel after $ms ms");
	$canceller->{stderr} = '';
	$canceller->query_safe('ROLLBACK TO s');
	is($canceller->query_safe($left), $before, 'leaves no lock, no memory and no setting');
	$canceller->query_safe('ROLLBACK');
}
$begun = time;
cmp_ok($canceller->query_safe('SELECT count(*) FROM remedy.missing_indexes WHERE rank IS NOT NULL'), '>=', 20, 'the next call gives advice');
note sprintf('2000 statements: %.1f s', time - $begun);
$canceller->quit;

# ---- Tables that change meanwhile -----------------------------------------------------------------------------

{
	my @sessions;
	my $log = -s $node->logfile;
	my $together = sub {
		my ($name, $sql) = @_;
		my %session = (name => $name, out => '', err => '');
		local $ENV{PGAPPNAME} = $name;
		$session{run} = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('storm'), '-f', '-' ], '<', \$sql, '>', \$session{out},
			'2>', \$session{err});
		push @sessions, \%session;
	};
	my $table = sub { my ($i) = @_; return "SELECT pg_sleep(0.01); DROP TABLE IF EXISTS s$i;\n" . wide("s$i"); };
	run('CREATE DATABASE storm');
	run('CREATE EXTENSION pg_remedy;' . join('', map { wide("s$_") } 1 .. 6), 'storm');
	run(join('', map { many("s$_", 15) } 1 .. 6), 'storm');
	my $changes = join('', map {
		my $i = $_ % 6 + 1;
		($table->($i), "ALTER TABLE s$i ALTER a TYPE text;\n", "ALTER TABLE s$i DROP COLUMN b, ADD COLUMN b integer;\n", "ALTER TABLE s$i RENAME c TO z;\n",
			"ALTER TABLE s$i RENAME TO other; ALTER TABLE other RENAME TO s$i;\n", "BEGIN; LOCK s1, s2, s3; LOCK s6, s5, s4; DROP TABLE s$i; ROLLBACK;\n",
			"BEGIN; LOCK s6; LOCK s1; ROLLBACK;\n")[ $_ / 6 % 7 ] } 0 .. 167);
	my $advise = "SELECT count(*) FROM remedy.missing_indexes;\n" x 5;
	$together->('adviser 1', $advise);
	$together->('adviser 2', $advise);
	$together->('changer', $changes);
	$together->('worker', join('', map { many("s$_", 15) } 1 .. 6) x 9);
	$_->{run}->finish for @sessions;
	is($sessions[$_]{err}, '', "no error for $sessions[$_]{name}") for 0, 1;
	is(() = $sessions[$_]{out} =~ /^\d+$/mg, 5, "and answers") for 0, 1;
	unlike($sessions[$_]{err}, qr/deadlock/, "no deadlock for $sessions[$_]{name}") for 2, 3;
	unlike(slurp_file($node->logfile, $log), qr/terminated by|PANIC|FATAL/, 'no crash');
}

# ---- Whatever relations there are -----------------------------------------------------------------------------

my $long = 'l' x 50;
my $few = q{AS SELECT i AS id, i % 3000 AS k, repeat('x', 100) AS note FROM generate_series(1, 12000) AS i;};
run('CREATE DATABASE kinds');
run(<<"SQL", 'kinds');
CREATE EXTENSION pg_remedy;
CREATE UNLOGGED TABLE unlogged $few
CREATE TABLE ancestor $few
CREATE TABLE heir () INHERITS (ancestor);
INSERT INTO heir SELECT * FROM ancestor;
CREATE MATERIALIZED VIEW stored $few
CREATE TABLE base $few
CREATE VIEW seen AS SELECT id, k AS renamed, note FROM base;
CREATE TABLE generated (id integer, k integer, twice integer GENERATED ALWAYS AS (k * 2) STORED, note text);
INSERT INTO generated (id, k, note) SELECT i, i % 3000, repeat('x', 100) FROM generate_series(1, 12000) AS i;
CREATE TABLE "it's ""odd""
table" ("a ""b""
c" integer, "D" text);
INSERT INTO "it's ""odd""
table" SELECT i % 3000, repeat('x', 100) FROM generate_series(1, 12000) AS i;
CREATE TABLE vacant (id integer, k integer);
CREATE SCHEMA "Far away";
CREATE TABLE "Far away".base $few
CREATE TABLE $long (${long}_one integer, ${long}_two integer, note text);
INSERT INTO $long SELECT i % 3000, i % 2900, repeat('x', 100) FROM generate_series(1, 12000) AS i;
CREATE TABLE same (a integer, b integer, a_b integer, note text);
INSERT INTO same SELECT i % 3000, i % 2900, i % 2800, repeat('x', 100) FROM generate_series(1, 12000) AS i;
ANALYZE;
CREATE TABLE unknown $few
SQL
my $foreign = run("SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'", 'kinds');
run(sprintf(<<'SQL', $node->host, $node->port), 'kinds') if $foreign;
CREATE EXTENSION postgres_fdw;
CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%s', dbname 'kinds');
CREATE USER MAPPING FOR CURRENT_USER SERVER here;
CREATE FOREIGN TABLE remote (id integer, k integer, note text) SERVER here OPTIONS (table_name 'base');
SQL
my $temporary = client($node, 'temporary', database => 'kinds');
$temporary->query_safe("CREATE TEMP TABLE passing $few ANALYZE passing;");
for my $i (1 .. 6)
{
	$temporary->query_safe("SELECT note FROM passing WHERE k = $i");
	run(<<"SQL", 'kinds');
SELECT note FROM unlogged WHERE k = $i;
SELECT note FROM ancestor WHERE k = $i;
SELECT note FROM stored WHERE k = $i;
SELECT note FROM seen WHERE renamed = $i;
SELECT note FROM generated WHERE twice = $i;
SELECT "D" FROM "it's ""odd""
table" WHERE "a ""b""
c" = $i;
SELECT id FROM vacant WHERE k = $i;
SELECT note FROM unknown WHERE k = $i;
SET search_path = "Far away";
SELECT note FROM base WHERE k = $i;
RESET search_path;
SELECT note FROM $long WHERE ${long}_one = $i;
SELECT note FROM $long WHERE ${long}_two = $i;
SELECT note FROM same WHERE a = $i AND b = $i;
SELECT note FROM same WHERE a_b = $i;
SELECT count(*) FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid WHERE a.attlen = $i AND c.relpages = 3;
SQL
	run("SELECT note FROM remote WHERE k = $i", 'kinds') if $foreign;
}
my $kinds = keys_of('kinds');
note $kinds;
is($kinds, join("\n", sort(
	'CREATE INDEX ON "Far away".base (k)', 'CREATE INDEX ON public.ancestor (k)', 'CREATE INDEX ON public.base (k)',
	'CREATE INDEX ON public.generated (twice)', 'CREATE INDEX ON public.heir (k)', qq{CREATE INDEX ON public."it's ""odd""\ntable" ("a ""b""\nc")},
	"CREATE INDEX ON public.$long (${long}_one)", "CREATE INDEX ON public.$long (${long}_two)",
	'CREATE INDEX ON public.same (a, b)', 'CREATE INDEX ON public.same (a_b)', 'CREATE INDEX ON public.stored (k)',
	'CREATE INDEX ON public.unknown (k)', 'CREATE INDEX ON public.unlogged (k)')),
	'each kind of table that can have an index');
is(run(q{SELECT count(*) = count(DISTINCT index_name), max(octet_length(index_name)) FROM remedy.missing_indexes WHERE rank IS NOT NULL}, 'kinds'),
	't|63', 'under different names, none too long');
is(run("SELECT * FROM remedy.missing_indexes WHERE table_name ~ 'pg_catalog|pg_toast|pg_temp|remote'", 'kinds'), '', 'and no word of others');
my @fixes = split(/;;/, run("SELECT string_agg(fix_sql, ';;') FROM remedy.missing_indexes WHERE rank IS NOT NULL", 'kinds'));
run($_, 'kinds') for @fixes;
is(run(q{SELECT count(*) FROM pg_index JOIN pg_class AS c ON c.oid = indrelid WHERE indisvalid AND indrelid >= 16384
	AND relnamespace::regnamespace::text !~ '^(pg_|remedy)'}, 'kinds'), @fixes, 'all can be built');
is(keys_of('kinds'), '', 'and are all that was missing');
$temporary->quit;

done_testing();

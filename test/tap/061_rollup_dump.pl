# Rollups in dumps: plain, custom in parallel, in sections with DDL between them, data alone, a part of it; taken with
# marks pending.  What is restored says the same, is captured from the first statement on, and has no more to do than the
# original had, but where data alone is loaded into tables that are captured already.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('dumps', "timezone = 'UTC'");
my $folder = PostgreSQL::Test::Utils::tempdir;

sub sql { my ($database, $sql) = @_; return $node->safe_psql($database, $sql); }

# One schema is before "remedy" in the order of a dump, the other after it.
my @rollups = ('early.daily', 'early.hourly', '"zo o"."we ekly"');

sub rows
{
	my ($database, $query) = @_;
	return sql($database, "SELECT string_agg(r::text, E'\\n' ORDER BY r::text COLLATE \"C\") FROM ($query) AS r");
}

sub now_view { my ($view) = @_; return $view =~ s/("?)$/_now$1/r; }
sub marks { my ($view) = @_; return $view =~ s/("?)$/_marks$1/r; }

# What the rollups say; what they should say now.
sub answers
{
	my ($database, $now) = @_;
	my @views = map { $now ? now_view($_) : $_ } @rollups;

	push @views, $now ? 'early.monthly_now' : 'early.monthly';
	return join("\n--\n", map { rows($database, "TABLE $_") } @views);
}

sub truth
{
	my ($database) = @_;

	return join("\n--\n",
		rows($database, 'SELECT date_trunc(\'day\', at), kind, count(*), sum(value), max(value) FROM early.events GROUP BY 1, 2'),
		rows($database, 'SELECT date_trunc(\'hour\', at), sum(weight) FROM early.events GROUP BY 1'),
		rows($database, 'SELECT date_trunc(\'week\', "a t"), "ki nd", count(*) FROM "zo o"."lo gs" GROUP BY 1, 2'),
		rows($database, 'SELECT date_trunc(\'month\', at), sum(value) FROM early.events GROUP BY 1'));
}

sub pending
{
	my ($database) = @_;
	return join(' ', map { sql($database, 'SELECT count(*) FROM ' . marks($_)) } @rollups);
}

sub members
{
	my ($database) = @_;
	return sql($database, 'SELECT string_agg(format(\'%s %s %s %s %s %s\', m.member, m.source, m.first_time, m.end_time, m.armed,
		(SELECT count(*) FROM pg_trigger WHERE tgrelid = m.member AND tgname LIKE \'remedy_rollup%\')), E\'\n\' ORDER BY m.member::text)
		FROM remedy.rollup_member AS m');
}

# Statements of every kind, at the source and at a partition.
sub write_some
{
	my ($database) = @_;

	sql($database, <<'SQL');
INSERT INTO early.events VALUES ('2026-03-03 12:00', 'new', 5, 0.5), (NULL, NULL, 1, 1);
UPDATE early.events SET value = value + 1, weight = weight * 2 WHERE at::date = '2026-01-07';
INSERT INTO "zo o"."lo gs 1" VALUES ('2026-01-08', 'x');
DELETE FROM "zo o"."lo gs" WHERE "a t"::date = '2026-02-11';
INSERT INTO "zo o"."lo gs 2b" VALUES ('2026-02-20', 'b');
SQL
	return;
}

sub works
{
	my ($database, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	write_some($database);
	is(answers($database, 1), truth($database), "$name: what is written is captured");
	sql($database, "CALL remedy.refresh_rollup('$_')") foreach @rollups;
	is(answers($database), truth($database), "$name: and refreshed");
	is(pending($database), '0 0 0', "$name: wholly");
	return if sql($database, "SELECT count(*) FROM pg_proc WHERE proname = 'verify_rollup'") == 0;
	is(sql($database, join(' UNION ALL ', map { "SELECT count(*) FROM remedy.verify_rollup('$_')" } @rollups)),
		"0\n0\n0", "$name: verification finds nothing");
	return;
}

sub restored
{
	my ($database, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(answers($database), answers('shop'), "$name: the rollups say the same");
	is(answers($database, 1), truth($database), "$name: and are right now");
	is(pending($database), pending('shop'), "$name: no more is to be done than before");
	is(members($database), members('shop'), "$name: all tables are armed");
	works($database, $name);
	return;
}

sub run_ok
{
	my ($name, @command) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	return ok(run_log(\@command), $name);
}

sub load
{
	my ($name, $database, $file) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return run_ok($name, 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $database, '-f', $file);
}

sub database { my ($name) = @_; sql('postgres', "CREATE DATABASE $name"); return $name; }

# ---- The original ----------------------------------------------------------------------------------------

sql('postgres', 'CREATE ROLE shopkeeper');
database('shop');
sql('shop', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE SCHEMA early AUTHORIZATION shopkeeper;
CREATE SCHEMA "zo o" AUTHORIZATION shopkeeper;
SET ROLE shopkeeper;
CREATE TABLE early.events (at timestamptz, kind text, value integer, weight float8);
CREATE TABLE "zo o"."lo gs" ("a t" timestamptz, "ki nd" text) PARTITION BY RANGE ("a t");
CREATE TABLE "zo o"."lo gs 1" PARTITION OF "zo o"."lo gs" FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE "zo o"."lo gs 2" PARTITION OF "zo o"."lo gs" FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST ("ki nd");
CREATE TABLE "zo o"."lo gs 2b" PARTITION OF "zo o"."lo gs 2" FOR VALUES IN ('b');
CREATE TABLE "zo o"."lo gs 2x" PARTITION OF "zo o"."lo gs 2" DEFAULT;
INSERT INTO early.events SELECT '2026-01-01'::timestamptz + i * interval '3 hours', chr(97 + i % 3), i, i FROM generate_series(1, 400) AS i;
INSERT INTO "zo o"."lo gs" SELECT '2026-01-01'::timestamptz + i * interval '3 hours', chr(97 + i % 3) FROM generate_series(1, 400) AS i;
SELECT remedy.create_rollup('early.daily', 'early.events', 'at', 'day', '{kind}', '{count(*),sum(value),max(value)}', 'UTC');
SELECT remedy.create_rollup('early.hourly', 'early.events', 'at', 'hour', '{}', '{sum(weight)}', 'UTC');
SELECT remedy.create_rollup('early.monthly', 'early.daily', 'bucket', 'month', '{}', '{sum(value)}');
SELECT remedy.create_rollup('"zo o"."we ekly"', '"zo o"."lo gs"', 'a t', 'week', '{"\"ki nd\""}', '{count(*)}', 'UTC');
CALL remedy.refresh_rollup('early.daily');
CALL remedy.refresh_rollup('early.hourly');
CALL remedy.refresh_rollup('"zo o"."we ekly"');
SQL
write_some('shop');
sql('shop', 'DROP TABLE "zo o"."lo gs 2x"');
is(answers('shop', 1), truth('shop'), 'the original is right');
unlike(pending('shop'), qr/\b0\b/, 'and has marks pending');

# ---- Whole dumps -----------------------------------------------------------------------------------------

database('plain_copy');
run_ok('a plain dump', 'pg_dump', '-d', 'shop', '-f', "$folder/plain.sql");
load('is loaded', 'plain_copy', "$folder/plain.sql");
restored('plain_copy', 'plain');

database('parallel_copy');
run_ok('a custom dump', 'pg_dump', '-d', 'shop', '-Fc', '-f', "$folder/custom");
run_ok('is restored in parallel', 'pg_restore', '-j', '2', '--exit-on-error', '-d', 'parallel_copy', "$folder/custom");
restored('parallel_copy', 'parallel');

# ---- In sections -----------------------------------------------------------------------------------------

database('sections');
foreach my $section ('pre-data', 'data', 'post-data')
{
	run_ok("$section is restored", 'pg_restore', '--section', $section, '--exit-on-error', '-d', 'sections', "$folder/custom");
	if ($section eq 'pre-data')
	{
		sql('sections', 'CREATE TABLE early.more (a integer); ALTER TABLE early.more ADD b integer; DROP TABLE early.more');
	}
	elsif ($section eq 'data')
	{
		my (undef, $error) = psql_as($node, 'refresh', "CALL remedy.refresh_rollup('early.daily');", database => 'sections');
		like($error, qr/cannot be refreshed.*trigger remedy_rollup_delete of early.events is missing/s,
			'a rollup whose triggers are not there yet is not refreshed');
		sql('sections', 'CREATE TABLE "zo o"."lo gs 3" PARTITION OF "zo o"."lo gs" FOR VALUES FROM (\'2026-03-01\') TO (\'2026-04-01\');
			CREATE TABLE early.more (a integer); ALTER TABLE early.events ADD CHECK (value <> -1), ALTER value SET STATISTICS 10');
	}
}
is(answers('sections', 1), truth('sections'), 'sections: right');
is(pending('sections'), pending('shop'), 'sections: no more is to be done than before');
sql('sections', q{INSERT INTO "zo o"."lo gs 3" VALUES ('2026-03-03', 'c')});
works('sections', 'sections');

# ---- Data alone ------------------------------------------------------------------------------------------

run_ok('a dump of the schema', 'pg_dump', '-d', 'shop', '-s', '-f', "$folder/schema.sql");
foreach my $options ([], ['--disable-triggers'])
{
	my $name = "data alone @$options";
	my $database = database('data' . @$options);

	load('the schema is loaded', $database, "$folder/schema.sql");
	run_ok("a dump of $name", 'pg_dump', '-d', 'shop', '-a', @$options, '-f', "$folder/data.sql");
	load("$name is loaded", $database, "$folder/data.sql");
	is(answers($database, 1), truth($database), "$name: right");
	is(members($database), members('shop'), "$name: all tables are armed");
	works($database, $name);
}

# ---- A part ----------------------------------------------------------------------------------------------

# Names of relations that are missing fail in the COPY of remedy.rollup: there are no rollups then, only relations.
database('part');
run_ok('a dump of a part', 'pg_dump', '-d', 'shop', '-N', '*o o', '-f', "$folder/part.sql");
{
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	my ($out, $errors) = run_command([ 'psql', '-qX', '-d', 'part', '-f', "$folder/part.sql" ]);
	like($errors, qr/ERROR: +(schema|relation) "zo o.* does not exist\nCONTEXT: +COPY rollup/, 'a rollup without its relations is an error');
}
is(sql('part', 'SELECT count(*) FROM remedy.rollup'), 0, 'after which there is no rollup');
sql('part', q{INSERT INTO early.events VALUES ('2026-03-03 12:00', 'new', 5, 0.5); UPDATE early.events SET value = 1; TRUNCATE early.events});
sql('part', 'DROP VIEW early.daily, early.daily_now, early.hourly_now, early.monthly, early.monthly_now, early.daily_rows;
	DROP TABLE early.daily_cells, early.daily_marks');
sql('part', q{INSERT INTO early.events VALUES ('2026-03-03 12:00', 'new', 5, 0.5);
	SELECT remedy.create_rollup('early.daily', 'early.events', 'at', 'day', '{kind}', '{count(*),sum(value),max(value)}', 'UTC');
	CALL remedy.refresh_rollup('early.daily')});
is(sql('part', 'SELECT kind, count, sum_value FROM early.daily'), 'new|1|5', 'and it can be made anew');

$node->stop;
done_testing();

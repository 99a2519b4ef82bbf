# Statements, their texts and transaction groups outlive the server: every column of them, and not one constant in the
# file.  What was forgotten stays forgotten, and what makes no sense is not taken back.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('kept', 'pg_remedy.save = off', 'pg_remedy.track = all', 'pg_remedy.max_statements = 200',
	'restart_after_crash = on');
my $file = $node->data_dir . '/pg_stat/pg_remedy.stat';
my $statements = 'SELECT * FROM remedy.statements WHERE query NOT LIKE \'%still_open\' OR query IS NULL ORDER BY query_id, database, user_name, toplevel';
my $transactions = 'SELECT * FROM remedy.transactions ORDER BY database, user_name, application_name, route';

sub ask { return $node->safe_psql('postgres', $_[0]); }
sub status { return ask("SELECT $_[0] FROM remedy.status"); }
sub everything { return join("\n\n", ask($statements), ask($transactions), status('reset_at')); }

# Whether everything is as it was; line by line, for the sake of who reads the failure.
sub is_as_before
{
	my ($before, $name) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is_deeply([ split(/\n/, everything()) ], [ split(/\n/, $before) ], $name);
}

sub calls { return ask("SELECT coalesce(sum(calls), 0) FROM remedy.statements WHERE $_[0]"); }
sub save { ask('SELECT remedy.save()'); return; }

# What the server says of its statistics when it stops and starts.
sub restarted
{
	my ($how, $change) = @_;
	my $offset = -s $node->logfile;

	$node->stop($how // 'fast');
	$change->() if $change;
	$node->start;
	return join("\n", grep { /LOG:  pg_remedy/ } split(/\n/, slurp_file($node->logfile, $offset)));
}

sub killed
{
	my $session = client($node, 'victim');
	my $offset = -s $node->logfile;

	kill('KILL', pid_of($node, 'victim')) == 1 or BAIL_OUT('cannot kill');
	$node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
	wait_until($node, 'mode IS NOT NULL FROM remedy.status', 'the server to recover');
	eval { $session->quit };
	return;
}

sub write_file
{
	my ($bytes) = @_;

	open(my $handle, '>:raw', $file) or BAIL_OUT("cannot write $file: $!");
	print $handle $bytes;
	close($handle) or BAIL_OUT("cannot write $file: $!");
	return;
}

# ---- Every kind of text that holds a constant -------------------------------------------------------------

# Whoever finds 4711 in the file has found a constant, a password or a comment.
my $long = 'SELECT ' . join(', ', map { "'number 4711 $_'" } 1 .. 400) . ' AS long';
my $work = <<"SQL";
CREATE TABLE item (id integer, name text);
INSERT INTO item SELECT i, 'name 4711' FROM generate_series(1, 20) AS i;
CREATE ROLE secretive PASSWORD 'secret 4711';
ALTER ROLE secretive PASSWORD E'secret\\n4711';
COMMENT ON TABLE item IS 'remark 4711';
SELECT 4711, 'one 4711', E'two\\'4711', \$tag\$three 4711\$tag\$, B'1' AS marker /* four 4711 */ -- five 4711
;
DO \$\$ BEGIN PERFORM count(*) FROM item WHERE name = 'inside 4711'; END \$\$;
SELECT 4711 / 0 AS failing;
PREPARE q AS SELECT id AS prepared FROM item WHERE name = 'prepared 4711' AND id = \$1;
EXECUTE q(4711);
$long;
/* 4711 ${\ ('x' x 5000)} */ SELECT 1 AS hidden;
SELECT 'glued 4711'AS glued, 1, 2, 3, 4, 5, 6;
SET standard_conforming_strings = off;
SELECT 'old\\' 4711', ' 4711 \\' ' AS old_strings;
SELECT id FROM item /*route='%2Fitems',traceparent='00-1-1-01'*/;
SQL

$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
$node->safe_psql('postgres', "CREATE DATABASE latin1 ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('postgres', 'SELECT remedy.reset()');
psql_as($node, 'writer', $work);
psql_as($node, 'writer', "SELECT pg_sleep($_);") for 0, 0.001, 0.005, 0.02;
psql_as($node, 'writer', qq{SET client_encoding = 'latin1';\nSELECT 'caf\xe9 4711' AS "caf\xe9";\n}, database => 'latin1');

# This one has brought no counts yet when they are saved.
my $open = client($node, 'open');
$open->query_safe("SELECT 'open 4711', 1, 2 AS still_open;") for 1 .. 3;

sub holds_no_constant
{
	my ($when) = @_;
	my $bytes = slurp_file($file);

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	unlike($bytes, qr/4711/, "no constant is in the file $when");
	unlike($bytes, qr/secret[ \\\n]/, "and no password $when");
	like($bytes, qr/SELECT \$1, \$2, \$3, \$4, \$5 AS marker/, "but the statements are $when");
	like($bytes, qr/"caf\xe9"/, "in their own encoding $when");
	return;
}

# ---- They come back --------------------------------------------------------------------------------------

save();
my $before = everything();
like($before, qr/\bSELECT \$1, \$2, \$3, \$4, \$5 AS marker/, 'there is something to keep');
like($before, qr{/items}, 'with its route');
holds_no_constant('that a session wrote');
# From 18 on the server knows where a statement begins behind its comment.
my $untold = $node->pg_version < 18 ? 1 : 0;
is(status('texts_unsaved'), $untold, 'of one text nothing can be told');
is(ask("SELECT count(*) FROM remedy.statements WHERE query = '...'"), $untold, 'which is that of the long comment');
$before =~ s/\|\Q...\E$/|/m;

restarted('immediate');
is_as_before($before, 'after an immediate stop each column is there again');
is(status('records_loaded > 20, records_refused, saved_at IS NOT NULL'), 't|0|t', 'and status tells of it');
is(calls(q{query LIKE '%still_open'}), 3, 'so is what a session held');
eval { $open->quit };

psql_as($node, 'writer', q{SELECT 12, 'one', 'two', 'three', B'0' AS marker;});
is(calls(q{query = 'SELECT $1, $2, $3, $4, $5 AS marker'}), 2, 'what was saved is counted on, under its text');
killed();
is_as_before($before, 'a crash gives what was saved last');
save();
restarted('immediate');
is_as_before($before, 'and it may be saved and loaded as often as one likes');

# ---- The worker, which is in no database, does it -----------------------------------------------------------

psql_as($node, 'writer', $work);
psql_as($node, 'writer', qq{SET client_encoding = 'latin1';\nSELECT 'caf\xe9 4711' AS "caf\xe9";\n}, database => 'latin1');
$before = everything();
$before =~ s/\|\Q...\E$/|/m;
unlink($file) or BAIL_OUT("cannot remove $file: $!");
$node->append_conf('postgresql.conf', 'pg_remedy.save = on');
$node->reload;
is(restarted(), '', 'a shutdown saves');
is_as_before($before, 'all there is');
holds_no_constant('that the worker wrote');

# ---- A reset stays a reset ---------------------------------------------------------------------------------

sub saved_since
{
	my ($saved_at) = @_;

	wait_until($node, "saved_at > '$saved_at' FROM remedy.status", 'the worker to save');
	return;
}

my $saved_at = status('saved_at');
ask(q{SELECT remedy.reset(query_id => (SELECT query_id FROM remedy.statements WHERE query LIKE '%AS marker'))});
saved_since($saved_at);
killed();
is(calls(q{query LIKE '%AS marker'}), 0, 'after a crash a statement that was reset is not there');
isnt(calls(q{query LIKE '%AS prepared%'}), 0, 'the others are');
$saved_at = status('saved_at');
ask('SELECT remedy.reset()');
my $reset_at = status('reset_at');
saved_since($saved_at);
killed();
is(calls('true'), 0, 'nor is anything after a reset of everything');
is(status('reset_at'), $reset_at, 'whose time is remembered');
{
	my $folder = $node->data_dir . '/pg_stat';
	my $offset = -s $node->logfile;

	psql_as($node, 'writer', 'SELECT 1 AS marker;');
	rename($folder, "$folder.away") or BAIL_OUT($!);
	my (undef, $errors) = psql_as($node, 'client', 'SELECT remedy.reset();');
	$node->wait_for_log(qr/LOG:  .*pg_remedy could not save its statistics/, $offset);
	rename("$folder.away", $folder) or BAIL_OUT($!);
	is($errors, '', 'a reset that cannot be saved');
	is(calls('true'), 0, 'is one nonetheless');
}
$node->append_conf('postgresql.conf', 'pg_remedy.save = off');
$node->reload;

# ---- What is too much ---------------------------------------------------------------------------------------

my $many = join('', map { sprintf("SELECT 0%09b;\n", $_) =~ s/(?<=\d)0/ + 1/gr =~ s/(?<=\d)1/ - 1/gr } 1 .. 400);
psql_as($node, 'many', $many);
is(calls('database IS NULL') > 0, 1, 'some statements were evicted');
is(calls('true'), 400, 'the totals are right');
save();
$before = everything();
my $evicted = status('statements_evicted');
restarted('immediate');
is_as_before($before, 'the row of what was evicted comes back');
is(status('statements_evicted'), $evicted, 'and how much it is');
$node->append_conf('postgresql.conf', 'pg_remedy.max_statements = 100');
restarted('immediate');
is(calls('true'), 400, 'in a smaller table the totals are right');
is(status("statements_used, statements_evicted > $evicted"), '104|t', 'with more of it in that row');

# ---- What is no statistics file -----------------------------------------------------------------------------

my $good = slurp_file($file);
my $newer = $good;
substr($newer, 8, 4) = pack('L', 1000);

for my $bad ([ 'garbage', 'no statistics ' x 1000 ], [ 'a truncated file', substr($good, 0, length($good) - 5) ],
	[ 'a file of a newer version', $newer ])
{
	my ($what, $bytes) = @$bad;

	like(restarted('immediate', sub { write_file($bytes) }), qr/^[^\n]*pg_remedy starts with empty statistics[^\n]*\z/,
		"$what: one line in the log");
	is(calls('true') . '|' . ask('SELECT count(*) FROM remedy.transactions'), '0|0', "$what: an empty start");
}

# ---- Records that make no sense, in a file that is whole ------------------------------------------------------

my @table = map { my $c = $_; $c = $c & 1 ? ($c >> 1) ^ 0x82F63B78 : $c >> 1 for 1 .. 8; $c } 0 .. 255;

sub checksum
{
	my $sum = 0xFFFFFFFF;

	$sum = $table[ ($sum ^ $_) & 0xFF ] ^ ($sum >> 8) for unpack('C*', $_[0]);
	return $sum ^ 0xFFFFFFFF;
}

# The file with change() made to each record of the section, and how many records these are by kind.
sub with_records
{
	my ($bytes, $change) = @_;
	my $place = index($bytes, "statistics\0");
	my $records = unpack('L', substr($bytes, $place + 36, 4));
	my %kinds;

	$place += 40;
	for (1 .. $records)
	{
		my $length = unpack('L', substr($bytes, $place, 4));
		my $record = substr($bytes, $place + 4, $length);
		my $kind = unpack('L', $record);
		$change->($kind, \$record, $kinds{$kind}++);
		substr($bytes, $place + 4, $length) = $record;
		$place += 4 + $length;
	}
	return (substr($bytes, 0, -4) . pack('L', checksum(substr($bytes, 0, -4))), \%kinds);
}

my ($same, $kinds) = with_records($good, sub { });
ok($same eq $good, 'the checksum of this test is that of the server');
is_deeply([ sort keys %$kinds ], [ 1 .. 4 ], 'all kinds of records are in the file');

# Each a list of: bytes to put, where, counted from the end if negative.
my %nonsense = (
	1 => [ [ pack('q', 0), 8 ], [ pack('q', -1), 8 ] ],
	2 => [ [ "\xff", 4 ], [ "\x11", 5 ], [ pack('Q', 0), 8 ], [ "\0", -1 ] ],
	3 => [
		[ pack('LL', 512, 1), -8 ], [ pack('LL', 0xFFFFFFFF, 1), -8 ], [ pack('L', 0), -4 ], [ pack('L', 2), 24 ],
		[ pack('q', -1), 32 ], [ pack('q', 9223371331200000000), 88 ] ],
	4 => [ [ 'x' x 64, 24 ], [ 'x' x 64, 88 ], [ pack('LL', 448, 1), -8 ], [ pack('q', -1), 160 ] ],
);

for my $round (0 .. 5)
{
	my ($bad, $count) = with_records($good, sub {
		my ($kind, $record, $number) = @_;
		my $choices = $nonsense{$kind};
		my ($bytes, $at) = @{ $choices->[ ($number + $round) % @$choices ] };
		substr($$record, $at, length($bytes)) = $bytes;
	});
	my $records = 0;

	$records += $_ for values %$count;
	is(restarted('immediate', sub { write_file($bad) }), '', "nonsense $round: the file is whole");
	is(status('records_loaded || \' \' || records_refused'), "1 $records", "nonsense $round: none is taken back, but what scans keep");
	is(calls('true'), 0, "nonsense $round: nothing is there");
}
my ($foreign) = with_records($good, sub { substr(${ $_[1] }, 0, 4) = pack('L', 99) });
restarted('immediate', sub { write_file($foreign) });
is(status('records_loaded'), 1, 'nor are records of an unknown kind');
restarted('immediate', sub { write_file($good) });
is(calls('true'), 400, 'the good file is');
$node->stop;

done_testing();

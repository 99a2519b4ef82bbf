# A session's memory beside a rollup stays what it is: however many statements it runs, in one transaction or many, with
# savepoints or without; and one statement that changes many cells takes no more than work_mem for them.
# MEMORY_STATEMENTS=1000000 does it at length.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $statements = $ENV{MEMORY_STATEMENTS} // 10_000;
my $warm_up = 4_000;
my $at_once = 500;
# The server itself keeps the numbers of subtransactions, and some bytes for each UPDATE that has fired a trigger; a
# transaction remembers marks in up to 4 MB.
my $bound = 128 * 1024 + 16 * $statements;
my $marks_bound = 5 * 1024 * 1024 + 64 * $statements;
my $resident_bound = 2 * 1024 * 1024 + 16 * $statements;

my $node = preloaded('rollup_memory', "timezone = 'UTC'", 'shared_buffers = 4MB');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE sample (id serial, used bigint);
CREATE TABLE events (id bigint, at timestamptz, kind integer, value integer, weight float8);
CREATE INDEX ON events (id);
INSERT INTO events SELECT i, '2026-01-01'::timestamptz + i * interval '1 minute', i % 100, i, i FROM generate_series(1, 20000) AS i;
SELECT remedy.create_rollup('sums', 'events', 'at', 'day', '{kind}', '{count(*),sum(value),max(value),"percentile(value, 0.9)"}', 'UTC');
SELECT remedy.create_rollup('weights', 'events', 'at', 'day', '{kind}', '{count(*),sum(weight)}', 'UTC');
CALL remedy.refresh_rollup('sums');
CALL remedy.refresh_rollup('weights');
SQL

# Bytes in the session's memory contexts, also those that are kept empty; and what it has of the operating system.
sub memory
{
	my ($wire, $process) = @_;

	$wire->query('INSERT INTO sample (used) SELECT sum(total_bytes) FROM pg_backend_memory_contexts')->answers;
	my $status = slurp_file("/proc/$process/status");
	my ($resident) = $status =~ /^RssAnon:\s+(\d+) kB/m;
	return 1024 * $resident;
}

sub insert { my ($number, $cells) = @_; my $kind = $number % $cells; return "INSERT INTO events VALUES ($number, '2026-01-01'::timestamptz + $kind * interval '1 hour', $kind, $number, 1)"; }

my @work = (
	[ 'one by one', sub { return 'BEGIN; ' . insert($_[0], 20) . '; COMMIT'; }, 0, $bound ],
	[ 'in one transaction', sub { return insert($_[0], 20); }, 1, $bound ],
	[ 'released savepoints', sub { return 'SAVEPOINT a; ' . insert($_[0], 20) . '; RELEASE a'; }, 1, $bound ],
	[ 'savepoints that are rolled back', sub { return 'SAVEPOINT a; ' . insert($_[0], 20) . '; ROLLBACK TO a; RELEASE a'; }, 1, $bound ],
	[ 'updates', sub { return 'UPDATE events SET value = value + 1, weight = weight + 1 WHERE id = ' . (1 + $_[0] % 20000); }, 1, $marks_bound ],
	[ 'cells', sub { return insert($_[0], 1_000_000); }, 1, $marks_bound ],
);
foreach my $work (@work)
{
	my ($name, $statement, $one, $most) = @$work;
	my $wire = Wire->connect($node, $name);
	my $process = pid_of($node, $name);
	my ($failed, $before, $after, $number) = (0, 0, 0, 0);
	my $run = sub {
		for (my $until = $number + $_[0]; $number < $until; $number += $at_once)
		{
			$failed += $wire->query(join('; ', map { $statement->($_) } $number .. $number + $at_once - 1))->answers =~ /E/;
		}
	};

	$wire->query('BEGIN')->answers if $one;
	$run->($warm_up);
	memory($wire, $process);
	my $resident_before = memory($wire, $process);
	$run->($statements);
	my $resident = memory($wire, $process);
	$wire->query('COMMIT')->answers if $one;
	my ($grown) = $node->safe_psql('postgres', 'SELECT max(used) FILTER (WHERE place = 1) - max(used) FILTER (WHERE place = 2)
		FROM (SELECT used, row_number() OVER (ORDER BY id DESC) AS place FROM sample) AS s');
	note("$name: $grown bytes more in contexts, resident " . ($resident - $resident_before));
	is($failed, 0, "$name: no statement fails");
	cmp_ok($grown, '<=', $most, "$name: memory contexts do not grow");
	cmp_ok($resident - $resident_before, '<=', $most + $resident_bound, "$name: the process does not grow");
	$wire->disconnect;
}

# ---- One statement ---------------------------------------------------------------------------------------

# The most that a process has ever had, with work_mem of 4 MB; the file of the new rows has its share of it, too.
sub peak
{
	my ($name, $rows, $table) = @_;
	my $wire = Wire->connect($node, $name);
	my $process = pid_of($node, $name);

	$wire->query("SET work_mem = '4MB'")->answers;
	unlike($wire->query("INSERT INTO $table SELECT i, '2026-01-01'::timestamptz + i % 500 * interval '1 day', i / 500, i, i FROM generate_series(1, $rows) AS i")->answers,
		qr/E/, "$name: $rows rows");
	my ($peak) = slurp_file("/proc/$process/status") =~ /^VmHWM:\s+(\d+) kB/m;
	$wire->disconnect;
	return 1024 * $peak;
}

$node->safe_psql('postgres', 'CREATE TABLE plain (LIKE events INCLUDING ALL)');
$node->safe_psql('postgres', 'TRUNCATE events');
my $plain = peak('plain', 20 * $statements, 'plain');
my $rolled_up = peak('rolled up', 20 * $statements, 'events');
note("peak $plain without a rollup, $rolled_up with two");
cmp_ok($rolled_up - $plain, '<=', 24 * 1024 * 1024, 'many cells take no more than work_mem allows');

$node->stop;
done_testing();

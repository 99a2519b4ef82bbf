# A session's memory stays what it is, however many statements it runs, through each protocol, and however many
# different ones.  MEMORY_STATEMENTS=1000000 does it at length.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $statements = $ENV{MEMORY_STATEMENTS} // 30_000;
my $warm_up = 5_000;
my $at_once = 100;    # statements in a pipeline
my $bound = 4 * 1024;
my $resident_bound = 128 * 1024;    # a page may be touched late, and malloc() has its ways

my $node = preloaded('memory');

$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy; CREATE TABLE sample (id serial, used bigint)');
library_shop($node);

# ---- Work ----------------------------------------------------------------------------------------------

my %sql = (
	authors => 'SELECT id, name FROM author ORDER BY id',
	books => 'SELECT title FROM book WHERE author_id = $1',
	begin => 'BEGIN',
	commit => 'COMMIT');

# Pages of ten statements: the authors, and books of nine of them.  Every other page is a transaction.
sub names_and_values
{
	my ($number) = @_;
	my @page = $number % 10 == 0 ? [ 'authors' ] : [ 'books', $number % 10 ];

	unshift @page, [ 'begin' ] if $number % 20 == 0;
	push @page, [ 'commit' ] if $number % 20 == 9;
	return @page;
}

sub simple
{
	my ($wire, $number) = @_;

	return join '', map
	{
		my ($name, @values) = @$_;
		$wire->query($sql{$name} =~ s/\$1/$values[0]/r)->answers;
	} names_and_values($number);
}

sub extended
{
	my ($wire, $number) = @_;

	return join '', map
	{
		my ($name, @values) = @$_;
		$wire->parse('', $sql{$name})->bind('', '', @values)->execute('')->sync->answers;
	} names_and_values($number);
}

# Prepared, and as many as fill a pipeline before any answer is read.
sub pipelined
{
	my ($wire, $number) = @_;

	if ($number == 0)
	{
		$wire->parse($_, $sql{$_}) for sort keys %sql;
	}
	for (names_and_values($number))
	{
		my ($name, @values) = @$_;
		$wire->bind('', $name, @values)->execute('');
	}
	return $number % $at_once == $at_once - 1 ? $wire->sync->answers : '';
}

# No two have the same fingerprint: which operators there are is what counts, and not their operands.
sub new_shapes
{
	my ($wire, $number) = @_;
	my $operators = join '', map { $number >> $_ & 1 ? '+ 0 ' : '- 0 ' } 0 .. 23;
	my $author = 1 + $number % 10;

	return $wire->query("SELECT title FROM book WHERE author_id = $author AND 0 $operators = 0")->answers;
}

# ---- Memory --------------------------------------------------------------------------------------------

# Bytes that the session uses in the server's memory contexts, and those it has of the operating system for itself.
sub memory
{
	my ($wire, $process) = @_;

	$wire->query('INSERT INTO sample (used) SELECT sum(used_bytes) FROM pg_backend_memory_contexts')->answers;
	my $used = $node->safe_psql('postgres', 'SELECT used FROM sample ORDER BY id DESC LIMIT 1');
	my ($resident) = slurp_file("/proc/$process/status") =~ /^RssAnon:\s+(\d+) kB/m;
	return ($used, 1024 * $resident);
}

for ([ 'simple', \&simple ], [ 'extended', \&extended ], [ 'pipelined', \&pipelined ], [ 'new shapes', \&new_shapes ])
{
	my ($protocol, $run) = @$_;
	my $wire = Wire->connect($node, $protocol);
	my $process = pid_of($node, $protocol);
	my $failed = 0;

	$failed += $run->($wire, $_) =~ /E/ for 0 .. $warm_up - 1;
	memory($wire, $process);
	my ($used_before, $resident_before) = memory($wire, $process);
	$failed += $run->($wire, $_) =~ /E/ for $warm_up .. $warm_up + $statements - 1;
	my ($used, $resident) = memory($wire, $process);

	note("$protocol: used $used_before and then $used bytes, resident $resident_before and then $resident");
	is($failed, 0, "$protocol: no statement fails");
	cmp_ok($used - $used_before, '<=', $bound, "$protocol: memory contexts do not grow");
	cmp_ok($resident - $resident_before, '<=', $resident_bound, "$protocol: the process does not grow");
	cmp_ok(totals($node, $protocol)->{statements}, '>=', $warm_up + $statements, "$protocol: statements were counted");
	$wire->disconnect;
}

is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT application_name, ', ') FROM remedy.n_plus_one}),
	'extended, simple', 'there was repetition to remember, but not in a pipeline');
$node->stop;
done_testing();

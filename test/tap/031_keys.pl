# Keys of every type as parameters of the protocol: as texts and in binary form, of types that the client says and of
# types that it leaves to the server.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = preloaded('keys');

# A table for each type, of five rows.
my @kinds = (
	# type, how a row's value is made, type that a client says, its binary form
	['smallint', 'i', 21, sub { pack('n', $_[0]) }],
	['integer', 'i', 23, sub { pack('N', $_[0]) }],
	['integer', 'i', 20, sub { pack('Q>', $_[0]) }],
	['bigint', '10000000000 + i', 20, sub { pack('Q>', 10_000_000_000 + $_[0]) }],
	['bigint', 'i', 21, sub { pack('n', $_[0]) }],
	['oid', 'i', 26, sub { pack('N', $_[0]) }],
	['numeric', 'i', 1700, sub { pack('nnnnn', 1, 0, 0, 0, $_[0]) }],
	['numeric(9, 2)', 'i + 0.5', 1700, sub { pack('nnnnnn', 2, 0, 0, 1, $_[0], 5000) }],
	['integer', 'i', 1700, sub { pack('nnnnn', 1, 0, 0, 0, $_[0]) }],
	['text', "'value ' || i", 25, sub { "value $_[0]" }],
	['varchar(20)', "'value ' || i", 1043, sub { "value $_[0]" }],
	['char(20)', "'value ' || i", 1042, sub { "value $_[0]" }],
	['name', "'value ' || i", 19, sub { "value $_[0]" }],
	['uuid', "lpad(i::text, 32, '0')::uuid", 2950, sub { pack('x15C', $_[0]) }],
	['date', "DATE '2000-01-01' + i", 1082, sub { pack('N', $_[0]) }],
	['timestamptz', "TIMESTAMPTZ '2000-01-01 00:00+00' + i * INTERVAL '1 second'", 1184,
		sub { pack('Q>', 1_000_000 * $_[0]) }],
	['color', '(enum_range(NULL::color))[i]', 0, sub { ('a' .. 'z')[$_[0] - 1] }],
	['positive', 'i', 23, sub { pack('N', $_[0]) }],
);
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TYPE color AS ENUM ('a', 'b', 'c', 'd', 'e');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
SQL

# All that was found in the statements of an application.
sub found
{
	my ($application) = @_;

	return $node->safe_psql('postgres', <<"SQL");
SELECT child_table || ' ' || child_column || ' ' || parent_table || ' ' || parent_column || ' ' || repeats_max
FROM remedy.n_plus_one WHERE application_name = '$application'
SQL
}

# Five executions of a statement, each with a value of the table, in one watched stretch.
sub loop_over
{
	my ($label, $table, $bind, $condition, $values, @types) = @_;
	my $wire = Wire->connect($node, $label);

	$wire->query('SELECT remedy.watch()')->answers;
	$wire->query("SELECT k FROM $table")->answers;
	$wire->parse('child', "SELECT v FROM $table WHERE $condition", @types)->sync->answers;
	foreach my $value (@$values)
	{
		my $answer = $wire->$bind('', 'child', $value)->execute('')->sync->answers;
		diag("$label: $answer") if $answer !~ /^2D?CZ$/;
	}
	$wire->disconnect;
	return;
}

# Arrays of elements in binary form.
sub array_of { my ($type, @elements) = @_; return pack('NNNNN(N/a*)*', 1, 0, $type, scalar @elements, 1, @elements); }

my $number = 0;
foreach my $kind (@kinds)
{
	my ($type, $expression, $said, $binary) = @$kind;
	my $table = 't' . ++$number;
	my $label = "$type as $said";
	my $expected = "public.$table k public.$table k 5";

	$node->safe_psql('postgres', <<"SQL");
CREATE TABLE $table (k $type PRIMARY KEY, v integer);
INSERT INTO $table SELECT $expression, i FROM generate_series(1, 5) AS i;
SQL
	my @texts = split /\n/, $node->safe_psql('postgres', "SELECT k FROM $table ORDER BY v");
	my @binaries = map { $binary->($_) } 1 .. 5;

	loop_over("$label, text", $table, 'bind', 'k = $1', \@texts);
	is(found("$label, text"), $expected, "$label: texts, typed by the server");
	loop_over("$label, binary", $table, 'bind_binary', 'k = $1', \@binaries, $said);
	is(found("$label, binary"), $expected, "$label: binary, typed by the client");
	loop_over("$label, one", $table, 'bind', 'k = ANY ($1)', [map { "{\"$_\"}" } @texts]);
	is(found("$label, one"), $expected, "$label: lists of one, as texts");
	loop_over("$label, several", $table, 'bind', 'k = ANY ($1)', [map { "{\"$_\",\"$texts[0]\"}" } @texts]);
	is(found("$label, several"), '', "$label: lists of several are none");
}

# Lists in binary form: as drivers send them.
loop_over('list', 't2', 'bind_binary', 'k = ANY ($1)', [map { array_of(23, pack('N', $_)) } 1 .. 5], 1007);
is(found('list'), 'public.t2 k public.t2 k 5', 'lists of one in binary form');
loop_over('text for integer', 't2', 'bind', 'k = $1::integer', [1 .. 5], 25);
is(found('text for integer'), 'public.t2 k public.t2 k 5', 'a text that the statement casts');
loop_over('integer as text', 't2', 'bind', 'k::text = $1', [1 .. 5]);
is(found('integer as text'), 'public.t2 k public.t2 k 5', 'a key that the statement casts');
loop_over('in', 't2', 'bind', 'k IN ($1)', [1 .. 5]);
is(found('in'), 'public.t2 k public.t2 k 5', 'IN of one');
loop_over('nothing', 't2', 'bind', 'k = ANY ($1)', ['{}', '{NULL}', '{{1}}', '{}', '{}', '{NULL}']);
is(found('nothing'), '', 'lists of nothing');

SKIP:
{
	skip 'no citext', 1
	  unless $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'");
	$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION citext;
CREATE TABLE insensitive (k citext PRIMARY KEY, v integer);
INSERT INTO insensitive SELECT 'Value ' || i, i FROM generate_series(1, 5) AS i;
SQL
	loop_over('citext', 'insensitive', 'bind', 'k = $1', [map { "Value $_" } 1 .. 5]);
	is(found('citext'), 'public.insensitive k public.insensitive k 5', 'strings of other types than the server\'s');
}

done_testing();

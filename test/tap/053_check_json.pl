# What remedy.judge_json() says of documents, against what the server's casts do with them: the texts of a public test
# suite, random documents, documents in databases of other encodings, very large ones; and that workers may judge.
#
# The server cannot tell what a conversion loses.  A reader of our own can: a document means its numbers, with their
# sign, its strings, and its members, all of them, in any order.

use strict;
use warnings FATAL => 'all';

use Encode qw(decode_utf8);
use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = plain('check_json', 'fsync = off');

# ---- What a document means ----------------------------------------------------------------------------------------

my %letters = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");

# Eats a value from the text, and gives its meaning.
sub meaning
{
	my ($text) = @_;

	$$text =~ /\G\s*/gc;
	return members($text, '}', sub { my $key = string($text); $$text =~ /\G\s*:/gc; return "$key:" . meaning($text); })
	  if $$text =~ /\G\{/gc;
	return join(',', '[', members($text, ']', sub { return meaning($text); }, 1)) if $$text =~ /\G\[/gc;
	return string($text) if substr($$text, pos($$text) // 0, 1) eq '"';
	return number($1, $2, $3 // '', $4 // 0) if $$text =~ /\G(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?/gc;
	$$text =~ /\G(true|false|null)/gc or die "no JSON at " . pos($$text);
	return $1;
}

sub members
{
	my ($text, $end, $member, $ordered) = @_;
	my @members;

	until ($$text =~ /\G\s*\Q$end\E/gc)
	{
		push @members, $member->();
		$$text =~ /\G\s*,/gc;
	}
	@members = sort @members unless $ordered;
	return join(',', @members, $end);
}

sub string
{
	my ($text) = @_;

	$$text =~ /\G\s*"((?:[^"\\]|\\.)*)"/gcs or die 'no string at ' . pos($$text);
	my $string = $1;
	$string =~ s{\\(?:u([dD][89abAB]..)\\u(....)|u(....)|(.))}
		{defined $1 ? chr(0x10000 + ((hex($1) & 0x3ff) << 10) + (hex($2) & 0x3ff))
		 : defined $3 ? chr(hex $3) : $letters{$4} // $4}gse;
	return '"' . join('.', map { ord } split(//, $string)) . '"';
}

sub number
{
	my ($sign, $digits, $fraction, $exponent) = @_;

	$digits .= $fraction;
	$exponent -= length $fraction;
	$digits =~ s/^0+//;
	$exponent += length $1 if $digits =~ s/(0+)$//;
	return $digits eq '' ? "${sign}0" : "$sign$digits e$exponent";
}

sub meaning_of { my ($hex) = @_; my $text = decode_utf8(pack('H*', $hex)); return meaning(\$text); }

# ---- Comparing ----------------------------------------------------------------------------------------------------

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE offered (name text, bytes bytea);
CREATE TABLE document (name text, document json);
CREATE FUNCTION converted(document json) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN encode(convert_to(document::jsonb::text, 'UTF8'), 'hex');
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END $$;
CREATE FUNCTION store() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	one offered;
BEGIN
	TRUNCATE document;
	FOR one IN SELECT * FROM offered LOOP
		BEGIN
			INSERT INTO document VALUES (one.name, convert_from(one.bytes, 'UTF8')::json);
		EXCEPTION WHEN OTHERS THEN
		END;
	END LOOP;
	TRUNCATE offered;
	RETURN (SELECT count(*) FROM document);
END $$;
SQL

# Stores what of these is json, given by names, and returns how many that are, those that were misjudged, and how
# many had each verdict.
sub misjudged
{
	my (%documents) = @_;
	my $rows = join('', map { "$_\t\\\\x" . unpack('H*', $documents{$_}) . "\n" } sort keys %documents);
	my $stored = $node->safe_psql('postgres', "COPY offered FROM stdin;\n$rows\\.\nSELECT store();");
	my %verdicts;
	my @wrong;

	for my $row (split(/\n/, $node->safe_psql('postgres', q{SELECT name, verdict, encode(convert_to(document::text, 'UTF8'), 'hex'),
			converted(document) FROM document, remedy.judge_json(document)})))
	{
		my ($name, $verdict, $json, $jsonb) = split(/\|/, $row, -1);
		my $right = $jsonb eq '' ? 'rejected'
		  : $json eq $jsonb ? 'unchanged'
		  : meaning_of($json) eq meaning_of($jsonb) ? 'reprinted'
		  : 'lossy';
		push @wrong, "$name: $verdict instead of $right: " . substr(pack('H*', $json), 0, 200) if $verdict ne $right;
		++$verdicts{$verdict};
	}
	return ($stored, \@wrong, \%verdicts);
}

# ---- The public test suite ----------------------------------------------------------------------------------------

my %suite;
for my $file (glob("$FindBin::RealBin/data/jsontestsuite/test_*/*.json"))
{
	$suite{ $file =~ s{.*/}{}r =~ s/\.json$//r } = slurp_file($file);
}
cmp_ok(scalar keys %suite, '>', 300, 'the suite is there');
my ($stored, $wrong, $verdicts) = misjudged(%suite);
cmp_ok($stored, '>', 120, 'many of its texts are stored as json');
is("@$wrong", '', 'and each becomes what it was judged to become');
is($node->safe_psql('postgres', q{SELECT count(*) FROM document WHERE name ~ '^y_'}),
	scalar(grep { /^y_/ } keys %suite), 'all that are valid by the standard are among them');

# ---- Random documents ---------------------------------------------------------------------------------------------

srand($ENV{SEED} // 6);
my @characters = ('a', 'b', 'c', 'z', ' ', ',', ':', '{', "\xc3\xa9", "\xe2\x82\xac", '\\"', '\\\\', '\\n', '\\u0007', '/');
my @odd = ('\\/', '\\u0061', '\\u00E9', '\\u000a', '\\u20ac', '\\ud83d\\ude00', "\xf0\x9f\x98\x80", '\\u001F', '\\b');
my @bad = ('\\u0000', '\\ud800', '\\udc00', '\\ud83d\\ud83d', '\\ud800\\u0061');
my @numbers = (0, 1, -1, '1.0', '1.50', '-0.5', '123456789012345678901234567890', '0.00');
my @odd_numbers = ('1e2', '1.5E-7', '0e0', '-1e+3', '1e-999', '12E0', '1e131071');
my @signed_nothings = ('-0', '-0.0', '-0e5', '-0.000');
my @bad_numbers = ('1e131072', '1e-16384', '-1e99999', '0e-20000');

sub one_of { return $_[int rand @_]; }
sub chance { my ($one_in) = @_; return rand($one_in) < 1; }

# How a document is written; what is rare in one is in most of its values in none.
sub random_document
{
	my %style = (
		space => one_of([ '', '', '', '' ], [ '', ' ', '', ' ' ], [ '', ' ', '', ' ' ], [ ' ', ' ', "\n", "\t " ]),
		odd => one_of(0, 0, 0, 1), bad => one_of((0) x 6, 1), nothing => one_of((0) x 15, 1),
		order => one_of(0, 1), doubled => one_of((0) x 10, 1));
	return random_value(\%style, 1 + int rand 5);
}

sub random_value
{
	my ($style, $depth) = @_;

	return random_scalar($style) if $depth == 0 || chance(4);
	my $comma = $style->{space}[2] . ',' . $style->{space}[3];
	my @values = map { random_value($style, $depth - 1) } 1 .. rand 6;
	return '[' . $style->{space}[0] . join($comma, @values) . ']' if chance(3);
	my @keys = map { random_string($style) } @values;
	@keys = by_length(@keys) if $style->{order};
	if (!$style->{doubled})
	{
		my %seen;
		@keys = grep { !$seen{$_}++ } @keys;
	}
	my @members = map { $_ . $style->{space}[0] . ':' . $style->{space}[1] . pop @values } @keys;
	return '{' . $style->{space}[0] . join($comma, @members) . '}';
}

sub by_length { return sort { length $a <=> length $b or $a cmp $b } @_; }

sub random_string
{
	my ($style) = @_;
	my @pool = (@characters, $style->{odd} ? @odd : (), $style->{bad} && chance(4) ? @bad : ());

	return '"' . join('', map { one_of(@pool) } 1 .. rand 3) . '"';
}

sub random_scalar
{
	my ($style) = @_;

	return random_string($style) if chance(3);
	return one_of('true', 'false', 'null') if chance(4);
	return one_of(@numbers, $style->{odd} ? @odd_numbers : (), $style->{nothing} ? @signed_nothings : (),
		$style->{bad} && chance(3) ? @bad_numbers : ());
}

my %random = map { ("random $_" => random_document()) } 1 .. $ENV{DOCUMENTS} // 5000;
($stored, $wrong, $verdicts) = misjudged(%random);
is($stored, scalar keys %random, 'all random documents are json');
is(join("\n", @$wrong), '', 'and become what they were judged to become');
note join(', ', map { "$_ $verdicts->{$_}" } sort keys %$verdicts);
cmp_ok($verdicts->{$_}, '>', 100, "many of them are $_") for qw(rejected lossy reprinted unchanged);

# What is counted of a table is what was said of each document; by workers too.
my $judged = $node->safe_psql('postgres', q{SELECT verdict, count(*) FROM document, remedy.judge_json(document) GROUP BY verdict ORDER BY verdict});
my $checked = q{SELECT verdict, rows FROM remedy.check_json('document', 'document') WHERE reason IS NULL ORDER BY verdict};
my $workers = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;';
is($node->safe_psql('postgres', $checked), $judged, 'counts of a table');
is($node->safe_psql('postgres', "$workers $checked"), $judged, 'counted by workers');
like($node->safe_psql('postgres', "$workers EXPLAIN SELECT remedy.read_json_faults(document) FROM document"),
	qr/Gather/, 'there were workers');

# ---- Other encodings ----------------------------------------------------------------------------------------------

for my $case ([ 'LATIN1', '"\u00e9"', 'reprinted|{escapes}' ], [ 'LATIN1', '"\u20ac"', 'rejected|{"untranslatable escape"}' ],
	[ 'LATIN1', '{"\u20ac": 1}', 'rejected|{"untranslatable escape"}' ], [ 'SQL_ASCII', '"\u0041"', 'reprinted|{escapes}' ],
	[ 'SQL_ASCII', '["\u00e9"]', 'rejected|{"untranslatable escape"}' ])
{
	my ($encoding, $document, $expected) = @$case;
	my $database = lc $encoding;

	if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_database WHERE datname = '$database'") == 0)
	{
		$node->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
		$node->safe_psql($database, 'CREATE EXTENSION pg_remedy');
	}
	is($node->safe_psql($database, "SELECT * FROM remedy.judge_json('$document')"), $expected, "$encoding: $document");
	is($node->psql($database, "SELECT '$document'::json::jsonb", stderr => \my $error) != 0 ? 1 : 0,
		$expected =~ /^rejected/ ? 1 : 0, 'and the server agrees');
}

# ---- Very large ones ----------------------------------------------------------------------------------------------

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE large (name text, document json);
INSERT INTO large SELECT 'most elements', ('[' || repeat('0,', 16777216) || '0]')::json;
INSERT INTO large SELECT 'most members', ('{' || repeat('"":0,', 8388608) || '"":0}')::json;
INSERT INTO large SELECT 'many elements', ('[' || repeat('0,', 9000000) || '0]')::json;
SQL
is($node->safe_psql('postgres', 'SELECT name, verdict, reasons FROM large, remedy.judge_json(document)'),
	"most elements|rejected|{size}\nmost members|rejected|{size}\nmany elements|reprinted|{\"white space\"}",
	'more members than the server has memory for');
is($node->safe_psql('postgres', 'SELECT name FROM large WHERE converted(document) IS NULL'), "most elements\nmost members",
	'and the server agrees');
my ($printed, $errors) = psql_as($node, 'client', "SET statement_timeout = '50ms'; SELECT remedy.judge_json(document) FROM large;
	SET statement_timeout = 0; SELECT 'goes on'");
like($errors, qr/canceling statement due to statement timeout/, 'a document may be cancelled in its middle');
is($printed, 'goes on', 'and the session goes on');

$node->stop;
done_testing();

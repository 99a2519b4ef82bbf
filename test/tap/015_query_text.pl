# Texts and names from databases of other encodings: each is shown in every database, and no constant with it.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('texts');

$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy');
for my $encoding (qw(LATIN1 SQL_ASCII EUC_JP))
{
	my $database = lc $encoding;
	$node->safe_psql('postgres',
		"CREATE DATABASE $database ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($database, 'CREATE EXTENSION pg_remedy');
}

my $server_encoding = $node->safe_psql('postgres', 'SHOW server_encoding');
is($server_encoding, 'UTF8', 'one database is UTF8');

# What a database shows of a statement of another.
sub text_in
{
	my ($reader, $database, $pattern) = @_;

	my $encoding = $reader eq 'postgres' ? 'UTF8' : $reader;
	return $node->safe_psql($reader, "SET client_encoding = '$encoding'; SELECT query FROM remedy.statements
		WHERE database = '$database' AND query LIKE '$pattern'");
}

# Bytes and escapes that are no characters elsewhere, in constants.
sub shown_everywhere
{
	my ($database, $sql, $expected, $pattern) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	psql_as($node, 'writer', "SET client_encoding = '$database';\n$sql;\n", database => $database);
	is(text_in($_, $database, $pattern), $expected, "$sql of $database is shown in $_")
	  for qw(postgres latin1 sql_ascii euc_jp);
	return;
}

shown_everywhere('latin1', q{SELECT E'caf\xe9 secret' AS a1, 'secret' AS b1, 1 AS c1},
	'SELECT $1 AS a1, $2 AS b1, $3 AS c1', '%AS a1%');
shown_everywhere('latin1', qq{SELECT 'caf\xe9 secret' || 'secret' AS a2}, 'SELECT $1 || $2 AS a2', '%AS a2%');
shown_everywhere('sql_ascii', qq{SELECT E'\\xff\\377 secret', 'caf\xe9 secret\xff' AS a3},
	'SELECT $1, $2 AS a3', '%AS a3%');
shown_everywhere('euc_jp', q{SELECT E'\xa4\xa2 secret', 'secret', 'secret' AS a4},
	'SELECT $1, $2, $3 AS a4', '%AS a4%');

# A name is converted where that is possible; where it is not, it has question marks.
psql_as($node, 'writer', qq{SET client_encoding = 'latin1';\nSELECT 1 AS "caf\xe9", 2, 3, 4, 5;\n}, database => 'latin1');
is(text_in('postgres', 'latin1', '%caf%'), qq{SELECT \$1 AS "caf\xc3\xa9", \$2, \$3, \$4, \$5}, 'a name is converted');
is(text_in('latin1', 'latin1', '%caf%'), qq{SELECT \$1 AS "caf\xe9", \$2, \$3, \$4, \$5}, 'or left as it is');
is(text_in('euc_jp', 'latin1', '%caf%'), qq{SELECT \$1 AS "caf?", \$2, \$3, \$4, \$5}, 'or with a question mark');

# Findings keep their names as bytes.
library_shop($node, 'latin1');
$node->safe_psql('latin1', qq{SET client_encoding = 'latin1'; ALTER TABLE book RENAME TO "b\xe9"});
psql_as($node, 'shop', "SET client_encoding = 'latin1';\n" . lazy_page(6) =~ s/FROM book/FROM "b\xe9"/gr,
	database => 'latin1');
is($node->safe_psql('postgres', 'SELECT child_table FROM remedy.n_plus_one'), 'public."b?"',
	'what is no character here is a question mark');
is($node->safe_psql('latin1', q{SET client_encoding = 'latin1'; SELECT child_table FROM remedy.n_plus_one}),
	qq{public."b\xe9"}, 'and is itself where it is at home');

$node->stop;
done_testing();

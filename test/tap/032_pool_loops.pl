# Loops over a pool: a list is read on one connection, and its rows are asked for on several. Their repeats are counted
# over all of them, and nobody else's reads are taken for a part of them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;
use Remedy;
use Test::More;

my $node = preloaded('pool', q{pg_remedy.burst_gap = '10s'});
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE author (id integer PRIMARY KEY);
CREATE TABLE book (id integer PRIMARY KEY, author_id integer REFERENCES author);
INSERT INTO author SELECT generate_series(1, 30);
INSERT INTO book SELECT i, i FROM generate_series(1, 30) AS i;
SQL

my $found = q{SELECT level, kind, direction, child_table, parent_table, parent_column, repeats_max, repeats_total, units,
	batched_query IS NOT NULL, parent_query FROM remedy.n_plus_one};

# What follows is another page.
sub turn_over
{
	$_->query_safe('DISCARD ALL') foreach @_;
	$node->safe_psql('postgres', 'SELECT remedy.reset()');
	return;
}

# The parent on the first session, the children in turn on all of them.
sub page
{
	my ($rows, $parent, @sessions) = @_;

	$sessions[0]->query_safe($parent);
	$sessions[ $_ % @sessions ]->query_safe("SELECT id AS book FROM book WHERE author_id = $_") foreach 1 .. $rows;
	return;
}

my @pool = map { client($node, 'web') } 1 .. 3;
my $list = q{SELECT id AS author FROM author WHERE id <= %d AND 'secret' <> 'known'};

page(30, sprintf($list, 30), @pool);
is($node->safe_psql('postgres', $found),
	q{possible|select|1:N|public.book|public.author|id|30|30|1|t|SELECT id AS author FROM author WHERE id <= $1 AND $2 <> $3},
	'a loop over three sessions is one of thirty repeats, and its parent is told without a constant');

turn_over(@pool);
page(9, sprintf($list, 30), @pool);
is($node->safe_psql('postgres', $found), '', 'nine of thirty rows are none');

turn_over(@pool);
page(6, sprintf($list, 6), @pool);
like($node->safe_psql('postgres', $found), qr/^possible\|.*\|6\|6\|1\|/, 'all of six rows are one');

turn_over(@pool);
$_->query_safe(sprintf($list, 10)) foreach @pool[ 0, 1 ];
foreach my $author (1 .. 10)
{
	$_->query_safe("SELECT id AS book FROM book WHERE author_id = $author") foreach @pool[ 0, 1 ];
}
like($node->safe_psql('postgres', $found), qr/^likely\|.*\|10\|20\|2\|/,
	'two sessions with a list and a loop of their own have ten repeats each');

turn_over(@pool);
$pool[0]->query_safe("BEGIN; " . sprintf($list, 30) . "; COMMIT");
page(20, 'SELECT 1', @pool[ 1, 2 ]);
is($node->safe_psql('postgres', $found), '', 'what an explicit transaction read is its own');

turn_over(@pool);
my @strangers = (client($node, 'web'), client($node, 'batch'));
page(30, sprintf($list, 30), @strangers);
like($node->safe_psql('postgres', $found), qr/^likely\|.*\|15\|15\|1\|/, q{another application's reads are not counted});

$_->quit foreach @pool, @strangers;
done_testing();

# Batched queries: what remedy.n_plus_one offers for a loop returns the loop's rows.
#
# Each case is a page: a parent query, and a child query that is run for each of its keys.  The batched query is taken
# from the view, prepared as it is, and executed with more keys than the page had: some twice, some that no row has.
# What it returns is compared with what the child returns for each of these keys.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = preloaded('batching');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TYPE state AS ENUM ('draft', 'sold', 'gone');
CREATE DOMAIN isbn AS text;
CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL UNIQUE, country integer);
CREATE TABLE book (id bigint PRIMARY KEY, author_id integer NOT NULL REFERENCES author,
	author_name text COLLATE "C" REFERENCES author (name), title varchar(30) NOT NULL, price numeric(8, 2),
	state state NOT NULL, deleted boolean NOT NULL, data jsonb);
CREATE TABLE tag (id smallint PRIMARY KEY, word text);
CREATE TABLE book_tag (book_id bigint REFERENCES book, tag_id smallint REFERENCES tag, PRIMARY KEY (book_id, tag_id));
CREATE TABLE item (id uuid PRIMARY KEY, label text);
CREATE TABLE part (item_id uuid REFERENCES item, number integer, PRIMARY KEY (item_id, number));
CREATE TABLE isbns (code isbn PRIMARY KEY);
CREATE TABLE print (code isbn REFERENCES isbns, run integer);
CREATE TABLE orders (tenant integer, number integer, note text, PRIMARY KEY (tenant, number));
CREATE TABLE line (tenant integer, number integer, position integer, text text,
	FOREIGN KEY (tenant, number) REFERENCES orders);
CREATE TABLE event (author_id integer REFERENCES author, happened date, what text) PARTITION BY RANGE (happened);
CREATE TABLE event_old PARTITION OF event FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE event_new PARTITION OF event FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
CREATE TABLE "u" ("key" integer REFERENCES author, "ord" integer, "q""; DROP TABLE x; --" text, "$1" text);
CREATE SCHEMA "else where";
CREATE TABLE "else where"."The Table" ("The Key" integer REFERENCES author, "WHERE" integer);
CREATE VIEW live_book AS SELECT b.id AS "book id", b.author_id AS writer, b.title FROM book AS b WHERE NOT deleted;
CREATE TABLE node (id integer PRIMARY KEY, up integer REFERENCES node);

INSERT INTO author SELECT i, 'author ' || i, i % 3 FROM generate_series(1, 12) AS i;
INSERT INTO book SELECT i, 1 + i % 10, 'author ' || 1 + i % 10, 'book ' || i, i * 1.5,
	(enum_range(NULL::state))[1 + i % 3], i % 4 = 0, jsonb_build_object('pages', i, 'kind', 'k' || i % 2)
	FROM generate_series(1, 60) AS i;
INSERT INTO tag SELECT i, 'tag ' || i FROM generate_series(1, 8) AS i;
INSERT INTO book_tag SELECT i, t FROM generate_series(1, 60) AS i, generate_series(1, 8) AS t WHERE (i + t) % 5 = 0;
INSERT INTO item SELECT md5(i::text)::uuid, 'item ' || i FROM generate_series(1, 12) AS i;
INSERT INTO part SELECT md5(i::text)::uuid, n FROM generate_series(1, 10) AS i, generate_series(1, 3) AS n;
INSERT INTO isbns SELECT 'isbn ' || i FROM generate_series(1, 12) AS i;
INSERT INTO print SELECT 'isbn ' || 1 + i % 10, i FROM generate_series(1, 30) AS i;
INSERT INTO orders SELECT t, n, 'note' FROM generate_series(1, 4) AS t, generate_series(1, 4) AS n;
INSERT INTO line SELECT t, n, p, 'line' FROM generate_series(1, 4) AS t, generate_series(1, 4) AS n,
	generate_series(1, 3) AS p WHERE (t + n) % 4 <> 0;
INSERT INTO event SELECT 1 + i % 10, date '2019-11-01' + i, 'event ' || i FROM generate_series(1, 90) AS i;
INSERT INTO "u" SELECT 1 + i % 10, i, 'q' || i, '$1' FROM generate_series(1, 20) AS i;
INSERT INTO "else where"."The Table" SELECT 1 + i % 10, i FROM generate_series(1, 20) AS i;
INSERT INTO node SELECT i, nullif(i / 3, 0) FROM generate_series(1, 40) AS i;
ANALYZE;
SQL

# Keys of the batches: with doubles, without any row, and out of order.
my @authors = (3, 1, 12, 3, 77, 10, 2);
my @names = map { "'author $_'" } @authors;
my @books = (7, 60, 999, 7, 1);
my @items = map { "md5('$_')::uuid" } 2, 12, 99, 2, 1;

my ($pages, $cases, $offered) = (0, 0, 0);

# Runs the page as an application of this name, in a transaction.
sub run_page
{
	my ($name, $case) = @_;
	my $prepare = '';
	local $ENV{PGOPTIONS} = '-c statement_timeout=30s';
	my $child = sub { my $sql = $case->{child}; my @key = @{ $_[0] }; $sql =~ s/\{(\d)\}/$key[$1]/g; "$sql;" };

	if ($case->{types})
	{
		(my $sql = $case->{child}) =~ s/\{(\d)\}/'$' . ($1 + 1)/ge;
		$prepare = "PREPARE child($case->{types}) AS $sql;";
		$child = sub { 'EXECUTE child(' . join(', ', @{ $_[0] }) . ');' };
	}
	return psql_as($node, $name, join("\n", $prepare, 'BEGIN;', "$case->{parent};",
		(map { $child->($_) } @{ $case->{page} }), 'COMMIT;') . "\n");
}

# What the child returns for a key, a line a row.
sub rows_of_child
{
	my ($case, $key) = @_;
	(my $sql = $case->{child}) =~ s/\{(\d)\}/$key->[$1]/g;

	return split(/\n/, $node->safe_psql('postgres', "BEGIN; $sql; COMMIT"));
}

# Of a text for = ANY the rows of a key come once, and their key is in them; else there is a line for each of the keys.
sub expected_rows
{
	my ($case, $batched, $rows) = @_;
	my (@expected, %seen);
	my $place = 0;

	for my $key (@{ $case->{keys} })
	{
		++$place;
		my @of_key = rows_of_child($case, $key);
		if ($batched =~ /q\.\*/)
		{
			push @expected, map { $_ eq '' ? $place : "$place|$_" } @of_key;
		}
		elsif ($batched =~ / AS q\(/)
		{
			my $shown = $node->safe_psql('postgres', "SELECT $key->[0]");
			push @expected, map { "$shown|$_" } @of_key;
		}
		elsif (!$seen{ $key->[0] }++)
		{
			my $shown = $node->safe_psql('postgres', "SELECT $key->[0]");
			push @expected, map { $case->{has_key} ? $_ : $_ eq '' ? $shown : "$_|$shown" } @of_key;
		}
	}
	return join("\n", sort @expected);
}

sub returned_rows
{
	my ($case, $batched) = @_;
	my @arrays;

	for my $i (0 .. $#{ $case->{keys}[0] })
	{
		push @arrays, 'ARRAY[' . join(', ', map { $_->[$i] } @{ $case->{keys} }) . ']';
	}
	my $arguments = join(', ', @arrays, @{ $case->{others} // [] });
	my ($printed, $errors) = psql_as($node, 'reader', "PREPARE b AS $batched;\nEXECUTE b($arguments);\n");
	return $errors ne '' ? $errors : join("\n", sort split(/\n/, $printed));
}

# One page: child, with {0} for its key, and what else there is to say.
sub batch
{
	my ($title, $child, %case) = @_;
	my $name = "page $title " . ++$pages;

	++$cases;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$case{parent} //= 'SELECT id, name FROM author';
	$case{page} //= [ 1 .. 10 ];
	$case{keys} //= \@authors;
	$case{$_} = [ map { ref $_ ? $_ : [$_] } @{ $case{$_} } ] for qw(page keys);
	$case{child} = $child;
	run_page($name, \%case);
	my $batched = $node->safe_psql('postgres',
		"SELECT coalesce(max(batched_query), count(*)::text) FROM remedy.n_plus_one WHERE application_name = '$name'");
	if ($case{unoffered})
	{
		--$cases;
		return is($batched, '1', "$title: found, and nothing offered");
	}
	if ($batched =~ /^\d$/ || !like($batched, $case{form} // qr/./, "$title: form"))
	{
		return is($batched, 'a batched query', $title);
	}
	++$offered;
	note $batched;
	return is(returned_rows(\%case, $batched), expected_rows(\%case, $batched), $title);
}

my $any = qr/^\s*SELECT (?!u\.).* = ANY \(\$1::/s;
my $grouped = qr/LEFT JOIN/;
my $lateral = qr/LATERAL/;

# The six shapes of every ORM.
batch('by foreign key', 'SELECT * FROM book WHERE author_id = {0}', form => $any, has_key => 1);
batch('by primary key', 'SELECT id, name FROM author WHERE id = {0}', form => $any, has_key => 1,
	parent => 'SELECT id, author_id FROM book');
batch('count', 'SELECT count(*) FROM book WHERE author_id = {0}', form => $grouped);
batch('exists', 'SELECT 1 FROM book WHERE author_id = {0} LIMIT 1', form => $lateral, others => [ 1, 1 ]);
batch('first of each', 'SELECT title FROM book WHERE author_id = {0} ORDER BY id DESC LIMIT 1', form => $lateral,
	others => [1]);
batch('many to many', 'SELECT t.* FROM tag AS t JOIN book_tag AS bt ON bt.tag_id = t.id WHERE bt.book_id = {0}',
	form => $any, parent => 'SELECT id FROM book', keys => \@books);

# The same, prepared.
batch('prepared, by foreign key', 'SELECT title FROM book WHERE author_id = {0}', form => $any, types => 'integer');
batch('prepared, count', 'SELECT count(id), sum(price) FROM book WHERE {0} = author_id', form => $grouped,
	types => 'bigint');
batch('prepared, first of each', 'SELECT title, {0} AS k FROM book WHERE author_id = {0} ORDER BY id LIMIT 2',
	form => $lateral, types => 'integer', others => [2]);

# Counts and other aggregates.
batch('count of some', q{SELECT count(*) FROM book WHERE author_id = {0} AND state = 'sold' AND price > 10.5},
	form => $grouped, others => [ "'sold'", 10.5 ]);
batch('count with a filter', 'SELECT count(*) FILTER (WHERE price > 30), count(DISTINCT state), max(title) FROM book '
	. 'WHERE author_id = {0}', form => $grouped, others => [30]);
batch('sum', 'SELECT sum(price), sum(id) FROM book WHERE author_id = {0}', form => $grouped);
batch('sum or zero', 'SELECT coalesce(sum(price), 0) FROM book WHERE author_id = {0}', form => $lateral, others => [0]);
batch('count of a subquery', 'SELECT count(*) FROM (SELECT b.id FROM book AS b WHERE b.author_id = {0}) AS anon_1',
	form => $lateral);
batch('count through a join', 'SELECT count(*) AS "__count" FROM book_tag AS bt JOIN book AS b ON b.id = bt.book_id '
	. 'WHERE b.author_id = {0}', form => $grouped);
batch('aggregates of a text', q{SELECT array_agg(id ORDER BY id), string_agg(title, ', ' ORDER BY id) FROM book
	WHERE author_name = {0}}, form => $grouped, keys => \@names, page => [ map { "'author $_'" } 1 .. 10 ],
	others => ["', '"]);
batch('groups', 'SELECT state, count(*) FROM book WHERE author_id = {0} GROUP BY state', form => $lateral);
batch('groups of expressions', 'SELECT price + 1, 2 + (price + 1), count(*) FROM book WHERE author_id = {0} '
	. 'GROUP BY price + 1 HAVING count(*) > 0', form => $lateral, others => [ 1, 2, 0 ]);
batch('no group', 'SELECT count(*) FROM book WHERE author_id = {0} HAVING count(*) > 5', form => $lateral, others => [5]);

# Existence.
batch('exists in the list', 'SELECT EXISTS (SELECT 1 FROM book WHERE author_id = {0})', form => $lateral,
	others => [1]);
batch('exists, as Django asks', 'SELECT 1 AS "a" FROM "book" WHERE ("book"."author_id" = {0} AND NOT "book"."deleted") '
	. 'LIMIT 1', form => $lateral, others => [ 1, 1 ]);
batch('another subquery', 'SELECT a.name, (SELECT max(b.price) FROM book AS b WHERE b.author_id = a.id) FROM author AS a '
	. 'WHERE a.id = {0}', form => $any, parent => 'SELECT author_id FROM book');

# Other queries.
batch('in order', 'SELECT title, price FROM book WHERE author_id = {0} ORDER BY price DESC, id', form => $any);
batch('a page of each', 'SELECT title FROM book WHERE author_id = {0} ORDER BY id LIMIT 2 OFFSET 1', form => $lateral,
	others => [ 1, 2 ]);
batch('distinct', 'SELECT DISTINCT state FROM book WHERE author_id = {0}', form => $lateral);
batch('distinct on', 'SELECT DISTINCT ON (state) state, title FROM book WHERE author_id = {0} ORDER BY state, id',
	form => $lateral);
batch('window', 'SELECT title, rank() OVER (ORDER BY price DESC) FROM book WHERE author_id = {0}', form => $lateral);
batch('union', 'SELECT title FROM book WHERE author_id = {0} UNION ALL SELECT what FROM event WHERE author_id = {0}',
	form => $lateral, types => 'integer');
batch('common table', 'WITH b AS (SELECT * FROM book WHERE author_id = {0}) SELECT b.title FROM b', form => $lateral);
batch('recursion', 'WITH RECURSIVE below AS (SELECT id FROM node WHERE up = {0} UNION ALL SELECT n.id FROM node AS n '
	. 'JOIN below AS b ON n.up = b.id) SELECT id FROM below', form => $lateral, parent => 'SELECT id FROM node',
	keys => [ 1, 5, 5, 99 ]);
batch('subquery in FROM', 'SELECT x.title FROM (SELECT title, author_id AS a FROM book OFFSET 0) AS x WHERE x.a = {0}',
	form => $any, others => [0]);
batch('left join', 'SELECT b.id, t.tag_id FROM book AS b LEFT JOIN book_tag AS t ON t.book_id = b.id '
	. 'WHERE b.author_id = {0}', form => $any);
batch('other side of a left join', 'SELECT t.word, bt.book_id FROM tag AS t LEFT JOIN book_tag AS bt '
	. 'ON bt.tag_id = t.id AND bt.book_id = {0}', form => $lateral, parent => 'SELECT id FROM book', keys => \@books);
batch('join with USING', 'SELECT number, note, position FROM orders JOIN line USING (tenant, number) WHERE number = {0}',
	form => $any, has_key => 1, parent => 'SELECT tenant, number FROM orders', page => [ 1 .. 4, 1 .. 4 ],
	keys => [ 2, 9, 2, 1 ]) if 0;
batch('row locks', 'SELECT name FROM author WHERE id = {0} FOR UPDATE', form => $lateral,
	parent => 'SELECT author_id FROM book');
batch('view', 'SELECT title FROM live_book WHERE writer = {0}', form => qr/FROM live_book/);
batch('partitions', q{SELECT what FROM event WHERE author_id = {0} AND happened >= '2019-12-01'}, form => $any,
	others => ["'2019-12-01'"]);
batch('set-returning', 'SELECT jsonb_object_keys(data) FROM book WHERE author_id = {0}', form => $any);
batch('of a function', 'SELECT b.id, n FROM book AS b, generate_series(1, 2) AS n WHERE b.author_id = {0}', form => $any,
	others => [ 1, 2 ]);

# Constants of all kinds become parameters.
batch('constants', q{SELECT title, extract(year FROM date '2020-02-03'), trim(both 'b' from title), 'a' || title,
	CASE state WHEN 'sold' THEN 1.5 ELSE -2 END, data ->> 'kind', date '2020-01-01' + interval '1 day', B'101'
	FROM book WHERE author_id = {0} AND deleted = false AND title LIKE 'book%' AND state IN ('sold', 'draft')
	AND price BETWEEN 1 AND 80 AND id = ANY ('{1,2,3,4,5,6,7,8,9,10}')}, form => $any,
	others => [ "'2020-02-03'", "'b'", "'a'", "'sold'", 1.5, -2, "'kind'", "'2020-01-01'", "'1 day'", "'101'", "'book%'",
		"'sold'", "'draft'", 1, 80, "'{1,2,3,4,5,6,7,8,9,10}'" ]);
batch('constants that are the key', 'SELECT title, 3 AS three FROM book WHERE author_id = {0} AND id > 3', form => $any,
	others => [ 3, 3 ]);

# Types of keys.
batch('uuid', q{SELECT number FROM part WHERE item_id = {0}}, form => $any, parent => 'SELECT id FROM item',
	page => [ map { "md5('$_')::uuid" } 1 .. 10 ], keys => \@items, types => 'uuid');
batch('uuid in the text', q{SELECT label FROM item WHERE id = {0}}, form => $any, parent => 'SELECT item_id FROM part',
	page => [ split /\n/, $node->safe_psql('postgres', q{SELECT quote_literal(id) FROM item}) ],
	keys => [ map { "'$_'::uuid" } split /\n/, $node->safe_psql('postgres', 'SELECT id FROM item ORDER BY label LIMIT 3') ]);
batch('text', q{SELECT title FROM book WHERE author_name = {0}}, form => $any, keys => \@names,
	page => [ map { "'author $_'" } 1 .. 10 ]);
batch('text by count', q{SELECT count(*) FROM book WHERE author_name = {0}}, form => $grouped, keys => \@names,
	page => [ map { "'author $_'" } 1 .. 10 ], types => 'varchar');
batch('domain', q{SELECT run FROM print WHERE code = {0}}, form => $any, parent => 'SELECT code FROM isbns',
	page => [ map { "'isbn $_'" } 1 .. 10 ], keys => [ map { "'isbn $_'" } 2, 1, 2, 12, 99 ]);
batch('smallint', 'SELECT book_id FROM book_tag WHERE tag_id = {0}', form => $any, parent => 'SELECT id FROM tag',
	page => [ 1 .. 8 ], keys => [ 1, 99, 2, 1 ]);
batch('bigint by integers', 'SELECT tag_id FROM book_tag WHERE book_id = {0}', form => qr/bigint\[\]/,
	parent => 'SELECT id FROM book', keys => [ 1, 7, 7, 99999999999 ]);
batch('two columns', 'SELECT text, position FROM line WHERE tenant = {0} AND number = {1}', form => $lateral,
	parent => 'SELECT tenant, number FROM orders', page => [ map { my $t = $_; map { [ $t, $_ ] } 1 .. 4 } 1 .. 4 ],
	keys => [ [ 1, 2 ], [ 2, 1 ], [ 9, 9 ], [ 1, 2 ], [ 3, 1 ] ]);
batch('two columns, one fixed', 'SELECT text, position FROM line WHERE tenant = {0} AND number = {1}', form => $any,
	types => 'integer, integer', parent => 'SELECT tenant, number FROM orders', page => [ map { [ 2, $_ ] } 1 .. 4, 1 .. 4 ],
	keys => [1], others => []) if 0;

# Names.
batch('hostile names', 'SELECT "q""; DROP TABLE x; --", "$1", "ord" FROM "u" WHERE "key" = {0} LIMIT 5', form => $lateral,
	others => [5]);
batch('hostile names at once', 'SELECT "q""; DROP TABLE x; --", "u"."$1" FROM "u" WHERE "key" = {0}', form => $any);
batch('names twice', 'SELECT max(id) AS "Max", min(id) AS "Max" FROM book WHERE author_id = {0}', form => $grouped);
batch('hostile names counted', 'SELECT count(*) AS key, count("$1") AS "q""u", count(*) AS key FROM "u" WHERE "key" = {0}',
	form => $grouped);
batch('quoted names', 'SELECT "WHERE" FROM "else where"."The Table" WHERE "The Key" = {0}', form => $any);
batch('u and q', 'SELECT q.title FROM book AS q, author AS u WHERE u.id = q.author_id AND u.id = {0} LIMIT 100',
	form => $lateral, others => [100]);

# Where the key may stand a second time, nobody knows which one it is.
for my $types (undef, 'integer, integer')
{
	my $second = defined $types ? '{1}' : '{0}';
	batch('twins', "SELECT title FROM book WHERE author_id = {0} AND id IN (SELECT x.id FROM book AS x WHERE x.author_id = $second)",
		$types ? (types => $types) : (), page => [ map { [ $_, $_ ] } 1 .. 10 ], unoffered => 1);
}
batch('volatile', 'SELECT title, random() FROM book WHERE author_id = {0}', unoffered => 1);
batch('queue', 'SELECT title FROM book WHERE author_id = {0} FOR UPDATE NOWAIT', form => $lateral);
batch('modifying', 'WITH x AS (UPDATE tag SET word = word RETURNING id) SELECT title FROM book WHERE author_id = {0}',
	unoffered => 1);

# Writes: what a batch leaves in the table is what the loop leaves there.  Keys come once; one of them is of no row.
$node->safe_psql('postgres', <<'SQL');
CREATE DOMAIN amount AS numeric(8, 2);
CREATE TABLE shelf (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, tenant integer, label varchar(20), price amount,
	open boolean DEFAULT true, tags text[], key integer, UNIQUE (tenant, label));
INSERT INTO shelf SELECT i, 1 + i % 3, 'label ' || i, i, i % 2 = 0, '{}', i FROM generate_series(1, 40) AS i;
SQL

sub contents
{
	my ($sql) = @_;

	return $node->safe_psql('postgres',
		"BEGIN;\n\\o /dev/null\n$sql;\n\\o\nSELECT s FROM shelf AS s ORDER BY s; ROLLBACK");
}

# rows: the values of each repeat, as they stand for {0}, {1}, …; arrays: which of them each array takes.
sub batch_write
{
	my ($title, $write, %case) = @_;
	my $name = "page $title " . ++$pages;
	my @rows = @{ $case{rows} };
	my $one = sub { my ($row) = @_; (my $sql = $write) =~ s/\{(\d)\}/$row->[$1]/g; $sql };

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	++$cases;
	psql_as($node, $name, join(";\n", 'BEGIN', (map { $one->($_) } @rows), "COMMIT;\n"));
	my $batched = $node->safe_psql('postgres',
		"SELECT coalesce(max(batched_query), count(*)::text) FROM remedy.n_plus_one WHERE application_name = '$name'");
	if ($case{unoffered})
	{
		--$cases;
		return is($batched, '1', "$title: found, and nothing offered");
	}
	like($batched, $case{form}, "$title: form") or return;
	++$offered;
	note $batched;
	my $arguments = join(', ', (map { my $of = $_; 'ARRAY[' . join(', ', map { $_->[$of] } @rows) . ']' } @{ $case{arrays} }),
		@{ $case{others} // [] });
	return is(contents("PREPARE b AS $batched;\nEXECUTE b($arguments)"), contents(join(";\n", map { $one->($_) } @rows)), $title);
}

my @ids = map { [ $_, "'new $_'", $_ % 3 + 1, "$_.255" ] } 3, 1, 99, 7, 12, 9, 20, 33, 18, 4, 40, 5;
batch_write('update', 'UPDATE shelf SET label = {1}, price = {3} WHERE id = {0}', rows => \@ids,
	arrays => [ 0, 1, 3 ], form => qr/^UPDATE shelf SET label = u.label, price = u.price\s+FROM unnest/);
batch_write('update of two keys', 'UPDATE shelf SET label = {1} WHERE id = {0} AND tenant = {2} RETURNING label',
	rows => \@ids, arrays => [ 0, 2, 1 ], form => qr/key_2.*RETURNING\s+label,\s+id/s);
batch_write('update of nothing new', 'UPDATE shelf SET open = (tags IS NULL) WHERE id = {0}', rows => \@ids, unoffered => 1);
batch_write('update of one value', 'UPDATE shelf SET key = CAST(current_date - current_date AS integer) WHERE id = {0}',
	rows => \@ids, arrays => [0], form => qr/WHERE id = ANY \(\$1::bigint\[\]\)$/);
batch_write('update by a condition', 'UPDATE shelf SET key = {2} WHERE id = {0} AND price < {3}', rows => \@ids,
	arrays => [ 0, 2, 3 ], form => qr/new_key.*price::numeric < u\.value/s);
batch_write('counter', 'UPDATE shelf SET key = key + 1 WHERE id = {0}', rows => \@ids, unoffered => 1);
batch_write('array', "UPDATE shelf SET tags = ARRAY[{1}] WHERE id = {0}", rows => \@ids, arrays => [ 0, 1 ],
	form => qr/ARRAY\[u\.value\]/);
batch_write('insert', 'INSERT INTO shelf (id, tenant, label, price, open) VALUES ({0}, {2}, upper({1}), {3}, DEFAULT) '
	. 'ON CONFLICT (id) DO UPDATE SET label = excluded.label RETURNING id', rows => \@ids, arrays => [ 0, 2, 1, 3 ],
	form => qr/SELECT u\.id, u\.tenant, upper\(u\.value\), u\.price\s+FROM unnest.*ON CONFLICT.*RETURNING .*\bid$/s);
batch_write('insert of a constant upsert', 'INSERT INTO shelf (id) VALUES ({0}) ON CONFLICT (id) DO UPDATE SET label = {1}',
	rows => \@ids, unoffered => 1);
batch_write('delete of two keys', 'DELETE FROM shelf WHERE id = {0} AND tenant = {2}', rows => \@ids, arrays => [ 0, 2 ],
	form => qr/USING unnest/);
batch_write('delete', 'DELETE FROM shelf WHERE id = {0}', rows => \@ids, arrays => [0],
	form => qr/^DELETE FROM shelf WHERE id = ANY/);

# The extended protocol, whose parameters have no types in the text.
my $wire = Wire->connect($node, 'wire');
$wire->query('BEGIN')->answers;
$wire->query('SELECT id, name FROM author')->answers;
$wire->parse('', 'SELECT title FROM book WHERE $1 = author_id AND price < $2')->bind('', '', $_, '40')->execute('')->sync->answers
  for 1 .. 10;
$wire->query('COMMIT')->answers;
$wire->disconnect;
is($node->safe_psql('postgres', q{SELECT batched_query FROM remedy.n_plus_one WHERE application_name = 'wire'}),
	'SELECT title, author_id FROM book WHERE (author_id = ANY ($1::integer[])) AND price < $2::numeric', 'extended protocol');

# A text that is too long for its place is not cut.
my @wide = map { "a_long_name_of_a_column_number_$_" } 1 .. 80;
$node->safe_psql('postgres', 'CREATE TABLE wide (author_id integer REFERENCES author, '
	. join(', ', map { "$_ integer" } @wide) . ')');
batch('wide', 'SELECT * FROM wide WHERE author_id = {0}', unoffered => 1);

# What the page itself does not need is not waited for: it reads one partition, its batch would lock all of them.
my $locker = client($node, 'locker');
$locker->query_safe('BEGIN; LOCK TABLE event_old');
batch('locked', q{SELECT what FROM event WHERE happened > '2020-02-01' AND author_id = {0}}, unoffered => 1);
$locker->quit;

# Nothing of it is left in the session.
is(run_page('settings', { parent => 'SELECT id FROM author',
		child => 'SELECT id FROM book WHERE author_id = {0}; SHOW lock_timeout; SHOW client_min_messages',
		page => [ map { [$_] } 1 .. 10 ] }) =~ s/^\d+\n//gmr, "notice\n" x 9 . 'notice', 'settings are as they were');

# Others do not see it.
$node->safe_psql('postgres', 'CREATE ROLE other LOGIN');
is($node->safe_psql('postgres', 'SELECT DISTINCT batched_query FROM remedy.n_plus_one', extra_params => [ '-U', 'other' ]),
	'<insufficient privilege>', 'hidden from other users');

is("$offered of $cases", "$cases of $cases", 'queries that a batched query is offered for');

done_testing();

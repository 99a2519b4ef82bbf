# Hypothetical indexes against real ones and against HypoPG's: the same plans, about the same costs and sizes.  And
# on a standby.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Remedy;
use Test::More;

# The statistics are those of all rows, not of another sample in each run.
my $node = plain('oracle', 'default_statistics_target = 200', 'jit = off', 'max_parallel_workers_per_gather = 0',
	'wal_level = replica', 'max_wal_senders = 4', 'fsync = off');
my $psql = sub { return $node->safe_psql('postgres', $_[0]) };
my $available = sub { return $psql->("SELECT count(*) FROM pg_available_extensions WHERE name = '$_[0]'") };
my $has_hypopg = $available->('hypopg');
my $has_trigrams = $available->('pg_trgm');

# ---- The data ------------------------------------------------------------------------------------------

$psql->(<<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE orders (id bigint PRIMARY KEY, buyer integer, shop integer, region integer, state text, email text,
	placed timestamptz, amount numeric, tags text[], doc jsonb, note text, marked boolean, seldom integer, body text);
SELECT setseed(0.5);
INSERT INTO orders
	SELECT i, (random() * 3000)::integer, s, s / 10, (ARRAY['new', 'paid', 'sent', 'done', 'done', 'done', 'done', 'done'])[1 + (random() * 7)::integer],
		'User' || (random() * 8000)::integer || '@Example.com', timestamptz '2026-01-01' + i * interval '1 minute', (random() * 1000)::numeric(10, 2),
		ARRAY['t' || (random() * 200)::integer, 't' || (random() * 200)::integer, 't' || (random() * random() * 200)::integer],
		jsonb_build_object('k', (random() * 1000)::integer, 'c', 'v' || (random() * 50)::integer), repeat('x', (random() * 100)::integer),
		random() < 0.02, CASE WHEN random() > 0.9 THEN (random() * 1000)::integer END,
		(SELECT string_agg('w' || (random() ^ 3 * 5000)::integer, ' ') FROM generate_series(1, 8) WHERE i > 0)
	FROM (SELECT i, (random() * 50)::integer AS s FROM generate_series(1, 60000) AS i) AS r;
VACUUM ANALYZE orders;
CREATE TABLE result (query text, ddl text, ours float8, ours_plan text, made float8, made_plan text, theirs float8,
	theirs_plan text);
CREATE TABLE size (ddl text, ours float8, made float8, theirs float8);

-- The plan without figures and names of indexes.
CREATE FUNCTION shape(plan text) RETURNS text LANGUAGE sql AS
	$$ SELECT regexp_replace(regexp_replace(plan, ' *\(cost=[^)]*\)', '', 'g'), '(using|on) (?!orders)\S+|(using|on) orders_\S+|(using|on) <\S+', 'using I', 'g') $$;
CREATE FUNCTION explain(query text, OUT plan text, OUT cost float8) LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP plan := concat_ws(E'\n', plan, line); END LOOP;
	cost := substring(plan FROM '\.\.([0-9.]+)');
END $$;
CREATE FUNCTION theirs(ddl text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE bytes float8;
BEGIN
	PERFORM hypopg_reset();
	SELECT hypopg_relation_size(indexrelid) INTO bytes FROM hypopg_create_index(ddl);
	RETURN bytes;
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END $$;
CREATE FUNCTION made(ddl text) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE replace(ddl, 'INDEX ON', 'INDEX made_index ON');
	RETURN pg_relation_size('made_index');
END $$;
CREATE FUNCTION compare(query text, ddl text, hypopg boolean) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE new_plan text; new_cost float8; their_plan text; their_cost float8;
BEGIN
	IF hypopg AND theirs(ddl) IS NOT NULL THEN
		SELECT * INTO their_plan, their_cost FROM explain(compare.query);
	END IF;
	IF hypopg THEN
		PERFORM hypopg_reset();
	END IF;
	INSERT INTO result (query, ddl, ours, ours_plan, theirs, theirs_plan)
		SELECT compare.query, compare.ddl, cost_after, shape(plan_after), their_cost, shape(their_plan) FROM remedy.what_if(compare.query, compare.ddl);
	PERFORM made(ddl);
	SELECT * INTO new_plan, new_cost FROM explain(compare.query);
	DROP INDEX made_index;
	UPDATE result AS r SET made = new_cost, made_plan = shape(new_plan)
		WHERE (r.query, r.ddl) = (compare.query, compare.ddl);
END $$;
CREATE FUNCTION compare_sizes(ddl text, hypopg boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO size SELECT ddl, (SELECT size_bytes[1] FROM remedy.what_if('SELECT', ddl)), made(ddl), CASE WHEN hypopg THEN theirs(ddl) END;
	DROP INDEX made_index;
END $$;
SQL
$psql->('CREATE EXTENSION hypopg') if $has_hypopg;
$psql->('CREATE EXTENSION pg_trgm') if $has_trigrams;
my $hypopg = $has_hypopg ? 'true' : 'false';

# ---- Plans and costs -----------------------------------------------------------------------------------

my @pairs = (
	[ 'buyer = 77', '(buyer)' ], [ 'buyer IN (1, 2, 3)', '(buyer)' ], [ 'buyer BETWEEN 5 AND 9', '(buyer)' ],
	[ 'buyer > 10', '(buyer)' ], [ "state = 'new'", '(state)' ], [ "state = 'done'", '(state)' ],
	[ 'seldom < 10', '(seldom)' ], [ 'seldom IS NULL LIMIT 10', '(seldom)' ], [ 'seldom IS NOT NULL', '(seldom)' ],
	[ 'true ORDER BY placed DESC LIMIT 20', '(placed)' ],
	[ 'true ORDER BY buyer, placed DESC LIMIT 20', '(buyer, placed DESC)' ],
	[ 'true ORDER BY buyer DESC NULLS LAST LIMIT 5', '(buyer DESC NULLS LAST)' ],
	[ 'true ORDER BY buyer DESC NULLS LAST LIMIT 5', '(buyer)' ],
	[ 'buyer = 5 ORDER BY placed DESC LIMIT 20', '(buyer, placed)' ],
	[ "email = 'User5\@Example.com'", '(email)' ], [ "email LIKE 'User12%'", '(email text_pattern_ops)' ],
	[ "email < 'User12' COLLATE \"C\"", '(email COLLATE "C")' ],
	[ 'buyer = 5 AND shop = 7', '(buyer, shop)' ], [ 'shop = 7 AND buyer < 10', '(shop, buyer)' ],
	[ "shop = 7 AND state = 'paid'", '(shop, state)' ], [ 'shop = 7', '(buyer, shop)' ],
	[ 'marked AND buyer = 7', '(buyer) WHERE marked' ], [ 'marked', '(id) WHERE marked' ], [ 'NOT marked', '(id) WHERE marked' ],
	[ "state = 'new' AND placed > '2026-02-01'", "(placed) WHERE state = 'new'" ],
	[ 'seldom = 5', '(seldom) WHERE seldom IS NOT NULL' ], [ 'buyer = 5 OR shop = 77', '(buyer)' ],
	[ 'id = 5', 'USING hash (id)' ], [ 'buyer = 5', 'USING hash (buyer)' ], [ 'buyer < 5', 'USING hash (buyer)' ],
	[ "placed < '2026-01-02'", 'USING brin (placed)' ], [ 'buyer = 7', 'USING brin (buyer)' ],
	[ "placed > '2026-02-01' AND buyer = 7", 'USING brin (placed, buyer)' ],
	[ "placed < '2026-01-02'", 'USING brin (placed) WITH (pages_per_range = 8)' ],
	[ 'id IN (SELECT shop FROM orders WHERE buyer = 12)', '(buyer)' ]);
my @wholes = (
	[ 'SELECT buyer FROM orders WHERE buyer BETWEEN 5 AND 50', '(buyer)' ],
	[ 'SELECT amount FROM orders WHERE buyer = 5', '(buyer) INCLUDE (amount)' ],
	[ 'SELECT sum(amount) FROM orders WHERE buyer < 500', '(buyer) INCLUDE (amount)' ],
	[ "SELECT count(*) FROM orders WHERE state = 'new'", '(state)' ],
	[ 'SELECT max(placed) FROM orders WHERE shop = 5', '(shop, placed)' ],
	[ 'SELECT DISTINCT shop FROM orders', '(shop)' ],
	[ 'SELECT shop, count(*) FROM orders GROUP BY shop', '(shop)' ],
	[ 'SELECT o.* FROM orders AS o JOIN (VALUES (1), (5), (9)) AS v (b) ON o.buyer = v.b', '(buyer)' ],
	[ 'SELECT a.id FROM orders AS a JOIN orders AS b ON a.buyer = b.shop WHERE b.id < 100', '(buyer)' ],
	[ 'UPDATE orders SET note = NULL WHERE buyer = 9', '(buyer)' ],
	[ "DELETE FROM orders WHERE placed BETWEEN '2026-01-10' AND '2026-01-10 01:00'", '(placed)' ]);
my @inverted = (
	[ "tags @> '{t5}'", 'USING gin (tags)' ], [ "tags @> '{t5,t7}'", 'USING gin (tags)' ], [ "tags && '{t5,t7}'", 'USING gin (tags)' ],
	[ "doc @> '{\"k\": 5}'", 'USING gin (doc)' ], [ "doc @> '{\"k\": 5}'", 'USING gin (doc jsonb_path_ops)' ],
	[ "tags @> '{t5}' AND marked", 'USING gin (tags) WHERE marked' ],
	$has_trigrams ? [ "email LIKE '%ser12345@%'", 'USING gin (email gin_trgm_ops)' ] : ());
my $compare = sub {
	my ($query, $ddl) = @_;
	$psql->("SELECT compare(\$q\$$query\$q\$, \$q\$CREATE INDEX ON orders $ddl\$q\$, $hypopg)");
};
$compare->("SELECT * FROM orders WHERE $_->[0]", $_->[1]) for @pairs, @inverted;
$compare->(@$_) for @wholes;

is($psql->('SELECT count(*) FROM result'), @pairs + @inverted + @wholes, 'all are compared');
is($psql->('SELECT query, ddl, ours_plan, made_plan FROM result WHERE ours_plan <> made_plan'), '',
	'the plans are those with the real indexes');
is($psql->(q(SELECT query, ddl, ours, made FROM result WHERE ddl !~ 'gin' AND abs(ours - made) > greatest(made * CASE WHEN ddl ~ 'WHERE' THEN 0.1 ELSE 0.02 END, 0.5))), '',
	'the costs are those with the real indexes, within 2 %, or 10 % where these know their rows');
is($psql->(q(SELECT query, ddl, ours, made FROM result WHERE ddl ~ 'gin' AND abs(ours - made) > made * 0.1)), '',
	'and within 10 % of GIN');
SKIP:
{
	skip 'HypoPG is not installed', 3 unless $has_hypopg;
	cmp_ok($psql->('SELECT count(*) FROM result WHERE theirs IS NOT NULL'), '>=', 40, 'HypoPG can do most');
	is($psql->("SELECT query, ddl, ours_plan, theirs_plan FROM result WHERE ours_plan <> theirs_plan AND theirs_plan <> made_plan IS FALSE"), '',
		'the plans are those with HypoPG, but where its own are not those with the real index');
	is($psql->(q(SELECT query, ddl, ours, theirs, made FROM result
		WHERE abs(ours - theirs) > greatest(theirs * 0.01, 0.05) AND abs(ours - made) > abs(theirs - made) + 0.01)), '',
		'the costs are those with HypoPG within 1 %, or nearer to those with the real index');
	note $psql->(q(SELECT format('%s of %s costs within 1 %% of HypoPG''s; mean error %s %%, HypoPG''s %s %%',
		count(*) FILTER (WHERE abs(ours - theirs) <= theirs * 0.01), count(*),
		round(100 * avg(abs(ours / made - 1))::numeric, 2), round(100 * avg(abs(theirs / made - 1))::numeric, 2))
		FROM result WHERE theirs IS NOT NULL));
}

# Expressions have statistics only after ANALYZE of a real index; a sample tells about the same.
is($psql->(q(SELECT condition, plan_before, plan_after
	FROM (VALUES ('lower(email) = $1', '(lower(email))', 4, 16), ($$doc ->> 'k' = '55'$$, $$((doc ->> 'k'))$$, 20, 180),
		($$to_tsvector('simple', body) @@ 'w4711'$$, $$USING gin (to_tsvector('simple', body))$$, 1, 200)) AS v (condition, columns, low, high),
	LATERAL remedy.what_if('SELECT * FROM orders WHERE ' || condition, 'CREATE INDEX ON orders ' || columns)
	WHERE plan_before !~ 'rows=300 ' OR substring(plan_after FROM 'rows=(\d+)')::integer NOT BETWEEN low AND high)), '',
	'sampled expressions');

# ---- Sizes ---------------------------------------------------------------------------------------------

my @trees = qw[(id) (buyer) (shop) (state) (email) (placed) (amount) (marked) (seldom) (note) (body) (lower(email)) ((doc->>'k'))];
push @trees, '(buyer, shop)', '(shop, state)', '(buyer, placed)', '(state, seldom)', '(shop, region)', '(buyer) INCLUDE (amount)', '(id, email)',
	'(buyer) WHERE marked', "(buyer) WHERE state = 'new'", '(placed) WHERE seldom IS NOT NULL', '(shop) WITH (deduplicate_items = off)',
	'(id) WITH (fillfactor = 50)', 'USING hash (id)', 'USING hash (buyer)';
my @others = ('USING brin (placed)', 'USING brin (placed, email) WITH (pages_per_range = 2)', 'USING gin (tags)', 'USING gin (doc)',
	'USING gin (doc jsonb_path_ops)', "USING gin (to_tsvector('simple', body))", 'USING gin (tags) WHERE marked');
push @others, 'USING gin (email gin_trgm_ops)', 'USING gin (body gin_trgm_ops)' if $has_trigrams;
$psql->("SELECT compare_sizes(\$q\$CREATE INDEX ON orders $_\$q\$, $hypopg)") for @trees, @others;
is($psql->(q(SELECT ddl, ours / made, theirs / made FROM size WHERE ddl !~ 'brin|gin' AND abs(ours - made) > greatest(0.3 * made, 8192))), '',
	'sizes of trees and hashes, within 30 %');
is($psql->(q(SELECT ddl, ours / made, theirs / made FROM size WHERE ddl ~ 'brin|gin' AND abs(ours - made) > greatest(0.5 * made, 8192))), '',
	'sizes of BRIN and GIN, within 50 %');
note $psql->(q(SELECT format('mean error of sizes %s %%, HypoPG''s %s %%', round(100 * avg(abs(ours / made - 1))::numeric, 1),
	round(100 * avg(abs(theirs / made - 1))::numeric, 1)) FROM size WHERE ddl !~ 'gin'));

# ---- On a standby --------------------------------------------------------------------------------------

my $asked = q(SELECT indexes_used, round(cost_after) FROM remedy.what_if('SELECT * FROM orders WHERE lower(email) = $1', 'CREATE INDEX ON orders (lower(email))'));
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $asked), $psql->($asked), 'the same on a standby');

done_testing();

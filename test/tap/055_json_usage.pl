# What many sessions and roles do with json columns, who may see it, and what becomes of the advice where the sample
# cannot be taken.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = preloaded('json_usage', 'pg_remedy.save = off');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE ROLE shop LOGIN;
CREATE ROLE other LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats;
GRANT CREATE ON SCHEMA public TO shop;
SET ROLE shop;
CREATE TABLE orders (id integer, doc json);
CREATE TABLE docs (id integer, doc jsonb);
INSERT INTO orders SELECT i, json_build_object('user', (i * 7919) % 20000, 'status', i % 4, 'hash', md5(i::text),
	'lines', json_build_array(json_build_object('sku', (i * 31) % 700, 'n', i % 9), json_build_object('sku', (i * 37) % 700)),
	'note', repeat('x', i % 50)) FROM generate_series(1, 60000) AS i;
INSERT INTO docs SELECT * FROM orders;
CREATE TABLE notes AS SELECT * FROM docs LIMIT 10;
CREATE INDEX ON orders (id);
ANALYZE orders;
ANALYZE docs;
CREATE FUNCTION nested(which text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT count(*) FROM orders WHERE doc ->> 'status' = which);
END $$;
GRANT SELECT ON orders, docs TO other, watcher;
RESET ROLE;
SELECT remedy.reset();
SQL

sub as
{
	my ($role, $sql) = @_;

	my ($status, $out, $err) = $node->psql('postgres', $sql, extra_params => ['-U', $role]);
	return $status == 0 ? $out : "error: $err";
}

sub used
{
	my ($role, $column) = @_;

	return as($role, "SELECT path, comparison, statements, calls, rows_read FROM remedy.json_usage
		WHERE table_name = 'public.orders' AND operation = '->>' AND $column ORDER BY path::text");
}

# ---- All sessions together -------------------------------------------------------------------------------------

for my $user (17, 18, 19)
{
	as('shop', "SELECT count(*) FROM orders WHERE doc ->> 'user' = '$user'");
}
as('shop', "SELECT nested('2')");
as('other', "SELECT count(id) FROM orders WHERE doc ->> 'hash' = 'x'");
{
	my $wire = Wire->connect($node, 'wire');
	$wire->parse('one', "SELECT id FROM orders WHERE doc #>> '{lines,0,sku}' = \$1");
	for my $sku (1 .. 3)
	{
		$wire->bind('', 'one', $sku);
		$wire->execute('');
	}
	$wire->sync;
	$wire->answers;
	$wire->disconnect;
}

is(used('watcher', "path = '{user}'"), '{user}|=|1|3|180000', 'calls of three sessions, and the rows that they read');
is(used('watcher', "path = '{status}'"), '{status}|=|1|1|60000', 'what a function does');
is( as('watcher', "SELECT path, comparison, calls FROM remedy.json_usage WHERE operation = '#>>'"),
	'{lines,0,sku}|=|3', 'a prepared statement with a parameter');

# Keys are constants, so statements that differ in nothing else are one.
for my $keep ('off', 'on')
{
	$node->safe_psql('postgres', "ALTER SYSTEM SET pg_remedy.keep_values = $keep");
	$node->reload;
	my $paths = join(' ', map { "SELECT max(id) FROM notes WHERE doc ->> '$_' = 'x';" } ('key', 'word'));
	as('shop', $paths);
	is( as('shop', "SELECT path, calls FROM remedy.json_usage WHERE path && '{key,word}' ORDER BY path::text"),
		$keep eq 'on' ? "{key}|2\n{word}|2" : '{key}|2', "paths of one statement, keep_values = $keep");
}
$node->safe_psql('postgres', 'ALTER SYSTEM RESET pg_remedy.keep_values');
$node->reload;

# ---- Who may see it -----------------------------------------------------------------------------------------------

is(used('shop', "path = '{hash}'"), '', 'statements of other roles are not shown');
is(used('other', 'true'), '{hash}|=|1|1|60000', 'but one\'s own are');
like(as('other', "SELECT workload FROM remedy.json_columns"), qr/^->> 'hash' = \(1 call, [0-9.]+ m?s\)$/, 'nor are they judged');
like(as('watcher', "SELECT workload FROM remedy.json_columns"), qr/->> 'user' = \(3 calls, /, 'pg_read_all_stats sees all');
is(as('other', "SELECT count(*) FROM remedy.json_readers('orders', 'doc') WHERE object LIKE 'function%'"), '1', 'bodies are for all');
$node->safe_psql('postgres', 'REVOKE SELECT ON orders FROM other');
is(as('other', 'SELECT count(*) FROM remedy.json_columns'), '0', 'columns of tables that one may not read are not shown');
like(as('other', "SELECT * FROM remedy.advise_json_indexes('orders', 'doc')"), qr/permission denied for table orders/, 'nor advised on');

# ---- The advice --------------------------------------------------------------------------------------------------

is( as('shop', "SELECT advice, fix_sql FROM remedy.json_columns"),
	"stay with json, build an index|CREATE INDEX CONCURRENTLY ON public.orders (((doc ->> 'user'::text)))",
	'an index is all that is missing');
as('shop', "SELECT count(*) FROM docs WHERE doc ->> 'user' = '17'");
as('shop', "SELECT count(id) FROM docs WHERE doc ->> 'hash' = 'x'");
is( as('shop', "SELECT string_agg(method, ',') FROM remedy.advise_json_indexes('docs', 'doc')"),
	'btree,btree', 'no GIN where paths are compared and nothing else is');

# Each as it is built then.
as('shop', "SELECT count(*) FROM docs WHERE doc @> '{\"user\": 17}'");
for my $class ('jsonb_path_ops', 'jsonb_ops')
{
	is( as('shop', "CREATE TABLE advised AS SELECT * FROM remedy.advise_json_indexes('docs', 'doc');
		CREATE INDEX built ON docs USING gin (doc $class);
		SELECT definition, size_bytes / pg_relation_size('built')::numeric BETWEEN 0.7 AND 1.3, build_ms > 0 FROM advised WHERE method = 'gin';
		DROP INDEX built; DROP TABLE advised"),
		"CREATE INDEX ON public.docs USING gin (doc $class)|t|t", "$class, of the size that it has when it is built");
	as('shop', "SELECT count(*) FROM docs WHERE doc ? 'user '");
}
is( as('shop', "CREATE TABLE advised AS SELECT * FROM remedy.advise_json_indexes('docs', 'doc');
	CREATE INDEX built ON docs ((doc ->> 'user'));
	SELECT size_bytes / pg_relation_size('built')::numeric BETWEEN 0.7 AND 1.3 FROM advised WHERE definition LIKE '%user%';
	DROP INDEX built; DROP TABLE advised"),
	't', 'likewise a btree');

# ---- Where no sample can be taken -------------------------------------------------------------------------------

my $advice = "SELECT DISTINCT size_bytes IS NULL, build_ms IS NULL, substring(reason, 'SQLSTATE .....')
	FROM remedy.advise_json_indexes('docs', 'doc') WHERE method = 'gin'";
is(as('shop', "BEGIN READ ONLY; $advice"), 't|t|SQLSTATE 25006', 'a read-only transaction');
$node->safe_psql('postgres', 'REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC');
is(as('shop', $advice), 't|t|SQLSTATE 42501', 'no temporary tables');
$node->safe_psql('postgres', 'GRANT TEMPORARY ON DATABASE postgres TO PUBLIC');
is(as('shop', "SET maintenance_work_mem = '70MB'; SELECT count(*) FROM remedy.advise_json_indexes('docs', 'doc');
	SELECT current_setting('maintenance_work_mem'), to_regclass('pg_temp.remedy_json_sample') IS NULL"),
	"3\n70MB|t", 'otherwise nothing is left of it');

# What jsonb refuses.
as('shop', "INSERT INTO orders VALUES (1, '{\"a\": \"\\u0000\"}')");
as('shop', "SELECT count(*) FROM orders WHERE id = 5 AND doc::jsonb @> '{\"user\": 17}'");
like(as('shop', "SELECT string_agg(method || ' ' || reason, ' ') FROM remedy.advise_json_indexes('orders', 'doc') WHERE definition LIKE '%gin%'"),
	qr/^(none|gin) .*(could not be created|SQLSTATE 22P05|would not use it)/, 'documents that jsonb refuses');

# ---- Others' functions ------------------------------------------------------------------------------------------

as('shop', "CREATE FUNCTION trap(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS \$\$ BEGIN
	RAISE NOTICE 'called as %', current_user; RETURN \$1; END \$\$;
	SELECT count(*) FROM docs WHERE id < 5 AND trap(doc ->> 'user') = '17';
	SELECT count(*) FROM docs WHERE id < 5 AND trap(doc::text) = '17'");
my ($status, $out, $err) = $node->psql('postgres', "SELECT count(*) FROM remedy.advise_json_indexes('docs', 'doc');
	SELECT count(*) > 0 FROM remedy.json_usage; SELECT count(*) > 0 FROM remedy.json_columns");
is("$status $err", '0 ', 'who asks for advice runs no function of a statement\'s user');

done_testing();

# A transaction that sees the rows as they were before they were filled sees their documents to its end: the swap
# waits for it.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('snapshots');
my $state = 'FROM remedy.json_migrations';

$node->safe_psql('postgres', q{CREATE EXTENSION pg_remedy; CREATE TABLE docs (id integer, doc json);
	INSERT INTO docs VALUES (1, '{"a":1}')});
my $reader = client($node, 'reader');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
my $runner = client($node, 'runner');
$runner->query_until(qr/running/, "\\echo running\nCALL remedy.migrate_json('docs', 'doc');\n");
wait_until($node, "EXISTS (SELECT $state WHERE resting LIKE 'transactions run that began before%' OR phase = 'swapped')",
	'it to wait for the reader, or not');
is($reader->query_safe('SELECT doc FROM docs'), '{"a":1}', 'a transaction from before the filling sees its documents');
$reader->query_safe('COMMIT');
wait_until($node, "phase = 'swapped' $state", 'the swap');
$runner->query('SELECT 1');
like($runner->{stderr}, qr/waits for transactions that began before all rows were filled/, 'the runner says why it waits');

# Later ones see both columns, and nobody waits for them.
$node->safe_psql('postgres', "CALL remedy.undo_json_migration('docs', 'doc')");
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$node->safe_psql('postgres', "CALL remedy.migrate_json('docs', 'doc')");
is($reader->query_safe('SELECT doc FROM docs'), '{"a": 1}', 'a later one sees the new column, filled');
$_->quit foreach $reader, $runner;
$node->stop;
done_testing();

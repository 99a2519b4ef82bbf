# Advised indexes are noticed in whatever session they are built, not before their transaction is over, and what was
# noticed outlives the server, without a constant in the file.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('built', 'pg_remedy.save = off', 'compute_query_id = on');
my $file = $node->data_dir . '/pg_stat/pg_remedy.stat';

sub ask { return $node->safe_psql('postgres', $_[0]); }

sub outcomes
{
	return ask('SELECT index_name, verdict, calls_before, calls_after FROM remedy.index_outcomes ORDER BY definition');
}

sub advise
{
	my ($definition) = @_;

	ask("SELECT remedy.remember_advice('item', '$definition', 100, 50, 5,
		(SELECT array_agg(DISTINCT query_id) FROM remedy.statements WHERE query LIKE 'SELECT sum(id) FROM item%'))");
	return;
}

sub call { ask('SELECT sum(id) FROM item WHERE name = \'x\'') for 1 .. $_[0]; return; }

ask('CREATE EXTENSION pg_remedy');
ask('CREATE DATABASE other');
ask('CREATE TABLE item (id integer, name text)');
call(3);
advise('CREATE INDEX ON public.item USING btree (name)');
advise('CREATE INDEX ON public.item USING btree (name, id) WHERE (name > \'\'4711\'\'::text)');
is(outcomes(), "|not built|0|0\n|not built|0|0", 'advice is seen by all sessions');
is($node->safe_psql('other', 'CREATE EXTENSION pg_remedy; SELECT count(*) FROM remedy.index_outcomes'),
	'0', 'but not in other databases');

# ---- An index that is built in a transaction that goes on ---------------------------------------------------

my $builder = client($node, 'builder');
$builder->query_safe('BEGIN; CREATE INDEX named ON item (name);');
call(2);
is(outcomes(), "|not built|0|0\n|not built|0|0", 'it is not there for others yet');
$builder->query_safe('COMMIT;');
is(outcomes(), "public.named|too early|3|2\n|not built|0|0", 'it was noticed when it was built');

$builder->query_safe('BEGIN; CREATE INDEX partial ON item (name, id) WHERE name > \'4711\'; ROLLBACK;');
call(1);
is(outcomes(), "public.named|too early|3|3\n|not built|0|0", 'another one was rolled back');
$builder->query_safe('CREATE INDEX CONCURRENTLY partial ON item (name, id) WHERE name > \'4711\';');
call(1);
is(outcomes(), "public.named|too early|3|4\npublic.partial|too early|6|1", 'and built later');

# ---- Restarts ---------------------------------------------------------------------------------------------

$builder->quit;
ask('SELECT remedy.save()');
unlike(slurp_file($file), qr/4711/, 'the file holds no constant');
$node->restart;
is(outcomes(), "public.named|too early|3|4\npublic.partial|too early|6|1", 'all is known after a restart');
is(ask("SELECT definition FROM remedy.index_outcomes WHERE index_name = 'public.partial'"),
	'CREATE INDEX ON public.item USING btree (name, id) WHERE (name > ?::text)', 'but for constants');
call(10);
ask('DROP INDEX named');
ask('ALTER INDEX partial RENAME TO renamed');
like(outcomes(), qr/^\|gone\|3\|14\npublic\.renamed\|(faster|slower|no change)\|6\|11$/, 'counting goes on');
ask('SELECT remedy.reset()');
is(outcomes(), '', 'a reset forgets');

done_testing();

# Beside other modules that hook the executor, before and after them: the same counts and findings.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my @modules = qw(pg_stat_statements auto_explain);

chomp(my $libraries = qx(pg_config --pkglibdir));
for my $module (@modules)
{
	plan skip_all => "$module is not installed" unless -e "$libraries/$module.so";
}
push @modules, 'pg_qualstats' if -e "$libraries/pg_qualstats.so";

my $work = lazy_page(6) . <<'SQL';
SELECT three();
INSERT INTO checked VALUES (1), (2), (3);
DO $$ BEGIN FOR i IN 1 .. 5 LOOP PERFORM count(*) FROM book WHERE author_id = i; END LOOP; END $$;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM book;
FETCH 10 FROM c;
SELECT 1;
FETCH 10 FROM c;
SAVEPOINT s;
INSERT INTO author VALUES (1, 'twice');
ROLLBACK TO s;
COMMIT;
PREPARE p AS SELECT title FROM book WHERE id = $1;
EXECUTE p(1);
EXECUTE p(2);
COPY book TO STDOUT;
SELECT 1 / (id - 5) FROM author;
EXPLAIN SELECT count(*) FROM book;
SQL

# Counts and findings of the same work on a server with these modules.
sub seen
{
	my ($name, $preload) = @_;
	my $node = Remedy::server($name, $preload);

	if ($preload =~ /auto_explain/)
	{
		$node->append_conf('postgresql.conf', <<'CONF');
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_nested_statements = on
pg_stat_statements.track = all
pg_stat_statements.track_planning = on
CONF
		$node->append_conf('postgresql.conf', 'pg_qualstats.sample_rate = 1') if $preload =~ /pg_qualstats/;
		$node->reload;
	}
	library_shop($node);
	$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE checked (author_id integer REFERENCES author);
CREATE FUNCTION three() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM book;
	PERFORM count(*) FROM book;
	RETURN (SELECT count(*) FROM author);
END $$;
SQL
	my $counts = added($node, 'client', sub { psql_as($node, 'client', $work) });
	my $findings = $node->safe_psql('postgres', <<'SQL');
SELECT level, kind, direction, child_table, child_column, parent_table, parent_column, repeats_max, repeats_total,
	units, parent_rows, child_query, parent_query, key
FROM remedy.n_plus_one ORDER BY key
SQL
	my %seen = (counts => $counts, findings => $findings, log => slurp_file($node->logfile));
	if ($preload =~ /pg_stat_statements/)
	{
		$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
		$seen{calls} = $node->safe_psql('postgres', <<'SQL');
SELECT toplevel, sum(calls) FROM pg_stat_statements
WHERE query LIKE 'SELECT id, title FROM book WHERE author_id%' OR query LIKE '%(SELECT count(*) FROM author)'
	OR query LIKE 'COPY%'
GROUP BY toplevel ORDER BY toplevel
SQL
	}
	$node->stop;
	return \%seen;
}

my $alone = seen('alone', $ENV{PG_REMEDY_LIBRARY});
is_deeply($alone->{counts}, { transactions => 10, statements => 18, nested_statements => 11, failed_statements => 2,
	rows => 10 + 18 + 1 + 3 + 20 + 1 + 2 + 30 },
	'alone: counts');
like($alone->{findings}, qr/^likely\|select\|1:N\|public.book\|author_id\|public.author\|id\|6\|6\|1\|10\|/,
	'alone: a finding');

my $others = join(',', @modules);
for my $preload ("$ENV{PG_REMEDY_LIBRARY},$others", "$others,$ENV{PG_REMEDY_LIBRARY}")
{
	my $order = $preload =~ /^pg_stat/ ? 'after' : 'before';
	my $beside = seen("loaded_$order", $preload);

	is_deeply($beside->{counts}, $alone->{counts}, "loaded $order the others: the same counts");
	is($beside->{findings}, $alone->{findings}, "loaded $order the others: the same findings");
	is($beside->{calls}, "f|1\nt|7", 'pg_stat_statements counts, and knows what is nested');
	like($beside->{log}, qr/Query Text: SELECT id, title FROM book/, 'auto_explain explains');
}

done_testing();

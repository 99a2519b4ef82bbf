# Indexes that are being built or dropped are not broken ones; what is left of that when it is cut off is.  Standbys
# count for themselves.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = '$ENV{PG_REMEDY_LIBRARY}'\ntrack_commit_timestamp = on");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy; CREATE ROLE reader LOGIN;
	CREATE TABLE book (id integer PRIMARY KEY, author integer, title text);
	INSERT INTO book SELECT i, i % 10, i FROM generate_series(1, 1000) AS i');

sub invalid
{
	my ($role) = @_;

	return scalar psql_as($node, 'watcher',
		"SELECT index_name || ': ' || fix_sql FROM remedy.invalid_indexes ORDER BY index_name COLLATE \"C\"", role => $role);
}

# A command that waits for a transaction that reads the table, and thus leaves an index that is not valid meanwhile.
sub cut_off
{
	my ($command, $left) = @_;
	my $reader = client($node, 'holder');
	my $builder = client($node, 'builder');

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$reader->query_safe("BEGIN;\nINSERT INTO book VALUES (-1);\nSELECT 1");
	$builder->query_until(qr/begun/, "\\echo begun\n$command;\n");
	wait_until($node, "count(*) = 1 FROM pg_stat_activity WHERE application_name = 'builder' AND wait_event_type = 'Lock'",
		$command);
	isnt($node->safe_psql('postgres', "SELECT count(*) FROM pg_index WHERE NOT indisvalid"), 0, "there is one: $command");
	is(invalid(), '', "not listed while it goes on");
	is(invalid('reader'), '', 'nor to an ordinary role');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend(" . pid_of($node, 'builder') . ')');
	wait_until($node, "count(*) = 1 FROM pg_stat_activity WHERE application_name = 'builder' AND state = 'idle'", 'the end');
	is(invalid('reader'), $left, 'listed when it was cut off');
	$reader->query_safe('ROLLBACK');
	$_->quit for $reader, $builder;
	$node->safe_psql('postgres', "SELECT fix_sql FROM remedy.invalid_indexes \\gexec");
	is(invalid(), '', 'and repaired');
	return;
}

cut_off('CREATE INDEX CONCURRENTLY book_author ON book (author)',
	'public.book_author: REINDEX INDEX CONCURRENTLY public.book_author');
cut_off('REINDEX INDEX CONCURRENTLY book_author',
	'public.book_author_ccnew: DROP INDEX CONCURRENTLY public.book_author_ccnew');
cut_off('DROP INDEX CONCURRENTLY book_author', 'public.book_author: REINDEX INDEX CONCURRENTLY public.book_author');

# ---- Statistics since, and of other servers ------------------------------------------------------------

my $unused = "SELECT regexp_replace(why, '^.*written; |^.*need it; ', '') FROM remedy.unused_indexes WHERE table_name = 'public.book'";

$node->safe_psql('postgres', 'SELECT pg_stat_reset()');
$node->safe_psql('postgres', 'CREATE INDEX book_title ON book (title)');
is($node->safe_psql('postgres', "SELECT index_name, since > stats_reset
	FROM remedy.unused_indexes, pg_stat_database WHERE datname = current_database() ORDER BY index_name"),
	"public.book_author|f\npublic.book_title|t", 'the creation is known by commit timestamps');
like($node->safe_psql('postgres', $unused), qr/a standby, if there is one/, 'no standby');

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
like(scalar psql_as($node, 'reader', $unused, role => 'reader'), qr/there are standbys/, 'an ordinary role is told of it');
like($standby->safe_psql('postgres', $unused), qr/this standby alone/, 'on the standby');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM remedy.redundant_indexes, remedy.invalid_indexes, remedy.unindexed_foreign_keys'),
	0, 'the others can be read there');
$standby->safe_psql('postgres', "SELECT count(*) FROM remedy.findings");
is(complaints($standby), '', 'without complaint');
$standby->stop;

$node->stop;
done_testing();

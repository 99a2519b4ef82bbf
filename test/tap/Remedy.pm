# Remedy: what the tests of this folder share: servers with pg_remedy, clients of them, and what remedy.transactions
# says of these clients.
#
# Every client bears an application_name, and counts are looked up under it by another session.  Nothing depends on
# how long something takes: what happens in another process is waited for, not slept for.

package Remedy;

use strict;
use warnings FATAL => 'all';

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(server preloaded plain psql_as client totals added counted wait_until pid_of asleep complaints
  library_shop lazy_page);

# A running server with these lines of settings; preload is a list of libraries. Autovacuum may lock a catalog for a
# moment, and what needs the catalog is then left out; so a test that wants it has to say so.
sub server
{
	my ($name, $preload, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', join("\n", "shared_preload_libraries = '$preload'", 'autovacuum = off', @settings));
	$node->start;
	return $node;
}

sub preloaded { my ($name, @settings) = @_; return server($name, $ENV{PG_REMEDY_LIBRARY}, @settings); }
sub plain { my ($name, @settings) = @_; return server($name, '', @settings); }

# Runs SQL as an application, each statement a message of its own, going on after errors.  Options: database, role,
# message => 1 (all of it in one message), and those of PostgreSQL::Test::Cluster's psql().
# Returns what was printed; in a list, also the errors.
sub psql_as
{
	my ($node, $application, $sql, %options) = @_;
	my $database = delete $options{database} // 'postgres';
	my @words = as_role(delete $options{role});
	my ($printed, $errors) = ('', '');

	if (delete $options{message})
	{
		push @words, '-c', $sql;
		$sql = '';
	}
	local $ENV{PGAPPNAME} = $application;
	$node->psql($database, $sql, on_error_stop => 0, stdout => \$printed, stderr => \$errors,
		extra_params => \@words, %options);
	note("errors of $application: $errors") if $errors ne '';
	return wantarray ? ($printed, $errors) : $printed;
}

sub as_role { my ($role) = @_; return defined $role ? ('-U', $role) : (); }

# A session that stays open, going on after errors.  Options as above.
sub client
{
	my ($node, $application, %options) = @_;

	local $ENV{PGAPPNAME} = $application;
	return $node->background_psql($options{database} // 'postgres', on_error_stop => 0,
		extra_params => [ as_role($options{role}) ]);
}

my @measures = qw(transactions statements nested_statements failed_statements rows);

# What remedy.transactions says of an application, zeroes if it knows none.
sub totals
{
	my ($node, $application, $database) = @_;
	my $sums = join(', ', map { "coalesce(sum($_), 0)" } @measures);
	my $row = $node->safe_psql($database // 'postgres',
		"SELECT $sums FROM remedy.transactions WHERE application_name = '$application'");
	my %totals;

	@totals{@measures} = split(/\|/, $row);
	return \%totals;
}

# What a piece of work adds to the totals of an application.
sub added
{
	my ($node, $application, $work) = @_;
	my $before = totals($node, $application);

	$work->();
	my $after = totals($node, $application);
	return { map { $_ => $after->{$_} - $before->{$_} } @measures };
}

# A test: SQL, or whatever a function does as the application "client", is counted like this.  Measures that are not
# expected anything of are not looked at, except that nothing fails unless it is expected to.
sub counted
{
	my ($node, $name, $work, $expected, %options) = @_;
	my $sql = $work;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$work = sub { psql_as($node, 'client', $sql, %options) }
	  unless ref $work;
	$expected = { failed_statements => 0, %$expected };
	my $added = added($node, 'client', $work);
	return is_deeply({ map { $_ => $added->{$_} } keys %$expected }, $expected, $name);
}

# Waits until a condition holds on the server.
sub wait_until
{
	my ($node, $condition, $what) = @_;

	$node->poll_query_until('postgres', "SELECT $condition")
	  or BAIL_OUT("waited in vain: " . ($what // $condition));
	return;
}

# The process that serves an application.
sub pid_of
{
	my ($node, $application) = @_;
	my $of = "FROM pg_stat_activity WHERE application_name = '$application'";

	return $node->safe_psql('postgres', "SELECT pid $of");
}

# Waits until an application's statement has come to its pg_sleep().
sub asleep
{
	my ($node, $application) = @_;

	wait_until($node, "count(*) = 1 FROM pg_stat_activity
		WHERE application_name = '$application' AND state = 'active' AND wait_event = 'PgSleep'", 'pg_sleep()');
	return;
}

# The errors in a server's log, since an offset.
sub complaints
{
	my ($node, $offset) = @_;
	my $log = slurp_file($node->logfile, $offset // 0);

	return join("\n", grep { /\b(ERROR|FATAL|PANIC|WARNING):/ } split(/\n/, $log));
}

# Ten authors with three books each.
sub library_shop
{
	my ($node, $database) = @_;

	$node->safe_psql($database // 'postgres', <<'SQL');
CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE book (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES author, title text NOT NULL);
CREATE INDEX ON book (author_id);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(1, 10) AS i;
INSERT INTO book SELECT i, 1 + i % 10, 'book ' || i FROM generate_series(1, 30) AS i;
GRANT SELECT ON author, book TO PUBLIC;
SQL
	return;
}

# A page that loads each author's books by a statement of its own, in one transaction: 1 + repeats statements.
sub lazy_page
{
	my ($repeats) = @_;

	return join("\n", 'BEGIN;', 'SELECT id, name FROM author ORDER BY id;',
		(map { "SELECT id, title FROM book WHERE author_id = $_ ORDER BY id;" } 1 .. $repeats), 'COMMIT;') . "\n";
}

1;

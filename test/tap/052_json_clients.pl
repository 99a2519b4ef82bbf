# Clients that hold prepared statements while a json column of theirs becomes jsonb, goes back, and becomes jsonb again.
#
# A statement whose result has the column fails once after each swap, as after any change of a column's type, and not
# again when it is parsed again.  All others just go on, until the migration is finished also those that insert by position.  What was written is there, whoever wrote it when.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Wire;

my $node = preloaded('json_clients');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE agent (id integer PRIMARY KEY, configuration json, name text);
INSERT INTO agent SELECT i, json_build_object('provider', 'p' || i % 5, 'n', i), 'agent ' || i FROM generate_series(1, 5000) AS i;
SQL

sub migrate { my ($more) = @_; return psql_as($node, 'migration', "CALL remedy.migrate_json('agent', 'configuration'$more)"); }

# The column's type, from elsewhere.
sub type_now
{
	return $node->safe_psql('postgres',
		"SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'agent'::regclass AND attname = 'configuration'");
}

# ---- What the clients hold ----------------------------------------------------------------------------------------

my $json = 114;
my $changed = '0A000 cached plan must not change result type';
my %statements = (
	read => ['SELECT configuration FROM agent WHERE id = $1'],
	search => [q{SELECT count(*) FROM agent WHERE configuration->>'provider' = $1}],
	write => [ 'UPDATE agent SET configuration = $2 WHERE id = $1', 0, 0 ],
	write_json => [ 'UPDATE agent SET configuration = $2 WHERE id = $1', 0, $json ],
	add => [ 'INSERT INTO agent VALUES ($1, $2, $3)', 0, $json, 0 ],
	write_back => ['UPDATE agent SET name = $2 WHERE id = $1 RETURNING configuration']);

my $wire = Wire->connect($node, 'wire');
$wire->parse($_, @{ $statements{$_} }) for sort keys %statements;
$wire->sync;
is($wire->answers, '1' x keys(%statements) . 'Z', 'statements are prepared');

# The error of a run, or nothing.
sub fails
{
	my ($statement, @values) = @_;

	$wire->bind('', $statement, @values)->execute('')->sync->answers;
	return $wire->{error};
}

sub value { return $wire->{rows}[0][0]; }

# A run that fails once after a swap, and then does not.
sub fails_once
{
	my ($when, $statement, @values) = @_;

	is(fails($statement, @values), $changed, "$when: $statement fails");
	$wire->_send('C', pack('AZ*', 'S', $statement))->parse($statement, @{ $statements{$statement} })->sync->answers;
	is(fails($statement, @values), '', 'and not when it is parsed again');
	return;
}

my $next = 6000;

# Everything that does not return the column, and what it writes is read.
sub all_goes_on
{
	my ($when) = @_;

	is(fails('search', 'p1') || value(), 1000, "$when: search");
	for my $statement (qw(write write_json))
	{
		++$next;
		is(fails($statement, 7, qq({"n": $next})), '', "$when: $statement");
		is($node->safe_psql('postgres', q{SELECT configuration->>'n' FROM agent WHERE id = 7}), $next, 'is written');
	}
	return if $when eq 'finished';
	is(fails('add', ++$next, '{"provider": "new"}', 'x'), '', "$when: insert by position");
	is($node->safe_psql('postgres', "SELECT configuration->>'provider' FROM agent WHERE id = $next"), 'new', 'is added');
	return;
}

# A client of PREPARE and EXECUTE, in one session.
my $session = client($node, 'session');
$session->query_safe(q{PREPARE read AS SELECT configuration FROM agent WHERE id = $1;
	PREPARE every AS SELECT * FROM agent WHERE id = $1; PREPARE by_function AS SELECT json_typeof(configuration) FROM agent WHERE id = $1});

sub executes
{
	my ($statement) = @_;

	$session->{stderr} = '';
	my $printed = $session->query("EXECUTE $statement(8)");
	my $errors = $session->{stderr};
	$session->{stderr} = '';
	return $errors =~ /ERROR:\s+(.*)/ ? $1 : $printed;
}

# ---- Through the swap, and back -----------------------------------------------------------------------------------

my $as_json = '{"provider" : "p3", "n" : 8}';
my $as_jsonb = '{"n": 8, "provider": "p3"}';

is(fails('read', 8) || value(), $as_json, 'before: read');
is(fails('write_back', 8, 'renamed') || value(), $as_json, 'before: write and read');
all_goes_on('before');
is(executes('read'), $as_json, 'before: EXECUTE');
is(executes('every'), "8|$as_json|renamed", 'before: EXECUTE of all columns');

migrate(q{, swap => 'wait'});
is(type_now(), 'json', 'ready, and waiting');
is(fails('read', 8) || value(), $as_json, 'ready: read');
is(fails('write_back', 8, 'renamed') || value(), $as_json, 'ready: write and read');
all_goes_on('ready');
is(executes('read'), $as_json, 'ready: EXECUTE');
is(executes('every'), 'cached plan must not change result type', 'ready: all columns are one more');

my $function_fails = 'function json_typeof(jsonb) does not exist';
migrate('');
is(type_now(), 'jsonb', 'swapped');
all_goes_on('swapped');
fails_once('swapped', 'read', 8);
is(value(), $as_jsonb, 'the document as jsonb prints it');
fails_once('swapped', 'write_back', 8, 'again');
is(executes('read'), 'cached plan must not change result type', 'swapped: EXECUTE');
$session->query_safe('DEALLOCATE read; PREPARE read AS SELECT configuration FROM agent WHERE id = $1');
is(executes('read'), $as_jsonb, 'and not when it is prepared again');
is(executes('by_function'), $function_fails, 'swapped: what only json has');

psql_as($node, 'migration', q{CALL remedy.undo_json_migration('agent', 'configuration')});
is(type_now(), 'json', 'swapped back');
all_goes_on('swapped back');
fails_once('swapped back', 'read', 8);
is(value(), $as_json, 'a document that nobody wrote since is the old one');
is(fails('read', 7) || value(), qq({"n": @{[ $next - 1 ]}}), 'one that was written since is there');

migrate('');
psql_as($node, 'migration', q{CALL remedy.finish_json_migration('agent', 'configuration')});
is(type_now(), 'jsonb', 'finished');
all_goes_on('finished');
fails_once('finished', 'read', 8);
is(fails('add', ++$next, '{}', 'x'), '42804 column "configuration" is of type jsonb but expression is of type text',
	'finished: who inserts by position is told that positions have changed');

is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT id), count(configuration) FROM agent}), '5004|5004|5004',
	'all rows are there');
$wire->disconnect;
$session->quit;
$node->stop;
done_testing();

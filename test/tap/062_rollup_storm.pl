# Rollups in a storm: many writers of every kind, refreshes against each other, partitions that come and go, and whatever
# ends a statement, a session or a server.  No cell may be wrong, at the end or in any snapshot on the way.
#
# The oracle is the plain query: each rollup has a view of what it would be if it was computed now.  <name>_now is compared with it
# in one statement, by sessions that only look, in snapshots that grow old, and inside writers' transactions.  At the end,
# after a refresh, so are the rollups themselves.
#
# What no snapshot can be exact about is kept from those who compare, by advisory locks: TRUNCATE from old snapshots (the
# server shows them an empty table), and partitions that come or go from statements that are planned already.
#
# ROLLUP_SEEDS and ROLLUP_SECONDS (20 and 60 for the long run) say how much is tried; ROLLUP_SEED repeats one seed.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;
use Time::HiRes qw(sleep time);

my $seeds = $ENV{ROLLUP_SEEDS} // 2;
my $seconds = $ENV{ROLLUP_SECONDS} // 12;
my $folder = PostgreSQL::Test::Utils::tempdir();

my $node = preloaded('rollup_storm', 'restart_after_crash = on', 'max_prepared_transactions = 20', 'max_connections = 60',
	'deadlock_timeout = 100', 'autovacuum = on', 'autovacuum_naptime = 1', 'log_statement = none', q(log_line_prefix = '%e %a '),
	'client_connection_check_interval = 100', 'max_wal_size = 1GB', 'checkpoint_timeout = 30');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_remedy; CREATE ROLE owner LOGIN; CREATE ROLE writer LOGIN');

# ---- Sources, rollups, oracles ---------------------------------------------------------------------------------------

# Floating-point values are quarters, so that their sums do not depend on the order.
my @exact = ('count(*) AS n', 'sum(ms) AS ms', 'avg(cost) AS mean_cost', 'min(ms) AS quickest', 'max(ms) AS slowest',
	'stddev(ms) AS spread', 'count(ms) FILTER (WHERE ok) AS good', 'sum(cost) FILTER (WHERE ms > 500) AS dear');
my @inexact = ('count(*) AS n', 'sum(load) AS load', 'avg(load) AS mean_load', 'max(note) AS last_note',
	'min(load) FILTER (WHERE NOT ok) AS least');
my @rollups = (
	{ name => 'p_daily', of => 'p', bucket => 'day', zone => 'Australia/Lord_Howe', keys => ['agent'], measures => \@exact },
	{ name => 'p_hourly', of => 'p', bucket => 'hour', zone => 'America/Sao_Paulo', keys => ['ok'], measures => \@inexact },
	{ name => 'p_whole', of => 'p', bucket => 'month', zone => 'UTC', keys => [], measures => [ @exact, 'count(load) AS loads' ] },
	{ name => 'p_monthly', of => 'p', base => 'p_daily', bucket => 'month', zone => 'Australia/Lord_Howe', keys => ['agent'],
		measures => [ @exact[ 0 .. 4 ] ] },
	{ name => 'q_daily', of => 'q', bucket => 'day', zone => 'Europe/Berlin', keys => [ 'agent', 'lower(note) AS note' ],
		measures => \@exact },
	{ name => 'q_weekly', of => 'q', bucket => 'week', zone => 'Europe/Berlin', keys => [ 'agent', 'ok' ],
		measures => [ @inexact, 'sum(ms) AS ms' ] },
);
my @names = map { $_->{name} } @rollups;

sub array { return @_ ? "ARRAY['" . join("', '", @_) . "']" : "'{}'"; }

sub create
{
	my ($rollup) = @_;
	my ($source, $time) = exists $rollup->{base} ? ("s.$rollup->{base}", 'bucket') : ("s.$rollup->{of}", 'at');
	my @keys = @{ $rollup->{keys} };
	my @given = exists $rollup->{base} ? @keys : @keys;
	my $outputs = join(', ', "date_trunc('$rollup->{bucket}', at, '$rollup->{zone}') AS bucket", @keys, @{ $rollup->{measures} });
	my $groups = join(', ', 1 .. 1 + @keys);
	my $zone = exists $rollup->{base} ? '' : ", time_zone => '$rollup->{zone}'";
	my ($keys, $measures) = (array(@given), array(@{ $rollup->{measures} }));
	my $name = $rollup->{name};
	my $compare = sub {
		my ($kept) = @_;
		return "(SELECT '$kept has' AS who, t::text AS cell FROM (SELECT * FROM s.$kept EXCEPT ALL SELECT * FROM s.${name}_plain) AS t)
			UNION ALL (SELECT 'plain has', t::text FROM (SELECT * FROM s.${name}_plain EXCEPT ALL SELECT * FROM s.$kept) AS t)";
	};

	return <<"SQL";
SELECT remedy.create_rollup('s.$name', '$source', '$time', '$rollup->{bucket}', $keys, $measures$zone);
CREATE VIEW s.${name}_plain AS SELECT $outputs FROM s.$rollup->{of} GROUP BY $groups;
CREATE VIEW s.${name}_wrong AS @{[ $compare->("${name}_now") ]};
CREATE VIEW s.${name}_stale AS @{[ $compare->($name) ]};
SQL
}

sub make_sources
{
	my $columns = <<'SQL';
	id bigint NOT NULL, at timestamptz, agent integer, ok boolean, ms integer, cost numeric, load float8, note text
SQL
	$node->safe_psql('postgres', "SET client_min_messages = warning;\nDROP SCHEMA IF EXISTS s CASCADE;\n"
		. "CREATE SCHEMA s AUTHORIZATION owner;\nSET ROLE owner;\n" . <<"SQL" . join('', map { create($_) } @rollups) . <<'SQL');
CREATE SEQUENCE s.ids;
CREATE TABLE s.agent (id integer PRIMARY KEY);
INSERT INTO s.agent SELECT generate_series(1, 12);
CREATE TABLE s.p ($columns, UNIQUE (id, at)) PARTITION BY RANGE (at);
CREATE TABLE s.p_a PARTITION OF s.p FOR VALUES FROM (MINVALUE) TO ('2026-03-05');
CREATE TABLE s.p_b PARTITION OF s.p FOR VALUES FROM ('2026-03-05') TO ('2026-03-10 07:30') PARTITION BY RANGE (at);
CREATE TABLE s.p_b1 PARTITION OF s.p_b FOR VALUES FROM ('2026-03-05') TO ('2026-03-07 23:00');
CREATE TABLE s.p_b2 PARTITION OF s.p_b FOR VALUES FROM ('2026-03-07 23:00') TO ('2026-03-10 07:30');
CREATE TABLE s.p_c (note text, load float8, gone text, ms integer, cost numeric, ok boolean, agent integer, at timestamptz, id bigint NOT NULL);
ALTER TABLE s.p_c DROP gone;
ALTER TABLE s.p ATTACH PARTITION s.p_c FOR VALUES FROM ('2026-03-10 07:30') TO ('2026-03-15');
CREATE TABLE s.p_default PARTITION OF s.p DEFAULT;
CREATE TABLE s.q ($columns, UNIQUE (id), FOREIGN KEY (agent) REFERENCES s.agent ON UPDATE CASCADE ON DELETE SET NULL);
CREATE INDEX ON s.q (agent);
CREATE TABLE s.q_kid (UNIQUE (id)) INHERITS (s.q);
CREATE FUNCTION s.some_rows(n integer, OUT id bigint, OUT at timestamptz, OUT agent integer, OUT ok boolean, OUT ms integer,
	OUT cost numeric, OUT load float8, OUT note text) RETURNS SETOF record LANGUAGE sql VOLATILE AS \$\$
SELECT nextval('s.ids'),
	CASE WHEN random() < 0.02 THEN NULL WHEN random() < 0.01 THEN 'infinity' ELSE '2026-03-01 UTC'::timestamptz + random() * interval '18 days' END,
	nullif(floor(random() * 6)::int, 0), nullif(floor(random() * 3)::int, 2)::boolean, nullif(floor(random() * 1000)::int, 7),
	CASE WHEN random() < 0.002 THEN 'NaN' ELSE (random() * 1000)::numeric(12, 2) END, floor(random() * 1000) / 4,
	(ARRAY['a', 'A', 'b', '', NULL])[1 + floor(random() * 5)] FROM generate_series(1, n) \$\$;
INSERT INTO s.p SELECT * FROM s.some_rows(3000);
INSERT INTO s.q SELECT * FROM s.some_rows(1500);
INSERT INTO s.q_kid SELECT * FROM s.some_rows(500);
SQL
GRANT USAGE ON SCHEMA s TO writer;
GRANT ALL ON ALL TABLES IN SCHEMA s TO writer;
GRANT ALL ON s.ids TO writer;
SQL
	return;
}

# ---- What sessions do ------------------------------------------------------------------------------------------------

sub pick { return $_[ rand @_ ]; }
sub chance { return rand() < $_[0]; }

# The first statement of a snapshot that compares; lock 1 keeps TRUNCATE away, lock 2 partitions that come and go.
sub compared
{
	my ($where) = @_;
	my $name = pick(@names);
	return "SELECT 'WRONG', '$where, $name', * FROM s.${name}_wrong LIMIT 5;\n\\if :ERROR\n\\else\n\\echo compared\n\\endif\n";
}
sub in_old_snapshot
{
	my ($level, $body) = @_;
	return "SELECT pg_advisory_lock_shared(1);\n\\if :ERROR\n\\else\nBEGIN ISOLATION LEVEL $level;\n${body}COMMIT;\n\\endif\nROLLBACK;\nSELECT pg_advisory_unlock_all();\n";
}
sub ended { return pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK') . ';'; }
sub compared_inside { return "SELECT pg_advisory_xact_lock_shared(2);\n" . compared('own changes'); }

my %leaves = (
	p_a => "at < '2026-03-05'",
	p_b => "at >= '2026-03-05' AND at < '2026-03-10 07:30'",
	p_b1 => "at >= '2026-03-05' AND at < '2026-03-07 23:00'",
	p_b2 => "at >= '2026-03-07 23:00' AND at < '2026-03-10 07:30'",
	p_c => "at >= '2026-03-10 07:30' AND at < '2026-03-15'",
	p_default => "at IS NULL OR at >= '2026-03-15' AND at < '2026-04-01'",
	q_kid => 'agent > 1');
sub source { return 's.' . (chance(0.25) ? pick(sort keys %leaves) : pick(qw(p q))); }
sub rows_of { my ($source, $n) = @_; return "id IN (SELECT id FROM $source ORDER BY random() LIMIT $n)"; }
sub size { return chance(0.7) ? 1 + int(rand 5) : 20 + int(rand 200); }

my @columns = ('ms = ms + 1', 'ms = (random() * 1000)::int', 'cost = cost * 2 - 1', 'load = load + 0.25', 'ok = NOT ok', 'agent = 1 + agent % 5',
	q(note = 'b'), q(at = at + interval '1 day'), q(at = at - interval '30 minutes'), 'at = at', 'ms = ms, load = load', 'id = id',
	q(ms = CASE WHEN random() < 0.5 THEN ms END));

my %statements = (
	insert => sub { my $n = size(); return 'INSERT INTO s.' . pick(qw(p q)) . " SELECT * FROM s.some_rows($n)"; },
	leaf => sub { my $leaf = pick(sort keys %leaves); return "INSERT INTO s.$leaf (id, at, agent, ok, ms, cost, load, note)
			SELECT * FROM s.some_rows(" . 5 * size() . ") WHERE $leaves{$leaf}"; },
	values => sub { my $t = pick(qw(p q)); return "INSERT INTO s.$t VALUES (nextval('s.ids'), '2026-03-01 12:00 UTC'::timestamptz + "
		. int(rand 14) . " * interval '1 day', " . int(1 + rand 5) . ', true, ' . int(rand 1000) . ", 1.5, 0.25, 'a')"; },
	update => sub { my $s = source(); return "UPDATE $s SET " . pick(@columns) . ' WHERE ' . rows_of($s, size()); },
	update_day => sub { return 'UPDATE s.' . pick(qw(p q)) . ' SET ' . pick(@columns[ 0 .. 3 ]) . " WHERE at >= '2026-03-0" . int(1 + rand 9)
		. "' AND at < '2026-03-0" . int(1 + rand 9) . "'::timestamptz + interval '5 hours' AND id % 7 = 1"; },
	delete => sub { my $s = source(); return "DELETE FROM $s WHERE " . rows_of($s, size()); },
	extremes => sub { my $t = pick(qw(p q)); return "DELETE FROM s.$t WHERE ms > 990 AND id % 3 = " . int(rand 3); },
	copy => sub {
		my @lines = map { join("\t", 1e9 + int(rand 1e9), sprintf('2026-03-%02d 0%d:30', 1 + rand 17, rand 10), 1 + int(rand 5),
			pick('t', 'f', '\N'), pick(int(rand 1000), '\N'), '2.25', '1.5', 'a') } 1 .. size();
		return 'COPY s.' . pick(qw(p q)) . " FROM STDIN;\n" . join("\n", @lines) . "\n\\."; },
	on_conflict => sub { my $t = pick(qw(p q)); my $key = $t eq 'p' ? 'id, at' : 'id';
		return "INSERT INTO s.$t SELECT * FROM (SELECT * FROM s.$t WHERE " . rows_of("ONLY s.$t", 3) . ' UNION ALL SELECT * FROM s.some_rows(3)) AS x
			ON CONFLICT (' . $key . ') DO UPDATE SET ' . pick('ms = excluded.ms + 1', "note = 'B'", 'cost = 7'); },
	merge => sub { my $t = pick(qw(p q)); return "MERGE INTO s.$t AS t USING (SELECT id, random() AS r FROM s.$t WHERE " . rows_of("s.$t", 10)
		. ' UNION ALL SELECT -1, 0) AS x ON t.id = x.id WHEN MATCHED AND r < 0.3 THEN DELETE WHEN MATCHED THEN UPDATE SET ms = 5, agent = 2
			WHEN NOT MATCHED THEN INSERT VALUES (nextval(\'s.ids\'), \'2026-03-03 UTC\', 3, true, 6, 7, 8)'; },
	move => sub { my ($from, $to) = chance(0.5) ? qw(p q) : pick([qw(q p)], [qw(q q)], [qw(p p)])->@*;
		return "WITH gone AS (DELETE FROM s.$from WHERE " . rows_of("s.$from", size()) . " RETURNING *)
			INSERT INTO s.$to SELECT nextval('s.ids'), at, agent, ok, ms + 1, cost, load, note FROM gone"; },
	both => sub { return 'WITH x AS (UPDATE s.q SET ms = ms + 1 WHERE ' . rows_of('s.q', 3) . ' RETURNING 1),
			y AS (INSERT INTO s.q SELECT * FROM s.some_rows(3) RETURNING 1), z AS (DELETE FROM s.p WHERE ' . rows_of('s.p', 3) . ' RETURNING 1)
			UPDATE s.q SET load = 1 WHERE ' . rows_of('s.q', 3); },
	agent => sub { return chance(0.5) ? 'UPDATE s.agent SET id = id + 100 WHERE id = ' . int(1 + rand 5) . '; UPDATE s.agent SET id = id - 100 WHERE id > 100'
		: 'WITH x AS (DELETE FROM s.agent WHERE id > 5 RETURNING id) SELECT count(*) FROM x; INSERT INTO s.agent SELECT generate_series(6, 12) ON CONFLICT DO NOTHING'; },
	exceptions => sub { my ($t, $n) = (pick(qw(p q)), 2 + int(rand 30)); return "DO \$\$ BEGIN FOR i IN 1 .. $n LOOP BEGIN
			INSERT INTO s.$t SELECT * FROM s.some_rows(1 + i % 3);
			IF i % 3 = 0 THEN DELETE FROM s.$t WHERE " . rows_of("s.$t", 2) . "; END IF;
			IF random() < 0.4 THEN RAISE division_by_zero; END IF;
			EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END \$\$"; },
	cursor => sub { my $t = pick(qw(p q)); return "DO \$\$ DECLARE c CURSOR FOR SELECT id FROM s.$t LIMIT 5 FOR UPDATE; x bigint; BEGIN OPEN c; LOOP FETCH c INTO x;
			EXIT WHEN NOT FOUND; UPDATE s.$t SET ms = 17 WHERE CURRENT OF c; END LOOP; CLOSE c; END \$\$"; },
);
my @kinds = (sort(keys %statements), (qw(insert values update delete update_day)) x 3);

sub statement { my $kind = pick(@kinds); return "/* $kind */ " . $statements{$kind}->() . "\n;\n"; }
sub several { return join('', map { statement() . (chance(0.1) ? compared_inside() : '') } 1 .. 1 + rand 3); }
sub same_again    # The same cells in and out of a subtransaction.
{
	my $t = pick(qw(p q));
	my $row = "INSERT INTO s.$t VALUES (nextval('s.ids'), '2026-03-04 10:00 UTC', 2, true, " . int(rand 1000) . ", 1, 1, 'a');\n";
	return "BEGIN;\n" . (chance(0.5) ? $row : '') . "SAVEPOINT a;\n$row" . (chance(0.5) ? "SAVEPOINT b;\n${row}RELEASE b;\n" : '') . "ROLLBACK TO a;\n"
		. (chance(0.7) ? $row : '') . compared_inside() . pick('COMMIT', 'COMMIT', 'ROLLBACK') . ";\n";
}

my $gid = 0;
my %transactions = (
	alone => sub { return statement(); },
	short => sub { return "BEGIN;\n" . several() . pick('COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK') . ";\n"; },
	late => sub { return "BEGIN;\n" . several() . sprintf("SELECT pg_sleep(%.2f);\n", rand 0.6) . several() . "COMMIT;\n"; },
	old => sub { return in_old_snapshot(pick('REPEATABLE READ', 'SERIALIZABLE'), several() . compared('own changes, old snapshot')
		. sprintf("SELECT pg_sleep(%.2f);\n", rand 0.5) . compared('own changes, old snapshot')); },
	savepoints => sub { return "BEGIN;\n" . join('', map { "SAVEPOINT a;\n" . statement() . pick('ROLLBACK TO a', 'RELEASE a', 'SAVEPOINT b') . ";\n" . compared_inside() } 1 .. 1 + rand 4)
		. pick('COMMIT', 'COMMIT', 'ROLLBACK') . ";\n"; },
	same_again => \&same_again,
	prepared => sub { $gid++; return "BEGIN;\n" . several() . "PREPARE TRANSACTION 'g$$ $gid';\n"; },
	finish => sub { return "SELECT format('%s PREPARED %L', CASE WHEN random() < 0.7 THEN 'COMMIT' ELSE 'ROLLBACK' END, gid)
		FROM pg_prepared_xacts WHERE owner = current_user ORDER BY random() LIMIT 2 \\gexec\n"; },
);
my @transactions = (sort(keys %transactions), (qw(alone short)) x 3, qw(finish same_again));

# While nobody compares in old snapshots, or (by lock 2) at all. Without the lock, nothing is done.
sub alone_with
{
	my ($body, @locks) = @_;
	return "SET lock_timeout = '300ms';\nBEGIN;\n" . join('', map { "SELECT pg_advisory_xact_lock($_);\n" } @locks) . "$body\nRESET lock_timeout;\n";
}
my %commands = (
	truncate => sub { return alone_with((chance(0.5) ? several() : '') . 'TRUNCATE s.' . pick(qw(p_a p_b p_b1 p_c q_kid), chance(0.1) ? qw(p q) : ()) . ";\n"
		. (chance(0.5) ? several() : '') . ended(), 1); },
	detach => sub { return alone_with("ALTER TABLE s.p DETACH PARTITION s.p_c; UPDATE s.p_c SET ms = ms + 1 WHERE id % 3 = 1; " . ended(), 1, 2); },
	attach => sub { return alone_with("DELETE FROM s.p_c WHERE id % 10 = 1;
		WITH x AS (DELETE FROM s.p_default WHERE at >= '2026-03-10 07:30' AND at < '2026-03-15' RETURNING id, at, agent, ok, ms, cost, load, note)
			INSERT INTO s.p_c (id, at, agent, ok, ms, cost, load, note) SELECT * FROM x;
		ALTER TABLE s.p ATTACH PARTITION s.p_c FOR VALUES FROM ('2026-03-10 07:30') TO ('2026-03-15');\n" . ended(), 1, 2); },
	partition => sub { return alone_with("CREATE TABLE s.p_new PARTITION OF s.p FOR VALUES FROM ('2026-04-01') TO ('2026-04-05');
		INSERT INTO s.p SELECT id, '2026-04-02', agent, ok, ms, cost, load, note FROM s.some_rows(20);\n" . compared('new partition') . ended(), 1, 2); },
	drop => sub { return alone_with('DROP TABLE IF EXISTS s.p_new; ' . ended(), 1, 2); },
	child => sub { return alone_with('ALTER TABLE s.q_kid ' . pick('INHERIT', 'NO INHERIT') . ' s.q; UPDATE s.q_kid SET ms = 1 WHERE id % 20 = 3; ' . ended(), 1, 2); },
);
my @commands = sort keys %commands;

sub refresh { return "CALL remedy.refresh_rollup('s." . pick(@names) . "');\n"; }
my %sessions = (
	writer => sub { return chance(0.03) ? refresh() : $transactions{ pick(@transactions) }->(); },
	owner => sub { return $commands{ pick(@commands) }->() . sprintf("SELECT pg_sleep(%.2f);\n", rand 0.6); },
	refresher => sub { return chance(0.93) ? refresh() . sprintf("SELECT pg_sleep(%.2f);\n", rand 0.2)
		: "BEGIN;\n" . (chance(0.5) ? several() : '') . "SELECT remedy.rebuild_rollup('s." . pick('p_daily', 'p_hourly', 'q_daily') . "');\n"
			. (chance(0.5) ? several() : '') . compared_inside() . pick('COMMIT', 'ROLLBACK') . ";\n"; },
	reader => sub { return in_old_snapshot('REPEATABLE READ', join('', map { compared('one snapshot') . sprintf("SELECT pg_sleep(%.2f);\n", rand 0.3) } 1 .. 1 + rand 4))
			. "BEGIN;\nSELECT pg_advisory_xact_lock_shared(2);\n" . compared('one statement') . "COMMIT;\n"; },
);

# ---- Sessions, and what befalls them ---------------------------------------------------------------------------------

my @clients = map { { kind => $_->[0], role => $_->[1] } } [ writer => 'writer' ], [ writer => 'writer' ], [ writer => 'writer' ],
  [ writer => 'owner' ], [ owner => 'owner' ], [ refresher => 'owner' ], [ refresher => 'owner' ], [ reader => 'owner' ], [ reader => 'owner' ];
my $started = 0;

sub start
{
	my ($client) = @_;
	my $number = ++$started;
	my $script = "$folder/script$number";

	append_to_file($script, "\\set QUIET on\n\\pset tuples_only on\n\\pset format unaligned\n" . sprintf("SELECT setseed(%.4f);\n", rand)
		. join('', map { "ROLLBACK;\n" . $sessions{ $client->{kind} }->() } 1 .. 300));
	$client->{told} = "$folder/told$number";
	local $ENV{PGAPPNAME} = $client->{kind};
	local $ENV{PGOPTIONS} = '-c client_min_messages=error -c lock_timeout=700ms';
	$client->{run} = IPC::Run::start([ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-U', $client->{role}, '-d', 'postgres', '-f', $script ],
		'<', \undef, '>', $client->{told}, '2>', '/dev/null');
	return;
}

sub stop
{
	my ($client) = @_;

	return unless $client->{run};
	$client->{run}->kill_kill;
	delete $client->{run};
	return;
}

sub kill_server
{
	my $postmaster = (split(/\n/, slurp_file($node->data_dir . '/postmaster.pid')))[0];
	my @all = split(/\n/, answer('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));

	$node->kill9;
	kill('KILL', @all);
	sleep(0.02) while grep { kill(0, $_) } $postmaster, @all;
	$node->start;
	return;
}

sub blow
{
	my ($what, $whom) = @_;

	$node->psql('postgres', "SELECT $what(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
		AND application_name IN ($whom) AND state <> 'idle' ORDER BY random() LIMIT 1");
	return;
}

sub storm
{
	my ($crashes) = @_;
	my $until = time() + $seconds;
	my @crash_at = map { $until - $seconds * $_ / ($crashes + 1) } 1 .. $crashes;

	@crash_at = sort { $a <=> $b } @crash_at;
	while (time() < $until)
	{
		foreach my $client (@clients)
		{
			next if $client->{run} && ($client->{run}->reap_nb, $client->{run}->_running_kids)[1];
			look_at($client);
			start($client);
		}
		sleep(0.05 + rand 0.1);
		if (@crash_at && time() > $crash_at[0])
		{
			shift @crash_at;
			kill_server();
		}
		elsif (chance(0.1)) { finish_prepared(); }
		elsif (chance(0.5)) { blow('pg_cancel_backend', q('refresher')); }
		elsif (chance(0.2)) { blow('pg_cancel_backend', q('writer', 'owner', 'reader')); }
		elsif (chance(0.1)) { blow('pg_terminate_backend', q('refresher', 'writer', 'owner')); }
	}
	foreach my $client (@clients) { stop($client); look_at($client); }
	return;
}

# ---- What must hold --------------------------------------------------------------------------------------------------

my ($compared, @wrong);

sub look_at
{
	my ($client) = @_;

	return unless $client->{told} && -e $client->{told};
	my @told = split(/\n/, slurp_file($client->{told}));
	push @wrong, grep { /^WRONG/ } @told;
	$compared += grep { $_ eq 'compared' } @told;
	delete $client->{told};
	return;
}

# A statement of the test's own, which waits for what the storm has left.
sub answer { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }

# What errors may befall sessions: cancelled, terminated, the server crashed, deadlocks, serialization, time limits of locks, keys that are there,
# rows without a partition or in two, prepared transactions that somebody else has finished or is about to, MERGE twice on a row; what follows from an abort.
my $expected = qr/^(57014|57P0[123]|40P01|40001|55P03|23505|23503|23514|42704|21000|25P02|42P07|42P01|42809|42P17|42501|55006|27000|08006|08P01|22P02|25001|3B001)$/;

sub unexpected
{
	my ($from) = @_;
	my @lines = grep { /\b(?:ERROR|FATAL|PANIC):|TRAP|signal 11|signal 6/ } split(/\n/, slurp_file($node->logfile, $from));
	my %count;

	# The rows of a COPY that failed before it had read them are taken for commands by psql; and 55000 is a refused refresh, too.
	$count{$_}++ foreach grep { !(/^(\w{5}) / && $1 =~ $expected && !/PANIC/) && !/^42601 .*syntax error at or near "1\d{9}" at character 1/
		&& !/^55000 .*prepared transaction with identifier .* is busy/ } @lines;
	return map { "$count{$_} x $_" } sort keys %count;
}

sub finish_prepared
{
	my $open = answer('SELECT coalesce(string_agg(format(\'%s PREPARED %L;\', CASE WHEN random() < 0.7 THEN \'COMMIT\' ELSE \'ROLLBACK\' END, gid), E\'\n\'), \'\')
		FROM pg_prepared_xacts');

	$node->psql('postgres', $open) if $open;
	return;
}

sub refresh_all
{
	my @errors;

	foreach my $name (@names)
	{
		my ($status, $printed, $errors) = $node->psql('postgres', "SET ROLE owner;\nCALL remedy.refresh_rollup('s.$name')");
		push @errors, "$name: $errors" if $status;
	}
	return @errors;
}

sub is_right
{
	my ($seed, $from) = @_;
	my @cells = map { my $name = $_; map { "$name: $_" } split(/\n/, answer("SELECT * FROM s.${name}_stale LIMIT 10")) } @names;
	my @verified = map { my $name = $_; map { "$name: $_" } split(/\n/, answer("SELECT v::text FROM remedy.verify_rollup('s.$name') AS v LIMIT 10")) } @names;
	my @unexpected = unexpected($from);
	my $marks = answer(join(' UNION ALL ', map { "SELECT concat('$_: ', kind, ' ', count(*)) FROM s.${_}_marks GROUP BY kind" } grep { !/monthly/ } @names));

	is(join("\n", @wrong), '', "seed $seed: <name>_now was right in every snapshot");
	is(join("\n", @cells), '', "seed $seed: after the storm and a refresh, no cell is wrong");
	is(join("\n", @verified), '', "seed $seed: verify_rollup() finds nothing");
	is($marks, '', "seed $seed: no mark is left");
	is(join("\n", @unexpected), '', "seed $seed: no error but those of the storm");
	return;
}

sub try_seed
{
	my ($seed) = @_;
	my $from = -s $node->logfile;

	srand($seed);
	@wrong = ();
	$compared = 0;
	make_sources();
	storm($seed % 3 ? 1 : 2);
	wait_until($node, q(count(*) = 0 FROM pg_stat_activity WHERE application_name IN ('writer', 'owner', 'refresher', 'reader')),
		'the storm to end');
	finish_prepared();
	is(join("\n", refresh_all()), '', "seed $seed: every rollup can be refreshed");
	is_right($seed, $from);
	cmp_ok($compared, '>', 0, "seed $seed: $compared comparisons");
	return;
}

try_seed($_) foreach defined $ENV{ROLLUP_SEED} ? $ENV{ROLLUP_SEED} : 1 .. $seeds;
$node->stop;
done_testing();

# What the sketches of rollups tell, beside what the server finds in the rows: percentiles of three kinds of
# distributions, and distinct values with the extension hll; in cells, and merged over 20,000 of them.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Remedy;
use Test::More;

my $node = preloaded('rollup_sketches', 'pg_remedy.save = off', 'jit = off');
my %installed = map { $_ => $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_available_extensions WHERE name = '$_'") } qw(hll tdigest);

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE events (at timestamptz, agent integer, even float8, skewed float8, two_peaks float8, visitor bigint, word text, amount numeric);
SELECT setseed(0.4);
INSERT INTO events
SELECT timestamptz '2026-01-01 00:00+00' + (i % 100) * interval '1 day' + random() * interval '23 hours', i / 100 % 200,
       random() * 1000 + 1, exp(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())),
       CASE WHEN random() < 0.9 THEN 20 + random() * 5 ELSE 5e6 + random() * 1e5 END,
       (random() * 120000)::integer::bigint * 4294967297, 'w' || (random() * 42000)::integer,
       CASE WHEN random() < 0.5 THEN 1.0 ELSE 1.00 END * (i % 7)
FROM generate_series(1, 300000) AS i;
SQL

sub sql { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }

# The greatest share by which a measure of a rollup is off, and how many groups there are.
sub worst
{
	my ($view, $measure, $exact, $keys) = @_;
	my $unit = $keys eq '' ? 'year' : 'day';

	return split /\|/, sql(<<"SQL");
SELECT max(abs(told.$measure - exact.value) / nullif(exact.value, 0)::float8), count(*)
FROM $view AS told
FULL JOIN (SELECT date_trunc('$unit', at, 'UTC') AS bucket $keys, $exact AS value FROM events GROUP BY 1 $keys) AS exact
USING (bucket $keys)
SQL
}

sub percentile { my ($fraction, $column) = @_; return "percentile_cont($fraction) WITHIN GROUP (ORDER BY $column)"; }

# ---- Percentiles --------------------------------------------------------------------------------------------------

my @columns = qw(even skewed two_peaks);
my @percentiles = map { my $column = $_; map { "'percentile($column, $_)'" } 0.5, 0.95 } @columns;
my $percentiles = join(', ', @percentiles);

sql("SELECT remedy.create_rollup('daily', 'events', 'at', 'day', '{agent}', ARRAY[$percentiles], 'UTC')");
sql("CALL remedy.refresh_rollup('daily')");
sql("SELECT remedy.create_rollup('yearly', 'daily', 'bucket', 'year', '{}', ARRAY[$percentiles])");
for my $column (@columns)
{
	for my $percent (50, 95)
	{
		my $exact = percentile($percent / 100, $column);
		for my $view ('daily', 'daily_now', 'yearly', 'yearly_now')
		{
			my $keys = $view =~ /^daily/ ? ', agent' : '';
			my ($error, $groups) = worst($view, "p${percent}_$column", $exact, $keys);
			note("p$percent of $column in $view: $error");
			ok($error <= 1 / 128, "p$percent of $column in $view is within its error");
			is($groups, $keys eq '' ? 1 : 20_000, 'in each group');
		}
	}
}

sql("DELETE FROM events WHERE agent = 7 AND even > 500");
sql("UPDATE events SET skewed = skewed * 3 WHERE agent = 8");
sql("CALL remedy.refresh_rollup('daily')");
is(sql("SELECT refresh_method FROM remedy.rollups WHERE name = 'daily'"), 'deltas', 'values are taken away');
is(sql(<<'SQL'), 0, 'and leave the very histograms that the rows have');
SELECT count(*)
FROM daily_cells AS cell
FULL JOIN (SELECT date_trunc('day', at, 'UTC') AS bucket, agent AS k1, count(*) AS s1,
                  remedy.histogram(even) AS s2, remedy.histogram(skewed) AS s3, remedy.histogram(two_peaks) AS s4
           FROM events GROUP BY 1, 2) AS exact USING (bucket, k1)
WHERE (cell.s1, cell.s2, cell.s3, cell.s4) IS DISTINCT FROM (exact.s1, exact.s2, exact.s3, exact.s4)
SQL

# ---- Distinct values ------------------------------------------------------------------------------------------------

SKIP:
{
	skip 'the extension hll is not installed', 1 unless $installed{hll};
	my $measures = "ARRAY['count(DISTINCT visitor)', 'count(DISTINCT word)', 'count(DISTINCT amount)',
		'count(DISTINCT visitor) FILTER (WHERE agent < 0) AS nobody']";

	sql('CREATE EXTENSION hll');
	sql("SELECT remedy.create_rollup('visits', 'events', 'at', 'day', '{agent}', $measures, 'UTC')");
	sql("CALL remedy.refresh_rollup('visits')");
	sql("SELECT remedy.create_rollup('visits_yearly', 'visits', 'bucket', 'year', '{}', $measures)");
	for my $column (qw(visitor word amount))
	{
		my $exact = "count(DISTINCT $column)";
		my ($error, $groups) = worst('visits', "distinct_$column", $exact, ', agent');
		is("$error in $groups", '0 in 20000', "few values of $column are counted exactly");
		($error) = worst('visits_yearly', "distinct_$column", $exact, '');
		note("distinct $column of 20,000 cells: $error");
		ok($error <= 0.025, "merged over 20,000 cells too many or too few of $column are at most 2.5 %");
	}
	is(sql('SELECT sum(nobody), count(*) FROM visits'), '0|20000', 'where there are none it is 0');
	is(sql('SELECT distinct_amount FROM visits_yearly'), 7, 'trailing zeros make no difference');
	sql("DELETE FROM events WHERE agent = 9");
	is(sql("SELECT count(*), (SELECT count(*) FROM visits_now) FROM visits"), '20000|19900', 'nothing is left of what is deleted');
	sql("CALL remedy.refresh_rollup('visits')");
	is(sql('SELECT count(*) FROM visits'), 19900, 'also after a refresh');
}

# ---- The extension tdigest, where it is asked for ---------------------------------------------------------------------

SKIP:
{
	skip 'the extension tdigest is not installed', 1 unless $installed{tdigest};
	my $measures = "ARRAY['tdigest_percentile(even, 0.95) AS digest', 'percentile(even, 0.95)']";
	my $create = "SELECT remedy.create_rollup('digests', 'events', 'at', 'day', '{}', $measures, 'UTC')";

	my ($status, undef, $error) = $node->psql('postgres', $create);
	like($error, qr/tdigest_percentile\(\) needs the extension tdigest/, 'it must be there');
	sql('CREATE EXTENSION tdigest');
	sql("INSERT INTO events SELECT timestamptz '2026-01-01 00:00+00', 1, v FROM unnest('{NaN, Infinity, -Infinity}'::float8[]) AS v");
	sql($create);
	sql("CALL remedy.refresh_rollup('digests')");
	is(sql('SELECT count(*) FROM digests WHERE abs(digest / p95_even - 1) < 0.05'), 100,
		'it tells about the same, and values that are no numbers do not keep it');
}

# ---- Bytes that are none ----------------------------------------------------------------------------------------------

sql(<<'SQL');
CREATE FUNCTION accepted(histogram bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM remedy.percentile_of(histogram, 0.5);
	PERFORM remedy.merge_histograms(h) FROM unnest(ARRAY[histogram, histogram]) AS h;
	RETURN true;
EXCEPTION WHEN invalid_parameter_value OR numeric_value_out_of_range THEN
	RETURN false;
END $$;
SQL
is(sql(<<'SQL'), '1000|t', 'damaged histograms are refused, or are others');
SELECT count(*), count(*) FILTER (WHERE NOT accepted) > 300 FROM (
	SELECT accepted(set_byte(substr(h, 1, 1 + i % length(h)), (i * 7919) % (1 + i % length(h)), i * 31 % 256))
	FROM generate_series(1, 1000) AS i, (SELECT s2 AS h FROM daily_cells LIMIT 1) AS one) AS tries
SQL

done_testing();

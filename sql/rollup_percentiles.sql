-- Histograms: what they tell, what is the same in them, and what is none.
\pset null '(null)'
SET TIME ZONE 'UTC';

-- Within 1/128 of what the server finds.
CREATE FUNCTION near(told float8, exact float8) RETURNS boolean LANGUAGE sql IMMUTABLE
	RETURN abs(told - exact) <= abs(exact) / 128;
SELECT fraction, bool_and(near(told, exact)) AS near, count(*) FROM (
	SELECT fraction, remedy.percentile_of(remedy.histogram(x), fraction) AS told,
	       percentile_cont(fraction) WITHIN GROUP (ORDER BY x) AS exact
	FROM (SELECT kind, CASE kind WHEN 1 THEN i * 1.7 WHEN 2 THEN exp(sin(i) * 20) WHEN 3 THEN -i ^ 3 ELSE i % 7 * 1e-310 END
	      FROM generate_series(1, 500) AS i, generate_series(1, 4) AS kind) AS v (kind, x),
	     unnest('{0, 0.01, 0.5, 0.9, 0.95, 0.999, 1}'::float8[]) AS fraction
	GROUP BY kind, fraction) AS percentiles
GROUP BY fraction ORDER BY fraction;

-- Zero, infinities and NaN are themselves; the order is the server's.
SELECT fraction, remedy.percentile_of(remedy.histogram(x), fraction)
FROM unnest('{NaN, Infinity, 0, -0, -Infinity}'::float8[]) AS x, generate_series(0, 1, 0.25) AS fraction
GROUP BY fraction ORDER BY fraction;

-- Null is no value; without one there is no histogram, and no percentile.
SELECT remedy.histogram(x) FROM (VALUES (NULL::float8)) AS v (x);
SELECT remedy.histogram(1) FILTER (WHERE false), remedy.merge_histograms(NULL), remedy.percentile_of(NULL, 0.5),
       remedy.percentile_of(remedy.histogram(1), NULL), remedy.percentile_of('\x01', 0.5);
SELECT remedy.merge_histograms(h) FROM (VALUES ('\x01'::bytea), (NULL), ('\x01')) AS v (h);

-- The same values give the same bytes: in any order, in parts, and by workers.
CREATE TABLE numbers AS SELECT i, exp(sin(i) * 9) * CASE WHEN i % 3 = 0 THEN -1 ELSE 1 END AS x FROM generate_series(1, 20000) AS i;
SET max_parallel_workers_per_gather = 0;
SELECT remedy.histogram(x) AS whole FROM numbers \gset
SELECT remedy.histogram(x ORDER BY x DESC) = :'whole' AS ordered FROM numbers;
SELECT remedy.merge_histograms(h) = :'whole' AS merged FROM (SELECT remedy.histogram(x) AS h FROM numbers GROUP BY i % 100) AS parts;
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
CREATE FUNCTION is_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan::text LIKE '%"Gather"%"Partial"%';
END $$;
SELECT is_parallel('SELECT remedy.histogram(x) FROM numbers');
SELECT remedy.histogram(x) = :'whole' AS parallel FROM numbers;
CREATE TABLE parts AS SELECT i % 100 AS part, remedy.histogram(x) AS h FROM numbers GROUP BY 1;
ANALYZE parts;
SELECT is_parallel('SELECT remedy.merge_histograms(h) FROM parts');
SELECT remedy.merge_histograms(h) = :'whole' AS parallel FROM parts;
RESET ALL;
SET TIME ZONE 'UTC';
SELECT remedy.histogram(1::float8), remedy.histogram(x) FROM unnest('{1, 1, 2, 1e300}'::float8[]) AS x;

-- What is none is refused, and so are fractions that are none.
SELECT remedy.percentile_of('\x', 0.5);
SELECT remedy.percentile_of('\xdeadbeef', 0.5);
SELECT remedy.merge_histograms('\x0102');
SELECT remedy.percentile_of('\x010201', 0.5);
SELECT remedy.percentile_of('\x010202', 1.01);
SELECT remedy.percentile_of('\x010202', -0.01);
SELECT remedy.percentile_of('\x010202', 'NaN');
SELECT remedy.merge_histograms(h) FROM (VALUES ('\x0102feffffffffffffffff01'::bytea), ('\x010202')) AS v (h);

-- As measures: for each cell, and for levels made of cells.
CREATE TABLE requests (at timestamptz, agent text, ms float8, ok boolean);
INSERT INTO requests
SELECT timestamptz '2026-01-01' + i * interval '5 minutes', 'agent ' || i % 3, 1 + (i * 7919) % 1000, i % 10 > 0
FROM generate_series(1, 6000) AS i;
SELECT remedy.create_rollup('daily', 'requests', 'at', 'day', '{agent}',
	ARRAY['count(*)', 'percentile(ms, 0.95)', 'percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)',
	      'percentile(ms, 0.95) FILTER (WHERE NOT ok) AS p95_failed']);
CALL remedy.refresh_rollup('daily');
SELECT remedy.create_rollup('monthly', 'daily', 'bucket', 'month', '{}',
	ARRAY['count(*)', 'percentile(ms, 0.95)', 'percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)',
	      'percentile(ms, 0.95) FILTER (WHERE NOT ok) AS p95_failed']);
CREATE FUNCTION wrong_cells(daily regclass, monthly regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	exact text := 'count(*) AS n, percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50, percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) FILTER (WHERE NOT ok) AS failed';
	compared text := 'count(*) || '' groups, '' || count(*) FILTER (WHERE (near(p95_ms, p95) AND near(p50_ms, p50) AND count = n
		AND (p95_failed IS NULL) = (failed IS NULL) AND coalesce(near(p95_failed, failed), true)) IS NOT TRUE) || '' wrong''';
BEGIN
	RETURN QUERY EXECUTE format('SELECT %s FROM %s FULL JOIN (SELECT date_trunc(''day'', at) AS bucket, agent, %s FROM requests GROUP BY 1, 2) AS e
		USING (bucket, agent)', compared, daily, exact);
	RETURN QUERY EXECUTE format('SELECT %s FROM %s FULL JOIN (SELECT date_trunc(''month'', at) AS bucket, %s FROM requests GROUP BY 1) AS e
		USING (bucket)', compared, monthly, exact);
END $$;
SELECT * FROM wrong_cells('daily', 'monthly');
UPDATE requests SET ms = ms * 4 WHERE agent = 'agent 1' AND ok;
DELETE FROM requests WHERE agent = 'agent 2' AND at < '2026-01-03';
INSERT INTO requests VALUES ('2026-01-05 10:00', 'agent 0', NULL, false), ('2026-01-05 10:01', 'agent 9', 17, true);
SELECT * FROM wrong_cells('daily_now', 'monthly_now');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong_cells('daily', 'monthly');
SELECT count(*) AS cells, count(*) FILTER (WHERE s2 IS DISTINCT FROM exact) AS other_bytes
FROM daily_cells AS cell
FULL JOIN (SELECT date_trunc('day', at) AS bucket, agent AS k1, remedy.histogram(ms) AS exact FROM requests GROUP BY 1, 2) AS e
USING (bucket, k1);
SELECT agent, count, p95_ms, p95_failed FROM daily WHERE agent = 'agent 9';

-- What is no number is refused, and so is more than one fraction.
SELECT remedy.create_rollup('other', 'requests', 'at', 'day', '{}', ARRAY['percentile(at - timestamptz ''2026-01-01'', 0.95)']);
SELECT remedy.create_rollup('other', 'requests', 'at', 'day', '{}', ARRAY['percentile(ms, 95)']);
SELECT remedy.create_rollup('other', 'requests', 'at', 'day', '{}', ARRAY['percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY ms)']);
SELECT remedy.create_rollup('other', 'requests', 'at', 'day', '{}', ARRAY['percentile(ms)']);
SELECT remedy.create_rollup('other', 'requests', 'at', 'day', '{}', ARRAY['tdigest_percentile(ms, 0.95)']);
SELECT remedy.create_rollup('other', 'requests', 'at', 'day', '{}', ARRAY['count(DISTINCT agent)']);

DROP TABLE requests CASCADE;
DROP TABLE numbers, parts;
DROP FUNCTION wrong_cells(regclass, regclass);
DROP FUNCTION near(float8, float8);
DROP FUNCTION is_parallel(text);

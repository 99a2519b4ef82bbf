-- rollup: what keys and measures can be, and that measures are what the server's aggregates are.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS rm CASCADE;
CREATE SCHEMA rm;
SET TimeZone = 'America/New_York';

CREATE TYPE rm.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN rm.positive AS integer CHECK (VALUE > 0);
CREATE TABLE rm.events (
	at timestamptz, region text, small smallint, number integer, big bigint, exact numeric, scaled numeric(10, 2),
	float double precision, short real, root double precision, span interval, price money, date date, stamp timestamp, name varchar(20),
	code char(4), tags integer[], ok boolean, mood rm.mood, address inet, positive rm.positive);

-- Rows by number: nulls in all columns; a region without values, one with single values; hours with and without rows.
CREATE FUNCTION rm.event(n integer) RETURNS rm.events LANGUAGE sql AS $$
	SELECT (CASE WHEN n % 97 = 0 THEN NULL WHEN n % 89 = 0 THEN 'infinity' WHEN n % 83 = 0 THEN '-infinity'
	             ELSE timestamptz '2024-03-09 12:00 America/New_York' + n * interval '311 s' END,
	        CASE WHEN n % 11 = 0 THEN NULL WHEN n % 13 = 0 THEN 'empty' WHEN n % 997 = 1 THEN 'single'
	             WHEN n % 2 = 0 THEN 'North' ELSE 'north' END,
	        g % 100, g * 7 % 1000, g::bigint * 1844674407370955, g * 1.5 - 20.25, g / 7.0, g / 8.0, g / 8.0, sqrt(g),
	        g * interval '1 month 90 s', g * 1.25, date '2024-01-01' + g % 300, timestamp '2024-01-01' + g * interval '1 s',
	        'n' || g, 'c' || g % 99, ARRAY[g % 7, g], g % 3 = 0, (enum_range(NULL::rm.mood))[1 + g % 3],
	        inet '10.0.0.0' + g, 1 + g % 9)::rm.events
	FROM (SELECT CASE WHEN n % 13 <> 0 AND n % 5 <> 0 THEN n % 5000 END) AS value (g)
$$;
CREATE FUNCTION rm.insert_events(first integer, last integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO rm.events SELECT (rm.event(g)).* FROM generate_series(first, last) AS g
$$;
SELECT rm.insert_events(1, 2000);

-- Makes a rollup, and a view of the same measures by the server's own aggregates. What is told is which columns are of
-- other types.
CREATE FUNCTION rm.roll_up(rollup text, bucket text, keys text[], measures text[], zone text DEFAULT 'America/New_York')
	RETURNS TABLE (name name, type text, plain_type text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM remedy.create_rollup('rm.' || rollup, 'rm.events', 'at', bucket, keys, measures, zone);
	EXECUTE (SELECT format('CREATE VIEW rm.%I (%s) AS SELECT %s FROM rm.events GROUP BY %s', rollup || '_plain',
	                (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
	                 WHERE attrelid = ('rm.' || rollup)::regclass AND attnum > 0),
	                array_to_string(array[format('date_trunc(%L, at, %L)', bucket, zone)] || keys || measures, ', '),
	                (SELECT string_agg(g::text, ', ') FROM generate_series(1, 1 + cardinality(keys)) AS g)));
	RETURN QUERY SELECT a.attname, format_type(a.atttypid, a.atttypmod), format_type(p.atttypid, p.atttypmod)
		FROM pg_attribute AS a JOIN pg_attribute AS p USING (attname)
		WHERE a.attrelid = ('rm.' || rollup)::regclass AND p.attrelid = ('rm.' || rollup || '_plain')::regclass
		AND a.attnum > 0 AND ROW(a.atttypid, a.attcollation) IS DISTINCT FROM ROW(p.atttypid, p.attcollation);
END $$;

-- Rows, by how they are written, that are in one view and not in the other. Of squared roots the sum depends on their
-- order; all other sums are exact.
CREATE FUNCTION rm.wrong(view text, plain text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE wrong bigint;
BEGIN
	PERFORM set_config('extra_float_digits', CASE WHEN view LIKE '%roots%' THEN '-7' ELSE '1' END, true);
	EXECUTE format('SELECT count(*) FROM ((SELECT v::text FROM rm.%1$I AS v EXCEPT ALL SELECT p::text FROM rm.%2$I AS p)
		UNION ALL (SELECT p::text FROM rm.%2$I AS p EXCEPT ALL SELECT v::text FROM rm.%1$I AS v)) AS w', view, plain) INTO wrong;
	RETURN wrong;
END $$;

-- Every measure, of every type, with and without a filter.
SELECT * FROM rm.roll_up('counts', 'day', '{lower(region) AS region}',
	'{count(*), count(*) FILTER (WHERE ok) AS ok, count(number), count(region), count(mood), count(tags), count(number) FILTER (WHERE number > 500) AS many}');
SELECT * FROM rm.roll_up('sums', 'day', '{region}',
	'{sum(small), sum(number), sum(big), sum(exact), sum(scaled), sum(positive), sum(number + small) AS both, sum(number) FILTER (WHERE ok) AS ok,
	  avg(small), avg(number), avg(big), avg(exact), avg(scaled), avg(positive), avg(exact) FILTER (WHERE NOT ok) AS not_ok}');
SELECT * FROM rm.roll_up('inexact_sums', 'hour', '{}',
	'{sum(float), sum(short), sum(span), sum(price), avg(float), avg(short), avg(span), sum(price) FILTER (WHERE ok) AS ok}');
SELECT * FROM rm.roll_up('extremes', 'week', '{region, ok}',
	'{min(small), max(number), min(big), max(exact), min(float), max(short), min(span), max(price), min(at), max(date), min(stamp), max(name), min(name),
	  max(code), min(tags), max(tags), min(mood), max(mood), min(address), max(address), min(region), "max(region COLLATE \"C\") AS last", max(number) FILTER (WHERE number < 300) AS low}');
SELECT * FROM rm.roll_up('spreads', 'month', '{region}',
	'{stddev(small), stddev_samp(number), stddev_pop(big), variance(exact), var_samp(scaled), var_pop(number), stddev_pop(exact), var_pop(exact),
	  stddev(exact) FILTER (WHERE ok) AS ok, variance(positive)}');
SELECT * FROM rm.roll_up('roots', 'day', '{region}',
	'{stddev(root), stddev_samp(root::real) AS a, stddev_pop(root), variance(root::real) AS b, var_samp(root), var_pop(root::real) AS c, variance(root) FILTER (WHERE ok) AS ok}');
SELECT * FROM rm.roll_up('additive', 'hour', '{lower(region) AS region, date}', '{count(*), sum(exact), avg(number), variance(big), count(ok) FILTER (WHERE ok) AS ok}', 'Asia/Kolkata');

-- Keys of many types.
SELECT * FROM rm.roll_up('keys', 'month', '{code, mood, tags, address, positive, scaled, ok}', '{count(*), sum(number)}');
SELECT * FROM rm.roll_up('other_keys', 'quarter', '{span, "numrange(exact, exact + 1) AS range", float, "region COLLATE \"POSIX\" AS region", date, "decode(md5(name), ''hex'') AS digest"}'::text[], '{count(*), max(big)}');

CREATE VIEW rm.rolled_up AS
	SELECT v.relname AS name, r.base IS NULL AS has_cells
	FROM remedy.rollup AS r JOIN pg_class AS v ON v.oid = r.view JOIN pg_class AS p ON p.relname = v.relname || '_plain'
	WHERE v.relnamespace = 'rm'::regnamespace AND p.relnamespace = v.relnamespace;
CREATE VIEW rm.wrong_now AS
	SELECT name, wrong FROM rm.rolled_up, rm.wrong(name || '_now', name || '_plain') AS wrong WHERE wrong <> 0;
CREATE VIEW rm.wrong_when_refreshed AS
	SELECT name, wrong FROM rm.rolled_up, rm.wrong(name, name || '_plain') AS wrong WHERE wrong <> 0;
SELECT name FROM rm.rolled_up ORDER BY 1;
SELECT * FROM rm.wrong_now;
\set refresh 'SELECT format(\'CALL remedy.refresh_rollup(%L)\', \'rm.\' || name) FROM rm.rolled_up WHERE has_cells ORDER BY name \\gexec'
:refresh
SELECT * FROM rm.wrong_when_refreshed;
SELECT * FROM rm.wrong_now;
SELECT region, min(count_number), max(count_number) FROM rm.counts GROUP BY 1 ORDER BY 1;

-- Rows come, change and go; some groups lose their values, some all their rows.
SELECT rm.insert_events(2001, 2500);
SELECT * FROM rm.wrong_now;
UPDATE rm.events SET number = number + 1, big = -big, exact = NULL, name = 'zz', tags = tags || 9, region = lower(region) WHERE number % 7 = 0;
SELECT * FROM rm.wrong_now;
DELETE FROM rm.events WHERE number > 900 OR region = 'single' OR at = 'infinity';
UPDATE rm.events SET small = NULL, number = NULL, exact = NULL, float = NULL, root = NULL, span = NULL WHERE at >= '2024-03-12 America/New_York' AND at < '2024-03-14 America/New_York';
SELECT * FROM rm.wrong_now;
:refresh
SELECT * FROM rm.wrong_when_refreshed;
SELECT count(*), count(sum_number), count(avg_exact), count(ok) FROM rm.sums WHERE bucket = '2024-03-13 America/New_York';
UPDATE rm.events SET exact = 'NaN', float = 'NaN', short = '-Infinity', root = 'Infinity' WHERE number = 100;
SELECT * FROM rm.wrong_now;
:refresh
SELECT * FROM rm.wrong_when_refreshed;
UPDATE rm.events SET exact = 3.25, float = 1, short = 2, root = 3 WHERE number = 100;
SELECT * FROM rm.wrong_now;
:refresh
SELECT * FROM rm.wrong_when_refreshed;

-- Percentiles are within one percent.
SELECT remedy.create_rollup('rm.percentiles', 'rm.events', 'at', 'day', '{}',
	'{"percentile(number, 0.5)", percentile_cont(0.99) WITHIN GROUP (ORDER BY exact + 30) AS p99, "percentile(float, 0.999) FILTER (WHERE ok) AS top", "percentile(number, 1)", "percentile(number, 0)"}', 'UTC');
SELECT bool_and(abs(p50_number - a) <= 0.01 * a) AS p50, bool_and(abs(p99 - b) <= 0.01 * b) AS p99, bool_and(abs(top - c) <= 0.01 * c) AS top,
       bool_and(abs(p100_number - d) <= 0.01 * d) AS p100, bool_and(abs(p0_number - e) <= 0.01 * e) AS p0, count(p50_number) = count(a) AS nulls
FROM rm.percentiles_now JOIN (
	SELECT date_trunc('day', at, 'UTC') AS bucket, percentile_cont(0.5) WITHIN GROUP (ORDER BY number) AS a,
	       percentile_cont(0.99) WITHIN GROUP (ORDER BY exact + 30) AS b, percentile_cont(0.999) WITHIN GROUP (ORDER BY float) FILTER (WHERE ok) AS c,
	       max(number) AS d, min(number) AS e
	FROM rm.events GROUP BY 1) AS p ON percentiles_now.bucket IS NOT DISTINCT FROM p.bucket;

-- Types of the user's may have aggregates of their own.
CREATE EXTENSION citext SCHEMA rm;
CREATE TABLE rm.cased (at timestamptz, v rm.citext);
SELECT remedy.create_rollup('rm.cased_daily', 'rm.cased', 'at', 'day', '{}', '{max(v)}', 'UTC');
SELECT remedy.create_rollup('rm.cased_daily', 'rm.cased', 'at', 'day', '{v}', '{max(CAST(v AS text)), count(v)}', 'UTC');
SELECT remedy.drop_rollup('rm.cased_daily');
DROP EXTENSION citext CASCADE;

-- What a filter leaves out is not computed.
SELECT * FROM rm.roll_up('guarded', 'day', '{}', '{sum(100 / small) FILTER (WHERE small <> 0) AS q, count(100 / small) FILTER (WHERE small > 0) AS n}');
INSERT INTO rm.events (at, small) VALUES ('2024-03-10 12:00 America/New_York', 0), ('2024-03-10 12:00 America/New_York', 5);
CALL remedy.refresh_rollup('rm.guarded');
UPDATE rm.events SET small = 0 WHERE small = 5;
SELECT * FROM rm.wrong_now;
:refresh
SELECT * FROM rm.wrong_when_refreshed;
SELECT remedy.drop_rollup('rm.guarded');

-- Names that are not given, states that are shared.
SELECT remedy.create_rollup('rm.names', 'rm.events', 'at', 'day', '{region, lower(region), "number / 10 AS \"ten\"\"s\"", (ok), events.mood}',
	'{count(*), count(events.number), avg(number), sum(number), sum(events.number) AS again, avg(abs(number)), max(number) FILTER (WHERE ok), "percentile(number, 0.999)", variance(number)}', 'UTC');
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'rm.names'::regclass AND attnum > 0;
SELECT keys, states FROM remedy.rollup WHERE view = 'rm.names'::regclass;
SELECT remedy.drop_rollup('rm.names');

-- Aggregates are the server's, whatever the search path; functions are those that the caller means.
CREATE AGGREGATE rm.sum(integer) (SFUNC = int4larger, STYPE = integer);
CREATE FUNCTION rm.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.upper($1) || '!' $$;
SET search_path = rm, pg_catalog;
SELECT remedy.create_rollup('own', 'events', 'at', 'year', '{lower(region)}', '{sum(number) AS total}', 'UTC');
RESET search_path;
SELECT lower, total = (SELECT sum(number) FROM rm.events WHERE upper(region) || '!' = lower AND at < 'infinity' AND at > '-infinity') AS total
FROM rm.own_now WHERE bucket = '2024-01-01 UTC' AND lower IS NOT NULL ORDER BY 1;
SELECT remedy.drop_rollup('rm.own');

-- What is refused.
CREATE FUNCTION rm.refused(keys text[] DEFAULT '{}', measures text[] DEFAULT '{count(*)}', bucket text DEFAULT 'day',
	time_column name DEFAULT 'at', zone text DEFAULT 'UTC', source regclass DEFAULT 'rm.events') RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
	PERFORM remedy.create_rollup('rm.refused', source, time_column, bucket, keys, measures, zone);
	PERFORM remedy.drop_rollup('rm.refused');
	RETURN 'made';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' / ', SQLSTATE || ': ' || SQLERRM, nullif(hint, ''));
END $$;
CREATE FUNCTION rm.stable(integer) RETURNS integer LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN $1; END $$;
CREATE FUNCTION rm.defaults(integer, text DEFAULT now()::text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 1; END $$;
CREATE TABLE rm.odd (at timestamptz, point point, json json, xid xid, j jsonb, "a very long name of a column that has just sixty-three bytes in it" integer);
\pset format unaligned
\pset tuples_only on
-- Keys.
SELECT key || ' - ' || rm.refused(ARRAY[key]) FROM unnest(ARRAY[
	'number', 'no_such', 'at::date', 'now()', 'rm.stable(number)', 'rm.defaults(number)', 'random()', 'ctid', 'tableoid', 'events', 'events.*', '*', '(events).*', 'lower(events.*::text)', '$1',
	'(SELECT 1)', 'count(*)', 'generate_series(1, number)', 'row_number() OVER ()', 'EXISTS (SELECT 1 FROM pg_class)', 'bucket', 'bucket.number', 'number AS bucket',
	'ROW(number, small)', 'tags', 'price', 'NULL', 'CURRENT_USER', 'date_trunc(''hour'', at)', 'date_trunc(''hour'', at AT TIME ZONE ''UTC'') AS utc_hour']) WITH ORDINALITY AS k (key, n) ORDER BY n;
SELECT key || ' - ' || rm.refused(ARRAY[key], source => 'rm.odd') FROM unnest(ARRAY['point', 'json', 'xid', 'j']) WITH ORDINALITY AS k (key, n) ORDER BY n;
-- Hostile texts.
SELECT key || ' - ' || rm.refused(ARRAY[key]) FROM unnest(ARRAY['', ' ', ';', 'number;', 'number; DROP TABLE rm.events', 'number -- comment', 'number /* comment', 'number FROM pg_class', 'number, small',
	'DISTINCT number', 'ALL number', 'number INTO rm.stolen', 'number UNION SELECT 1', 'number WHERE ok', 'number ORDER BY 1', 'number LIMIT 1', 'number FOR UPDATE', 'number GROUP BY 1', 'number WINDOW w AS ()',
	'number) FROM (SELECT 1', 'number''', '"number', 'number AS "; DROP"', 'number AS a b']) WITH ORDINALITY AS k (key, n) ORDER BY n;
-- Measures.
SELECT measure || ' - ' || rm.refused(measures => ARRAY[measure]) FROM unnest(ARRAY[
	'count()', 'number', 'sum(number) + 1', 'array_agg(number)', 'string_agg(name, '','')', 'bool_and(ok)', 'rm.sum(number)', 'pg_catalog.sum(number)', 'sum(name)', 'sum(DISTINCT number)', 'sum(number ORDER BY number)',
	'sum(number) OVER ()', 'sum(VARIADIC tags)', 'sum(count(*))', 'sum(row_number() OVER ())', 'sum(generate_series(1, 2))', 'sum((SELECT 1))', 'count(*) FILTER (WHERE number)', 'count(*) FILTER (WHERE now() > at)',
	'count(*) FILTER (WHERE count(*) > 1)', 'sum(ctid)', 'max(ctid)', 'count(events)', 'avg(price)', 'stddev(span)', 'sum(random())', 'count(DISTINCT number)', 'count(DISTINCT number, small)', 'corr(float, short)',
	'percentile(number)', 'percentile(number, 1.5)', 'percentile(number, NULL)', 'percentile(number, small)', 'percentile(number, ARRAY[0.1, 0.2])', 'percentile(span, 0.5)',
	'percentile_disc(0.5) WITHIN GROUP (ORDER BY number)', 'percentile_cont(0.5) WITHIN GROUP (ORDER BY number DESC)', 'mode() WITHIN GROUP (ORDER BY number)', 'max(rm.stable(number))', 'count(*) AS bucket', 'lower(name)', 'no_such(number)',
	'count(*); SELECT 1', 'count(*) FROM pg_class', 'min(ok)']) WITH ORDINALITY AS m (measure, n) ORDER BY n;
-- Names.
SELECT rm.refused('{number}', '{count(*) AS number}');
SELECT rm.refused('{number, "\"number\""}');
SELECT rm.refused('{lower(region), lower(name)}');
SELECT rm.refused(measures => '{count(*), count(*) FILTER (WHERE ok)}');
SELECT rm.refused(source => 'rm.odd', measures => '{"sum(\"a very long name of a column that has just sixty-three bytes in\")"}');
SELECT rm.refused('{NULL}');
SELECT rm.refused(measures => '{NULL}');
SELECT rm.refused(measures => '{}');
-- Times.
SELECT time || ' - ' || rm.refused(time_column => time, zone => NULL) FROM unnest('{at, date, stamp, number, region, ctid, no_such}'::name[]) AS time;
SELECT time || ' - ' || rm.refused(time_column => time) FROM unnest('{date, stamp}'::name[]) AS time;
SELECT time || ', ' || unit || ' - ' || rm.refused(time_column => time, bucket => unit, zone => NULL)
FROM unnest('{date, stamp}'::name[]) AS time, unnest('{minute, hour, day, week, month, quarter, year, second, decade, Day}'::text[]) AS unit;
SELECT zone || ' - ' || rm.refused(zone => zone) FROM unnest('{UTC, GMT, gmt, Etc/UTC, europe/berlin, Europe/Berlin, EST5EDT, Factory, factory, z, Nowhere/City, +02, "", <+02>-02}'::text[]) AS zone;
SET TimeZone = 'Factory';
SELECT rm.refused(zone => NULL);
SET TimeZone = 'europe/berlin';
SELECT remedy.create_rollup('rm.pinned', 'rm.events', 'at', 'day');
SET TimeZone = 'America/New_York';
SELECT time_zone FROM remedy.rollup WHERE view = 'rm.pinned'::regclass;
SELECT remedy.drop_rollup('rm.pinned');

-- Levels.
SELECT rm.refused(source => 'rm.sums', time_column => 'bucket', bucket => 'month', zone => NULL, keys => '{region}', measures => '{sum(number), avg(exact), sum(number) FILTER (WHERE ok) AS some}');
SELECT measure || ' - ' || rm.refused(source => 'rm.sums', time_column => 'bucket', bucket => 'month', zone => NULL, measures => ARRAY[measure])
FROM unnest('{count(*), max(number), avg(number) FILTER (WHERE ok), sum(sum_number)}'::text[]) AS measure;
SELECT key || ' - ' || rm.refused(source => 'rm.sums', time_column => 'bucket', bucket => 'month', zone => NULL, keys => ARRAY[key])
FROM unnest('{region, lower(region), bucket, extract(dow FROM bucket), sum_number, number, ctid, sums}'::text[]) AS key;
SELECT unit || ' - ' || rm.refused(source => 'rm.sums', time_column => 'bucket', bucket => unit, zone => NULL) FROM unnest('{minute, hour, day, week, month, quarter, year}'::text[]) AS unit;
SELECT unit || ' - ' || rm.refused(source => 'rm.extremes', time_column => 'bucket', bucket => unit, zone => NULL) FROM unnest('{day, week, month, year}'::text[]) AS unit;
SELECT rm.refused(source => 'rm.sums', time_column => 'at', bucket => 'month', zone => NULL);
SELECT rm.refused(source => 'rm.sums', time_column => 'bucket', bucket => 'month', zone => 'UTC');
SELECT rm.refused(source => 'rm.sums', time_column => 'bucket', bucket => 'month', zone => 'america/new_york');
-- Where clocks went from 0:01 to 23:01 an hour was in two days.
SELECT remedy.create_rollup('rm.hourly', 'rm.events', 'at', 'hour', time_zone => 'America/St_Johns');
SELECT unit || ' - ' || rm.refused(source => 'rm.hourly', time_column => 'bucket', bucket => unit, zone => NULL) FROM unnest('{hour, day, year}'::text[]) AS unit;
\pset format aligned
\pset tuples_only off

-- What levels are derived from is exact, so they are.
CREATE FUNCTION rm.level(level text, base text, bucket text, keys text[], measures text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM remedy.create_rollup('rm.' || level, ('rm.' || base)::regclass, 'bucket', bucket, keys, measures);
	EXECUTE (SELECT format('CREATE VIEW rm.%I (%s) AS SELECT %s FROM rm.events GROUP BY %s', level || '_plain',
	                (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
	                 WHERE attrelid = ('rm.' || level)::regclass AND attnum > 0),
	                array_to_string(array[format('date_trunc(%L, at, %L)', bucket, 'America/New_York')] || keys || measures, ', '),
	                (SELECT string_agg(g::text, ', ') FROM generate_series(1, 1 + cardinality(keys)) AS g)));
END $$;
SELECT rm.level('monthly_counts', 'counts', 'month', '{}', '{count(*), count(*) FILTER (WHERE ok) AS ok, count(tags)}');
SELECT rm.level('weekly_sums', 'sums', 'week', '{lower(region)}', '{sum(small), sum(big), avg(exact), avg(number), avg(exact) FILTER (WHERE NOT ok) AS not_ok}');
SELECT rm.level('daily_inexact_sums', 'inexact_sums', 'day', '{}', '{sum(float), sum(short), sum(span), sum(price), avg(float), avg(short)}');
SELECT rm.level('weekly_extremes', 'extremes', 'week', '{ok}', '{min(float), max(short), min(span), max(price), min(at), max(name), max(code), min(tags), max(mood), "max(region COLLATE \"C\") AS last"}');
SELECT rm.level('yearly_spreads', 'spreads', 'year', '{}', '{stddev(small), stddev_pop(big), variance(exact), var_pop(number), stddev(exact) FILTER (WHERE ok) AS ok}');
SELECT rm.level('yearly_roots', 'roots', 'year', '{region}', '{stddev(root), stddev_samp(root::real) AS a, var_pop(root::real) AS c, variance(root) FILTER (WHERE ok) AS ok}');
SELECT name FROM rm.rolled_up WHERE NOT has_cells ORDER BY 1;
SELECT * FROM rm.wrong_when_refreshed;
DELETE FROM rm.events WHERE at < '2024-03-10 12:00 America/New_York';
SELECT * FROM rm.wrong_now;

DROP SCHEMA rm CASCADE;
SELECT count(*) FROM remedy.rollup AS r LEFT JOIN pg_class AS v ON v.oid = r.view WHERE v.oid IS NULL;

-- rollup_zones: where clocks are odd, the times that a bucket's rows may have, and whole rollups.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
CREATE SCHEMA rz;
SET search_path = rz, public;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

-- Changes at 00:01 and by two hours, by half an hour, at midnight, in Ramadan, days that are left out or come twice,
-- offsets with seconds.
CREATE TABLE zone (name text);
INSERT INTO zone VALUES ('America/St_Johns'), ('Australia/Lord_Howe'), ('America/Sao_Paulo'), ('America/Havana'), ('Atlantic/Azores'),
	('Africa/Casablanca'), ('Pacific/Apia'), ('Asia/Manila'), ('Pacific/Kiritimati'), ('Pacific/Kwajalein'), ('America/Anchorage'),
	('America/Juneau'), ('America/Sitka'), ('Europe/Amsterdam'), ('Africa/Monrovia'), ('Asia/Kathmandu'), ('Europe/Dublin'), ('UTC');

-- Times around every change of every clock, and what bucket they are in.
CREATE TABLE change AS
	SELECT name AS zone, day FROM zone, generate_series(timestamptz '1840-01-01', '2039-01-01', interval '24 hours') AS day
	WHERE (day AT TIME ZONE name) - (day AT TIME ZONE 'UTC') <> ((day + interval '24 hours') AT TIME ZONE name) - ((day + interval '24 hours') AT TIME ZONE 'UTC');
SELECT count(DISTINCT zone) AS zones FROM change;
CREATE TABLE sample AS
	SELECT zone, unit, at, date_trunc(unit, at, zone) AS bucket
	FROM change, unnest('{minute,hour,day,week,month,quarter,year}'::text[]) AS unit,
		generate_series(day - interval '30 hours', day + interval '54 hours', interval '58 minutes 50.123457 seconds') AS at;
-- Rows of a bucket are never outside of its bounds; these are not wider than the longest bucket and, from days on, the zone's spread.
-- (Whether some quarter of the past has rows before its begin depends on the version of tzdata.)
SELECT unit, count(*) FILTER (WHERE at < remedy.bucket_opens(bucket, unit, zone) OR at > remedy.bucket_closes(bucket, unit, zone)) AS outside,
		count(*) FILTER (WHERE at < bucket AND unit IN ('day', 'week', 'month')) > 0 AS some_are_before,
		max(remedy.bucket_closes(bucket, unit, zone) - remedy.bucket_opens(bucket, unit, zone)) < max(length) + CASE WHEN unit IN ('minute', 'hour') THEN '0' ELSE interval '52 hours' END AS narrow
	FROM sample JOIN (VALUES ('minute', interval '1 minute'), ('hour', '1 hour'), ('day', '24 hours'), ('week', '7 days'), ('month', '31 days'), ('quarter', '92 days'),
		('year', '366 days')) AS u (unit, length) USING (unit) GROUP BY unit ORDER BY max(length);
-- Without a change near by they are exact.
SELECT remedy.bucket_opens(timestamptz '2026-07-15 00:00 Europe/Berlin', 'day', 'Europe/Berlin') = '2026-07-15 00:00 Europe/Berlin' AS opens,
	remedy.bucket_closes(timestamptz '2026-07-15 00:00 Europe/Berlin', 'day', 'Europe/Berlin') = timestamptz '2026-07-16 00:00 Europe/Berlin' - interval '1 microsecond' AS closes;

-- Other types, and what is no time.
SELECT unit, remedy.bucket_opens(timestamp '2024-01-01', unit, NULL), remedy.bucket_closes(timestamp '2024-01-01', unit, NULL)
	FROM unnest('{minute,hour,day,week,month,quarter,year}'::text[]) AS unit;
SELECT unit, remedy.bucket_opens(date '2024-01-01', unit, NULL), remedy.bucket_closes(date '2024-01-01', unit, NULL) FROM unnest('{day,week,month,quarter,year}'::text[]) AS unit;
SELECT remedy.bucket_opens(v, 'day', 'Europe/Berlin') AS opens, remedy.bucket_closes(v, 'day', 'Europe/Berlin') AS closes
	FROM (VALUES (timestamptz 'infinity'), ('-infinity'), (NULL), ('294276-12-31 00:00+00'), ('4714-11-24 00:00+00 BC')) AS t (v);
SELECT remedy.bucket_opens(v, 'month', NULL) AS opens, remedy.bucket_closes(v, 'month', NULL) AS closes
	FROM (VALUES (date 'infinity'), ('-infinity'), (NULL), ('5874897-12-01')) AS t (v);
SELECT remedy.bucket_opens(timestamptz '2024-01-01', 'decade', 'UTC');
SELECT remedy.bucket_opens(timestamptz '2024-01-01', 'day', 'Nowhere/Land');
SELECT remedy.bucket_opens(timestamptz '2024-01-01', 'day', NULL);
SELECT remedy.bucket_opens(1, 'day', NULL);

-- Rollups with all those times, additive and not: filled, then changed; by day and by hour; an index finds the rows of each bucket.
CREATE TABLE event (at timestamptz, value integer, weight double precision);
CREATE INDEX ON event (at);
CREATE PROCEDURE roll(zone text) LANGUAGE plpgsql AS $$
DECLARE
	kind text;
	unit text;
	differing bigint;
BEGIN
	TRUNCATE rz.event;
	INSERT INTO rz.event SELECT s.at, s.number % 97, s.number % 97 FROM (SELECT s.at, row_number() OVER (ORDER BY s.at) AS number
		FROM rz.sample AS s WHERE s.zone = roll.zone AND s.unit = 'hour') AS s WHERE s.number % 3 = 0;
	INSERT INTO rz.event VALUES (NULL, 1, 1), ('infinity', 1, 1), ('-infinity', 1, 1);
	FOR kind, unit IN SELECT k, u FROM unnest('{value,weight}'::text[]) AS k, unnest('{hour,day,month}'::text[]) AS u LOOP
		PERFORM remedy.create_rollup('rz.rolled', 'rz.event', 'at', unit, '{}', ARRAY['count(*)', pg_catalog.format('sum(%I) AS s', kind), 'min(value) AS m'], roll.zone);
		PERFORM remedy.rebuild_rollup('rz.rolled');
		FOR change IN 1 .. 3 LOOP
			IF change = 2 THEN
				UPDATE rz.event SET value = value + 1, weight = weight + 1 WHERE value % 31 = 0;
			ELSIF change = 3 THEN
				DELETE FROM rz.event WHERE value % 47 = 5;
			END IF;
			EXECUTE pg_catalog.format('WITH plain AS MATERIALIZED (SELECT date_trunc(%L, at, %L), count(*), sum(%I), min(value) FROM rz.event GROUP BY 1) '
				'SELECT (SELECT count(*) FROM (TABLE plain EXCEPT ALL TABLE rz.rolled_now) AS a) + (SELECT count(*) FROM (TABLE rz.rolled_now EXCEPT ALL TABLE plain) AS b)',
				unit, roll.zone, kind) INTO differing;
			IF differing > 0 THEN
				RAISE WARNING '% % % change %: % buckets differ', roll.zone, unit, kind, change, differing;
			END IF;
		END LOOP;
		COMMIT;
		CALL remedy.refresh_rollup('rz.rolled');
		SELECT count(*) INTO differing FROM remedy.verify_rollup('rz.rolled');
		IF differing > 0 THEN
			RAISE WARNING '% % %: % buckets are wrong after the refresh', roll.zone, unit, kind, differing;
		END IF;
		PERFORM remedy.drop_rollup('rz.rolled');
		COMMIT;
	END LOOP;
END $$;
DO $$
DECLARE
	zone text;
BEGIN
	FOR zone IN SELECT name FROM rz.zone WHERE name IN ('America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia', 'America/Sao_Paulo', 'America/Havana', 'Pacific/Kwajalein', 'America/Juneau', 'Europe/Amsterdam') LOOP
		CALL rz.roll(zone);
	END LOOP;
END $$;

-- What nobody's clock showed, and what it showed twice.
TRUNCATE event;
INSERT INTO event SELECT at, 1, 1 FROM generate_series(timestamptz '2011-12-29 00:00 Pacific/Apia', '2012-01-01 00:00 Pacific/Apia', '1 hour') AS at;
SELECT remedy.create_rollup('apia', 'event', 'at', 'day', '{}', '{count(*)}', 'Pacific/Apia');
SELECT bucket AT TIME ZONE 'Pacific/Apia' AS day, count FROM apia_now ORDER BY bucket;
TRUNCATE event;
INSERT INTO event SELECT at, 1, 1 FROM generate_series(timestamptz '1969-09-29 00:00+11', '1969-10-02 13:00+11', '1 hour') AS at;
SELECT remedy.create_rollup('kwajalein', 'event', 'at', 'day', '{}', '{count(*)}', 'Pacific/Kwajalein');
SELECT sum(count) = (SELECT count(*) FROM event) AS complete, max(count) > 24 AS a_day_of_two FROM kwajalein_now;
TRUNCATE event;
INSERT INTO event SELECT at, 1, 1 FROM generate_series(timestamptz '2026-10-25 00:00 Europe/Berlin', '2026-10-25 04:59 Europe/Berlin', '30 minutes') AS at;
SELECT remedy.create_rollup('berlin', 'event', 'at', 'hour', '{}', '{count(*)}', 'Europe/Berlin');
SELECT bucket AT TIME ZONE 'Europe/Berlin' AS hour, count FROM berlin_now ORDER BY bucket;
SELECT remedy.drop_rollup(name::text) FROM remedy.rollups ORDER BY name::text;
DROP SCHEMA rz CASCADE;

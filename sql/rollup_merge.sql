-- rollup_merge: rows that MERGE moves to another partition, which the server tells no trigger of UPDATE, are not lost.
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA merging;
CREATE TABLE merging.event (id integer, at timestamp, ms integer) PARTITION BY RANGE (at);
CREATE TABLE merging.event_1 PARTITION OF merging.event FOR VALUES FROM ('2026-03-01') TO ('2026-03-10');
CREATE TABLE merging.event_2 PARTITION OF merging.event DEFAULT PARTITION BY LIST (ms);
CREATE TABLE merging.event_3 PARTITION OF merging.event_2 DEFAULT;
INSERT INTO merging.event SELECT i, '2026-03-01'::timestamp + i * interval '1 day', i * 10 FROM generate_series(1, 12) AS i;
SELECT remedy.create_rollup('merging.daily', 'merging.event', 'at', 'day', measures => '{count(*) AS n, sum(ms) AS ms}');
CALL remedy.refresh_rollup('merging.daily');
CREATE VIEW merging.wrong AS
	SELECT 'now' AS only_in, * FROM (SELECT * FROM merging.daily_now
		EXCEPT ALL SELECT date_trunc('day', at), count(*), sum(ms) FROM merging.event GROUP BY 1) AS a
	UNION ALL SELECT 'plain', * FROM (SELECT date_trunc('day', at), count(*), sum(ms) FROM merging.event GROUP BY 1
		EXCEPT ALL SELECT * FROM merging.daily_now) AS b;

-- Without actions that insert or delete no trigger gets the row.
MERGE INTO merging.event AS e USING (VALUES (3)) AS x (id) ON e.id = x.id WHEN MATCHED THEN UPDATE SET at = '2026-03-20';
SELECT * FROM merging.wrong;
MERGE INTO merging.event AS e USING (VALUES (4)) AS x (id) ON e.id = x.id
	WHEN MATCHED AND ms > 1000 THEN DELETE WHEN MATCHED THEN UPDATE SET at = '2026-03-21', ms = 1;
SELECT * FROM merging.wrong;
MERGE INTO merging.event AS e USING (VALUES (11), (99)) AS x (id) ON e.id = x.id
	WHEN MATCHED THEN UPDATE SET at = '2026-03-04' WHEN NOT MATCHED THEN INSERT VALUES (99, '2026-03-05', 5);
SELECT * FROM merging.wrong;

-- Inside of functions, of either sort; and beside other statements of the transaction.
CREATE FUNCTION merging.in_plpgsql() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	UPDATE merging.event SET ms = ms + 1 WHERE id = 5;
	MERGE INTO merging.event AS e USING (VALUES (5)) AS x (id) ON e.id = x.id WHEN MATCHED THEN UPDATE SET at = '2026-03-22';
END $$;
CREATE FUNCTION merging.in_sql() RETURNS void LANGUAGE sql AS
	'MERGE INTO merging.event AS e USING (VALUES (6)) AS x (id) ON e.id = x.id WHEN MATCHED THEN UPDATE SET at = ''2026-03-22''';
DO $$ BEGIN PERFORM merging.in_plpgsql(); END $$;
SELECT * FROM merging.wrong;
DO $$ BEGIN PERFORM merging.in_sql(); END $$;
SELECT * FROM merging.wrong;
CALL remedy.refresh_rollup('merging.daily');

-- It is not by columns that it sets, but by a trigger of rows.
CREATE FUNCTION merging.sets_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := '2026-03-25'; RETURN NEW; END $$;
CREATE TRIGGER sets_time BEFORE UPDATE ON merging.event FOR EACH ROW EXECUTE FUNCTION merging.sets_time();
MERGE INTO merging.event AS e USING (VALUES (7)) AS x (id) ON e.id = x.id WHEN MATCHED THEN UPDATE SET ms = 7;
SELECT * FROM merging.wrong;
DROP TRIGGER sets_time ON merging.event;

-- Other statements, and MERGE that leaves the partitions' keys alone, cost no rebuild.
CALL remedy.refresh_rollup('merging.daily');
UPDATE merging.event SET at = '2026-03-26' WHERE id = 8;
MERGE INTO merging.event AS e USING (VALUES (9)) AS x (id) ON e.id = x.id WHEN MATCHED THEN UPDATE SET id = -9;
MERGE INTO merging.event_3 AS e USING (VALUES (10)) AS x (id) ON e.id = x.id WHEN MATCHED THEN UPDATE SET at = '2026-03-27';
SELECT kind, count(*) FROM merging.daily_marks GROUP BY kind;
SELECT * FROM merging.wrong;
DROP SCHEMA merging CASCADE;

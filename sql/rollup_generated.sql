-- Generated columns as time, key, value and filter: virtual ones where the server has them (18), which have no value in
-- the rows that triggers get; and columns that are given another expression (17), of which no trigger is told.

SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
CREATE SCHEMA gen;
SET search_path = gen;

CREATE FUNCTION since(version integer, command text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('server_version_num')::integer / 10000 >= version THEN EXECUTE command; END IF;
END $$;

-- Cells that are wrong.
CREATE FUNCTION wrong() RETURNS TABLE (in_now bigint, in_cells bigint) LANGUAGE plpgsql AS $$
DECLARE
	plain text := 'SELECT date_trunc(''day'', day_time), kind, count(*), sum(doubled), count(*) FILTER (WHERE large) FROM orders GROUP BY 1, 2';
	query text := 'SELECT count(*) FROM ((%1$s) EXCEPT ALL (TABLE %2$s) UNION ALL ((TABLE %2$s) EXCEPT ALL (%1$s))) AS d';
BEGIN
	EXECUTE format(query, plain, 'daily_now') INTO in_now;
	EXECUTE format(query, plain, 'daily') INTO in_cells;
	RETURN NEXT;
END $$;

DO $$
BEGIN
	EXECUTE replace('CREATE TABLE orders (at timestamp, kind_of text, value integer,
		day_time timestamp GENERATED ALWAYS AS (at + interval ''1 hour'') %,
		kind text GENERATED ALWAYS AS (upper(kind_of)) %,
		doubled integer GENERATED ALWAYS AS (value * 2) %,
		large boolean GENERATED ALWAYS AS (value > 50) %) PARTITION BY RANGE (at)', '%',
		CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END);
END $$;
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE spare (kind_of text, value integer, at timestamp);
DO $$
BEGIN
	EXECUTE replace('ALTER TABLE spare ADD day_time timestamp GENERATED ALWAYS AS (at + interval ''1 hour'') %,
		ADD doubled integer GENERATED ALWAYS AS (value * 2) %,
		ADD large boolean GENERATED ALWAYS AS (value > 50) %,
		ADD kind text GENERATED ALWAYS AS (upper(kind_of)) %', '%',
		CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 'VIRTUAL' ELSE 'STORED' END);
END $$;
ALTER TABLE orders ATTACH PARTITION spare FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO orders SELECT '2026-01-20'::timestamp + i * interval '7 hours', chr(97 + i % 2), i FROM generate_series(1, 100) AS i;

SELECT remedy.create_rollup('daily', 'orders', 'day_time', 'day', '{kind}', '{count(*), sum(doubled), count(*) FILTER (WHERE large) AS large}');
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong();
INSERT INTO orders SELECT '2026-01-20'::timestamp + i * interval '11 hours', chr(97 + i % 3), i FROM generate_series(1, 60) AS i;
INSERT INTO spare (at, kind_of, value) VALUES ('2026-02-07 23:30', 'a', 70), ('2026-02-08 00:30', NULL, NULL);
UPDATE orders SET value = value + 45 WHERE value % 3 = 0;
UPDATE orders_1 SET kind_of = 'C' WHERE kind_of = 'a' AND value % 5 = 0;
UPDATE orders SET at = at + interval '20 days' WHERE at < '2026-02-01' AND value % 7 = 0;
DELETE FROM spare WHERE value % 11 = 0;
SELECT * FROM wrong();
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong();
SELECT * FROM remedy.verify_rollup('daily');

-- Another expression for all rows, and for those of one partition.
SELECT since(17, 'ALTER TABLE orders ALTER doubled SET EXPRESSION AS (value * 2 + 1)');
SELECT in_now FROM wrong();
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong();
SELECT since(17, 'ALTER TABLE spare ALTER kind SET EXPRESSION AS (kind_of || ''!''), ALTER doubled SET EXPRESSION AS (3)');
SELECT in_now FROM wrong();
CALL remedy.refresh_rollup('daily');
UPDATE spare SET value = value + 1;
INSERT INTO orders (at, kind_of, value) VALUES ('2026-02-07 23:30', 'a', 71), ('2026-01-08 23:30', 'a', 71);
SELECT in_now FROM wrong();
CALL remedy.refresh_rollup('daily');
SELECT * FROM wrong();
SELECT * FROM remedy.verify_rollup('daily');

-- Stored ones: what a partition with its columns in other places computes, its parent's triggers do not get.
CREATE TABLE bills (at timestamp, value integer, gross integer GENERATED ALWAYS AS (value * 2) STORED) PARTITION BY RANGE (at);
CREATE TABLE bills_1 PARTITION OF bills FOR VALUES FROM ('2026-01-01') TO ('2026-01-02');
CREATE TABLE bills_2 (gone integer, value integer, gross integer GENERATED ALWAYS AS (value * 2) STORED, at timestamp);
ALTER TABLE bills_2 DROP gone;
ALTER TABLE bills ATTACH PARTITION bills_2 FOR VALUES FROM ('2026-01-02') TO ('2026-01-04');
SELECT remedy.create_rollup('billed', 'bills', 'at', 'day', '{}', '{sum(gross)}');
CALL remedy.refresh_rollup('billed');
INSERT INTO bills VALUES ('2026-01-01', 1), ('2026-01-02', 2);
TABLE billed_now ORDER BY bucket;
CALL remedy.refresh_rollup('billed');
UPDATE bills SET at = at + interval '1 day', value = value + 10;
TABLE billed_now ORDER BY bucket;
CALL remedy.refresh_rollup('billed');
SELECT * FROM remedy.verify_rollup('billed');
SELECT since(17, 'ALTER TABLE bills ALTER gross SET EXPRESSION AS (value * 3)');
SELECT n.sum_gross = b.sum AS right FROM billed_now AS n JOIN (SELECT at, sum(gross) FROM bills GROUP BY at) AS b ON bucket = at ORDER BY bucket;
CALL remedy.refresh_rollup('billed');
SELECT * FROM remedy.verify_rollup('billed');

DROP SCHEMA gen CASCADE;

-- rollup_everyday: statements and commands that a table meets in its life, beside its rollup: <name>_now is right after
-- each, and so is <name> when it is refreshed.
\set VERBOSITY terse
\a
\t
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
CREATE SCHEMA re;
SET search_path = re;
SET timezone = 'UTC';
CREATE ROLE regress_re_owner;
CREATE ROLE regress_re_heir;
GRANT ALL ON SCHEMA re TO regress_re_owner, regress_re_heir;

CREATE TABLE event (id integer PRIMARY KEY, at timestamptz, kind text, value integer, weight float8);
CREATE VIEW truth AS SELECT date_trunc('day', at, 'UTC') AS bucket, kind, count(*) AS n, sum(value), max(value), sum(weight) AS weight FROM event GROUP BY 1, 2;
INSERT INTO event SELECT i, '2026-01-01Z'::timestamptz + i * interval '1 hour', chr(97 + i % 5), i, i FROM generate_series(1, 300) AS i;
SELECT remedy.create_rollup('daily', 'event', 'at', 'day', '{kind}', '{count(*) AS n,sum(value) AS sum,max(value) AS max,sum(weight) AS weight}', 'UTC');
CALL remedy.refresh_rollup('daily');
-- Cells that are wrong now; then, refreshed, those that are wrong in the view, and what a verification finds.
\set wrong_now '(SELECT count(*) FROM ((TABLE daily_now EXCEPT ALL TABLE truth) UNION ALL (TABLE truth EXCEPT ALL TABLE daily_now)) AS d) AS wrong_now'
\set wrong '(SELECT count(*) FROM ((TABLE daily EXCEPT ALL TABLE truth) UNION ALL (TABLE truth EXCEPT ALL TABLE daily)) AS d) AS wrong, (SELECT count(*) FROM remedy.verify_rollup(\'re.daily\')) AS found'
\set check 'SELECT :wrong_now, (SELECT count(*) > 0 FROM daily_marks) AS marked; CALL remedy.refresh_rollup(\'re.daily\'); SELECT :wrong;'

-- Statements.
COPY event FROM stdin;
1001	2026-01-05 00:00Z	a	5	5
1002	2026-03-05 00:00Z	b	7	5
\.
:check
BEGIN;
TRUNCATE event;
COPY event FROM stdin (FREEZE);
1001	2026-01-05 00:00Z	a	5	5
1002	2026-03-05 00:00Z	b	7	5
\.
SELECT :wrong_now;
COMMIT;
:check
INSERT INTO event SELECT i, '2026-01-01Z'::timestamptz + i * interval '1 hour', chr(97 + i % 5), i, i FROM generate_series(1, 300) AS i;
INSERT INTO event VALUES (5, '2026-01-02Z', 'z', 1, 1), (6000, '2026-01-02Z', 'z', 1, 1)
	ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, value = event.value + 1;
INSERT INTO event VALUES (5, '2026-01-02Z', 'y', 1, 1), (6001, '2026-01-02Z', 'z', 1, 1) ON CONFLICT DO NOTHING;
:check
WITH gone AS (DELETE FROM event WHERE id % 7 = 0 RETURNING *), changed AS (UPDATE event SET value = value + 1 WHERE id % 7 = 1 RETURNING *),
	come AS (INSERT INTO event SELECT id + 10000, at + interval '1 day', kind, value, weight FROM gone RETURNING *)
	SELECT (SELECT count(*) FROM gone) AS gone, (SELECT count(*) FROM changed) AS changed, (SELECT count(*) FROM come) AS come;
:check
BEGIN;
SELECT count(*) FROM (SELECT FROM event FOR UPDATE) AS e;
SELECT count(*) > 0 FROM (SELECT FROM daily FOR UPDATE) AS d;
COMMIT;
:check
CREATE TABLE kind (name text PRIMARY KEY);
INSERT INTO kind SELECT DISTINCT kind FROM event;
ALTER TABLE event ADD FOREIGN KEY (kind) REFERENCES kind ON UPDATE CASCADE ON DELETE CASCADE;
UPDATE kind SET name = 'A' WHERE name = 'a';
DELETE FROM kind WHERE name = 'b';
:check
ALTER TABLE event DROP CONSTRAINT event_kind_fkey, ADD FOREIGN KEY (kind) REFERENCES kind ON UPDATE SET NULL ON DELETE SET DEFAULT;
UPDATE kind SET name = 'C' WHERE name = 'c';
DELETE FROM kind WHERE name = 'd';
:check
ALTER TABLE event DROP CONSTRAINT event_kind_fkey;

-- Rewritten tables, with marks there.
UPDATE event SET value = value + 1 WHERE id < 50;
CLUSTER event USING event_pkey;
VACUUM FULL event;
VACUUM FULL daily_cells;
VACUUM FULL daily_marks;
CLUSTER daily_cells USING daily_cells_bucket_idx;
INSERT INTO event VALUES (7001, '2026-01-02Z', 'A', 1, 1);
:check
INSERT INTO event VALUES (7002, '2026-01-02Z', 'A', 1, 1);
ALTER TABLE event ADD COLUMN note integer DEFAULT 5, ADD COLUMN noted timestamptz DEFAULT clock_timestamp(), ALTER id TYPE bigint;
INSERT INTO event VALUES (7003, '2026-01-02Z', 'A', 1, 1);
ALTER TABLE event DROP COLUMN note;
:check
UPDATE event SET noted = NULL, id = id + 100 WHERE id >= 7002;
:check
INSERT INTO event VALUES (7100, '2026-01-02Z', 'A', 1, 1);
ALTER TABLE event SET UNLOGGED;
INSERT INTO event VALUES (7101, '2026-01-02Z', 'A', 1, 1);
CALL remedy.refresh_rollup('daily');
SELECT problem, detail FROM remedy.verify_rollup('daily');
ALTER TABLE event SET LOGGED;
:check
CREATE TABLE event_like (LIKE event INCLUDING ALL);
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'event_like'::regclass;
INSERT INTO event_like TABLE event;
:check

-- Names and owners.
CREATE SCHEMA re_else;
GRANT ALL ON SCHEMA re_else TO regress_re_owner, regress_re_heir;
ALTER TABLE daily_cells SET SCHEMA re_else;
ALTER TABLE re_else.daily_cells RENAME TO cells_of_it;
ALTER TABLE event SET SCHEMA re_else;
ALTER TABLE re_else.event RENAME kind TO "ki nd";
INSERT INTO re_else.event VALUES (7200, '2026-01-02Z', 'A', 1, 1);
:check
ALTER TABLE re_else.event OWNER TO regress_re_owner;
REASSIGN OWNED BY regress_re_owner TO regress_re_heir;
SELECT r.view, r.cells, relowner::regrole FROM remedy.rollup AS r JOIN pg_class AS c ON c.oid IN (view, row_view, cells, marks, now_view)
	WHERE r.view = 'daily'::regclass GROUP BY 1, 2, 3;
INSERT INTO re_else.event VALUES (7201, '2026-01-02Z', 'A', 1, 1);
SET ROLE regress_re_heir;
CALL remedy.refresh_rollup('daily');
INSERT INTO re_else.event VALUES (7202, '2026-01-02Z', 'A', 1, 1);
RESET ROLE;
:check

-- The end of it: with its owner, its extension or its schema.
DROP EXTENSION pg_remedy;
BEGIN;
DROP EXTENSION pg_remedy CASCADE;
INSERT INTO re_else.event VALUES (7300, '2026-01-02Z', 'A', 1, 1);
SELECT count(*) > 0 FROM daily_now;
ROLLBACK;
:check
BEGIN;
DROP OWNED BY regress_re_heir CASCADE;
SELECT count(*) FROM remedy.rollup_member;
SELECT relname FROM pg_class WHERE relnamespace IN ('re'::regnamespace, 're_else'::regnamespace) AND relname ~ '^(daily|event$|cells)';
ROLLBACK;
CREATE TABLE staying (at timestamptz);
SELECT remedy.create_rollup('re_else.staying_daily', 'staying', 'at', 'day');
DROP SCHEMA re_else;
DROP SCHEMA re_else CASCADE;
SELECT count(*) FROM remedy.rollup WHERE view::text LIKE '%daily';
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'staying'::regclass;
INSERT INTO staying VALUES ('2026-01-01');
SELECT count(*) FROM remedy.rollup_member WHERE source = 'staying'::regclass;
DROP SCHEMA re CASCADE;
DROP ROLE regress_re_owner, regress_re_heir;

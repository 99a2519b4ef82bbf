-- rollup_rights: a rollup is its source's owner's, and nobody gets another one's rights through it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
CREATE ROLE regress_remedy_owner LOGIN;
CREATE ROLE regress_remedy_writer LOGIN;
CREATE ROLE regress_remedy_reader LOGIN;
CREATE ROLE regress_remedy_member LOGIN IN ROLE regress_remedy_owner;
CREATE SCHEMA rr AUTHORIZATION regress_remedy_owner;
CREATE SCHEMA rr_closed;
GRANT USAGE ON SCHEMA rr, rr_closed TO PUBLIC;
SET timezone = 'UTC';
SET ROLE regress_remedy_owner;
CREATE TABLE rr.event (at timestamptz, region text, n integer);
INSERT INTO rr.event VALUES ('2026-01-01', 'north', 1);
GRANT SELECT, INSERT ON rr.event TO regress_remedy_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA rr GRANT ALL ON TABLES TO PUBLIC, regress_remedy_reader;
RESET ROLE;

-- Only who owns the source.
SET ROLE regress_remedy_writer;
SELECT remedy.create_rollup('stolen', 'rr.event', 'at', 'day');
RESET ROLE;
SET ROLE regress_remedy_owner;
SELECT remedy.create_rollup('rr.daily', 'rr.event', 'at', 'day', '{region}', '{sum(n)}');
SELECT remedy.create_rollup('rr_closed.daily', 'rr.event', 'at', 'day');
RESET ROLE;
-- A superuser has no more rights there than the owner, and what is made is the owner's.
SELECT remedy.create_rollup('rr_closed.daily', 'rr.event', 'at', 'day');
SELECT remedy.create_rollup('rr.hourly', 'rr.event', 'at', 'hour');
SET ROLE regress_remedy_member;
SELECT remedy.create_rollup('rr.monthly', 'rr.daily', 'bucket', 'month', '{region}', '{sum(n)}');
RESET ROLE;
SELECT relowner::regrole AS owner, count(*), count(*) FILTER (WHERE relacl IS NOT NULL AND EXISTS (
		SELECT FROM aclexplode(relacl) AS a WHERE a.grantee <> relowner)) AS of_others
	FROM pg_class WHERE relnamespace = 'rr'::regnamespace AND relkind IN ('r', 'v', 'i') AND relname <> 'event' GROUP BY 1;

-- Who writes into the source needs no right on what keeps the rollup, and gets none.
SET ROLE regress_remedy_writer;
INSERT INTO rr.event VALUES ('2026-01-01', 'north', 2), ('2026-01-02', 'south', 3);
INSERT INTO rr.daily_marks VALUES ('r');
DELETE FROM rr.daily_cells;
SELECT * FROM rr.daily_now;
SELECT * FROM rr.daily_rows;
SELECT remedy.drop_rollup('rr.daily');
CALL remedy.refresh_rollup('rr.daily');
SELECT remedy.rebuild_rollup('rr.daily');
SELECT * FROM remedy.rollup;
DELETE FROM remedy.rollup;
SELECT * FROM remedy.rollup_member;
-- All can be told of by everybody.
SELECT name, source, state, cells, marks > 0 AS marked, size_bytes > 0 AS sized FROM remedy.rollups ORDER BY name;
RESET ROLE;

-- Readers have what the owner grants them, and need no right on the source.
SET ROLE regress_remedy_owner;
CALL remedy.refresh_rollup('rr.daily');
GRANT SELECT ON rr.daily, rr.monthly_now TO regress_remedy_reader;
RESET ROLE;
INSERT INTO rr.event VALUES ('2026-01-02', 'south', 4);
SET ROLE regress_remedy_reader;
SELECT * FROM rr.daily ORDER BY bucket, region;
SELECT * FROM rr.daily_now;
SELECT * FROM rr.monthly_now ORDER BY bucket, region;
SELECT * FROM rr.monthly;
SELECT * FROM rr.daily_cells;
SELECT * FROM rr.event;
RESET ROLE;

-- The caller's search_path decides what names in the call mean, and nothing else.
SET ROLE regress_remedy_owner;
CREATE FUNCTION rr.lower(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT 'lower of rr'::text $$;
CREATE FUNCTION rr.date_trunc(text, timestamptz, text) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS $$ SELECT '-infinity'::timestamptz $$;
CREATE FUNCTION rr.int4pl(integer, integer) RETURNS integer IMMUTABLE LANGUAGE sql AS $$ SELECT 0 $$;
CREATE OPERATOR rr.+ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = rr.int4pl);
CREATE TABLE rr.bucket_of (a integer);
SET search_path = rr, pg_catalog;
SELECT remedy.create_rollup('pathed', 'event', 'at', 'day', '{lower(region) AS l, pg_catalog.lower(region) AS real, n + 1 AS plus, n OPERATOR(pg_catalog.+) 1 AS real_plus}');
SELECT * FROM pathed_now ORDER BY bucket, real_plus;
RESET search_path;
CALL remedy.refresh_rollup('rr.pathed');
SELECT * FROM rr.pathed ORDER BY bucket, real_plus;
SELECT keys FROM remedy.rollups WHERE name = 'rr.pathed';
SELECT definition FROM remedy.rollups WHERE name = 'rr.pathed';
RESET ROLE;

-- Expressions are evaluated as the source's owner, also when others write.
SET ROLE regress_remedy_owner;
CREATE FUNCTION rr.who(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN $1 || ' as ' || current_user; END $$;
REVOKE EXECUTE ON FUNCTION rr.who(text) FROM PUBLIC;
SELECT remedy.create_rollup('rr.told', 'rr.event', 'at', 'year', '{rr.who(region) AS who}');
RESET ROLE;
CALL remedy.refresh_rollup('rr.told');
SELECT who, count FROM rr.told ORDER BY who;
SET ROLE regress_remedy_writer;
INSERT INTO rr.event VALUES ('2026-01-02', 'east', 4);
RESET ROLE;
CALL remedy.refresh_rollup('rr.told');
SELECT who, count FROM rr.told ORDER BY who;

-- What the table's new owner gets: all of it.
SET ROLE regress_remedy_owner;
SELECT remedy.drop_rollup('rr.told');
SELECT remedy.drop_rollup('rr.pathed');
RESET ROLE;
CREATE ROLE regress_remedy_heir LOGIN;
GRANT USAGE, CREATE ON SCHEMA rr TO regress_remedy_heir;
ALTER TABLE rr.event OWNER TO regress_remedy_heir;
SELECT relname, relowner::regrole AS owner FROM pg_class WHERE relnamespace = 'rr'::regnamespace AND relname LIKE 'daily%' ORDER BY 1;
SET ROLE regress_remedy_owner;
SELECT remedy.drop_rollup('rr.hourly');
RESET ROLE;
SET ROLE regress_remedy_heir;
CALL remedy.refresh_rollup('rr.daily');
SELECT remedy.drop_rollup('rr.hourly');
SELECT remedy.drop_rollup('rr.monthly');
SELECT remedy.drop_rollup('rr.daily');
-- Somebody's own daily_rows does harm to nobody else.
SELECT remedy.create_rollup('rr.daily', 'rr.event', 'at', 'day');
CREATE OR REPLACE VIEW rr.daily_rows AS SELECT NULL::timestamptz AS "time", NULL::timestamptz AS bucket;
RESET ROLE;
SELECT name, bucket, keys, state FROM remedy.rollups;
SELECT remedy.drop_rollup('rr.daily');
SELECT count(*) FROM remedy.rollup;
DROP SCHEMA rr, rr_closed CASCADE;
DROP ROLE regress_remedy_heir, regress_remedy_member, regress_remedy_owner, regress_remedy_writer, regress_remedy_reader;

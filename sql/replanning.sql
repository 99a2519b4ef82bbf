-- The form in which another session can plan a statement again, and the values it was run with.
SET compute_query_id = on;
SET pg_remedy.keep_values = on;
SET client_min_messages = warning;
CREATE ROLE regress_remedy_replanner;
CREATE SCHEMA shop;
CREATE SCHEMA other;
GRANT USAGE ON SCHEMA shop TO PUBLIC;
CREATE TYPE shop.state AS ENUM ('open', 'sent');
CREATE TABLE shop.sale (id integer PRIMARY KEY, state shop.state DEFAULT 'open', placed date DEFAULT '2026-01-01', note text);
CREATE TABLE other.sale (wrong boolean);
INSERT INTO shop.sale (id, note) SELECT i, 'note ' || i FROM generate_series(1, 1000) AS i;
ANALYZE shop.sale;
GRANT SELECT ON shop.sale TO PUBLIC;
CREATE FUNCTION shop.notes_of(wanted integer) RETURNS bigint LANGUAGE plpgsql AS
	$$ DECLARE least text := 'n'; BEGIN RETURN (SELECT count(*) FROM shop.sale AS s WHERE s.id < wanted AND s.note > least); END $$;
CREATE FUNCTION shop.is_there(integer) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT EXISTS (SELECT 1 FROM shop.sale WHERE id = $1)';
-- What is asked for by its text, which stands in remedy.statements.
CREATE VIEW form AS
	SELECT s.query, c.* FROM remedy.statements AS s JOIN remedy.check_replanning() AS c USING (query_id)
	WHERE s.query !~ '^(GRANT|CREATE FUNCTION|ALTER)';
SELECT remedy.reset();

-- Simple protocol: constants that are no parameters' kind, under a search path that is another one later.
SET search_path = shop;
SELECT note FROM sale WHERE id = 42;
SELECT count(*) FROM sale WHERE placed > date '2026-02-01' GROUP BY state ORDER BY 1 LIMIT 3;
SELECT id FROM sale WHERE note = E'it\'s' AND placed < now() - interval '3' day;
-- Prepared statements, by their kinds of types.
PREPARE by_id (integer) AS SELECT note FROM sale WHERE id = $1;
EXECUTE by_id (7);
PREPARE by_state (state, text, date) AS SELECT count(*) FROM sale WHERE state = $1 AND note <> $2 AND placed = $3;
EXECUTE by_state ('open', NULL, '2026-01-01');
PREPARE by_notes (text[]) AS SELECT count(*) FROM sale WHERE note = ANY ($1);
EXECUTE by_notes ('{note 1,note 2}');
PREPARE below (integer) AS SELECT count(note) FROM sale WHERE id < $1;
EXECUTE below (1000);
EXECUTE below (2);
-- A cursor, and what changes rows.
BEGIN;
DECLARE part CURSOR FOR SELECT id FROM sale WHERE id < 3;
FETCH ALL FROM part;
ROLLBACK;
UPDATE sale SET note = 'changed' WHERE id = 3;
DELETE FROM sale WHERE id = 4;
INSERT INTO sale (id) VALUES (1004);
-- Commands that hold a query, and others.
CREATE TABLE copied AS SELECT * FROM sale WHERE id < 10;
COPY (SELECT id FROM sale WHERE id = 12) TO STDOUT;
ANALYZE sale;
-- Inside functions.
SET pg_remedy.track = 'all';
SELECT notes_of(12);
SELECT is_there(12);
SET pg_remedy.track = 'top';
SET search_path = other, public;

SELECT planned, reason, cost > 0 AS costs, has_constants, parameters, search_path, cardinality(sample_costs) AS samples, query
FROM form ORDER BY query COLLATE "C";

-- The planner is given the values.
SELECT sample_costs[1] > cost AS most, sample_costs[2] < cost AS few FROM form WHERE query LIKE 'PREPARE below%';

-- What they were run with.
SELECT s.query, m.user_name = CURRENT_USER AS mine, m.execution_ms > 0 AS took, m.parameters, m.query
FROM remedy.statement_samples AS m LEFT JOIN remedy.statements AS s USING (query_id)
ORDER BY s.query COLLATE "C", m.taken_at;

-- The first, second, fourth, eighth run; four are kept, the oldest goes but for the slowest.
SELECT remedy.reset(query_id => query_id) FROM remedy.statements WHERE query LIKE 'PREPARE by_id%';
SELECT count(*) FROM remedy.statement_samples WHERE parameters = '{7}';
DEALLOCATE by_id;
PREPARE by_id (integer) AS SELECT count(*) FROM shop.sale WHERE id >= $1 AND NOT pg_sleep($1 / 100 * 0.02) IS NULL;
\o /dev/null
\set ECHO none
SELECT 'EXECUTE by_id(' || CASE i WHEN 4 THEN 1000 ELSE 1100 + i END || ')' FROM generate_series(1, 40) AS i \gexec
\o
\set ECHO all
SELECT parameters FROM remedy.statement_samples JOIN remedy.statements AS s USING (query_id)
WHERE s.query LIKE '%pg_sleep%' AND parameters IS NOT NULL ORDER BY taken_at;

-- Nothing is kept or shown while it is off.
SET pg_remedy.keep_values = off;
SELECT count(*) FROM remedy.statement_samples;
SELECT count(*) FROM form WHERE sample_costs IS NOT NULL;
SET search_path = shop;
EXECUTE by_state ('sent', 'hidden', '2026-01-01');
SET pg_remedy.keep_values = on;
SELECT count(*) FROM remedy.statement_samples WHERE parameters[2] = 'hidden';

SET search_path = other, public;

-- What is not there any more cannot be planned.
ALTER TABLE shop.sale RENAME COLUMN note TO remark;
SELECT reason, query FROM form WHERE NOT planned AND reason LIKE 'SQLSTATE%' AND query LIKE '%WHERE%' ORDER BY query COLLATE "C";
ALTER TABLE shop.sale RENAME COLUMN remark TO note;

-- As who ran it: a function that the planner evaluates has no more rights than its user, whoever asks.
CREATE FUNCTION shop.spying() RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
	$$ BEGIN
		IF CURRENT_USER <> 'regress_remedy_replanner' THEN RAISE EXCEPTION 'planned as %', CURRENT_USER; END IF;
		RAISE WARNING 'this is not shown'; RETURN 1;
	END $$;
SET client_min_messages = error;
SET ROLE regress_remedy_replanner;
SELECT note FROM shop.sale WHERE id = shop.spying() + 8;
RESET ROLE;
SET client_min_messages = warning;
SELECT planned, reason, query FROM form WHERE query LIKE '%spying%';
SELECT CURRENT_USER = SESSION_USER AS nobody_else, current_setting('search_path') AS search_path, current_setting('lock_timeout') AS lock_timeout;

-- Values and forms are their user's and pg_read_all_stats'.
GRANT EXECUTE ON FUNCTION remedy.check_replanning() TO regress_remedy_replanner;
SET ROLE regress_remedy_replanner;
SELECT query FROM remedy.statement_samples;
SELECT count(*) FROM remedy.check_replanning();
RESET ROLE;
GRANT pg_read_all_stats TO regress_remedy_replanner;
SET ROLE regress_remedy_replanner;
SELECT count(*) > 5 AS more FROM remedy.statement_samples;
SELECT count(*) > 5 AS more FROM remedy.check_replanning() WHERE planned;
RESET ROLE;

SELECT remedy.reset(user_name => 'regress_remedy_replanner');
SELECT count(*) FROM remedy.statement_samples WHERE user_name = 'regress_remedy_replanner';
SELECT remedy.reset();
SELECT count(*) FROM remedy.statement_samples;

-- What runs inside statements has no statistics unless that is asked for; where it reads many rows it can be planned nevertheless.
CREATE TABLE shop.item (id integer, sale_id integer, n integer, kind text);
INSERT INTO shop.item SELECT i, 10 + i % 100, i, 'kind' FROM generate_series(1, 50000) AS i;
ALTER TABLE shop.item ADD FOREIGN KEY (sale_id) REFERENCES shop.sale ON DELETE CASCADE;
CREATE TABLE shop.few AS SELECT generate_series(1, 99) AS few;
CREATE FUNCTION shop.bump() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN UPDATE shop.item SET n = item.n + 1 WHERE kind = NEW.note; RETURN NEW; END';
CREATE TRIGGER bump AFTER UPDATE ON shop.sale FOR EACH ROW EXECUTE FUNCTION shop.bump();
CREATE FUNCTION shop.items(wanted text) RETURNS integer LANGUAGE plpgsql SET search_path = shop AS $$
DECLARE least integer := 5; found integer;
BEGIN
	SELECT count(*) INTO found FROM item WHERE kind = wanted AND n > least;
	IF EXISTS (SELECT FROM item WHERE kind = 'never' AND n < least) THEN RETURN NULL; END IF;
	found := (SELECT count(*) FROM item WHERE kind <> wanted);
	found := found + (SELECT max(id) FROM item WHERE id <> 5);
	FOR found IN SELECT 1 FROM item WHERE n = least - 9 LOOP RETURN NULL; END LOOP;
	EXECUTE 'SELECT FROM item WHERE id + n = $1' USING least;
	RETURN (SELECT count(*) FROM few WHERE few > least);
END $$;
CREATE FUNCTION shop.item_count(wanted text) RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER AS
	'SELECT 1; SELECT count(*) FROM shop.item WHERE kind < wanted';
CREATE VIEW inside AS
	SELECT s.table_name, s.predicate, c.planned, c.reason, c.cost > 0 AS costs, c.has_constants, c.search_path, c.user_name = CURRENT_USER AS mine
	FROM remedy.scans AS s LEFT JOIN remedy.check_replanning() AS c USING (query_id)
	WHERE NOT s.toplevel ORDER BY 1, s.predicate COLLATE "C";
SELECT remedy.reset();
DELETE FROM shop.sale WHERE id = 12;
SELECT shop.items('kind');
UPDATE shop.sale SET note = 'none' WHERE id = 13;
SET ROLE regress_remedy_replanner;
SELECT shop.item_count('a');
RESET ROLE;
-- The query of a command is planned with the command.
\o /dev/null
EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT FROM shop.item WHERE kind >= 'z';
\o
SELECT * FROM inside;
SELECT count(*) FROM remedy.statements WHERE NOT toplevel;
-- With statistics, once.
SET pg_remedy.track = 'all';
SELECT shop.items('kind');
SET pg_remedy.track = 'top';
SELECT count(*) > 4 AS some FROM remedy.statements WHERE NOT toplevel;
SELECT count(*) - count(DISTINCT query_id) AS twice FROM remedy.check_replanning();
DROP VIEW inside;
DROP VIEW form;
DROP SCHEMA shop, other CASCADE;
REVOKE EXECUTE ON FUNCTION remedy.check_replanning() FROM regress_remedy_replanner;
DROP ROLE regress_remedy_replanner;

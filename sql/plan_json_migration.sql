-- What a migration from json to jsonb would do: steps, locks, dependents, and what forbids it.

SET client_min_messages = warning;
CREATE ROLE planner;
CREATE ROLE stranger;
CREATE SCHEMA plan AUTHORIZATION planner;
GRANT USAGE ON SCHEMA plan TO stranger;
SET ROLE planner;
SET search_path = plan;

CREATE TABLE item (gone text, id integer PRIMARY KEY, doc json NOT NULL DEFAULT '{}', other json);
ALTER TABLE item DROP COLUMN gone;
CREATE TABLE tag (id integer, item_id integer);
CREATE VIEW listed AS SELECT id, doc, json_typeof(doc) AS kind FROM item;
CREATE VIEW objects AS SELECT id, doc -> 'a' AS a FROM listed WHERE kind = 'object';
CREATE MATERIALIZED VIEW kept AS SELECT id, json_array_length(a) AS n FROM objects;
CREATE INDEX kept_n ON kept (n);
CREATE INDEX item_a ON item ((doc ->> 'a'));
CREATE INDEX item_other ON item ((other ->> 'a'));
ALTER TABLE item ADD CONSTRAINT typed CHECK (json_typeof(doc) = 'object');
CREATE STATISTICS item_stat ON id, (doc ->> 'a') FROM item;
CREATE POLICY own ON item USING (doc ->> 'owner' = current_user);
CREATE POLICY through ON tag USING (EXISTS (SELECT FROM item AS i WHERE i.id = item_id AND json_array_length(i.doc -> 'a') > 1));
CREATE FUNCTION kind_of(integer) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT json_typeof(doc) FROM item WHERE id = $1; END;
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER on_doc BEFORE UPDATE OF doc ON item FOR EACH ROW WHEN (json_typeof(NEW.doc) <> 'null') EXECUTE FUNCTION fire();
CREATE TRIGGER on_all BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION fire();
CREATE RULE noted AS ON DELETE TO tag DO ALSO UPDATE item SET doc = '[]' WHERE id = OLD.item_id AND json_typeof(doc) = 'object';

-- In the order of execution.
SELECT row_number() OVER (ORDER BY step), phase, object, lock, refusal FROM remedy.plan_json_migration('item', 'doc') WHERE phase <> 'notice' ORDER BY step;

-- Old definitions and new ones.
SELECT object, definition, new_definition FROM remedy.plan_json_migration('item', 'doc')
	WHERE object ~ '^(default|policy|check|index|trigger)' ORDER BY step;
SELECT object, new_definition ~ 'jsonb_' AS rewritten FROM remedy.plan_json_migration('item', 'doc')
	WHERE object ~ '^(function|rule|view|materialised view)' ORDER BY step;

-- The whole, and the alternative.
SELECT phase, duration_ms >= 0 AS duration, wal_bytes >= 0 AS wal, disk_bytes >= 0 AS disk FROM remedy.plan_json_migration('item', 'doc')
	WHERE duration_ms IS NOT NULL ORDER BY step;

-- Another column has less on it; nothing was changed by planning.
SELECT phase, object FROM remedy.plan_json_migration('item', 'other') WHERE definition IS NOT NULL ORDER BY step;
SELECT relname FROM pg_class WHERE relname LIKE 'remedy%';

-- Partitions: what they have from their parent goes with it.
CREATE TABLE parts (id integer, doc json) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
CREATE INDEX parts_a ON parts ((doc ->> 'a'));
CREATE INDEX parts_low_b ON parts_low ((doc ->> 'b'));
ALTER TABLE parts ADD CONSTRAINT typed CHECK (json_typeof(doc) = 'object');
ALTER TABLE parts_low ALTER COLUMN doc SET DEFAULT '{}';
CREATE TRIGGER on_doc BEFORE UPDATE OF doc ON parts FOR EACH ROW EXECUTE FUNCTION fire();
CREATE VIEW low AS SELECT doc FROM parts_low;
SELECT phase, object, refusal FROM remedy.plan_json_migration('parts', 'doc') WHERE definition IS NOT NULL OR refusal IS NOT NULL ORDER BY step;

-- Refused, and why; each with its object.
CREATE TABLE refused (id integer PRIMARY KEY, doc json, remedy_old_2 integer, a text GENERATED ALWAYS AS (doc ->> 'a') STORED);
CREATE TABLE whole (r refused);
CREATE VIEW of_refused AS SELECT * FROM refused;
CREATE FUNCTION of_view(of_refused) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION of_table(refused) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION all_of_table() RETURNS SETOF refused LANGUAGE sql BEGIN ATOMIC SELECT * FROM refused; END;
CREATE FUNCTION takes_json(json) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT $1 ->> 'a' $$;
CREATE INDEX with_function ON refused (takes_json(doc));
CREATE SEQUENCE owned OWNED BY refused.doc;
SELECT phase, object, refusal FROM remedy.plan_json_migration('refused', 'doc') WHERE refusal IS NOT NULL ORDER BY object COLLATE "C";

-- What has no column to migrate.
\set VERBOSITY terse
SELECT remedy.plan_json_migration('item', 'missing');
SELECT remedy.plan_json_migration('item', 'id');
SELECT remedy.plan_json_migration('item', 'ctid');
SELECT remedy.plan_json_migration('listed', 'doc');
SELECT remedy.plan_json_migration('kept', 'doc');
SELECT remedy.plan_json_migration('parts_low', 'doc');
CREATE TABLE child (extra integer) INHERITS (item);
SELECT remedy.plan_json_migration('child', 'doc');
CREATE TABLE second_parent (doc json);
CREATE TABLE of_two () INHERITS (child, second_parent);
SELECT remedy.plan_json_migration('item', 'doc');
CREATE TABLE keyed (doc json) PARTITION BY LIST ((doc ->> 'a'));
SELECT remedy.plan_json_migration('keyed', 'doc');
CREATE TABLE computed (a text, doc json GENERATED ALWAYS AS ('[]'::json) STORED);
SELECT remedy.plan_json_migration('computed', 'doc');
CREATE TEMPORARY TABLE passing (doc json);
SELECT remedy.plan_json_migration('passing', 'doc');
ALTER TABLE tag FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY, ADD doc json;
SELECT remedy.plan_json_migration('tag', 'doc');
SET ROLE stranger;
SELECT remedy.plan_json_migration('plan.parts', 'doc');
SET ROLE planner;
BEGIN READ ONLY;
SELECT remedy.plan_json_migration('parts', 'doc');
ROLLBACK;

RESET ROLE;
DROP OWNED BY planner, stranger;
DROP ROLE planner, stranger;
RESET search_path;

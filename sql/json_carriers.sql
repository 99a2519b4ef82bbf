-- What is stored with a table and hangs on its json column, carried over to jsonb.
\set VERBOSITY terse
SET client_min_messages = error;
\a
\t
SET allow_in_place_tablespaces = true;
CREATE TABLESPACE regress_remedy_carried LOCATION '';
CREATE SCHEMA carried;
CREATE FUNCTION carried.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION carried.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION carried.is_fine(json) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 IS NOT NULL';

-- A table with hostile names, and one of everything.
CREATE TABLE carried."we""ird table" (
	id integer PRIMARY KEY, kind text, "we""ird col" json DEFAULT '{"state": "new", "it''s": "\\"}',
	CONSTRAINT "a b" CHECK (json_typeof("we""ird col") = 'object') NO INHERIT,
	CONSTRAINT c234567890123456789012345678901234567890123456789012345678901_3
		CHECK ("we""ird col" ->> 'state' <> 'bad' AND id > 0),
	CONSTRAINT of_users CHECK (carried.is_fine("we""ird col")));
INSERT INTO carried."we""ird table" SELECT i, 'k' || i % 5, json_build_object('state', 's' || i, 'n', i, 'tags', '["a", "b"]'::json)
	FROM generate_series(1, 100) AS i;
ALTER TABLE carried."we""ird table" ADD CONSTRAINT later CHECK ("we""ird col" -> 'n' ->> 'x' IS NULL) NOT VALID;
COMMENT ON CONSTRAINT "a b" ON carried."we""ird table" IS 'objects'' own';
CREATE INDEX "i ""1" ON carried."we""ird table" (("we""ird col" ->> 'state') COLLATE "C" text_pattern_ops DESC NULLS LAST, id)
	WITH (fillfactor = 70) WHERE "we""ird col" ->> 'n' > '1';
CREATE UNIQUE INDEX i2 ON carried."we""ird table" (kind, ("we""ird col" ->> 'n')) INCLUDE ("we""ird col") NULLS NOT DISTINCT;
CREATE INDEX i3 ON carried."we""ird table" USING gin ((("we""ird col" -> 'tags')::jsonb) jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX i4 ON carried."we""ird table" USING gin (("we""ird col"::jsonb));
CREATE INDEX i5 ON carried."we""ird table" USING brin ((("we""ird col" ->> 'n')::integer) int4_minmax_multi_ops (values_per_range = 16)) TABLESPACE regress_remedy_carried;
CREATE INDEX i6 ON carried."we""ird table" USING hash (("we""ird col" ->> 'n'));
CREATE INDEX i7 ON carried."we""ird table" USING gist (to_tsvector('english', "we""ird col" ->> 'state') tsvector_ops (siglen = 100));
ALTER INDEX carried."i ""1" ALTER COLUMN 1 SET STATISTICS 321;
COMMENT ON INDEX carried.i2 IS 'the second';
ALTER TABLE carried."we""ird table" CLUSTER ON i2;
CREATE STATISTICS carried."s t" (ndistinct, mcv) ON kind, ("we""ird col" ->> 'state'), (("we""ird col" -> 'n')::text) FROM carried."we""ird table";
ALTER STATISTICS carried."s t" SET STATISTICS 50;
COMMENT ON STATISTICS carried."s t" IS 'what goes together';
CREATE STATISTICS carried.one ON (length("we""ird col" ->> 'state')) FROM carried."we""ird table";
CREATE TRIGGER "t 1" BEFORE INSERT OR UPDATE OF "we""ird col", kind ON carried."we""ird table"
	FOR EACH ROW WHEN (NEW."we""ird col" ->> 'state' <> 'x') EXECUTE FUNCTION carried.keep('a''b', '', '\');
CREATE TRIGGER t2 AFTER UPDATE ON carried."we""ird table" FOR EACH ROW
	WHEN (OLD."we""ird col"::text IS DISTINCT FROM NEW."we""ird col"::text) EXECUTE FUNCTION carried.note();
CREATE TABLE carried.other ();
CREATE CONSTRAINT TRIGGER t3 AFTER INSERT OR UPDATE OF "we""ird col" ON carried."we""ird table"
	FROM carried.other DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW."we""ird col" IS NOT NULL) EXECUTE FUNCTION carried.note();
CREATE TRIGGER t4 AFTER UPDATE OF "we""ird col" ON carried."we""ird table" FOR EACH STATEMENT EXECUTE FUNCTION carried.note();
CREATE TRIGGER t5 AFTER UPDATE ON carried."we""ird table" REFERENCING OLD TABLE AS "o t" NEW TABLE AS n
	FOR EACH ROW WHEN (NEW."we""ird col" #>> '{a,0}' IS NULL) EXECUTE FUNCTION carried.note();
ALTER TRIGGER t5 ON carried."we""ird table" DEPENDS ON EXTENSION plpgsql;
ALTER INDEX carried.i6 DEPENDS ON EXTENSION plpgsql;
ALTER TABLE carried."we""ird table" DISABLE TRIGGER t2;
ALTER TABLE carried."we""ird table" ENABLE ALWAYS TRIGGER t4;
COMMENT ON TRIGGER t3 ON carried."we""ird table" IS 'late';
-- A tree of partitions: attributes in other places, two levels, what each partition has for itself.
CREATE TABLE carried.part (id integer, doc json NOT NULL DEFAULT '{}', area text) PARTITION BY LIST (area);
CREATE TABLE carried.part_a PARTITION OF carried.part (CHECK (doc ->> 'a' IS NULL)) FOR VALUES IN ('a');
CREATE TABLE carried.part_b (gone integer, area text, doc json DEFAULT '{"b": 1}' NOT NULL, id integer);
ALTER TABLE carried.part_b DROP COLUMN gone;
CREATE INDEX mine ON carried.part_b ((doc ->> 'x'), id) WITH (fillfactor = 50);
ALTER TABLE carried.part ATTACH PARTITION carried.part_b FOR VALUES IN ('b');
CREATE TABLE carried.part_c PARTITION OF carried.part FOR VALUES IN ('c') PARTITION BY RANGE (id);
CREATE TABLE carried.part_c1 PARTITION OF carried.part_c FOR VALUES FROM (0) TO (100);
CREATE INDEX whole ON carried.part ((doc ->> 'x'), id);
CREATE UNIQUE INDEX single ON carried.part (id, area, (doc ->> 'u'));
CREATE INDEX lone ON carried.part_a ((doc ->> 'y'));
COMMENT ON INDEX carried.part_a_expr_id_idx IS 'a partition''s own';
ALTER INDEX carried.part_a_expr_id_idx ALTER COLUMN 1 SET STATISTICS 7;
ALTER INDEX carried.whole ALTER COLUMN 1 SET STATISTICS 9;
ALTER INDEX carried.part_c_expr_id_idx ALTER COLUMN 1 SET STATISTICS 8;
ALTER TABLE carried.part_b CLUSTER ON mine;
ALTER TABLE carried.part ADD CONSTRAINT all_of_them CHECK (json_typeof(doc) = 'object');
CREATE STATISTICS carried.of_part ON (doc ->> 'x'), area FROM carried.part_a;
CREATE TRIGGER on_all AFTER UPDATE OF doc ON carried.part FOR EACH ROW WHEN (NEW.doc ->> 'x' = 'y') EXECUTE FUNCTION carried.note();
CREATE TRIGGER on_one AFTER UPDATE OF doc ON carried.part_c1 FOR EACH ROW EXECUTE FUNCTION carried.note();
ALTER TABLE carried.part ENABLE REPLICA TRIGGER on_all;
ALTER TABLE ONLY carried.part_c DISABLE TRIGGER on_all;
ALTER TABLE carried.part_b ENABLE ALWAYS TRIGGER on_all;
COMMENT ON TRIGGER on_all ON carried.part_a IS 'of a';
INSERT INTO carried.part SELECT i, json_build_object('x', i, 'u', 'u' || i), chr(97 + i % 3) FROM generate_series(1, 99) AS i;
CREATE PUBLICATION of_documents FOR TABLE carried.part (id, doc, area) WHERE (doc ->> 'x' <> '4'), carried."we""ird table" (id, "we""ird col")
	WITH (publish = insert, publish_via_partition_root);

-- Children, by inheritance.
CREATE TABLE carried.parent (id integer, doc json DEFAULT '1' CHECK (json_typeof(doc) <> 'array'));
CREATE TABLE carried.child (more text) INHERITS (carried.parent);
ALTER TABLE carried.child ALTER COLUMN doc SET DEFAULT json_build_object('at', 1);
ALTER TABLE carried.child ADD CONSTRAINT own CHECK (more <> doc ->> 'more');
CREATE INDEX of_child ON carried.child ((doc ->> 'more')) WHERE doc IS NOT NULL;
INSERT INTO carried.child VALUES (1, '{"more": 1}', '2');

-- All of it as it is; what is kept of this is compared with what there is later.
CREATE VIEW carried.definitions AS
	SELECT 'check' AS kind, conrelid::regclass::text AS of, conname::text AS name,
		   concat_ws(' ', pg_get_constraintdef(oid), coninhcount, obj_description(oid, 'pg_constraint')) AS definition
	FROM pg_constraint WHERE connamespace = 'carried'::regnamespace AND contype = 'c'
	UNION ALL
	SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text,
		   concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisclustered, obj_description(indexrelid, 'pg_class'),
					 (SELECT string_agg(attnum || ':' || attstattarget, ' ') FROM pg_attribute WHERE attrelid = indexrelid AND attstattarget > 0),
					 (SELECT 'with extension' FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = indexrelid AND deptype = 'x'),
					 (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = indexrelid),
					 (SELECT spcname FROM pg_class AS c, pg_tablespace AS t WHERE c.oid = indexrelid AND t.oid = c.reltablespace))
	FROM pg_index WHERE indrelid::regclass::text LIKE 'carried.%'
	UNION ALL
	SELECT 'statistics', stxrelid::regclass::text, stxname,
		   concat_ws(' ', pg_get_statisticsobjdef(oid), nullif(stxstattarget, -1), stxowner::regrole, obj_description(oid, 'pg_statistic_ext'))
	FROM pg_statistic_ext WHERE stxrelid::regclass::text LIKE 'carried.%'
	UNION ALL
	SELECT 'trigger', tgrelid::regclass::text, tgname,
		   concat_ws(' ', pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger'),
					 (SELECT 'with extension' FROM pg_depend AS d WHERE classid = 'pg_trigger'::regclass AND objid = t.oid AND deptype = 'x'))
	FROM pg_trigger AS t WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'carried.%'
	UNION ALL
	SELECT 'default', adrelid::regclass::text, attname, pg_get_expr(adbin, adrelid)
	FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid::regclass::text LIKE 'carried.%'
	UNION ALL
	SELECT 'publication', prrelid::regclass::text, pubname,
		   concat_ws(' ', pg_get_expr(prqual, prrelid),
					 (SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute WHERE attrelid = prrelid AND attnum = ANY (prattrs)))
	FROM pg_publication_rel JOIN pg_publication AS p ON p.oid = prpubid
	WHERE prrelid::regclass::text LIKE 'carried.%';
CREATE TABLE carried.before AS TABLE carried.definitions;
CREATE VIEW carried.changes AS
	(SELECT '-' AS sign, * FROM (TABLE carried.before EXCEPT TABLE carried.definitions) AS lost
	 UNION ALL
	 SELECT '+', * FROM (TABLE carried.definitions EXCEPT TABLE carried.before) AS gained)
	ORDER BY 2, 3, 4, 1 DESC;

-- What each will be.
SELECT object, 'refused: ' || refusal, 'remark: ' || remark, new_definition
FROM remedy.plan_json_migration('carried."we""ird table"', 'we"ird col') WHERE definition IS NOT NULL ORDER BY object COLLATE "C";
SELECT object, 'refused: ' || refusal, 'remark: ' || remark, new_definition
FROM remedy.plan_json_migration('carried.part', 'doc') WHERE definition IS NOT NULL ORDER BY object COLLATE "C";
SELECT object, 'refused: ' || refusal, 'remark: ' || remark, new_definition
FROM remedy.plan_json_migration('carried.parent', 'doc') WHERE definition IS NOT NULL ORDER BY object COLLATE "C";

-- To the swap and back: all is as it was.
CALL remedy.migrate_json('carried."we""ird table"', 'we"ird col');
CALL remedy.undo_json_migration('carried."we""ird table"', 'we"ird col');
CALL remedy.abort_json_migration('carried."we""ird table"', 'we"ird col');
CALL remedy.migrate_json('carried.part', 'doc');
CALL remedy.undo_json_migration('carried.part', 'doc');
CALL remedy.abort_json_migration('carried.part', 'doc');
CALL remedy.migrate_json('carried.parent', 'doc', swap => 'wait');
CALL remedy.abort_json_migration('carried.parent', 'doc');
TABLE carried.changes;

-- To the end: only what names the type is another.
CALL remedy.migrate_json('carried."we""ird table"', 'we"ird col');
CALL remedy.finish_json_migration('carried."we""ird table"', 'we"ird col');
SET default_tablespace = regress_remedy_carried;
CALL remedy.migrate_json('carried.part', 'doc', swap => 'wait');
RESET default_tablespace;
CREATE TABLE carried.part_d PARTITION OF carried.part FOR VALUES IN ('d');
CALL remedy.migrate_json('carried.part', 'doc');
CALL remedy.finish_json_migration('carried.part', 'doc');
CREATE PUBLICATION of_children FOR TABLE carried.parent WITH (publish = insert);
CALL remedy.migrate_json('carried.parent', 'doc');
CALL remedy.migrate_json('carried.parent', 'doc', subscribers_ready => true);
CALL remedy.finish_json_migration('carried.parent', 'doc');
TABLE carried.changes;
INSERT INTO carried."we""ird table" (id) VALUES (1000) RETURNING "we""ird col";
INSERT INTO carried.part (id, area) VALUES (1000, 'b') RETURNING doc;
INSERT INTO carried.child (id) VALUES (2) RETURNING doc;
INSERT INTO carried.parent VALUES (3, '[]');

-- Two documents become the same one: the index that was not built is removed by the next call.
CREATE TABLE carried.twice (id integer PRIMARY KEY, doc json);
CREATE UNIQUE INDEX once ON carried.twice ((doc ->> 'n'));
INSERT INTO carried.twice VALUES (1, '{"n": 1.50e1}'), (2, '{"n": 15.0}');
\set VERBOSITY sqlstate
CALL remedy.migrate_json('carried.twice', 'doc');
\set VERBOSITY terse
SELECT count(*) FROM pg_index WHERE indrelid = 'carried.twice'::regclass AND NOT indisvalid;
DELETE FROM carried.twice WHERE id = 2;
CALL remedy.migrate_json('carried.twice', 'doc');
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'carried.twice'::regclass AND indexrelid = 'carried.once'::regclass AND indisvalid;
CALL remedy.finish_json_migration('carried.twice', 'doc');
SELECT count(*) FROM pg_index WHERE indrelid = 'carried.twice'::regclass;

-- What is refused.
CREATE ROLE regress_remedy_carrier;
CREATE ROLE regress_remedy_other;
GRANT CREATE ON SCHEMA carried TO regress_remedy_other;
DO $$BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_remedy_other', current_database()); END$$;
CREATE TABLE carried.refused (
	id integer NOT NULL, doc json, length integer GENERATED ALWAYS AS (length(doc ->> 'a')) STORED,
	CONSTRAINT with_it UNIQUE (id) INCLUDE (doc));
CREATE INDEX elsewhere ON carried.refused ((doc ->> 'x')) TABLESPACE regress_remedy_carried;
CREATE STATISTICS carried.alone ON (doc::jsonb) FROM carried.refused;
CREATE STATISTICS carried.others ON (doc ->> 'a'), id FROM carried.refused;
CREATE TRIGGER forbidden AFTER UPDATE OF doc ON carried.refused FOR EACH ROW EXECUTE FUNCTION carried.note();
CREATE PUBLICATION of_all_columns FOR TABLE carried.refused, carried.part_a;
CREATE PUBLICATION of_an_expression FOR TABLE ONLY carried.refused (id, doc);
SELECT object, 'refused: ' || refusal FROM remedy.plan_json_migration('carried.refused', 'doc') WHERE refusal IS NOT NULL ORDER BY object COLLATE "C";
ALTER STATISTICS carried.alone OWNER TO regress_remedy_other;
ALTER STATISTICS carried.others OWNER TO regress_remedy_other;
ALTER PUBLICATION of_an_expression OWNER TO regress_remedy_other;
ALTER TABLE carried.refused OWNER TO regress_remedy_carrier;
REVOKE ALL ON FUNCTION carried.note() FROM public;
GRANT USAGE ON SCHEMA carried TO regress_remedy_carrier;
SET ROLE regress_remedy_carrier;
SELECT object, 'refused: ' || refusal FROM remedy.plan_json_migration('carried.refused', 'doc') WHERE refusal IS NOT NULL ORDER BY object COLLATE "C";
RESET ROLE;
GRANT CREATE ON SCHEMA carried TO regress_remedy_carrier;
SET ROLE regress_remedy_carrier;
SELECT object, 'refused: ' || refusal FROM remedy.plan_json_migration('carried.refused', 'doc') WHERE refusal IS NOT NULL AND object LIKE '%elsewhere';
RESET ROLE;

DROP PUBLICATION of_documents, of_children, of_all_columns, of_an_expression;
DROP SCHEMA carried CASCADE;
DROP OWNED BY regress_remedy_other;
DROP ROLE regress_remedy_carrier, regress_remedy_other;
DROP TABLESPACE regress_remedy_carried;

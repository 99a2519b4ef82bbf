-- Indexes that only cost, that are broken, or that a foreign key lacks.
SET client_min_messages = warning;
CREATE SCHEMA "Up;keep";
SET search_path = "Up;keep";
SELECT remedy.reset();

-- Redundant.  Table by table what goes, and in the comment what stays.
CREATE VIEW pg_temp.redundant AS
	SELECT replace(index_name, '"Up;keep".', '') AS index_name, index_columns, reason, replace(kept_by, '"Up;keep".', '') AS kept_by, scans
	FROM remedy.redundant_indexes WHERE table_name LIKE '"Up;keep".%' ORDER BY index_name COLLATE "C";

CREATE TABLE plain (a integer, b integer, c text, d timestamptz, PRIMARY KEY (a, b));
CREATE INDEX "plain a" ON plain (a);
CREATE INDEX plain_backwards ON plain (a DESC, b DESC);
CREATE UNIQUE INDEX plain_unique ON plain (a, b);
CREATE INDEX plain_b_a ON plain (b, a);
CREATE INDEX plain_mixed ON plain (a, b DESC);
CREATE UNIQUE INDEX plain_unique_a ON plain (a);
CREATE INDEX plain_hash ON plain USING hash (a);
CREATE INDEX plain_partial ON plain (a) WHERE b > 3;
CREATE INDEX plain_nulls_first ON plain (a NULLS FIRST);
CREATE INDEX plain_include ON plain (a) INCLUDE (d);
CREATE INDEX plain_covered ON plain (a) INCLUDE (b);
SELECT * FROM pg_temp.redundant;
DROP TABLE plain;

-- Operator classes, collations, expressions, predicates, NULLS NOT DISTINCT.
CREATE TABLE texts (id integer, t text, u text);
CREATE INDEX texts_t ON texts (t);
CREATE INDEX texts_t_pattern_u ON texts (t text_pattern_ops, u);
CREATE INDEX texts_t_c_u ON texts (t COLLATE "C", u);
CREATE INDEX texts_lower ON texts (lower(t));
CREATE INDEX texts_upper_u ON texts (upper(t), u);
CREATE INDEX texts_lower_u_upper ON texts (lower(t), u, upper(u));
CREATE INDEX "texts some" ON texts (u) WHERE id  >  7;
CREATE INDEX texts_some_more ON texts (u, t) WHERE (id > 7);
CREATE INDEX texts_others ON texts (u, t) WHERE id > 8;
CREATE UNIQUE INDEX texts_unique ON texts (id, t);
CREATE UNIQUE INDEX texts_unique_nulls ON texts (id, t) NULLS NOT DISTINCT;
SELECT * FROM pg_temp.redundant;
DROP TABLE texts;

-- Of several that serve for each other the one with the most scans stays, then the
-- oldest; and one that a wider one outlives leaves nothing to choose.
CREATE TABLE pairs AS SELECT i AS a, i AS b, i AS c FROM generate_series(1, 20000) AS i;
CREATE INDEX pairs_a_1 ON pairs (a);
CREATE INDEX pairs_a_2 ON pairs (a);
CREATE INDEX pairs_b_1 ON pairs (b);
CREATE INDEX pairs_b_2 ON pairs (b);
CREATE INDEX pairs_b_3 ON pairs (b);
CREATE INDEX pairs_c ON pairs (c);
CREATE INDEX pairs_c_b_1 ON pairs (c, b);
CREATE INDEX pairs_c_b_2 ON pairs (c, b);
CREATE INDEX pairs_c_b_a ON pairs (c, b, a);
UPDATE pg_index SET indisvalid = indexrelid <> 'pairs_b_1'::regclass WHERE indexrelid IN ('pairs_b_1'::regclass, 'pairs_b_2'::regclass);
SELECT * FROM pg_temp.redundant;
SET enable_seqscan = off;
DROP INDEX pairs_a_1, pairs_b_1, pairs_b_2, pairs_b_3, pairs_c, pairs_c_b_a;
CREATE INDEX pairs_a_3 ON pairs (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pairs_a_2'::regclass;
SELECT count(*) FROM pairs WHERE a = 7;
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'pairs_a_2'::regclass;
SELECT pg_stat_force_next_flush();
RESET enable_seqscan;
SELECT index_name, kept_by, scans, fix_sql FROM remedy.redundant_indexes WHERE table_name = '"Up;keep".pairs' ORDER BY index_name COLLATE "C";
SELECT fix_sql FROM remedy.redundant_indexes WHERE table_name = '"Up;keep".pairs' \gexec
SELECT * FROM pg_temp.redundant;

-- Never those that something else leans on.
CREATE TABLE leaned (a integer NOT NULL, b integer NOT NULL, c integer, PRIMARY KEY (a), UNIQUE (a, b), EXCLUDE USING btree (c WITH =));
CREATE UNIQUE INDEX leaned_b ON leaned (b);
CREATE UNIQUE INDEX leaned_identity ON leaned (b);
ALTER TABLE leaned REPLICA IDENTITY USING INDEX leaned_identity;
CREATE INDEX leaned_c ON leaned (c);
CREATE INDEX leaned_c_clustered ON leaned (c);
ALTER TABLE leaned CLUSTER ON leaned_c_clustered;
CREATE UNIQUE INDEX leaned_referenced ON leaned (b, a);
CREATE TABLE leaning (a integer, b integer, FOREIGN KEY (b, a) REFERENCES leaned (b, a));
CREATE UNIQUE INDEX leaned_b_a ON leaned (b, a);
ALTER TABLE leaned ADD CONSTRAINT leaned_late UNIQUE (c, a) DEFERRABLE;
CREATE UNIQUE INDEX leaned_prompt ON leaned (c, a);
SELECT * FROM pg_temp.redundant;
DROP TABLE leaning, leaned;

-- Other methods, with their options.
CREATE TABLE methods (a integer[], b tsvector, r int4range);
CREATE INDEX methods_gin ON methods USING gin (a);
CREATE INDEX methods_gin_2 ON methods USING gin (a);
CREATE INDEX methods_gin_slow ON methods USING gin (a) WITH (fastupdate = off);
CREATE INDEX methods_gin_both ON methods USING gin (a, b);
CREATE INDEX methods_gist ON methods USING gist (b tsvector_ops (siglen = 100));
CREATE INDEX methods_gist_2 ON methods USING gist (b tsvector_ops (siglen = 200));
CREATE INDEX methods_range ON methods USING gist (r);
CREATE INDEX methods_range_btree ON methods (r);
SELECT * FROM pg_temp.redundant;
DROP TABLE methods;

-- Partitions are judged by their parent; what one has besides, by itself.
CREATE TABLE parted (id integer, at date, note text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200) PARTITION BY LIST (id);
CREATE TABLE "parted 2.1" PARTITION OF parted_2 DEFAULT;
CREATE INDEX parted_at ON parted (at);
CREATE INDEX parted_at_id ON parted (at, id);
CREATE INDEX parted_1_own ON parted_1 (at);
CREATE INDEX parted_1_alone ON parted_1 (note);
CREATE TABLE parent (id integer, at date);
CREATE TABLE child () INHERITS (parent);
CREATE INDEX parent_at ON parent (at);
CREATE INDEX child_at ON child (at);
CREATE INDEX child_at_id ON child (at, id);
CREATE MATERIALIZED VIEW seen AS SELECT * FROM parent;
CREATE INDEX seen_id ON seen (id);
CREATE INDEX seen_id_at ON seen (id, at);
CREATE TEMPORARY TABLE passing (a integer, b integer);
CREATE INDEX passing_a ON passing (a);
CREATE INDEX passing_a_b ON passing (a, b);
SELECT * FROM pg_temp.redundant;
CREATE INDEX passing_upkeep ON remedy.muted_findings (muted_by);
CREATE INDEX passing_upkeep_2 ON remedy.muted_findings (muted_by);
SELECT count(*) FROM remedy.redundant_indexes WHERE table_name LIKE 'pg_temp%' OR table_name LIKE 'remedy.%';
DROP INDEX remedy.passing_upkeep, remedy.passing_upkeep_2;
SELECT why, fix_sql FROM remedy.redundant_indexes WHERE index_name = '"Up;keep".parted_at';
DROP INDEX parted_at, parted_1_own, child_at, seen_id;

-- Unused: nothing found by them since the reset.  Used, though seldom, is what is
-- found less than once a day and once in 10,000 writes.
SELECT pg_stat_reset();
CREATE TABLE used (id integer PRIMARY KEY, a integer UNIQUE, b integer REFERENCES used, c integer, d integer, e integer, f integer REFERENCES used);
CREATE INDEX used_b ON used (b);
CREATE INDEX used_b_c ON used (b, c);
CREATE INDEX used_f ON used (f);
CREATE INDEX used_c ON used (c);
CREATE INDEX used_c_d ON used (c, d);
CREATE INDEX used_d ON used (d) INCLUDE (c);
CREATE INDEX used_d_partial ON used (d) WHERE c > 7;
CREATE INDEX used_d_clustered ON used (d, a);
ALTER TABLE used CLUSTER ON used_d_clustered;
CREATE INDEX "used ""e""" ON used ((e + 1) DESC);
CREATE INDEX used_hash ON used USING hash (e);
CREATE UNIQUE INDEX used_unique ON used (c, e, id);
CREATE INDEX used_lost ON used (e);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'used_lost'::regclass;
INSERT INTO used SELECT i, i, NULL, i, i, i FROM generate_series(1, 30000) AS i;
UPDATE used SET e = 0 WHERE id < 3;
DELETE FROM used WHERE id < 3;
ANALYZE used;
INSERT INTO parted SELECT i, '2026-11-21', i FROM generate_series(0, 149) AS i;
SET enable_seqscan = off;
SELECT count(*) FROM "parted 2.1" WHERE at = '2026-11-20';
SELECT id FROM used WHERE d = 17 AND id = 17 + 0 * d;
SELECT id FROM used WHERE e = 17;
SELECT id FROM used WHERE e = 18;
RESET enable_seqscan;
SELECT pg_stat_force_next_flush();
CREATE VIEW pg_temp.unused AS
	SELECT replace(index_name, '"Up;keep".', '') AS index_name, index_columns, size_bytes > 0 AS has_size, scans, writes, since <= now() AS since, fix_sql
	FROM remedy.unused_indexes WHERE table_name LIKE '"Up;keep".%' ORDER BY index_name COLLATE "C";
SELECT * FROM pg_temp.unused;
SELECT regexp_replace(why, 'since [^,]*', 'since then') AS why FROM remedy.unused_indexes WHERE index_name IN ('"Up;keep".used_d_partial', '"Up;keep".parted_at_id');

-- Ten days later, as if.
CREATE TABLE refers (used_id integer REFERENCES used, x integer);
CREATE TABLE refers_few (used_id integer REFERENCES used, x integer);
CREATE INDEX refers_x ON refers (x);
CREATE INDEX refers_x_again ON refers (x);
CREATE INDEX refers_few_x ON refers_few (x);
INSERT INTO refers SELECT 5, i FROM generate_series(1, 30000) AS i;
BEGIN;
CREATE OR REPLACE FUNCTION remedy.read_statistics_since() RETURNS timestamptz LANGUAGE sql AS 'SELECT now() - interval ''10 days''';
SELECT index_name, scans, since = now() - interval '10 days' AS since, regexp_replace(why, 'since [^,]*|, statement .*', '', 'g') AS why, fix_sql
FROM remedy.unused_indexes WHERE table_name IN ('"Up;keep".used', '"Up;keep".parted') ORDER BY index_name COLLATE "C";
SELECT kind, severity, object, title, fix_sql, key FROM remedy.index_upkeep_findings() WHERE object LIKE '"Up;keep".%' ORDER BY key COLLATE "C";
ROLLBACK;
SET track_counts = off;
SELECT count(*) FROM pg_temp.unused;
RESET track_counts;
SELECT fix_sql FROM pg_temp.unused WHERE index_name LIKE '%used%' \gexec
SELECT index_name FROM pg_temp.unused;
DROP TABLE refers, refers_few, used;

-- Foreign keys.
CREATE VIEW pg_temp.unindexed AS
	SELECT replace(table_name, '"Up;keep".', '') AS table_name, foreign_key, columns, replace(referenced_table, '"Up;keep".', '') AS referenced_table,
	       table_rows, referenced_deletes, referenced_updates, fix_sql
	FROM remedy.unindexed_foreign_keys WHERE table_name LIKE '"Up;keep".%' ORDER BY table_name COLLATE "C", foreign_key COLLATE "C";
CREATE TABLE exact (id numeric PRIMARY KEY, c varchar UNIQUE);
CREATE TABLE inexact (id integer CONSTRAINT is_cast REFERENCES exact, c text CONSTRAINT coerced REFERENCES exact (c), v varchar CONSTRAINT same REFERENCES exact (c));
CREATE INDEX ON inexact (id);
CREATE INDEX ON inexact (c);
CREATE INDEX ON inexact (v);
SELECT * FROM pg_temp.unindexed;
SELECT why FROM remedy.unindexed_foreign_keys WHERE foreign_key = 'is_cast';
DROP TABLE inexact, exact;
CREATE TABLE one (id bigint PRIMARY KEY, a integer, b text COLLATE "C", UNIQUE (a, b), UNIQUE (b));
CREATE TABLE "many ""x""" (
	id integer CONSTRAINT fine REFERENCES one (id),
	"on E" integer CONSTRAINT "no index" REFERENCES one (id) ON DELETE CASCADE,
	a integer, b text COLLATE "C",
	partial integer CONSTRAINT partial REFERENCES one ON DELETE SET NULL,
	hashed integer CONSTRAINT hashed REFERENCES one,
	invalid integer CONSTRAINT invalid REFERENCES one,
	brin integer CONSTRAINT brin REFERENCES one,
	later integer CONSTRAINT later REFERENCES one ON DELETE SET DEFAULT,
	pattern text COLLATE "C" CONSTRAINT pattern REFERENCES one (b),
	collated text COLLATE "C" CONSTRAINT collated REFERENCES one (b),
	CONSTRAINT permuted FOREIGN KEY (a, b) REFERENCES one (a, b));
CREATE INDEX ON "many ""x""" (id, a);
CREATE INDEX ON "many ""x""" (b, a, id);
CREATE INDEX ON "many ""x""" (partial) WHERE a = 1;
CREATE INDEX ON "many ""x""" USING hash (hashed);
CREATE INDEX lost ON "many ""x""" (invalid);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'lost'::regclass;
CREATE INDEX ON "many ""x""" USING brin (brin);
CREATE INDEX ON "many ""x""" (a, later);
CREATE INDEX ON "many ""x""" (pattern text_pattern_ops);
CREATE INDEX ON "many ""x""" (collated COLLATE "POSIX");
INSERT INTO one SELECT i, i, i FROM generate_series(1, 10) AS i;
UPDATE one SET a = 12 WHERE id = 10;
DELETE FROM one WHERE id > 8;
SELECT pg_stat_force_next_flush();
SELECT * FROM pg_temp.unindexed;
SELECT foreign_key, why FROM remedy.unindexed_foreign_keys WHERE table_name LIKE '"Up;keep".%' ORDER BY foreign_key COLLATE "C";
SELECT fix_sql FROM pg_temp.unindexed \gexec
SELECT count(*) FROM pg_temp.unindexed;

-- With partitions on either side.
CREATE TABLE goal (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE goal_1 PARTITION OF goal FOR VALUES FROM (0) TO (1000);
INSERT INTO goal SELECT generate_series(0, 200);
ALTER TABLE parted ADD goal integer CONSTRAINT to_goal REFERENCES goal;
ALTER TABLE parted_1 ADD CONSTRAINT own FOREIGN KEY (id) REFERENCES goal;
SELECT table_name, foreign_key, columns, referenced_table, fix_sql FROM pg_temp.unindexed;
CREATE INDEX ON parted_1 (goal);
CREATE INDEX ON parted_1 (id);
SELECT table_name, foreign_key, columns FROM pg_temp.unindexed;
CREATE INDEX ON "parted 2.1" (goal);
SELECT count(*) FROM pg_temp.unindexed;

-- Invalid: built again, or dropped where the same is there and valid.
CREATE VIEW pg_temp.invalid AS
	SELECT replace(table_name, '"Up;keep".', '') AS table_name, replace(index_name, '"Up;keep".', '') AS index_name, index_columns, why, fix_sql
	FROM remedy.invalid_indexes WHERE table_name LIKE '"Up;keep".%' ORDER BY index_name COLLATE "C";
DROP INDEX lost;
CREATE TABLE broken (a integer PRIMARY KEY, b integer, c text);
INSERT INTO broken VALUES (1, 1), (2, 1);
CREATE UNIQUE INDEX CONCURRENTLY broken_unique ON broken (b);
CREATE INDEX " USING btree (b) " ON broken (b);
CREATE INDEX broken_ccnew ON broken (b);
CREATE INDEX broken_ccnew1 ON broken (c);
CREATE INDEX broken_twin ON broken (c);
CREATE INDEX broken_going ON broken (c DESC);
UPDATE pg_index SET indisvalid = false, indisready = false, indislive = indexrelid <> 'broken_going'::regclass
WHERE indexrelid IN ('broken_ccnew'::regclass, 'broken_ccnew1'::regclass, 'broken_twin'::regclass, 'broken_going'::regclass, 'broken_pkey'::regclass);
SELECT * FROM pg_temp.invalid;
DELETE FROM broken;
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT * FROM pg_temp.invalid;
BEGIN;
UPDATE pg_index SET indisvalid = false WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'broken'::regclass);
SELECT table_name, index_columns, regexp_replace(fix_sql, '\d+', 'N') AS fix_sql FROM pg_temp.invalid;
ROLLBACK;

-- What a partitioned index lacks: step by step.
CREATE INDEX "parted ""note""" ON ONLY parted (note DESC) WHERE id > 7;
CREATE INDEX parted_2_note ON ONLY parted_2 (note DESC) WHERE id > 7;
SELECT * FROM pg_temp.invalid;
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT * FROM pg_temp.invalid;
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT * FROM pg_temp.invalid;
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT * FROM pg_temp.invalid;
UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('"parted ""note"""'::regclass, 'parted_2_note'::regclass);
SELECT * FROM pg_temp.invalid;
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT count(*) FROM pg_temp.invalid;

CREATE INDEX parted_again ON ONLY parted (at, id);
SELECT fix_sql FROM pg_temp.invalid;
DROP INDEX parted_again;
ALTER TABLE ONLY parted ADD UNIQUE (id, at);
SELECT fix_sql FROM pg_temp.invalid \gexec
CREATE UNIQUE INDEX ON "parted 2.1" (id, at);
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT fix_sql FROM pg_temp.invalid \gexec
SELECT count(*) FROM pg_temp.invalid;

-- What observed statements would lose is asked of the planner.
CREATE TABLE wide AS SELECT i AS a, i % 100 AS b, repeat('x', 1000) || i AS c FROM generate_series(1, 20000) AS i;
ALTER TABLE wide ALTER c SET STORAGE PLAIN;
CREATE INDEX wide_a ON wide (a);
CREATE INDEX wide_a_b ON wide (a, b);
CREATE INDEX wide_a_b_c ON wide (a, b, c);
CREATE INDEX wide_order ON wide ((a + 1));
CREATE INDEX wide_order_b ON wide ((a + 1), b);
ANALYZE wide;
CREATE VIEW pg_temp.dearer AS
	SELECT replace(index_name, '"Up;keep".', '') AS index_name, slower_statements,
	       regexp_replace(why, ', statement .*', '') AS why, fix_sql IS NOT NULL AS may_go
	FROM remedy.redundant_indexes WHERE table_name = '"Up;keep".wide' ORDER BY 1;
SELECT remedy.reset();
SELECT * FROM pg_temp.dearer;
SET enable_seqscan = off;
SELECT count(a) FROM wide WHERE a < 1000;
SELECT count(b) FROM wide WHERE a + 1 < 500;
RESET enable_seqscan;
SELECT count(*) FROM wide WHERE c = 'y';
SELECT * FROM pg_temp.dearer;
SELECT index_name, statements, slower_statements, worst_ratio > 1.1 AS dearer,
       (SELECT calls FROM remedy.statements WHERE query_id = worst_query_id)
FROM remedy.statements_without('wide_a', 'wide_a_b_c', 'wide_order') ORDER BY index_name::text;
SELECT * FROM remedy.statements_without('wide_a_b_c');
SELECT count(*) FROM remedy.statements_without(VARIADIC '{}');
-- It was dropped meanwhile.
SELECT statements, slower_statements FROM remedy.statements_without(VARIADIC '{0}');
SELECT fix_sql FROM remedy.redundant_indexes WHERE table_name = '"Up;keep".wide' \gexec
SELECT * FROM pg_temp.dearer;
CREATE INDEX wide_c ON wide USING hash (c);
SELECT scans, slower_statements, why ~ 'without it 1 of the observed statements would cost more' AS told, fix_sql
FROM remedy.unused_indexes WHERE index_name = '"Up;keep".wide_c';

-- Everyone may read them; the planner is asked only for those who may read all statements.
CREATE ROLE regress_remedy_reader;
GRANT USAGE ON SCHEMA "Up;keep" TO regress_remedy_reader;
CREATE INDEX parent_at_again ON parent (at);
SET ROLE regress_remedy_reader;
SELECT index_name, kept_by FROM remedy.redundant_indexes WHERE table_name LIKE '"Up;keep".%' ORDER BY index_name COLLATE "C";
SELECT count(*) > 0 AS some FROM remedy.unused_indexes;
SELECT count(*) FROM remedy.invalid_indexes WHERE table_name LIKE '"Up;keep".%';
SELECT count(*) FROM remedy.unindexed_foreign_keys WHERE table_name LIKE '"Up;keep".%';
SELECT count(*) FROM remedy.index_upkeep_findings() WHERE object LIKE '"Up;keep".%';
SELECT slower_statements FROM remedy.redundant_indexes WHERE table_name = '"Up;keep".wide';
SELECT count(*) FROM remedy.statements_without('parent_at');
RESET ROLE;
DROP SCHEMA "Up;keep" CASCADE;
DROP ROLE regress_remedy_reader;

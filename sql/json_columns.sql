-- Columns of json: what the catalogs and the observed statements tell of them.
SET client_min_messages = warning;
CREATE SCHEMA "Json;columns";
SET search_path = "Json;columns";
SET timezone = 'UTC';
SELECT remedy.reset();

-- Every kind; a partition or a child is its parent's.
CREATE DOMAIN document AS json;
CREATE DOMAIN inner_document AS document;
CREATE TYPE pair AS (a integer, b json);
CREATE TYPE outer_pair AS (x pair[]);
CREATE TABLE plain (id integer, doc json, "Other Doc" json, new_doc jsonb, note text);
CREATE TABLE kinds (domain inner_document, array_of json[], composite pair, nested outer_pair, row_of plain);
CREATE TABLE parts (id integer, doc json) PARTITION BY RANGE (id);
CREATE TABLE parts_1 (doc json, id integer);
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (0) TO (1000);
CREATE TABLE parent (id integer, doc json);
CREATE TABLE child (own json) INHERITS (parent);
CREATE TABLE typed OF pair;
CREATE MATERIALIZED VIEW stored AS SELECT doc FROM plain;
CREATE VIEW seen AS SELECT id, doc, doc ->> 'a' AS a FROM plain;
CREATE TEMP TABLE passing (doc json);
CREATE TABLE under_way (id integer, doc json, remedy_json_2 jsonb);
CREATE TABLE swapped (id integer, remedy_old_2 json, doc jsonb);
SELECT replace(table_name, '"Json;columns".', '') AS table_name, column_name, kind, advice, fix_sql
FROM remedy.json_columns WHERE table_name LIKE '"Json;%' ORDER BY table_name COLLATE "C", column_name COLLATE "C";

-- Sizes, of partitions together.
INSERT INTO parts SELECT i, '{"a": 1}' FROM generate_series(1, 500) AS i;
SELECT rows, bytes, bytes_from FROM remedy.json_columns WHERE table_name = '"Json;columns".parts';
ANALYZE parts;
SELECT rows, bytes, bytes_from FROM remedy.json_columns WHERE table_name = '"Json;columns".parts';

-- Who may see what.
CREATE ROLE json_reader;
GRANT USAGE ON SCHEMA "Json;columns" TO json_reader;
GRANT SELECT (doc) ON plain TO json_reader;
SET ROLE json_reader;
SELECT table_name, column_name FROM remedy.json_columns WHERE table_name LIKE '"Json;%';
SELECT count(*) FROM remedy.json_usage WHERE column_name = 'new_doc';
SELECT * FROM remedy.json_readers('plain', 'new_doc');
SELECT * FROM remedy.advise_json_indexes('plain', 'new_doc');
RESET ROLE;

-- What statements do: operators, paths, comparisons, through whatever hides the column.
SELECT remedy.reset();
CREATE FUNCTION of_user(json) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 ->> ''x''';
CREATE VIEW pg_temp.uses AS
	SELECT replace(table_name, '"Json;columns".', '') AS table_name, column_name, operation, path, cast_to, comparison,
	       in_condition AS cond, statements AS n, calls, replace(expression, '"Json;columns".', '') AS expression
	FROM remedy.json_usage WHERE table_name LIKE '"Json;%'
	ORDER BY table_name COLLATE "C", column_name COLLATE "C", operation COLLATE "C", path::text COLLATE "C", comparison COLLATE "C", cast_to COLLATE "C", cond;
SELECT id FROM plain WHERE doc ->> 'equal' = 'x';
SELECT id FROM plain WHERE doc ->> 'equal' = 'y';
SELECT id FROM plain WHERE 'x' = doc ->> 'turned';
SELECT id FROM plain WHERE (doc -> 'far' -> 0 ->> 'off')::integer BETWEEN 3 AND 5;
SELECT id FROM plain WHERE doc #>> '{deep,down}' IN ('a', 'b');
SELECT id FROM plain WHERE doc ->> 'like' LIKE 'a%' OR doc ->> 'null' IS NULL;
SELECT id FROM plain WHERE json_extract_path_text(doc, 'extracted', 'path') = 'x';
SELECT id FROM plain ORDER BY doc ->> 'order';
SELECT DISTINCT doc ->> 'distinct' FROM plain;
SELECT doc ->> 'group', count(*) FROM plain GROUP BY 1;
SELECT id FROM seen WHERE a = 'view';
WITH c AS (SELECT doc -> 'cte' AS part FROM plain) SELECT count(*) FROM c WHERE part ->> 'inner' = 'x';
SELECT count(*) FROM (SELECT id, doc FROM plain OFFSET 0) AS s WHERE s.doc ->> 'subquery' = 'x';
SELECT count(*) FROM plain AS p WHERE EXISTS (SELECT FROM parts AS q WHERE q.doc ->> 'linked' = p.note);
SELECT count(*) FROM parts_1 WHERE doc ->> 'partition' = 'x';
SELECT doc ->> 'left' FROM plain UNION SELECT doc ->> 'right' FROM parts;
SELECT id FROM plain WHERE doc::jsonb @> '{"a": 1}';
SELECT id FROM plain WHERE new_doc @> '{"a": 1}' AND new_doc ? 'key';
SELECT id FROM plain WHERE new_doc -> 'below' @> '[1]' OR new_doc @? '$.a';
SELECT new_doc['sub']['script'] FROM plain;
SELECT e.key FROM plain, json_each("Other Doc") AS e;
SELECT of_user("Other Doc"), md5("Other Doc"::text) FROM plain;
SELECT id FROM plain WHERE "Other Doc"::text LIKE '%x%';
INSERT INTO plain VALUES (1, '{}', '{}', '{}');
INSERT INTO plain (id, "Other Doc") VALUES (2, '{}');
UPDATE plain SET new_doc = jsonb_set(new_doc, '{a}', '1') WHERE id = 1;
PREPARE by_parameter(text, text) AS SELECT id FROM plain WHERE new_doc ->> $1 = $2;
EXECUTE by_parameter('a', 'b');
SELECT * FROM pg_temp.uses;

-- Who reads it unseen by dependencies.
CREATE FUNCTION names_it() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT json_array_length(doc) FROM "Json;columns".plain LIMIT 1); END';
CREATE FUNCTION another_doc(doc text) RETURNS text LANGUAGE sql AS 'SELECT doc';
CREATE FUNCTION inserts() RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO plain SELECT * FROM plain; END';
CREATE FUNCTION of_row(plain) RETURNS text LANGUAGE sql AS 'SELECT $1.doc::text';
CREATE FUNCTION parsed() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(doc) FROM plain; END;
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.doc IS NULL THEN RETURN NULL; END IF; RETURN NEW; END';
CREATE FUNCTION fires_elsewhere() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.doc IS NULL THEN RETURN NULL; END IF; RETURN NEW; END';
CREATE FUNCTION copies_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM row_to_json(NEW); RETURN NEW; END';
CREATE TRIGGER t1 BEFORE INSERT ON plain FOR EACH ROW WHEN (false) EXECUTE FUNCTION fires();
CREATE TRIGGER t2 BEFORE INSERT ON plain FOR EACH ROW WHEN (false) EXECUTE FUNCTION copies_row();
CREATE VIEW pg_temp.readers AS
	SELECT c.of_column, r.* FROM (VALUES ('doc'), ('Other Doc')) AS c (of_column),
	       LATERAL (SELECT regexp_replace(replace(object, '"Json;columns".', ''), '-?[0-9]+', '...') AS object, what
	                FROM remedy.json_readers('plain', of_column)) AS r
	ORDER BY of_column, object COLLATE "C", what COLLATE "C";
COPY plain TO '/dev/null';
COPY plain (id) TO '/dev/null';
SELECT * FROM plain WHERE id = 17;
SELECT * FROM pg_temp.readers;
SELECT * FROM remedy.json_readers('plain', 'nothing');

-- What is advised.
CREATE TABLE found (id integer, doc json);
CREATE TABLE searched (id integer, doc json);
CREATE TABLE new_found (id integer, doc jsonb);
CREATE TABLE scanned (id integer, doc json);
CREATE TABLE fetched (id integer, doc json);
INSERT INTO found SELECT i, json_build_object('user', i % 5000, 'kind', i % 3, 'tags', json_build_array(i % 7, i), 'text', md5(i::text)) FROM generate_series(1, 30000) AS i;
INSERT INTO searched SELECT * FROM found;
INSERT INTO new_found SELECT * FROM found;
INSERT INTO scanned SELECT * FROM found;
INSERT INTO fetched SELECT * FROM found;
VACUUM ANALYZE found, searched, new_found, scanned, fetched;
SELECT remedy.reset();
SELECT count(*) FROM found WHERE doc ->> 'user' = '17';
SELECT count(*) FROM found WHERE (doc ->> 'user')::integer > 4990 AND doc ->> 'text' = 'x';
SELECT count(*) FROM searched WHERE doc::jsonb @> '{"user": 17}';
SELECT count(*) FROM new_found WHERE doc @> '{"user": 17}';
SELECT count(*) FROM new_found WHERE doc -> 'tags' ? 'x';
SELECT doc ->> 'kind', count(*) FROM scanned GROUP BY 1 ORDER BY 1;
SELECT length(doc::text) FROM fetched WHERE id = 7;
SELECT doc FROM fetched WHERE id = 8;
SELECT replace(table_name, '"Json;columns".', '') AS table_name, advice, workload IS NOT NULL AS worked, regexp_replace(fix_sql, '[(]{3}.*', '...') AS fix_sql
FROM remedy.json_columns WHERE table_name ~ '(found|searched|scanned|fetched)$' ORDER BY table_name COLLATE "C";
CREATE VIEW pg_temp.advice AS
	SELECT rank IS NOT NULL AS ranked, method, calls, saving_ms > 0 AS saves, size_bytes > 0 AS sized, build_ms > 0 AS timed, cardinality(queries) AS n,
	       after_migration AS after, regexp_replace(reason, '[0-9.]+ ms', '... ms') AS reason, definition, fix_sql
	FROM (SELECT 'x') AS x, LATERAL remedy.advise_json_indexes(current_setting('my.target')::regclass, 'doc');
\x on
SET my.target = 'found';
SELECT * FROM pg_temp.advice ORDER BY definition COLLATE "C";
SET my.target = 'searched';
SELECT * FROM pg_temp.advice ORDER BY definition COLLATE "C";
SET my.target = 'new_found';
SELECT * FROM pg_temp.advice ORDER BY definition COLLATE "C";
SET my.target = 'scanned';
SELECT * FROM pg_temp.advice ORDER BY definition COLLATE "C";
SET my.target = 'parts';
SELECT * FROM pg_temp.advice ORDER BY definition COLLATE "C";

-- Not where the values are frequent, nor where an index is there.
SELECT remedy.reset();
SELECT count(id) FROM new_found WHERE doc @> '{"kind": 1}';
SELECT count(*) FROM new_found WHERE doc ->> 'user' = '17';
CREATE INDEX there ON new_found ((doc ->> 'user'));
SET my.target = 'new_found';
SELECT * FROM pg_temp.advice ORDER BY definition COLLATE "C";
\x off

-- As large as the index that is built then.
SELECT remedy.reset();
SELECT count(*) FROM new_found WHERE doc @> '{"user": 17}';
CREATE TEMP TABLE estimated AS SELECT definition, size_bytes FROM remedy.advise_json_indexes('new_found', 'doc') WHERE rank = 1;
CREATE INDEX built ON new_found USING gin (doc jsonb_path_ops);
SELECT size_bytes / pg_relation_size('built')::numeric BETWEEN 0.7 AND 1.3 AS as_large FROM estimated;
SELECT to_regclass('pg_temp.remedy_json_sample') IS NULL AS nothing_left;

SELECT * FROM remedy.advise_json_indexes('plain', 'note');
SELECT * FROM remedy.advise_json_indexes('plain', 'nothing');
SELECT * FROM remedy.advise_json_indexes('seen', 'doc');
RESET search_path;
DROP SCHEMA "Json;columns" CASCADE;
DROP ROLE json_reader;

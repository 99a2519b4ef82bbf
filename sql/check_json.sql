-- What jsonb would refuse or change of documents that are stored as json.
SET client_min_messages = warning;
CREATE SCHEMA "Check;json";
SET search_path = "Check;json";

-- What the server itself does: refuse, keep the text, or change it.
CREATE FUNCTION pg_temp.really(document json) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN document::jsonb::text = document::text THEN 'unchanged' ELSE 'changed' END;
EXCEPTION WHEN OTHERS THEN
	RETURN 'rejected';
END $$;

-- One document at a time.  The last column is empty if the server agrees.
CREATE TABLE kinds (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text, document json);
INSERT INTO kinds (kind, document) VALUES
	('unchanged', '{}'), ('unchanged', '[]'), ('unchanged', 'null'), ('unchanged', '""'), ('unchanged', '-1.50'),
	('unchanged', '{"a": [1, 2.00, true, null], "b": {"c": "x , y:\"z\""}, "ab": "\\\b\f\n\r\t\u0001\u001f"}'),
	('unchanged', '123456789012345678901234567890.123456789000'),
	('unchanged', '{"": 1, "Z": 2, "a": 3, "aa": 4, "é": 5}'), ('unchanged', '"\\u0000 \\ud800"'),
	('white space', '{"a":1}'), ('white space', '[1,2]'), ('white space', ' 1'), ('white space', E'1\n'),
	('white space', '[ ]'), ('white space', '{"a": 1,  "b": 2}'), ('white space', '{"a" : 1}'), ('white space', E'[1,\t2]'),
	('key order', '{"b": 1, "a": 2}'), ('key order', '{"aa": 1, "b": 2}'), ('key order', '[{"x": {"é": 1, "z": 2}}]'),
	('escapes', '"\/"'), ('escapes', '"\u0041"'), ('escapes', '"\u001F"'), ('escapes', '"\u000a"'), ('escapes', '"\u007f"'),
	('escapes', '"\u00e9"'), ('escapes', '"\ud83d\ude00"'), ('escapes', '{"\u0061": 1}'),
	('exponent', '1e2'), ('exponent', '[1.50E+1]'), ('exponent', '{"a": 0e0}'), ('exponent', '1e-999'), ('exponent', '1e131071'),
	('exponent', '-1e-16383'), ('exponent', ' 1e5 '),
	('doubled', '{"a": 1, "a": 1}'), ('doubled', '{"a": 1, "a": 2}'), ('doubled', '{"a": 1, "b": 2, "a": 3}'),
	('doubled', '{"a": 1, "\u0061": 2}'), ('doubled', '{"": 1, "": 2}'), ('doubled', '{"é": 1, "\u00e9": 2}'),
	('doubled', '{"a": {"b": 1, "b": 2}}'), ('doubled', '[[{"b": 1, "c": 3, "b": 2}]]'), ('doubled', '{"a": {"x": 1}, "a": {"x": 1}}'),
	('doubled', '{"\ud83d\ude00": 1, "😀": 2}'), ('doubled', '{"a\/b": 1, "a/b": 2}'), ('doubled', '{"a\nb": 1, "a\u000ab": 2}'),
	('doubled', '[{"k": 1}, {"k": 1, "k": null}]'), ('doubled', '{"a": null, "a": null}'),
	('not doubled', '{"a": {"a": {"a": 1}}}'), ('not doubled', '[{"a": 1}, {"a": 1}]'), ('not doubled', '{"a": 1, "A": 2}'),
	('not doubled', U&'{"\00e9": 1, "e\0301": 2}'),
	('minus nothing', '-0'), ('minus nothing', '-0.0'), ('minus nothing', '[-0.00]'), ('minus nothing', '{"a": -0}'),
	('minus nothing', '-0e5'), ('minus nothing', '[1, -0E-7]'), ('minus nothing', '{"a": [{"b": -0}]}'),
	('not nothing', '-0.1'), ('not nothing', '0'), ('not nothing', '"-0"'), ('not nothing', '{"-0": 1}'),
	('NUL', '"\u0000"'), ('NUL', '{"a\u0000": 1}'), ('NUL', '[{"a": "x\u0000y"}]'), ('NUL', '{"a": "\u0000", "a": 1}'),
	('surrogate', '"\ud800"'), ('surrogate', '"\udc00"'), ('surrogate', '"\ude00\ud83d"'), ('surrogate', '"\ud83d\ud83d"'),
	('surrogate', '"\ud83dx"'), ('surrogate', '"\ud83d\n"'), ('surrogate', '{"\ud800": 1}'), ('surrogate', '"\ud83d\u0041"'),
	('range', '1e131072'), ('range', '1e400000'), ('range', '[1e-16384]'), ('range', '-1e99999999999999999999'), ('range', '0e-20000');
INSERT INTO kinds (kind, document)
	SELECT 'range', ('0.5' || repeat('0', 17000))::json UNION ALL
	SELECT 'range', (repeat('9', 131073))::json UNION ALL
	SELECT 'not out of range', (repeat('9', 131072))::json UNION ALL
	SELECT 'not out of range', ('0.' || repeat('1', 16383))::json UNION ALL
	SELECT 'deep', (repeat('[', 150) || repeat(']', 150))::json UNION ALL
	SELECT 'deep and refused', (repeat('[', 150) || '1e-20000' || repeat(']', 150))::json UNION ALL
	SELECT 'many keys', (SELECT json_object_agg(i, i) FROM generate_series(1, 5000) AS i) UNION ALL
	SELECT 'many keys, one twice', (left((SELECT json_object_agg(i, i)::text FROM generate_series(1, 5000) AS i), -1) || ', "17": 0}')::json;
SELECT kind, left(document::text, 60) AS document, verdict, reasons,
       nullif(CASE WHEN verdict IN ('lossy', 'reprinted') THEN 'changed' ELSE verdict END, pg_temp.really(document)) AS wrong
FROM kinds, remedy.judge_json(document) ORDER BY id;
SELECT remedy.judge_json(NULL) IS NULL AS nothing;

-- The depth that the session allows.
CREATE TABLE deep (document json);
INSERT INTO deep SELECT (repeat('[', 3000) || repeat(']', 3000))::json;
SELECT verdict, reasons FROM deep, remedy.judge_json(document);
SET max_stack_depth = '100kB';
SELECT verdict, reasons FROM deep, remedy.judge_json(document);
SELECT verdict, reason, rows FROM remedy.check_json('deep', 'document') WHERE rows > 0;
RESET max_stack_depth;

-- All rows of a table.  A reason is counted in each row that has it, a row in its worst verdict.
SELECT * FROM remedy.check_json('kinds', 'document');
SELECT sum(rows) FILTER (WHERE reason IS NULL) AS all_rows, sum(share) FILTER (WHERE reason IS NULL) AS all_shares
FROM remedy.check_json('kinds', 'document');
CREATE TABLE nothing (document json);
SELECT * FROM remedy.check_json('nothing', 'document');
SELECT * FROM remedy.check_json('nothing', 'document', 1);
INSERT INTO nothing VALUES (NULL), (NULL), ('{}');
SELECT * FROM remedy.check_json('nothing', 'document');

-- How rows are told: a key of several columns, a long one, no key.
CREATE TABLE keyed (b text, a integer, document json, PRIMARY KEY (a, b));
INSERT INTO keyed VALUES ('x''y', 1, '-0'), (repeat('long', 50), 2, '-0');
SELECT examples FROM remedy.check_json('keyed', 'document') WHERE reason = 'negative zero';
CREATE TABLE keyless (document json);
INSERT INTO keyless SELECT '-0' FROM generate_series(1, 7);
SELECT rows, examples FROM remedy.check_json('keyless', 'document') WHERE reason = 'negative zero';

-- A sample: its counts differ from time to time, not what is said with them.
CREATE TABLE many (id integer PRIMARY KEY, document json);
INSERT INTO many SELECT i, CASE WHEN i % 10 = 0 THEN '{"a": 1, "a": 2}' ELSE '{}' END::json FROM generate_series(1, 20000) AS i;
SELECT reason, rows BETWEEN 300 AND 700 AS rows, share BETWEEN 0.06 AND 0.14 AS share, at_most BETWEEN 1200 AND 3000 AS at_most,
       cardinality(examples) AS examples
FROM remedy.check_json('many', 'document', 25) WHERE verdict = 'lossy';
SELECT verdict, rows, share, at_most BETWEEN 10 AND 25 AS at_most FROM remedy.check_json('many', 'document', 25) WHERE verdict = 'rejected';
SELECT verdict, reason, rows, share, at_most FROM remedy.check_json('many', 'document', 100) WHERE rows > 0;

-- Partitions, children, materialised views, domains.
CREATE TABLE parts (id integer, document json) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 (document json, gone integer, id integer);
ALTER TABLE parts_2 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (10) TO (20);
INSERT INTO parts VALUES (1, '-0'), (11, '{"a":1}'), (12, '-0.0');
SELECT * FROM remedy.check_json('parts', 'document') WHERE rows > 0;
SELECT * FROM remedy.check_json('parts_2', 'document') WHERE rows > 0;
CREATE TABLE parent (id integer, document json);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent VALUES (1, '-0');
INSERT INTO child VALUES (2, '-0');
SELECT examples FROM remedy.check_json('parent', 'document') WHERE reason = 'negative zero';
CREATE MATERIALIZED VIEW copied AS SELECT document FROM parts;
SELECT verdict, reason, rows FROM remedy.check_json('copied', 'document') WHERE rows > 0;
CREATE DOMAIN small_json AS json CHECK (length(VALUE::text) < 100);
CREATE TABLE domains (document small_json);
INSERT INTO domains VALUES ('-0');
SELECT verdict, reason, rows FROM remedy.check_json('domains', 'document') WHERE rows > 0;
CREATE TABLE "odd ""names""" ("a ""column""" json, "the;key" integer PRIMARY KEY);
INSERT INTO "odd ""names""" VALUES ('-0', 1);
SELECT * FROM remedy.check_json('"odd ""names"""', 'a "column"') WHERE rows > 0;

-- Refused.
CREATE VIEW seen AS SELECT document FROM parts;
CREATE TABLE others (binary_document jsonb, word text, documents json[], gone json);
ALTER TABLE others DROP COLUMN gone;
SELECT remedy.check_json('seen', 'document');
SELECT remedy.check_json('others', 'binary_document');
SELECT remedy.check_json('others', 'word');
SELECT remedy.check_json('others', 'documents');
SELECT remedy.check_json('others', 'gone');
SELECT remedy.check_json('others', 'ctid');
SELECT remedy.check_json('others', 'missing');
SELECT remedy.check_json(NULL, 'document');
SELECT remedy.check_json('parts', NULL);
SELECT remedy.check_json(0, 'document');
SELECT remedy.check_json('parts', 'document', 0);
SELECT remedy.check_json('parts', 'document', 101);
SELECT remedy.check_json('parts', 'document', 'NaN');

-- The caller's rights.
CREATE ROLE regress_json_reader;
GRANT USAGE ON SCHEMA "Check;json", remedy TO regress_json_reader;
SET ROLE regress_json_reader;
SELECT remedy.check_json('keyed', 'document');
RESET ROLE;
GRANT SELECT (document) ON keyed, keyless TO regress_json_reader;
GRANT SELECT (a) ON keyed TO regress_json_reader;
SET ROLE regress_json_reader;
SELECT * FROM remedy.check_json('keyed', 'document') WHERE rows > 0 AND reason IS NULL;
SELECT * FROM remedy.check_json('keyless', 'document') WHERE rows > 0 AND reason IS NULL;
RESET ROLE;
GRANT SELECT (b) ON keyed TO regress_json_reader;
GRANT SELECT ON keyless TO regress_json_reader;
SET ROLE regress_json_reader;
SELECT rows, cardinality(examples) FROM remedy.check_json('keyed', 'document') WHERE rows > 0 AND reason IS NULL;
SELECT rows, cardinality(examples) FROM remedy.check_json('keyless', 'document') WHERE rows > 0 AND reason IS NULL;
RESET ROLE;
REVOKE USAGE ON SCHEMA "Check;json" FROM regress_json_reader;
SELECT 'keyless'::regclass::oid AS keyless \gset
SET ROLE regress_json_reader;
\set VERBOSITY terse
SELECT remedy.check_json(:keyless, 'document');
\set VERBOSITY default
RESET ROLE;
GRANT USAGE ON SCHEMA "Check;json" TO regress_json_reader;

-- Row security: what is hidden is not read, and the caller is told.
SET client_min_messages = notice;
ALTER TABLE kinds ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON kinds USING (kind = 'minus nothing');
GRANT SELECT ON kinds TO regress_json_reader;
SET ROLE regress_json_reader;
SELECT verdict, rows FROM remedy.check_json('kinds', 'document') WHERE reason IS NULL;
SET row_security = off;
SELECT remedy.check_json('kinds', 'document');
RESET row_security;
RESET ROLE;
SELECT sum(rows) > 50 AS the_owner_sees_all FROM remedy.check_json('kinds', 'document') WHERE reason IS NULL;
SET client_min_messages = warning;

-- In a read-only transaction; with the statement's own snapshot; and it can be cancelled.
START TRANSACTION READ ONLY;
SELECT sum(rows) FROM remedy.check_json('parts', 'document') WHERE reason IS NULL;
COMMIT;
INSERT INTO many SELECT i, ('[' || repeat('1,', 1000) || '1]')::json FROM generate_series(20001, 25000) AS i;
\set VERBOSITY terse
SET statement_timeout = '1ms';
SELECT remedy.check_json('many', 'document');
RESET statement_timeout;

DROP SCHEMA "Check;json" CASCADE;
DROP OWNED BY regress_json_reader;
DROP ROLE regress_json_reader;

-- Candidates of indexes by rule: what is proposed for a query, and why some conditions get nothing.
SET client_min_messages = warning;
CREATE SCHEMA ext;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA ext;
CREATE SCHEMA shop;
SET search_path = shop;
CREATE TYPE state AS ENUM ('open', 'sent', 'done');
CREATE TABLE customer (
	id bigint PRIMARY KEY, email text COLLATE "en-x-icu", code text COLLATE "C", name varchar(80) COLLATE "en-x-icu",
	created_at timestamptz, deleted_at timestamptz, active boolean, short char(8), note text, data jsonb, old json, tags text[],
	words tsvector) WITH (autovacuum_enabled = off);
CREATE TABLE sale (
	id bigint PRIMARY KEY, customer_id bigint NOT NULL, store integer, product integer, status text, state state, total numeric,
	placed_at timestamp, sent_at timestamptz, during tsrange, place point) WITH (autovacuum_enabled = off);
INSERT INTO customer (id, email, code, name, created_at, deleted_at, active, note)
	SELECT i, 'mail' || i, 'c' || i, 'name ' || i, '2026-01-01'::timestamptz + i * interval '1 hour',
		CASE WHEN i % 50 = 0 THEN '2026-06-01'::timestamptz END, i % 3 > 0, 'note ' || i
	FROM generate_series(1, 2000) AS i;
INSERT INTO sale (id, customer_id, store, product, status, state, total, placed_at, sent_at)
	SELECT i, i % 2000, i % 100, i % 500, (ARRAY['new', 'sent', 'paid', 'done'])[1 + i % 4], 'done', i,
		'2026-01-01'::timestamp + i * interval '1 minute', CASE WHEN i % 20 > 0 THEN '2026-06-01'::timestamptz END
	FROM generate_series(1, 5000) AS i;
ANALYZE customer, sale;
CREATE TABLE event (id bigint, at timestamptz NOT NULL, kind integer, body text) PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE parent (a integer, b integer);
CREATE TABLE child (c integer) INHERITS (parent);
CREATE VIEW paid AS SELECT s.*, c.email FROM sale AS s LEFT JOIN customer AS c ON c.id = s.customer_id WHERE s.status = 'paid';
CREATE MATERIALIZED VIEW per_store AS SELECT store, count(*) AS sales FROM sale GROUP BY store;
CREATE FUNCTION advice(query text) RETURNS SETOF text LANGUAGE sql AS
	$$ SELECT concat_ws('  -- ', definition, reason) FROM remedy.index_candidates(query) $$;
CREATE TABLE asked (query text);
CREATE FUNCTION ask(query text) RETURNS SETOF text LANGUAGE sql AS
	$$ INSERT INTO asked VALUES (query); SELECT shop.advice(query) $$;
\t on
\a

-- Equalities, the most selective first; the order of the text does not matter.
SELECT ask('SELECT * FROM sale WHERE customer_id = $1');
SELECT ask('SELECT * FROM sale WHERE status = $1 AND product = $2 AND store = $3');
SELECT ask('SELECT * FROM sale WHERE $2 = product AND $3 = store AND status = $1');
SELECT ask('SELECT * FROM sale WHERE store = ANY ($1)');
SELECT ask('SELECT * FROM sale WHERE store IN (1, 2) AND customer_id = 3');
SELECT ask('SELECT * FROM sale WHERE store = $1::bigint AND placed_at = $2::date');
SELECT ask('SELECT * FROM customer WHERE name = $1::text');
-- At most five of them.
SELECT ask('SELECT * FROM sale WHERE customer_id = $1 AND store = $2 AND product = $3 AND status = $4 AND total = $5 AND placed_at = $6 AND sent_at = $7');
-- One range, after them.
SELECT ask('SELECT * FROM sale WHERE store = $1 AND placed_at >= $2 AND placed_at < $3');
SELECT ask('SELECT * FROM sale WHERE total BETWEEN $1 AND $2');
SELECT ask('SELECT * FROM sale WHERE store = $1 AND placed_at > $2 AND total > $3');
SELECT ask('SELECT * FROM sale WHERE (placed_at, id) > ($1, $2) ORDER BY placed_at, id LIMIT 10');
SELECT ask('SELECT * FROM sale WHERE store = $1 AND ($2, $3) > (placed_at, total)');
SELECT ask('SELECT * FROM sale WHERE sent_at IS NOT NULL AND store = $1');
-- An order: forwards if it can be read backwards; not of two tables; not what is constant.
SELECT ask('SELECT * FROM sale ORDER BY placed_at DESC LIMIT 20');
SELECT ask('SELECT * FROM sale WHERE store = $1 ORDER BY store, placed_at DESC LIMIT 20');
SELECT ask('SELECT * FROM sale ORDER BY placed_at DESC, total LIMIT 20');
SELECT ask('SELECT * FROM sale ORDER BY sent_at DESC NULLS LAST LIMIT 20');
SELECT ask('SELECT * FROM sale AS s JOIN customer AS c ON c.id = s.customer_id ORDER BY s.placed_at, c.name LIMIT 20');
SELECT ask('SELECT * FROM sale AS s JOIN customer AS c ON c.id = s.customer_id WHERE c.id = $1 ORDER BY s.placed_at LIMIT 20');
SELECT ask('SELECT * FROM sale WHERE store = ANY ($1) ORDER BY placed_at LIMIT 20');
SELECT ask('SELECT * FROM sale WHERE placed_at > $1 AND store = $2 ORDER BY placed_at LIMIT 20');
SELECT ask('SELECT * FROM sale WHERE total > $1 ORDER BY placed_at LIMIT 20');
SELECT ask('SELECT * FROM customer ORDER BY lower(email) LIMIT 20');
SELECT ask('SELECT DISTINCT ON (customer_id) * FROM sale ORDER BY customer_id, placed_at DESC');
SELECT ask('SELECT store, count(*) FROM sale GROUP BY store');
SELECT ask('SELECT store, product, count(*) FROM sale GROUP BY store, product HAVING store = $1 ORDER BY product');
SELECT ask('SELECT max(placed_at) FROM sale WHERE store = $1');
SELECT ask('SELECT min(total) FROM sale');
-- Joins: the columns by which other tables' rows find theirs, with conditions and without.
SELECT ask('SELECT c.note, s.* FROM customer AS c JOIN sale AS s ON s.customer_id = c.id WHERE c.code = $1');
SELECT ask('SELECT c.note, s.* FROM customer AS c LEFT JOIN sale AS s ON s.customer_id = c.id AND c.active WHERE c.name = $1');
SELECT ask('SELECT * FROM sale AS s JOIN sale AS t ON t.store = s.product JOIN customer AS c ON c.code = s.status');
SELECT ask('SELECT * FROM customer AS c WHERE EXISTS (SELECT FROM sale AS s WHERE s.customer_id = c.id AND s.total > $1)');
SELECT ask('SELECT c.id, (SELECT max(placed_at) FROM sale AS s WHERE s.customer_id = c.id) FROM customer AS c WHERE c.id < $1');
SELECT ask('SELECT * FROM customer AS c, LATERAL (SELECT * FROM sale AS s WHERE s.customer_id = c.id ORDER BY placed_at DESC LIMIT 3) AS latest');
SELECT ask('SELECT * FROM customer WHERE id IN (SELECT customer_id FROM sale WHERE total > $1)');
SELECT ask('SELECT * FROM customer AS c JOIN sale AS s ON s.placed_at > c.deleted_at');
-- Alternatives: an index for each arm, or for none.
SELECT ask('SELECT * FROM customer WHERE code = $1 OR (name = $2 AND created_at > $3)');
SELECT ask('SELECT * FROM sale WHERE store = $1 AND (customer_id = $2 OR product = $3)');
SELECT ask('SELECT * FROM customer WHERE code = $1 OR tags @> $2');
SELECT ask('SELECT * FROM customer WHERE code = $1 OR note <> $2');
SELECT ask('SELECT * FROM customer AS c JOIN sale AS s ON s.customer_id = c.id WHERE c.code = $1 OR s.total = $2');
-- With all columns that the query reads, if these are few and narrow.
SELECT ask('SELECT total FROM sale WHERE customer_id = $1');
SELECT ask('SELECT id, store, product, total, status FROM sale WHERE customer_id = $1');
SELECT ask('SELECT data FROM customer WHERE code = $1');
SELECT ask('SELECT total FROM sale WHERE customer_id = $1 FOR UPDATE');
SELECT ask('SELECT sale FROM sale WHERE customer_id = $1');
-- Constants of columns with few values as predicates, alone or with others; nulls; booleans.
SELECT ask('SELECT * FROM customer WHERE deleted_at IS NULL AND code = $1');
SELECT ask('SELECT * FROM sale WHERE status = ''new'' ORDER BY placed_at LIMIT 10 FOR UPDATE SKIP LOCKED');
SELECT ask('SELECT * FROM sale WHERE product = 7');
SELECT ask('SELECT * FROM sale WHERE sent_at IS NULL');
SELECT ask('SELECT * FROM sale WHERE state = ''open'' AND status <> ''done''');
SELECT ask('SELECT * FROM sale WHERE status NOT IN (''done'', ''paid'')');
SELECT ask('SELECT * FROM customer WHERE active');
SELECT ask('SELECT * FROM customer WHERE NOT active AND code = $1');
SELECT ask('SELECT * FROM customer WHERE active IS NOT TRUE');
SELECT ask('SELECT * FROM customer WHERE active IS FALSE');
SELECT ask('SELECT * FROM sale WHERE status = $1');
-- Expressions, if they are immutable.
SELECT ask('SELECT * FROM customer WHERE lower(email) = $1');
SELECT ask('SELECT * FROM customer WHERE data ->> ''key'' = $1');
SELECT ask('SELECT * FROM customer WHERE (data ->> ''key'')::integer > $1');
SELECT ask('SELECT * FROM customer WHERE old ->> ''key'' = $1');
SELECT ask('SELECT * FROM customer WHERE coalesce(note, ''none'') = $1 AND (created_at AT TIME ZONE ''UTC'')::date = $2');
SELECT ask('SELECT * FROM sale WHERE date_trunc(''day'', placed_at) = $1');
SELECT ask('SELECT * FROM customer AS c JOIN sale AS s ON s.status = lower(c.code)');
SELECT ask('SELECT * FROM customer WHERE created_at::date = $1');
SELECT ask('SELECT * FROM customer WHERE date_trunc(''day'', created_at) = $1');
SELECT ask('SELECT * FROM customer WHERE created_at + interval ''1 day'' > now()');
SELECT ask('SELECT * FROM customer WHERE (data ->> ''key'')::timestamptz > $1');
SELECT ask('SELECT * FROM customer WHERE to_tsvector(note) @@ to_tsquery($1)');
SELECT ask('SELECT * FROM sale WHERE total + random() > $1');
SELECT ask('SELECT * FROM sale WHERE total > random()');
SELECT ask('SELECT * FROM sale WHERE total + $1 > $2');
-- What B-trees cannot do, by the operator classes that there are.
SELECT ask('SELECT * FROM customer WHERE data @> $1');
SELECT ask('SELECT * FROM customer WHERE data ? $1');
SELECT ask('SELECT * FROM customer WHERE tags && $1');
SELECT ask('SELECT * FROM customer WHERE words @@ to_tsquery(''english'', $1) AND active');
SELECT ask('SELECT * FROM customer WHERE to_tsvector(''english'', note) @@ to_tsquery($1)');
SELECT ask('SELECT * FROM sale WHERE during && $1');
SELECT ask('SELECT * FROM sale WHERE place <@ $1::box');
SELECT ask('SELECT * FROM customer WHERE $1 = ANY (tags)');
SELECT ask('SELECT * FROM customer WHERE note @@ to_tsquery($1)');
-- Patterns: a fixed beginning, trigrams, or a parameter that may be either.
SELECT ask('SELECT * FROM customer WHERE email LIKE ''abc%''');
SELECT ask('SELECT * FROM customer WHERE code LIKE ''abc%''');
SELECT ask('SELECT * FROM customer WHERE short LIKE ''abc%''');
SELECT ask('SELECT * FROM customer WHERE lower(name) LIKE ''abc%''');
SELECT ask('SELECT * FROM customer WHERE email ~ ''^abc''');
SELECT ask('SELECT * FROM customer WHERE email LIKE ''%abc%''');
SELECT ask('SELECT * FROM customer WHERE name ILIKE ''abc%''');
SELECT ask('SELECT * FROM customer WHERE email ~* ''a.c''');
SELECT ask('SELECT * FROM customer WHERE email LIKE $1');
SELECT ask('SELECT * FROM customer WHERE email LIKE ''%ab%''');
SELECT ask('SELECT * FROM customer WHERE email NOT LIKE $1');
-- Conditions that no index serves.
SELECT ask('SELECT * FROM sale WHERE store = $1::numeric');
SELECT ask('SELECT * FROM customer WHERE short = $1::text');
SELECT ask('SELECT * FROM sale AS s JOIN sale AS t ON s.store = t.total');
SELECT ask('SELECT * FROM sale WHERE store = product');
SELECT ask('SELECT * FROM sale WHERE status <> $1');
SELECT ask('SELECT * FROM customer WHERE id NOT IN (SELECT store FROM sale)');
SELECT ask('SELECT * FROM sale WHERE store > ALL ($1)');
SELECT ask('SELECT * FROM customer WHERE code IS NOT DISTINCT FROM $1');
SELECT ask('SELECT * FROM customer WHERE starts_with(code, $1)');
-- Another collation than the column's.
SELECT ask('SELECT * FROM customer WHERE email COLLATE "C" > $1');
-- Statements that change rows, and queries within queries.
SELECT ask('UPDATE sale SET status = ''sent'' WHERE store = $1');
SELECT ask('DELETE FROM sale WHERE placed_at < now() - interval ''1 day''');
SELECT ask('INSERT INTO sale SELECT * FROM sale WHERE total = $1');
SELECT ask('MERGE INTO sale AS s USING customer AS c ON s.customer_id = c.id WHEN MATCHED THEN DELETE');
SELECT ask('SELECT * FROM paid WHERE email = $1');
SELECT ask('WITH t AS (SELECT * FROM sale WHERE store = $1), u AS MATERIALIZED (SELECT * FROM sale) SELECT * FROM t UNION ALL SELECT * FROM u WHERE product = $2');
SELECT ask('SELECT * FROM (SELECT *, row_number() OVER () AS n FROM sale) AS numbered WHERE store = $1');
SELECT ask('SELECT * FROM sale WHERE false AND store = 1');
-- Tables: partitioned ones as a whole, each of an inheritance tree, materialised views; not catalogs or temporary ones.
SELECT ask('SELECT * FROM event WHERE kind = $1 ORDER BY at DESC LIMIT 10');
SELECT ask('SELECT * FROM parent WHERE a = $1');
SELECT ask('SELECT * FROM per_store WHERE store = $1');
CREATE TEMPORARY TABLE passing (a integer);
SELECT advice('SELECT * FROM passing WHERE a = $1');
SELECT advice('SELECT * FROM pg_class WHERE relpages = $1');
SELECT advice('SELECT * FROM sale TABLESAMPLE system (10) WHERE store = $1');
SELECT advice('SELECT * FROM generate_series(1, 10) AS g WHERE g = $1');

-- Each of these indexes can be made, and is not proposed again.
DO $$
DECLARE query text; made text; again bigint; tried integer := 0;
BEGIN
	FOR query, made IN SELECT a.query, c.definition FROM asked AS a, remedy.index_candidates(a.query) AS c WHERE NOT refused LOOP
		BEGIN
			EXECUTE replace(made, ' CONCURRENTLY', '');
			SELECT count(*) INTO again FROM remedy.index_candidates(query) WHERE definition = made;
			IF again > 0 THEN
				RAISE WARNING 'again: % for %', made, query;
			END IF;
			tried := tried + 1;
			RAISE division_by_zero;
		EXCEPTION WHEN division_by_zero THEN NULL;
			WHEN OTHERS THEN RAISE WARNING '% for %: %', made, query, SQLERRM;
		END;
	END LOOP;
	IF tried < 150 THEN
		RAISE WARNING 'only %', tried;
	END IF;
END $$;

-- What exists serves what begins like it, in any order of its equalities; nothing where one row is found anyway.
CREATE INDEX ON sale (store, customer_id, placed_at);
SELECT advice('SELECT * FROM sale WHERE customer_id = $1 AND store = $2');
SELECT advice('SELECT * FROM sale WHERE customer_id = $1 AND store = $2 ORDER BY placed_at DESC LIMIT 3');
SELECT advice('SELECT * FROM sale WHERE customer_id = $1');
SELECT advice('SELECT * FROM sale WHERE id = $1 AND status = ''new'' AND total <> 3');
SELECT advice('SELECT * FROM sale WHERE id IN (1, 2) AND store = 3');
CREATE UNIQUE INDEX ON customer (code) WHERE active;
SELECT advice('SELECT * FROM customer WHERE code = $1');
CREATE UNIQUE INDEX customer_code ON customer (code);
SELECT advice('SELECT * FROM customer WHERE code = $1 AND note = $2');
SELECT advice('SELECT * FROM customer WHERE code IS NULL AND note = $1');
DROP INDEX customer_code;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'sale_store_customer_id_placed_at_idx'::regclass;
SELECT advice('SELECT * FROM sale WHERE customer_id = $1 AND store = $2');
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'sale_store_customer_id_placed_at_idx'::regclass;
-- Other classes and directions are other indexes; the same in other words is the same.
CREATE INDEX ON customer (email varchar_pattern_ops);
SELECT advice('SELECT * FROM customer WHERE email LIKE ''abc%''');
SELECT advice('SELECT * FROM customer WHERE email = $1');
CREATE INDEX ON sale (status, total DESC) WHERE status IN ('new', 'sent') AND sent_at IS NULL;
SELECT advice('SELECT * FROM sale WHERE sent_at IS NULL AND status IN (''new'', ''sent'') ORDER BY total');

-- What functions ask for while a plan is made is not the query's.
CREATE FUNCTION wanted() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT max(store) FROM shop.sale WHERE total = 1); END';
SELECT advice('SELECT * FROM customer WHERE name = shop.wanted()');

-- Names that need quotes, and columns that were dropped.
CREATE SCHEMA "My ""shop""";
CREATE TABLE "My ""shop"""."order; DROP" (gone integer, "from" integer, "Mixed Case" text, "a""b" "shop"."state", "$1" jsonb, ü text);
ALTER TABLE "My ""shop"""."order; DROP" DROP COLUMN gone;
CREATE FUNCTION "My ""shop"""."f(x)"(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE OPERATOR "My ""shop""".=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
CREATE COLLATION "My ""shop"""."COLL" (provider = icu, locale = 'en');
TRUNCATE asked;
SELECT ask('SELECT 1 FROM "My ""shop"""."order; DROP" AS x WHERE "from" = $1 AND "a""b" = ''open'' ORDER BY "Mixed Case" LIMIT 1');
SELECT ask('SELECT ü FROM "My ""shop"""."order; DROP" AS "from" WHERE "My ""shop"""."f(x)"("Mixed Case") = $1 AND "$1" @> $2');
SELECT ask('SELECT ü FROM "My ""shop"""."order; DROP" WHERE ü COLLATE "My ""shop"""."COLL" > $1 AND "$1" ->> ''it''''s'' = $2');
SELECT ask('SELECT ü FROM "My ""shop"""."order; DROP" WHERE ü OPERATOR("My ""shop""".===) $1');
DO $$
DECLARE made text;
BEGIN
	FOR made IN SELECT definition FROM asked AS a, remedy.index_candidates(a.query) WHERE NOT refused LOOP
		EXECUTE replace(made, ' CONCURRENTLY', '');
	END LOOP;
END $$;
SELECT advice(query) FROM asked;

-- A large table in order; without pg_trgm.
CREATE UNLOGGED TABLE log (at timestamptz, filler char(4000) DEFAULT '') WITH (autovacuum_enabled = off, fillfactor = 10);
ALTER TABLE log ALTER filler SET STORAGE plain;
INSERT INTO log SELECT '2026-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 10100) AS i;
SELECT advice('SELECT * FROM log WHERE at > $1');
ANALYZE log;
SELECT advice('SELECT * FROM log WHERE at > $1');
SELECT advice('SELECT * FROM log WHERE at = $1');
DROP TABLE log;
DROP EXTENSION pg_trgm CASCADE;
SELECT advice('SELECT * FROM customer WHERE email LIKE ''%abc%''');
SELECT advice('SELECT * FROM event WHERE body ILIKE $1');

-- Whose tables; what is no query; the query is not run, and nothing is left behind.
CREATE ROLE regress_remedy_asker;
GRANT USAGE ON SCHEMA shop TO regress_remedy_asker;
GRANT SELECT ON paid TO regress_remedy_asker;
SET ROLE regress_remedy_asker;
SELECT advice('SELECT * FROM sale WHERE store = $1');
SELECT advice('SELECT * FROM paid WHERE store = $1');
SELECT advice('SELECT 1 FROM paid WHERE EXISTS (WITH w AS (SELECT (SELECT max(id) FROM customer)) SELECT FROM w)');
RESET ROLE;
SELECT advice('EXPLAIN SELECT 1');
SELECT advice('SELECT 1; SELECT 2');
SELECT advice('SELECT FROM sale WHERE total = 1 LIMIT 1');
SELECT advice('');
SELECT advice('SELECT nothing FROM sale');
SELECT advice(NULL);
SELECT advice('DELETE FROM sale');
SELECT count(*) FROM sale;
SHOW search_path;
SELECT advice('SELECT 1 / 0 FROM sale WHERE store = 1');
EXPLAIN (COSTS off) SELECT * FROM sale WHERE total = 1;

\a
\t off
SET client_min_messages = error;
DROP SCHEMA shop, "My ""shop""", ext CASCADE;
DROP ROLE regress_remedy_asker;

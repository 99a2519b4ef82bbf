-- What a statement is planned with when nobody tells its values.
SET client_min_messages = warning;
CREATE SCHEMA shop;
SET search_path = shop;
CREATE TYPE state AS ENUM ('open', 'sent', 'lost');
CREATE DOMAIN quantity AS integer CHECK (VALUE > 0);
CREATE TABLE sale (
	id bigint PRIMARY KEY, customer integer, state state, placed timestamptz, day date, price numeric, pieces quantity,
	name text, code varchar(20), short char(8), paid boolean, token uuid, tags text[], doc jsonb, words tsvector, host inet,
	during int4range, untold integer);
INSERT INTO sale
SELECT i,
	CASE WHEN i % 10 < 4 THEN 1 WHEN i % 10 < 6 THEN 2 + i % 5 ELSE i END,
	CASE WHEN i % 100 = 0 THEN 'lost' WHEN i % 10 = 1 THEN 'open' ELSE 'sent' END::state,
	'2026-01-01 00:00+00'::timestamptz + i * interval '1 minute', date '2026-01-01' + i / 100, i / 7.0, 1 + i % 20,
	CASE WHEN i % 3 = 0 THEN 'customer ' ELSE 'supplier ' END || i, 'c' || i % 50, 's' || i % 30, i % 10 <> 0,
	('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid,
	CASE WHEN i % 50 = 0 THEN ARRAY['new', 'rare'] ELSE ARRAY['new', 'tag' || i % 8] END,
	jsonb_build_object('kind', CASE WHEN i % 20 = 0 THEN 'gift' ELSE 'plain' END, 'more', '[]'::jsonb),
	to_tsvector('simple', CASE WHEN i % 40 = 0 THEN 'seldom often' ELSE 'often' END),
	('10.0.' || i % 4 || '.' || i % 200)::inet, int4range(i, i + 10), NULL
FROM generate_series(1, 10000) AS i;
CREATE INDEX ON sale (lower(name));
CREATE STATISTICS sale_parity ON (customer % 2) FROM sale;
ANALYZE shop.sale;

-- Of 10,000 rows, roughly how many each variant finds.
CREATE FUNCTION variants(query text, parameters text[] DEFAULT NULL, vary boolean DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s: %s', round(weight::numeric, 2), CASE WHEN rows < 8 THEN 'few' WHEN rows < 70 THEN 'tens'
		WHEN rows < 700 THEN 'hundreds' WHEN rows < 8500 THEN 'thousands' ELSE 'all' END), ', ' ORDER BY variant)
	FROM remedy.plan_variants(query, parameters, vary) $$;
CREATE FUNCTION rows_of(query text, vary boolean DEFAULT NULL) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(rows ORDER BY variant) FROM remedy.plan_variants(query, NULL, vary) $$;

SELECT query, variants(query) FROM (VALUES
	('SELECT * FROM sale WHERE id = $1'),
	('SELECT * FROM sale WHERE customer = $1'),
	('SELECT * FROM sale WHERE $1 = customer'),
	('SELECT * FROM sale WHERE customer = $1::bigint'),
	('SELECT * FROM sale WHERE customer::numeric = $1'),
	('SELECT * FROM sale WHERE customer <> $1'),
	('SELECT * FROM sale WHERE customer IS NOT DISTINCT FROM $1'),
	('SELECT * FROM sale WHERE state = $1'),
	('SELECT * FROM sale WHERE state::text = $1'),
	('SELECT * FROM sale WHERE pieces = $1'),
	('SELECT * FROM sale WHERE code = $1'),
	('SELECT * FROM sale WHERE short = $1'),
	('SELECT * FROM sale WHERE paid = $1'),
	('SELECT * FROM sale WHERE token = $1'),
	('SELECT * FROM sale WHERE price > $1'),
	('SELECT * FROM sale WHERE price < $1'),
	('SELECT * FROM sale WHERE $1 <= price'),
	('SELECT * FROM sale WHERE placed BETWEEN $1 AND $2'),
	('SELECT * FROM sale WHERE placed >= $1 AND placed < $2'),
	('SELECT * FROM sale WHERE day >= $1 AND day < $2'),
	('SELECT * FROM sale WHERE placed::date = $1'),
	('SELECT * FROM sale WHERE placed > now() - $1::interval'),
	('SELECT * FROM sale WHERE id > $1 ORDER BY id LIMIT $2'),
	('SELECT * FROM sale WHERE (price, id) > ($1, $2) ORDER BY price, id LIMIT 50'),
	('SELECT * FROM sale WHERE customer IN ($1, $2, $3)'),
	('SELECT * FROM sale WHERE customer = $1 OR customer = $2 OR customer = $3'),
	('SELECT * FROM sale WHERE (customer, id) IN (($1, $2), ($3, $4))'),
	('SELECT * FROM sale WHERE customer = ANY ($1)'),
	('SELECT * FROM sale WHERE customer <> ALL ($1)'),
	('SELECT * FROM sale WHERE id = ANY ($1::int[])'),
	('SELECT * FROM sale WHERE state = ANY ($1)'),
	('SELECT * FROM sale WHERE name LIKE $1'),
	('SELECT * FROM sale WHERE name ILIKE $1'),
	('SELECT * FROM sale WHERE name LIKE ''%'' || $1 || ''%'''),
	('SELECT * FROM sale WHERE lower(name) LIKE lower($1)'),
	('SELECT * FROM sale WHERE lower(name) = $1'),
	('SELECT * FROM sale WHERE name ~ $1'),
	('SELECT * FROM sale WHERE starts_with(name, $1)'),
	('SELECT * FROM sale WHERE name ^@ $1'),
	('SELECT * FROM sale WHERE customer % 2 = $1'),
	('SELECT * FROM sale WHERE tags @> $1'),
	('SELECT * FROM sale WHERE tags && $1'),
	('SELECT * FROM sale WHERE $1 = ANY (tags)'),
	('SELECT * FROM sale WHERE doc @> $1'),
	('SELECT * FROM sale WHERE doc ? $1'),
	('SELECT * FROM sale WHERE doc ->> ''kind'' = $1'),
	('SELECT * FROM sale WHERE words @@ $1'),
	('SELECT * FROM sale WHERE words @@ to_tsquery(''simple'', $1)'),
	('SELECT * FROM sale WHERE host <<= $1'),
	('SELECT * FROM sale WHERE during && $1'),
	('SELECT * FROM sale WHERE during @> $1::integer'),
	('SELECT * FROM sale WHERE untold = $1'),
	('SELECT * FROM sale LIMIT $1 OFFSET $2')
	) AS shape (query);

-- Values that stand side by side differ.
SELECT rows_of('SELECT * FROM sale WHERE id = $1 OR id = $2 OR id = $3') AS three, rows_of('SELECT * FROM sale WHERE id = $1 OR id = $1') AS one;

-- The column is found behind views, WITH, subqueries, joins and in what changes rows.
CREATE TABLE customer (id integer PRIMARY KEY, city text);
INSERT INTO customer SELECT i, CASE WHEN i % 10 < 7 THEN 'Ulm' ELSE 'town ' || i END FROM generate_series(1, 10000) AS i;
ANALYZE customer;
CREATE VIEW gifts AS SELECT s.id, s.customer AS buyer, lower(s.name) AS name FROM sale AS s WHERE s.doc ->> 'kind' = 'gift';
SELECT query, variants(query) FROM (VALUES
	('SELECT * FROM gifts WHERE buyer = $1'),
	('SELECT * FROM gifts WHERE name = $1'),
	('WITH s AS (SELECT customer AS buyer FROM sale) SELECT * FROM s WHERE buyer = $1'),
	('SELECT * FROM (SELECT customer AS buyer FROM sale OFFSET 0) AS s WHERE buyer = $1'),
	('SELECT * FROM (SELECT customer AS buyer FROM sale UNION ALL SELECT 1) AS s WHERE buyer = $1'),
	('SELECT * FROM customer AS c JOIN sale AS s USING (id) WHERE id = $1 AND s.customer = $2'),
	('SELECT * FROM customer AS c JOIN sale AS s ON s.customer = c.id WHERE c.city = $1'),
	('SELECT * FROM customer AS c WHERE city = $1 AND EXISTS (SELECT FROM sale AS s WHERE s.customer = c.id AND s.state = $2)'),
	('SELECT * FROM customer AS c LEFT JOIN sale AS s ON s.id = c.id AND s.state = $1 WHERE c.city = $2'),
	('UPDATE sale SET name = $1 WHERE customer = $2 RETURNING id'),
	('DELETE FROM sale WHERE customer = $1 RETURNING id'),
	('INSERT INTO customer (id, city) SELECT id, $1 FROM sale WHERE customer = $2 RETURNING id'),
	('INSERT INTO customer (id, city) VALUES ($1, $2) RETURNING id'),
	('SELECT customer FROM sale GROUP BY customer HAVING count(*) > $1'),
	('SELECT customer, id FROM sale GROUP BY customer, id HAVING customer = $1'),
	('SELECT * FROM sale WHERE ($1::integer IS NULL OR customer = $1) AND state = $2'),
	('SELECT * FROM sale WHERE customer = $1 OR id = $1'),
	('SELECT * FROM sale WHERE customer = $1 AND code = (SELECT max(code) FROM sale WHERE price > $2)')
	) AS shape (query);

-- Literals that vary are parameters: the same variants.
SELECT literal, rows_of(literal, true) = rows_of(parameters) AS same FROM (VALUES
	('SELECT * FROM sale WHERE id = 17', 'SELECT * FROM sale WHERE id = $1'),
	('SELECT * FROM sale WHERE customer = 5', 'SELECT * FROM sale WHERE customer = $1'),
	('SELECT * FROM sale WHERE state = ''sent''', 'SELECT * FROM sale WHERE state = $1'),
	('SELECT * FROM sale WHERE code = ''c1'' AND price > 9.5', 'SELECT * FROM sale WHERE code = $1 AND price > $2'),
	('SELECT * FROM sale WHERE placed BETWEEN ''2026-01-01'' AND ''2026-01-02''', 'SELECT * FROM sale WHERE placed BETWEEN $1 AND $2'),
	('SELECT * FROM sale WHERE placed >= ''2026-01-01''', 'SELECT * FROM sale WHERE placed >= $1'),
	('SELECT * FROM sale WHERE customer IN (7, 8, 9)', 'SELECT * FROM sale WHERE customer IN ($1, $2, $3)'),
	('SELECT * FROM sale WHERE customer = ANY (''{6,7,8,9,10}'')', 'SELECT * FROM sale WHERE customer = ANY ($1)'),
	('SELECT * FROM sale WHERE name LIKE ''custom%''', 'SELECT * FROM sale WHERE name LIKE $1'),
	('SELECT * FROM sale WHERE lower(name) = lower(''X'')', 'SELECT * FROM sale WHERE lower(name) = lower($1)'),
	('SELECT * FROM sale WHERE doc @> ''{"a": 1}''', 'SELECT * FROM sale WHERE doc @> $1'),
	('SELECT * FROM sale WHERE tags @> ''{x}''', 'SELECT * FROM sale WHERE tags @> $1'),
	('SELECT * FROM sale WHERE words @@ ''x''', 'SELECT * FROM sale WHERE words @@ $1'),
	('SELECT * FROM sale WHERE pieces = 3', 'SELECT * FROM sale WHERE pieces = $1'),
	('UPDATE sale SET name = ''y'' WHERE customer = 4 RETURNING id', 'UPDATE sale SET name = $1 WHERE customer = $2 RETURNING id')
	) AS pair (literal, parameters);
-- A pattern keeps its wildcards.
SELECT query, variants(query, vary => true) FROM (VALUES
	('SELECT * FROM sale WHERE name LIKE ''customer 1'''), ('SELECT * FROM sale WHERE name LIKE ''c1%'''), ('SELECT * FROM sale WHERE name LIKE ''%1''')
	) AS shape (query);

-- Constants that recur stay; of others that nobody knows of, those of the text are the first variant's.
SELECT variants($$SELECT * FROM sale WHERE state = 'lost' AND id > 0$$, vary => false) AS recurs,
	variants($$SELECT * FROM sale WHERE state = 'lost'$$) AS unknown, variants($$SELECT * FROM sale WHERE state = 'lost'$$, vary => true) AS varies;
SELECT variants($$SELECT * FROM sale WHERE state = 'lost' AND id = $1$$) AS of_the_author,
	variants($$SELECT * FROM sale WHERE state = 'lost' AND customer = $1$$) AS and_a_parameter;
SELECT variants('SELECT * FROM sale LIMIT 4 OFFSET 8000') AS as_written;

-- A bound that stays is no partner.
SELECT variants('SELECT * FROM sale WHERE price > $1 AND price < 1e9') AS by_the_author, variants('SELECT * FROM sale WHERE price > $1 AND price < $2') AS partners;

-- A known run comes first; what it does not tell is a middle value.
SELECT query, parameters, variants(query, parameters) FROM (VALUES
	('SELECT * FROM sale WHERE customer = $1', '{9999}'::text[]),
	('SELECT * FROM sale WHERE customer = $1', '{1}'),
	('SELECT * FROM sale WHERE id = $1', '{9999}'),
	('SELECT * FROM sale WHERE state = $1 AND name LIKE $2', '{sent,cust%}'),
	('SELECT * FROM sale WHERE state = $1 AND name LIKE $2', '{sent,NULL}'),
	('SELECT * FROM sale WHERE state = $1', '{NULL}'),
	('SELECT * FROM sale LIMIT $1', '{3000}')) AS run (query, parameters);

-- Without statistics nothing is made up: one variant, planned for any values.
CREATE TABLE unseen (id integer, name text) WITH (autovacuum_enabled = off);
CREATE TABLE nothing (id integer);
ANALYZE nothing;
SELECT count(*), sum(weight) FROM remedy.plan_variants('SELECT * FROM unseen WHERE id = $1 AND name LIKE $2 AND id BETWEEN $3 AND $4 AND id = ANY ($5)');
SELECT count(*), sum(weight) FROM remedy.plan_variants('SELECT * FROM nothing WHERE id = $1');
SELECT count(*), sum(weight) FROM remedy.plan_variants('SELECT * FROM generate_series(1, 10) AS i WHERE i > $1');
SELECT count(*), sum(weight) FROM remedy.plan_variants('SELECT $1::integer');
SELECT count(*), sum(weight) FROM remedy.plan_variants('SELECT * FROM sale WHERE ctid = $1');

-- Partitioned tables, analysed or only in their parts, and inheritance; quoted names.
CREATE TABLE "Log" ("At" integer, "Kind" text) PARTITION BY RANGE ("At");
CREATE TABLE "Log 1" PARTITION OF "Log" FOR VALUES FROM (0) TO (1000) WITH (autovacuum_enabled = off);
CREATE TABLE "Log 2" ("Kind" text, gone integer, "At" integer) WITH (autovacuum_enabled = off);
ALTER TABLE "Log 2" DROP COLUMN gone;
ALTER TABLE "Log" ATTACH PARTITION "Log 2" FOR VALUES FROM (1000) TO (20000);
INSERT INTO "Log" SELECT i, CASE WHEN i % 100 = 0 THEN 'error' ELSE 'note' END FROM generate_series(1, 10000) AS i;
SELECT count(*) AS nothing_known FROM remedy.plan_variants('SELECT * FROM "Log" WHERE "Kind" = $1');
ANALYZE "Log 1", "Log 2";
SELECT variants('SELECT * FROM "Log" WHERE "Kind" = $1') AS of_the_largest_part;
CREATE STATISTICS "Log parts" ON ("At" / 9000) FROM "Log";
ANALYZE "Log";
SELECT variants('SELECT * FROM "Log" WHERE "Kind" = $1') AS of_all, variants('SELECT * FROM "Log" WHERE "At" > $1') AS ends,
	variants('SELECT * FROM "Log" WHERE "At" / 9000 = $1') AS of_an_expression;
CREATE TABLE parent (kind integer) WITH (autovacuum_enabled = off);
CREATE TABLE child () INHERITS (parent) WITH (autovacuum_enabled = off);
INSERT INTO parent SELECT 7 FROM generate_series(1, 100);
INSERT INTO child SELECT CASE WHEN i < 9000 THEN 1 ELSE 2 END FROM generate_series(1, 9900) AS i;
ANALYZE parent, child;
SELECT variants('SELECT * FROM parent WHERE kind = $1') AS everywhere, variants('SELECT * FROM ONLY parent WHERE kind = $1') AS there;

-- A user's function does not get to see values of the statistics.
CREATE FUNCTION spy(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
	$$ BEGIN IF $1 LIKE 'c%' THEN RAISE WARNING 'seen: %', $1; END IF; RETURN $1; END $$;
CREATE FUNCTION spy(text, text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
	$$ BEGIN IF $1 LIKE 'c%' THEN RAISE WARNING 'seen: %', $1; END IF; RETURN true; END $$;
CREATE OPERATOR ### (PROCEDURE = spy, LEFTARG = text, RIGHTARG = text);
CREATE DOMAIN spied AS text CHECK (spy(VALUE) <> '');
SELECT query, variants(query, vary => true) FROM (VALUES
	('SELECT * FROM sale WHERE code = spy($1)'),
	('SELECT * FROM sale WHERE code = spy(''x'')'),
	('SELECT * FROM sale WHERE code = $1 AND spy($1) = $2'),
	('SELECT * FROM sale WHERE spy(code) = $1'),
	('SELECT * FROM sale WHERE code = $1 OR $1 ### $2'),
	('SELECT * FROM sale WHERE code = $1::spied')) AS shape (query);

-- What cannot be cast is left open.
SELECT variants('SELECT * FROM sale WHERE name::integer = $1') AS no_number, variants('SELECT * FROM sale WHERE price * 1000 > $1::smallint') AS too_large;

-- It asks for the rights that EXPLAIN asks for, and for one statement.
CREATE ROLE regress_remedy_planner;
GRANT USAGE ON SCHEMA shop TO regress_remedy_planner;
SET ROLE regress_remedy_planner;
SELECT count(*) FROM remedy.plan_variants('SELECT * FROM sale WHERE customer = $1');
RESET ROLE;
GRANT SELECT (customer) ON sale TO regress_remedy_planner;
SET ROLE regress_remedy_planner;
SELECT count(*) FROM remedy.plan_variants('SELECT customer FROM sale WHERE customer = $1');
SELECT count(*) FROM remedy.plan_variants('SELECT customer FROM sale WHERE state = $1');
RESET ROLE;
-- An error would tell of rows that it hides.
ALTER TABLE sale ENABLE ROW LEVEL SECURITY;
SET ROLE regress_remedy_planner;
SELECT count(*) FROM remedy.plan_variants('SELECT customer FROM sale WHERE customer = $1 AND 1 / ($1 - 7) > 0');
RESET ROLE;
SELECT * FROM remedy.plan_variants('SELECT 1; SELECT 2');
SELECT * FROM remedy.plan_variants('VACUUM');
SELECT * FROM remedy.plan_variants(NULL);
SELECT * FROM remedy.plan_variants('SELECT * FROM sale WHERE state = $1', '{none}');

DROP SCHEMA shop CASCADE;
DROP ROLE regress_remedy_planner;

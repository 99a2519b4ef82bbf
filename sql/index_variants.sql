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
ANALYZE sale;

-- Rows are told as a part of the table's, in ten thousandths, roughly.
CREATE FUNCTION variants(query text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s: %s', round(weight::numeric, 2), CASE WHEN rows < 10 THEN 'few' WHEN rows < 100 THEN 'tens'
		WHEN rows < 1000 THEN 'hundreds' WHEN rows < 9000 THEN 'thousands' ELSE 'all' END), ', ' ORDER BY variant)
	FROM remedy.plan_variants(query) $$;
CREATE FUNCTION rows_of(query text) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg(rows ORDER BY variant) FROM remedy.plan_variants(query) $$;

SELECT query, variants(query), rows_of(query) FROM (VALUES
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

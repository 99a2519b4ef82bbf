-- Advised indexes: what was built of them, and whether it helped.
SET compute_query_id = on;
CREATE ROLE regress_remedy_outsider;
CREATE SCHEMA shop;
CREATE TABLE shop.sale (id integer PRIMARY KEY, state text, placed integer, note text);
INSERT INTO shop.sale SELECT i, 'open', i % 10, 'note ' || i FROM generate_series(1, 20000) AS i;
ANALYZE shop.sale;
CREATE VIEW outcome AS
	SELECT index_name, verdict, built_at IS NOT NULL AS built, calls_before, calls_after, definition, fix_sql
	FROM remedy.index_outcomes WHERE table_name IN ('shop.sale', 'sale') ORDER BY definition;
CREATE FUNCTION advise(create_index text, serves text DEFAULT 'SELECT count(*) FROM shop.sale%') RETURNS void LANGUAGE sql AS $$
	SELECT remedy.remember_advice('shop.sale', create_index, 100, 50, 5,
		(SELECT array_agg(DISTINCT query_id) FROM remedy.statements WHERE query LIKE serves)) $$;
SELECT remedy.reset();
SELECT count(*) FROM shop.sale WHERE note = 'note 7';
SELECT count(*) FROM shop.sale WHERE note = 'note 8';

-- Advice, given twice.
SELECT advise('CREATE INDEX CONCURRENTLY ON shop.sale USING btree (note)');
SELECT advise('CREATE INDEX CONCURRENTLY ON shop.sale USING btree (note)');
SELECT * FROM outcome;

-- An index that is rolled back was not built; the transaction itself sees it.
BEGIN;
CREATE INDEX sale_note ON shop.sale (note);
SELECT * FROM outcome;
ROLLBACK;
SELECT * FROM outcome;
BEGIN;
SAVEPOINT before;
CREATE INDEX sale_note ON shop.sale (note);
ROLLBACK TO before;
SELECT count(*) FROM shop.sale WHERE note = 'note 9';
COMMIT;
SELECT * FROM outcome;

-- Another one is not it.
CREATE INDEX other_note ON shop.sale (note DESC);
CREATE INDEX partial_note ON shop.sale (note) WHERE state = 'open';
SELECT * FROM outcome;
DROP INDEX shop.other_note, shop.partial_note;

-- It is noticed when it is built, under any name, with what its statements took until then.
SET search_path = shop, public;
CREATE UNIQUE INDEX CONCURRENTLY "my Note" ON sale (note) WITH (fillfactor = 80);
RESET search_path;
SELECT count(*) FROM shop.sale WHERE note = 'note 10';
SELECT * FROM outcome;

-- Enough calls for a verdict.
\pset format unaligned
\pset tuples_only on
SELECT 'SELECT count(*) FROM shop.sale WHERE note = ''note 11''' FROM generate_series(1, 9) \gexec
\pset format aligned
\pset tuples_only off
SELECT * FROM outcome;
SELECT ratio < 1 AS helped, mean_ms_after < mean_ms_before AS less FROM remedy.index_outcomes;

-- Expressions and predicates are compared as the server writes them; constraints make indexes too.
SELECT advise('CREATE INDEX ON shop.sale USING btree (lower(note)) WHERE (state = ''open''::text)');
SELECT advise('CREATE INDEX ON shop.sale USING btree (placed, id)');
CREATE INDEX sale_lower ON shop.sale (lower(note)) WHERE state = 'open';
ALTER TABLE shop.sale ADD CONSTRAINT placed_once UNIQUE (placed, id);
SELECT index_name, verdict, built, definition FROM outcome;

-- Dropped ones are gone, until they are there again.
DROP INDEX shop.sale_lower;
SELECT index_name, verdict, built, definition FROM outcome;
REINDEX TABLE CONCURRENTLY shop.sale;
SELECT index_name, verdict, built, definition FROM outcome;

-- What made it worse is to be dropped, unless it enforces something.
SELECT pg_sleep(0.001);
SELECT advise('CREATE INDEX ON shop.sale USING btree (id, state)', 'SELECT pg_sleep(%');
SELECT advise('CREATE INDEX ON shop.sale USING btree (state, id)', 'SELECT pg_sleep(%');
CREATE INDEX "sale worse" ON shop.sale (id, state);
CREATE UNIQUE INDEX sale_enforces ON shop.sale (state, id);
\pset format unaligned
\pset tuples_only on
SELECT 'SELECT pg_sleep(0.03)' FROM generate_series(1, 10) \gexec
\pset format aligned
\pset tuples_only off
SELECT index_name, verdict, calls_before, calls_after, fix_sql FROM outcome WHERE verdict = 'slower';

-- Whoever may not see the owner's statements sees nothing.
SET ROLE regress_remedy_outsider;
SELECT count(*) FROM remedy.index_outcomes;
SELECT remedy.remember_advice('pg_class', 'CREATE INDEX ON pg_class (relname)', 1, 1, 1, '{}');
RESET ROLE;

SELECT remedy.forget_advice('shop.sale', 'CREATE INDEX i ON shop.sale (note)');
SELECT index_name, definition FROM outcome;
-- Too long to be remembered.
SELECT advise('CREATE INDEX ON shop.sale (placed) WHERE note <> ''' || repeat('x', 600) || '''');
SELECT count(*) FROM outcome;
DROP SCHEMA shop CASCADE;
SELECT count(*) FROM remedy.index_outcomes;
SELECT remedy.reset();
SELECT count(*) FROM remedy.read_advised();
DROP FUNCTION advise;
DROP VIEW outcome;
DROP ROLE regress_remedy_outsider;

-- Queries on a json column, as they are rewritten for it to be jsonb: each is made of the new
-- definition that the plan shows, and gives the same rows.
SET client_min_messages = warning;
CREATE SCHEMA app;
SET search_path = app;

CREATE TABLE agents (id integer PRIMARY KEY, name text, configuration json, other json, owner_id integer, tags json[]);
CREATE TABLE people (id integer PRIMARY KEY, label text, settings json, facts jsonb);
CREATE TABLE notes (owner_id integer, body text);
INSERT INTO people SELECT i, 'p' || i, json_build_object('theme', 't' || i), jsonb_build_object('theme', i)
	FROM generate_series(1, 4) i;
INSERT INTO notes SELECT i, 'note ' || i FROM generate_series(1, 4) i;
INSERT INTO agents SELECT i, 'agent ' || i, CASE WHEN i % 5 > 0 THEN jsonb_build_object(
		'llm_provider', CASE WHEN i % 2 = 0 THEN 'ollama' ELSE 'openai' END, 'n', i, 'list', jsonb_build_array(i, i + 1, 'x'),
		'deep', jsonb_build_object('a', jsonb_build_object('b', i)), 'note', NULL)::json END, '{"o": 1}', i % 4 + 1
	FROM generate_series(1, 20) i;

CREATE TYPE pair AS (n integer, llm_provider text);
CREATE TYPE labelled AS (document json, label text);
CREATE DOMAIN document AS json;
CREATE FUNCTION takes_json(json) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1->>'n' $$;
CREATE FUNCTION same_json(json) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE FUNCTION polymorphic(anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE FUNCTION json_same(json, json) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1::text = $2::text $$;
CREATE FUNCTION many(json) RETURNS SETOF json LANGUAGE sql AS $$ SELECT $1 UNION ALL SELECT $1 $$;
CREATE FUNCTION both_of(a json, b json DEFAULT '{}') RETURNS json LANGUAGE sql AS $$ SELECT $2 $$;
CREATE FUNCTION later(json, json) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce($2, $1) $$;
CREATE FUNCTION as_pair(json) RETURNS pair LANGUAGE sql IMMUTABLE AS
	$$ SELECT ROW(($1->>'n')::integer, $1->>'llm_provider')::app.pair $$;
CREATE AGGREGATE last_json(json) (SFUNC = later, STYPE = json);
CREATE OPERATOR === (LEFTARG = json, RIGHTARG = json, FUNCTION = json_same);
CREATE CAST (json AS pair) WITH FUNCTION as_pair(json);

CREATE TABLE forms (number integer GENERATED ALWAYS AS IDENTITY, form text, query text);
INSERT INTO forms (form, query) VALUES
	('column', $$SELECT id, configuration FROM agents$$),
	('text operator', $$SELECT id, configuration->>'llm_provider' AS provider FROM agents WHERE configuration->>'n' IS NOT NULL$$),
	('path operators', $$SELECT id, configuration->'deep' AS deep, configuration#>'{deep,a}' AS a, configuration#>>'{deep,a,b}' AS b, configuration->'list'->0 AS first FROM agents$$),
	('star', $$SELECT * FROM agents$$),
	('join', $$SELECT a.id, a.configuration AS c, p.settings FROM agents a JOIN people p ON p.id = a.owner_id$$),
	('aliased join', $$SELECT j.* FROM (agents a JOIN people p ON p.id = a.owner_id) AS j (aid, nm, conf, oth, oid_, tg, pid, lb, st, fc)$$),
	('subquery', $$SELECT id, doc FROM (SELECT id, configuration AS doc FROM agents) s WHERE doc->>'n' > '3'$$),
	('CTE', $$WITH c AS (SELECT id, configuration AS doc FROM agents) SELECT c.id, c.doc->'deep' AS deep FROM c WHERE EXISTS (SELECT 1 FROM c c2 WHERE c2.doc->>'n' = c.doc->>'n')$$),
	('recursive CTE', $$WITH RECURSIVE r(id, doc, depth) AS (SELECT id, configuration, 0 FROM agents UNION ALL SELECT id, doc->'deep', depth + 1 FROM r WHERE depth < 2) SELECT * FROM r$$),
	('UNION ALL with a constant', $$SELECT id, configuration FROM agents UNION ALL SELECT id, '{"x":1}' FROM people$$),
	('UNION ALL with json', $$SELECT id, configuration FROM agents UNION ALL SELECT id, settings FROM people$$),
	('json_each', $$SELECT a.id, e.key, e.value FROM agents a, json_each(a.configuration) e$$),
	('json_array_elements', $$SELECT a.id, e.value AS item, e.ordinality FROM agents a CROSS JOIN LATERAL json_array_elements(a.configuration->'list') WITH ORDINALITY e$$),
	('json_object_keys', $$SELECT a.id, k FROM agents a, json_object_keys(a.configuration) k$$),
	('json_to_record', $$SELECT a.id, x.* FROM agents a, json_to_record(a.configuration) AS x(n int, llm_provider text, deep json)$$),
	('json_populate_record', $$SELECT a.id, (json_populate_record(NULL::pair, a.configuration)).* FROM agents a$$),
	('COALESCE', $$SELECT id, coalesce(configuration, '{}') AS doc, coalesce(configuration, other) AS mixed, coalesce(configuration, json_build_object('a', id)) AS built FROM agents$$),
	('CASE', $$SELECT id, CASE WHEN id > 5 THEN configuration WHEN id > 3 THEN '[1,2]'::json ELSE NULL END AS doc, CASE WHEN id > 5 THEN configuration ELSE other END AS doc2 FROM agents$$),
	('casts to jsonb', $$SELECT id, configuration::jsonb AS b, configuration::jsonb @> '{"n":4}' AS four, configuration::text AS t, configuration::text::jsonb->'n' AS n FROM agents$$),
	('functions of users', $$SELECT id, takes_json(configuration) AS n, same_json(configuration) AS same, polymorphic(configuration) AS poly FROM agents$$),
	('aggregates', $$SELECT owner_id, json_agg(configuration ORDER BY id) AS all_of, array_agg(configuration) AS arr, json_object_agg(name, configuration) AS obj, count(configuration) AS n FROM agents GROUP BY owner_id$$),
	('array subscripts', $$SELECT owner_id, (array_agg(configuration ORDER BY id))[1] AS f, (array_agg(configuration ORDER BY id))[1:2] AS ff, array_length(array_agg(configuration), 1) AS l FROM agents GROUP BY owner_id$$),
	('window functions', $$SELECT id, first_value(configuration) OVER w AS f, lag(configuration, 1, '{}'::json) OVER w AS l FROM agents WINDOW w AS (PARTITION BY owner_id ORDER BY id)$$),
	('json functions', $$SELECT id, json_typeof(configuration) AS t, json_array_length(configuration->'list') AS l, json_extract_path(configuration, 'deep', 'a') AS x, json_extract_path_text(configuration, VARIADIC ARRAY['deep','a','b']) AS xt, json_strip_nulls(configuration) AS s FROM agents$$),
	('row of a subquery', $$SELECT id, row_to_json(s) AS r FROM (SELECT id, configuration FROM agents) s$$),
	('json builders', $$SELECT id, to_json(configuration) AS t, json_build_object('c', configuration) AS o, json_build_array(configuration, other) AS a, to_jsonb(configuration) AS tb FROM agents$$),
	('scalar and array subqueries', $$SELECT id, (SELECT configuration FROM agents b WHERE b.id = p.id) AS doc, ARRAY(SELECT configuration FROM agents b WHERE b.owner_id = p.id ORDER BY b.id) AS docs FROM people p$$),
	('EXISTS and IN', $$SELECT p.id FROM people p WHERE EXISTS (SELECT configuration FROM agents a WHERE a.configuration->>'llm_provider' = 'ollama' AND a.owner_id = p.id) OR p.label IN (SELECT configuration->>'x' FROM agents)$$),
	('operator of a user', $$SELECT id, configuration === other AS eq FROM agents$$),
	('domain', $$SELECT id, configuration::document AS d FROM agents$$),
	('concatenation', $$SELECT id, concat(configuration, '!') AS c, configuration || 'x' AS cc, format('%s', configuration) AS f, md5(configuration::text) AS m FROM agents$$),
	('VALUES', $$SELECT x.column1 AS n, x.column2 AS doc FROM agents a, LATERAL (VALUES (a.id, a.configuration), (0, '{}')) x$$),
	('VALUES with json', $$SELECT x.column1 AS n, x.column2 AS doc FROM agents a, LATERAL (VALUES (a.id, a.configuration), (0, a.other)) x$$),
	('GROUP BY and HAVING', $$SELECT configuration->>'llm_provider' AS provider, count(*) AS n FROM agents GROUP BY configuration->>'llm_provider' HAVING count(configuration->>'n') > 1 ORDER BY 1$$),
	('DISTINCT', $$SELECT DISTINCT configuration->>'llm_provider' AS provider FROM agents$$),
	('functional dependency', $$SELECT id, configuration FROM agents GROUP BY id ORDER BY configuration->>'n' LIMIT 10$$),
	('USING', $$SELECT owner_id, configuration AS c, body FROM agents JOIN notes USING (owner_id)$$),
	('FULL JOIN USING', $$SELECT owner_id, j.configuration->>'n' AS n FROM (agents FULL JOIN notes USING (owner_id)) j$$),
	('column aliases', $$SELECT x.ident, x.doc FROM agents AS x (ident, nm, doc)$$),
	('column aliases and USING', $$SELECT x.owner_id, x.doc FROM agents AS x (ident, nm, doc) JOIN notes USING (owner_id)$$),
	('arrays and rows', $$SELECT id, ARRAY[configuration, other] AS arr, ARRAY[configuration, NULL, '{}'] AS arr2, ROW(configuration, id)::text AS r FROM agents$$),
	('record in the select list', $$SELECT id, (json_each(configuration)).* FROM agents$$),
	('LATERAL', $$SELECT a.id, e.* FROM agents a LEFT JOIN LATERAL (SELECT j.value->>'x' AS x FROM json_array_elements(a.configuration->'list') j) e ON true$$),
	('TABLESAMPLE', $$SELECT a.id, b.configuration AS doc FROM agents a TABLESAMPLE SYSTEM (100) LEFT JOIN agents b ON b.id = a.id + 1 AND b.configuration->>'n' IS NOT NULL$$),
	('set operation in parentheses', $$(SELECT id, configuration FROM agents WHERE id < 3 ORDER BY id LIMIT 2) UNION ALL (SELECT id, NULL::json FROM people UNION ALL SELECT 1, '[]')$$),
	('set operation inside, with json', $$SELECT id, configuration FROM agents WHERE id < 3 UNION ALL (SELECT id, settings FROM people UNION ALL SELECT id, configuration FROM agents ORDER BY id LIMIT 100)$$),
	('XML', $$SELECT id, xmlelement(name doc, configuration) AS x, xmlforest(configuration AS c)::text AS f FROM agents$$),
	('ROWS FROM', $$SELECT r.* FROM agents a, ROWS FROM (json_array_elements_text(a.configuration->'list'), generate_series(1, 3)) AS r(t, g)$$),
	('json_populate_recordset', $$SELECT a.id, x.* FROM agents a, json_populate_recordset(NULL::pair, json_build_array(a.configuration)) x WHERE a.configuration IS NOT NULL$$),
	('to_tsvector', $$SELECT id, to_tsvector('simple', configuration) AS ts FROM agents$$),
	('FILTER', $$SELECT count(*) FILTER (WHERE configuration->>'llm_provider' = 'ollama') AS n, string_agg(configuration->>'n', ',' ORDER BY id) AS ns FROM agents$$),
	('values', $$SELECT id, (configuration->>'n')::int AS n, (configuration->'list')::text AS l, nullif(configuration->>'note', '') AS note, (configuration->>'n')::int BETWEEN 3 AND 9 AS some FROM agents$$),
	('recursion from a constant', $$WITH RECURSIVE r(id, doc, d) AS (SELECT 0, '{"z":1}'::json, 0 UNION ALL SELECT a.id, a.configuration, 1 FROM r JOIN agents a ON r.d = 0) SELECT * FROM r$$),
	('recursion into json', $$WITH RECURSIVE r(id, doc, d) AS (SELECT id, configuration, 0 FROM agents UNION ALL SELECT r.id, p.settings, d + 1 FROM r JOIN people p ON p.id = r.id AND d < 2) SELECT id, doc, d FROM r$$),
	('field of a composite', $$SELECT id, (s.doc).n FROM (SELECT id, json_populate_record(NULL::pair, configuration) AS doc FROM agents) s(id, doc)$$),
	('jsonb builders', $$SELECT jsonb_build_object('a', configuration) AS b, jsonb_agg(configuration) OVER (ORDER BY id) AS w FROM agents$$),
	('NATURAL JOIN', $$SELECT a.id, a.configuration, b.configuration AS other_one, c.configuration AS third FROM agents a NATURAL JOIN (SELECT id, name FROM agents) n JOIN agents b USING (id) LEFT JOIN agents c USING (id)$$),
	('NULL tests', $$SELECT id, configuration IS NULL AS n, configuration->'list'->>0 AS l, (configuration->'deep') IS NOT NULL AS d, unnest(ARRAY[configuration]) AS u FROM agents$$),
	('text comparisons', $$SELECT id FROM agents WHERE configuration::text IN ('{}', '[]') OR configuration::text = ANY (ARRAY['x']) OR configuration::text LIKE '%openai%'$$),
	('aliased USING', $$SELECT j.owner_id, j.configuration FROM (agents a JOIN notes USING (owner_id)) j$$),
	('named arguments', $$SELECT id, json_populate_record(NULL::pair, from_json => configuration) AS p, greatest(configuration->>'n', '3') AS g FROM agents$$),
	('COALESCE with jsonb', $$SELECT a.id, coalesce(a.configuration, p.facts::json) AS doc FROM agents a JOIN people p ON p.id = a.owner_id$$),
	('window frame', $$SELECT id, sum((configuration->>'n')::int) OVER (ORDER BY (configuration->>'n')::int ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM agents$$),
	('correlated subquery', $$SELECT o.id, (SELECT json_agg(i.configuration->'n' ORDER BY i.id) FROM agents i WHERE i.owner_id = o.owner_id AND i.configuration->>'llm_provider' = o.configuration->>'llm_provider') AS peers FROM agents o$$),
	('GROUPING SETS', $$SELECT owner_id, configuration->>'llm_provider' AS p, count(*) FROM agents GROUP BY GROUPING SETS ((owner_id), (configuration->>'llm_provider'), ())$$),
	('array of json', $$SELECT id, tags[1] AS t, tags || configuration AS more FROM agents$$),
	('UNION ALL in a subquery', $$SELECT x.id, x.configuration->>'n' AS n, x.configuration FROM (SELECT id, configuration FROM agents UNION ALL SELECT id, '{"n": "c"}' FROM people) x WHERE x.configuration->>'n' <> '5'$$),
	('unnest', $$SELECT a.id, u.x->>0 AS x FROM (SELECT owner_id AS id, array_agg(configuration->'list' ORDER BY id) AS arr FROM agents GROUP BY owner_id) a, unnest(a.arr) WITH ORDINALITY u(x, o)$$),
	('set of json', $$SELECT a.id, m.* AS doc FROM agents a, many(a.configuration) m$$),
	('aggregate of a user', $$SELECT owner_id, last_json(configuration ORDER BY id) AS l FROM agents GROUP BY owner_id$$),
	('cast of a user', $$SELECT id, configuration::pair AS p, (configuration::pair).n AS n FROM agents$$),
	('aliased join beside its name', $$SELECT j.owner_id, j.configuration, a.id FROM (agents a JOIN notes n USING (owner_id)) j, people a WHERE a.id = j.owner_id AND EXISTS (SELECT 1 FROM people z WHERE z.label = j.configuration->>'x' OR z.id = j.owner_id)$$),
	('alias of USING', $$SELECT u.owner_id, configuration FROM agents JOIN notes USING (owner_id) AS u$$),
	('defaults of arguments', $$SELECT id, both_of(configuration) AS b, both_of(b => configuration, a => other) AS c FROM agents$$),
	('record of a subquery', $$SELECT (x).id AS d FROM (SELECT s AS x FROM (SELECT id, configuration AS doc FROM agents) s) y$$),
	('nested alternatives', $$SELECT coalesce(CASE WHEN id > 3 THEN configuration END, (SELECT settings FROM people p WHERE p.id = a.owner_id)) AS d, coalesce((SELECT configuration FROM agents b WHERE b.id = a.id), 'null') AS e FROM agents a$$),
	('MATERIALIZED CTE', $$WITH a AS MATERIALIZED (SELECT id, configuration AS doc FROM agents), b AS (SELECT id, doc->'deep' AS deep FROM a WHERE id IN (SELECT id FROM a WHERE doc->>'n' > '1')) SELECT b.id, b.deep, (SELECT count(*) FROM b b2 WHERE b2.deep->>'a' = b.deep->>'a') AS n FROM b$$),
	('jsonb functions', $$SELECT id, jsonb_set(configuration::jsonb, '{x}', to_jsonb(id)) AS s, configuration::jsonb || '{"k":1}' AS c, (configuration::jsonb - 'n') ? 'deep' AS q, jsonb_path_query_array(configuration::jsonb, '$.list[*]') AS pq FROM agents$$),
	('DISTINCT ON', $$SELECT DISTINCT ON (configuration->>'llm_provider') id, configuration FROM agents ORDER BY configuration->>'llm_provider', id$$),
	('UNION of jsonb', $$SELECT DISTINCT configuration::jsonb AS b FROM agents UNION SELECT facts FROM people$$),
	('through text', $$SELECT id, (configuration->'deep')::text::json AS t, NULLIF(configuration::text, '')::json AS nt, configuration::varchar(5) AS v FROM agents$$),
	('recursion through a CTE', $$WITH RECURSIVE r AS (SELECT id, configuration AS doc, 1 AS d FROM agents UNION ALL (WITH q AS (SELECT * FROM r WHERE d < 3) SELECT q.id, coalesce(q.doc->'deep', '{}'), d + 1 FROM q)) SELECT r.id, r.doc->>'a' AS a FROM r$$),
	('set operation in LATERAL', $$SELECT a.id, b.k, b.v FROM agents a LEFT JOIN LATERAL (SELECT e.key AS k, e.value AS v FROM json_each(a.configuration) e UNION ALL SELECT 'x', '1') b ON true$$),
	('array functions', $$SELECT id, ARRAY[[configuration],[configuration->'deep']] AS arr2, array_append(ARRAY[configuration], '{}'::json) AS ap, ARRAY[configuration]::text[] AS tx, ARRAY[configuration]::jsonb[] AS jb, array_to_json(ARRAY[configuration]) AS aj FROM agents$$),
	('quantified subqueries', $$SELECT o.id FROM agents o WHERE (o.id, o.configuration->>'n') IN (SELECT i.id, i.configuration->>'n' FROM agents i) AND o.configuration->>'n' = ANY (SELECT i.configuration->>'n' FROM agents i) AND o.configuration->>'n' > ALL (SELECT '0'::text)$$),
	('quantified operator of a user', $$SELECT o.id FROM agents o WHERE o.configuration OPERATOR(app.===) ANY (SELECT i.configuration FROM agents i)$$),
	('composite of json', $$SELECT id, ROW(configuration, 'x')::labelled AS l FROM agents$$),
	('window of json', $$SELECT count(*) OVER w AS n, json_object_agg(id, configuration) OVER w AS o, max(configuration->>'n') OVER (w ROWS 1 PRECEDING) AS m FROM agents WINDOW w AS (PARTITION BY configuration->>'llm_provider' ORDER BY id)$$),
	('WITH TIES', $$SELECT agents_1.id, agents.configuration FROM agents, agents agents_1 WHERE agents.id = agents_1.id ORDER BY agents.configuration->>'n' DESC NULLS LAST OFFSET 1 ROW FETCH FIRST 5 ROWS WITH TIES$$),
	('VARIADIC', $$SELECT json_extract_path(configuration, VARIADIC tags_of) AS x FROM (SELECT configuration, ARRAY['deep','a'] AS tags_of FROM agents) s$$),
	('rows and filters', $$SELECT id, json_build_object('c', configuration)->'c'->>'n' AS n, row_to_json(ROW(configuration, id)) AS r, json_object_agg(name, configuration) FILTER (WHERE id > 2) AS f FROM agents GROUP BY id$$),
	('TABLE', $$TABLE agents$$);

-- A row as text, whatever jsonb prints otherwise.
CREATE FUNCTION rows_of(number integer) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	EXECUTE format('SELECT array_agg(r ORDER BY r COLLATE "C")
		FROM (SELECT regexp_replace(v::text, ''[ "\\]'', '''', ''g'') AS r FROM app.v%s v) s', number) INTO result;
	RETURN result;
END $$;
CREATE FUNCTION columns_of(number integer) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = ('app.v' || number)::regclass $$;

DO $$
DECLARE
	f forms;
BEGIN
	FOR f IN SELECT * FROM forms ORDER BY number LOOP
		EXECUTE format('CREATE VIEW app.v%s AS %s', f.number, f.query);
	END LOOP;
END $$;
CREATE TABLE before AS SELECT number, form, rows_of(number) AS rows, columns_of(number) AS columns FROM forms;
CREATE TABLE plan AS SELECT * FROM remedy.plan_json_migration('app.agents', 'configuration');
SELECT object, refusal FROM plan WHERE refusal IS NOT NULL;
SELECT count(*) AS views FROM plan WHERE object LIKE 'view %' AND new_definition IS NOT NULL;

-- What the plan says is done by hand.
DO $$
DECLARE
	command text;
BEGIN
	FOR command IN SELECT format('DROP VIEW app.v%s', number) FROM forms ORDER BY number LOOP
		EXECUTE command;
	END LOOP;
	ALTER TABLE app.agents ALTER COLUMN configuration TYPE jsonb;
	FOR command IN SELECT new_definition FROM plan WHERE object LIKE 'view %' ORDER BY step LOOP
		EXECUTE command;
	END LOOP;
END $$;
SELECT number, form, NULLIF(columns_of(number), columns) AS columns_now, rows_of(number) = rows AS same_rows,
	(SELECT remark FROM plan WHERE object = 'view app.v' || number) AS remark
FROM before ORDER BY number;

-- What cannot be rewritten, and what cannot be carried over, is refused before anything is done.
CREATE TABLE papers (id integer PRIMARY KEY, document json);
CREATE VIEW whole_row AS SELECT row_to_json(p) AS r, document->>'a' AS a FROM papers p;
CREATE VIEW only_whole_rows AS SELECT row_to_json(p) AS r FROM papers p;
CREATE VIEW whole_join AS SELECT j::text FROM (papers p CROSS JOIN notes n) j WHERE j.document IS NOT NULL;
CREATE VIEW row_type AS SELECT id, document, json_populate_record(NULL::papers, document) IS NULL AS n FROM papers;
CREATE VIEW inner_field AS SELECT (x).document AS d FROM (SELECT s AS x FROM (SELECT id, document FROM papers) s) y;
CREATE VIEW with_rule AS SELECT id, document FROM papers;
CREATE RULE "No way" AS ON INSERT TO with_rule DO INSTEAD NOTHING;
CREATE VIEW granted AS SELECT id, document FROM papers;
CREATE ROLE regress_rewriting;
GRANT USAGE ON SCHEMA app TO regress_rewriting;
GRANT SELECT ON granted TO regress_rewriting WITH GRANT OPTION;
SET ROLE regress_rewriting;
GRANT SELECT ON app.granted TO PUBLIC;
RESET ROLE;
CREATE VIEW as_row AS SELECT id, document FROM papers;
CREATE FUNCTION rows_as() RETURNS SETOF as_row LANGUAGE sql AS $$ SELECT * FROM app.as_row $$;
CREATE FUNCTION on_conflict(integer) RETURNS void LANGUAGE sql BEGIN ATOMIC
	INSERT INTO papers VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id;
END;
CREATE FUNCTION no_conflict(integer, json) RETURNS json LANGUAGE sql BEGIN ATOMIC
	INSERT INTO papers VALUES ($1, $2) ON CONFLICT (id) DO NOTHING RETURNING document;
END;
SELECT object, refusal FROM remedy.plan_json_migration('app.papers', 'document') WHERE refusal IS NOT NULL
ORDER BY object COLLATE "C";

SET search_path = public;
DROP SCHEMA app CASCADE;
DROP ROLE regress_rewriting;

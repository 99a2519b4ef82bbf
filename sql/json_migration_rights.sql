-- json_migration_rights: nobody gets another one's rights through a migration.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_remedy;
DROP SCHEMA IF EXISTS jr CASCADE;
CREATE ROLE regress_remedy_mallory LOGIN;
CREATE SCHEMA jr AUTHORIZATION regress_remedy_mallory;

-- Who migrates a table of his own has functions of his called, which may change what operators mean.
SET ROLE regress_remedy_mallory;
CREATE TABLE jr.own (id integer PRIMARY KEY, doc json);
INSERT INTO jr.own VALUES (1, '{"a": 1}'), (2, '{"a": 2}');
CREATE FUNCTION jr.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'regress_remedy_mallory' THEN
		RAISE EXCEPTION 'mallory runs this as somebody else';
	END IF;
	RETURN pg_catalog.int8eq($1, $2);
END $$;
CREATE OPERATOR jr.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = jr.equal);
CREATE SEQUENCE jr.calls;
CREATE FUNCTION jr.throttle() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.set_config('search_path', 'jr, pg_catalog', false);
	RETURN pg_catalog.nextval('jr.calls') OPERATOR(pg_catalog.=) 1;
END $$;
CALL remedy.migrate_json('jr.own', 'doc', throttle_query => 'SELECT jr.throttle()', vacuum => false);
RESET ROLE;
RESET search_path;
SELECT phase, last_error FROM remedy.json_migrations WHERE table_name = 'jr.own';

-- A superuser who migrates a table of hers calls no function of hers with his rights.
SET ROLE regress_remedy_mallory;
CREATE TABLE jr.checked (id integer PRIMARY KEY, doc json);
INSERT INTO jr.checked VALUES (1, '{"a": 1}');
CREATE FUNCTION jr.probe(json) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'regress_remedy_mallory' THEN
		RAISE EXCEPTION 'mallory runs this as somebody else';
	END IF;
	RETURN true;
END $$;
ALTER TABLE jr.checked ADD CONSTRAINT probed CHECK (jr.probe(doc));
CREATE MATERIALIZED VIEW jr.summary AS SELECT id, jr.probe(doc) FROM jr.checked;
CREATE FUNCTION jr.counted() RETURNS bigint LANGUAGE sql SECURITY DEFINER
	BEGIN ATOMIC SELECT count(c.doc) FROM jr.checked AS c; END;
CREATE FUNCTION jr.renamed() RETURNS bigint LANGUAGE sql SECURITY DEFINER
	BEGIN ATOMIC SELECT count(c.doc) FROM jr.checked AS c; END;
RESET ROLE;
SET client_min_messages = error;
CALL remedy.migrate_json('jr.checked', 'doc', vacuum => false);

-- Nor does what she drops or renames come back as his.
SET ROLE regress_remedy_mallory;
DROP FUNCTION jr.counted();
ALTER FUNCTION jr.renamed() RENAME TO hidden;
RESET ROLE;
CALL remedy.undo_json_migration('jr.checked', 'doc');
ALTER FUNCTION jr.hidden() RENAME TO renamed;
CALL remedy.undo_json_migration('jr.checked', 'doc');
SELECT proname, proowner::regrole FROM pg_proc WHERE pronamespace = 'jr'::regnamespace AND prosecdef ORDER BY 1;
SELECT pg_get_functiondef('jr.renamed'::regproc) LIKE '%count(c.doc)%' AS "as before";

-- Nor does somebody else's view or index take the place of hers.
CREATE ROLE regress_remedy_trent LOGIN;
GRANT USAGE, CREATE ON SCHEMA jr TO regress_remedy_trent;
SET ROLE regress_remedy_mallory;
CREATE TABLE jr.shown (id integer PRIMARY KEY, doc json);
CREATE VIEW jr.showing AS SELECT id, doc FROM jr.shown;
CREATE INDEX shown_by ON jr.shown ((doc ->> 'a'));
SELECT 'jr.showing'::regclass::oid AS view, 'jr.shown_by'::regclass::oid AS index \gset
SET ROLE regress_remedy_trent;
CREATE VIEW jr.remedy_json_:view AS SELECT 1 AS id, '{}'::jsonb AS doc;
CREATE TABLE jr.others (doc json);
CREATE INDEX remedy_json_:index ON jr.others ((doc ->> 'a'));
RESET ROLE;
\set VERBOSITY sqlstate
CALL remedy.migrate_json('jr.shown', 'doc', vacuum => false);
DROP VIEW jr.remedy_json_:view;
CALL remedy.migrate_json('jr.shown', 'doc', vacuum => false);
DROP TABLE jr.others;
CALL remedy.migrate_json('jr.shown', 'doc', vacuum => false);
\set VERBOSITY terse
SELECT pg_get_viewdef('jr.showing'::regclass) LIKE '%jr.shown%' AS "her own", i.indrelid::regclass, i.indisvalid
FROM pg_index AS i WHERE i.indexrelid = 'jr.shown_by'::regclass;

-- Nor does what is restored go to another table that has got the old name.
SET ROLE regress_remedy_mallory;
CREATE TABLE jr.named (id integer PRIMARY KEY, doc json DEFAULT '{"d": 1}');
CREATE POLICY objects ON jr.named USING (json_typeof(doc) = 'object');
CALL remedy.migrate_json('jr.named', 'doc', vacuum => false);
ALTER TABLE jr.named RENAME TO former;
RESET ROLE;
CREATE TABLE jr.named (id integer, doc json);
CREATE POLICY objects ON jr.named USING (true);
CALL remedy.undo_json_migration('jr.former', 'doc');
DROP TABLE jr.named;
ALTER TABLE jr.former RENAME TO named;
CALL remedy.undo_json_migration('jr.named', 'doc');
SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 'jr.named'::regclass;
CALL remedy.abort_json_migration('jr.named', 'doc');

CALL remedy.finish_json_migration('jr.shown', 'doc');
CALL remedy.abort_json_migration('jr.checked', 'doc');
CALL remedy.finish_json_migration('jr.own', 'doc');
DROP SCHEMA jr CASCADE;
DROP ROLE regress_remedy_mallory, regress_remedy_trent;

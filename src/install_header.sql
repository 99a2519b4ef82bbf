-- Complain if this script is read by psql rather than by CREATE EXTENSION.
\echo Use "CREATE EXTENSION pg_remedy" to load this file. \quit

-- A schema that was there before belongs to somebody who could drop it, and the
-- extension with it.
DO $$
BEGIN
	IF (SELECT n.nspowner OPERATOR(pg_catalog.<>) r.oid
	    FROM pg_catalog.pg_namespace AS n, pg_catalog.pg_roles AS r
	    WHERE n.nspname OPERATOR(pg_catalog.=) 'remedy' AND r.rolname OPERATOR(pg_catalog.=) CURRENT_USER)
	THEN
		RAISE EXCEPTION 'schema "remedy" exists and is owned by another role'
			USING ERRCODE = 'duplicate_schema', HINT = 'Drop or rename the schema, or make the installing role its owner.';
	END IF;
END
$$;

COMMENT ON SCHEMA remedy IS 'pg_remedy: what the application asks of the database, what ails it, and the remedy';
GRANT USAGE ON SCHEMA remedy TO PUBLIC;

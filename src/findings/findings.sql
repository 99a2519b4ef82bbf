
-- findings: one row shape for every ailment, and muting.

CREATE TYPE remedy.finding AS (
	kind text,
	severity text,
	object text,
	title text,
	saving_ms double precision,
	evidence text,
	advice text,
	fix_sql text,
	key text,
	first_seen timestamptz,
	last_seen timestamptz);
COMMENT ON TYPE remedy.finding IS 'one ailment with its evidence and its remedy';

CREATE TABLE remedy.muted_findings (
	key text PRIMARY KEY,
	reason text,
	muted_by name NOT NULL DEFAULT CURRENT_USER,
	muted_at timestamptz NOT NULL DEFAULT pg_catalog.now());
COMMENT ON TABLE remedy.muted_findings IS 'keys of the findings that nobody is told of any more; written by remedy.mute() and remedy.unmute(), and dumped';
COMMENT ON COLUMN remedy.muted_findings.key IS 'key of the finding, as in remedy.findings';
COMMENT ON COLUMN remedy.muted_findings.reason IS 'why, in the words of who muted it';
COMMENT ON COLUMN remedy.muted_findings.muted_by IS 'role that muted it';
COMMENT ON COLUMN remedy.muted_findings.muted_at IS 'when it was muted';
SELECT pg_catalog.pg_extension_config_dump('remedy.muted_findings', '');
GRANT SELECT ON remedy.muted_findings TO PUBLIC;

CREATE FUNCTION remedy.mute(key text, reason text DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
	INSERT INTO remedy.muted_findings (key, reason) VALUES (mute.key, mute.reason)
	ON CONFLICT ON CONSTRAINT muted_findings_pkey
	DO UPDATE SET reason = EXCLUDED.reason, muted_by = CURRENT_USER, muted_at = pg_catalog.now();
END;
COMMENT ON FUNCTION remedy.mute(text, text) IS
	'silences the findings of this key from now on, in this database: they are still recorded and shown as muted, but not logged, raised, notified or asserted; needs INSERT and UPDATE on remedy.muted_findings';
REVOKE ALL ON FUNCTION remedy.mute(text, text) FROM PUBLIC;

CREATE FUNCTION remedy.unmute(key text) RETURNS void
	LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
BEGIN ATOMIC
	DELETE FROM remedy.muted_findings AS m WHERE m.key OPERATOR(pg_catalog.=) unmute.key;
END;
COMMENT ON FUNCTION remedy.unmute(text) IS
	'takes remedy.mute() back; needs DELETE on remedy.muted_findings';
REVOKE ALL ON FUNCTION remedy.unmute(text) FROM PUBLIC;

-- Every room that finds something has one function of this extension that takes
-- nothing and returns SETOF remedy.finding; this one calls them all.
CREATE FUNCTION remedy.collect_findings() RETURNS SETOF remedy.finding
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source name;
BEGIN
	FOR source IN
		SELECT p.proname
		FROM pg_proc AS p
		JOIN pg_depend AS d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
		     AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'pg_remedy'
		WHERE p.prorettype = 'remedy.finding'::regtype AND p.proretset AND p.pronargs = 0
		      AND p.proname <> 'collect_findings'
		ORDER BY p.proname
	LOOP
		RETURN QUERY EXECUTE format('SELECT * FROM remedy.%I()', source);
	END LOOP;
END
$$;
COMMENT ON FUNCTION remedy.collect_findings() IS 'source of the view remedy.findings';

CREATE VIEW remedy.findings AS
	SELECT f.kind, f.severity, f.object, f.title, f.saving_ms, f.evidence, f.advice, f.fix_sql, f.key,
	       f.first_seen, f.last_seen, m.key IS NOT NULL AS muted
	FROM remedy.collect_findings() AS f
	LEFT JOIN remedy.muted_findings AS m ON m.key OPERATOR(pg_catalog.=) f.key
	ORDER BY f.saving_ms DESC NULLS LAST, f.kind, f.object, f.key;
COMMENT ON VIEW remedy.findings IS 'what ails the database and its applications, most worthwhile first';
COMMENT ON COLUMN remedy.findings.kind IS 'n_plus_one, plan_change, redundant_index, unused_index, invalid_index or unindexed_foreign_key';
COMMENT ON COLUMN remedy.findings.severity IS 'warning: almost certainly true; notice: worth a look';
COMMENT ON COLUMN remedy.findings.object IS 'table or other object concerned';
COMMENT ON COLUMN remedy.findings.title IS 'the ailment in one line';
COMMENT ON COLUMN remedy.findings.saving_ms IS 'what the remedy would have saved since first_seen, in milliseconds; null if unknown';
COMMENT ON COLUMN remedy.findings.evidence IS 'what was observed';
COMMENT ON COLUMN remedy.findings.advice IS 'what to do';
COMMENT ON COLUMN remedy.findings.fix_sql IS 'one complete statement that is the remedy; null where SQL cannot do it';
COMMENT ON COLUMN remedy.findings.key IS 'stable name of the finding, for remedy.mute()';
COMMENT ON COLUMN remedy.findings.first_seen IS 'when it was first observed';
COMMENT ON COLUMN remedy.findings.last_seen IS 'when it was last observed';
COMMENT ON COLUMN remedy.findings.muted IS 'whether remedy.mute() was called for its key in this database';
GRANT SELECT ON remedy.findings TO PUBLIC;

CREATE FUNCTION remedy.read_findings_status(
	OUT findings_used integer, OUT findings_max integer, OUT findings_missed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_findings_status' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION remedy.read_findings_status() IS 'source of the view remedy.status';

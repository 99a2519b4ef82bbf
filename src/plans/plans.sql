
-- plans: plans of slow statements.

CREATE FUNCTION remedy.read_plans(
	OUT database text, OUT user_name text, OUT query_id bigint, OUT plan_id bigint, OUT calls bigint,
	OUT total_ms double precision, OUT mean_ms double precision, OUT min_ms double precision,
	OUT max_ms double precision, OUT first_seen timestamptz, OUT last_seen timestamptz, OUT plan text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_plans' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 50;
COMMENT ON FUNCTION remedy.read_plans() IS 'source of the view remedy.plans';

CREATE VIEW remedy.plans AS
	SELECT query_id, plan_id, database, user_name, calls, total_ms, mean_ms, min_ms, max_ms, first_seen, last_seen, plan
	FROM remedy.read_plans()
	ORDER BY last_seen DESC, query_id, plan_id;
COMMENT ON VIEW remedy.plans IS
	'plans of slow statements (pg_remedy.slow_ms), the latest first; of all databases, since the server''s first start or the last reset; without preloading, of this session. A statement is looked at once a minute at most, and keeps four plans';
COMMENT ON COLUMN remedy.plans.query_id IS 'fingerprint of the statement, the core''s query identifier';
COMMENT ON COLUMN remedy.plans.plan_id IS 'hash of the plan''s shape: equal for plans that differ in values alone';
COMMENT ON COLUMN remedy.plans.database IS 'database it ran in';
COMMENT ON COLUMN remedy.plans.user_name IS 'role that ran it';
COMMENT ON COLUMN remedy.plans.calls IS 'slow runs with this plan that were looked at; there may have been more';
COMMENT ON COLUMN remedy.plans.total_ms IS 'execution time of these runs, in milliseconds';
COMMENT ON COLUMN remedy.plans.mean_ms IS 'mean execution time of these runs, in milliseconds';
COMMENT ON COLUMN remedy.plans.min_ms IS 'shortest of these runs, in milliseconds';
COMMENT ON COLUMN remedy.plans.max_ms IS 'longest of these runs, in milliseconds';
COMMENT ON COLUMN remedy.plans.first_seen IS 'first of these runs';
COMMENT ON COLUMN remedy.plans.last_seen IS 'last of these runs';
COMMENT ON COLUMN remedy.plans.plan IS 'the plan as EXPLAIN (COSTS off) prints it, of the last of these runs, at most 4 kB; every value is ? unless pg_remedy.keep_values is on; shown to its user and to pg_read_all_stats; null if this database''s encoding lacks one of its characters';
GRANT SELECT ON remedy.plans TO PUBLIC;

CREATE FUNCTION remedy.read_plan_changes(
	OUT severity text, OUT database text, OUT user_name text, OUT query_id bigint, OUT tables text,
	OUT can_analyze boolean, OUT old_plan_id bigint, OUT old_calls bigint, OUT old_mean_ms double precision,
	OUT new_plan_id bigint, OUT new_calls bigint, OUT new_mean_ms double precision, OUT old_last_seen timestamptz,
	OUT first_seen timestamptz, OUT last_seen timestamptz, OUT lost_ms double precision, OUT key text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_plan_changes' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 5;
COMMENT ON FUNCTION remedy.read_plan_changes() IS 'source of remedy.plan_change_findings()';

CREATE FUNCTION remedy.plan_change_findings() RETURNS SETOF remedy.finding
	LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 5
BEGIN ATOMIC
	SELECT 'plan_change'::pg_catalog.text,
	       c.severity,
	       c.tables,
	       pg_catalog.format('statement %s takes %s times as long since its plan changed', c.query_id,
	                         pg_catalog.round((c.new_mean_ms / c.old_mean_ms)::pg_catalog.numeric, 1)),
	       c.lost_ms,
	       pg_catalog.format('plan %s: %s slow runs looked at since %s, %s ms each; plan %s before: %s until %s, %s ms each; database %s, user %s',
	                         c.new_plan_id, c.new_calls, c.first_seen, pg_catalog.round(c.new_mean_ms::pg_catalog.numeric, 1),
	                         c.old_plan_id, c.old_calls, c.old_last_seen, pg_catalog.round(c.old_mean_ms::pg_catalog.numeric, 1),
	                         c.database, c.user_name),
	       pg_catalog.format('Compare the two plans: SELECT * FROM remedy.plans WHERE query_id = %s. %s', c.query_id,
	                         CASE WHEN c.tables IS NULL THEN 'Look for a function or setting that changed.'::pg_catalog.text
	                              ELSE pg_catalog.format('If the newer one lacks an index or a setting, give it back; otherwise the statistics of %s may be out of date: ANALYZE.', c.tables)
	                         END),
	       CASE WHEN c.can_analyze THEN pg_catalog.format('ANALYZE %s', c.tables) END,
	       c.key,
	       c.first_seen,
	       c.last_seen
	FROM remedy.read_plan_changes() AS c;
END;
COMMENT ON FUNCTION remedy.plan_change_findings() IS 'statements whose plan changed for the worse, as rows of remedy.findings';

CREATE FUNCTION remedy.read_plans_status(
	OUT plans_used integer, OUT plans_max integer, OUT plans_evicted bigint, OUT plans_missed bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_plans_status' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION remedy.read_plans_status() IS 'source of the view remedy.status';

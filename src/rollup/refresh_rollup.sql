
-- rollup: bringing the cells in step.

-- A procedure that commits: no SET clause, no SECURITY DEFINER.
CREATE PROCEDURE remedy.refresh_rollup(name text, marks_per_transaction integer DEFAULT 1000000)
	AS 'MODULE_PATHNAME', 'remedy_refresh_rollup' LANGUAGE C;
COMMENT ON PROCEDURE remedy.refresh_rollup(text, integer) IS
	'brings the cells of a rollup in step with its source, by what has changed since the last refresh; of a level, those of the rollup that it is derived from. marks_per_transaction: it commits each time that it has taken about so many marks; an interrupted CALL loses one transaction''s work, and the next goes on';

CREATE FUNCTION remedy.rebuild_rollup(name text) RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_rebuild_rollup' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.rebuild_rollup(text) IS
	'computes all cells of a rollup from its source, in the running transaction, after putting its triggers right: for what no trigger has told of, as logical replication and session_replication_role = replica, or a change of the server''s time zone data';

-- The buckets of a whole table are asked for in the order of its rows, which most often is that of time.
CREATE FUNCTION remedy.bucket_of("time" anyelement, unit text, time_zone text) RETURNS anyelement
	AS 'MODULE_PATHNAME', 'remedy_bucket_of' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.bucket_of(anyelement, text, text) IS
	'date_trunc() with the types of rollups, faster for many times of few buckets. time_zone is for timestamptz only';

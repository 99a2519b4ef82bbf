
-- schedule: commands in a background worker, and the worker that saves and notifies.

-- No SET clause, no SECURITY DEFINER: either forbids it to commit.
CREATE PROCEDURE remedy.run_in_background(command text)
	AS 'MODULE_PATHNAME', 'remedy_run_in_background' LANGUAGE C;
COMMENT ON PROCEDURE remedy.run_in_background(text) IS
	'runs one SQL command at top level in a background worker, as the calling role in this database with search_path = pg_catalog, pg_temp, and waits for it; its rows are dropped, its error is raised. Commits first, so it cannot be called in a transaction block';
REVOKE ALL ON PROCEDURE remedy.run_in_background(text) FROM PUBLIC;

CREATE FUNCTION remedy.read_scheduler(
	OUT worker_pid integer, OUT started_at timestamptz, OUT saves bigint, OUT last_save timestamptz,
	OUT notifications bigint, OUT last_notification timestamptz, OUT last_error_at timestamptz, OUT last_error text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_scheduler' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION remedy.read_scheduler() IS 'source of the view remedy.scheduler';

CREATE VIEW remedy.scheduler AS
	SELECT worker_pid, started_at, saves, last_save, notifications, last_notification, last_error_at, last_error
	FROM remedy.read_scheduler();
COMMENT ON VIEW remedy.scheduler IS
	'the background worker that saves statistics and notifies of findings, since the server''s start; one row';
COMMENT ON COLUMN remedy.scheduler.worker_pid IS 'process of the worker; null if it does not run, as always without preloading';
COMMENT ON COLUMN remedy.scheduler.started_at IS 'when the worker was started last';
COMMENT ON COLUMN remedy.scheduler.saves IS 'how often the statistics were saved';
COMMENT ON COLUMN remedy.scheduler.last_save IS 'when they were saved last';
COMMENT ON COLUMN remedy.scheduler.notifications IS 'findings notified of on the channel pg_remedy';
COMMENT ON COLUMN remedy.scheduler.last_notification IS 'when the last of them was sent';
COMMENT ON COLUMN remedy.scheduler.last_error_at IS 'when a duty of the worker failed last';
COMMENT ON COLUMN remedy.scheduler.last_error IS 'why; shown to pg_read_all_stats';
GRANT SELECT ON remedy.scheduler TO PUBLIC;


-- status: of all rooms, so the last of the script.

CREATE VIEW remedy.status AS
	SELECT s.mode, s.version, s.server_version, s.enabled, s.query_ids, s.slots_used, s.slots,
	       s.statements_used, s.statements_max, s.statements_evicted, s.texts_used, s.texts_missed,
	       s.texts_unsaved, s.times_missed, s.sizes_missed, f.findings_used, f.findings_max,
	       f.findings_missed, p.plans_used, p.plans_max, p.plans_evicted, p.plans_missed, c.scans_used,
	       c.scans_max, c.scans_missed, s.reset_at, s.saved_at, s.records_loaded, s.records_refused,
	       s.memory_bytes
	FROM remedy.read_status() AS s, remedy.read_findings_status() AS f, remedy.read_plans_status() AS p,
	     remedy.read_scans_status() AS c;
COMMENT ON VIEW remedy.status IS 'how pg_remedy is loaded, what it uses and what it had to leave out; one row';
COMMENT ON COLUMN remedy.status.mode IS 'preloaded: by shared_preload_libraries, everything works; session: what is shown is this session''s';
COMMENT ON COLUMN remedy.status.version IS 'version of the loaded library';
COMMENT ON COLUMN remedy.status.server_version IS 'version of the server that the library was built for';
COMMENT ON COLUMN remedy.status.enabled IS 'pg_remedy.enabled in this session';
COMMENT ON COLUMN remedy.status.query_ids IS 'whether statements get a fingerprint (compute_query_id); without, they are counted but not grouped';
COMMENT ON COLUMN remedy.status.slots_used IS 'backends that count now';
COMMENT ON COLUMN remedy.status.slots IS 'backends for which there is room';
COMMENT ON COLUMN remedy.status.statements_used IS 'statements that have statistics of their own in the shared store';
COMMENT ON COLUMN remedy.status.statements_max IS 'statements for which there is room (pg_remedy.max_statements)';
COMMENT ON COLUMN remedy.status.statements_evicted IS 'statements that gave way to others; their counts are in the row of remedy.statements without a database';
COMMENT ON COLUMN remedy.status.texts_used IS 'query texts kept';
COMMENT ON COLUMN remedy.status.texts_missed IS 'query texts that found no room';
COMMENT ON COLUMN remedy.status.texts_unsaved IS 'query texts that the last saving left out, because nothing of them could be told from a constant; their statements are saved without';
COMMENT ON COLUMN remedy.status.times_missed IS 'calls missing from p50_ms, p95_ms and p99_ms because the store was busy; the totals have them';
COMMENT ON COLUMN remedy.status.sizes_missed IS 'transactions missing from statements_p50 and statements_p95 because the store was busy; the totals have them';
COMMENT ON COLUMN remedy.status.findings_used IS 'findings kept';
COMMENT ON COLUMN remedy.status.findings_max IS 'findings for which there is room (pg_remedy.max_findings)';
COMMENT ON COLUMN remedy.status.findings_missed IS 'findings that found no room, counted once a unit of work';
COMMENT ON COLUMN remedy.status.plans_used IS 'plans of slow statements kept';
COMMENT ON COLUMN remedy.status.plans_max IS 'plans for which there is room (pg_remedy.max_plans)';
COMMENT ON COLUMN remedy.status.plans_evicted IS 'plans that were forgotten for others';
COMMENT ON COLUMN remedy.status.plans_missed IS 'slow runs whose plan could not be looked at';
COMMENT ON COLUMN remedy.status.scans_used IS 'entries of remedy.scans in the shared table; a session brings its own there when it has many and when it ends';
COMMENT ON COLUMN remedy.status.scans_max IS 'scans for which there is room (pg_remedy.max_scans)';
COMMENT ON COLUMN remedy.status.scans_missed IS 'how often a scan was counted in the row of remedy.scans without a database for want of room';
COMMENT ON COLUMN remedy.status.reset_at IS 'when all statistics were last reset, or first gathered, before restarts too';
COMMENT ON COLUMN remedy.status.saved_at IS 'when the statistics were last saved, before a restart too; null if there is no saved file';
COMMENT ON COLUMN remedy.status.records_loaded IS 'records taken back from the saved file when the server started, after a crash too';
COMMENT ON COLUMN remedy.status.records_refused IS 'records of the saved file that made no sense or found no room; those of a room with another layout too';
COMMENT ON COLUMN remedy.status.memory_bytes IS 'shared memory, or this session''s memory without preloading, in bytes';
GRANT SELECT ON remedy.status TO PUBLIC;

-- jsonb_migration: json columns become jsonb while the application runs.
--
-- What is known of a migration is written by the library alone, as the owner of these
-- tables, in the transactions of the work itself: so it is right after any crash.  They are
-- not dumped: an unfinished migration belongs to the tables of this database.

CREATE TABLE remedy.json_migration (
	migration bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	table_oid oid NOT NULL,
	column_number smallint NOT NULL,
	table_name text NOT NULL,
	column_name name NOT NULL,
	phase text NOT NULL,
	started_by oid NOT NULL,
	started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	phase_began timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	rows_total bigint NOT NULL,
	rows_done bigint NOT NULL DEFAULT 0,
	rows_left bigint NOT NULL DEFAULT 0,
	rows_refused bigint NOT NULL DEFAULT 0,
	rows_per_second double precision,
	guarded boolean NOT NULL DEFAULT false,
	filled xid8,
	resting text,
	last_error text,
	last_error_at timestamptz,
	prepare_ms double precision,
	guard_ms double precision,
	swap_ms double precision);
COMMENT ON TABLE remedy.json_migration IS 'migrations of json columns to jsonb, past ones too; source of remedy.json_migrations';
COMMENT ON SEQUENCE remedy.json_migration_migration_seq IS 'numbers of migrations';
COMMENT ON COLUMN remedy.json_migration.migration IS 'number of the migration';
COMMENT ON COLUMN remedy.json_migration.table_oid IS 'the table, or the root of its tree';
COMMENT ON COLUMN remedy.json_migration.column_number IS 'number of the json column in it';
COMMENT ON COLUMN remedy.json_migration.table_name IS 'name of the table when the migration began';
COMMENT ON COLUMN remedy.json_migration.column_name IS 'name of the column';
COMMENT ON COLUMN remedy.json_migration.phase IS 'fill, guard, build, validate, index, verify, ready, swapped, finished, aborted or gone';
COMMENT ON COLUMN remedy.json_migration.started_by IS 'role that began it';
COMMENT ON COLUMN remedy.json_migration.started_at IS 'when it began';
COMMENT ON COLUMN remedy.json_migration.phase_began IS 'when the phase began';
COMMENT ON COLUMN remedy.json_migration.rows_total IS 'rows of the phase: the planner''s estimate, or what they will be if all blocks are like those that are done';
COMMENT ON COLUMN remedy.json_migration.rows_done IS 'rows that are filled, or in the phase verify compared';
COMMENT ON COLUMN remedy.json_migration.rows_left IS 'rows to come back to: they were locked, or jsonb refuses them';
COMMENT ON COLUMN remedy.json_migration.rows_refused IS 'rows that jsonb, a check or an index refuses';
COMMENT ON COLUMN remedy.json_migration.rows_per_second IS 'speed of the running phase, in the latest call';
COMMENT ON COLUMN remedy.json_migration.guarded IS 'whether the checks are there that keep other documents than jsonb takes out of the table';
COMMENT ON COLUMN remedy.json_migration.filled IS 'transaction after which every row has both documents';
COMMENT ON COLUMN remedy.json_migration.resting IS 'why the migration rests; null if it does not';
COMMENT ON COLUMN remedy.json_migration.last_error IS 'why the latest call failed';
COMMENT ON COLUMN remedy.json_migration.last_error_at IS 'when it failed';
COMMENT ON COLUMN remedy.json_migration.prepare_ms IS 'how long ACCESS EXCLUSIVE was held to add the new column, in milliseconds';
COMMENT ON COLUMN remedy.json_migration.guard_ms IS 'how long it was held to add the checks, in milliseconds';
COMMENT ON COLUMN remedy.json_migration.swap_ms IS 'how long it was held to swap the columns, in milliseconds';

-- Of what is under way, one for each column.
CREATE UNIQUE INDEX json_migration_under_way ON remedy.json_migration (table_oid, column_number)
	WHERE phase NOT IN ('finished', 'aborted', 'gone');

CREATE TABLE remedy.json_migration_object (
	migration bigint NOT NULL,
	number integer NOT NULL,
	kind text NOT NULL,
	object oid NOT NULL,
	relation oid NOT NULL,
	relation_name text,
	schema text,
	name text,
	identity text,
	definition text,
	new_definition text,
	lock text,
	PRIMARY KEY (migration, number));
COMMENT ON TABLE remedy.json_migration_object IS 'what hangs on the columns of migrations that are under way';
COMMENT ON COLUMN remedy.json_migration_object.migration IS 'number of the migration';
COMMENT ON COLUMN remedy.json_migration_object.number IS 'place in the order: each after what it hangs on';
COMMENT ON COLUMN remedy.json_migration_object.kind IS 'its kind: index, view, policy and others';
COMMENT ON COLUMN remedy.json_migration_object.object IS 'the object in its kind''s catalog';
COMMENT ON COLUMN remedy.json_migration_object.relation IS 'table or view that it belongs to, or is; 0 if none';
COMMENT ON COLUMN remedy.json_migration_object.relation_name IS 'its name when the definitions were written, which call it so; null if none';
COMMENT ON COLUMN remedy.json_migration_object.schema IS 'schema of an object that gets a twin';
COMMENT ON COLUMN remedy.json_migration_object.name IS 'its name';
COMMENT ON COLUMN remedy.json_migration_object.identity IS 'its name for people';
COMMENT ON COLUMN remedy.json_migration_object.definition IS 'SQL that makes it as it was';
COMMENT ON COLUMN remedy.json_migration_object.new_definition IS 'SQL that makes it as it becomes';
COMMENT ON COLUMN remedy.json_migration_object.lock IS 'what is locked for it in the swap besides the table';

CREATE TABLE remedy.json_migration_range (
	migration bigint NOT NULL,
	leaf oid NOT NULL,
	number integer NOT NULL,
	next_block bigint NOT NULL,
	end_block bigint NOT NULL,
	refused bigint NOT NULL DEFAULT 0,
	refusal text,
	in_step_by oid,
	PRIMARY KEY (migration, leaf, number));
COMMENT ON TABLE remedy.json_migration_range IS 'blocks that migrations under way have still to fill or to verify';
COMMENT ON COLUMN remedy.json_migration_range.migration IS 'number of the migration';
COMMENT ON COLUMN remedy.json_migration_range.leaf IS 'table that has the blocks';
COMMENT ON COLUMN remedy.json_migration_range.number IS '0: the table; others: stretches to come back to';
COMMENT ON COLUMN remedy.json_migration_range.next_block IS 'first block that is still to be done';
COMMENT ON COLUMN remedy.json_migration_range.end_block IS 'one after the last';
COMMENT ON COLUMN remedy.json_migration_range.refused IS 'rows of a stretch to come back to that jsonb, a check or an index refuses';
COMMENT ON COLUMN remedy.json_migration_range.refusal IS 'the first of them, and why';
COMMENT ON COLUMN remedy.json_migration_range.in_step_by IS 'trigger that keeps the table in step; another one if it was elsewhere meanwhile';

-- Of its own, so that who pauses in a long transaction does not make the migration wait for
-- a lock while it holds some.
CREATE TABLE remedy.json_migration_pause (
	migration bigint PRIMARY KEY,
	paused_by oid NOT NULL,
	paused_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp());
COMMENT ON TABLE remedy.json_migration_pause IS 'migrations that are paused';
COMMENT ON COLUMN remedy.json_migration_pause.migration IS 'number of the migration';
COMMENT ON COLUMN remedy.json_migration_pause.paused_by IS 'role that paused it';
COMMENT ON COLUMN remedy.json_migration_pause.paused_at IS 'when';

CREATE VIEW remedy.json_migrations WITH (security_barrier) AS
	SELECT CASE WHEN c.oid IS NULL THEN m.table_name ELSE c.oid::pg_catalog.regclass::text END AS table_name,
	       m.column_name,
	       CASE WHEN c.oid IS NULL AND m.phase NOT IN ('finished', 'aborted') THEN 'gone' ELSE m.phase END AS phase,
	       m.rows_done AS done, m.rows_total AS total, m.rows_per_second,
	       CASE WHEN m.phase IN ('fill', 'verify') AND m.rows_per_second OPERATOR(pg_catalog.>) 0 THEN
	           pg_catalog.make_interval(secs => pg_catalog.ceil(
	               greatest(m.rows_total OPERATOR(pg_catalog.-) m.rows_done, 0) OPERATOR(pg_catalog./) m.rows_per_second))
	       END AS remaining,
	       m.rows_left, m.rows_refused, p.migration IS NOT NULL AS paused, m.resting,
	       l.pid AS runner_pid, m.started_by::pg_catalog.regrole::name AS started_by, m.started_at, m.phase_began,
	       m.prepare_ms, m.guard_ms, m.swap_ms, m.migration, m.last_error_at, m.last_error
	FROM remedy.json_migration AS m
	LEFT JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) m.table_oid
	LEFT JOIN remedy.json_migration_pause AS p ON p.migration OPERATOR(pg_catalog.=) m.migration
	LEFT JOIN pg_catalog.pg_locks AS l
	     ON l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.objsubid OPERATOR(pg_catalog.=) 2
	     AND l.classid OPERATOR(pg_catalog.=) 1246907757 AND l.granted
	     AND l.objid OPERATOR(pg_catalog.=) m.migration::oid
	     AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d
	                                            WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
	WHERE pg_catalog.pg_has_role(coalesce(c.relowner, m.started_by), 'USAGE')
	      OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE');
COMMENT ON VIEW remedy.json_migrations IS
	'migrations of json columns to jsonb, as far as they are; of tables of the caller''s, or all for members of pg_read_all_stats';
COMMENT ON COLUMN remedy.json_migrations.table_name IS 'the table, or the root of its tree';
COMMENT ON COLUMN remedy.json_migrations.column_name IS 'name of the column';
COMMENT ON COLUMN remedy.json_migrations.phase IS
	'fill: documents are converted; guard: checks are added; build: twins of what hangs on the column are made; validate: checks are proved; index: indexes are built; verify: all rows are compared; ready: the columns can be swapped; swapped: they are, and can be swapped back; finished; aborted; gone: the table was dropped';
COMMENT ON COLUMN remedy.json_migrations.done IS 'rows that are filled, or in the phase verify compared';
COMMENT ON COLUMN remedy.json_migrations.total IS 'rows of the phase: the planner''s estimate, or what they will be if all blocks are like those that are done';
COMMENT ON COLUMN remedy.json_migrations.rows_per_second IS 'speed of the phases fill and verify in the latest call, with its rests';
COMMENT ON COLUMN remedy.json_migrations.remaining IS 'how long the phase fill or verify will take at this speed';
COMMENT ON COLUMN remedy.json_migrations.rows_left IS 'rows to come back to: they were locked, or jsonb refuses them';
COMMENT ON COLUMN remedy.json_migrations.rows_refused IS 'rows that jsonb, a check or an index refuses: the columns are not swapped before they are mended';
COMMENT ON COLUMN remedy.json_migrations.paused IS 'whether remedy.pause_json_migration() was called for it';
COMMENT ON COLUMN remedy.json_migrations.resting IS 'why the migration rests; null if it does not';
COMMENT ON COLUMN remedy.json_migrations.runner_pid IS 'process that runs it; null if none does: the same CALL goes on';
COMMENT ON COLUMN remedy.json_migrations.started_by IS 'role that began it';
COMMENT ON COLUMN remedy.json_migrations.started_at IS 'when it began';
COMMENT ON COLUMN remedy.json_migrations.phase_began IS 'when the phase began';
COMMENT ON COLUMN remedy.json_migrations.prepare_ms IS 'how long ACCESS EXCLUSIVE was held to add the new column, in milliseconds';
COMMENT ON COLUMN remedy.json_migrations.guard_ms IS 'how long it was held to add the checks, in milliseconds';
COMMENT ON COLUMN remedy.json_migrations.swap_ms IS 'how long it was held to swap the columns, in milliseconds';
COMMENT ON COLUMN remedy.json_migrations.migration IS 'number of the migration';
COMMENT ON COLUMN remedy.json_migrations.last_error_at IS 'when the latest call that failed did so';
COMMENT ON COLUMN remedy.json_migrations.last_error IS 'why it failed';
GRANT SELECT ON remedy.json_migrations TO PUBLIC;

-- Procedures that commit: no SET clause, no SECURITY DEFINER.
CREATE PROCEDURE remedy.migrate_json(
	table_name regclass,
	column_name name,
	swap text DEFAULT 'now',
	swap_from timestamptz DEFAULT NULL,
	swap_until timestamptz DEFAULT NULL,
	batch_ms double precision DEFAULT 75,
	rest_share double precision DEFAULT 0.1,
	lock_timeout_ms integer DEFAULT 100,
	lock_tries integer DEFAULT 1000,
	max_lag_bytes bigint DEFAULT 268435456,
	max_checkpoint_share double precision DEFAULT 0.9,
	max_archive_segments integer DEFAULT 64,
	max_active_sessions integer DEFAULT NULL,
	throttle_query text DEFAULT NULL,
	subscribers_ready boolean DEFAULT false,
	vacuum boolean DEFAULT true)
	AS 'MODULE_PATHNAME', 'remedy_migrate_json' LANGUAGE C;
COMMENT ON PROCEDURE remedy.migrate_json(regclass, name, text, timestamptz, timestamptz, double precision, double precision, integer, integer, bigint, double precision, integer, integer, text, boolean, boolean) IS
	'makes a json column of a table, with all its partitions or children, jsonb while the application runs; after an interruption the same CALL goes on. swap: now, or wait to stop before the columns are swapped; swap_from, swap_until: when they may be; batch_ms: aim of a transaction, in milliseconds; rest_share: part of the time that it rests, 0 to 0.99; lock_timeout_ms: how long a lock is waited for at a time, in milliseconds; lock_tries: how often; it rests while a standby is more than max_lag_bytes behind, more than max_checkpoint_share of max_wal_size was written since the last checkpoint, more than max_archive_segments wait to be archived, more than max_active_sessions run a statement, or throttle_query gives true (null: not looked at); subscribers_ready: those of logical replication have the new column; vacuum: space is reclaimed meanwhile';

CREATE FUNCTION remedy.pause_json_migration(table_name regclass, column_name name) RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_pause_json_migration' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION remedy.pause_json_migration(regclass, name) IS
	'has the migration rest after its running batch, until remedy.resume_json_migration()';

CREATE FUNCTION remedy.resume_json_migration(table_name regclass, column_name name) RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_resume_json_migration' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION remedy.resume_json_migration(regclass, name) IS 'takes remedy.pause_json_migration() back';

CREATE PROCEDURE remedy.undo_json_migration(
	table_name regclass, column_name name, lock_timeout_ms integer DEFAULT 100, lock_tries integer DEFAULT 1000)
	AS 'MODULE_PATHNAME', 'remedy_undo_json_migration' LANGUAGE C;
COMMENT ON PROCEDURE remedy.undo_json_migration(regclass, name, integer, integer) IS
	'swaps the columns back, with what was written since; the migration is then ready as before the swap. lock_timeout_ms: how long a lock is waited for at a time, in milliseconds; lock_tries: how often';

CREATE PROCEDURE remedy.finish_json_migration(
	table_name regclass, column_name name, lock_timeout_ms integer DEFAULT 100, lock_tries integer DEFAULT 1000)
	AS 'MODULE_PATHNAME', 'remedy_finish_json_migration' LANGUAGE C;
COMMENT ON PROCEDURE remedy.finish_json_migration(regclass, name, integer, integer) IS
	'after the swap: drops the json column and what hung on it; there is no way back then. lock_timeout_ms: how long a lock is waited for at a time, in milliseconds; lock_tries: how often';

CREATE PROCEDURE remedy.abort_json_migration(
	table_name regclass, column_name name, lock_timeout_ms integer DEFAULT 100, lock_tries integer DEFAULT 1000)
	AS 'MODULE_PATHNAME', 'remedy_abort_json_migration' LANGUAGE C;
COMMENT ON PROCEDURE remedy.abort_json_migration(regclass, name, integer, integer) IS
	'before the swap: removes all that the migration has made; the json column was not touched. lock_timeout_ms: how long a lock is waited for at a time, in milliseconds; lock_tries: how often';

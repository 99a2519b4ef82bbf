-- plan_json_migration: every step and every dependent, before anything is done.

CREATE FUNCTION remedy.plan_json_migration(
	table_name regclass, column_name name,
	permitted_stall_ms double precision DEFAULT 250, rest_share double precision DEFAULT 0.1,
	vacuum boolean DEFAULT true,
	OUT step integer, OUT phase text, OUT object text, OUT lock text, OUT refusal text, OUT remark text,
	OUT duration_ms double precision, OUT wal_bytes double precision, OUT disk_bytes double precision,
	OUT definition text, OUT new_definition text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_plan_json_migration' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION remedy.plan_json_migration(regclass, name, double precision, double precision, boolean) IS
	'what remedy.migrate_json() would do, in its order, and changes nothing: each step with the lock it takes; each object that hangs on the column with its definition and the one it will get, both as SQL; why it cannot be carried over (refusal: then the migration does not begin), and what its users should know (remark); in the first row the time it will take in milliseconds, the WAL it writes and the disk it needs in bytes, in the last one those of plain ALTER TABLE, with the command where nobody would wait longer than permitted_stall_ms (in milliseconds) and nothing would be lost. rest_share, vacuum: as remedy.migrate_json() will be told';

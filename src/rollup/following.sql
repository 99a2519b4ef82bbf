-- DDL on sources and their trees is followed. The triggers are always on, also where
-- session_replication_role is replica, and do nothing while there is no rollup.

CREATE FUNCTION remedy.follow_ddl() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'remedy_follow_ddl' LANGUAGE C;
COMMENT ON FUNCTION remedy.follow_ddl() IS
	'event trigger: follows tables that come into the tree of a rollup''s source or leave it, its triggers that are switched on and off, and its owner';
REVOKE ALL ON FUNCTION remedy.follow_ddl() FROM PUBLIC;

CREATE FUNCTION remedy.follow_drop() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'remedy_follow_drop' LANGUAGE C;
COMMENT ON FUNCTION remedy.follow_drop() IS
	'event trigger: drops what is left of a rollup when a part of it or its source is dropped, and notes tables and triggers that are no more';
REVOKE ALL ON FUNCTION remedy.follow_drop() FROM PUBLIC;

CREATE FUNCTION remedy.precede_detach() RETURNS event_trigger
	AS 'MODULE_PATHNAME', 'remedy_precede_detach' LANGUAGE C;
COMMENT ON FUNCTION remedy.precede_detach() IS
	'event trigger: rows of a partition that is detached concurrently are gone before the command ends';
REVOKE ALL ON FUNCTION remedy.precede_detach() FROM PUBLIC;

CREATE EVENT TRIGGER remedy_follow_ddl ON ddl_command_end
	WHEN TAG IN ('CREATE TABLE', 'CREATE FOREIGN TABLE', 'CREATE SCHEMA', 'CREATE VIEW', 'ALTER TABLE',
		'ALTER FOREIGN TABLE', 'ALTER TRIGGER')
	EXECUTE FUNCTION remedy.follow_ddl();
COMMENT ON EVENT TRIGGER remedy_follow_ddl IS 'pg_remedy: follows changes of the sources of rollups';

CREATE EVENT TRIGGER remedy_follow_drop ON sql_drop EXECUTE FUNCTION remedy.follow_drop();
COMMENT ON EVENT TRIGGER remedy_follow_drop IS 'pg_remedy: follows drops of rollups, of their sources and triggers';

CREATE EVENT TRIGGER remedy_precede_detach ON ddl_command_start WHEN TAG IN ('ALTER TABLE')
	EXECUTE FUNCTION remedy.precede_detach();
COMMENT ON EVENT TRIGGER remedy_precede_detach IS 'pg_remedy: marks rollups before a partition of their source is detached concurrently';

ALTER EVENT TRIGGER remedy_follow_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER remedy_follow_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER remedy_precede_detach ENABLE ALWAYS;

-- Rows of remedy.rollup that are not the library's come from a dump. If the source is armed already, data is restored
-- into relations that were there before: what is captured of that is in the dump, too.
CREATE FUNCTION remedy.note_restored() RETURNS trigger
	AS 'MODULE_PATHNAME', 'remedy_note_restored' LANGUAGE C;
COMMENT ON FUNCTION remedy.note_restored() IS
	'trigger: marks a rollup to be rebuilt whose data alone is restored from a dump';
REVOKE ALL ON FUNCTION remedy.note_restored() FROM PUBLIC;
CREATE TRIGGER note_restored AFTER INSERT ON remedy.rollup FOR EACH ROW EXECUTE FUNCTION remedy.note_restored();
COMMENT ON TRIGGER note_restored ON remedy.rollup IS 'marks a rollup to be rebuilt whose data alone is restored from a dump';


-- The trigger that keeps the shadow column in step.  PUBLIC may create triggers with it, as an
-- owner of a table does who migrates it: it does to a row what anybody's own trigger could.
CREATE FUNCTION remedy.keep_json_in_step() RETURNS trigger
	AS 'MODULE_PATHNAME', 'remedy_keep_json_in_step' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.keep_json_in_step() IS
	'trigger that CALL remedy.migrate_json() puts on a table: keeps the column named second equal to the one named first, as jsonb or as json; null where the document cannot be converted. Created and dropped by the migration, not by hand';

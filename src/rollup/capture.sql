CREATE FUNCTION remedy.mark_rollups() RETURNS trigger LANGUAGE C VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'remedy_mark_rollups';
COMMENT ON FUNCTION remedy.mark_rollups() IS 'trigger function that remedy.create_rollup() puts on its source: notes what statements change';

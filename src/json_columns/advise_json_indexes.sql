
-- advise_json_indexes: which indexes on what is in the documents the observed statements would gain from.

CREATE FUNCTION remedy.advise_json_indexes(
	table_name regclass, column_name name,
	OUT rank integer, OUT method text, OUT calls bigint, OUT saving_ms double precision, OUT size_bytes bigint,
	OUT build_ms double precision, OUT queries bigint[], OUT after_migration boolean, OUT reason text, OUT definition text,
	OUT fix_sql text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_advise_json_indexes' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 5
	SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION remedy.advise_json_indexes(regclass, name) IS
	'indexes on what is in a json or jsonb column that the observed statements ask for, each tried out by the planner: rank, method (none: not advised, see reason), calls of the statements and the time that these would have saved, size in bytes and the processor''s time in ms to build it (both tried out on a sample of the documents, in a temporary table that is gone afterwards; null where that is not possible), their fingerprints, whether the column must be jsonb first, why, the index, and what creates it';

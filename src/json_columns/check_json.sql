-- check_json: which documents jsonb would refuse or change.

CREATE FUNCTION remedy.read_json_faults(document json) RETURNS integer
	AS 'MODULE_PATHNAME', 'remedy_read_json_faults' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION remedy.read_json_faults(json) IS 'source of the function remedy.check_json: what jsonb would refuse or change of a document, as bits';

CREATE FUNCTION remedy.judge_json(document json, OUT verdict text, OUT reasons text[])
	AS 'MODULE_PATHNAME', 'remedy_judge_json' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION remedy.judge_json(json) IS
	'what becomes of a document that is converted to jsonb: rejected (it is refused), lossy (something is lost that json functions show), reprinted (the same value in another text) or unchanged; and why';

CREATE FUNCTION remedy.check_json(table_name regclass, column_name name, sample double precision DEFAULT NULL)
	RETURNS TABLE (verdict text, reason text, rows bigint, share double precision, at_most bigint, examples text[])
	AS 'MODULE_PATHNAME', 'remedy_check_json' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION remedy.check_json(regclass, name, double precision) IS
	'reads the documents of a json column, all or a sample of so many percent, and tells how many jsonb would refuse or change: for each verdict its rows (reason is null) and the rows with each reason; their share of the rows read (0 to 1), how many rows of the whole table it can be with 95 % confidence, and some of them by primary key, or by ctid';

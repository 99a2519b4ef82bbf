
-- index_advice: which indexes the observed statements would gain from.

CREATE FUNCTION remedy.index_candidates(
	query text,
	OUT table_name text, OUT definition text, OUT reason text, OUT refused boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_index_candidates' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION remedy.index_candidates(text) IS
	'the indexes that one query might gain from, by rule, the most promising first and without asking what they would save; and which of its conditions no index serves. $1, $2 ... may stand for parameters. The query is analysed and planned as the caller, who needs SELECT on its tables, and not run';

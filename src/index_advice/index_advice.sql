-- index_advice: which indexes the observed statements would gain from.

CREATE FUNCTION remedy.plan_variants(
	query text, OUT variant integer, OUT weight double precision, OUT cost double precision, OUT rows double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_plan_variants' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 3;
COMMENT ON FUNCTION remedy.plan_variants(text) IS
	'the sets of values that the advice on indexes plans this statement with, for its $1, $2 ... or its constants: how much each one counts (1 for all), and which cost and rows the planner expects with it; needs the same rights as EXPLAIN and SELECT';

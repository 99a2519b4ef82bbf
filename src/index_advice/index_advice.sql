-- index_advice: which indexes the observed statements would gain from.

CREATE FUNCTION remedy.plan_variants(
	query text, parameters text[] DEFAULT NULL, constants_vary boolean DEFAULT NULL,
	OUT variant integer, OUT weight double precision, OUT cost double precision, OUT rows double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_plan_variants' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 3;
COMMENT ON FUNCTION remedy.plan_variants(text, text[], boolean) IS
	'with which sets of values the advice on indexes plans this statement, for its $1, $2 ... or its constants: how much each counts (all together 1), and the cost (in the planner''s units) and rows that the planner expects with it; parameters: those of a run that is known, as texts, null for unknown ones; constants_vary: whether the constants of the text are others each time, null if that is not known; needs the rights that EXPLAIN of the statement needs';


-- rollup: how the view <name>_now finds rows of the source.

CREATE FUNCTION remedy.index_on_time_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'remedy_index_on_time_support' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remedy.index_on_time_support(internal) IS 'tells the planner the value of remedy.has_index_on_time()';

CREATE FUNCTION remedy.has_index_on_time(row_view regclass) RETURNS boolean
	AS 'MODULE_PATHNAME', 'remedy_has_index_on_time' LANGUAGE C STABLE STRICT PARALLEL SAFE
	SUPPORT remedy.index_on_time_support;
COMMENT ON FUNCTION remedy.has_index_on_time(regclass) IS
	'whether the source of a rollup has an index that begins with its time; what <name>_now does not need is left out of its plan by this';


-- what_if: indexes that do not exist, and plans that would use them.

CREATE FUNCTION remedy.what_if(
	query text, VARIADIC index_ddl text[],
	OUT cost_before double precision, OUT cost_after double precision, OUT indexes_used text[],
	OUT size_bytes bigint[], OUT plan_before text, OUT plan_after text)
	AS 'MODULE_PATHNAME', 'remedy_what_if' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.what_if(text, text[]) IS
	'plans a query as it is and as if indexes were created (CREATE INDEX ...) or gone (DROP INDEX ...), and does neither: costs in the planner''s units, those of the commands whose new indexes the plan uses, the size in bytes that each index would have (null for DROP INDEX), and both plans as EXPLAIN shows them; the query may have parameters ($1)';

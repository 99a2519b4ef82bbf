
-- rollup: the cells against the source.

CREATE FUNCTION remedy.verify_rollup(
	name text, sample double precision DEFAULT 1,
	OUT problem text, OUT bucket text, OUT keys jsonb, OUT kept jsonb, OUT expected jsonb, OUT detail text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_verify_rollup' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 10;
COMMENT ON FUNCTION remedy.verify_rollup(text, double precision) IS
	'compares a rollup''s cells, merged with the marks of changes since the last refresh, with its source, in one snapshot; all, or a share of the buckets taken by chance. A row for each cell that is wrong: "missing", "extra" or "different" (detail: the states that are, columns of its cells; kept, expected: all states), and one "unarmed" if not all changes of the source are captured (detail: why). Cells that are to be computed anew at the next refresh are left out. Sums of floating-point values may differ by 1e-9 of the sum or of the greatest value (of type real by 1e-3); digests and distinct counts are not compared. Of a level, its base is verified. For the owner of the source';

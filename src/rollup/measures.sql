-- rollup: what measures need that the server has not.

CREATE FUNCTION remedy.spread_of(moments double precision[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN moments[1] OPERATOR(pg_catalog.>) 0 THEN moments[3] END;
COMMENT ON FUNCTION remedy.spread_of(double precision[]) IS 'last step of remedy.spread and remedy.merge_spreads: null if there was no value';

CREATE AGGREGATE remedy.spread(value double precision) (
	SFUNC = pg_catalog.float8_accum, STYPE = double precision[], INITCOND = '{0,0,0}', FINALFUNC = remedy.spread_of,
	COMBINEFUNC = pg_catalog.float8_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE remedy.spread(double precision) IS 'sum of the squared distances of values from their mean, as the server''s variance() finds it';

CREATE AGGREGATE remedy.merge_spreads(moments double precision[]) (
	SFUNC = pg_catalog.float8_combine, STYPE = double precision[], INITCOND = '{0,0,0}', FINALFUNC = remedy.spread_of,
	COMBINEFUNC = pg_catalog.float8_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE remedy.merge_spreads(double precision[]) IS 'the spread of several sets of values together, each as its number of values, their sum and their spread, as the server puts together what parallel workers found';

CREATE FUNCTION remedy.variance_of(count bigint, total numeric, squares numeric, degrees bigint) RETURNS numeric
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN degrees OPERATOR(pg_catalog.<=) 0 THEN NULL
		WHEN CAST(count AS numeric) OPERATOR(pg_catalog.*) squares OPERATOR(pg_catalog.-) (total OPERATOR(pg_catalog.*) total) OPERATOR(pg_catalog.=) 0 THEN 0
		ELSE (CAST(count AS numeric) OPERATOR(pg_catalog.*) squares OPERATOR(pg_catalog.-) (total OPERATOR(pg_catalog.*) total))
			OPERATOR(pg_catalog./) (CAST(count AS numeric) OPERATOR(pg_catalog.*) CAST(degrees AS numeric)) END;
COMMENT ON FUNCTION remedy.variance_of(bigint, numeric, numeric, bigint) IS 'variance of values, to the last digit as the server finds it, from their count, sum and sum of squares; degrees of freedom: the count, less one for a sample';

CREATE FUNCTION remedy.deviation_of(variance numeric) RETURNS numeric
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN variance OPERATOR(pg_catalog.=) 'NaN' THEN variance
		ELSE pg_catalog.round(pg_catalog.sqrt(pg_catalog.round(variance, pg_catalog.scale(variance) OPERATOR(pg_catalog.+) 32)), pg_catalog.scale(variance)) END;
COMMENT ON FUNCTION remedy.deviation_of(numeric) IS 'standard deviation, to the last digit as the server finds it, from the variance';

CREATE FUNCTION remedy.hash_of(value anyelement) RETURNS bigint
	AS 'MODULE_PATHNAME', 'remedy_hash_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remedy.hash_of(anyelement) IS 'for count(DISTINCT): a number of 64 bits that equal values share, by their type';

CREATE FUNCTION remedy.distinct_of(cardinality double precision) RETURNS bigint
	AS 'MODULE_PATHNAME', 'remedy_distinct_of' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.distinct_of(double precision) IS 'number of distinct values, from what the extension hll tells of a state of count(DISTINCT), which has 2^14 registers: exact up to 256 values, beyond with a standard error of 0.8 %. 0 for null';


-- histogram: percentiles from counts in logarithmic buckets, which can be merged and taken away.

CREATE FUNCTION remedy.histogram_add(state internal, value double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'remedy_histogram_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.histogram_add(internal, double precision) IS 'step of remedy.histogram(double precision)';

CREATE FUNCTION remedy.histogram_merge(state internal, histogram bytea) RETURNS internal
	AS 'MODULE_PATHNAME', 'remedy_histogram_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.histogram_merge(internal, bytea) IS 'step of remedy.merge_histograms(bytea)';

CREATE FUNCTION remedy.histogram_combine(state internal, other internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'remedy_histogram_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.histogram_combine(internal, internal) IS 'what parallel workers have counted, together';

CREATE FUNCTION remedy.histogram_serialize(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'remedy_histogram_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remedy.histogram_serialize(internal) IS 'what a parallel worker hands to its leader';

CREATE FUNCTION remedy.histogram_deserialize(bytes bytea, state internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'remedy_histogram_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remedy.histogram_deserialize(bytea, internal) IS 'what a leader takes from a parallel worker';

CREATE FUNCTION remedy.histogram_finish(state internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'remedy_histogram_finish' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.histogram_finish(internal) IS 'last step of remedy.histogram and remedy.merge_histograms';

CREATE AGGREGATE remedy.histogram(value double precision) (
	SFUNC = remedy.histogram_add, STYPE = internal, SSPACE = 2048, FINALFUNC = remedy.histogram_finish,
	COMBINEFUNC = remedy.histogram_combine, SERIALFUNC = remedy.histogram_serialize,
	DESERIALFUNC = remedy.histogram_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE remedy.histogram(double precision) IS
	'counts the values in buckets, for remedy.percentile_of(): 64 equal ones between each two powers of two, with one each for zero, NaN and the infinities, as DDSketch does (Masson, Rim, Lee, 2019). Two to three bytes for each bucket that is used. Equal values give equal bytes. Nulls are left out; null if there is nothing else';

CREATE AGGREGATE remedy.merge_histograms(histogram bytea) (
	SFUNC = remedy.histogram_merge, STYPE = internal, SSPACE = 4096, FINALFUNC = remedy.histogram_finish,
	COMBINEFUNC = remedy.histogram_combine, SERIALFUNC = remedy.histogram_serialize,
	DESERIALFUNC = remedy.histogram_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE remedy.merge_histograms(bytea) IS
	'the histogram of all values that are in any of these: the very bytes that remedy.histogram() gives for them. Null if there are none';

CREATE FUNCTION remedy.percentile_of(histogram bytea, fraction double precision) RETURNS double precision
	AS 'MODULE_PATHNAME', 'remedy_percentile_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION remedy.percentile_of(bytea, double precision) IS
	'percentile_cont(fraction) of the values in a histogram, in their unit; fraction is from 0 to 1. Each of the values that it lies between is told with a relative error of at most 1/128 (0.78 %): so is the percentile, where both are of one sign. Null if there are none';

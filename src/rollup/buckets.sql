
-- rollup: the times that a bucket's rows may have. Conditions for an index on the time, never the only ones.

CREATE FUNCTION remedy.bucket_opens(bucket anyelement, unit text, time_zone text) RETURNS anyelement
	AS 'MODULE_PATHNAME', 'remedy_bucket_opens' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.bucket_opens(anyelement, text, text) IS
	'time that no row of a bucket is before; may be earlier by hours where the zone''s clock is changed. time_zone is for timestamptz only';

CREATE FUNCTION remedy.bucket_closes(bucket anyelement, unit text, time_zone text) RETURNS anyelement
	AS 'MODULE_PATHNAME', 'remedy_bucket_closes' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION remedy.bucket_closes(anyelement, text, text) IS
	'time that no row of a bucket is after; may be later by hours where the zone''s clock is changed, and by days if the unit is not always as long. time_zone is for timestamptz only';

-- What is usually written by hand: a statement trigger that logs what it adds to which cell.

CREATE TABLE log_by_hand (bucket timestamptz, agent integer, count bigint, sum_duration bigint, sum_cost numeric,
	min_duration integer, max_duration integer);

CREATE FUNCTION log_by_hand() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
	INSERT INTO log_by_hand
	SELECT date_trunc('day', started_at, 'UTC'), agent, count(*), sum(duration_ms), sum(cost), min(duration_ms), max(duration_ms)
	FROM added GROUP BY 1, 2;
	RETURN NULL;
END $$;

CREATE TRIGGER log_by_hand AFTER INSERT ON written_by_hand REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION log_by_hand();

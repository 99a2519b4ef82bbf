-- How long somebody held ACCESS EXCLUSIVE on a table, looked at each 2 ms, in one row for each time. It has no snapshot
-- for longer than that, so that nobody waits for it.
CREATE TABLE held (pid integer, began timestamptz, ms double precision);
CREATE PROCEDURE watch_locks(of_database oid, of_table oid) LANGUAGE plpgsql AS $$
DECLARE
    holder integer;
    before integer;
    began timestamptz;
    seen timestamptz;
BEGIN
    LOOP
        SELECT pid INTO holder FROM pg_locks
            WHERE database = of_database AND relation = of_table AND mode = 'AccessExclusiveLock' AND granted;
        IF holder IS DISTINCT FROM before THEN
            IF before IS NOT NULL THEN
                INSERT INTO held VALUES (before, began, 1000 * extract(epoch FROM clock_timestamp() - began));
            END IF;
            before := holder;
            began := coalesce(seen, clock_timestamp());
        END IF;
        seen := clock_timestamp();
        COMMIT;
        PERFORM pg_sleep(0.002);
    END LOOP;
END $$;

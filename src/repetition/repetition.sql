
-- repetition: N+1, statements repeated for each row of another.

CREATE FUNCTION remedy.read_n_plus_one(
	OUT database text, OUT user_name text, OUT application_name text, OUT route text, OUT level text, OUT kind text,
	OUT direction text, OUT child_table text, OUT child_column text, OUT parent_table text, OUT parent_column text,
	OUT repeats_max bigint, OUT repeats_total bigint, OUT units bigint, OUT parent_rows bigint,
	OUT server_ms double precision, OUT waiting_ms double precision, OUT saving_ms double precision, OUT first_seen timestamptz,
	OUT last_seen timestamptz, OUT advice text, OUT batched_query text, OUT parent_query text, OUT child_query text,
	OUT key text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_n_plus_one' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.read_n_plus_one() IS 'source of the view remedy.n_plus_one';

CREATE VIEW remedy.n_plus_one AS
	SELECT n.database, n.user_name, n.application_name, n.route, n.level, n.kind, n.direction, n.child_table,
	       n.child_column, n.parent_table, n.parent_column, n.repeats_max, n.repeats_total, n.units, n.parent_rows,
	       n.server_ms, n.waiting_ms, n.saving_ms, n.first_seen, n.last_seen, n.advice, n.batched_query, n.parent_query,
	       n.child_query, m.key IS NOT NULL AS muted, n.key
	FROM remedy.read_n_plus_one() AS n
	LEFT JOIN remedy.muted_findings AS m ON m.key OPERATOR(pg_catalog.=) n.key
	ORDER BY n.server_ms + n.waiting_ms DESC, n.key;
COMMENT ON VIEW remedy.n_plus_one IS
	'statements that were repeated for the rows of another, the costliest first; of all databases, since the server''s first start or the last reset; without preloading, of this session';
COMMENT ON COLUMN remedy.n_plus_one.database IS 'database it was seen in';
COMMENT ON COLUMN remedy.n_plus_one.user_name IS 'role that ran it';
COMMENT ON COLUMN remedy.n_plus_one.application_name IS 'application_name of the session';
COMMENT ON COLUMN remedy.n_plus_one.route IS 'route of the request, from the sqlcommenter comment of its first statement; null without one';
COMMENT ON COLUMN remedy.n_plus_one.level IS 'likely: almost certainly one; possible: nothing but the repetition tells; info: mostly bulk loads by a prepared INSERT, which COPY or an INSERT of many rows would do better';
COMMENT ON COLUMN remedy.n_plus_one.kind IS 'what the repeated statement asks for: select (rows), count (an aggregate alone) or exists, of rows of the parent; without a parent lookup (another row by its whole key), duplicate (the same again) or write (one row); server_loop: run again and again by a function or trigger inside one statement, which is then parent_query';
COMMENT ON COLUMN remedy.n_plus_one.direction IS 'N:1: the key is unique, each repeat finds one row at most; 1:N: each may find several; same: all find the same; write';
COMMENT ON COLUMN remedy.n_plus_one.child_table IS 'table of the repeated statement''s key, or that it inserts into';
COMMENT ON COLUMN remedy.n_plus_one.child_column IS 'column that the repeated statement fixes to one value at a time; null for an INSERT';
COMMENT ON COLUMN remedy.n_plus_one.parent_table IS 'table of the column the values came from; null where no statement returned them';
COMMENT ON COLUMN remedy.n_plus_one.parent_column IS 'column of the parent statement''s result that held the values';
COMMENT ON COLUMN remedy.n_plus_one.repeats_max IS 'most repeats in one unit of work';
COMMENT ON COLUMN remedy.n_plus_one.repeats_total IS 'repeats in all units of work';
COMMENT ON COLUMN remedy.n_plus_one.units IS 'units of work (explicit transactions, or bursts outside of them) in which it was found';
COMMENT ON COLUMN remedy.n_plus_one.parent_rows IS 'most rows that the parent statement returned in one unit of work';
COMMENT ON COLUMN remedy.n_plus_one.server_ms IS 'execution time of the repeats, in milliseconds';
COMMENT ON COLUMN remedy.n_plus_one.waiting_ms IS 'time between the statement before and each repeat but the first, in milliseconds: the client, the network and what precedes execution in the server';
COMMENT ON COLUMN remedy.n_plus_one.saving_ms IS 'what one batch for each unit of work would have saved, in milliseconds: all waiting but once, and of the server''s time what the planner thinks the batch does not cost; null for a loop inside the server';
COMMENT ON COLUMN remedy.n_plus_one.first_seen IS 'when it was first found';
COMMENT ON COLUMN remedy.n_plus_one.last_seen IS 'last repeat';
COMMENT ON COLUMN remedy.n_plus_one.advice IS 'what to change, with the client library''s keyword where the texts tell which it is';
COMMENT ON COLUMN remedy.n_plus_one.batched_query IS 'one statement for all repeats, with arrays of their keys as its first parameters; planned, never run; null where none is known to mean the same; shown to the user of the repeated statement and to pg_read_all_stats';
COMMENT ON COLUMN remedy.n_plus_one.parent_query IS 'text of the parent statement, every constant replaced by $n; shown to its user and to pg_read_all_stats';
COMMENT ON COLUMN remedy.n_plus_one.child_query IS 'text of the repeated statement, every constant replaced by $n; shown to its user and to pg_read_all_stats';
COMMENT ON COLUMN remedy.n_plus_one.muted IS 'whether remedy.mute() was called for its key in this database: nobody is told of it any more';
COMMENT ON COLUMN remedy.n_plus_one.key IS 'key of the finding in remedy.findings';
GRANT SELECT ON remedy.n_plus_one TO PUBLIC;

CREATE FUNCTION remedy.n_plus_one_findings() RETURNS SETOF remedy.finding
	LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 20
BEGIN ATOMIC
	SELECT 'n_plus_one'::pg_catalog.text,
	       CASE n.level WHEN 'likely' THEN 'warning'::pg_catalog.text ELSE 'notice'::pg_catalog.text END,
	       n.child_table,
	       CASE WHEN n.parent_table IS NOT NULL
	            THEN pg_catalog.format('%s read %s times for %s rows of %s', n.child_table, n.repeats_max, n.parent_rows, n.parent_table)
	            WHEN n.kind OPERATOR(pg_catalog.=) 'server_loop' THEN pg_catalog.format('%s used by %s runs of a query inside one statement', n.child_table, n.repeats_max)
	            WHEN n.kind OPERATOR(pg_catalog.=) 'write' THEN pg_catalog.format('%s written to %s times, one row each', n.child_table, n.repeats_max)
	            WHEN n.kind OPERATOR(pg_catalog.=) 'duplicate' THEN pg_catalog.format('%s read %s times for the same', n.child_table, n.repeats_max)
	            ELSE pg_catalog.format('%s read %s times, each time by one key', n.child_table, n.repeats_max) END,
	       n.saving_ms,
	       pg_catalog.format('%s repeats, units of work: %s, at most %s in one;%s %s ms in the server, %s ms between statements; database %s, user %s, application %s',
	                         n.repeats_total, n.units, n.repeats_max,
	                         CASE WHEN n.parent_table IS NOT NULL
	                              THEN pg_catalog.format(' their %s came from %s.%s;', n.child_column, n.parent_table, n.parent_column) END,
	                         pg_catalog.round(n.server_ms::pg_catalog.numeric, 1), pg_catalog.round(n.waiting_ms::pg_catalog.numeric, 1),
	                         n.database, n.user_name, n.application_name),
	       n.advice,
	       NULL::pg_catalog.text,
	       n.key,
	       n.first_seen,
	       n.last_seen
	FROM remedy.n_plus_one AS n
	WHERE n.level OPERATOR(pg_catalog.<>) 'info';
END;
COMMENT ON FUNCTION remedy.n_plus_one_findings() IS 'N+1 as rows of remedy.findings';

CREATE FUNCTION remedy.watch(block text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_watch' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.watch(text) IS
	'begins a watched stretch of this session, for the assertions; the stretch before is forgotten. It is one unit of work, and ends with unwatch(), DISCARD ALL or the session; block is a name for it, for the messages';

CREATE FUNCTION remedy.unwatch() RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_unwatch' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.unwatch() IS 'ends the watched stretch of this session, if there is one';

CREATE FUNCTION remedy.read_watched(
	OUT query_id bigint, OUT calls bigint, OUT rows bigint, OUT total_ms double precision, OUT query text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_watched' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.read_watched() IS 'source of the view remedy.watched';

CREATE VIEW remedy.watched AS
	SELECT query_id, calls, rows, total_ms, query
	FROM remedy.read_watched();
COMMENT ON VIEW remedy.watched IS
	'statements of this session since remedy.watch(), in the order of their first run; query_id is null in the row for statements without a fingerprint or without room';
COMMENT ON COLUMN remedy.watched.query_id IS 'fingerprint, the core''s query identifier';
COMMENT ON COLUMN remedy.watched.calls IS 'how often it ran in the watched stretch';
COMMENT ON COLUMN remedy.watched.rows IS 'rows returned or affected';
COMMENT ON COLUMN remedy.watched.total_ms IS 'execution time in milliseconds';
COMMENT ON COLUMN remedy.watched.query IS 'text, every constant replaced by $n';
GRANT SELECT ON remedy.watched TO PUBLIC;

CREATE FUNCTION remedy.assert_statements(at_most bigint, query_like text DEFAULT NULL, query_id bigint DEFAULT NULL)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'remedy_assert_statements' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.assert_statements(bigint, text, bigint) IS
	'the number of statements since remedy.watch(), or of those whose text is LIKE query_like (every constant is $n in it, and all that separates words is one space) and whose fingerprint is query_id; fails with assert_failure (P0004), listing them, if there were more than at_most';

CREATE FUNCTION remedy.assert_no_n_plus_one(level text DEFAULT 'likely') RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_assert_no_n_plus_one' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.assert_no_n_plus_one(text) IS
	'fails with assert_failure (P0004) if a finding of this level, likely or possible, or of a surer one was made since remedy.watch(), and is neither muted nor in pg_remedy.n_plus_one_ignore';

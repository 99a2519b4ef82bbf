
-- observe: statements and transactions, counted and timed.

CREATE FUNCTION remedy.read_status(
	OUT mode text, OUT version text, OUT server_version text, OUT enabled boolean, OUT query_ids boolean,
	OUT slots_used integer, OUT slots integer, OUT statements_used integer,
	OUT statements_max integer, OUT statements_evicted bigint, OUT texts_used integer, OUT texts_missed bigint,
	OUT times_missed bigint, OUT sizes_missed bigint, OUT texts_unsaved integer, OUT reset_at timestamptz,
	OUT saved_at timestamptz, OUT records_loaded bigint, OUT records_refused bigint, OUT memory_bytes bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_status' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION remedy.read_status() IS 'source of the view remedy.status';

CREATE FUNCTION remedy.read_statements(
	OUT query_id bigint, OUT database text, OUT user_name text, OUT toplevel boolean, OUT calls bigint,
	OUT failed bigint, OUT rows bigint, OUT total_ms double precision, OUT mean_ms double precision,
	OUT min_ms double precision, OUT max_ms double precision, OUT p50_ms double precision,
	OUT p95_ms double precision, OUT p99_ms double precision, OUT first_seen timestamptz,
	OUT last_seen timestamptz, OUT query text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_statements' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION remedy.read_statements() IS 'source of the view remedy.statements';

CREATE FUNCTION remedy.read_transactions(
	OUT database text, OUT user_name text, OUT application_name text, OUT route text,
	OUT transactions bigint, OUT statements bigint, OUT nested_statements bigint, OUT failed_statements bigint,
	OUT rows bigint, OUT statements_p50 bigint, OUT statements_p95 bigint, OUT statements_max bigint,
	OUT total_ms double precision, OUT waiting_ms double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_transactions' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.read_transactions() IS 'source of the view remedy.transactions';

CREATE FUNCTION remedy.read_current_transaction(
	OUT query_id bigint, OUT calls bigint, OUT rows bigint, OUT total_ms double precision, OUT query text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_current_transaction' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20;
COMMENT ON FUNCTION remedy.read_current_transaction() IS 'source of the view remedy.current_transaction';

CREATE VIEW remedy.statements AS
	SELECT query_id, database, user_name, toplevel, calls, failed, rows, total_ms, mean_ms, min_ms, max_ms, p50_ms,
	       p95_ms, p99_ms, first_seen, last_seen, query
	FROM remedy.read_statements()
	ORDER BY total_ms DESC, database, user_name, query_id;
COMMENT ON VIEW remedy.statements IS
	'statements by fingerprint, user and database, since the server''s first start or the last reset; without preloading, of this session';
COMMENT ON COLUMN remedy.statements.query_id IS 'fingerprint, the core''s query identifier; null without one, in the row for evicted statements, and for other roles'' statements unless you are in pg_read_all_stats';
COMMENT ON COLUMN remedy.statements.database IS 'database; null in the row that sums up statements that found no room or were evicted';
COMMENT ON COLUMN remedy.statements.user_name IS 'role that ran it';
COMMENT ON COLUMN remedy.statements.toplevel IS 'sent by a client; false: run inside another statement (pg_remedy.track = all)';
COMMENT ON COLUMN remedy.statements.calls IS 'how often it ran, failures included';
COMMENT ON COLUMN remedy.statements.failed IS 'how often it failed in execution';
COMMENT ON COLUMN remedy.statements.rows IS 'rows returned or affected';
COMMENT ON COLUMN remedy.statements.total_ms IS 'execution time in milliseconds, without parsing and planning, further fetches from cursors included';
COMMENT ON COLUMN remedy.statements.mean_ms IS 'total_ms per call';
COMMENT ON COLUMN remedy.statements.min_ms IS 'shortest execution in milliseconds; null if not known since a reset';
COMMENT ON COLUMN remedy.statements.max_ms IS 'longest execution in milliseconds; null if not known since a reset';
COMMENT ON COLUMN remedy.statements.p50_ms IS 'median execution time in milliseconds, nearest rank; within 3.2 % from a microsecond on, within 16 ns below; 18 minutes and more count as 18 minutes';
COMMENT ON COLUMN remedy.statements.p95_ms IS '95th percentile of execution times, as p50_ms';
COMMENT ON COLUMN remedy.statements.p99_ms IS '99th percentile of execution times, as p50_ms';
COMMENT ON COLUMN remedy.statements.first_seen IS 'when it was first run';
COMMENT ON COLUMN remedy.statements.last_seen IS 'when it last ended';
COMMENT ON COLUMN remedy.statements.query IS 'text, every constant replaced by $n; of other roles only for pg_read_all_stats; null if it found no room';

CREATE VIEW remedy.transactions AS
	SELECT database, user_name, application_name, route, transactions, statements, nested_statements,
	       failed_statements, rows, statements_p50, statements_p95, statements_max, total_ms, waiting_ms
	FROM remedy.read_transactions()
	ORDER BY statements DESC, database, user_name, application_name;
COMMENT ON VIEW remedy.transactions IS
	'statements per transaction by database, user, application and route, since the server''s first start or the last reset; without preloading, of this session';
COMMENT ON COLUMN remedy.transactions.database IS 'database; null in the row for groups that found no room';
COMMENT ON COLUMN remedy.transactions.user_name IS 'role that ran the first statement of the transaction';
COMMENT ON COLUMN remedy.transactions.application_name IS 'application_name at the first statement of the transaction';
COMMENT ON COLUMN remedy.transactions.route IS 'route of the request, from the sqlcommenter comment of the transaction''s first statement (route, or controller and action, or job); null without one';
COMMENT ON COLUMN remedy.transactions.transactions IS 'ended transactions of at least one statement';
COMMENT ON COLUMN remedy.transactions.statements IS 'top-level statements, those of running transactions included';
COMMENT ON COLUMN remedy.transactions.nested_statements IS 'statements run inside functions, triggers, referential checks and procedures, in ended transactions';
COMMENT ON COLUMN remedy.transactions.failed_statements IS 'statements that failed in execution, also counted in statements';
COMMENT ON COLUMN remedy.transactions.rows IS 'rows returned or affected by top-level statements';
COMMENT ON COLUMN remedy.transactions.statements_p50 IS 'median number of statements in a transaction; exact below 32, otherwise within 3.2 %';
COMMENT ON COLUMN remedy.transactions.statements_p95 IS '95th percentile of statements in a transaction; exact below 32, otherwise within 3.2 %';
COMMENT ON COLUMN remedy.transactions.statements_max IS 'most statements in one transaction, exact';
COMMENT ON COLUMN remedy.transactions.total_ms IS 'execution time of the statements, in milliseconds';
COMMENT ON COLUMN remedy.transactions.waiting_ms IS 'time between statements inside transactions, in milliseconds: the client, the network and what precedes execution in the server';

CREATE VIEW remedy.current_transaction AS
	SELECT query_id, calls, rows, total_ms, query
	FROM remedy.read_current_transaction();
COMMENT ON VIEW remedy.current_transaction IS
	'statements of this session''s running transaction, in the order of their first run; query_id is null in the row for statements without a fingerprint or without room';
COMMENT ON COLUMN remedy.current_transaction.query_id IS 'fingerprint, the core''s query identifier';
COMMENT ON COLUMN remedy.current_transaction.calls IS 'how often it ran in this transaction';
COMMENT ON COLUMN remedy.current_transaction.rows IS 'rows returned or affected';
COMMENT ON COLUMN remedy.current_transaction.total_ms IS 'execution time in milliseconds';
COMMENT ON COLUMN remedy.current_transaction.query IS 'text, every constant replaced by $n';

CREATE FUNCTION remedy.transaction_statements() RETURNS bigint
	AS 'MODULE_PATHNAME', 'remedy_transaction_statements' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION remedy.transaction_statements() IS
	'number of statements so far in the running transaction; statements that call pg_remedy are not counted';

CREATE FUNCTION remedy.reset(database name DEFAULT NULL, user_name name DEFAULT NULL, query_id bigint DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_reset' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.reset(name, name, bigint) IS
	'forgets all statistics and findings, or the statistics of one database, one user or one statement, or of what lies in all that are given, and has this saved soon if pg_remedy.save is on; without preloading, of this session. Superusers only, unless granted';
REVOKE ALL ON FUNCTION remedy.reset(name, name, bigint) FROM PUBLIC;

CREATE FUNCTION remedy.save() RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_save' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.save() IS
	'writes the statistics of all databases to the file that the server starts from; only if preloaded. Superusers only, unless granted';
REVOKE ALL ON FUNCTION remedy.save() FROM PUBLIC;

GRANT SELECT ON remedy.statements TO PUBLIC;
GRANT SELECT ON remedy.transactions, remedy.current_transaction TO PUBLIC;

CREATE FUNCTION remedy.read_statement_samples(
	OUT query_id bigint, OUT user_name text, OUT taken_at timestamptz, OUT execution_ms double precision,
	OUT parameters text[], OUT query text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_statement_samples' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 100;
COMMENT ON FUNCTION remedy.read_statement_samples() IS 'source of the view remedy.statement_samples';

CREATE VIEW remedy.statement_samples AS
	SELECT query_id, user_name, taken_at, execution_ms, parameters, query
	FROM remedy.read_statement_samples()
	ORDER BY query_id, taken_at;
COMMENT ON VIEW remedy.statement_samples IS
	'values that statements of this database were run with, four runs of each at most; empty unless pg_remedy.keep_values is on. Of other roles'' statements only for pg_read_all_stats';
COMMENT ON COLUMN remedy.statement_samples.query_id IS 'fingerprint, the core''s query identifier';
COMMENT ON COLUMN remedy.statement_samples.user_name IS 'role that ran it';
COMMENT ON COLUMN remedy.statement_samples.taken_at IS 'when it ran';
COMMENT ON COLUMN remedy.statement_samples.execution_ms IS 'execution time of this run, in milliseconds';
COMMENT ON COLUMN remedy.statement_samples.parameters IS 'values of its parameters $1, $2 and so on; <not kept> for those too long or of types that cannot be kept; null for a statement without parameters';
COMMENT ON COLUMN remedy.statement_samples.query IS 'text of this run, with its constants, of a statement without parameters; null with parameters';

CREATE FUNCTION remedy.check_replanning(
	OUT query_id bigint, OUT user_name text, OUT planned boolean, OUT reason text, OUT cost double precision,
	OUT sample_costs double precision[], OUT has_constants boolean, OUT parameters integer, OUT search_path text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_check_replanning' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION remedy.check_replanning() IS
	'plans each statement of this database whose text is kept again, with the rights of who ran it, and runs none: which can be planned, with which estimated cost, also with the values of remedy.statement_samples, and why others cannot. Superusers only, unless granted';
REVOKE ALL ON FUNCTION remedy.check_replanning() FROM PUBLIC;

GRANT SELECT ON remedy.statement_samples TO PUBLIC;

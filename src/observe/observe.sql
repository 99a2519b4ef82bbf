
-- observe: statements counted per transaction.

CREATE FUNCTION remedy.read_status(
	OUT mode text, OUT version text, OUT server_version text, OUT enabled boolean, OUT query_ids boolean,
	OUT slots_used integer, OUT slots integer, OUT slots_unread integer, OUT sizes_missed bigint,
	OUT memory_bytes bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'remedy_status' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION remedy.read_status() IS 'source of the view remedy.status';

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

CREATE VIEW remedy.transactions AS
	SELECT database, user_name, application_name, route, transactions, statements, nested_statements,
	       failed_statements, rows, statements_p50, statements_p95, statements_max, total_ms, waiting_ms
	FROM remedy.read_transactions()
	ORDER BY statements DESC, database, user_name, application_name;
COMMENT ON VIEW remedy.transactions IS
	'statements per transaction by database, user and application, since the server''s start or the last reset; without preloading, of this session';
COMMENT ON COLUMN remedy.transactions.database IS 'database; null in the row for groups that found no room';
COMMENT ON COLUMN remedy.transactions.user_name IS 'role that ran the first statement of the transaction';
COMMENT ON COLUMN remedy.transactions.application_name IS 'application_name at the first statement of the transaction';
COMMENT ON COLUMN remedy.transactions.route IS 'route of the request; always null in this version';
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

CREATE FUNCTION remedy.reset() RETURNS void
	AS 'MODULE_PATHNAME', 'remedy_reset' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION remedy.reset() IS
	'forgets all statistics and findings, of all databases; without preloading, of this session. Superusers only, unless granted';
REVOKE ALL ON FUNCTION remedy.reset() FROM PUBLIC;

GRANT SELECT ON remedy.transactions, remedy.current_transaction TO PUBLIC;

-- The advice on indexes as a migration file.
SET client_min_messages = warning;
SELECT format, remedy.format_index_migration(format,
	'{"CREATE INDEX CONCURRENTLY stock_at_idx ON depot.stock (at DESC) WHERE (state = ''open''::text)", "CREATE INDEX CONCURRENTLY \"Of\" ON \"Stock\" (of)"}',
	'{"DROP INDEX CONCURRENTLY IF EXISTS depot.stock_at_idx", "DROP INDEX CONCURRENTLY IF EXISTS \"Of\""}',
	'{"depot.stock: 12 calls of 3 statements", "Stock: 1 call"}') AS migration
FROM unnest('{sql,alembic,django,rails}'::text[]) AS format \gx

-- Whatever names hold.
SELECT format, remedy.format_index_migration(format,
	ARRAY[E'CREATE INDEX "a\\b""""""c''''''#{exit} :d \\:e %s ::f %% :g::h\n\rSQL\nEOF\\" ON t (x)'],
	ARRAY[E'DROP INDEX "a\\b""""""c''''''#{exit} :d \\:e %s ::f %% :g::h\n\rSQL\nEOF\\"'],
	ARRAY[E'two\nlines\r\n"""''''''#{exit} %s']) AS migration
FROM unnest('{sql,alembic,django,rails}'::text[]) AS format \gx
SELECT remedy.escape_for_alembic(':a b:c ::d :e::f \:g [1:2] : ''x: y''');

-- Nothing to do is a migration too.
SELECT format, remedy.format_index_migration(format, '{}', '{}', '{}') AS migration
FROM unnest('{sql,alembic,django,rails}'::text[]) AS format \gx

\set SHOW_CONTEXT never
SELECT remedy.format_index_migration('Rails', '{}', '{}', '{}');
\echo :LAST_ERROR_SQLSTATE

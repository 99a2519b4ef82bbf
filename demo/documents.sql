-- The json column: what pg_remedy saw of it, and what would become of its documents.
\pset pager off
\pset footer off
\pset format wrapped
\pset columns 118
SELECT table_name || '.' || column_name AS json_column, rows, pg_size_pretty(bytes) AS size, advice, workload, gain
  FROM remedy.json_columns
 \gx

\pset format aligned
SELECT verdict, reason, rows, examples FROM remedy.check_json('agents', 'configuration') WHERE rows > 0;

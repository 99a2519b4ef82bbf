-- The findings as psql prints them: first the figures, then what to do.
\pset pager off
\pset footer off
SELECT kind, direction,
       child_table || '.' || child_column AS child,
       parent_table || '.' || parent_column AS parent,
       repeats_max, parent_rows,
       round(server_ms::numeric, 1) AS server_ms,
       round(waiting_ms::numeric, 1) AS waiting_ms
  FROM remedy.n_plus_one
 ORDER BY repeats_max DESC;

\pset format wrapped
\pset columns 118
SELECT child_table || '.' || child_column AS child, advice, batched_query
  FROM remedy.n_plus_one
 ORDER BY repeats_max DESC
 \gx

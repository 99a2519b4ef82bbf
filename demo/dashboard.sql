-- What is kept, and what it costs.
\pset pager off
\pset footer off
SELECT name, state, cells, pg_size_pretty(size_bytes) AS size, refresh_method, refresh_marks, refresh_cells,
       round(refresh_ms) AS refresh_ms FROM remedy.rollups;

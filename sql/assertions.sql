-- Budgets: of a block, and of single statements in it.
SET client_min_messages = warning;
SELECT remedy.watch('the ''first'' block');
SELECT 1 AS one;
SELECT 2
  AS one;
SELECT 'three' AS three;
SELECT 1 AS one, 2 AS two;
\pset format unaligned
\pset tuples_only on
SELECT remedy.assert_statements(4);
SELECT remedy.assert_statements(2, 'SELECT $1 AS one');
SELECT remedy.assert_statements(3, 'SELECT $1 AS o%');
SELECT remedy.assert_statements(0, 'select $1 as one');
SELECT remedy.assert_statements(0, '');
-- At most 3, of which this one at most 1.
SELECT remedy.assert_statements(3);
SELECT remedy.assert_statements(1, 'SELECT $1 AS one%');
SELECT remedy.assert_statements(at_most => 1, query_like => 'SELECT $1 AS one');
SELECT query_id FROM remedy.watched WHERE calls = 2 \gset
SELECT remedy.assert_statements(2, query_id => :query_id);
SELECT remedy.assert_statements(2, NULL, :query_id);
SELECT remedy.assert_statements(1, query_id => :query_id);
SELECT remedy.assert_statements(1, '%', :query_id);
SELECT remedy.assert_statements(0, '% two', :query_id);
SELECT remedy.assert_statements(0, query_id => 4711);

-- The next block begins with the next watch(), and its name may be missing.
SELECT remedy.watch();
SELECT 1 AS one;
SELECT remedy.assert_statements(0, 'SELECT $1 AS one');
SELECT remedy.assert_statements(1, 'SELECT $1 AS one');
-- A name is cut to the length of a name, between characters.
SELECT remedy.watch(repeat('ä', 100));
SELECT 1 AS one;
SELECT remedy.assert_statements(0);

-- Bad input.
SELECT remedy.assert_statements(NULL);
SELECT remedy.assert_statements(NULL, 'SELECT%');
SELECT remedy.assert_statements(-1, 'SELECT%');
SELECT remedy.assert_statements(1, 'SELECT\');
SELECT remedy.unwatch();
SELECT remedy.assert_statements(1, 'SELECT%');

-- A page's budget in pgTAP: what the page asks is run at the top level, as its application would, and judged after.
\set QUIET 1
\pset format unaligned
\pset tuples_only on
CREATE EXTENSION IF NOT EXISTS pgtap;
BEGIN;
SELECT plan(6);

-- The page as it should be: at most two statements, of which one reads books.
SELECT remedy.watch('authors and their books');
\o /dev/null
SELECT id, name FROM authors ORDER BY id;
SELECT id, author_id, title FROM books WHERE author_id = ANY (ARRAY(SELECT id FROM authors));
\o
SELECT lives_ok($$SELECT remedy.assert_statements(2)$$, 'the page asks twice');
SELECT lives_ok($$SELECT remedy.assert_statements(1, '%FROM books%')$$, 'once for books');
SELECT lives_ok($$SELECT remedy.assert_no_n_plus_one('possible')$$, 'and repeats nothing');

-- The page as it often is.
SELECT remedy.watch('authors, then books of each');
\o /dev/null
SELECT id, name FROM authors ORDER BY id;
SELECT format('SELECT id, title FROM books WHERE author_id = %s', id) FROM authors \gexec
\o
SELECT throws_ok($$SELECT remedy.assert_statements(2)$$, 'P0004', NULL, 'a budget is exceeded');
SELECT throws_ok($$SELECT remedy.assert_statements(1, 'SELECT id, title FROM books WHERE%')$$, 'P0004',
	'10 matching statements were executed, at most 1 are allowed', 'that of one statement, too');
SELECT throws_ok($$SELECT remedy.assert_no_n_plus_one()$$, 'P0004', NULL, 'and the loop is found');

SELECT * FROM finish();
ROLLBACK;

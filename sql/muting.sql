-- Who is told of a finding: muted ones and ignored ones are recorded and nothing else.
\set VERBOSITY terse
SET client_min_messages = warning;
SET application_name = 'regress_muting';
CREATE SCHEMA muting;
SET search_path = muting;
CREATE TABLE author (id integer PRIMARY KEY);
CREATE TABLE book (id integer PRIMARY KEY, author_id integer NOT NULL REFERENCES author, title text);
INSERT INTO author SELECT generate_series(1, 6);
SELECT remedy.reset();
SET pg_remedy.n_plus_one_action = 'warning';
\pset format unaligned
\pset tuples_only on

-- One loop, in a transaction of its own.
\set loop 'SELECT format($$SELECT id FROM book WHERE author_id = %s$$, i) FROM generate_series(1, 6) AS i'
BEGIN;
\o /dev/null
SELECT id FROM author;
:loop \gexec
\o
COMMIT;

-- Muted, it is silent, but counted: within this transaction at once, and whatever its
-- isolation.
SELECT key FROM remedy.n_plus_one \gset
BEGIN ISOLATION LEVEL SERIALIZABLE;
\o /dev/null
SELECT remedy.mute(:'key', 'small');
SELECT id FROM author;
:loop \gexec
\o
COMMIT;
SELECT units, muted, repeats_total FROM remedy.n_plus_one;
SELECT muted FROM remedy.findings;
SET pg_remedy.n_plus_one_action = 'error';
BEGIN;
\o /dev/null
SELECT id FROM author;
:loop \gexec
\o
COMMIT;
\o /dev/null
SELECT remedy.watch();
SELECT id FROM author;
:loop \gexec
\o
SELECT repeats_max FROM remedy.n_plus_one;
SELECT remedy.assert_no_n_plus_one();
SELECT remedy.assert_no_n_plus_one('possible');

-- A mute outlives the finding.
SELECT remedy.reset();
\o /dev/null
SELECT remedy.watch();
SELECT id FROM author;
:loop \gexec
\o
SELECT muted FROM remedy.n_plus_one;
SELECT remedy.assert_no_n_plus_one();

-- Others are told of as before.
\o /dev/null
SELECT remedy.watch();
SELECT id FROM author;
SELECT format('SELECT title FROM book WHERE author_id = %s', i) FROM generate_series(1, 6) AS i \gexec
\o
SELECT remedy.assert_no_n_plus_one();

-- Taken back, it is told of; an assertion judges what it finds muted when it is called.
SELECT remedy.unmute(:'key');
SELECT muted FROM remedy.n_plus_one WHERE key = :'key';
RESET pg_remedy.n_plus_one_action;
\o /dev/null
SELECT remedy.watch();
SELECT id FROM author;
:loop \gexec
\o
SELECT remedy.assert_no_n_plus_one();
SELECT remedy.mute(:'key');
SELECT remedy.assert_no_n_plus_one();
SELECT remedy.unmute(:'key');

-- A session's own list: keys, and tables as remedy.n_plus_one shows them.
SET pg_remedy.n_plus_one_ignore = 'muting.author, muting.boo, , book';
SELECT remedy.assert_no_n_plus_one();
SET pg_remedy.n_plus_one_ignore = 'muting.author,  muting.book ';
SELECT remedy.assert_no_n_plus_one();
SELECT set_config('pg_remedy.n_plus_one_ignore', 'other,' || :'key', false) LIKE 'other,n_plus_one:%';
SELECT remedy.assert_no_n_plus_one();
SET pg_remedy.n_plus_one_action = 'error';
BEGIN;
\o /dev/null
SELECT id FROM author;
:loop \gexec
\o
COMMIT;
RESET pg_remedy.n_plus_one_ignore;
SELECT remedy.assert_no_n_plus_one();
SELECT remedy.unwatch();

-- A role that may read nothing but the tables is told, or not, alike.
CREATE ROLE regress_remedy_muted;
GRANT USAGE ON SCHEMA muting TO regress_remedy_muted;
GRANT SELECT ON author, book TO regress_remedy_muted;
SET ROLE regress_remedy_muted;
BEGIN;
\o /dev/null
SELECT id FROM author;
:loop \gexec
\o
ROLLBACK;
RESET ROLE;
SELECT remedy.mute(:'key');
SET ROLE regress_remedy_muted;
BEGIN;
\o /dev/null
SELECT id FROM author;
:loop \gexec
\o
COMMIT;
RESET ROLE;
SELECT remedy.unmute(:'key');

-- A table of that name that is not the extension's says nothing.
ALTER EXTENSION pg_remedy DROP TABLE remedy.muted_findings;
SELECT remedy.mute(:'key');
BEGIN;
\o /dev/null
SELECT id FROM author;
:loop \gexec
\o
ROLLBACK;
ALTER EXTENSION pg_remedy ADD TABLE remedy.muted_findings;
BEGIN;
\o /dev/null
SELECT id FROM author;
:loop \gexec
\o
COMMIT;
SELECT remedy.unmute(:'key');

-- Less sure findings are told of where that is wanted; surer ones without a parent always.
SELECT remedy.watch();
SET pg_remedy.n_plus_one_action = 'warning';
\o /dev/null
SELECT format('SELECT title FROM book WHERE id = %s', 3 * i) FROM generate_series(1, 12) AS i \gexec
\o
SELECT remedy.assert_no_n_plus_one();
SELECT remedy.assert_no_n_plus_one('possible');
SET pg_remedy.n_plus_one_action_level = 'possible';
SELECT remedy.watch();
\o /dev/null
SELECT format('SELECT title FROM book WHERE id = %s', 3 * i) FROM generate_series(1, 12) AS i \gexec
\o
SELECT remedy.assert_no_n_plus_one();
\set VERBOSITY default
SELECT remedy.assert_no_n_plus_one('possible');
\set VERBOSITY terse
SELECT remedy.watch();
BEGIN;
\o /dev/null
SELECT format('INSERT INTO author VALUES (%s)', i) FROM generate_series(301, 312) AS i \gexec
\o
COMMIT;
SELECT remedy.assert_no_n_plus_one();
SELECT remedy.unwatch();

-- Bad values.
SET pg_remedy.n_plus_one_action_level = 'certain';
SET pg_remedy.n_plus_one_action_level = 'possible';
RESET pg_remedy.n_plus_one_action_level;
RESET pg_remedy.n_plus_one_action;
SELECT remedy.reset();
DROP SCHEMA muting CASCADE;
DROP ROLE regress_remedy_muted;

-- Findings in one row shape, and muting them.
SET client_min_messages = warning;
SET application_name = 'regress_findings';
CREATE SCHEMA shop;
CREATE TABLE shop.customer (id integer PRIMARY KEY);
CREATE TABLE shop.purchase (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES shop.customer);
INSERT INTO shop.customer SELECT generate_series(1, 8);
SELECT remedy.reset();
\o /dev/null
SELECT remedy.watch();
SELECT id FROM shop.customer;
SELECT format('SELECT id FROM shop.purchase WHERE customer_id = %s', i) FROM generate_series(1, 8) AS i \gexec
\o
SELECT kind, severity, object, title, saving_ms > 0 AS saves, advice, fix_sql, muted
FROM remedy.findings WHERE evidence LIKE '%application regress_findings';
SELECT regexp_replace(evidence, '[0-9.]+ ms', '? ms', 'g') AS evidence FROM remedy.findings;
SELECT first_seen <= last_seen AS ordered, key ~ '^n_plus_one:[0-9a-f]{16}$' AS named FROM remedy.findings;
SELECT f.key = n.key AS same_key FROM remedy.findings AS f, remedy.n_plus_one AS n;

-- The key is the ailment's: another session, another unit, another user give the
-- same; muting lasts, and does not hide.
SELECT key FROM remedy.findings \gset
SELECT remedy.mute(:'key', 'known');
SELECT muted FROM remedy.findings;
SELECT reason, muted_by = CURRENT_USER AS by_me FROM remedy.muted_findings;
SELECT remedy.mute(:'key', 'known better');
SELECT reason FROM remedy.muted_findings;
SELECT remedy.unmute(:'key');
SELECT remedy.unmute('no such key');
SELECT muted FROM remedy.findings;

-- Ordinary roles may read, not mute.
CREATE ROLE regress_remedy_reader;
SET ROLE regress_remedy_reader;
SELECT count(*) FROM remedy.findings;
SELECT child_query, parent_query FROM remedy.n_plus_one;
\set VERBOSITY sqlstate
SELECT remedy.mute('key');
SELECT remedy.unmute('key');
RESET ROLE;
\set VERBOSITY default

SELECT findings_used, findings_missed FROM remedy.status;
SELECT remedy.reset();
SELECT findings_used, findings_missed FROM remedy.status;
SELECT count(*) FROM remedy.findings;
DROP SCHEMA shop CASCADE;
DROP ROLE regress_remedy_reader;

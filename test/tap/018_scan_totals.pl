# remedy.scans and pg_stat_user_tables count the same sequential scans and the same rows, table by table, whatever runs.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Remedy;
use Test::More;

my $node = preloaded('totals', 'max_prepared_transactions = 5', 'max_worker_processes = 16',
	'max_parallel_workers = 8', 'pg_remedy.track = all');

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_remedy;
CREATE TABLE a (id integer PRIMARY KEY, n integer, t text);
CREATE TABLE b (id integer, a_id integer REFERENCES a ON DELETE CASCADE, n integer);
CREATE TABLE c (id integer, n integer);
INSERT INTO a SELECT i, i % 10, repeat('x', 3000) || i FROM generate_series(1, 300) AS i;
INSERT INTO b SELECT i, 1 + i % 300, i % 7 FROM generate_series(1, 2000) AS i;
INSERT INTO c SELECT i, i % 5 FROM generate_series(1, 20000) AS i;
CREATE INDEX ON b (n);
CREATE TABLE part (k integer, v integer) PARTITION BY LIST (k);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
CREATE TABLE part_3 PARTITION OF part FOR VALUES IN (3) PARTITION BY RANGE (v);
CREATE TABLE part_3_low PARTITION OF part_3 FOR VALUES FROM (0) TO (100);
CREATE TABLE part_3_high PARTITION OF part_3 DEFAULT;
INSERT INTO part SELECT 1 + i % 3, i FROM generate_series(1, 600) AS i;
CREATE TABLE parent (i integer);
CREATE TABLE child (j integer) INHERITS (parent);
INSERT INTO parent SELECT generate_series(1, 10);
INSERT INTO child SELECT i, i FROM generate_series(1, 20) AS i;
CREATE VIEW seen AS SELECT * FROM c WHERE n = 1;
CREATE MATERIALIZED VIEW sums AS SELECT n, count(*) FROM c GROUP BY n;
CREATE FUNCTION sql_sum(integer) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM parent WHERE i > $1';
CREATE FUNCTION sql_rows() RETURNS SETOF parent LANGUAGE sql AS 'SELECT * FROM parent';
CREATE FUNCTION inlined(integer) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM parent WHERE i > $1';
CREATE FUNCTION folded() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT count(*) FROM parent); END';
CREATE FUNCTION recursive(n integer) RETURNS bigint LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT count(*) FROM parent) + CASE WHEN n > 0 THEN recursive(n - 1) ELSE 0 END; END';
CREATE FUNCTION fails(n integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT sum(1 / (i - n)) FROM parent);
EXCEPTION WHEN division_by_zero THEN
	RETURN (SELECT count(*) FROM c);
END $$;
CREATE FUNCTION loops() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r record; sum bigint := 0;
BEGIN
	FOR r IN SELECT * FROM parent LOOP
		SELECT sum + count(*) INTO sum FROM parent WHERE i < r.i;
		EXIT WHEN r.i = 4;
	END LOOP;
	RETURN sum;
END $$;
CREATE FUNCTION parallel_inside() RETURNS bigint LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT count(*) FROM c WHERE n = 2); END';
CREATE FUNCTION in_workers(integer) RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS
	'BEGIN RETURN (SELECT count(*) FROM parent WHERE i > $1); END';
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM count(*) FROM parent; RETURN NULL; END';
CREATE TRIGGER note AFTER UPDATE ON b FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON b DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$
DECLARE r record;
BEGIN
	FOR r IN SELECT * FROM parent LOOP
		PERFORM count(*) FROM child;
		IF r.i = 2 THEN COMMIT; END IF;
		IF r.i = 3 THEN ROLLBACK; END IF;
	END LOOP;
END $$;
ANALYZE;
SQL

my $both = <<'SQL';
SELECT string_agg(format('%s: %s scans of %s, %s rows of %s', s.relname, coalesce(r.scans, 0), s.seq_scan,
	coalesce(r.rows_read, 0), s.seq_tup_read), E'\n' ORDER BY s.relname)
FROM pg_stat_user_tables AS s
LEFT JOIN (SELECT relation, sum(scans) AS scans, sum(rows_read) AS rows_read FROM remedy.scans GROUP BY 1) AS r
	ON r.relation = s.relid
WHERE s.schemaname = 'public' AND (s.seq_scan, s.seq_tup_read) IS DISTINCT FROM (coalesce(r.scans, 0), coalesce(r.rows_read, 0))
SQL

# Runs the statements as a session of its own, and says which tables' counts differ, and whether there was anything.
sub agrees
{
	my ($name, $sql, $difference) = @_;

	$node->safe_psql('postgres', 'SELECT remedy.reset(), pg_stat_reset()');
	psql_as($node, 'client', $sql);
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'client'})
	  or die 'the client stayed';
	is($node->safe_psql('postgres', $both), $difference // '', $name);
	cmp_ok($node->safe_psql('postgres', q{SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE schemaname = 'public'}),
		'>', 0, "$name: something was read");
	return;
}

agrees('plain statements', <<'SQL');
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM c;
SELECT * FROM c LIMIT 3;
SELECT * FROM c ORDER BY n LIMIT 2;
SELECT count(*) FROM c TABLESAMPLE SYSTEM (50);
SELECT count(*) FROM c TABLESAMPLE BERNOULLI (10);
SELECT count(*) FROM c WHERE ctid < '(1,1)';
SELECT count(*) FROM c WHERE ctid = '(0,1)';
SELECT count(*) FROM seen;
SELECT DISTINCT n FROM c;
SELECT count(*) FROM a WHERE t LIKE '%7';
SELECT n, count(*) OVER (PARTITION BY n) FROM a;
TABLE parent;
SELECT * FROM ONLY parent;
SELECT FROM sums;
SELECT count(*) FROM c WHERE false;
SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0;
SELECT sum(n + id) FROM c;
SQL

agrees('indexes beside scans', <<'SQL');
SELECT * FROM a WHERE id = 7;
SET enable_seqscan = off;
SELECT count(*) FROM b WHERE n = 3;
SELECT n FROM b WHERE n IN (1, 2) ORDER BY n LIMIT 3;
SELECT count(*) FROM b WHERE n = 3 OR n = 4;
RESET enable_seqscan;
SELECT id, (SELECT count(*) FROM parent) FROM a WHERE id = 7;
SELECT id FROM a WHERE id = (SELECT max(i) FROM parent);
SELECT id FROM a WHERE id = 5 AND EXISTS (SELECT FROM parent WHERE i = a.n);
UPDATE a SET n = n + 1 WHERE id = 9;
UPDATE a SET n = (SELECT count(*) FROM parent) WHERE id = 10;
SELECT id, sql_sum(3), recursive(3) FROM a WHERE id = 7;
SELECT id FROM a WHERE id = 7 AND sql_sum(n) > 0;
SQL

my $joins = <<'SQL';
SELECT count(*) FROM a JOIN b ON a.id = b.a_id JOIN parent ON parent.i = b.n;
SELECT count(*) FROM parent AS x JOIN parent AS y USING (i);
SELECT count(*) FROM parent AS x JOIN child AS y ON x.i < y.i;
SELECT count(*) FROM parent, LATERAL (SELECT * FROM child WHERE child.i = parent.i LIMIT 1) AS s;
SELECT count(*) FROM parent LEFT JOIN child USING (i) WHERE child.i IS NULL;
SELECT i FROM parent WHERE i NOT IN (SELECT i FROM child);
SELECT i, (SELECT count(*) FROM child WHERE child.i > parent.i) FROM parent;
WITH w AS MATERIALIZED (SELECT * FROM parent) SELECT count(*) FROM w AS x, w AS y;
WITH w AS NOT MATERIALIZED (SELECT * FROM parent) SELECT count(*) FROM w AS x, w AS y;
WITH RECURSIVE w(i) AS (SELECT 1 UNION SELECT parent.i FROM w JOIN parent ON parent.i = w.i + 1) SELECT count(*) FROM w;
SELECT i FROM parent UNION SELECT i FROM child EXCEPT SELECT n FROM b;
SQL
agrees('joins', $joins);
agrees('joins by nested loops', "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;\nSET enable_memoize = off;\n$joins");
agrees('joins by merging', "SET enable_hashjoin = off; SET enable_nestloop = off;\n$joins");

agrees('partitions', <<'SQL');
SELECT count(*) FROM part;
SELECT count(*) FROM part WHERE k = 2;
SELECT count(*) FROM part WHERE k = 3 AND v < 50;
PREPARE p AS SELECT count(*) FROM part WHERE k = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE p (1);
EXECUTE p (3);
EXECUTE p (9);
SELECT count(*) FROM part WHERE k = (SELECT 2);
SELECT count(*) FROM part_3;
SET enable_partitionwise_aggregate = on;
SELECT k, count(*) FROM part GROUP BY k;
UPDATE part SET v = v + 1 WHERE k = 1;
UPDATE part SET k = 2 WHERE v = 4;
DELETE FROM part WHERE v = 6;
INSERT INTO part SELECT k, v + 1000 FROM part WHERE k = 1;
SQL

agrees('changes', <<'SQL');
SET max_parallel_workers_per_gather = 0;
UPDATE b SET n = n + 1 WHERE id < 50;
UPDATE b SET n = parent.i FROM parent WHERE b.id = parent.i;
DELETE FROM c USING parent WHERE c.id = parent.i;
INSERT INTO c SELECT * FROM c WHERE id < 100 RETURNING id;
INSERT INTO b SELECT 5000 + i, i, i FROM parent WHERE i < 4;
MERGE INTO c USING parent ON c.id = parent.i WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (i, 0);
WITH gone AS (DELETE FROM child WHERE i = 3 RETURNING *) INSERT INTO child SELECT * FROM gone;
DELETE FROM a WHERE id > 297;
UPDATE a SET id = id + 10000 WHERE id = 12;
DELETE FROM a WHERE id = 200;
SELECT * FROM parent WHERE i < 3 FOR UPDATE;
CREATE TABLE made AS SELECT * FROM parent;
CREATE TEMPORARY TABLE passing AS SELECT * FROM parent;
SELECT count(*) FROM passing JOIN parent USING (i);
REFRESH MATERIALIZED VIEW sums;
COPY (SELECT * FROM parent) TO stdout;
EXPLAIN (ANALYZE) SELECT count(*) FROM parent;
EXPLAIN SELECT count(*) FROM parent;
DROP TABLE made;
SQL

agrees('functions and procedures', <<'SQL');
SELECT sql_sum(i) FROM parent;
SELECT inlined(i) FROM parent;
SELECT count(*) FROM sql_rows() AS r JOIN parent USING (i);
SELECT folded() FROM parent;
SELECT recursive(20) FROM parent LIMIT 2;
SELECT fails(i) FROM child LIMIT 5;
SELECT loops(), count(*) FROM parent;
SELECT count(*) FROM parent WHERE loops() > i;
DO 'BEGIN PERFORM count(*) FROM parent; PERFORM fails(3); END';
CALL commits();
SQL

agrees('errors and rollbacks', <<'SQL');
SELECT 1 / (i - 5) FROM parent;
SELECT sum(1 / (sql_sum(i) - 3)) FROM parent;
BEGIN;
SELECT count(*) FROM parent;
SAVEPOINT s;
SELECT count(*) FROM child WHERE 1 / (i - 7) = 0;
ROLLBACK TO s;
SELECT count(*) FROM child;
SAVEPOINT t;
INSERT INTO c SELECT * FROM c LIMIT 5;
ROLLBACK TO t;
RELEASE s;
SELECT 1 / (i - 2) FROM parent;
ROLLBACK;
SELECT count(*) FROM parent;
BEGIN;
INSERT INTO b SELECT 6000 + i, i, i FROM parent WHERE i < 3;
SELECT count(*) FROM parent;
ROLLBACK;
INSERT INTO b VALUES (1, -1, 1);
SET statement_timeout = 50;
SELECT count(*) FROM c AS x, c AS y, c AS z WHERE x.id + y.id + z.id < 0;
SET statement_timeout = 0;
PREPARE q AS SELECT 1 / (i - $1) FROM parent;
EXECUTE q (11);
EXECUTE q (3);
BEGIN;
EXECUTE q (4);
ROLLBACK;
DECLARE h CURSOR WITH HOLD FOR SELECT 1 / (i - 8) FROM parent;
DO 'BEGIN PERFORM 1 / (i - 6) FROM parent; END';
SQL

agrees('cursors', <<'SQL');
BEGIN;
DECLARE x SCROLL CURSOR FOR SELECT * FROM parent;
DECLARE y CURSOR FOR SELECT * FROM parent;
FETCH 3 FROM x;
FETCH 2 FROM y;
FETCH BACKWARD 2 FROM x;
FETCH ALL FROM y;
SELECT count(*) FROM parent;
MOVE ABSOLUTE 2 IN x;
UPDATE parent SET i = i WHERE CURRENT OF x;
FETCH ALL FROM x;
CLOSE x;
DECLARE z CURSOR FOR SELECT sql_sum(i), 1 / (i - 4) FROM parent;
FETCH 2 FROM z;
FETCH 9 FROM z;
ROLLBACK;
SQL

agrees('a cursor that is rewound begins anew outside of a run', <<'SQL', 'parent: 1 scans of 2, 11 rows of 11');
BEGIN;
DECLARE k CURSOR WITH HOLD FOR SELECT * FROM ONLY parent;
FETCH 1 FROM k;
COMMIT;
FETCH ALL FROM k;
CLOSE k;
SQL

agrees('utility commands are no statements that scan', <<'SQL', "parent: 0 scans of 1, 0 rows of 10\nsums: 0 scans of 1, 0 rows of 5");
CREATE INDEX ON sums (n);
COPY parent TO stdout;
SQL

agrees('transactions of all kinds', <<'SQL');
BEGIN;
SELECT count(*) FROM parent;
INSERT INTO b SELECT 7000 + i, i, i FROM parent WHERE i < 3;
SET CONSTRAINTS ALL IMMEDIATE;
PREPARE TRANSACTION 'p';
SELECT count(*) FROM parent;
COMMIT PREPARED 'p';
BEGIN;
CREATE TABLE brief AS SELECT * FROM parent;
SELECT count(*) FROM brief, parent;
TRUNCATE child;
SELECT count(*) FROM child;
DROP TABLE brief;
SELECT count(*) FROM parent;
ROLLBACK;
SELECT count(*) FROM child;
BEGIN;
TRUNCATE child;
INSERT INTO child SELECT i, i FROM parent;
SELECT count(*) FROM child;
COMMIT;
SELECT count(*) FROM child;
BEGIN;
SELECT count(*) FROM c;
ALTER TABLE c SET (fillfactor = 90);
SELECT count(*) FROM c;
COMMIT;
SELECT count(*) FROM c \; SELECT count(*) FROM parent \; SELECT count(*) FROM c LIMIT 1;
SQL

my $parallel = <<'SQL';
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET debug_parallel = off;
SQL
my $shares = <<'SQL';
SELECT count(*) FROM c WHERE n = 3;
SELECT count(*) FROM c AS x JOIN c AS y USING (id);
SELECT * FROM c WHERE id = 17;
SELECT count(*) FROM c WHERE n = 3 LIMIT 1;
SELECT parallel_inside();
SELECT parallel_inside() FROM parent LIMIT 2;
SELECT count(*) FROM c WHERE id < 30 AND in_workers(n) > 2;
SELECT count(*) FROM part WHERE v > 10;
SELECT n, (SELECT count(*) FROM c AS y WHERE y.n = x.n) FROM parent, LATERAL (SELECT i AS n) AS x;
SQL
$parallel =~ s/^SET debug.*\n//m;
agrees('parallel plans', "$parallel$shares");
agrees('parallel plans without their leader', "${parallel}SET parallel_leader_participation = off;\n$shares");

# Whose rows those are that parallel workers read.
sub owners
{
	return $node->safe_psql('postgres', <<'SQL');
SELECT relation::regclass, toplevel, count(DISTINCT query_id), sum(rows_read) FROM remedy.scans
WHERE rows_read > 0 GROUP BY 1, 2 ORDER BY 1, 2
SQL
}

$node->safe_psql('postgres', 'TRUNCATE c; INSERT INTO c SELECT i, i % 5 FROM generate_series(1, 20000) AS i; ANALYZE c;');
$node->safe_psql('postgres', 'SELECT remedy.reset()');
psql_as($node, 'client', "${parallel}SET parallel_leader_participation = off;\nSELECT parallel_inside();");
is(owners(), 'c|f|1|20000', 'workers of a query in a function count for it');
$node->safe_psql('postgres', 'SELECT remedy.reset()');
psql_as($node, 'client', "${parallel}SET parallel_leader_participation = off;\nSELECT count(*) FROM c WHERE n = 3;");
is(owners(), 'c|t|1|20000', 'those of a statement for the statement');
$node->safe_psql('postgres', 'SELECT remedy.reset()');
psql_as($node, 'client', "${parallel}SELECT count(*) FROM c WHERE id < 30 AND in_workers(n) > 2;");
is(owners(), "c|t|1|20000\nparent|f|1|290\nchild|f|1|290", 'and functions in workers for themselves');

unlike(complaints($node), qr/WARNING|FATAL|PANIC|internal/, 'nobody complained of anything else than asked for');
$node->stop;
done_testing();

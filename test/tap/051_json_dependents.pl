# A json column with every kind of object hanging on it, migrated by an ordinary owner: what there is afterwards is
# what there was, but for json that is jsonb.  Undo and abort bring back the very same; a refusal leaves no trace.

use strict;
use warnings FATAL => 'all';

use FindBin;
use lib $FindBin::RealBin;

use Remedy;
use Test::More;

my $node = plain('dependents', 'wal_level = logical', 'max_worker_processes = 16', 'fsync = off');
my $psql = sub { return $node->safe_psql('postgres', $_[0]) };

# ---- What is looked at ---------------------------------------------------------------------------------

$psql->(<<'SQL');
CREATE EXTENSION pg_remedy;
CREATE ROLE owner LOGIN;
CREATE ROLE reader LOGIN;
CREATE ROLE other LOGIN;

-- All that the catalogs say of a schema, by names; positions of columns only if they are asked for.
CREATE FUNCTION snapshot(wanted text, positions boolean) RETURNS SETOF text LANGUAGE sql SET search_path = pg_catalog AS $$
	WITH relation AS (SELECT c.*, c.oid::regclass::text AS called FROM pg_class AS c
	                  WHERE c.relnamespace = wanted::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'i', 'I'))
	SELECT concat_ws(' ', 'relation', called, relkind, relowner::regrole, reloptions::text, relpersistence, relrowsecurity,
		relforcerowsecurity, relreplident, relispartition, relispopulated, obj_description(oid, 'pg_class'),
		(SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) AS a))
	FROM relation
	UNION ALL
	SELECT concat_ws(' ', 'column', r.called, CASE WHEN r.relkind IN ('i', 'I') THEN a.attnum::text ELSE a.attname END,
		CASE WHEN positions THEN a.attnum END, format_type(a.atttypid, a.atttypmod),
		a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, array_remove(a.attoptions, (SELECT o FROM unnest(a.attoptions) AS o WHERE o LIKE 'pg_attver%'))::text,
		a.attstattarget, a.attstorage, a.attcompression, a.attislocal, a.attinhcount,
		col_description(a.attrelid, a.attnum),
		(SELECT array_agg(x::text ORDER BY x::text) FROM unnest(a.attacl) AS x))
	FROM relation AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	UNION ALL
	SELECT concat_ws(' ', 'view', called, pg_get_viewdef(oid)) FROM relation WHERE relkind IN ('v', 'm')
	UNION ALL
	SELECT concat_ws(' ', 'index', r.called, pg_get_indexdef(r.oid), i.indisunique, i.indisvalid, i.indisclustered, i.indisreplident,
		(SELECT h.inhparent::regclass FROM pg_inherits AS h WHERE h.inhrelid = r.oid))
	FROM relation AS r JOIN pg_index AS i ON i.indexrelid = r.oid
	UNION ALL
	-- A NOT NULL that a partition has from its parent gets the parent's name.
	SELECT concat_ws(' ', 'constraint', r.called, CASE WHEN k.contype = 'n' AND k.coninhcount > 0 THEN 'inherited' ELSE k.conname END, pg_get_constraintdef(k.oid), k.convalidated, k.conislocal, k.coninhcount,
		k.connoinherit, obj_description(k.oid, 'pg_constraint'))
	FROM relation AS r JOIN pg_constraint AS k ON k.conrelid = r.oid
	UNION ALL
	SELECT concat_ws(' ', 'trigger', r.called, pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
	FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
	UNION ALL
	SELECT concat_ws(' ', 'rule', r.called, pg_get_ruledef(w.oid), w.ev_enabled, obj_description(w.oid, 'pg_rewrite'))
	FROM relation AS r JOIN pg_rewrite AS w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
	UNION ALL
	SELECT concat_ws(' ', 'policy', r.called, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
		pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy'))
	FROM relation AS r JOIN pg_policy AS p ON p.polrelid = r.oid
	UNION ALL
	SELECT concat_ws(' ', 'statistics', s.stxname, pg_get_statisticsobjdef(s.oid), s.stxowner::regrole, s.stxstattarget,
		obj_description(s.oid, 'pg_statistic_ext'))
	FROM pg_statistic_ext AS s WHERE s.stxnamespace = wanted::regnamespace
	UNION ALL
	SELECT concat_ws(' ', 'function', p.oid::regprocedure, p.proowner::regrole, p.proacl::text, obj_description(p.oid, 'pg_proc'), pg_get_functiondef(p.oid))
	FROM pg_proc AS p WHERE p.pronamespace = wanted::regnamespace
	UNION ALL
	SELECT concat_ws(' ', 'publication', t.pubname, t.tablename, (SELECT array_agg(n ORDER BY n) FROM unnest(t.attnames) AS n), t.rowfilter)
	FROM pg_publication_tables AS t WHERE t.schemaname = wanted
	UNION ALL
	SELECT concat_ws(' ', 'type', t.typname, t.typtype) FROM pg_type AS t WHERE t.typnamespace = wanted::regnamespace
$$;
SQL

# Of the whole schema, sorted, without what is ours.
sub snapshot
{
	my ($schema, %options) = @_;
	my $positions = $options{positions} ? 'true' : 'false';
	my $lines = $psql->("SELECT replace(line, E'\\n', ' ') FROM snapshot('$schema', $positions) AS s(line)
		WHERE line !~ 'remedy_(json|old)_' ORDER BY line COLLATE \"C\"");

	# Spaces at which the printer breaks lines say nothing.
	$lines =~ s/ +/ /g;
	return $lines;
}

sub ours
{
	my ($schema) = @_;

	return $psql->("SELECT line FROM snapshot('$schema', false) AS s(line) WHERE line ~ 'remedy_(json|old)_' ORDER BY line");
}

# What differs after the swap as it must.
sub as_json
{
	my ($lines) = @_;

	$lines =~ s/jsonb/json/g;
	$lines =~ s/\(\(doc\)::json\) json_path_ops/doc json_path_ops/g;
	return join("\n", sort split(/\n/, $lines));
}

# Until all is finished a check or NOT NULL is violated twice, and the error may name either.
sub masked
{
	my ($answers) = @_;

	$answers =~ s/((?:check constraint|in column) )"[^"]*"/$1.../g;
	return $answers;
}

sub same
{
	my ($now, $before, $what) = @_;
	my %before = map { $_ => 1 } split(/\n/, $before);
	my %now = map { $_ => 1 } split(/\n/, $now);
	my @gone = grep { !$now{$_} } sort keys %before;
	my @come = grep { !$before{$_} } sort keys %now;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(!@gone && !@come, $what)
	  or diag(join("\n", (map { "- $_" } @gone), (map { "+ $_" } @come)));
	return;
}

# ---- The table -----------------------------------------------------------------------------------------

# A schema with a table t and all that may hang on its column doc.
sub furnish
{
	my ($schema, $table) = @_;
	my $partitioned = $table =~ /PARTITION BY/;

	$psql->("CREATE SCHEMA $schema AUTHORIZATION owner; GRANT USAGE ON SCHEMA $schema TO PUBLIC; GRANT CREATE ON DATABASE postgres TO owner;");
	$psql->("SET SESSION AUTHORIZATION owner; SET search_path = $schema; $table" . <<'SQL');
	-- The column itself.
	ALTER TABLE t ALTER COLUMN doc SET STATISTICS 77, ALTER COLUMN doc SET STORAGE EXTERNAL, ALTER COLUMN doc SET (n_distinct = -0.5);
	COMMENT ON COLUMN t.doc IS 'the document';
	COMMENT ON TABLE t IS 'the table';
	GRANT SELECT (doc), UPDATE (doc) ON t TO reader WITH GRANT OPTION;
	GRANT SELECT (id), INSERT (id, doc) ON t TO other;
	GRANT ALL ON t TO reader;
	CREATE TABLE audit (id integer, what text, doc json);
	CREATE TABLE u (id integer PRIMARY KEY, t_id integer);
	GRANT ALL ON audit, u TO reader, other;

	-- Checks, indexes, statistics.
	ALTER TABLE t ADD CONSTRAINT is_object CHECK (json_typeof(doc) = 'object');
	ALTER TABLE t ADD CONSTRAINT "two columns" CHECK (id > 0 OR doc ->> 'a' IS NOT NULL);
	ALTER TABLE t ADD CONSTRAINT unproved CHECK (doc ->> 'bad' IS NULL) NOT VALID;
	COMMENT ON CONSTRAINT is_object ON t IS 'objects only';
	CREATE INDEX t_a ON t ((doc ->> 'a'));
	CREATE INDEX "t where" ON t (id DESC NULLS LAST) INCLUDE (note) WHERE doc ->> 'b' = 'y';
	CREATE INDEX t_gin ON t USING gin ((doc::jsonb) jsonb_path_ops) WITH (fastupdate = off);
	CREATE UNIQUE INDEX t_unique ON t (id, (doc ->> 'a'));
	COMMENT ON INDEX t_a IS 'by a';
	ALTER INDEX t_a ALTER COLUMN 1 SET STATISTICS 55;
	CREATE STATISTICS t_stat (ndistinct, mcv) ON (doc ->> 'a'), note FROM t;
	COMMENT ON STATISTICS t_stat IS 'a with note';
	ALTER STATISTICS t_stat SET STATISTICS 33;

	-- Triggers in all states.
	CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS
		$f$ BEGIN EXECUTE format('INSERT INTO %I.audit VALUES ($1, $2, $3)', TG_TABLE_SCHEMA) USING NEW.id, TG_NAME, NEW.doc; RETURN NEW; END $f$;
	CREATE TRIGGER on_doc AFTER UPDATE OF doc ON t FOR EACH ROW EXECUTE FUNCTION note_it();
	CREATE TRIGGER on_kind BEFORE UPDATE OF note, doc ON t FOR EACH ROW WHEN (json_typeof(NEW.doc) = 'object' AND OLD.doc ->> 'a' <> 'no') EXECUTE FUNCTION note_it();
	CREATE TRIGGER on_always AFTER UPDATE OF doc ON t FOR EACH ROW EXECUTE FUNCTION note_it();
	CREATE TRIGGER on_replica AFTER UPDATE OF doc ON t FOR EACH ROW WHEN (NEW.doc ->> 'a' = 'x') EXECUTE FUNCTION note_it();
	CREATE TRIGGER on_nothing AFTER UPDATE OF doc ON t FOR EACH ROW EXECUTE FUNCTION note_it();
	CREATE TRIGGER any_insert AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note_it();
	ALTER TABLE t ENABLE ALWAYS TRIGGER on_always, ENABLE REPLICA TRIGGER on_replica, DISABLE TRIGGER on_nothing;
	COMMENT ON TRIGGER on_kind ON t IS 'if it is an object';

	-- Views.
	CREATE VIEW v WITH (security_barrier) AS SELECT id, doc, doc ->> 'a' AS a, json_typeof(doc) AS kind, note FROM t;
	ALTER VIEW v ALTER COLUMN doc SET DEFAULT '{"a": "of the view"}';
	COMMENT ON VIEW v IS 'the view';
	COMMENT ON COLUMN v.a IS 'a in text';
	GRANT SELECT, INSERT ON v TO reader;
	GRANT UPDATE (doc) ON v TO other;
	CREATE VIEW w AS SELECT x.id, x.doc -> 'list' AS list, count(*) OVER () AS n FROM v AS x WHERE a <> 'nobody';
	CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS
		$f$ BEGIN EXECUTE format('INSERT INTO %I.audit VALUES ($1, $2)', TG_TABLE_SCHEMA) USING NEW.id, TG_NAME; RETURN NEW; END $f$;
	CREATE TRIGGER into_w INSTEAD OF INSERT ON w FOR EACH ROW EXECUTE FUNCTION instead();
	CREATE VIEW "View Three" WITH (check_option = local) AS SELECT id, doc FROM v WHERE doc ->> 'a' IS NOT NULL;
	CREATE VIEW joined AS
		WITH e AS (SELECT id, element.value FROM t, json_array_elements(t.doc -> 'list') AS element)
		SELECT u.id, e.value, json_build_object('d', t.doc) AS built FROM u JOIN t ON t.id = u.t_id LEFT JOIN e ON e.id = t.id;
	CREATE MATERIALIZED VIEW m AS SELECT id, doc, json_array_length(list) AS n FROM t JOIN w USING (id);
	CREATE UNIQUE INDEX m_id ON m (id);
	CREATE INDEX m_a ON m ((doc ->> 'a'));
	COMMENT ON MATERIALIZED VIEW m IS 'kept';
	COMMENT ON INDEX m_id IS 'of m';
	GRANT SELECT ON m TO reader;

	-- Policies, functions, rules.
	CREATE POLICY own_rows ON t TO reader USING (doc ->> 'who' = current_user) WITH CHECK (json_typeof(doc -> 'who') = 'string');
	CREATE POLICY narrow ON t AS RESTRICTIVE FOR SELECT USING (doc ->> 'hidden' IS NULL);
	COMMENT ON POLICY own_rows ON t IS 'whose it is';
	ALTER TABLE t ENABLE ROW LEVEL SECURITY;
	CREATE POLICY through_t ON u TO reader USING (EXISTS (SELECT FROM t WHERE t.id = u.t_id AND json_array_length(t.doc -> 'list') = 2));
	ALTER TABLE u ENABLE ROW LEVEL SECURITY;
	CREATE FUNCTION a_of(wanted integer DEFAULT 1) RETURNS text STABLE LANGUAGE sql
		BEGIN ATOMIC SELECT doc ->> 'a' FROM t WHERE id = wanted; END;
	CREATE FUNCTION doc_of(integer) RETURNS json STABLE STRICT PARALLEL SAFE COST 7 LANGUAGE sql SECURITY DEFINER
		RETURN (SELECT doc FROM t WHERE id = $1);
	CREATE PROCEDURE mark(wanted integer) LANGUAGE sql
		BEGIN ATOMIC UPDATE t SET doc = json_build_object('a', 'marked', 'who', 'reader', 'was', doc) WHERE id = wanted; INSERT INTO audit SELECT wanted, 'mark', doc FROM t WHERE id = wanted; END;
	REVOKE ALL ON FUNCTION doc_of(integer) FROM PUBLIC;
	GRANT EXECUTE ON FUNCTION doc_of(integer) TO reader;
	COMMENT ON FUNCTION a_of(integer) IS 'a';
	CREATE RULE audit_note AS ON UPDATE TO t WHERE OLD.doc ->> 'a' <> NEW.doc ->> 'a' DO ALSO INSERT INTO audit VALUES (NEW.id, 'rule', NEW.doc);
	CREATE RULE u_gone AS ON DELETE TO u DO ALSO UPDATE t SET doc = '{"a": "orphan", "who": "reader"}' WHERE id = OLD.t_id AND json_typeof(doc) = 'object';
	COMMENT ON RULE audit_note ON t IS 'noted';

	INSERT INTO t (id, doc, note) SELECT i, json_build_object('a', 'a' || i % 7, 'b', CASE WHEN i % 2 = 0 THEN 'y' ELSE 'n' END, 'who', CASE WHEN i % 3 = 0 THEN 'reader' ELSE 'other' END, 'list', json_build_array(i, i % 5)), 'n' || i
		FROM generate_series(1, 400) AS i;
	INSERT INTO u SELECT i, i * 3 FROM generate_series(1, 20) AS i;
	REFRESH MATERIALIZED VIEW m;
	ANALYZE t;
SQL
	$psql->("SET SESSION AUTHORIZATION owner; CREATE PUBLICATION ${schema}_columns FOR TABLE $schema.t (id, doc) WHERE (id > 5)
			WITH (publish_via_partition_root = true);
		CREATE PUBLICATION ${schema}_others FOR TABLE $schema.t (id, note), $schema.u WITH (publish_via_partition_root = true)");
	return;
}

# ---- What it answers -----------------------------------------------------------------------------------

# Each in a transaction that is rolled back.
my @probes = (
	[ owner => q{SELECT count(*), min(doc ->> 'a'), sum((doc -> 'list' ->> 0)::integer) FROM t} ],
	[ owner => q{INSERT INTO t (id) VALUES (900) RETURNING doc ->> 'a'} ],
	[ owner => q{INSERT INTO t (id, doc) VALUES (901, '[]')} ],
	[ owner => q{INSERT INTO t (id, doc) VALUES (-1, '{}')} ],
	[ owner => q{INSERT INTO t (id, doc) VALUES (902, '{"bad": 1}')} ],
	[ owner => q{INSERT INTO t (id, doc) VALUES (903, NULL)} ],
	[ owner => q{UPDATE t SET doc = '{"a": "x", "who": "reader"}' WHERE id = 3; SELECT id, what, doc ->> 'a' FROM audit ORDER BY what COLLATE "C"} ],
	[ owner => q{UPDATE t SET note = 'new' WHERE id = 3; SELECT id, what FROM audit ORDER BY what COLLATE "C"} ],
	[ reader => q{SELECT count(*) FROM t} ],
	[ reader => q{INSERT INTO t (id, doc) VALUES (904, '{"who": 1}')} ],
	[ reader => q{UPDATE t SET doc = '{"who": "nobody"}' WHERE id = 3} ],
	[ other => q{SELECT doc FROM t} ],
	[ other => q{SELECT count(id) FROM t} ],
	[ reader => q{SELECT count(*), sum(id) FROM u} ],
	[ owner => q{DELETE FROM u WHERE id = 2; SELECT doc ->> 'a' FROM t WHERE id = 6} ],
	[ owner => q{SELECT count(*), max(a), min(kind) FROM v} ],
	[ owner => q{INSERT INTO v (id) VALUES (905); SELECT doc ->> 'a' FROM t WHERE id = 905} ],
	[ reader => q{SELECT count(*) FROM v} ],
	[ other => q{SELECT count(*) FROM v} ],
	[ owner => q{SELECT sum(list ->> 0 = id::text)::text FROM (SELECT id, list ->> 0 FROM w) AS x (id, first), LATERAL (SELECT (first = id::text)::integer) AS y (list)} ],
	[ owner => q{SELECT count(*), sum((list ->> 0)::integer), min(n) FROM w} ],
	[ owner => q{INSERT INTO w (id) VALUES (1); SELECT id, what FROM audit} ],
	[ owner => q{INSERT INTO "View Three" VALUES (906, '{}')} ],
	[ owner => q{SELECT count(*), sum((value #>> '{}')::integer), min(built -> 'd' ->> 'a') FROM joined} ],
	[ reader => q{SELECT count(*), sum(n), min(doc ->> 'a') FROM m} ],
	[ owner => q{REFRESH MATERIALIZED VIEW CONCURRENTLY m; SELECT count(*) FROM m} ],
	[ owner => q{SELECT a_of(), a_of(5), doc_of(4) ->> 'a', pg_typeof(doc_of(4))} ],
	[ reader => q{SELECT doc_of(4) ->> 'a'} ],
	[ other => q{SELECT doc_of(4)} ],
	[ owner => q{CALL mark(9); SELECT doc ->> 'a', doc -> 'was' ->> 'a' FROM t WHERE id = 9; SELECT what, doc ->> 'a' FROM audit ORDER BY what COLLATE "C"} ],
	[ owner => q{SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY doc ->> 'a'} ],
);

sub answers
{
	my ($schema) = @_;
	my $all = '';

	foreach my $probe (@probes)
	{
		my ($role, $sql) = @$probe;
		my ($printed, $errors) = psql_as($node, 'probe', "\\set VERBOSITY terse\nSET search_path = $schema;\nBEGIN;\n$sql;\nROLLBACK;\n", role => $role);
		$errors =~ s/^psql:<stdin>:\d+: //mg;
		$all .= join(' ', "$role: $sql =>", split(/\n/, "$printed\n$errors")) . "\n";
	}
	return $all;
}

# ---- Migrated, undone, migrated, finished --------------------------------------------------------------

sub migrate
{
	my ($procedure, $schema, $options) = @_;
	my (undef, $errors) = psql_as($node, 'migrator', "CALL remedy.${procedure}_json" . ($procedure eq 'migrate' ? '' : '_migration')
		  . "('$schema.t', 'doc'" . ($options // '') . ')', role => 'owner');

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	unlike($errors, qr/ERROR|WARNING/, "$schema: $procedure");
	return;
}

sub play
{
	my ($schema) = @_;
	my $exactly = snapshot($schema, positions => 1);
	my $before = snapshot($schema);
	my $answers = answers($schema);

	is($psql->("SET SESSION AUTHORIZATION owner; SELECT object || ': ' || refusal FROM remedy.plan_json_migration('$schema.t', 'doc') WHERE refusal IS NOT NULL"),
		'', "$schema: nothing is refused");
	same(snapshot($schema, positions => 1), $exactly, "$schema: the plan changes nothing");
	migrate('migrate', $schema, ", swap => 'wait'");
	same(snapshot($schema, positions => 1), $exactly, "$schema: before the swap nothing of the user's is changed");
	same(masked(answers($schema)), masked($answers), "$schema: nor what it answers");
	migrate('abort', $schema);
	same(snapshot($schema, positions => 1), $exactly, "$schema: abort leaves nothing changed");
	is(ours($schema), '', "$schema: nor anything behind");

	migrate('migrate', $schema);
	is($psql->("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '$schema.t'::regclass AND attname = 'doc'"), 'jsonb', "$schema: it is jsonb");
	same(as_json(snapshot($schema)), as_json($before), "$schema: after the swap all is as before");
	same(masked(answers($schema)), masked($answers), "$schema: and answers the same");

	migrate('undo', $schema);
	same(snapshot($schema, positions => 1), $exactly, "$schema: undo brings back all");
	same(masked(answers($schema)), masked($answers), "$schema: with its answers");

	migrate('migrate', $schema);
	migrate('finish', $schema);
	same(as_json(snapshot($schema)), as_json($before), "$schema: finished, all is as before");
	same(answers($schema), $answers, "$schema: and answers the same");
	is(ours($schema), '', "$schema: nothing of ours stays");
	return;
}

my $columns = q{(gone text, id integer PRIMARY KEY, doc json COMPRESSION pglz NOT NULL DEFAULT '{"a": "default"}', dropped integer, other json, note text)};
furnish('whole', "CREATE TABLE t $columns; ALTER TABLE t DROP COLUMN gone;");
play('whole');

furnish('parts', "CREATE TABLE t $columns PARTITION BY RANGE (id); ALTER TABLE t DROP COLUMN gone;
	CREATE TABLE t_rest (note text, id integer NOT NULL, other json, doc json COMPRESSION pglz NOT NULL, dropped integer, extra text);
	ALTER TABLE t_rest DROP COLUMN extra; ALTER TABLE t ATTACH PARTITION t_rest DEFAULT;
	CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (1) TO (100);
	CREATE TABLE t_high PARTITION OF t FOR VALUES FROM (100) TO (300) PARTITION BY HASH (id);
	CREATE TABLE t_high_0 PARTITION OF t_high FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE t_high_1 PARTITION OF t_high FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	ALTER TABLE t_rest ALTER COLUMN doc SET DEFAULT '{\"a\": \"of the rest\"}';
	CREATE INDEX t_low_only ON t_low ((doc ->> 'who'));
	CREATE VIEW low AS SELECT doc FROM t_low;");
play('parts');

# ---- Refusals ------------------------------------------------------------------------------------------

# Refused before the first change, and told of by the plan.
sub refused
{
	my ($what, $sql, $expected) = @_;
	my $call = q{CALL remedy.migrate_json('refused.t', 'doc')};

	$psql->("CREATE SCHEMA refused AUTHORIZATION owner; SET SESSION AUTHORIZATION owner; SET search_path = refused;
		CREATE TABLE t (id integer PRIMARY KEY, doc json, note text); $sql");
	my ($before, $ours) = (snapshot('refused', positions => 1), ours('refused'));
	my (undef, $planned) = psql_as($node, 'planner', q{DO $$ BEGIN RAISE '%', (SELECT string_agg(object || ': ' || refusal, E'\n')
		FROM remedy.plan_json_migration('refused.t', 'doc') WHERE refusal IS NOT NULL); END $$}, role => 'owner');
	like($planned, $expected, "refused in the plan: $what");
	my (undef, $errors) = psql_as($node, 'migrator', $call, role => 'owner');
	like($errors, $expected, "refused: $what");
	same(snapshot('refused', positions => 1), $before, "no trace: $what");
	is(ours('refused'), $ours, "nothing behind: $what");
	$psql->('DROP SCHEMA refused CASCADE; DROP PUBLICATION IF EXISTS refused_all');
	return;
}

refused('a generated column', q{ALTER TABLE t ADD a text GENERATED ALWAYS AS (doc ->> 'a') STORED}, qr/generated column/);
refused('a column of the row type', 'CREATE TABLE kept (whole t)', qr/refused\.kept\.whole.*stores rows of this type/);
refused('a domain over the row type', 'CREATE DOMAIN whole AS t', qr/refused\.whole: .*made of rows/);
refused('a body that returns the row type', 'CREATE FUNCTION all_t() RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC SELECT * FROM t; END', qr/all_t\(\): .*column by column/);
refused('a row built by a view', q{CREATE VIEW built AS SELECT ROW(1, '{}', 'n')::t AS whole}, qr/built.*column by column/);
refused('a function of the row type of a view', 'CREATE VIEW v AS SELECT * FROM t; CREATE FUNCTION f(v) RETURNS integer LANGUAGE sql RETURN 1', qr/f\(refused\.v\): .*old view/);
refused('a typed table', 'DROP TABLE t; CREATE TYPE shape AS (id integer, doc json, note text); CREATE TABLE t OF shape', qr/typed table/);
refused('a view with a rule', 'CREATE VIEW v AS SELECT * FROM t; CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING', qr/view refused\.v: .*rule/);
refused('names that are taken', 'ALTER TABLE t ADD remedy_json_2 integer', qr/remedy_json_2.*name/);
refused('a view of another owner', 'CREATE VIEW v AS SELECT * FROM t; RESET SESSION AUTHORIZATION; ALTER VIEW refused.v OWNER TO other', qr/view refused\.v: .*own/);
refused('subscribers that would stop', 'RESET SESSION AUTHORIZATION; CREATE PUBLICATION refused_all FOR TABLE refused.t', qr/refused_all.*subscribers/s);
refused('updates that cannot be published', 'ALTER TABLE t DROP CONSTRAINT t_pkey; CREATE PUBLICATION refused_all FOR TABLE t (id, note)', qr/no replica identity/);
refused('a function that takes json', 'CREATE FUNCTION f(json) RETURNS json IMMUTABLE LANGUAGE sql AS $f$ SELECT $1 $f$; CREATE TABLE x (id integer);
	CREATE SEQUENCE s OWNED BY t.doc', qr/refused\.s: it cannot be carried over/);

done_testing();

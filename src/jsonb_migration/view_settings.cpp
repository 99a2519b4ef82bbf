// Most of it is asked of the catalogs, by queries that write the commands.

#include "jsonb_migration/view_settings.hpp"

namespace remedy::jsonb_migration {

namespace {

// The first column of the rows of a query of ours about a relation: $1 is its OID, $2 and $3 are names.
List *
look_up(const char *query, Oid relation, const char *name, const char *new_name) noexcept
{
	const MemoryContext memory = CurrentMemoryContext;
	Oid types[] = {OIDOID, TEXTOID, TEXTOID};
	Datum values[] = {ObjectIdGetDatum(relation), CStringGetTextDatum(name), CStringGetTextDatum(new_name)};
	const int nest_level = NewGUCNestLevel();
	List *texts = NIL;

	set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	if (SPI_execute_with_args(query, 3, types, values, nullptr, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not look up relation %u", relation);
	for (uint64 i = 0; i < SPI_processed; ++i)
		if (const char *const text = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1); text != nullptr)
		{
			const MemoryContext own = MemoryContextSwitchTo(memory);
			texts = lappend(texts, pstrdup(text));
			MemoryContextSwitchTo(own);
		}
	SPI_finish();
	AtEOXact_GUC(true, nest_level);
	return texts;
}

// Each part gives commands and what they are ordered by.
constexpr const char *settings_query = R"(
WITH relation AS (
	SELECT r.*, CASE r.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind
	FROM pg_catalog.pg_class r WHERE r.oid = $1),
columns AS (
	SELECT a.*, r.kind, t.typstorage,
		pg_catalog.format('ALTER %s %s ALTER COLUMN %I ', r.kind, $3, a.attname) AS alter_column
	FROM relation r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
	JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
	WHERE a.attnum > 0 AND NOT a.attisdropped),
items AS (
	SELECT x.*, '' AS columns, 0 AS number FROM relation r, pg_catalog.aclexplode(r.relacl) x
	UNION ALL
	SELECT x.*, pg_catalog.format(' (%I)', a.attname), a.attnum FROM columns a, pg_catalog.aclexplode(a.attacl) x),
triggers AS (
	SELECT t.oid, t.tgname, pg_catalog.substr(d.definition, pg_catalog.length(b.beginning) + 1) AS rest, b.beginning
	FROM pg_catalog.pg_trigger t, pg_catalog.pg_get_triggerdef(t.oid) d(definition),
		pg_catalog.concat('CREATE TRIGGER ', pg_catalog.quote_ident(t.tgname)) b(beginning)
	WHERE t.tgrelid = $1 AND NOT t.tgisinternal),
commands AS (
	SELECT 1 AS part, d.adnum::int AS number, '' AS name,
		a.alter_column || 'SET DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS command
	FROM pg_catalog.pg_attrdef d JOIN columns a ON a.attnum = d.adnum WHERE d.adrelid = $1
	UNION ALL
	SELECT 2, attnum, '', alter_column || 'SET STATISTICS ' || attstattarget
	FROM columns WHERE kind = 'MATERIALIZED VIEW' AND attstattarget >= 0
	UNION ALL
	SELECT 3, attnum, '', alter_column || 'SET STORAGE ' ||
		CASE attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
	FROM columns WHERE kind = 'MATERIALIZED VIEW' AND attstorage <> typstorage
	UNION ALL
	SELECT 4, attnum, '', alter_column || 'SET COMPRESSION ' ||
		CASE attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END
	FROM columns WHERE attcompression <> ''
	UNION ALL
	SELECT 5, attnum, '', alter_column || pg_catalog.format('SET (%s)', pg_catalog.string_agg(option, ', '))
	FROM columns, pg_catalog.unnest(attoptions) option
	WHERE option NOT LIKE 'pg\_attver=%' -- the server's own mark
	GROUP BY attnum, alter_column
	UNION ALL
	SELECT 6, d.objsubid, '', CASE d.objsubid
		WHEN 0 THEN pg_catalog.format('COMMENT ON %s %s IS %L', r.kind, $3, d.description)
		ELSE pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', $3, a.attname, d.description) END
	FROM relation r JOIN pg_catalog.pg_description d
		ON d.objoid = r.oid AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
	LEFT JOIN columns a ON a.attnum = d.objsubid
	UNION ALL
	SELECT 7, l.objsubid, l.provider, CASE l.objsubid
		WHEN 0 THEN pg_catalog.format('SECURITY LABEL FOR %I ON %s %s IS %L', l.provider, r.kind, $3, l.label)
		ELSE pg_catalog.format('SECURITY LABEL FOR %I ON COLUMN %s.%I IS %L', l.provider, $3, a.attname, l.label) END
	FROM relation r JOIN pg_catalog.pg_seclabel l
		ON l.objoid = r.oid AND l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
	LEFT JOIN columns a ON a.attnum = l.objsubid
	UNION ALL
	SELECT 8, 0, tgname, beginning ||
		pg_catalog.overlay(rest, ' ON ' || $3 || ' ',
			pg_catalog.strpos(rest, ' ON ' || $2 || ' '), pg_catalog.length(' ON ' || $2 || ' '))
	FROM triggers
	UNION ALL
	SELECT 9, 0, t.tgname, pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, $3, d.description)
	FROM triggers t JOIN pg_catalog.pg_description d
		ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass
	UNION ALL
	SELECT 10, 0, '', pg_catalog.format('REVOKE ALL ON %s FROM %I', $3, pg_catalog.pg_get_userbyid(relowner))
	FROM relation WHERE relacl IS NOT NULL
	UNION ALL
	SELECT 11, number,
		CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END
			|| CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS target,
		pg_catalog.format('GRANT %s ON %s TO %s',
			pg_catalog.string_agg(privilege_type || columns, ', ' ORDER BY privilege_type), $3,
			CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END
				|| CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM items GROUP BY number, grantee, is_grantable)
SELECT command FROM commands ORDER BY part, number, name COLLATE pg_catalog."C")";

constexpr const char *options_query = R"(
SELECT pg_catalog.concat(
	CASE r.relkind WHEN 'm' THEN ' USING ' || pg_catalog.quote_ident(m.amname) END,
	' WITH (' || (
		SELECT pg_catalog.string_agg(
			pg_catalog.format('%s%I=%L', o.prefix, pg_catalog.split_part(o.option, '=', 1),
				pg_catalog.substr(o.option, pg_catalog.strpos(o.option, '=') + 1)), ', ')
		FROM (SELECT '' AS prefix, pg_catalog.unnest(r.reloptions) AS option
			UNION ALL SELECT 'toast.', pg_catalog.unnest(t.reloptions)) o) || ')',
	' TABLESPACE ' || pg_catalog.quote_ident(s.spcname))
FROM pg_catalog.pg_class r
LEFT JOIN pg_catalog.pg_am m ON m.oid = r.relam
LEFT JOIN pg_catalog.pg_class t ON t.oid = r.reltoastrelid
LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = r.reltablespace
WHERE r.oid = $1 AND $2 = $3)";

constexpr const char *revocations_query = R"(
SELECT DISTINCT pg_catalog.format('REVOKE ALL ON %s FROM %s', $3,
	CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END)
FROM pg_catalog.pg_class r, pg_catalog.aclexplode(r.relacl) x
WHERE r.oid = $1 AND x.grantee <> r.relowner AND $2 = $3)";

constexpr const char *obstacles_query = R"(
SELECT pg_catalog.format('it has a rule of its own: %I', w.rulename)
FROM pg_catalog.pg_rewrite w WHERE w.ev_class = $1 AND w.rulename <> '_RETURN'
UNION ALL
SELECT pg_catalog.format('rights on it were granted by %I, who is not its owner', pg_catalog.pg_get_userbyid(x.grantor))
FROM pg_catalog.pg_class r, pg_catalog.aclexplode(r.relacl) x WHERE r.oid = $1 AND x.grantor <> r.relowner
UNION ALL
SELECT pg_catalog.format('rights on its column %I were granted by %I, who is not its owner', a.attname,
	pg_catalog.pg_get_userbyid(x.grantor))
FROM pg_catalog.pg_class r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid, pg_catalog.aclexplode(a.attacl) x
WHERE r.oid = $1 AND x.grantor <> r.relowner
UNION ALL
SELECT pg_catalog.format('it has extended statistics: %I', s.stxname)
FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = $1
UNION ALL
SELECT pg_catalog.format('its owner %I may not create in schema %I', pg_catalog.pg_get_userbyid(r.relowner), n.nspname)
FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE r.oid = $1 AND NOT pg_catalog.has_schema_privilege(r.relowner, n.oid, 'CREATE') AND $2 = $3)";

} // namespace

Query *
query_of_view(Oid view) noexcept
{
	const Relation relation = table_open(view, AccessShareLock);
	Query *query = nullptr;

	for (int i = 0; relation->rd_rules != nullptr && i < relation->rd_rules->numLocks; ++i)
		if (relation->rd_rules->rules[i]->event == CMD_SELECT)
			query = static_cast<Query *>(copyObjectImpl(linitial(relation->rd_rules->rules[i]->actions)));
	table_close(relation, NoLock);
	if (query == nullptr)
		elog(ERROR, "relation %u has no query", view);
	return query;
}

const char *
creation_options(Oid view) noexcept
{
	const List *const texts = look_up(options_query, view, "", "");

	return texts == NIL ? "" : static_cast<const char *>(linitial(texts));
}

List *
settings_of_view(Oid view, const char *name, const char *new_name) noexcept
{
	return look_up(settings_query, view, name, new_name);
}

List *
revocations(Oid new_view, const char *new_name) noexcept
{
	return look_up(revocations_query, new_view, new_name, new_name);
}

const char *
why_not_carried(Oid view) noexcept
{
	const List *const obstacles = look_up(obstacles_query, view, "", "");

	if (isOtherTempNamespace(get_rel_namespace(view)))
		return "it is a temporary view of another session";
	return obstacles == NIL ? nullptr : static_cast<const char *>(linitial(obstacles));
}

} // namespace remedy::jsonb_migration

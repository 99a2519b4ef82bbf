#include "jsonb_migration/column_settings.hpp"

#include <iterator>
#include <new>

#include "server/commands.hpp"

namespace remedy::jsonb_migration {

namespace {

// Pairs of columns, the first of which is the model; $1 the tables, $2 and $3 the columns' names.
#define PAIRS                                                                                                          \
	" FROM unnest($1) WITH ORDINALITY AS t(id, place)"                                                                 \
	" JOIN pg_class AS c ON c.oid = t.id"                                                                              \
	" JOIN pg_attribute AS a ON a.attrelid = t.id AND a.attname = $2"                                                  \
	" JOIN pg_attribute AS b ON b.attrelid = t.id AND b.attname = $3 "

constexpr char storage[] =
	"SELECT NULL::oid, format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STORAGE %s', t.id::regclass, $3,"
	" CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main'"
	" ELSE 'extended' END)" PAIRS "WHERE a.attstorage <> b.attstorage ORDER BY t.place";

constexpr char compression[] =
	"SELECT NULL::oid, format('ALTER TABLE ONLY %s ALTER COLUMN %I SET COMPRESSION %s', t.id::regclass, $3,"
	" CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE 'default' END)" PAIRS
	"WHERE a.attcompression <> b.attcompression ORDER BY t.place";

constexpr char statistics_target[] =
	"SELECT NULL::oid, format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STATISTICS %s', t.id::regclass, $3,"
	" coalesce(a.attstattarget, -1))" PAIRS
	"WHERE coalesce(a.attstattarget, -1) <> coalesce(b.attstattarget, -1) ORDER BY t.place";

// Others are not the user's.
constexpr char options[] =
	"SELECT NULL::oid, format('ALTER TABLE ONLY %s ALTER COLUMN %I %s', t.id::regclass, $3, action)" PAIRS
	", LATERAL (SELECT array_agg(o ORDER BY o) FILTER (WHERE 'a' = side) AS model,"
	" array_agg(o ORDER BY o) FILTER (WHERE 'b' = side) AS own FROM"
	" (SELECT 'a', unnest(a.attoptions) UNION ALL SELECT 'b', unnest(b.attoptions)) AS x(side, o)"
	" WHERE starts_with(o, 'n_distinct')) AS s,"
	" LATERAL unnest(ARRAY['RESET (n_distinct, n_distinct_inherited)',"
	" 'SET (' || array_to_string(s.model, ', ') || ')']) WITH ORDINALITY AS d(action, step)"
	" WHERE s.model IS DISTINCT FROM s.own AND action IS NOT NULL ORDER BY t.place, d.step";

constexpr char comment[] =
	"SELECT NULL::oid, format('COMMENT ON COLUMN %s.%I IS %s', t.id::regclass, $3,"
	" coalesce(quote_literal(col_description(t.id, a.attnum)), 'NULL'))" PAIRS
	"WHERE col_description(t.id, a.attnum) IS DISTINCT FROM col_description(t.id, b.attnum) ORDER BY t.place";

constexpr char security_labels[] =
	"SELECT NULL::oid, format('SECURITY LABEL FOR %I ON COLUMN %s.%I IS %s', p.provider, t.id::regclass, $3,"
	" coalesce(quote_literal(x.label), 'NULL'))" PAIRS
	"JOIN LATERAL (SELECT DISTINCT provider FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = t.id"
	" AND objsubid IN (a.attnum, b.attnum)) AS p ON true"
	" LEFT JOIN pg_seclabel AS x ON (x.classoid, x.objoid, x.objsubid, x.provider) = ('pg_class'::regclass, t.id, "
	"a.attnum, p.provider)"
	" LEFT JOIN pg_seclabel AS y ON (y.classoid, y.objoid, y.objsubid, y.provider) = ('pg_class'::regclass, t.id, "
	"b.attnum, p.provider)"
	" WHERE x.label IS DISTINCT FROM y.label ORDER BY t.place";

// All grants come from the owner's, in the end.
constexpr char revocations[] =
	"SELECT DISTINCT NULL::oid, format('REVOKE ALL (%I) ON TABLE %s FROM %s CASCADE', $3, t.id::regclass,"
	" CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)" PAIRS
	"CROSS JOIN LATERAL aclexplode(b.attacl) AS g"
	" WHERE a.attacl::text IS DISTINCT FROM b.attacl::text AND g.grantor = c.relowner";

// In the order of the list: who grants has been granted before.
constexpr char grants[] =
	"SELECT nullif(g.grantor, c.relowner), format('GRANT %s (%I) ON TABLE %s TO %s%s', g.privilege_type, $3,"
	" t.id::regclass, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,"
	" CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)" PAIRS
	"CROSS JOIN LATERAL aclexplode(a.attacl) WITH ORDINALITY AS g(grantor, grantee, privilege_type, is_grantable, "
	"number)"
	" WHERE a.attacl::text IS DISTINCT FROM b.attacl::text ORDER BY t.place, g.number";

// From version 18 on NOT NULL has a name, which goes with it, and a parent's goes down to the
// children, where it joins what they have of their own.  Before, each table has just its own,
// but that of a partitioned table cannot be dropped without its partitions'.
constexpr char not_null[] =
	"SELECT NULL::oid, format(action, t.id::regclass, $2, $3, x.conname, CASE WHEN x.connoinherit THEN ' NO INHERIT' "
	"ELSE '' END"
	" || CASE WHEN x.convalidated THEN '' ELSE ' NOT VALID' END, obj_description(x.oid, 'pg_constraint'))" PAIRS
	"LEFT JOIN pg_constraint AS x ON x.conrelid = t.id AND x.contype = 'n' AND x.conkey = ARRAY[a.attnum],"
	" LATERAL (VALUES (t.place, CASE WHEN x.conname IS NOT NULL OR c.relkind = 'p'"
	" THEN 'ALTER TABLE %1$s ALTER COLUMN %2$I DROP NOT NULL'"
	" ELSE 'ALTER TABLE ONLY %1$s ALTER COLUMN %2$I DROP NOT NULL' END),"
	" (2 * cardinality($1) - t.place, CASE WHEN x.conname IS NULL"
	" THEN 'ALTER TABLE ONLY %1$s ALTER COLUMN %3$I SET NOT NULL'"
	" ELSE 'ALTER TABLE %1$s ADD CONSTRAINT %4$I NOT NULL %3$I%5$s' END),"
	" (2 * cardinality($1), CASE WHEN obj_description(x.oid, 'pg_constraint') IS NOT NULL"
	" THEN 'COMMENT ON CONSTRAINT %4$I ON %1$s IS %6$L' END)) AS d(step, action)"
	" WHERE action IS NOT NULL AND a.attnotnull AND x.conislocal IS NOT FALSE ORDER BY d.step";

// ---- Running what they make ------------------------------------------------------

struct Made
{
	Oid role;
	char *command;
};

// In the context of the caller, who has left SPI by then.
List *
make(const char *query, Datum *values, MemoryContext memory) noexcept
{
	Oid types[] = {OIDARRAYOID, NAMEOID, NAMEOID, NAMEOID};
	List *all = NIL;

	SPI_connect();
	if (SPI_execute_with_args(query, static_cast<int>(std::size(types)), types, values, nullptr, false, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not run: %s", query);
	const MemoryContext before = MemoryContextSwitchTo(memory);
	for (uint64 i = 0; i < SPI_processed; ++i)
	{
		bool own;
		const HeapTuple row = SPI_tuptable->vals[i];
		const Datum role = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &own);
		all = lappend(all, new (palloc(sizeof(Made))) Made{own ? InvalidOid : DatumGetObjectId(role),
														   SPI_getvalue(row, SPI_tuptable->tupdesc, 2)});
	}
	MemoryContextSwitchTo(before);
	SPI_finish();
	return all;
}

} // namespace

void
run_made(const Target &target, const char *query, const char *from, const char *to, const char *name) noexcept
{
	const List *const tables = find_tables(target);
	const auto oids = static_cast<Datum *>(palloc(list_length(tables) * sizeof(Datum)));
	NameData names[3];
	ListCell *cell;

	foreach (cell, tables)
		oids[foreach_current_index(cell)] = ObjectIdGetDatum(lfirst_oid(cell));
	namestrcpy(&names[0], from);
	namestrcpy(&names[1], to);
	namestrcpy(&names[2], name);
	Datum values[] = {
		PointerGetDatum(construct_array(oids, list_length(tables), OIDOID, sizeof(Oid), true, TYPALIGN_INT)),
		NameGetDatum(&names[0]), NameGetDatum(&names[1]), NameGetDatum(&names[2])};
	foreach (cell, make(query, values, CurrentMemoryContext))
	{
		const Made &made = *static_cast<const Made *>(lfirst(cell));
		// A grant is its grantor's, who once made the same one for the same data.
		if (OidIsValid(made.role))
			run_as(made.role, made.command);
		else
			run_sql("%s", made.command);
	}
}

void
copy_use(const Target &target, const char *from, const char *to) noexcept
{
	for (const char *query : {storage, compression, statistics_target, options, revocations, grants})
		run_made(target, query, from, to, "");
}

void
copy_words(const Target &target, const char *from, const char *to) noexcept
{
	for (const char *query : {comment, security_labels})
		run_made(target, query, from, to, "");
}

void
move_not_null(const Target &target, const char *from, const char *to) noexcept
{
	run_made(target, not_null, from, to, "");
}

} // namespace remedy::jsonb_migration

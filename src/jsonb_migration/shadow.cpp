#include "jsonb_migration/shadow.hpp"

#include "jsonb_migration/column_settings.hpp"
#include "jsonb_migration/shadow_trigger.hpp"
#include "server/commands.hpp"

namespace remedy::jsonb_migration {

namespace {

// All guards' names begin with the shadow's, by which they are known for ours.
const char *
not_null_guard_of(const Target &target) noexcept
{
	return psprintf("%s_not_null", target.shadow);
}

const char *
old_not_null_guard_of(const Target &target) noexcept
{
	return psprintf("%s_old_not_null", target.shadow);
}

bool
has_constraint(Oid table, const char *name) noexcept
{
	return OidIsValid(get_relation_constraint_oid(table, name, true));
}

bool
has_column(Oid table, const char *name) noexcept
{
	return get_attnum(table, name) != InvalidAttrNumber;
}

void
require_safety(const Target &target, const char *to) noexcept
{
	const char *const reason = triggers_are_unsafe(target, to);

	if (reason != nullptr)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" cannot be kept in step", target.column_name), errdetail_internal("%s", reason)));
}

// Columns that children have of their own, besides inheriting them, are theirs again afterwards.
constexpr char own_columns[] = "SELECT NULL::oid, format('ALTER TABLE %s ADD COLUMN %I jsonb', t.id::regclass, $3)"
							   " FROM unnest($1) WITH ORDINALITY AS t(id, place)"
							   " JOIN pg_attribute AS a ON a.attrelid = t.id AND a.attname = $2"
							   " WHERE a.attislocal AND a.attinhcount > 0 ORDER BY t.place DESC";

void
add_columns(const Target &target) noexcept
{
	const int settings = NewGUCNestLevel();

	// Of columns that are merged.
	set_config_option("client_min_messages", "warning", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	run_made(target, own_columns, target.column_name, target.shadow, "");
	run_sql("ALTER TABLE %s ADD COLUMN %s jsonb", qualified_name(target.table), target.shadow);
	AtEOXact_GUC(true, settings);
}

// An UPDATE of a published table needs something to tell its rows by.
void
require_updates(const Target &target) noexcept
{
	ListCell *cell;

	foreach (cell, find_leaves(target))
	{
		const Relation table = table_open(static_cast<const Leaf *>(lfirst(cell))->table, NoLock);
		CheckCmdReplicaIdentity(table, CMD_UPDATE);
		table_close(table, NoLock);
	}
}

// Children may have it where their parent has not; one that is not validated says nothing yet.
// A guard goes down to the children, unless one of them may lack what its parent has.
constexpr char not_null_guards[] =
	"SELECT NULL::oid, format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%I IS NOT NULL)%s NOT VALID', t.id::regclass, "
	"$4, $3, CASE WHEN m.mixed THEN ' NO INHERIT' ELSE '' END)"
	" FROM unnest($1) WITH ORDINALITY AS t(id, place)"
	" JOIN pg_attribute AS a ON a.attrelid = t.id AND a.attname = $2 AND a.attnotnull,"
	" (SELECT EXISTS (SELECT FROM pg_inherits AS i"
	" JOIN pg_attribute AS p ON p.attrelid = i.inhparent AND p.attname = $2 AND p.attnotnull"
	" JOIN pg_attribute AS b ON b.attrelid = i.inhrelid AND b.attname = $2 AND NOT b.attnotnull"
	" WHERE i.inhparent = ANY ($1))) AS m(mixed)"
	" WHERE NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = t.id AND (c.conname = $4"
	" OR c.contype = 'n' AND c.conkey = ARRAY[a.attnum] AND NOT c.convalidated))"
	" AND (m.mixed OR NOT EXISTS (SELECT FROM pg_inherits AS i JOIN pg_attribute AS p ON p.attrelid = i.inhparent"
	" AND p.attname = $2 AND p.attnotnull WHERE i.inhrelid = t.id)) ORDER BY t.place";

// Each table's own ones, in one scan.
constexpr char validations[] =
	"SELECT NULL::oid, format('ALTER TABLE %s %s', c.conrelid::regclass,"
	" string_agg(format('VALIDATE CONSTRAINT %I', c.conname), ', '))"
	" FROM pg_constraint AS c WHERE c.conrelid = ANY ($1) AND c.contype = 'c' AND c.coninhcount = 0"
	" AND c.conname IN ($2, $3, $4) AND NOT c.convalidated GROUP BY c.conrelid ORDER BY c.conrelid";

constexpr char guards_to_drop[] =
	"SELECT NULL::oid, format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname)"
	" FROM pg_constraint AS c WHERE c.conrelid = ANY ($1) AND c.contype = 'c' AND c.coninhcount = 0"
	" AND c.conname IN ($2, $3, $4)";

void
run_on_guards(const Target &target, const char *query) noexcept
{
	run_made(target, query, guard_of(target), not_null_guard_of(target), old_not_null_guard_of(target));
}

void
rename_column(const Target &target, const char *from, const char *to) noexcept
{
	run_sql("ALTER TABLE %s RENAME COLUMN %s TO %s", qualified_name(target.table), quote_identifier(from),
			quote_identifier(to));
}

// The column of one name goes aside, and the one beside it takes its place.
void
exchange(const Target &target, const char *beside, const char *aside) noexcept
{
	copy_use(target, target.column_name, beside);
	copy_words(target, target.column_name, beside);
	move_not_null(target, target.column_name, beside);
	drop_triggers(target, beside);
	rename_column(target, target.column_name, aside);
	rename_column(target, beside, target.column_name);
	create_triggers(target, aside);
	require_safety(target, aside);
}

void
drop_column(const Target &target, const char *name) noexcept
{
	ListCell *cell;

	drop_triggers(target, name);
	run_on_guards(target, guards_to_drop);
	foreach (cell, find_tables(target)) // the root, and who has it on its own, too
		if (has_column(lfirst_oid(cell), name))
			run_sql("ALTER TABLE %s DROP COLUMN %s", qualified_name(lfirst_oid(cell)), name);
}

} // namespace

void
add_shadow(const Target &target) noexcept
{
	require_updates(target);
	if (!has_column(target.table, target.shadow))
		add_columns(target);
	copy_use(target, target.column_name, target.shadow);
	create_triggers(target, target.shadow);
	require_safety(target, target.shadow);
}

void
add_guards(const Target &target) noexcept
{
	if (!has_constraint(target.table, guard_of(target)))
		run_sql("ALTER TABLE %s ADD CONSTRAINT %s CHECK ((%s IS NULL) = (%s IS NULL)) NOT VALID",
				qualified_name(target.table), guard_of(target), target.shadow, quote_identifier(target.column_name));
	run_made(target, not_null_guards, target.column_name, target.shadow, not_null_guard_of(target));
	run_made(target, not_null_guards, target.column_name, target.column_name, old_not_null_guard_of(target));
}

void
validate_guards(const Target &target) noexcept
{
	run_on_guards(target, validations);
}

void
swap_columns(const Target &target) noexcept
{
	exchange(target, target.shadow, target.old);
}

void
swap_columns_back(const Target &target) noexcept
{
	exchange(target, target.old, target.shadow);
}

void
drop_old_column(const Target &target) noexcept
{
	drop_column(target, target.old);
}

void
drop_shadow(const Target &target) noexcept
{
	drop_column(target, target.shadow);
}

const char *
shadow_is_unsafe(const Target &target) noexcept
{
	return triggers_are_unsafe(target, is_swapped(target) ? target.old : target.shadow);
}

} // namespace remedy::jsonb_migration

#include "rollup/following.hpp"

#include "rollup/following_events.hpp"
#include "rollup/texts.hpp"
#include "server/keeper.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/catalog.h"
#include "catalog/pg_inherits.h"
}

namespace remedy::rollup {

namespace {

[[noreturn]] void
refuse(Oid source, int code, const char *what) noexcept
{
	ereport(ERROR, (errcode(code), errmsg("%s cannot have a rollup", qualified(source)), errdetail("%s", what)));
	pg_unreachable();
}

// A member that is not captured, or was not: what has escaped is to be recomputed.
void
mend(Oid source, Oid table, bool first) noexcept
{
	Member member{};
	const bool known = find_member(table, member);

	refuse_member(source, table);
	if (known && member.armed && trouble_with_triggers(table) == nullptr)
		return;
	make_triggers(table);
	if (known)
		set_armed(table, true);
	else
	{
		member = {table, source, true};
		find_bounds(member);
		add_member(member);
	}
	if (!first)
		mark_member(member);
}

} // namespace

void
refuse_unfit_source(Oid source) noexcept
{
	const Relation table = relation_open(source, AccessShareLock);
	const char kind = table->rd_rel->relkind;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		refuse(source, ERRCODE_WRONG_OBJECT_TYPE, "It is not a table.");
	if (IsCatalogRelation(table))
		refuse(source, ERRCODE_FEATURE_NOT_SUPPORTED, "It is a system catalog.");
	if (table->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
		refuse(source, ERRCODE_FEATURE_NOT_SUPPORTED,
			   table->rd_rel->relpersistence == RELPERSISTENCE_TEMP ? "It is a temporary table."
																	: "It is unlogged, so a crash would empty it.");
	if (table->rd_rel->relrowsecurity)
		refuse(source, ERRCODE_FEATURE_NOT_SUPPORTED,
			   "Row level security is enabled on it: a rollup would show what its policies hide.");
	relation_close(table, NoLock);
	if (has_superclass(source))
		refuse(
			source, ERRCODE_FEATURE_NOT_SUPPORTED,
			"It is a partition or a child of another table, whose statements change its rows: make the rollup there.");

	ListCell *cell;
	foreach (cell, find_all_inheritors(source, NoLock, nullptr))
		refuse_member(source, lfirst_oid(cell));
}

void
arm(Oid source) noexcept
{
	List *const tables = lock_tree(source, ShareRowExclusiveLock);
	Member member;
	const bool first = !find_member(source, member);
	ListCell *cell;

	forget_rollups(nullptr);
	foreach (cell, tables)
		mend(source, lfirst_oid(cell), first);
	foreach (cell, members_of(source))
		if (const Member *const left = static_cast<Member *>(lfirst(cell)); !list_member_oid(tables, left->table))
			leave(*left);
}

void
disarm(Oid source) noexcept
{
	ListCell *cell;

	if (rollups_of(source) != nullptr)
		return;
	// In the order that others lock a tree in.
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(source)))
		lock_tree(source, AccessExclusiveLock);
	foreach (cell, members_of(source))
		leave(*static_cast<Member *>(lfirst(cell)));
}

// In one statement, so that a table that comes or goes meanwhile is seen in the tree and among the members or in
// neither.
const char *
unarmed_reason(Oid source) noexcept
{
	const char *reason = nullptr;

	keep("WITH RECURSIVE tree(oid, leaving) AS (SELECT $1, false UNION "
		 "SELECT i.inhrelid, i.inhdetachpending FROM tree AS t JOIN pg_inherits AS i ON i.inhparent = t.oid), "
		 "trigger(name) AS (VALUES ('remedy_rollup_insert'), ('remedy_rollup_update'), ('remedy_rollup_delete'), "
		 "('remedy_rollup_truncate')), "
		 "member AS (SELECT * FROM remedy.rollup_member WHERE source = $1), "
		 "part(oid) AS (SELECT unnest(ARRAY[r.view, r.row_view, r.cells, r.marks, r.now_view]) "
		 "FROM remedy.rollup AS r WHERE r.source = $1), "
		 "trouble(rank, reason) AS ("
		 "SELECT 1, format('row level security is enabled on %s', c.oid::regclass) FROM pg_class AS c "
		 "WHERE c.oid = $1 AND c.relrowsecurity UNION ALL "
		 "SELECT 2, format('table %s is unlogged', c.oid::regclass) FROM pg_class AS c JOIN tree AS t USING (oid) "
		 "WHERE c.relpersistence <> 'p' UNION ALL "
		 "SELECT 3, format('%s belongs to another role than %s', p.oid::regclass, s.oid::regclass) FROM part AS p "
		 "JOIN pg_class AS c USING (oid) JOIN pg_class AS s ON s.oid = $1 WHERE c.relowner <> s.relowner UNION ALL "
		 "SELECT 4, format('partition %s is being detached', t.oid::regclass) FROM tree AS t WHERE t.leaving UNION ALL "
		 "SELECT 5, format('table %s has come without being noticed', t.oid::regclass) FROM tree AS t "
		 "WHERE NOT EXISTS (SELECT FROM member AS m WHERE m.member = t.oid) UNION ALL "
		 "SELECT 5, format('table %s has gone without being noticed', m.member::regclass) FROM member AS m "
		 "WHERE NOT EXISTS (SELECT FROM tree AS t WHERE m.member = t.oid) UNION ALL "
		 "SELECT 6, format('trigger %s of %s is %s', n.name, m.member::regclass, "
		 "CASE WHEN g.oid IS NULL THEN 'missing' ELSE 'disabled' END) FROM member AS m CROSS JOIN trigger AS n "
		 "LEFT JOIN pg_trigger AS g ON g.tgrelid = m.member AND g.tgname = n.name "
		 "WHERE g.oid IS NULL OR g.tgenabled NOT IN ('O', 'A') UNION ALL "
		 "SELECT 7, format('triggers of %s were missing or disabled', m.member::regclass) FROM member AS m "
		 "WHERE NOT m.armed) "
		 "SELECT reason FROM trouble ORDER BY rank, reason COLLATE \"C\" LIMIT 1",
		 {source}, [&](const Row &row) noexcept { reason = row.text(1); });
	return reason;
}

void
rearm(Oid source) noexcept
{
	const List *const tables = find_all_inheritors(source, NoLock, nullptr);
	const List *const members = members_of(source);
	bool well = list_length(tables) == list_length(members);
	ListCell *cell;

	foreach (cell, members)
	{
		const Member *const member = static_cast<Member *>(lfirst(cell));
		well = well && member->armed && list_member_oid(tables, member->table) &&
			   trouble_with_triggers(member->table) == nullptr;
	}
	if (!well)
		arm(source);
}

} // namespace remedy::rollup

#include "rollup/following_tree.hpp"

#include "rollup/texts.hpp"

#include "server/inheritance.hpp"

extern "C" {
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
}

namespace remedy::rollup {

namespace {

// One above which there is no other and that is not this source.
Oid
other_root(Oid source, Oid table) noexcept
{
	if (table == source)
		return InvalidOid;
	const List *const parents = server::parents_of(table);
	ListCell *cell;
	if (parents == nullptr)
		return table;
	foreach (cell, parents)
		if (const Oid other = other_root(source, lfirst_oid(cell)); OidIsValid(other))
			return other;
	return InvalidOid;
}

// Of a source that has no rollup yet, it is the rollup that is refused.
[[noreturn]] void
refuse(Oid source, Oid table, const char *why) noexcept
{
	Member member;

	if (find_member(source, member))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("%s cannot be part of %s, which has a rollup", qualified(table), qualified(source)),
						errdetail("%s", why), errhint("Drop the rollups of %s first.", qualified(source))));
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s cannot have a rollup", qualified(source)),
					errdetail("%s", why)));
	pg_unreachable();
}

// That of the parents, of which one is enough to be in its tree; 0.
Oid
source_above(const List *parents) noexcept
{
	Member parent;
	ListCell *cell;

	foreach (cell, parents)
		if (find_member(lfirst_oid(cell), parent))
			return parent.source;
	return InvalidOid;
}

void
refuse_source_below(Oid source, Oid parent) noexcept
{
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("%s has a rollup, and cannot be part of %s", qualified(source), qualified(parent)),
					errdetail("Statements that change it through %s would be missed.", qualified(parent)),
					errhint("Drop its rollups first, and make them for %s.", qualified(parent))));
}

void
join(Oid source, Oid table, bool is_new) noexcept
{
	Member member{table, source, true};

	refuse_member(source, table);
	make_triggers(table);
	find_bounds(member);
	add_member(member);
	if (!is_new)
		mark_member(member);
}

void
follow_one(Oid table, bool is_new) noexcept
{
	const List *const parents = server::parents_of(table);
	const Oid source = source_above(parents);
	Member member;
	const bool known = find_member(table, member);

	if (known && member.source == table && parents != nullptr)
		refuse_source_below(table, linitial_oid(parents));
	if (known && member.source == table)
		return;
	if (known && !OidIsValid(source))
		leave(member);
	else if (known)
		refuse_member(member.source, table);
	else if (OidIsValid(source))
		join(source, table, is_new);
}

} // namespace

void
refuse_member(Oid source, Oid table) noexcept
{
	Member member;

	if (get_rel_relkind(table) == RELKIND_FOREIGN_TABLE)
		refuse(source, table, psprintf("%s is a foreign table, whose changes cannot be captured.", qualified(table)));
	if (get_rel_persistence(table) == RELPERSISTENCE_TEMP)
		refuse(source, table, psprintf("%s is a temporary table, whose rows no other session sees.", qualified(table)));
	if (find_member(table, member) && member.source != source)
		refuse(source, table,
			   psprintf("Changes of %s are captured for %s.", qualified(table), qualified(member.source)));
	if (const Oid other = other_root(source, table); OidIsValid(other))
		refuse(source, table,
			   psprintf("%s is part of %s too, and what changes it through that would be missed.", qualified(table),
						qualified(other)));
}

void
leave(const Member &member) noexcept
{
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(member.table)))
		drop_triggers(member.table);
	forget_member(member.table);
	if (member.table != member.source)
		mark_member(member);
}

void
follow(Oid table, bool is_new) noexcept
{
	ListCell *cell;

	foreach (cell, find_all_inheritors(table, NoLock, nullptr))
		follow_one(lfirst_oid(cell), is_new);
}

} // namespace remedy::rollup

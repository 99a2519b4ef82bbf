// A rollup in use: its expressions, and whose it is.

#include "rollup/definition.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/objectaddress.h"
#include "catalog/pg_inherits.h"
#include "nodes/makefuncs.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "utils/varlena.h"
}

namespace remedy::rollup {

namespace {

// A copy.
Query *
query_of(Oid view) noexcept
{
	const Relation relation = table_open(view, AccessShareLock);
	const RuleLock *const rules = relation->rd_rules;
	Query *query = nullptr;

	for (int i = 0; rules != nullptr && i < rules->numLocks; ++i)
		if (rules->rules[i]->event == CMD_SELECT)
			query = static_cast<Query *>(copyObjectImpl(linitial(rules->rules[i]->actions)));
	table_close(relation, NoLock);
	if (query == nullptr)
		elog(ERROR, "\"%s\" is no view", get_rel_name(view));
	return query;
}

// Its place in the range table, where until version 15 OLD and NEW of the view come first.
int
place_of(Oid relation, const Query *query) noexcept
{
	ListCell *cell;

	foreach (cell, query->rtable)
		if (const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell);
			entry->rtekind == RTE_RELATION && entry->relid == relation)
			return foreach_current_index(cell) + 1;
	elog(ERROR, "view does not read \"%s\"", get_rel_name(relation));
	pg_unreachable();
}

} // namespace

List *
row_expressions(const Rollup &rollup) noexcept
{
	const Query *const query = query_of(rollup.rows);
	const int place = place_of(rollup.source, query);

	if (place != 1)
		ChangeVarNodes(reinterpret_cast<Node *>(query->targetList), place, 1, 0);
	return query->targetList;
}

const Rollup *
find_own_rollup(const char *name) noexcept
{
	List *const names = textToQualifiedNameList(cstring_to_text(name));
	const Oid view = RangeVarGetRelid(makeRangeVarFromNameList(names), AccessShareLock, false);
	const Rollup *const rollup = load_rollup(view);

	if (rollup == nullptr)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("\"%s\" is not a rollup", get_rel_name(view)),
						errhint("remedy.rollups lists them.")));
	if (!server::owns_relation(rollup->source, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(rollup->source));
	return rollup;
}

List *
lock_tree(Oid source, LOCKMODE lock) noexcept
{
	LockRelationOid(source, lock);
	return find_all_inheritors(source, lock, nullptr);
}

AsOwner::AsOwner(Oid role) noexcept
{
	settings_ = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
					  false);
	GetUserIdAndSecContext(&user_, &security_);
	SetUserIdAndSecContext(role, security_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
}

void
AsOwner::end() noexcept
{
	SetUserIdAndSecContext(user_, security_);
	AtEOXact_GUC(false, settings_);
}

} // namespace remedy::rollup

// What differs between server versions, under one name each.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_tablespace.h"
}

namespace remedy::server {

// The number of this process among all that may be connected, from 0 to
// backend_limit() - 1.  It is free again when the process has ended.
inline int
backend_number() noexcept
{
#if PG_VERSION_NUM >= 170000
	return MyProcNumber;
#else
	return MyBackendId - 1;
#endif
}

// The same of the process for which this one is a parallel worker.
inline int
leader_number() noexcept
{
#if PG_VERSION_NUM >= 170000
	return ParallelLeaderProcNumber;
#else
	return ParallelLeaderBackendId - 1;
#endif
}

// Known from shmem_request_hook on, not while libraries are loaded.
inline int
backend_limit() noexcept
{
	return MaxBackends;
}

// Until version 16 a callback's parameters are not declared.
using OldTreeWalker = bool (*)();

using TreeWalker = bool (*)(Node *node, void *context);

inline bool
walk_expression(Node *node, TreeWalker walker, void *context) noexcept
{
#if PG_VERSION_NUM >= 160000
	return expression_tree_walker(node, walker, context);
#else
	return expression_tree_walker(node, reinterpret_cast<OldTreeWalker>(reinterpret_cast<void (*)()>(walker)), context);
#endif
}

using PlanWalker = bool (*)(PlanState *state, void *context);

// The nodes below, not the one given.
inline bool
walk_plan(PlanState *state, PlanWalker walker, void *context) noexcept
{
#if PG_VERSION_NUM >= 160000
	return planstate_tree_walker(state, walker, context);
#else
	return planstate_tree_walker(state, reinterpret_cast<OldTreeWalker>(reinterpret_cast<void (*)()>(walker)), context);
#endif
}

inline bool
walk_query(Query *query, TreeWalker walker, void *context) noexcept
{
#if PG_VERSION_NUM >= 160000
	return query_tree_walker(query, walker, context, 0);
#else
	return query_tree_walker(query, reinterpret_cast<OldTreeWalker>(reinterpret_cast<void (*)()>(walker)), context, 0);
#endif
}

using TreeMutator = Node *(*)(Node *node, void *context);
using OldTreeMutator = Node *(*)();

// A copy, with what the mutator makes of the nodes below.
inline Node *
mutate_expression(Node *node, TreeMutator mutator, void *context) noexcept
{
#if PG_VERSION_NUM >= 160000
	return expression_tree_mutator(node, mutator, context);
#else
	return expression_tree_mutator(node, reinterpret_cast<OldTreeMutator>(reinterpret_cast<void (*)()>(mutator)),
								   context);
#endif
}

inline Query *
mutate_query(Query *query, TreeMutator mutator, void *context) noexcept
{
#if PG_VERSION_NUM >= 160000
	return query_tree_mutator(query, mutator, context, 0);
#else
	return query_tree_mutator(query, reinterpret_cast<OldTreeMutator>(reinterpret_cast<void (*)()>(mutator)), context,
							  0);
#endif
}

// What the columns of a range table's entry stand for that is the grouping step; null for
// other entries, and where there is none.
inline List *
grouped_expressions(const RangeTblEntry *entry) noexcept
{
#if PG_VERSION_NUM >= 180000
	return entry->rtekind == RTE_GROUP ? entry->groupexprs : nullptr;
#else
	(void)entry;
	return nullptr;
#endif
}

inline void
set_grouped_expressions(RangeTblEntry *entry, List *expressions) noexcept
{
#if PG_VERSION_NUM >= 180000
	entry->groupexprs = expressions;
#else
	(void)entry;
	(void)expressions;
#endif
}

// After some entries of a copied query's range table were given other relations.
inline void
set_relations_of_permissions(Query *query) noexcept
{
#if PG_VERSION_NUM >= 160000
	ListCell *cell;

	query->rteperminfos = static_cast<List *>(copyObjectImpl(query->rteperminfos));
	foreach (cell, query->rtable)
		if (const RangeTblEntry *const entry = lfirst_node(RangeTblEntry, cell); entry->perminfoindex > 0)
			list_nth_node(RTEPermissionInfo, query->rteperminfos, entry->perminfoindex - 1)->relid = entry->relid;
#else
	(void)query;
#endif
}

// The arguments of JSON_SERIALIZE, which gives nothing for jsonb; null for other nodes.
inline List *
serialised_json([[maybe_unused]] Node *node) noexcept
{
#if PG_VERSION_NUM >= 170000
	if (IsA(node, JsonConstructorExpr) && reinterpret_cast<JsonConstructorExpr *>(node)->type == JSCTOR_JSON_SERIALIZE)
		return reinterpret_cast<JsonConstructorExpr *>(node)->args;
#endif
	return nullptr;
}

// What this process has counted of a table since it last reported its statistics.
struct PendingVolume
{
	int64 scans; // sequential ones begun
	int64 rows;  // that they returned
};

// False where nothing is counted (track_counts).
inline bool
read_pending(Relation relation, PendingVolume &volume) noexcept
{
	if (unlikely(relation->pgstat_info == nullptr))
		return false;
#if PG_VERSION_NUM >= 160000
	volume = {relation->pgstat_info->counts.numscans, relation->pgstat_info->counts.tuples_returned};
#else
	volume = {relation->pgstat_info->t_counts.t_numscans, relation->pgstat_info->t_counts.t_tuples_returned};
#endif
	return true;
}

// The same; finds what was counted before the relation was opened anew.
inline bool
begin_pending(Relation relation, PendingVolume &volume) noexcept
{
	return pgstat_should_count_relation(relation) && read_pending(relation, volume);
}

// Raises an error unless the current user may do what the plan does.
inline void
check_permissions(PlannedStmt *plan) noexcept
{
#if PG_VERSION_NUM >= 160000
	ExecCheckPermissions(plan->rtable, plan->permInfos, true);
#else
	ExecCheckRTPerms(plan->rtable, true);
#endif
}

// The columns, as pull_varattnos numbers them, of which none may be set by an update that
// is to be HOT.
inline Bitmapset *
columns_against_hot(Relation relation) noexcept
{
#if PG_VERSION_NUM >= 160000
	return RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_HOT_BLOCKING);
#else
	return RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_ALL);
#endif
}

// Runs a portal to its end, as a client's command; its rows go nowhere.
inline void
run_portal(Portal portal) noexcept
{
	QueryCompletion completion;

#if PG_VERSION_NUM >= 180000
	PortalRun(portal, FETCH_ALL, true, None_Receiver, None_Receiver, &completion);
#else
	PortalRun(portal, FETCH_ALL, true, true, None_Receiver, None_Receiver, &completion);
#endif
}

inline bool
owns_relation(Oid relation, Oid role) noexcept
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(RelationRelationId, relation, role);
#else
	return pg_class_ownercheck(relation, role);
#endif
}

inline bool
owns_function(Oid function, Oid role) noexcept
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(ProcedureRelationId, function, role);
#else
	return pg_proc_ownercheck(function, role);
#endif
}

inline bool
owns_statistics(Oid statistics, Oid role) noexcept
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(StatisticExtRelationId, statistics, role);
#else
	return pg_statistics_object_ownercheck(statistics, role);
#endif
}

inline bool
may_become(Oid role) noexcept
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(GetUserId(), role);
#else
	return is_member_of_role(GetUserId(), role);
#endif
}

inline bool
may_create_in_schema(Oid schema) noexcept
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, GetUserId(), ACL_CREATE) == ACLCHECK_OK;
#else
	return pg_namespace_aclcheck(schema, GetUserId(), ACL_CREATE) == ACLCHECK_OK;
#endif
}

inline bool
may_create_in_tablespace(Oid tablespace) noexcept
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(TableSpaceRelationId, tablespace, GetUserId(), ACL_CREATE) == ACLCHECK_OK;
#else
	return pg_tablespace_aclcheck(tablespace, GetUserId(), ACL_CREATE) == ACLCHECK_OK;
#endif
}

inline bool
may_execute(Oid function) noexcept
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

// A check that is not enforced, which version 18 has, can be validated by nobody.
inline bool
is_enforced([[maybe_unused]] const FormData_pg_constraint *constraint) noexcept
{
#if PG_VERSION_NUM >= 180000
	return constraint->conenforced;
#else
	return true;
#endif
}

// With what they are computed from in place of columns that have no value in a row: virtual generated ones, which
// version 18 has.  They are those of the table that is read, whichever of its children the row lies in.
inline List *
without_virtual_columns(List *expressions, [[maybe_unused]] Relation table, [[maybe_unused]] int place) noexcept
{
#if PG_VERSION_NUM >= 180000
	return castNode(List, expand_generated_columns_in_expr(reinterpret_cast<Node *>(expressions), table, place));
#else
	return expressions;
#endif
}

// Gives rows another value of a generated column, without an UPDATE; version 17 began with it.
inline bool
sets_expression([[maybe_unused]] AlterTableType command) noexcept
{
#if PG_VERSION_NUM >= 170000
	return command == AT_SetExpression;
#else
	return false;
#endif
}

// Statistics targets as the catalogs keep them; -1: default_statistics_target.
inline int
statistics_target(Datum value, bool is_null) noexcept
{
#if PG_VERSION_NUM >= 170000
	return is_null ? -1 : DatumGetInt16(value);
#else
	return is_null ? -1 : DatumGetInt32(value);
#endif
}

// One of pgstat_fetch_stat_numbackends(), counted from 1.
inline const PgBackendStatus &
backend_status(int number) noexcept
{
#if PG_VERSION_NUM >= 160000
	return pgstat_get_local_beentry_by_index(number)->backendStatus;
#else
	return pgstat_fetch_stat_local_beentry(number)->backendStatus;
#endif
}

// Of a row that was inserted, into all indexes of its table that are open.
inline void
insert_index_entries(ResultRelInfo *table, TupleTableSlot *row, EState *state) noexcept
{
#if PG_VERSION_NUM >= 160000
	ExecInsertIndexTuples(table, row, state, false, false, nullptr, NIL, false);
#else
	ExecInsertIndexTuples(table, row, state, false, false, nullptr, NIL);
#endif
}

} // namespace remedy::server

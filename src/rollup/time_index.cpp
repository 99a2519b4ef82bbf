// Whether rows of daily_rows from one time to another can be found without a scan of the source.
//
// The view daily_now has a text for either case, and the planner drops one: the SQL function is replaced by its value
// when a statement is planned.  A plan is made anew when an index of one of its tables comes or goes, so it stays true.
//
// A statement asks once for each of its parts, and an index may come between two of them: so the answer is of the
// statement's snapshot.  With both texts, or with neither, cells would be counted twice or not at all.

#include "rollup/time_index.hpp"
#include "server/guard.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relation.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "nodes/makefuncs.h"
#include "nodes/supportnodes.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteSupport.h"
}

namespace remedy::rollup {

namespace {

// The view's first column, over the table that it reads; null if it is no column of a table.
const Var *
first_column(Oid view, Oid &table) noexcept
{
	const Relation relation = try_relation_open(view, AccessShareLock);
	const Var *column = nullptr;

	if (relation == nullptr)
		return nullptr;
	if (relation->rd_rel->relkind == RELKIND_VIEW)
	{
		const Query *const query = get_view_query(relation);
		const Node *const first = reinterpret_cast<const Node *>(linitial_node(TargetEntry, query->targetList)->expr);
		if (IsA(first, Var))
		{
			column = static_cast<const Var *>(copyObjectImpl(first));
			table = rt_fetch(column->varno, query->rtable)->relid;
		}
	}
	relation_close(relation, AccessShareLock);
	return column;
}

// Such as can be read from one time to another.  Its access method does not change, nor can it go while its table is
// locked.
bool
is_on_time(const Relation catalog, const HeapTuple index, AttrNumber time) noexcept
{
	const auto *const form = reinterpret_cast<const FormData_pg_index *>(GETSTRUCT(index));

	if (!form->indisvalid || form->indkey.values[0] != time ||
		!heap_attisnull(index, Anum_pg_index_indpred, RelationGetDescr(catalog)))
		return false;
	const Relation relation = relation_open(form->indexrelid, AccessShareLock);
	const Oid method = relation->rd_rel->relam;
	relation_close(relation, AccessShareLock);
	return method == BTREE_AM_OID || method == BRIN_AM_OID;
}

bool
has_index_on(Oid table, AttrNumber time) noexcept
{
	const Relation catalog = table_open(IndexRelationId, AccessShareLock);
	bool found = false;
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(table));
	const SysScanDesc scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, GetActiveSnapshot(), 1, &key);
	while (const HeapTuple index = found ? nullptr : systable_getnext(scan))
		found = is_on_time(catalog, index, time);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

} // namespace

bool
has_index_on_time(Oid rows) noexcept
{
	Oid table = InvalidOid;
	const Var *const time = first_column(rows, table);

	return time != nullptr && OidIsValid(table) && ActiveSnapshotSet() && has_index_on(table, time->varattno);
}

namespace {

Node *
simplify(const SupportRequestSimplify &request) noexcept
{
	const Node *const rows = static_cast<const Node *>(linitial(request.fcall->args));

	if (!IsA(rows, Const) || reinterpret_cast<const Const *>(rows)->constisnull)
		return nullptr;
	return makeBoolConst(has_index_on_time(DatumGetObjectId(reinterpret_cast<const Const *>(rows)->constvalue)), false);
}

} // namespace

} // namespace remedy::rollup

REMEDY_FUNCTION(remedy_has_index_on_time)
{
	PG_RETURN_BOOL(remedy::rollup::has_index_on_time(PG_GETARG_OID(0)));
}

REMEDY_FUNCTION(remedy_index_on_time_support)
{
	const Node *const request = static_cast<const Node *>(static_cast<void *>(PG_GETARG_POINTER(0)));

	PG_RETURN_POINTER(IsA(request, SupportRequestSimplify)
						  ? remedy::rollup::simplify(*reinterpret_cast<const SupportRequestSimplify *>(request))
						  : nullptr);
}

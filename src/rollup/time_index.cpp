// Whether rows of daily_rows from one time to another can be found without a scan of the source.
//
// The view daily_now has a text for either case, and the planner drops one: the SQL function is replaced by its value
// when a statement is planned.  A plan is made anew when an index of one of its tables comes or goes, so it stays true.

#include "rollup/time_index.hpp"
#include "server/guard.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_am.h"
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

// Such as can be read from one time to another.
bool
is_on_time(const Relation index, AttrNumber time) noexcept
{
	const Form_pg_index form = index->rd_index;

	return form->indisvalid && form->indkey.values[0] == time &&
		   (index->rd_rel->relam == BTREE_AM_OID || index->rd_rel->relam == BRIN_AM_OID) &&
		   heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr);
}

} // namespace

bool
has_index_on_time(Oid rows) noexcept
{
	Oid table = InvalidOid;
	const Var *const time = first_column(rows, table);
	const Relation source = time == nullptr || !OidIsValid(table) ? nullptr : try_relation_open(table, AccessShareLock);
	bool found = false;
	ListCell *cell;

	if (source == nullptr)
		return false;
	foreach (cell, RelationGetIndexList(source))
	{
		const Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		found = found || is_on_time(index, time->varattno);
		index_close(index, AccessShareLock);
	}
	relation_close(source, AccessShareLock);
	return found;
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

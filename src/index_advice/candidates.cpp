#include "index_advice/candidates.hpp"

#include <algorithm>

#include "index_advice/contents.hpp"
#include "index_advice/forms.hpp"
#include "index_advice/operators.hpp"
#include "server/guard.hpp"
#include "server/planner_facts.hpp"

extern "C" {
#include "catalog/catalog.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
}

namespace remedy::index_advice {

namespace {

// The planner tells of each table of the query in between.  Plans that are made inside of
// it, for a function that it evaluates, have other parameters.
struct Collector
{
	int alternatives; // ORs so far
	const Evidence *evidence;
	ParamListInfo values;
	Proposals *out;
};

Collector *collector = nullptr;

// ---- Which tables ------------------------------------------------------------------------

// The parent of an inheritance tree speaks for its partitions, and each table of other
// trees for itself.
bool
is_of_partition(const PlannerInfo *root, const RelOptInfo *rel) noexcept
{
	if (rel->reloptkind != RELOPT_OTHER_MEMBER_REL)
		return false;
	const RangeTblEntry *const parent = root->simple_rte_array[root->append_rel_array[rel->relid]->parent_relid];
	return parent->rtekind == RTE_RELATION && parent->relkind == RELKIND_PARTITIONED_TABLE;
}

bool
takes_indexes(const RangeTblEntry *entry) noexcept
{
	return entry->rtekind == RTE_RELATION && entry->tablesample == nullptr && entry->relid >= FirstNormalObjectId &&
		   (entry->relkind == RELKIND_RELATION || entry->relkind == RELKIND_PARTITIONED_TABLE ||
			entry->relkind == RELKIND_MATVIEW);
}

bool
is_permanent(const Relation relation) noexcept
{
	return relation->rd_rel->relpersistence != RELPERSISTENCE_TEMP && !IsCatalogRelation(relation);
}

// ---- What the planner knows of a scan ------------------------------------------------------

// The member of a class of equals that is of this table alone.
EquivalenceMember *
own_member(const EquivalenceClass *equals, const Scan &scan) noexcept
{
	const bool is_child = scan.rel->reloptkind == RELOPT_OTHER_MEMBER_REL;
	const ListCell *cell;

	foreach (cell, server::members_of(equals, is_child ? scan.rel->relid : 0))
	{
		EquivalenceMember *const member = static_cast<EquivalenceMember *>(lfirst(cell));
		if (!member->em_is_const && member->em_is_child == is_child && bms_equal(member->em_relids, scan.rel->relids))
			return member;
	}
	return nullptr;
}

void
read_equalities(Scan &scan) noexcept
{
	const ListCell *cell, *inner;

	foreach (cell, scan.root->eq_classes)
	{
		const EquivalenceClass *const equals = static_cast<EquivalenceClass *>(lfirst(cell));
		if (equals->ec_has_const || equals->ec_has_volatile || list_length(equals->ec_members) < 2)
			continue;
		const EquivalenceMember *const own = own_member(equals, scan);
		if (own == nullptr)
			continue;
		foreach (inner, equals->ec_members)
		{
			const EquivalenceMember *const other = static_cast<EquivalenceMember *>(lfirst(inner));
			if (!other->em_is_child && !bms_is_empty(other->em_relids) &&
				!bms_overlap(other->em_relids,
							 scan.rel->top_parent_relids != nullptr ? scan.rel->top_parent_relids : scan.rel->relids))
				read_join_equality(scan, reinterpret_cast<Node *>(own->em_expr), equals->ec_collation,
								   other->em_relids);
		}
	}
}

// For min() and max() the planner asks for the first row in their order, with nulls first
// and last, and none of them.
bool
is_for_extreme(const PlannerInfo *root) noexcept
{
	if (root->parse->limitCount == nullptr || root->processed_tlist == NIL)
		return false;
	const TargetEntry *const target = linitial_node(TargetEntry, root->processed_tlist);
	return target->resname != nullptr && strcmp(target->resname, "agg_target") == 0;
}

bool
excludes_nulls(const Expr *clause) noexcept
{
	return IsA(clause, NullTest) && reinterpret_cast<const NullTest *>(clause)->nulltesttype == IS_NOT_NULL;
}

void
read_conditions(Scan &scan) noexcept
{
	const bool for_extreme = is_for_extreme(scan.root);
	const ListCell *cell;

	foreach (cell, scan.rel->baserestrictinfo)
	{
		const RestrictInfo *const restriction = static_cast<RestrictInfo *>(lfirst(cell));
		if (!restriction->pseudoconstant && !(for_extreme && excludes_nulls(restriction->clause)))
			read_clause(scan, reinterpret_cast<Node *>(restriction->clause));
	}
	foreach (cell, scan.rel->joininfo)
	{
		Node *const clause = reinterpret_cast<Node *>(static_cast<RestrictInfo *>(lfirst(cell))->clause);
		// An outer join's condition on its outer side does not say which rows are read there.
		if (contents_of(scan.rel->relid, clause).others)
			read_clause(scan, clause);
	}
}

// The rows come in this order or, the index read backwards, in the opposite one.
void
put_forwards(Order &order) noexcept
{
	if (order.part_count == 0 || !order.parts[0].descending || !order.parts[0].nulls_first)
		return;
	for (int i = 0; i < order.part_count; ++i)
	{
		order.parts[i].descending = !order.parts[i].descending;
		order.parts[i].nulls_first = !order.parts[i].nulls_first;
	}
}

Order
read_order(const Scan &scan) noexcept
{
	Order order = {};
	const ListCell *cell;

	foreach (cell, scan.root->query_pathkeys)
	{
		const PathKey *const key = static_cast<PathKey *>(lfirst(cell));
		const EquivalenceMember *const member = own_member(key->pk_eclass, scan);
		if (member == nullptr || server::nulled_later(member) || order.part_count == parts_of_index)
			return {};
		Node *const expression =
			without_relabelling(own_expression(scan.rel->relid, reinterpret_cast<Node *>(member->em_expr)));
		if (expression == nullptr || reason_against(scan.table, expression) != nullptr ||
			!has_order(exprType(expression)))
			return {};
		Part &part = order.parts[order.part_count++];
		part = part_of(scan.table, expression, nullptr, key->pk_eclass->ec_collation);
		part.descending = server::descends(key);
		part.nulls_first = key->pk_nulls_first;
		order.is_expression |= !IsA(expression, Var);
		pull_varattnos(expression, 1, &order.columns);
	}
	order.limited = scan.root->parse->limitCount != nullptr;
	if (is_for_extreme(scan.root) && order.parts[0].nulls_first != order.parts[0].descending)
		return {};
	put_forwards(order);
	return order;
}

void
collect(PlannerInfo *root, RelOptInfo *rel, Index number, RangeTblEntry *entry)
{
	if (collector == nullptr || root->glob->boundParams != collector->values || IS_DUMMY_REL(rel) ||
		!takes_indexes(entry) || is_of_partition(root, rel))
		return;
	const Relation relation = table_open(entry->relid, NoLock); // the planner has it
	if (is_permanent(relation))
	{
		PortableTexts texts;
		Scan scan = {root, rel, table_of(relation), collector->evidence};
		Bitmapset *output = nullptr;
		const int refusals = collector->out->refusal_count;
		scan.out = collector->out;
		scan.alternatives = collector->alternatives;
		read_conditions(scan);
		read_equalities(scan);
		collector->alternatives = scan.alternatives;
		pull_varattnos(reinterpret_cast<Node *>(rel->reltarget->exprs), rel->relid, &output);
		if (!propose_forms(scan, read_order(scan), output))
			scan.out->refusal_count = refusals;
		texts.leave();
	}
	table_close(relation, NoLock);
}

void
keep_most_promising(Proposals &out) noexcept
{
	std::stable_sort(out.items, out.items + out.count,
					 [](const Proposal &a, const Proposal &b) { return a.promise > b.promise; });
	out.count = Min(out.count, candidates_of_query);
}

} // namespace

void
propose(const Query *query, const Evidence &evidence, Proposals &out) noexcept
{
	Collector own = {0, &evidence, makeParamList(0), &out};
	Collector *const before = collector;
	const set_rel_pathlist_hook_type hook = set_rel_pathlist_hook;

	out = {};
	finally(
		[&]() noexcept {
			collector = &own;
			set_rel_pathlist_hook = collect;
			standard_planner(static_cast<Query *>(copyObjectImpl(query)), "", 0, own.values);
		},
		[&](bool) noexcept {
			collector = before;
			set_rel_pathlist_hook = hook;
		});
	keep_most_promising(out);
}

} // namespace remedy::index_advice

#include "index_advice/value_ties.hpp"

#include <utility>

#include "index_advice/constants.hpp"
#include "index_advice/stored_column.hpp"
#include "repetition/keys.hpp"
#include "server/versions.hpp"

extern "C" {
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
}

namespace remedy::index_advice {

namespace {

bool
is_external(const Node *node) noexcept
{
	return IsA(node, Param) && reinterpret_cast<const Param *>(node)->paramkind == PARAM_EXTERN;
}

// A constant of the text; those of views have no place in it.
bool
is_of_text(const Node *node) noexcept
{
	return IsA(node, Const) && reinterpret_cast<const Const *>(node)->location >= 0 &&
		   !reinterpret_cast<const Const *>(node)->constisnull;
}

// What a subquery asks counts as variable: it is not looked into.
bool
has_variable(Node *node, void *)
{
	if (node == nullptr)
		return false;
	return IsA(node, Var) || IsA(node, Query) || server::walk_expression(node, has_variable, nullptr);
}

// ---- The ties --------------------------------------------------------------------

// The others of a longer list stay as they are.
constexpr int list_limit = 100;

struct Search
{
	const Level *level;
	Ties *found;
	int room;
};

struct Condition
{
	Node *column; // as it stands in the query
	Oid operation;
	ValueRole role;
	bool is_list;
	bool paged;
};

bool
is_ordered_page(const Query *query, const Node *column) noexcept
{
	ListCell *cell;

	if (query->limitCount == nullptr)
		return false;
	foreach (cell, query->sortClause)
	{
		const TargetEntry *const target =
			get_sortgroupclause_tle(lfirst_node(SortGroupClause, cell), query->targetList);
		if (equal(repetition::without_casts(reinterpret_cast<Node *>(target->expr)),
				  repetition::without_casts(const_cast<Node *>(column))))
			return true;
	}
	return false;
}

// How many other values the column is compared with before this one, in IN or OR.
int
place_after(const Ties &found, const Tie &tie) noexcept
{
	int place = 0;

	for (int i = Max(found.count - list_limit, 0); i < found.count; ++i)
	{
		const Tie &other = found.ties[i];
		if (other.role != tie.role || other.query != tie.query || other.relation != tie.relation ||
			!equal(other.column, tie.column))
			continue;
		if (equal(other.value, tie.value))
			return other.place;
		++place;
	}
	return place;
}

void
add(Search &search, Tie tie) noexcept
{
	Ties &found = *search.found;

	tie.place = place_after(found, tie);
	if (found.count == search.room)
	{
		search.room = Max(2 * search.room, 16);
		Tie *const moved = static_cast<Tie *>(palloc(search.room * sizeof(Tie)));
		if (found.count > 0)
			memcpy(moved, found.ties, found.count * sizeof(Tie));
		found.ties = moved;
	}
	found.ties[found.count++] = tie;
}

void
tie(Search &search, Node *value, const Condition &condition) noexcept
{
	const StoredColumn column = stored_column(condition.column, search.level);
	const Query *const query = search.level->query;

	if (column.expression == nullptr || contain_volatile_functions(column.expression))
		return;
	add(search, {value, eval_const_expressions(nullptr, column.expression), column.relation, column.inherits,
				 condition.operation, condition.role, 0, condition.is_list,
				 condition.paged || is_ordered_page(query, condition.column), query, -1});
}

bool
is_concatenation(Node *node) noexcept
{
	return IsA(node, OpExpr) && strcmp(get_opname(reinterpret_cast<OpExpr *>(node)->opno), "||") == 0;
}

struct Leaves
{
	Search *search;
	Condition condition;
};

// Ties the parameters in an expression without variables.
bool
tie_parameters(Node *node, void *context)
{
	Leaves &leaves = *static_cast<Leaves *>(context);

	if (node == nullptr)
		return false;
	if (is_external(node))
	{
		tie(*leaves.search, node, leaves.condition);
		return false;
	}
	if (!is_concatenation(node) || leaves.condition.role != ValueRole::pattern)
		return server::walk_expression(node, tie_parameters, context);
	leaves.condition.role = ValueRole::piece;
	server::walk_expression(node, tie_parameters, context);
	leaves.condition.role = ValueRole::pattern;
	return false;
}

// The constant that an expression casts, or gives to a function of nothing else.
Node *
constant_in(Node *node) noexcept
{
	for (;;)
	{
		node = repetition::without_casts(node);
		if (!IsA(node, FuncExpr) || list_length(reinterpret_cast<FuncExpr *>(node)->args) != 1)
			return is_of_text(node) ? node : nullptr;
		if (calls_users_functions(node))
			return nullptr;
		node = static_cast<Node *>(linitial(reinterpret_cast<FuncExpr *>(node)->args));
	}
}

void
tie_side(Search &search, Node *side, const Condition &condition) noexcept
{
	Leaves leaves = {&search, condition};
	const int before = search.found->count;

	tie_parameters(side, &leaves);
	Node *const constant = search.found->count == before ? constant_in(side) : nullptr;
	if (constant != nullptr)
		tie(search, constant, condition);
}

// False if no value says anything to the operator's estimate.
bool
role_of(Oid operation, Oid column, Oid value, ValueRole &role) noexcept
{
	switch (get_oprrest(operation))
	{
	case F_EQSEL:
	case F_NEQSEL:
	case F_NETWORKSEL:
		role = ValueRole::equal;
		return true;
	case F_SCALARLTSEL:
	case F_SCALARLESEL:
		role = ValueRole::below;
		return true;
	case F_SCALARGTSEL:
	case F_SCALARGESEL:
		role = ValueRole::above;
		return true;
	case F_LIKESEL:
	case F_NLIKESEL:
	case F_ICLIKESEL:
	case F_ICNLIKESEL:
		role = ValueRole::pattern;
		return true;
	case F_REGEXEQSEL:
	case F_REGEXNESEL:
	case F_ICREGEXEQSEL:
	case F_ICREGEXNESEL:
		role = ValueRole::regular;
		return true;
	case F_PREFIXSEL:
		role = ValueRole::prefix;
		return true;
	case F_ARRAYCONTSEL:
		role = ValueRole::elements;
		return true;
	case F_TSMATCHSEL:
		role = ValueRole::words;
		return true;
	case F_RANGESEL:
	case F_MULTIRANGESEL:
		role = ValueRole::range;
		return true;
	case F_MATCHINGSEL:
		role = column != JSONBOID ? ValueRole::equal : value == TEXTOID ? ValueRole::key : ValueRole::document;
		return column != JSONBOID || value == TEXTOID || value == JSONBOID;
	default:
		return false;
	}
}

void
tie_comparison(Search &search, Oid operation, Node *left, Node *right, bool paged) noexcept
{
	Condition condition = {};

	if (!has_variable(left, nullptr))
	{
		std::swap(left, right);
		operation = get_commutator(operation);
	}
	if (!OidIsValid(operation) || !has_variable(left, nullptr) || has_variable(right, nullptr) ||
		!role_of(operation, exprType(left), exprType(right), condition.role))
		return;
	condition.column = left;
	condition.operation = operation;
	condition.paged = paged;
	tie_side(search, right, condition);
}

void
tie_list(Search &search, const ScalarArrayOpExpr *comparison) noexcept
{
	Node *const left = static_cast<Node *>(linitial(comparison->args));
	Node *const right = repetition::without_casts(static_cast<Node *>(lsecond(comparison->args)));
	Condition condition = {left, comparison->opno, ValueRole::element, false, false};
	ListCell *cell;

	if (!has_variable(left, nullptr))
	{
		condition.column = right;
		if (has_variable(right, nullptr))
			tie_side(search, left, condition);
		return;
	}
	if (has_variable(right, nullptr) ||
		!role_of(comparison->opno, exprType(left), get_base_element_type(exprType(right)), condition.role))
		return;
	if (!IsA(right, ArrayExpr))
	{
		condition.is_list = true;
		tie_side(search, right, condition);
		return;
	}
	foreach (cell, reinterpret_cast<ArrayExpr *>(right)->elements)
	{
		if (foreach_current_index(cell) == list_limit)
			break;
		tie_side(search, static_cast<Node *>(lfirst(cell)), condition);
	}
}

// After its first column a page begins anywhere.
void
tie_rows(Search &search, const RowCompareExpr *comparison) noexcept
{
	ListCell *operation, *left, *right;

	forthree(operation, comparison->opnos, left, comparison->largs, right, comparison->rargs)
		tie_comparison(search, lfirst_oid(operation), static_cast<Node *>(lfirst(left)),
					   static_cast<Node *>(lfirst(right)), foreach_current_index(operation) > 0);
}

void
tie_count(Search &search, Node *count, ValueRole role) noexcept
{
	if (count != nullptr && is_external(repetition::without_casts(count)))
		add(search, {repetition::without_casts(count), nullptr, InvalidOid, false, InvalidOid, role, 0, false, false,
					 search.level->query, -1});
}

bool
expose(Node *node, void *context)
{
	Ties &found = *static_cast<Ties *>(context);

	if (node == nullptr)
		return false;
	if (is_external(node))
		found.exposed = list_append_unique_int(found.exposed, reinterpret_cast<Param *>(node)->paramid);
	return server::walk_expression(node, expose, context);
}

bool
search_in(Node *node, void *context)
{
	Search &search = *static_cast<Search *>(context);

	if (node == nullptr)
		return false;
	if (IsA(node, Query))
	{
		Query *const query = reinterpret_cast<Query *>(node);
		const Level level = {query, search.level};
		check_stack_depth();
		search.level = &level;
		tie_count(search, query->limitCount, ValueRole::row_limit);
		tie_count(search, query->limitOffset, ValueRole::row_offset);
		server::walk_query(query, search_in, context);
		search.level = level.outer;
		return false;
	}
	if ((IsA(node, OpExpr) || IsA(node, DistinctExpr)) && list_length(reinterpret_cast<OpExpr *>(node)->args) == 2)
	{
		const OpExpr *const comparison = reinterpret_cast<OpExpr *>(node);
		tie_comparison(search, comparison->opno, static_cast<Node *>(linitial(comparison->args)),
					   static_cast<Node *>(lsecond(comparison->args)), false);
	}
	else if (IsA(node, ScalarArrayOpExpr))
		tie_list(search, reinterpret_cast<ScalarArrayOpExpr *>(node));
	else if (IsA(node, RowCompareExpr))
		tie_rows(search, reinterpret_cast<RowCompareExpr *>(node));
	if (!has_variable(node, nullptr) && calls_users_functions(node))
		expose(node, search.found);
	return server::walk_expression(node, search_in, context);
}

bool
bound_the_same(const Tie &one, const Tie &other) noexcept
{
	return one.role == ValueRole::above && other.role == ValueRole::below && other.partner < 0 &&
		   one.query == other.query && one.relation == other.relation && equal(one.column, other.column) &&
		   !equal(one.value, other.value);
}

void
find_partners(Ties &found) noexcept
{
	for (int i = 0; i < found.count; ++i)
		for (int j = 0; j < found.count && found.ties[i].partner < 0; ++j)
			if (bound_the_same(found.ties[i], found.ties[j]))
			{
				found.ties[i].partner = j;
				found.ties[j].partner = i;
			}
}

} // namespace

Ties
find_ties(const Query *query) noexcept
{
	Ties found = {};
	Search search = {nullptr, &found, 0};

	search_in(reinterpret_cast<Node *>(const_cast<Query *>(query)), &search);
	find_partners(found);
	return found;
}

} // namespace remedy::index_advice

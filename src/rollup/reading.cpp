// Keys and measures as the server's grammar reads them.

#include "rollup/reading.hpp"

#include "server/refusal.hpp"

extern "C" {
#include "catalog/heap.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parse_target.h"
#include "utils/typcache.h"
}

namespace remedy::rollup {

namespace {

bool
is_star(const Node *expression) noexcept
{
	return IsA(expression, ColumnRef) && IsA(llast(reinterpret_cast<const ColumnRef *>(expression)->fields), A_Star);
}

// Null unless the statement is a SELECT that has a list of one item and no other clause; that item.
const ResTarget *
only_item(const List *statements) noexcept
{
	if (list_length(statements) != 1)
		return nullptr;
	const Node *const statement = linitial_node(RawStmt, statements)->stmt;
	if (!IsA(statement, SelectStmt))
		return nullptr;

	SelectStmt *const bare = makeNode(SelectStmt);
	bare->targetList = reinterpret_cast<const SelectStmt *>(statement)->targetList;
	if (list_length(bare->targetList) != 1 || !equal(bare, statement))
		return nullptr;
	const ResTarget *const item = linitial_node(ResTarget, bare->targetList);
	return is_star(item->val) ? nullptr : item;
}

void
check_is_of_rows(const ParseState *state, bool aggregate) noexcept
{
	if (state->p_hasSubLinks)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "a rollup cannot have sub-queries",
					   "What other tables know is joined when the rollup is queried.");
	if (state->p_hasWindowFuncs)
		server::refuse(ERRCODE_WINDOWING_ERROR, "a rollup cannot have window functions");
	if (state->p_hasTargetSRFs)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED, "a rollup cannot have set-returning functions");
	if (state->p_hasAggs && !aggregate)
		server::refuse(ERRCODE_GROUPING_ERROR, "a key cannot have aggregates");
}

} // namespace

void
Reading::tell(void *reading) noexcept
{
	const Reading *const self = static_cast<const Reading *>(reading);

	// The position is one in our statement, not in the user's.
	if (const int position = geterrposition(); position > 0 && self->statement_ != nullptr)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(self->statement_);
	}
	errcontext("%s \"%s\"", self->what_, self->text_);
}

void
Reading::begin() noexcept
{
	context_.callback = tell;
	context_.arg = this;
	context_.previous = error_context_stack;
	error_context_stack = &context_;
}

void
Reading::end() noexcept
{
	error_context_stack = context_.previous;
}

const ResTarget *
Reading::read() noexcept
{
	statement_ = psprintf("SELECT %s", text_);
	const ResTarget *const item = only_item(raw_parser(statement_, RAW_PARSE_DEFAULT));

	if (item == nullptr)
		server::refuse(ERRCODE_SYNTAX_ERROR, psprintf("\"%s\" is not one expression", text_),
					   "Write an expression over the columns of a row, and AS with a name if you like.");
	return item;
}

Node *
Reading::analyse(Relation source, const Node *raw, bool aggregate) const noexcept
{
	ParseState *const state = make_parsestate(nullptr);

	state->p_sourcetext = statement_;
	ParseNamespaceItem *const item =
		addRangeTableEntryForRelation(state, source, AccessShareLock, nullptr, true, false);
	addNSItemToQuery(state, item, true, true, true);

	Node *expression = transformExpr(state, static_cast<Node *>(copyObjectImpl(raw)), EXPR_KIND_SELECT_TARGET);
	if (exprType(expression) == UNKNOWNOID)
		expression = coerce_to_common_type(state, expression, TEXTOID, "SELECT");
	assign_expr_collations(state, expression);
	check_is_of_rows(state, aggregate);
	free_parsestate(state);
	return expression;
}

void
check_row_expression(const Node *expression, const char *name) noexcept
{
	Node *const node = const_cast<Node *>(expression);
	Bitmapset *columns = nullptr;

	CheckAttributeType(name, exprType(node), exprCollation(node), NIL, 0);
	pull_varattnos(node, 1, &columns);
	if (const int first = bms_next_member(columns, -1); first >= 0 && first <= -FirstLowInvalidHeapAttributeNumber)
		server::refuse(ERRCODE_FEATURE_NOT_SUPPORTED,
					   first == -FirstLowInvalidHeapAttributeNumber ? "a rollup cannot have whole rows"
																	: "a rollup cannot have system columns",
					   "Name the columns that are meant.");
	// As an index's expression: default arguments and functions of SQL are looked into.
	if (contain_mutable_functions(
			reinterpret_cast<Node *>(expression_planner(static_cast<Expr *>(copyObjectImpl(node))))))
		server::refuse(
			ERRCODE_INVALID_OBJECT_DEFINITION, "functions in a rollup must be marked IMMUTABLE",
			"What depends on a setting can often be said without it: (t AT TIME ZONE 'UTC')::date for t::date.");
}

void
check_key(const Node *expression, const char *name) noexcept
{
	check_row_expression(expression, name);

	const Oid type = exprType(expression);
	const TypeCacheEntry *const cached = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_HASH_PROC);
	if (!OidIsValid(cached->eq_opr) || !OidIsValid(cached->hash_proc))
		server::refuse(ERRCODE_UNDEFINED_FUNCTION,
					   psprintf("key \"%s\" is of type %s, which cannot be hashed", name, format_type_be(type)),
					   "A cast to a type that can, as jsonb or text, makes it a key.");
}

const char *
usual_name(const Node *raw) noexcept
{
	return FigureColname(const_cast<Node *>(raw));
}

} // namespace remedy::rollup

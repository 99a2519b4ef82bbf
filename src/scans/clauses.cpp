#include "scans/clauses.hpp"

#include <utility>

#include "scans/constant_hash.hpp"
#include "server/versions.hpp"

namespace remedy::scans {

namespace {

struct Condition
{
	Clause clause;
	ConstantHash constant;
};

// Finds the conditions of one scan.
struct Describer
{
	const QueryDesc *query;
	const List *index_columns; // of an index-only scan, whose variables stand for these
	Conditions *conditions;
	bool indexed;
	std::uint8_t groups;

	void describe(const List *nodes) noexcept;
	void describe_or(const BoolExpr *expression) noexcept;
	void describe_one(Node *node, std::uint8_t group, std::uint8_t arm) noexcept;
	bool describe_comparison(Condition &condition, Oid operation, const List *arguments) const noexcept;
	bool describe_column(Clause &clause, Node *node) const noexcept;
	int column_of(Node *node) const noexcept;
	OtherSide other_side_of(Node *node) const noexcept;
};

Node *
without_relabelling(Node *node) noexcept
{
	while (node != nullptr && IsA(node, RelabelType))
		node = reinterpret_cast<Node *>(reinterpret_cast<RelabelType *>(node)->arg);
	return node;
}

bool
find_variable(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	if (IsA(node, Var))
	{
		*static_cast<Node **>(context) = node;
		return true;
	}
	return server::walk_expression(node, find_variable, context);
}

Node *
first_variable(Node *node) noexcept
{
	Node *variable = nullptr;

	find_variable(node, &variable);
	return variable;
}

// The number of the table's column, 0 if it is none.
int
Describer::column_of(Node *node) const noexcept
{
	node = without_relabelling(node);
	if (node == nullptr || !IsA(node, Var))
		return 0;
	const Var *variable = reinterpret_cast<Var *>(node);
	if (variable->varno == INDEX_VAR)
	{
		const int position = variable->varattno - 1;
		if (position < 0 || position >= list_length(index_columns))
			return 0;
		node = reinterpret_cast<Node *>(static_cast<TargetEntry *>(list_nth(index_columns, position))->expr);
		if (!IsA(node, Var))
			return 0;
		variable = reinterpret_cast<Var *>(node);
	}
	return variable->varattno;
}

// A column, or an expression of one.
bool
Describer::describe_column(Clause &clause, Node *node) const noexcept
{
	node = without_relabelling(node);
	clause.column = column_of(node);
	if (clause.column != 0)
		return true;
	Node *const variable = first_variable(node);
	if (variable == nullptr)
		return false;
	clause.column = column_of(variable);
	clause.is_expression = true;
	if (IsA(node, FuncExpr))
	{
		const FuncExpr *const call = reinterpret_cast<FuncExpr *>(node);
		if (list_length(call->args) == 1 && column_of(static_cast<Node *>(linitial(call->args))) != 0)
			clause.function = call->funcid;
	}
	return true;
}

bool
is_word(const char *text, const char *word) noexcept
{
	const char after = text[strlen(word)];

	return pg_strncasecmp(text, word, strlen(word)) == 0 && !isalnum(static_cast<unsigned char>(after)) &&
		   after != '_' && after != '$' && !IS_HIGHBIT_SET(after);
}

// Values given with the statement are constants in its plan too, but in its text
// there stands $1 at that place, or the name of a variable.
bool
is_literal(const char *text) noexcept
{
	const auto is_letter = [](char c) { return isalpha(static_cast<unsigned char>(c)) != 0; };

	if (is_letter(text[0]))
		return text[1] == '\'' || pg_strncasecmp(text, "u&'", 3) == 0 || is_word(text, "true") ||
			   is_word(text, "false");
	if (text[0] == '$')
		return !isdigit(static_cast<unsigned char>(text[1]));
	return text[0] != '\0' && strchr("'+-.0123456789", text[0]) != nullptr;
}

// Equal for every plan of a statement, whether values were given for planning or not.
OtherSide
Describer::other_side_of(Node *node) const noexcept
{
	node = without_relabelling(node);
	if (IsA(node, Param))
		return OtherSide::parameter;
	if (!IsA(node, Const))
		return column_of(node) != 0              ? OtherSide::column
			   : first_variable(node) == nullptr ? OtherSide::computed
												 : OtherSide::expression;
	const int location = reinterpret_cast<Const *>(node)->location;
	const char *const text = query->sourceText;
	if (query->params == nullptr || query->params->numParams == 0)
		return OtherSide::constant;
	if (location < 0 || text == nullptr || location >= static_cast<int>(strlen(text)))
		return OtherSide::computed;
	return is_literal(text + location) ? OtherSide::constant : OtherSide::parameter;
}

bool
Describer::describe_comparison(Condition &condition, Oid operation, const List *arguments) const noexcept
{
	if (list_length(arguments) != 2)
		return false;
	Node *column = static_cast<Node *>(linitial(arguments));
	Node *other = static_cast<Node *>(lsecond(arguments));

	if (first_variable(column) == nullptr)
	{
		std::swap(column, other);
		operation = get_commutator(operation);
	}
	if (operation == InvalidOid || !describe_column(condition.clause, column))
		return false;
	condition.clause.operation = operation;
	condition.clause.other_side = other_side_of(other);
	if (condition.clause.other_side == OtherSide::constant)
		condition.constant = hash_of_constant(reinterpret_cast<const Const *>(without_relabelling(other)));
	return true;
}

void
Describer::describe_one(Node *node, std::uint8_t group, std::uint8_t arm) noexcept
{
	Condition condition = {};
	Clause &clause = condition.clause;
	bool described = false;

	clause.group = group;
	clause.arm = arm;
	clause.indexed = indexed;
	if (IsA(node, OpExpr))
	{
		const OpExpr *const expression = reinterpret_cast<OpExpr *>(node);
		clause.kind = ClauseKind::comparison;
		described = describe_comparison(condition, expression->opno, expression->args);
	}
	else if (IsA(node, ScalarArrayOpExpr))
	{
		const ScalarArrayOpExpr *const expression = reinterpret_cast<ScalarArrayOpExpr *>(node);
		clause.kind = expression->useOr ? ClauseKind::any_of : ClauseKind::all_of;
		// The array is on the right and has no commutator; a column of arrays is an expression.
		if (first_variable(static_cast<Node *>(linitial(expression->args))) != nullptr)
			described = describe_comparison(condition, expression->opno, expression->args);
	}
	else if (IsA(node, NullTest))
	{
		const NullTest *const test = reinterpret_cast<NullTest *>(node);
		clause.kind = test->nulltesttype == IS_NULL ? ClauseKind::is_null : ClauseKind::is_not_null;
		described = describe_column(clause, reinterpret_cast<Node *>(test->arg));
	}
	else if (IsA(node, BoolExpr) && reinterpret_cast<BoolExpr *>(node)->boolop == NOT_EXPR)
	{
		clause.kind = ClauseKind::is_false;
		described = describe_column(clause, static_cast<Node *>(linitial(reinterpret_cast<BoolExpr *>(node)->args)));
	}
	else if (IsA(node, Var))
	{
		clause.kind = ClauseKind::is_true;
		described = describe_column(clause, node);
	}
	if (!described)
	{
		clause.operation = InvalidOid;
		clause.kind = ClauseKind::other;
		describe_column(clause, node);
	}
	conditions->add(clause, condition.constant);
}

void
Describer::describe_or(const BoolExpr *expression) noexcept
{
	const std::uint8_t group = ++groups;
	std::uint8_t arm = 0;
	const ListCell *cell;

	foreach (cell, expression->args)
	{
		Node *const node = static_cast<Node *>(lfirst(cell));
		++arm;
		if (!is_andclause(node))
		{
			describe_one(node, group, arm);
			continue;
		}
		const ListCell *inner;
		foreach (inner, reinterpret_cast<BoolExpr *>(node)->args)
			describe_one(static_cast<Node *>(lfirst(inner)), group, arm);
	}
}

void
Describer::describe(const List *nodes) noexcept
{
	const ListCell *cell;

	foreach (cell, nodes)
	{
		Node *const node = static_cast<Node *>(lfirst(cell));
		if (is_orclause(node))
			describe_or(reinterpret_cast<BoolExpr *>(node));
		else
			describe_one(node, 0, 0);
	}
}

} // namespace

void
describe_scan(const Plan *plan, const QueryDesc &query, Conditions &conditions) noexcept
{
	memset(static_cast<void *>(&conditions), 0, sizeof(conditions));
	Describer describer = {&query, NIL, &conditions, false, 0};
	const List *of_index = NIL;

	switch (nodeTag(plan))
	{
	case T_IndexScan:
		of_index = reinterpret_cast<const IndexScan *>(plan)->indexqualorig;
		break;
	case T_IndexOnlyScan:
		of_index = reinterpret_cast<const IndexOnlyScan *>(plan)->recheckqual;
		describer.index_columns = reinterpret_cast<const IndexOnlyScan *>(plan)->indextlist;
		break;
	case T_BitmapHeapScan:
		of_index = reinterpret_cast<const BitmapHeapScan *>(plan)->bitmapqualorig;
		break;
	default:
		break;
	}
	describer.describe(plan->qual);
	describer.indexed = true;
	describer.describe(of_index);
	conditions.sort();
	conditions.constants.samples = 1;
}

} // namespace remedy::scans

#include "index_advice/conditions.hpp"

#include <utility>

#include "index_advice/operators.hpp"
#include "index_advice/patterns.hpp"
#include "server/versions.hpp"

extern "C" {
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "catalog/pg_opfamily.h"
#include "nodes/makefuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/selfuncs.h"
}

namespace remedy::index_advice {

namespace {

// ---- What an expression holds --------------------------------------------------------

struct Contents
{
	Index table;
	bool own;    // columns of the table
	bool others; // of other tables, or what stands for no column of the table
	bool values; // parameters, or results of subqueries
};

bool
look_into(Node *node, void *context)
{
	Contents &contents = *static_cast<Contents *>(context);

	if (node == nullptr)
		return false;
	if (IsA(node, Var))
	{
		const Var *const variable = reinterpret_cast<Var *>(node);
		const bool own = static_cast<Index>(variable->varno) == contents.table;
		contents.own |= own;
		contents.others |= !own || variable->varattno <= 0;
	}
	else if (IsA(node, PlaceHolderVar))
		contents.others = true;
	else if (IsA(node, Param) || IsA(node, SubPlan) || IsA(node, AlternativeSubPlan))
		contents.values = true;
	return server::walk_expression(node, look_into, context);
}

Contents
contents_of(const Scan &scan, Node *node) noexcept
{
	Contents contents = {scan.rel->relid, false, false, false};

	look_into(node, &contents);
	return contents;
}

bool
renumber(Node *node, void *context)
{
	if (node == nullptr)
		return false;
	if (IsA(node, Var))
	{
		Var *const variable = reinterpret_cast<Var *>(node);
		variable->varno = 1;
		variable->varnosyn = 1;
		variable->varattnosyn = variable->varattno;
	}
	return server::walk_expression(node, renumber, context);
}

// ---- Keeping conditions --------------------------------------------------------------

Condition &
new_condition(Scan &scan, Role role) noexcept
{
	if (scan.count == scan.capacity)
	{
		const int capacity = Max(16, 2 * scan.capacity);
		Condition *const wider = static_cast<Condition *>(palloc0(capacity * sizeof(Condition)));
		if (scan.count > 0)
			memcpy(static_cast<void *>(wider), scan.conditions, scan.count * sizeof(Condition));
		scan.conditions = wider;
		scan.capacity = capacity;
	}
	Condition &condition = scan.conditions[scan.count++];
	condition = {};
	condition.role = role;
	condition.method = "btree";
	return condition;
}

// Where in the clauses of a scan a condition stands.
struct Place
{
	int alternatives;
	int arm;
};

// A condition that is being read.
struct Reader
{
	Scan &scan;
	Node *clause; // as the planner has it
	Place place;

	bool read() const noexcept;
	bool read_or() const noexcept;
	bool read_boolean(Node *column) const noexcept;
	bool read_boolean_test(const BooleanTest *test) const noexcept;
	bool read_null_test(const NullTest *test) const noexcept;
	bool read_any(const ScalarArrayOpExpr *expression) const noexcept;
	bool read_row(const RowCompareExpr *row) const noexcept;
	bool read_comparison(Oid operation, Node *key, Node *value, Oid collation, bool any) const noexcept;
	bool read_pattern(Pattern pattern, Oid operation, Node *key, Node *value, Oid collation) const noexcept;
	bool read_other(Oid operation, Node *key) const noexcept;
	bool is_refused(Node *key, Oid operation) const noexcept;
	bool filter(Oid operation, const Node *key, const Node *value) const noexcept;
	Condition &keep(Role role) const noexcept;
	Condition &keep(Role role, Node *key, const Service &service, Oid collation) const noexcept;
	bool recurs(Oid operation, const Node *key, const Node *value) const noexcept;
	bool can_be_predicate() const noexcept;
};

bool
Reader::can_be_predicate() const noexcept
{
	const Contents contents = contents_of(scan, clause);

	return contents.own && !contents.others && !contents.values && !contain_mutable_functions(clause);
}

Condition &
Reader::keep(Role role) const noexcept
{
	const Relids tables = pull_varnos(scan.root, clause);
	Condition &condition = new_condition(scan, role);

	condition.clause = own_expression(scan, clause);
	condition.selectivity = clause_selectivity(scan.root, clause, scan.rel->relid, JOIN_INNER, nullptr);
	condition.partners = bms_is_subset(tables, scan.rel->relids) ? nullptr : bms_difference(tables, scan.rel->relids);
	pull_varattnos(clause, scan.rel->relid, &condition.columns);
	condition.alternatives = place.alternatives;
	condition.arm = place.arm;
	return condition;
}

Condition &
Reader::keep(Role role, Node *key, const Service &service, Oid collation) const noexcept
{
	Condition &condition = keep(role);

	condition.method = service.method;
	condition.parts[0] = part_of(scan.table, key, service.opclass, collation);
	condition.part_count = 1;
	condition.is_expression = !IsA(key, Var);
	return condition;
}

constexpr Service default_btree = {"btree", nullptr, BTEqualStrategyNumber};

// ---- Constants that recur --------------------------------------------------------------

constexpr double few_values = 50;

bool
has_few_values(const Scan &scan, const Var *column) noexcept
{
	VariableStatData statistics;
	bool is_default;
	Var own = *column;

	if (own.vartype == BOOLOID || type_is_enum(own.vartype))
		return true;
	own.varno = scan.rel->relid;
	examine_variable(scan.root, reinterpret_cast<Node *>(&own), 0, &statistics);
	const double values = get_variable_numdistinct(&statistics, &is_default);
	ReleaseVariableStats(statistics);
	return !is_default && values <= few_values;
}

bool
Reader::recurs(Oid operation, const Node *key, const Node *value) const noexcept
{
	if (!IsA(key, Var) || !IsA(value, Const) || !can_be_predicate())
		return false;
	const Var *const column = reinterpret_cast<const Var *>(key);
	const Evidence &evidence = *scan.evidence;
	return evidence.recurs == nullptr ? has_few_values(scan, column)
									  : evidence.recurs(scan.table.relation, column->varattno, operation,
														reinterpret_cast<const Const *>(value), evidence.context);
}

// What excludes values finds nothing by itself; as a constant it can be a predicate.
bool
Reader::filter(Oid operation, const Node *key, const Node *value) const noexcept
{
	if (!recurs(operation, key, value))
	{
		refuse(scan, "%s is compared by %s, which excludes values: no index finds what is left",
			   condition_text(scan.table, const_cast<Node *>(key)), get_opname(operation));
		return false;
	}
	keep(Role::filter).recurs = true;
	return false;
}

// ---- Reasons against -------------------------------------------------------------------

// A column that is converted because of the other side's type.
bool
is_implicit_cast(const Node *key) noexcept
{
	return (IsA(key, FuncExpr) && reinterpret_cast<const FuncExpr *>(key)->funcformat == COERCE_IMPLICIT_CAST) ||
		   (IsA(key, CoerceViaIO) && reinterpret_cast<const CoerceViaIO *>(key)->coerceformat == COERCE_IMPLICIT_CAST);
}

bool
refuse_cast(Scan &scan, Node *key) noexcept
{
	Node *const column = static_cast<Node *>(IsA(key, FuncExpr) ? linitial(reinterpret_cast<FuncExpr *>(key)->args)
																: reinterpret_cast<CoerceViaIO *>(key)->arg);

	if (!is_implicit_cast(key))
		return false;
	const char *const type = format_type_be(exprType(column));
	refuse(scan, "%s is of type %s and compared with %s: cast the parameter or constant to %s",
		   condition_text(scan.table, column), type, format_type_be(exprType(key)), type);
	return true;
}

bool
Reader::is_refused(Node *key, Oid operation) const noexcept
{
	if ((IsA(key, FuncExpr) || IsA(key, CoerceViaIO)) && refuse_cast(scan, key))
		return true;
	if (contents_of(scan, clause).own && contain_volatile_functions(clause) && !contain_volatile_functions(key))
	{
		refuse(scan, "%s is compared by %s with a volatile function, which has another value for each row",
			   condition_text(scan.table, key), get_opname(operation));
		return true;
	}
	const char *const reason = reason_against(scan.table, key);
	if (reason == nullptr)
		return false;
	refuse(scan, "%s%s", reason,
		   IsA(key, OpExpr) ? "; if it is arithmetic, move it to the other side of the comparison" : "");
	return true;
}

bool
Reader::read_other(Oid operation, Node *key) const noexcept
{
	refuse(scan, "%s is compared by %s, an operator that no index serves for its type", condition_text(scan.table, key),
		   get_opname(operation));
	return false;
}

bool
excludes(Oid operation) noexcept
{
	const RegProcedure estimator = get_oprrest(operation);

	return estimator == F_NEQSEL || estimator == F_NLIKESEL || estimator == F_ICNLIKESEL || estimator == F_REGEXNESEL ||
		   estimator == F_ICREGEXNESEL;
}

// ---- The kinds of conditions -------------------------------------------------------------

Pattern
pattern_of(Oid operation) noexcept
{
	switch (get_opcode(operation))
	{
	case F_TEXTLIKE:
	case F_BPCHARLIKE:
		return Pattern::like;
	case F_TEXTICLIKE:
	case F_BPCHARICLIKE:
		return Pattern::ilike;
	case F_TEXTREGEXEQ:
	case F_BPCHARREGEXEQ:
		return Pattern::regex;
	case F_TEXTICREGEXEQ:
	case F_BPCHARICREGEXEQ:
		return Pattern::iregex;
	default:
		return Pattern::none;
	}
}

bool
Reader::read_pattern(Pattern pattern, Oid operation, Node *key, Node *value, Oid collation) const noexcept
{
	const bool is_known = IsA(value, Const) && !reinterpret_cast<Const *>(value)->constisnull;
	const char *const known = is_known ? TextDatumGetCString(reinterpret_cast<Const *>(value)->constvalue) : "";
	const bool begins = is_known ? has_fixed_beginning(pattern, known) : pattern == Pattern::like;

	if (begins)
		keep(Role::range, key, {"btree", pattern_opclass(exprType(key), collation), 0}, collation);
	if (begins && is_known)
		return true;
	if (is_known && !has_trigram(pattern, known))
	{
		refuse(scan, "the pattern for %s has a wildcard in front and fewer than three characters in a row",
			   condition_text(scan.table, key));
		return false;
	}
	const Service trigrams = service_for(operation, exprType(key));
	if (trigrams.method != nullptr)
		keep(Role::search, key, trigrams, collation);
	else if (!begins)
		refuse(scan,
			   "%s is compared with a pattern that has no fixed beginning, which needs pg_trgm: CREATE EXTENSION "
			   "pg_trgm; then CREATE INDEX CONCURRENTLY ON %s USING gin (%s gin_trgm_ops)",
			   condition_text(scan.table, key), scan.table.name,
			   part_of(scan.table, key, nullptr, InvalidOid).text.data());
	return begins || trigrams.method != nullptr;
}

bool
Reader::read_comparison(Oid operation, Node *key, Node *value, Oid collation, bool any) const noexcept
{
	if (!contents_of(scan, key).own)
	{
		std::swap(key, value);
		operation = any ? InvalidOid : get_commutator(operation);
	}
	const Contents contents = contents_of(scan, key);
	if (contents_of(scan, value).own)
	{
		refuse(scan, "a condition compares columns of the same table with each other");
		return false;
	}
	if (!contents.own || contents.others || !OidIsValid(operation))
		return false;
	key = without_relabelling(own_expression(scan, key));
	value = without_relabelling(value);
	if (contents.values)
	{
		refuse(scan,
			   "%s is computed with a value that is not known before: move it to the other side of the comparison",
			   condition_text(scan.table, key));
		return false;
	}
	if (is_refused(key, operation))
		return false;
	if (excludes(operation))
		return filter(operation, key, value);
	if (const Pattern pattern = pattern_of(operation); pattern != Pattern::none && !any)
		return read_pattern(pattern, operation, key, value, collation);
	const Service service = service_for(operation, exprType(key));
	if (service.method == nullptr)
		return read_other(operation, key);
	const bool is_btree = strcmp(service.method, "btree") == 0;
	const bool is_equality = is_btree && service.strategy == BTEqualStrategyNumber;
	Condition &condition = keep(is_equality ? Role::equality
								: is_btree  ? Role::range
											: Role::search,
								key, service, collation);
	condition.finds_one = is_equality && !any;
	condition.recurs = is_btree && recurs(operation, key, value);
	return true;
}

bool
Reader::read_any(const ScalarArrayOpExpr *expression) const noexcept
{
	Node *const key = static_cast<Node *>(linitial(expression->args));
	Node *const list = static_cast<Node *>(lsecond(expression->args));

	if (!contents_of(scan, key).own)
	{
		if (contents_of(scan, list).own)
			refuse(scan, "value = ANY (%s) cannot use an index: write %s @> ARRAY[value]",
				   condition_text(scan.table, own_expression(scan, list)),
				   condition_text(scan.table, own_expression(scan, list)));
		return false;
	}
	if (expression->useOr)
		return read_comparison(expression->opno, key, list, expression->inputcollid, true);
	Node *const own = own_expression(scan, key);
	return own != nullptr && filter(expression->opno, without_relabelling(own), without_relabelling(list));
}

bool
Reader::read_row(const RowCompareExpr *row) const noexcept
{
	const bool reversed = !contents_of(scan, static_cast<Node *>(linitial(row->largs))).own;
	const List *const keys = reversed ? row->rargs : row->largs;
	const List *const values = reversed ? row->largs : row->rargs;
	Condition range = {};

	for (int i = 0; i < list_length(keys) && range.part_count < row_parts; ++i)
	{
		Node *const own = own_expression(scan, static_cast<Node *>(list_nth(keys, i)));
		const Oid operation = reversed ? get_commutator(list_nth_oid(row->opnos, i)) : list_nth_oid(row->opnos, i);
		if (own == nullptr || contents_of(scan, static_cast<Node *>(list_nth(values, i))).own ||
			contain_mutable_functions(own))
			break;
		const Service service = service_for(operation, exprType(without_relabelling(own)));
		if (service.method == nullptr || strcmp(service.method, "btree") != 0)
			break;
		range.parts[range.part_count++] =
			part_of(scan.table, without_relabelling(own), service.opclass, list_nth_oid(row->inputcollids, i));
	}
	if (range.part_count == 0)
		return false;
	Condition &condition = keep(Role::range);
	memcpy(static_cast<void *>(condition.parts), range.parts, sizeof(range.parts));
	condition.part_count = range.part_count;
	return true;
}

bool
Reader::read_boolean(Node *column) const noexcept
{
	Node *const key = own_expression(scan, column);

	if (key == nullptr || !IsA(key, Var))
		return false;
	Condition &condition = keep(Role::equality, key, default_btree, InvalidOid);
	condition.recurs = condition.finds_one = true;
	return true;
}

bool
Reader::read_boolean_test(const BooleanTest *test) const noexcept
{
	if (test->booltesttype == IS_TRUE || test->booltesttype == IS_FALSE)
		return read_boolean(reinterpret_cast<Node *>(test->arg));
	if (can_be_predicate())
		keep(Role::filter).recurs = true;
	return false;
}

bool
Reader::read_null_test(const NullTest *test) const noexcept
{
	Node *const key = own_expression(scan, reinterpret_cast<Node *>(test->arg));

	if (key == nullptr || test->argisrow || contents_of(scan, clause).values)
		return false;
	if (!has_order(exprType(key)))
	{
		if (can_be_predicate())
			keep(Role::filter).recurs = true;
		return false;
	}
	if (const char *const reason = reason_against(scan.table, key); reason != nullptr)
	{
		refuse(scan, "%s", reason);
		return false;
	}
	Condition &condition = keep(test->nulltesttype == IS_NULL ? Role::equality : Role::range, without_relabelling(key),
								default_btree, InvalidOid);
	condition.recurs = can_be_predicate();
	return true;
}

// Of use only if each arm has an index, so that a bitmap of each can be made.
bool
Reader::read_or() const noexcept
{
	const int first = scan.count;
	const Place inner = {++scan.alternatives, 0};
	const ListCell *cell;
	int arm = 0;
	bool all = place.alternatives == 0; // an OR inside of an OR's arm is left to the planner

	foreach (cell, reinterpret_cast<BoolExpr *>(clause)->args)
	{
		Node *const node = static_cast<Node *>(lfirst(cell));
		List *const parts = is_andclause(node) ? reinterpret_cast<BoolExpr *>(node)->args : list_make1(node);
		const ListCell *part;
		bool any = false;
		++arm;
		foreach (part, parts)
			any |= Reader{scan, static_cast<Node *>(lfirst(part)), {inner.alternatives, arm}}.read();
		all = all && any;
	}
	if (!all)
	{
		scan.count = first;
		refuse(scan, "an OR has an arm that no index on this table serves: a UNION of the arms may");
	}
	return all;
}

// Whether there may be an index that finds what the condition asks for.
bool
Reader::read() const noexcept
{
	check_stack_depth();
	switch (nodeTag(clause))
	{
	case T_OpExpr: {
		const OpExpr *const expression = reinterpret_cast<OpExpr *>(clause);
		return list_length(expression->args) == 2 &&
			   read_comparison(expression->opno, static_cast<Node *>(linitial(expression->args)),
							   static_cast<Node *>(lsecond(expression->args)), expression->inputcollid, false);
	}
	case T_ScalarArrayOpExpr:
		return read_any(reinterpret_cast<ScalarArrayOpExpr *>(clause));
	case T_RowCompareExpr:
		return read_row(reinterpret_cast<RowCompareExpr *>(clause));
	case T_NullTest:
		return read_null_test(reinterpret_cast<NullTest *>(clause));
	case T_BooleanTest:
		return read_boolean_test(reinterpret_cast<BooleanTest *>(clause));
	case T_Var:
		return read_boolean(clause);
	case T_FuncExpr:
		refuse(scan, "%s(...) is a condition by itself: only operators use an index",
			   get_func_name(reinterpret_cast<FuncExpr *>(clause)->funcid));
		return false;
	case T_BoolExpr:
		break;
	default:
		return false;
	}
	if (is_orclause(clause))
		return read_or();
	if (!is_notclause(clause))
		return false;
	Node *const negated = static_cast<Node *>(linitial(reinterpret_cast<BoolExpr *>(clause)->args));
	if (IsA(negated, SubPlan) && reinterpret_cast<SubPlan *>(negated)->subLinkType == ANY_SUBLINK)
		refuse(scan, "NOT IN (SELECT ...) cannot use an index: write NOT EXISTS");
	else if (IsA(negated, DistinctExpr))
		refuse(scan, "IS NOT DISTINCT FROM cannot use an index: write = where the value is never null");
	return read_boolean(negated);
}

} // namespace

Node *
own_expression(const Scan &scan, Node *expression) noexcept
{
	const Contents contents = contents_of(scan, expression);

	if (!contents.own || contents.others)
		return nullptr;
	Node *const copy = static_cast<Node *>(copyObjectImpl(expression));
	renumber(copy, nullptr);
	return copy;
}

double
share_of_one(const Scan &scan, Node *expression) noexcept
{
	VariableStatData statistics;
	bool is_default;

	examine_variable(scan.root, expression, 0, &statistics);
	const double values = get_variable_numdistinct(&statistics, &is_default);
	ReleaseVariableStats(statistics);
	return 1 / Max(values, 1);
}

void
read_clause(Scan &scan, Node *clause) noexcept
{
	Reader{scan, clause, {0, 0}}.read();
}

void
read_join_equality(Scan &scan, Node *expression, Oid collation, Relids partners) noexcept
{
	Node *const key = without_relabelling(own_expression(scan, expression));

	if (key == nullptr || contents_of(scan, expression).values || !has_order(exprType(key)))
		return;
	if (IsA(key, FuncExpr) && is_implicit_cast(key))
	{
		refuse_cast(scan, key);
		return;
	}
	if (const char *const reason = reason_against(scan.table, key); reason != nullptr)
	{
		refuse(scan, "%s", reason);
		return;
	}
	Condition &condition = new_condition(scan, Role::equality);
	condition.parts[condition.part_count++] = part_of(scan.table, key, nullptr, collation);
	condition.finds_one = true;
	condition.is_expression = !IsA(key, Var);
	condition.selectivity = share_of_one(scan, expression);
	condition.partners = partners;
	pull_varattnos(expression, scan.rel->relid, &condition.columns);
}

void
refuse(Scan &scan, const char *format, ...) noexcept
{
	Proposals &out = *scan.out;
	StringInfoData text;
	int missing;

	initStringInfo(&text);
	do
	{
		va_list arguments;
		va_start(arguments, format);
		missing = appendStringInfoVA(&text, format, arguments);
		va_end(arguments);
		if (missing > 0)
			enlargeStringInfo(&text, missing);
	} while (missing > 0);
	for (int i = 0; i < out.refusal_count; ++i)
		if (out.refusals[i].relation == scan.table.relation && strcmp(out.refusals[i].text, text.data) == 0)
			return;
	const Size size = (out.refusal_count + 1) * sizeof(Refusal);
	out.refusals = static_cast<Refusal *>(out.refusals == nullptr ? palloc(size) : repalloc(out.refusals, size));
	out.refusals[out.refusal_count++] = {scan.table.relation, scan.table.name, text.data};
}

} // namespace remedy::index_advice

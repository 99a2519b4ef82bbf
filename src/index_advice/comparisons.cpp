// Comparisons of a column, or an expression, with a value.

#include <utility>

#include "index_advice/reader.hpp"

extern "C" {
#include "optimizer/optimizer.h"
}

namespace remedy::index_advice {

namespace {

// As the operator's estimator tells, also of operators that are not the server's own.
bool
excludes(Oid operation) noexcept
{
	const RegProcedure estimator = get_oprrest(operation);

	return estimator == F_NEQSEL || estimator == F_NLIKESEL || estimator == F_ICNLIKESEL || estimator == F_REGEXNESEL ||
		   estimator == F_ICREGEXNESEL;
}

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

const char *
trigram_ddl(const Table &table, Node *key) noexcept
{
	Definition definition = {};

	definition.table = table.name;
	definition.method = "gin";
	definition.parts[definition.part_count++] = part_of(table, key, "gin_trgm_ops", InvalidOid);
	definition.partitioned = table.partitioned;
	return ddl_of(definition, true);
}

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
	if (!is_implicit_cast(key))
		return false;
	Node *const column = static_cast<Node *>(IsA(key, FuncExpr) ? linitial(reinterpret_cast<FuncExpr *>(key)->args)
																: reinterpret_cast<CoerceViaIO *>(key)->arg);
	const char *const type = format_type_be(exprType(column));
	refuse(scan, "%s is of type %s and compared with %s: cast the parameter or constant to %s",
		   condition_text(scan.table, column), type, format_type_be(exprType(key)), type);
	return true;
}

} // namespace

bool
is_refused(Scan &scan, Node *key) noexcept
{
	if (refuse_cast(scan, key))
		return true;
	const char *const reason = reason_against(scan.table, key);
	if (reason != nullptr)
		refuse(scan, "%s", reason);
	return reason != nullptr;
}

bool
Reader::changes_for_each_row(Node *key, Node *value, Oid operation) const noexcept
{
	if (!contain_volatile_functions(value))
		return false;
	refuse(scan, "%s is compared by %s with a volatile function, which has another value for each row",
		   condition_text(scan.table, key), get_opname(operation));
	return true;
}

// What excludes values finds nothing by itself; as a constant it can be a predicate.
bool
Reader::filter(Oid operation, Node *key, Node *value) const noexcept
{
	if (!has_order(exprType(key)) || !recurs(operation, key, value))
	{
		refuse(scan, "%s is compared by %s, which excludes values: no index finds what is left",
			   condition_text(scan.table, key), get_opname(operation));
		return false;
	}
	keep(Role::filter, key, default_btree, InvalidOid).recurs = true;
	return false;
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
			   "pg_trgm; then %s",
			   condition_text(scan.table, key), trigram_ddl(scan.table, key));
	return begins || trigrams.method != nullptr;
}

bool
Reader::read_comparison(Oid operation, Node *key, Node *value, Oid collation, bool any) const noexcept
{
	if (!contents_of(scan.rel->relid, key).own)
	{
		std::swap(key, value);
		operation = any ? InvalidOid : get_commutator(operation);
	}
	const Contents contents = contents_of(scan.rel->relid, key);
	if (const Contents other = contents_of(scan.rel->relid, value); other.own)
	{
		if (!contents.others && !other.others)
			refuse(scan, "a condition compares columns of the same table with each other");
		return false;
	}
	if (!contents.own || contents.others || !OidIsValid(operation))
		return false;
	key = without_relabelling(own_expression(scan.rel->relid, key));
	value = without_relabelling(value);
	if (contents.values)
	{
		refuse(scan,
			   "%s is computed with a value that is not known before: move it to the other side of the comparison",
			   condition_text(scan.table, key));
		return false;
	}
	if (is_refused(scan, key) || changes_for_each_row(key, value, operation))
		return false;
	if (excludes(operation))
		return filter(operation, key, value);
	if (const Pattern pattern = pattern_of(operation); pattern != Pattern::none && !any)
		return read_pattern(pattern, operation, key, value, collation);
	const Service service = service_for(operation, exprType(key));
	if (service.method == nullptr)
	{
		refuse(scan, "%s is compared by %s, an operator that no index serves for its type",
			   condition_text(scan.table, key), get_opname(operation));
		return false;
	}
	const bool is_btree = strcmp(service.method, "btree") == 0;
	const bool is_equality = is_btree && service.strategy == BTEqualStrategyNumber;
	Condition &condition = keep(is_equality ? Role::equality
								: is_btree  ? Role::range
											: Role::search,
								key, service, collation);
	condition.finds_one = is_equality;
	condition.is_list = any;
	condition.recurs = is_btree && recurs(operation, key, value);
	return true;
}

bool
Reader::read_any(const ScalarArrayOpExpr *expression) const noexcept
{
	Node *const key = static_cast<Node *>(linitial(expression->args));
	Node *const list = static_cast<Node *>(lsecond(expression->args));

	if (!contents_of(scan.rel->relid, key).own)
	{
		if (contents_of(scan.rel->relid, list).own)
			refuse(scan, "value = ANY (%s) cannot use an index: write %s @> ARRAY[value]",
				   condition_text(scan.table, own_expression(scan.rel->relid, list)),
				   condition_text(scan.table, own_expression(scan.rel->relid, list)));
		return false;
	}
	if (expression->useOr)
		return read_comparison(expression->opno, key, list, expression->inputcollid, true);
	Node *const own = own_expression(scan.rel->relid, key);
	return own != nullptr && excludes(expression->opno) &&
		   filter(expression->opno, without_relabelling(own), without_relabelling(list));
}

bool
Reader::read_row(const RowCompareExpr *row) const noexcept
{
	const bool reversed = !contents_of(scan.rel->relid, static_cast<Node *>(linitial(row->largs))).own;
	const List *const keys = reversed ? row->rargs : row->largs;
	const List *const values = reversed ? row->largs : row->rargs;
	Condition range = {};

	for (int i = 0; i < list_length(keys) && range.part_count < row_parts; ++i)
	{
		Node *const own = own_expression(scan.rel->relid, static_cast<Node *>(list_nth(keys, i)));
		const Oid operation = reversed ? get_commutator(list_nth_oid(row->opnos, i)) : list_nth_oid(row->opnos, i);
		if (own == nullptr || contents_of(scan.rel->relid, static_cast<Node *>(list_nth(values, i))).own ||
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

} // namespace remedy::index_advice

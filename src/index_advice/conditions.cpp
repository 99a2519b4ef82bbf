#include "index_advice/reader.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "utils/selfuncs.h"
}

namespace remedy::index_advice {

namespace {

constexpr double few_values = 50;

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

double
values_of(const Scan &scan, Node *expression, bool &is_default) noexcept
{
	VariableStatData statistics;

	examine_variable(scan.root, expression, 0, &statistics);
	const double values = get_variable_numdistinct(&statistics, &is_default);
	ReleaseVariableStats(statistics);
	return Max(values, 1);
}

bool
has_few_values(const Scan &scan, const Var *column) noexcept
{
	bool is_default;
	Var original = *column;

	if (column->vartype == BOOLOID || type_is_enum(column->vartype))
		return true;
	original.varno = scan.rel->relid;
	return values_of(scan, reinterpret_cast<Node *>(&original), is_default) <= few_values && !is_default;
}

} // namespace

// ---- Constants that recur --------------------------------------------------------------

bool
Reader::can_be_predicate() const noexcept
{
	const Contents contents = contents_of(scan.rel->relid, clause);

	return contents.own && !contents.others && !contents.values && !contain_mutable_functions(clause);
}

bool
Reader::recurs(Oid operation, const Node *key, const Node *value) const noexcept
{
	if (!IsA(key, Var) || !IsA(value, Const) || !can_be_predicate())
		return false;
	const Var *const column = reinterpret_cast<const Var *>(key);
	const Evidence &evidence = *scan.evidence;
	// Dates and times in texts are those of the day, and another one's tomorrow.
	if (TypeCategory(getBaseType(column->vartype)) == TYPCATEGORY_DATETIME)
		return false;
	return evidence.recurs == nullptr ? has_few_values(scan, column)
									  : evidence.recurs(scan.table.relation, column->varattno, operation,
														reinterpret_cast<const Const *>(value), evidence.context);
}

// ---- Keeping -----------------------------------------------------------------------------

Condition &
Reader::keep(Role role) const noexcept
{
	const Relids tables = pull_varnos(scan.root, clause);
	Condition &condition = new_condition(scan, role);

	condition.clause = own_expression(scan.rel->relid, clause);
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

void
read_join_equality(Scan &scan, Node *expression, Oid collation, Relids partners) noexcept
{
	Node *const key = without_relabelling(own_expression(scan.rel->relid, expression));

	if (key == nullptr || contents_of(scan.rel->relid, expression).values || !has_order(exprType(key)))
		return;
	if (is_refused(scan, key))
		return;
	bool is_default;
	Condition &condition = new_condition(scan, Role::equality);
	condition.parts[condition.part_count++] = part_of(scan.table, key, nullptr, collation);
	condition.finds_one = true;
	condition.is_expression = !IsA(key, Var);
	condition.selectivity = 1 / values_of(scan, expression, is_default);
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

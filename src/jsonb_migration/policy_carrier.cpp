// Policies of row security, on the table and on others.

#include "jsonb_migration/collecting.hpp"

extern "C" {
#include "catalog/pg_policy.h"
#include "lib/stringinfo.h"
}

namespace remedy::jsonb_migration {

namespace {

// Null: the policy has none.
struct Conditions
{
	Node *using_;
	Node *check;
};

Node *
read_condition(HeapTuple tuple, AttrNumber column, TupleDesc descriptor) noexcept
{
	bool missing;
	const Datum source = heap_getattr(tuple, column, descriptor, &missing);

	return missing ? nullptr : static_cast<Node *>(stringToNode(TextDatumGetCString(source)));
}

Conditions
read_conditions(Oid policy) noexcept
{
	const Relation policies = table_open(PolicyRelationId, AccessShareLock);
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_policy_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(policy));
	const SysScanDesc scan = systable_beginscan(policies, PolicyOidIndexId, true, nullptr, 1, &key);
	const HeapTuple tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find tuple for policy %u", policy);
	const Conditions conditions = {read_condition(tuple, Anum_pg_policy_polqual, RelationGetDescr(policies)),
								   read_condition(tuple, Anum_pg_policy_polwithcheck, RelationGetDescr(policies))};
	systable_endscan(scan);
	table_close(policies, AccessShareLock);
	return conditions;
}

const char *
print(const Dependent &dependent, const Conditions &conditions) noexcept
{
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "ALTER POLICY %s ON %s", quote_identifier(dependent.name),
					 qualified_name(dependent.relation));
	if (conditions.using_ != nullptr)
		appendStringInfo(&command, " USING (%s)", print_expression(conditions.using_, dependent.relation));
	if (conditions.check != nullptr)
		appendStringInfo(&command, " WITH CHECK (%s)", print_expression(conditions.check, dependent.relation));
	return command.data;
}

// What there is of the two; what is to be said of it goes to the dependent.
Conditions
rewrite_conditions(const Conditions &conditions, const Mapping &mapping, Oid relation, Dependent *dependent) noexcept
{
	const auto rewrite_one = [&](Node *condition) noexcept {
		if (condition == nullptr)
			return condition;
		const Rewritten rewritten = rewrite_expression(condition, relation, mapping);
		if (dependent != nullptr && rewritten.refusal != nullptr)
			dependent->refusal = rewritten.refusal;
		if (dependent != nullptr && rewritten.remark != nullptr)
			dependent->remark = rewritten.remark;
		return rewritten.tree;
	};

	return {rewrite_one(conditions.using_), rewrite_one(conditions.check)};
}

void
describe_policy(Scope &scope, Dependent &dependent) noexcept
{
	const Conditions conditions = read_conditions(dependent.object);
	const Conditions rewritten = rewrite_conditions(conditions, scope.final, dependent.relation, &dependent);

	dependent.definition = print(dependent, conditions);
	if (dependent.refusal == nullptr)
		dependent.new_definition = print(dependent, rewritten);
	dependent.lock = lock_besides(scope, dependent.relation);
}

void
prove(Node *condition, Oid relation) noexcept
{
	if (condition != nullptr)
		prove_query(
			psprintf("SELECT FROM %s WHERE %s", qualified_name(relation), print_expression(condition, relation)));
}

// As a condition on the table's copy, or on the other table as it is.
void
prove_policy(Scope &scope, const Dependent &dependent) noexcept
{
	if (!scope.rehearsal)
		return;
	const Conditions rewritten =
		rewrite_conditions(read_conditions(dependent.object), scope.mapping, dependent.relation, nullptr);
	const Oid relation = twin_of(scope.mapping, dependent.relation);
	prove(rewritten.using_, relation);
	prove(rewritten.check, relation);
}

} // namespace

const Carrier policy = {
	.kind = "policy",
	.describe = describe_policy,
	.build = prove_policy,
	.swap = swap_in_place,
	.undo = undo_in_place,
};

} // namespace remedy::jsonb_migration

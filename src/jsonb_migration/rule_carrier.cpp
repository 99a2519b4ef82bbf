// Rules of tables, and of views that do not hang on the column themselves.

#include "jsonb_migration/collecting.hpp"

#include "server/commands.hpp"

extern "C" {
#include "catalog/pg_rewrite.h"
#include "lib/stringinfo.h"
}

namespace remedy::jsonb_migration {

namespace {

struct Rule
{
	const char *event;
	bool instead;
	Node *condition; // null: none
	List *actions;
};

const char *
event_of(char type) noexcept
{
	switch (type - '0')
	{
	case CMD_UPDATE:
		return "UPDATE";
	case CMD_INSERT:
		return "INSERT";
	case CMD_DELETE:
		return "DELETE";
	default:
		elog(ERROR, "rule has an unknown event: %c", type);
	}
}

Node *
read_tree(HeapTuple tuple, AttrNumber column, TupleDesc descriptor) noexcept
{
	bool missing;
	const Datum source = heap_getattr(tuple, column, descriptor, &missing);

	return missing ? nullptr : static_cast<Node *>(stringToNode(TextDatumGetCString(source)));
}

Rule
read_rule(Oid rule) noexcept
{
	const Relation rules = table_open(RewriteRelationId, AccessShareLock);
	ScanKeyData key;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule));
	const SysScanDesc scan = systable_beginscan(rules, RewriteOidIndexId, true, nullptr, 1, &key);
	const HeapTuple tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find tuple for rule %u", rule);
	const auto *row = reinterpret_cast<const FormData_pg_rewrite *>(GETSTRUCT(tuple));
	const Rule read = {
		.event = event_of(row->ev_type),
		.instead = row->is_instead,
		.condition = read_tree(tuple, Anum_pg_rewrite_ev_qual, RelationGetDescr(rules)),
		.actions = castNode(List, read_tree(tuple, Anum_pg_rewrite_ev_action, RelationGetDescr(rules))),
	};
	systable_endscan(scan);
	table_close(rules, AccessShareLock);
	return read;
}

// On the relation, which may be a copy of the rule's own.
const char *
print(const Rule &rule, const char *name, Oid relation) noexcept
{
	StringInfoData command;
	ListCell *cell;

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE OR REPLACE RULE %s AS ON %s TO %s", quote_identifier(name), rule.event,
					 qualified_name(relation));
	if (rule.condition != nullptr)
		appendStringInfo(&command, " WHERE %s", print_old_new(rule.condition, relation));
	appendStringInfo(&command, " DO %s", rule.instead ? "INSTEAD " : "");
	// A condition's NOTHING is a query of its own.
	if (rule.actions == NIL || linitial_node(Query, rule.actions)->commandType == CMD_NOTHING)
	{
		appendStringInfoString(&command, "NOTHING");
		return command.data;
	}
	foreach (cell, rule.actions)
		appendStringInfo(&command, "%s%s", foreach_current_index(cell) == 0 ? "(" : "; ",
						 print_query(lfirst_node(Query, cell)));
	appendStringInfoString(&command, ")");
	return command.data;
}

// What is to be said of it goes to the dependent.
Rule
rewrite_rule(const Rule &rule, const Mapping &mapping, Oid relation, Dependent *dependent) noexcept
{
	Rule rewritten = rule;
	const auto tell = [dependent](const Rewritten &part) noexcept {
		if (dependent != nullptr && part.refusal != nullptr)
			dependent->refusal = part.refusal;
		if (dependent != nullptr && part.remark != nullptr)
			dependent->remark = part.remark;
		return part.tree;
	};

	if (rule.condition != nullptr)
		rewritten.condition = tell(rewrite_old_new(rule.condition, relation, mapping));
	if (rule.actions != NIL)
		rewritten.actions = castNode(List, tell(rewrite(reinterpret_cast<Node *>(rule.actions), mapping)));
	return rewritten;
}

void
describe_rule(Scope &scope, Dependent &dependent) noexcept
{
	const Rule rule = read_rule(dependent.object);
	const Rule rewritten = rewrite_rule(rule, scope.final, dependent.relation, &dependent);

	dependent.definition = print(rule, dependent.name, dependent.relation);
	if (dependent.refusal == nullptr)
		dependent.new_definition = print(rewritten, dependent.name, dependent.relation);
	dependent.lock = lock_besides(scope, dependent.relation);
}

void
prove_rule(Scope &scope, const Dependent &dependent) noexcept
{
	if (!scope.rehearsal)
		return;
	const Oid relation = copy_of(scope, dependent.relation);
	const Rule rewritten = rewrite_rule(read_rule(dependent.object), scope.mapping, dependent.relation, nullptr);
	run_sql("%s", print(rewritten, dependent.name, relation));
}

} // namespace

const Carrier rule = {
	.kind = "rule",
	.describe = describe_rule,
	.build = prove_rule,
	.swap = swap_in_place,
	.undo = undo_in_place,
};

} // namespace remedy::jsonb_migration

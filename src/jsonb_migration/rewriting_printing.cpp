// Trees as SQL.

#include "jsonb_migration/rewriting.hpp"
#include "server/guard.hpp"

extern "C" {
#include "nodes/makefuncs.h"
#include "parser/scansup.h"
#include "utils/ruleutils.h"
}

namespace remedy::jsonb_migration {

namespace {

// Whatever the path is, names are printed with their schema, but for those of pg_catalog.
template <class Print>
const char *
print_qualified(Print print) noexcept
{
	const int nest_level = NewGUCNestLevel();

	set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	const char *text = print();
	AtEOXact_GUC(true, nest_level);
	while (scanner_isspace(*text))
		++text;
	return text;
}

RangeTblEntry *
entry_called(const char *name, Oid relation) noexcept
{
	RangeTblEntry *const entry = makeNode(RangeTblEntry);

	entry->rtekind = RTE_RELATION;
	entry->relid = relation;
	entry->relkind = get_rel_relkind(relation);
	entry->rellockmode = AccessShareLock;
	entry->alias = entry->eref = makeAlias(name, NIL);
	return entry;
}

} // namespace

const char *
print_query(Query *query) noexcept
{
	return print_qualified(
		[=]() noexcept { return pg_get_querydef(static_cast<Query *>(copyObjectImpl(query)), false); });
}

const char *
print_expression(Node *expression, Oid relation) noexcept
{
	return print_qualified([=]() noexcept {
		return deparse_expression(expression, deparse_context_for(get_rel_name(relation), relation), false, false);
	});
}

// As the only output of a query whose tables are called so.
const char *
print_old_new(Node *expression, Oid relation) noexcept
{
	Query *const query = makeNode(Query);

	query->commandType = CMD_SELECT;
	query->rtable = list_make2(entry_called("old", relation), entry_called("new", relation));
	query->jointree = makeFromExpr(NIL, nullptr);
	query->targetList = list_make1(makeTargetEntry(reinterpret_cast<Expr *>(expression), 1, nullptr, false));
	const char *text = print_query(query) + strlen("SELECT");
	while (scanner_isspace(*text))
		++text;
	return text;
}

} // namespace remedy::jsonb_migration

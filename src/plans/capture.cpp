#include "plans/capture.hpp"

#include "observe/settings.hpp"
#include "plans/mask.hpp"
#include "plans/plan_table.hpp"
#include "server/guard.hpp"
#include "server/versions.hpp"

extern "C" {
#include "catalog/pg_attribute.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "common/hashfn.h"
#include "storage/lmgr.h"
}

namespace remedy::plans {

namespace {

// What the text of a plan is made from.
constexpr Oid catalogs[] = {RelationRelationId,  AttributeRelationId, NamespaceRelationId, TypeRelationId,
							ProcedureRelationId, OperatorRelationId,  CollationRelationId};

// The user's statement does not wait on our behalf until somebody is done with a
// catalog (VACUUM FULL, say).  The error is for attempt(), which drops the locks.
void
lock_catalogs() noexcept
{
	for (const Oid catalog : catalogs)
		if (!ConditionalLockRelationOid(catalog, AccessShareLock))
			elog(ERROR, "catalog %u is locked", catalog);
}

void
unlock_catalogs() noexcept
{
	for (const Oid catalog : catalogs)
		UnlockRelationOid(catalog, AccessShareLock);
}

// EXPLAIN ends the current loop of each node's instrumentation, which may go on
// counting for somebody else (a cursor, auto_explain).  So it gets to see none.
struct Instruments
{
	List *nodes;
	List *instruments;

	void restore() noexcept
	{
		ListCell *node;
		ListCell *instrument;

		forboth(node, nodes, instrument, instruments) static_cast<PlanState *>(lfirst(node))->instrument =
			static_cast<Instrumentation *>(lfirst(instrument));
	}
};

bool
set_instruments_aside(PlanState *state, void *context)
{
	Instruments &aside = *static_cast<Instruments *>(context);

	if (state == nullptr)
		return false;
	if (state->instrument != nullptr)
	{
		aside.instruments = lappend(aside.instruments, state->instrument);
		aside.nodes = lappend(aside.nodes, state);
		state->instrument = nullptr;
	}
	return server::walk_plan(state, set_instruments_aside, context);
}

StringInfo
print_plan(QueryDesc *query) noexcept
{
	ExplainState *const explain = NewExplainState();

	explain->costs = false;
	ExplainPrintPlan(explain, query);
	while (explain->str->len > 0 && explain->str->data[explain->str->len - 1] == '\n')
		explain->str->data[--explain->str->len] = '\0';
	return explain->str;
}

void
copy_cut(char *to, int size, const char *from, int length) noexcept
{
	constexpr char dots[] = "...";
	const bool cut = length >= size;
	const int kept = cut ? pg_mbcliplen(from, length, size - static_cast<int>(sizeof(dots))) : length;

	memcpy(to, from, kept);
	strcpy(to + kept, cut ? dots : "");
}

// The tables that stand in the statement: no views, whose tables stand there too, and
// no partitions, unless they are named.
List *
named_tables(const PlannedStmt *planned) noexcept
{
	Bitmapset *children = nullptr;
	List *tables = NIL;
	ListCell *cell;
	int number = 0;

	foreach (cell, planned->appendRelations)
		if (lfirst(cell) != nullptr)
			children = bms_add_member(children, static_cast<AppendRelInfo *>(lfirst(cell))->child_relid);
	foreach (cell, planned->rtable)
	{
		const RangeTblEntry *const entry = static_cast<RangeTblEntry *>(lfirst(cell));
		++number;
		if (entry->rtekind == RTE_RELATION && entry->relkind != RELKIND_VIEW && !bms_is_member(number, children))
			tables = list_append_unique_oid(tables, entry->relid);
	}
	return tables;
}

void
name_tables(const PlannedStmt *planned, PlanText &text) noexcept
{
	List *const tables = named_tables(planned);
	StringInfoData names;
	ListCell *cell;

	initStringInfo(&names);
	foreach (cell, tables)
	{
		const Oid table = lfirst_oid(cell);
		const char *const schema_name = get_namespace_name_or_temp(get_rel_namespace(table));
		const char *const table_name = get_rel_name(table);
		if (schema_name == nullptr || table_name == nullptr)
			elog(ERROR, "relation %u is gone", table);
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 quote_qualified_identifier(schema_name, table_name));
		text.temporary |= get_rel_persistence(table) == RELPERSISTENCE_TEMP;
	}
	text.table_count = list_length(tables);
	copy_cut(text.tables, sizeof(text.tables), names.data, names.len);
}

// Fills in the text and gives the hash of the shape.  May raise an error.
std::uint64_t
describe(QueryDesc *query, PlanText &text) noexcept
{
	lock_catalogs();
	const StringInfo plan = print_plan(query);
	name_tables(query->plannedstmt, text);
	unlock_catalogs();

	const std::string_view all(plan->data, plan->len);
	const Strings strings = standard_conforming_strings ? Strings::standard : Strings::with_backslashes;
	char *const masked = static_cast<char *>(MemoryContextAllocHuge(CurrentMemoryContext, plan->len + 1));
	const std::size_t shape_length = mask_shape(all, strings, masked);
	const std::uint64_t shape =
		hash_bytes_extended(reinterpret_cast<unsigned char *>(masked), static_cast<int>(shape_length), 0);

	text.encoding = GetDatabaseEncoding();
	text.standard_strings = standard_conforming_strings;
	text.masked = !observe::settings.keep_values;
	if (text.masked)
		copy_cut(text.plan, sizeof(text.plan), masked, mask_values(all, strings, masked));
	else
		copy_cut(text.plan, sizeof(text.plan), plan->data, plan->len);
	return shape;
}

} // namespace

void
capture(const observe::Statement &statement) noexcept
{
	QueryDesc *const query = statement.query;
	const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "pg_remedy plan", ALLOCSET_DEFAULT_SIZES);
	const MemoryContext before = MemoryContextSwitchTo(memory);
	PlanText *const text = static_cast<PlanText *>(palloc0(sizeof(PlanText)));
	PlanKey *const key = static_cast<PlanKey *>(palloc0(sizeof(PlanKey)));
	Instruments *const aside = static_cast<Instruments *>(palloc0(sizeof(Instruments)));

	*key = {MyDatabaseId, statement.user, statement.fingerprint, 0};
	const bool described = attempt([&]() noexcept {
		set_instruments_aside(query->planstate, aside);
		key->plan = describe(query, *text);
	});
	aside->restore();
	if (described)
		keep(*key, *text, statement.execution);
	else
		count_missed();
	MemoryContextSwitchTo(before);
	MemoryContextDelete(memory);
}

} // namespace remedy::plans

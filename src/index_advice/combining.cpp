// One index for several statements, and what each considered one would be.

#include <algorithm>

#include "index_advice/workload.hpp"
#include "server/guard.hpp"
#include "server/versions.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_inherits.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace remedy::index_advice {

namespace {

constexpr int considered_per_table = 128;

// What GIN holds of a row, where nobody has counted.
constexpr double usual_keys = 8;

struct Updates
{
	double all;
	double hot;
};

// ---- The tables -----------------------------------------------------------------------

void
add_storage(WeighedTable &table, Relation relation, Updates &updates) noexcept
{
	const PgStat_StatTabEntry *const counts = pgstat_fetch_stat_tabentry(RelationGetRelid(relation));

	if (RELKIND_HAS_TABLE_AM(relation->rd_rel->relkind))
	{
		table.pages += RelationGetNumberOfBlocks(relation);
		table.tuples += Max(relation->rd_rel->reltuples, 0);
	}
	if (counts == nullptr)
		return;
	updates.all += static_cast<double>(counts->tuples_updated);
	updates.hot += static_cast<double>(counts->tuples_hot_updated);
}

// Rows of partitions count for their table.
void
add_partitions(WeighedTable &table, Updates &updates) noexcept
{
	const ListCell *cell;

	foreach (cell, find_all_inheritors(table.relation, AccessShareLock, nullptr))
	{
		if (lfirst_oid(cell) == table.relation)
			continue;
		const Relation partition = relation_open(lfirst_oid(cell), AccessShareLock);
		add_storage(table, partition, updates);
		relation_close(partition, NoLock);
	}
}

// How many updates of each kind are HOT as it is.
void
weigh_updates(WeighedTable &table, Updates updates) noexcept
{
	TableWrites &writes = table.writes;
	double could_be_hot = 0, all = 0;

	for (int i = 0; i < writes.kinds; ++i)
	{
		all += table.updates_of[i];
		if (!bms_overlap(table.set[i], table.indexed))
			could_be_hot += table.updates_of[i];
	}
	// Where the server has not counted any, nothing is in the way of those that can be.
	const double share = all > 0 ? could_be_hot / all : 0;
	const Updates counted = updates.all > 0 ? Updates{updates.all * share, updates.hot} : Updates{1, 1};
	for (int i = 0; i < writes.kinds; ++i)
	{
		writes.hot[i] =
			hot_updates(table.updates_of[i], bms_overlap(table.set[i], table.indexed), counted.hot, counted.all);
		writes.entered += table.updates_of[i] - writes.hot[i];
	}
}

double
entry_ms_of_existing(const WeighedTable &table) noexcept
{
	constexpr Entry usual = {Method::btree, 8, 1, false, 1};

	return entry_ms(usual) * table.existing_count;
}

void
look_at_table(WeighedTable &table) noexcept
{
	const Relation relation = relation_open(table.relation, AccessShareLock);
	Updates updates = {};

	table.partitioned = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	table.schema = RelationGetNamespace(relation);
	table.own_name = pstrdup(RelationGetRelationName(relation));
	table.name = quote_qualified_identifier(get_namespace_name(table.schema), table.own_name);
	add_storage(table, relation, updates);
	if (table.partitioned)
		add_partitions(table, updates);
	table.existing_count = existing_indexes(table.relation, table.existing);
	table.indexed = bms_copy(server::columns_against_hot(relation));
	weigh_updates(table, updates);
	table.writes.existing_ms = entry_ms_of_existing(table);
	relation_close(relation, NoLock);
}

// ---- The indexes ----------------------------------------------------------------------

bool
exists(const WeighedTable &table, const Definition &wanted) noexcept
{
	for (int i = 0; i < table.existing_count; ++i)
		if (table.existing[i].valid && serves(table.existing[i].definition, wanted))
			return true;
	return false;
}

// Expressions and predicates may call anybody's functions, so nobody else's get among those that are
// tried with somebody's rights.
bool
may_go_together(const Weighing &weighing, const Considered &first, const Considered &second) noexcept
{
	const auto computes = [](const Considered &considered) {
		const Definition &definition = considered.definition;
		return !definition.predicate.empty() || std::any_of(definition.parts, definition.parts + definition.part_count,
															[](const Part &part) { return part.column == 0; });
	};

	return weighing.statements[first.proposer].form.user == weighing.statements[second.proposer].form.user ||
		   (!computes(first) && !computes(second));
}

// The table's list grows while it is gone through: what was merged is merged again.
void
merge_all(Weighing &weighing, const WeighedTable &table) noexcept
{
	for (int i = 1; i < list_length(table.considered); ++i)
		for (int j = 0; j < i; ++j)
		{
			const Considered &first = considered_of(weighing, list_nth_int(table.considered, i));
			const Considered &second = considered_of(weighing, list_nth_int(table.considered, j));
			Definition merged;
			if (list_length(table.considered) >= considered_per_table)
				return;
			CHECK_FOR_INTERRUPTS();
			if (may_go_together(weighing, first, second) && merge(first.definition, second.definition, merged))
				consider(weighing, merged, first.proposer);
		}
}

void
define(void *context)
{
	Considered &considered = *static_cast<Considered *>(context);

	considered.index = what_if::define(considered.ddl);
	const double keys = what_if::keys_of(*considered.index);
	considered.keys = keys > 0 ? keys : usual_keys;
	// Estimates may call functions of the predicate, so this is the place for them.
	considered.bytes = what_if::bytes_of(*considered.index);
	considered.tuples = what_if::tuples_of(*considered.index);
}

// A sample is taken, and functions are called, with the rights of who would profit.
void
define_all(Weighing &weighing, const WeighedTable &table) noexcept
{
	const ListCell *cell;

	foreach (cell, table.considered)
	{
		Considered &considered = considered_of(weighing, lfirst_int(cell));
		CHECK_FOR_INTERRUPTS();
		if (exists(table, considered.definition))
			continue;
		const observe::Replannable &form = weighing.statements[considered.proposer].form;
		if (trial_with_locks(weighing, [&]() noexcept { observe::with_rights_of(form, define, &considered); }) != 0)
			considered.index = nullptr;
	}
}

} // namespace

void
combine(Weighing &weighing) noexcept
{
	const ListCell *cell;

	foreach (cell, weighing.tables)
	{
		WeighedTable &table = *static_cast<WeighedTable *>(lfirst(cell));
		CHECK_FOR_INTERRUPTS();
		if (trial_with_locks(weighing, [&]() noexcept { look_at_table(table); }) != 0 || table.pages < least_pages)
			continue;
		merge_all(weighing, table);
		define_all(weighing, table);
	}
}

} // namespace remedy::index_advice

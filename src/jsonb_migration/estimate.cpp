#include "jsonb_migration/estimate.hpp"

#include <algorithm>

#include "jsonb_migration/dependents.hpp"
#include "jsonb_migration/document_sample.hpp"

extern "C" {
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
}

namespace remedy::jsonb_migration {

namespace {

// ---- What there is now -----------------------------------------------------------

bool
uses_column(const Relation index, AttrNumber column) noexcept
{
	Bitmapset *used = nullptr;

	for (int i = 0; i < index->rd_index->indnatts; ++i)
		if (index->rd_index->indkey.values[i] == column)
			return true;
	pull_varattnos(reinterpret_cast<Node *>(RelationGetIndexExpressions(index)), 1, &used);
	pull_varattnos(reinterpret_cast<Node *>(RelationGetIndexPredicate(index)), 1, &used);
	return bms_is_member(column - FirstLowInvalidHeapAttributeNumber, used);
}

struct IndexSums
{
	double pages;   // of the tables
	double by_page; // indexes times pages of their table
	double twins_by_page;
};

void
add_indexes(const Leaf &leaf, Facts &facts, IndexSums &sums) noexcept
{
	const Relation table = table_open(leaf.table, AccessShareLock);
	const double pages = RelationGetNumberOfBlocks(table);
	List *const indexes = RelationGetIndexList(table);
	ListCell *cell;

	sums.pages += pages;
	foreach (cell, indexes)
	{
		const Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		const double bytes = static_cast<double>(RelationGetNumberOfBlocks(index)) * BLCKSZ;
		const bool is_twin = uses_column(index, leaf.column);
		sums.by_page += pages;
		sums.twins_by_page += is_twin ? pages : 0;
		facts.index_bytes += bytes;
		facts.twin_bytes += is_twin ? bytes : 0;
		facts.largest_index_bytes = std::max(facts.largest_index_bytes, bytes);
		facts.largest_twin_bytes = std::max(facts.largest_twin_bytes, is_twin ? bytes : 0);
		index_close(index, NoLock);
	}
	list_free(indexes);
	table_close(table, NoLock);
}

double
bytes_of_views(const List *dependents) noexcept
{
	double bytes = 0;
	ListCell *cell;

	foreach (cell, dependents)
	{
		const Dependent &dependent = *static_cast<const Dependent *>(lfirst(cell));
		if (dependent.carrier == &materialised_view)
			bytes += DatumGetInt64(DirectFunctionCall1(pg_total_relation_size, ObjectIdGetDatum(dependent.object)));
	}
	return bytes;
}

RowFacts
row_facts(const Stored &stored, double rows) noexcept
{
	return {stored.heap.bytes / rows, stored.heap.pages * BLCKSZ / rows, stored.toast.bytes / rows,
			stored.toast.pages * BLCKSZ / rows, stored.compress_seconds / rows};
}

// Refused documents count as rows without one.
Facts
facts_of(const DocumentSample &sample, const List *leaves, const List *dependents) noexcept
{
	const double rows = std::max(sample.rows - sample.refused, 1);
	Facts facts = {};
	IndexSums sums = {};
	ListCell *cell;

	facts.rows = sample.rows * sample.pages / std::max(sample.pages_seen, 1.0);
	facts.heap_bytes = sample.pages * BLCKSZ;
	facts.toast_bytes = sample.toast_pages * BLCKSZ;
	facts.convert_seconds = sample.convert_seconds / rows;
	facts.now = row_facts(sample.now, rows);
	facts.both = row_facts(sample.both, rows);
	facts.jsonb = row_facts(sample.jsonb, rows);
	foreach (cell, leaves)
		add_indexes(*static_cast<const Leaf *>(lfirst(cell)), facts, sums);
	facts.indexes = sums.by_page / std::max(sums.pages, 1.0);
	facts.twins = sums.twins_by_page / std::max(sums.pages, 1.0);
	facts.view_bytes = bytes_of_views(dependents);
	facts.dependents = list_length(dependents);
	facts.slowness = slowness();
	facts.busyness = busyness(sample);
	facts.sort_memory = maintenance_work_mem * 1024.0;
	facts.full_page_writes = fullPageWrites;
	facts.wal_skipped = !XLogIsNeeded();
	return facts;
}

// ---- Words -----------------------------------------------------------------------

// Whether plain ALTER TABLE leaves it as it is to be: what it carries is made anew from its text, in which
// functions of json would not find jsonb.
bool
is_carried_by_alter(const Dependent &dependent) noexcept
{
	if (dependent.carrier == &column_default)
		return true;
	return (dependent.carrier == &index || dependent.carrier == &check || dependent.carrier == &statistics) &&
		   dependent.definition != nullptr && strstr(dependent.definition, "json_") == nullptr &&
		   strstr(dependent.definition, "::json") == nullptr;
}

const Dependent *
first_not_carried(const List *dependents) noexcept
{
	ListCell *cell;

	foreach (cell, dependents)
		if (!is_carried_by_alter(*static_cast<const Dependent *>(lfirst(cell))))
			return static_cast<const Dependent *>(lfirst(cell));
	return nullptr;
}

// A lock_timeout of 0 would be none.
const char *
offer_of(const Target &target, double permitted_stall_ms) noexcept
{
	return psprintf("BEGIN; SET LOCAL lock_timeout = '%.0fms'; ALTER TABLE %s ALTER COLUMN %s TYPE jsonb; COMMIT;",
					std::max(permitted_stall_ms, 1.0), qualified_name(target.table),
					quote_identifier(target.column_name));
}

const char *
size_text(double bytes) noexcept
{
	return TextDatumGetCString(DirectFunctionCall1(pg_size_pretty, Int64GetDatum(static_cast<int64>(bytes))));
}

void
find_words(const Target &target, const List *dependents, const Intentions &intentions, Estimate &estimate) noexcept
{
	const Dependent *const obstacle = first_not_carried(dependents);
	const bool fits = estimate.alter.stall_ms <= intentions.permitted_stall_ms;
	StringInfoData words;

	initStringInfo(&words);
	appendStringInfo(&words,
					 "%s of disk must be free, besides %s of WAL until it is archived and recycled; how much is cannot "
					 "be seen from SQL.",
					 size_text(estimate.migration.peak_bytes), size_text(estimate.migration.wal_bytes));
	if (estimate.sampled == 0)
		appendStringInfoString(&words, " There is no document to measure.");
	if (estimate.refused > 0)
		appendStringInfo(&words, " jsonb refuses %d of %d sampled documents: remedy.check_json tells which and why.",
						 estimate.refused, estimate.sampled);
	if (fits && obstacle != nullptr)
		appendStringInfo(&words, " Plain ALTER TABLE would fit the permitted stall, but does not carry %s.",
						 obstacle->identity);
	if (fits && obstacle == nullptr && estimate.refused == 0)
		estimate.offer = offer_of(target, intentions.permitted_stall_ms);
	estimate.remark = words.data;
}

} // namespace

Estimate
estimate(const Target &target, const List *dependents, const Intentions &intentions) noexcept
{
	const List *const leaves = find_leaves(target);
	const DocumentSample sample = sample_documents(leaves);
	const Facts facts = facts_of(sample, leaves, dependents);
	const double documents = std::max(sample.documents - sample.refused, 1);
	Estimate estimate = {};

	estimate.rows = facts.rows;
	estimate.heap_bytes = facts.heap_bytes + facts.toast_bytes;
	estimate.index_bytes = facts.index_bytes;
	estimate.json_bytes = sample.json_bytes / documents;
	estimate.jsonb_bytes = sample.jsonb_bytes / documents;
	estimate.rows_per_second = 1 / (facts.busyness * fill_seconds_of_row(facts));
	estimate.sampled = sample.documents;
	estimate.refused = sample.refused;
	estimate.migration = cost_of_migration(facts, intentions);
	estimate.alter = cost_of_alter(facts);
	find_words(target, dependents, intentions, estimate);
	return estimate;
}

} // namespace remedy::jsonb_migration

#include "jsonb_migration/estimate_model.hpp"

#include <algorithm>

namespace remedy::jsonb_migration {

namespace {

// ---- Measured --------------------------------------------------------------------

constexpr double us = 1e-6;
constexpr double ns = 1e-9;

constexpr double rewrite_row = 0.3 * us;
constexpr double rewrite_byte = 2.6 * ns;
constexpr double update_row = 0.3 * us;
constexpr double update_byte = 5 * ns; // of the new row
constexpr double index_entry = 2.2 * us;
constexpr double sort_entry = 0.9 * us; // of an index build, with the expression's value
constexpr double scan_byte = 0.5 * ns;
constexpr double compare_row = 0.3 * us;
constexpr double compare_byte = 1 * ns;
constexpr double toast_byte = 12 * ns;   // compressed, written
constexpr double detoast_byte = 10 * ns; // read and decompressed
constexpr double vacuum_byte = 0.8 * ns; // of the table, each time

constexpr double wal_of_row = 60; // beside the tuple
constexpr double wal_of_update = 140;
constexpr double wal_of_entry = 72;
constexpr double toast_index = 1.02; // beside the chunks

constexpr double swap_ms = 5;
constexpr double dependent_ms = 1;

double
build_seconds(const Facts &facts, double indexes) noexcept
{
	return facts.slowness * facts.rows * indexes * sort_entry;
}

// What a build's sort puts aside, of the largest index.
double
sort_bytes(const Facts &facts, double index_bytes) noexcept
{
	return index_bytes > facts.sort_memory ? index_bytes : 0;
}

double
jsonb_table_bytes(const Facts &facts) noexcept
{
	return facts.rows * (facts.jsonb.heap_space + facts.jsonb.toast_space * toast_index) +
		   std::max(facts.toast_bytes - facts.rows * facts.now.toast_space, 0.0);
}

} // namespace

double
fill_seconds_of_row(const Facts &facts) noexcept
{
	return facts.convert_seconds + facts.both.compress_seconds +
		   facts.slowness * (update_row + update_byte * facts.both.heap_bytes + toast_byte * facts.both.toast_bytes +
							 index_entry * facts.indexes);
}

Cost
cost_of_migration(const Facts &facts, const Intentions &intentions) noexcept
{
	Cost cost = {};
	const double new_heap = facts.rows * facts.both.heap_space;
	const double new_toast = facts.rows * facts.both.toast_space * toast_index;
	// Without vacuum the old rows stay where they are.
	const double heap = intentions.vacuum ? std::max(new_heap, facts.heap_bytes) * 1.06 : facts.heap_bytes + new_heap;
	const double table = heap + facts.toast_bytes + new_toast;
	const double indexes = facts.index_bytes * 1.6;

	const double fill = facts.rows * fill_seconds_of_row(facts);
	const double scan = facts.slowness * scan_byte * heap;
	const double verify =
		facts.rows * (facts.convert_seconds + facts.slowness * (compare_row + compare_byte * facts.jsonb.heap_bytes +
																detoast_byte * facts.jsonb.toast_bytes));
	const double vacuum = intentions.vacuum ? facts.slowness * vacuum_byte * heap : 0;
	const double builds = build_seconds(facts, facts.twins) * 2; // CONCURRENTLY scans twice
	cost.seconds = facts.busyness * (fill / (1 - intentions.rest_share) + vacuum + scan + builds + verify) + 0.2;
	cost.stall_ms = facts.slowness * (swap_ms + dependent_ms * facts.dependents);
	cost.wal_bytes = (facts.full_page_writes ? facts.heap_bytes + facts.index_bytes : 0) +
					 facts.rows * (facts.both.heap_bytes + wal_of_update + facts.indexes * wal_of_entry) + new_toast +
					 facts.twin_bytes + facts.view_bytes;
	cost.sort_bytes = sort_bytes(facts, facts.largest_twin_bytes);
	cost.end_bytes = table + indexes;
	cost.peak_bytes = cost.end_bytes + facts.twin_bytes + facts.view_bytes + cost.sort_bytes - facts.heap_bytes -
					  facts.toast_bytes - facts.index_bytes;
	cost.repack_bytes = std::max(cost.end_bytes - jsonb_table_bytes(facts) - facts.index_bytes, 0.0);
	return cost;
}

Cost
cost_of_alter(const Facts &facts) noexcept
{
	Cost cost = {};
	const double table = jsonb_table_bytes(facts);

	cost.seconds =
		facts.busyness * (facts.rows * (facts.convert_seconds + facts.jsonb.compress_seconds +
										facts.slowness * (rewrite_row + rewrite_byte * facts.jsonb.heap_bytes +
														  toast_byte * facts.jsonb.toast_bytes)) +
						  build_seconds(facts, facts.indexes));
	cost.stall_ms = cost.seconds * 1000;
	cost.wal_bytes = facts.wal_skipped ? 0
									   : facts.rows * (facts.jsonb.heap_bytes + wal_of_row) +
											 facts.rows * facts.jsonb.toast_bytes * toast_index + facts.index_bytes;
	cost.sort_bytes = sort_bytes(facts, facts.largest_index_bytes);
	cost.end_bytes = table + facts.index_bytes;
	cost.peak_bytes = cost.end_bytes + cost.sort_bytes;
	return cost;
}

} // namespace remedy::jsonb_migration

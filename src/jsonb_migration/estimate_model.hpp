// From what is known of a table to what its migration takes: arithmetic, without server headers.
//
// The constants in estimate_model.cpp were fitted to test/bench/json-migration's tables, on the machine and
// server that docs/performance.md names; slowness carries them to another one.
// All times are those of a processor but for the last step, which asks how busy it is.  The conversion itself, which
// depends on the documents, is measured each time.

#pragma once

namespace remedy::jsonb_migration {

struct Cost
{
	double seconds;      // all of it, rests included
	double stall_ms;     // the longest that others wait, if locks are free at once
	double wal_bytes;    // with full-page images
	double peak_bytes;   // disk that is needed besides what is used now, without the WAL
	double sort_bytes;   // part of the peak: what sorts of index builds put aside for a time
	double end_bytes;    // table, TOAST and indexes at its end
	double repack_bytes; // of these, what a rewrite (VACUUM FULL) would give back
};

struct Intentions
{
	double rest_share;         // of the backfill's time, 0 to below 1
	double permitted_stall_ms; // 0: plain ALTER is never offered
	bool vacuum;               // paced into the backfill
};

// Of a row, on average, as it is stored in one of three ways: with json, with both, with jsonb.
struct RowFacts
{
	double heap_bytes; // of its tuple
	double heap_space; // its share of pages
	double toast_bytes;
	double toast_space;
	double compress_seconds;
};

struct Facts
{
	double rows;
	double heap_bytes; // now
	double toast_bytes;
	double convert_seconds; // of a row, on a processor of this machine
	RowFacts now;
	RowFacts both; // its toast is what is added
	RowFacts jsonb;
	double indexes; // that have an entry for a row
	double index_bytes;
	double twins; // of these, indexes that are built anew
	double twin_bytes;
	double largest_index_bytes;
	double largest_twin_bytes;
	double view_bytes; // of materialised views that get a twin
	int dependents;
	double slowness;    // of a processor
	double busyness;    // what it takes longer because of others
	double sort_memory; // maintenance_work_mem, bytes
	bool full_page_writes;
	bool wal_skipped; // by a table's rewrite: wal_level = minimal
};

double fill_seconds_of_row(const Facts &facts) noexcept;
Cost cost_of_migration(const Facts &facts, const Intentions &intentions) noexcept;
Cost cost_of_alter(const Facts &facts) noexcept;

} // namespace remedy::jsonb_migration

// Bringing the cells of a rollup in step with its source.

#pragma once

#include "rollup/one_snapshot.hpp"

namespace remedy::rollup {

// What a refresh did, from the least to the most.
enum class Method
{
	nothing,
	deltas,    // marks were added to cells
	recompute, // some cells were computed from the source
	rebuild,   // all were
};

struct Refreshed
{
	Method method = Method::nothing;
	int64 marks = 0;   // that were taken
	int64 cells = 0;   // that were written
	bool more = false; // there may be marks that were not taken
};

// ---- Inside of a slice, each under its snapshot ------------------------------------

// What a range mark says, or a few that lie near to each other: buckets, and times that their rows may have.
struct Range
{
	bool from_open, until_open;
	int64 from, until;   // buckets
	int64 opens, closes; // times

	void widen(const Range &other) noexcept; // one that does not open earlier
};

// Sorted by `opens`, those without a beginning first.
struct Ranges
{
	Range *range;
	int count;
	bool everything; // with the cells of the null bucket
	bool null_bucket;

	void join_neighbours() noexcept;
};

// A reader that gives ranges, in the order of their beginnings.
Ranges read_ranges(OneSnapshot &snapshot, const Rollup &rollup, const char *statement,
				   const Parameters &parameters = {}) noexcept;

// "from, until, opens, closes"
const char *range_of(const Rollup &rollup, const char *from, const char *until) noexcept;

// "x.time may be that of a row of one of the ranges".
const char *in_times(const Rollup &rollup, const Ranges &ranges, Parameters &parameters) noexcept;

// "p.bucket is in one of the ranges".
const char *in_ranges(const Rollup &rollup, const Ranges &ranges, const char *prefix, Parameters &parameters) noexcept;

// Columns of the cells' table: bucket, k1…, s1….
TupleDesc columns_of_cells(const Rollup &rollup) noexcept;

// Cells, computed from rows of the ranges' times; with a condition of rows over "r" (bucket, k1…), and one of what
// comes out, over "g", since rows of these times may be of buckets beside the ranges.
Result compute(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, const char *of_rows,
			   const char *of_cells, Parameters &parameters) noexcept;

// Pieces of such a statement: what is taken of a row of daily_rows, "x"; the cells that rows make up.
const char *columns_of_rows(const Rollup &rollup) noexcept;
const char *cells_of_rows(const Rollup &rollup, const char *rows, const char *of_rows, const char *of_cells) noexcept;

// ---- What is cheapest --------------------------------------------------------------

struct Choice
{
	Ranges ranges;
	double cost; // in the planner's units

	static constexpr double cheap = 1000; // not worth another planning
	bool is_cheap() const noexcept { return cost < cheap; }
};

double cost_of_computing(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges) noexcept;

// The ranges; or those with what lies between them; or everything.  `times`: so often something like it is to be done.
Choice cheapest(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, double times) noexcept;

// Whether it costs more to go through so many marks than to compute everything; or so much, that it is not tried where
// that would be the end of it.
bool is_rebuild_cheaper(OneSnapshot &snapshot, const Rollup &rollup, int64 marks) noexcept;

// ---- The two ways ------------------------------------------------------------------

// All cells of the ranges, and their marks.
void refresh_ranges(OneSnapshot &snapshot, const Rollup &rollup, const Ranges &ranges, Refreshed &done) noexcept;

// Those that marks of cells are about, if there are at most so many marks; else a part, in the order of buckets.
void refresh_cells(OneSnapshot &snapshot, const Rollup &rollup, int64 most_marks, Refreshed &done) noexcept;

} // namespace remedy::rollup

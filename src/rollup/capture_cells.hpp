// What one statement adds to the cells of a rollup, and takes away from them.
//
// Plain data, in a memory context; open addressing by (bucket, keys), whose values are compared as bytes:
// what is equal but not the same becomes a second mark of the same cell, which does no harm.

#pragma once

#include "rollup/amounts.hpp"
#include "rollup/mark_log.hpp"

namespace remedy::rollup {

// One row in terms of the plan's columns; [0] is its bucket.
struct RowValues
{
	Datum *value;
	bool *null;
};

struct Cell
{
	Cell *next; // in the order of their rows
	uint32 hash;
	bool dirty; // what happened is not known, but that something did
	RowValues identity;
	Amount *amount;
};

struct Cells
{
	const CapturePlan *plan;
	MemoryContext memory; // of all that follows
	bool own_memory;      // which is emptied with them
	Cell *first, *last;
	Cell *recent; // of the row before
	Cell **place;
	uint32 places, count;
};

// In a memory context of their own if they are to be many; else in the current one.
Cells make_cells(const CapturePlan &plan, bool many) noexcept;

// sign: 1 or -1.  Garbage is left in the current memory context.
void take_row(Cells &cells, const RowValues &row, int sign) noexcept;

// Writes their marks, and forgets them.
void write_marks(Cells &cells) noexcept;

inline bool
are_full(const Cells &cells) noexcept
{
	return cells.own_memory && cells.count % 256 == 255 &&
		   MemoryContextMemAllocated(cells.memory, true) > work_mem * Size{1024};
}

} // namespace remedy::rollup

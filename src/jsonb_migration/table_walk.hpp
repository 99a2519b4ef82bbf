// Going through the rows of a table by stretches of blocks, for a time: what filling and
// verifying have in common.

#pragma once

#include "jsonb_migration/backfill.hpp"
#include "observe/clock.hpp"

extern "C" {
#include "access/tableam.h"
}

namespace remedy::jsonb_migration {

// What a call has of its own, for as long as it runs.
struct Work
{
	const Leaf &leaf;
	Relation table;
	double budget_ms;
	Nanoseconds start;
	MemoryContext caller;
	MemoryContext stretch; // what is needed for some blocks
	MemoryContext row;
	Oid user;
	int security;
	int settings;
	EState *state; // of the filling only
	ResultRelInfo *result;
	Batch batch;
	BlockNumber next; // block to go on with, if there was no time for all
	bool over;        // there was not
};

// Between these two it runs as the table's owner, in a security-restricted operation.  Raises an error
// if the columns are no longer what they were.
void begin(Work &work, LOCKMODE lock) noexcept;
void end(Work &work) noexcept;

// From range.next on, until the time is over or the range is done.
using Stretch = void (*)(Work &work, BlockNumber first, BlockNumber end);
Batch go_through(Work &work, Range &range, BlockNumber blocks, Stretch stretch) noexcept;

bool time_is_over(const Work &work) noexcept;

ItemPointerData tid(BlockNumber block, OffsetNumber offset) noexcept;

// A row that is not filled, or not right.
void leave(Batch &batch, const ItemPointerData &row) noexcept;
void refuse(const Work &work, Batch &batch, const ItemPointerData &row, const char *what, const char *detail) noexcept;
void add(Batch &sum, const Batch &more) noexcept;

Datum flat(Datum value) noexcept; // all of it, perhaps compressed

// The result is in work.row.  False if jsonb refuses the document.
bool try_convert(const Work &work, Datum flat_document, Datum &shadow) noexcept;

} // namespace remedy::jsonb_migration

// What is taken of a table's rows for its rollups: made once in a session, and again when a relation of it has changed.

#pragma once

#include "rollup/calendar.hpp"

extern "C" {
#include "utils/sortsupport.h"
}

namespace remedy::rollup {

// A column of daily_rows, in terms of the table's rows.
struct Column
{
	AttrNumber attribute; // 0: an expression
	Expr *expression;
	Oid type;
	int16 length;
	bool by_value;
};

enum class Adding : char
{
	rows,
	values, // how many are not null
	integers,
	integer_squares,
	numerics,
	numeric_squares,
	least,
	greatest,
	histogram,
};

// One state s<i>.
struct Measured
{
	Adding adding;
	int value;         // number of its column; of an extreme, of a sum, of a count of values
	int filter;        // number of its column; 0: all rows
	bool sums_numeric; // whether the state is one
	bool takes_datum;  // sums of numerics, extremes and histograms
	SortSupport order; // of extremes
	bool as_integers;  // that is the order of integers
	int16 length;      // of values
};

struct CapturePlan
{
	const Rollup *rollup;
	Calendar *calendar;
	TupleTableSlot *mark; // of the log's rows; null: nothing can be written there
	bool additive;        // and each of its states can be added to here
	bool calls;           // an expression may call what is not the server's own
	bool loses_values;    // rows come without their generated columns
	int columns;          // time, keys, values, conditions
	int keys;
	int states;
	Column *column;
	Measured *measured;
	int attributes; // whose values count at all
	AttrNumber *attribute;
	int last_attribute;
};

struct Capture
{
	Oid relation;
	uint64 generation;
	MemoryContext memory;
	int plans;
	CapturePlan *plan;
};

// In the current memory context, with what is only needed meanwhile.  source: the rollup's, open too.
void make_plan(CapturePlan &plan, const Rollup *rollup, Relation relation, Relation source) noexcept;

// What it points to lasts until it is given back, whatever befalls the plans meanwhile: an expression, or an index of a
// log, may run statements that fire the trigger again.
Capture capture_for(Relation relation) noexcept;
void give_back() noexcept;

} // namespace remedy::rollup

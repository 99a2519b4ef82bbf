// From the conditions of a scan and the order that is wanted of it to the forms of index
// that an expert would think of.

#pragma once

#include "index_advice/conditions.hpp"

namespace remedy::index_advice {

// The order in which the query wants its rows, where all of it is of this table.
struct Order
{
	Part parts[parts_of_index];
	int part_count;
	bool limited; // only the first rows are wanted
	bool is_expression;
	Bitmapset *columns;
};

// Adds the candidates of the table to the scan's proposals, but for those that an existing
// index serves; false if a unique index finds the only row that is asked for.  The output is what the query reads of
// each row, apart from its conditions.
bool propose_forms(const Scan &scan, const Order &order, const Bitmapset *output) noexcept;

} // namespace remedy::index_advice

// What the statistics say of the values of a column, or of an expression.
//
// They come from pg_statistic, whoever asks: what is made of them is given to the planner
// and shown to nobody.  See representative_values.hpp for who else gets to see it.

#pragma once

#include "server/headers.hpp"

namespace remedy::index_advice {

// Parts of an array, or of a text search document, the most common first.
struct Elements
{
	const Datum *values;
	int count;
};

// Of the type and collation of the values, in the current memory context.
struct ColumnValues
{
	Oid type;
	Oid collation;
	const Datum *common; // the most common first
	const float4 *shares;
	int common_count;
	const Datum *bounds; // of as many equal parts of all others, in their order
	int bound_count;
	double others; // share of the rows that have another value, nulls aside
	Elements elements;
	const Datum *ranges; // lower and upper bounds, each by itself in order, as ranges
	int range_count;

	bool known() const noexcept { return common_count + bound_count + elements.count + range_count > 0; }
};

// The column is an expression, whose variables are of table 1.  False if nothing is known
// of it.  Of a partitioned table that was never analysed, the largest partition's are
// taken.  The relation is locked already.
bool read_column_values(Node *column, Oid relation, bool inherits, ColumnValues &values) noexcept;

// The value that a part of all rows, 0 to 1, does not reach; null if there is none.
const Datum *quantile(const ColumnValues &values, double part) noexcept;

} // namespace remedy::index_advice

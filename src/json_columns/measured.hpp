// How large an index on documents would be and how long its building takes: by building it on
// a sample of them, in a temporary table that is gone afterwards.
//
// Time is the processor's, so that a busy machine tells the same.  The sample's index is the
// server's own; from there on arithmetic (index_growth.hpp) goes to the whole table.

#pragma once

#include "json_columns/wanted.hpp"

namespace remedy::json_columns {

struct Measured
{
	double tuples; // of the whole table
	double pages;  // of it
};

// Of one table and column, for all of the indexes; those that could not be measured keep zero.
// Also refuses a GIN whose observed values would find too many of the rows.  The caller may
// read the column, and is allowed temporary tables; otherwise an SQLSTATE is returned.
int measure(Oid table, const char *column, bool is_json, Measured whole, List *indexes) noexcept;

} // namespace remedy::json_columns

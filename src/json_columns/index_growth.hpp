// How the keys of an index on documents grow with the rows: arithmetic only.
//
// For GIN a sample tells it for each place in the documents by itself, because the places
// differ: one holds a new value in each document, the next one of five.  Taken together they
// would look like neither.  Bytes are what pages hold, not how full pages are: they are for
// comparisons of one index with a larger one.

#pragma once

namespace remedy::json_columns {

// The values at one place, or the keys of all objects, in a sample of documents.
struct KeyClass
{
	double entries;  // a value counts once for each document that has it
	double distinct; // values
	double once;     // of them, those that only one document has
	double bytes;    // of a stored key, on average
};

// How many different values so many times the documents have.
double distinct_in(const KeyClass &keys, double times) noexcept;

// Of a btree whose equal keys share one tuple; rows without a value beside those of the keys.
double btree_bytes(const KeyClass &keys, double nulls, double times) noexcept;

// Of a GIN index, for so many times the documents, which then lie on so many pages of the table.
double gin_bytes(const KeyClass *classes, int count, double times, double table_pages) noexcept;

} // namespace remedy::json_columns

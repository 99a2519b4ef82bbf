// How the keys of a GIN index on documents grow with the rows: arithmetic only.
//
// A sample tells it for each place in the documents by itself, because the places differ: one
// holds a new value in each document, the next one of five.  Taken together they would look
// like neither.

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

// What the index's pages hold for so many times the documents, which then lie on so many
// pages of the table.  Not how full pages are: for comparisons of one index with another.
double gin_bytes(const KeyClass *classes, int count, double times, double table_pages) noexcept;

} // namespace remedy::json_columns

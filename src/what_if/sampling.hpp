// A sample of a table's rows: what the expressions of an index would give for them, and
// which keys GIN would make of them.
//
// At most 300 pages are read, evenly spread over the table and its partitions, and 3,000
// rows, so the same table gives the same sample.  The functions run as the current user,
// whose statement names them; their errors are those of CREATE INDEX.

#pragma once

#include "server/headers.hpp"

extern "C" {
#include "access/htup.h"
}

namespace remedy::what_if {

struct Hypothetical;

inline constexpr int most_rows = 3000;

// The values of one column of the index, in the order of the rows.
struct SampledValues
{
	bool wanted;
	Datum *values; // without NULLs
	int *rows;     // which row each is of
	int count;
};

// One different key of GIN.
struct SampledKey
{
	std::uint64_t hash;
	std::uint32_t rows; // that have it
	std::uint32_t width;
	Datum lexeme; // of full text; else 0
};

struct SampledKeys
{
	SampledKey *keys; // the most frequent ones first
	int count;
	double entries; // rows of all keys together
};

// What is kept of them: of how many sampled rows each is.
struct KeyCounts
{
	const std::uint32_t *rows;
	int count;
	double entries;
	double bytes; // of a key, on average
};

// What follows from the values.
struct SampledFacts
{
	double width; // as an index stores them
	double null_fraction;
	double distinct; // in the whole table
	const float4 *common;
	int common_count;
	HeapTuple statistics; // as ANALYZE would leave them; null where it is not known how
};

struct Sample
{
	int rows;     // that were looked at
	int kept;     // by the predicate
	double pages; // of the table, and
	double tuples;
	SampledFacts *facts; // by column; width 0: none
	KeyCounts keys;      // of all GIN columns
};

// Null if nothing of the index needs it, or the current user sees not all rows.
const Sample *take_sample(const Hypothetical &index) noexcept;

// ---- Its parts -------------------------------------------------------------------

SampledFacts facts_from(const Hypothetical &index, int column, const SampledValues &values,
						const Sample &sample) noexcept;

// The most frequent lexemes, for an expression of full text; null for others.
HeapTuple lexeme_statistics(const Hypothetical &index, const SampledKeys &keys, const Sample &sample) noexcept;

// Keys of all rows and columns; made ready by count_keys().
struct KeyCollector
{
	MemoryContext memory;
	FmgrInfo extract[INDEX_MAX_KEYS];
	SampledKey *keys; // one for each row that has it
	int count;
	int room;
	bool full;
};

void collect_keys(const Hypothetical &index, int column, Datum value, bool is_null, KeyCollector &collector) noexcept;
SampledKeys count_keys(KeyCollector &collector) noexcept;

} // namespace remedy::what_if

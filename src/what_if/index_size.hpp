// How large an index would be, from what is known of its values: arithmetic only.
//
// As the server's own builds fill pages, and right after one: an index that lived through
// years of updates is larger.

#pragma once

#include <cstdint>

namespace remedy::what_if {

inline constexpr double page_bytes = 8192;

struct Size
{
	double pages;
	int height; // levels above the leaves; -1 where it means nothing
};

// A stored value: its mean bytes, and its alignment if all have the same length.
struct Value
{
	double width;
	int alignment; // 0: lengths vary
	double null_fraction;
};

struct Tree
{
	double tuples;
	const Value *values;
	int value_count;
	int key_count; // of them; inner pages hold no others
	int fill_factor;
	// Equal tuples share one list of rows, if their method can.
	bool deduplicates;
	double distinct;     // different keys, those of NULL among them
	const float *common; // fractions of the tuples that the most common keys have
	int common_count;
};

double tuple_bytes(const Value *values, int count) noexcept;

Size btree_size(const Tree &tree) noexcept;
Size hash_size(double tuples, double distinct, int fill_factor) noexcept;
Size gist_size(double tuples, const Value *values, int count) noexcept;

struct Ranges
{
	double table_pages;
	double pages_per_range;
	double summary_bytes; // of all columns of one range
};

Size brin_size(const Ranges &ranges) noexcept;

// What GIN holds, told by a sample of the rows.
struct Inverted
{
	double tuples;
	double tuples_on_page; // of the table
	double sampled;
	const std::uint32_t *rows_of_keys; // of the sampled rows, for each different key in them
	int key_count;
	double entries;   // the sum of these
	double key_bytes; // on average
};

struct InvertedSize
{
	double keys;
	double entry_pages;
	double data_pages;
};

InvertedSize gin_size(const Inverted &inverted) noexcept;

// How many different keys there are in all, if a sample has so many, of which so many
// are in it once.
double distinct_in_all(double sampled, double distinct, double once, double all) noexcept;

// How many different keys a draw of so many gives, of which there are so many.
double expected_distinct(double keys, double draws) noexcept;

} // namespace remedy::what_if

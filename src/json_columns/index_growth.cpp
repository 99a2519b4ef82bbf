#include "json_columns/index_growth.hpp"

#include <algorithm>
#include <cmath>

namespace remedy::json_columns {

namespace {

// How many values there are if all are equally frequent.
double
of_equal_values(double entries, double distinct) noexcept
{
	double low = distinct, high = entries * entries; // about where one of them would come twice

	for (int i = 0; i < 100 && high > low * 1.0001; ++i)
	{
		const double middle = std::sqrt(low * high);
		(middle * -std::expm1(-entries / middle) < distinct ? low : high) = middle;
	}
	return low;
}

// Bytes of one row in a list of so many, which keeps distances: 11 bits of a row's number in
// its page, then the pages between, seven bits to a byte.
double
row_bytes(double rows, double table_pages) noexcept
{
	const double pages = table_pages / rows;

	if (pages < 1)
		return 1 + pages;
	return std::ceil((11 + std::log2(pages)) / 7);
}

// A key with its rows: beside it, or on pages of their own.
double
key_bytes(double bytes, double rows, double table_pages) noexcept
{
	constexpr double line_pointer = 4, header = 8, list_header = 8, longest = 2700, filled = 0.75;
	const double key = std::ceil((header + bytes) / 8) * 8;
	const double list = list_header + std::max(0.0, rows - 1) * row_bytes(rows, table_pages);

	return key + list <= longest ? line_pointer + std::ceil((key + list) / 8) * 8 : line_pointer + key + list / filled;
}

} // namespace

double
distinct_in(const KeyClass &keys, double times) noexcept
{
	const double all = keys.entries * times;

	if (keys.distinct >= keys.entries)
		return all;
	const double equal = of_equal_values(keys.entries, keys.distinct);
	const double if_equal = equal * -std::expm1(-all / equal);
	const double if_skewed =
		keys.entries * keys.distinct / (keys.entries - keys.once + keys.once / std::max(times, 1.0));
	return std::clamp(std::max(if_equal, if_skewed), keys.distinct, all);
}

double
btree_bytes(const KeyClass &keys, double nulls, double times) noexcept
{
	constexpr double header = 8, line_pointer = 4, row = 6;
	const double distinct = std::max(1.0, distinct_in(keys, times));
	const double rows = std::max(1.0, keys.entries * times / distinct);
	const double alone = line_pointer + std::ceil((header + keys.bytes) / 8) * 8;
	const auto together = [&](double count) { return alone + std::ceil(row * count / 8) * 8; };

	return distinct * (rows < 2 ? (2 - rows) * alone + (rows - 1) * together(2) : together(rows)) + nulls * times * row;
}

double
gin_bytes(const KeyClass *classes, int count, double times, double table_pages) noexcept
{
	double bytes = 0;

	for (int i = 0; i < count; ++i)
	{
		const double distinct = std::max(1.0, distinct_in(classes[i], times));
		const double rows = std::max(1.0, classes[i].entries * times / distinct);
		bytes += distinct * key_bytes(classes[i].bytes, rows, table_pages);
	}
	return bytes;
}

} // namespace remedy::json_columns

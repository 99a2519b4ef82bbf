#include "what_if/index_size.hpp"

#include <algorithm>
#include <cmath>

namespace remedy::what_if {

namespace {

constexpr double line_pointer = 4;
constexpr double tuple_header = 8;
constexpr double header_with_nulls = 16;
constexpr double tree_page = page_bytes - 24 - 16; // without the page's header and the method's
constexpr double row_pointer = 6;
constexpr double longest_list = 808; // of a list of rows
constexpr double inner_fill = 0.7;

double
aligned(double bytes, double to) noexcept
{
	return std::ceil(bytes / to) * to;
}

struct Packed
{
	double bytes;
	bool varies;
	double nulls; // chance that some value is one
};

Packed
pack(const Value *values, int count) noexcept
{
	Packed packed = {0, false, 0};
	double none = 1;

	for (int i = 0; i < count; ++i)
	{
		const Value &value = values[i];
		if (value.alignment > 1 && !packed.varies)
			packed.bytes = aligned(packed.bytes, value.alignment);
		packed.bytes += value.width * (1 - value.null_fraction);
		packed.varies |= value.alignment == 0 || (value.null_fraction > 0 && value.null_fraction < 1 && count > 1);
		none *= 1 - value.null_fraction;
	}
	packed.nulls = 1 - none;
	return packed;
}

// Lengths that vary do so by about a sixth around their mean.
double
in_units(double header, double bytes, bool varies) noexcept
{
	constexpr int steps = 16;
	const double spread = varies ? std::max(1.0, bytes / 6) : 0;
	double sum = 0;

	for (int i = 0; i < steps; ++i)
		sum += aligned(header + bytes + spread * (2 * i + 1 - steps) / steps, 8);
	return sum / steps;
}

// What a group of equal keys takes, with its line pointers.
double
list_bytes(double key, double rows) noexcept
{
	const double most = std::floor((longest_list - key) / row_pointer);
	const double full = std::floor(rows / most);
	const double rest = rows - full * most;
	double bytes = full * (aligned(key + row_pointer * most, 8) + line_pointer);

	if (rest == 1)
		bytes += key + line_pointer;
	else if (rest > 0)
		bytes += aligned(key + row_pointer * rest, 8) + line_pointer;
	return bytes;
}

// The same of a mean number of rows.
double
mean_list_bytes(double key, double rows) noexcept
{
	const double below = std::floor(rows);

	return list_bytes(key, below) * (below + 1 - rows) + list_bytes(key, below + 1) * (rows - below);
}

struct Leaves
{
	double bytes;
	double longest; // list; 0: there are none
};

Leaves
separate_leaves(const Tree &tree, double key) noexcept
{
	return {tree.tuples * (key + line_pointer), 0};
}

Leaves
shared_leaves(const Tree &tree, double key) noexcept
{
	double bytes = 0;
	double rows = tree.tuples;
	double groups = tree.distinct;

	for (int i = 0; i < tree.common_count && groups > 1; ++i, --groups)
	{
		const double group = std::clamp(tree.tuples * tree.common[i], 1.0, std::max(rows, 1.0));
		bytes += list_bytes(key, std::round(group));
		rows -= group;
	}
	groups = std::clamp(groups, 1.0, std::max(rows, 1.0));
	if (rows > 0)
		bytes += groups * mean_list_bytes(key, rows / groups);
	return {bytes, std::min(longest_list, key + row_pointer * tree.tuples / std::max(tree.distinct, 1.0))};
}

// A page may run over by the list of its last key, but holds whole lists only.
double
leaf_room(const Tree &tree, const Leaves &leaves, double key, double pivot) noexcept
{
	const double reserve = page_bytes * (100 - tree.fill_factor) / 100;
	const double over = leaves.longest > key ? std::min(reserve, leaves.longest - key) : 0;
	const double room = tree_page - reserve + over - pivot;
	const double list = leaves.longest + line_pointer;

	return over == 0 ? room : list > room / 20 ? std::floor(room / list) * list : room - list / 2;
}

// Bytes of one more row in the list of a key that every so-manieth row has: the list
// tells the distance to the row before.
double
distance_bytes(double rows, double rows_on_page) noexcept
{
	const double pages = rows / std::max(rows_on_page, 1.0);
	const double far = std::min(1.0, pages);

	return (1 - far) + far * std::ceil((std::log2(2048 * std::max(1.0, pages)) + 1) / 7);
}

constexpr double longest_entry = 2704; // a key with its rows; others have a tree of their own
constexpr double data_page = 8000;
constexpr double entry_header = 16;

// A key and its rows.
void
add_entry(const Inverted &inverted, double rows, double times, double &entry_bytes, double &data_pages) noexcept
{
	const double list = 6 + (rows - 1) * distance_bytes(inverted.tuples / rows, inverted.tuples_on_page);
	const double bytes = aligned(entry_header + inverted.key_bytes + list, 8) + line_pointer;

	if (bytes <= longest_entry)
	{
		entry_bytes += times * bytes;
		return;
	}
	entry_bytes += times * (aligned(entry_header + inverted.key_bytes, 8) + line_pointer);
	data_pages += times * (list <= data_page ? 1 : 1 + std::ceil(list / data_page));
}

} // namespace

double
tuple_bytes(const Value *values, int count) noexcept
{
	const Packed packed = pack(values, count);

	if (packed.nulls >= 1 && count == 1)
		return header_with_nulls;
	const double present = count == 1 ? packed.bytes / (1 - packed.nulls) : packed.bytes;
	const double in_nulls = count == 1 ? 0 : packed.bytes;
	return (1 - packed.nulls) * in_units(tuple_header, present, packed.varies) +
		   packed.nulls * in_units(header_with_nulls, in_nulls, packed.varies && count > 1);
}

Size
btree_size(const Tree &tree) noexcept
{
	const double key = tuple_bytes(tree.values, tree.value_count);
	const double pivot = tuple_bytes(tree.values, tree.key_count) + line_pointer;
	const Leaves leaves = tree.deduplicates ? shared_leaves(tree, key) : separate_leaves(tree, key);
	const double room = leaf_room(tree, leaves, key, pivot);
	const double fan_out = std::max(2.0, std::floor(tree_page * inner_fill / pivot));
	Size size = {0, 0};
	double level = std::max(1.0, std::ceil(leaves.bytes / std::max(room, key + line_pointer)));

	size.pages = 1 + level; // with the meta page
	while (level > 1)
	{
		level = std::ceil(level / fan_out);
		size.pages += level;
		++size.height;
	}
	return size;
}

namespace {

// Buckets get keys by chance and all rows of a key.
double
overflow_pages(double tuples, double distinct, double buckets) noexcept
{
	const double room = std::floor(tree_page / 20);
	const double mean = tuples / buckets;
	const double deviation = std::sqrt(mean * std::max(1.0, tuples / distinct));
	const double z = (room - mean) / std::max(deviation, 1e-6);
	const double some = std::erfc(z / std::sqrt(2.0)) / 2;
	const double rows = deviation * (std::exp(-z * z / 2) / 2.5066 - z * some);

	return buckets * std::max(some, std::max(0.0, rows) / room);
}

} // namespace

// Buckets come in doublings, from 1,024 on in quarters of them; each is a page.
Size
hash_size(double tuples, double distinct, int fill_factor) noexcept
{
	constexpr double entry = 16 + line_pointer;
	const double per_page = std::max(10.0, std::floor(page_bytes * fill_factor / 100 / entry));
	const double wanted = std::max(2.0, std::ceil(tuples / per_page));
	double buckets = std::exp2(std::ceil(std::log2(wanted)));

	if (buckets > 1024)
		buckets = buckets / 2 + std::ceil((wanted - buckets / 2) / (buckets / 8)) * (buckets / 8);
	const double maps = std::ceil(buckets / (page_bytes / 2 * 8));
	return {1 + buckets + maps + overflow_pages(tuples, std::max(distinct, 1.0), buckets), -1};
}

// Splits leave pages about two thirds full.
Size
gist_size(double tuples, const Value *values, int count) noexcept
{
	const double entry = tuple_bytes(values, count) + line_pointer;
	const double leaves = std::max(1.0, std::ceil(tuples * entry / (tree_page * 0.66)));
	const double fan_out = std::max(2.0, tree_page * 0.66 / entry);

	return {std::ceil(leaves * (1 + 1 / fan_out)), -1};
}

Size
brin_size(const Ranges &ranges) noexcept
{
	constexpr double pointers_on_page = 1360;
	const double count = std::max(1.0, std::ceil(ranges.table_pages / ranges.pages_per_range));
	const double map = std::floor(count / pointers_on_page) + 1;
	const double per_page = std::max(1.0, std::floor((page_bytes - 32) / (ranges.summary_bytes + line_pointer)));

	return {1 + map + std::ceil(count / per_page), -1};
}

// Keys that the sample has more than once are what they seem; of others there are more.
InvertedSize
gin_size(const Inverted &inverted) noexcept
{
	constexpr double filled = 0.6;
	const double scale = inverted.tuples / std::max(inverted.sampled, 1.0);
	double entry_bytes = 0;
	double data_pages = 0;
	double known_rows = 0;
	double once = 0;
	int known = 0;

	for (int i = 0; i < inverted.key_count; ++i)
		if (inverted.rows_of_keys[i] <= 1)
			++once;
		else
		{
			add_entry(inverted, inverted.rows_of_keys[i] * scale, 1, entry_bytes, data_pages);
			known_rows += inverted.rows_of_keys[i] * scale;
			++known;
		}
	const double all_rows = inverted.entries * scale;
	const double keys = std::max(1.0, distinct_in_all(inverted.entries, inverted.key_count, once, all_rows));
	if (keys > known && all_rows > known_rows)
		add_entry(inverted, std::max(1.0, (all_rows - known_rows) / (keys - known)), keys - known, entry_bytes,
				  data_pages);
	return {keys, 2 + std::ceil(entry_bytes / (tree_page * filled)), std::ceil(data_pages)};
}

double
distinct_in_all(double sampled, double distinct, double once, double all) noexcept
{
	if (sampled <= 0 || all <= 0)
		return 0;
	const double estimate = sampled * distinct / (sampled - once + once * sampled / all);
	return once >= sampled ? all : std::clamp(estimate, distinct, std::max(all, distinct));
}

double
expected_distinct(double keys, double draws) noexcept
{
	return keys <= 0 ? 0 : keys * -std::expm1(-draws / keys);
}

} // namespace remedy::what_if
